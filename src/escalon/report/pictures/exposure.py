"""Concentrations of CLLS52 and UCART22, lymphocytes, and how they relate."""

from collections.abc import Callable

import polars as pl

from escalon.conduct.state import State
from escalon.protocol.study import Study
from escalon.report.figures import exposure
from escalon.report.pictures.picture import Adam, Picture, make_picture
from escalon.report.results.groups import derive_people
from escalon.report.theme import BLUE, GREEN, ORANGE, PURPLE
from escalon.report.wording import render_unit

SAMPLE = {
    "patient": pl.String,
    "day": pl.Float64,
    "value": pl.Float64,
    "below": pl.Boolean,
    "group": pl.String,
}


def _profiles(adam: Adam, analyte: str, group: Callable[[dict[str, object]], str]) -> pl.DataFrame:
    """Samples of one analyte; below quantification at half the limit, zero values left out."""
    people = {row["USUBJID"]: group(row) for row in derive_people(adam).iter_rows(named=True)}
    rows = []
    own = (
        adam["ADPC"]
        .filter((pl.col("PARAMCD") == analyte) & pl.col("ARDY").is_not_null())
        .sort("USUBJID", "ARDY")
    )
    for row in own.iter_rows(named=True):
        below = row["BLQFL"] == "Y"
        value = (row["LLOQ"] or 0.0) / 2 if below else row["AVAL"]
        if value is not None and value > 0 and row["USUBJID"] in people:
            who = row["USUBJID"]
            rows.append(
                {
                    "patient": who,
                    "day": float(row["ARDY"]),
                    "value": float(value),
                    "below": below,
                    "group": people[who],
                }
            )
    frame = pl.DataFrame(rows, schema=SAMPLE)
    # After the last quantifiable sample one mark below the limit says enough; a flat line to the end would mislead.
    last = pl.col("day").filter(~pl.col("below")).max().over("patient")
    after = (pl.col("day") > last).fill_null(False)
    return frame.filter(~after | (after.cum_sum().over("patient") == 1))


WEIGHTS = ("below 60 kg", "60 to 80 kg", "above 80 kg")


def _weight_group(row: dict[str, object]) -> str:
    weight = row["WEIGHTBL"]
    if not isinstance(weight, float | int):
        return WEIGHTS[1]
    return WEIGHTS[0] if weight < 60 else WEIGHTS[1] if weight <= 80 else WEIGHTS[2]


def picture_clls52(adam: Adam, state: State, study: Study) -> Picture:
    """CLLS52 concentrations."""
    rules = study.pharmacokinetics
    samples = _profiles(adam, rules.analyte, _weight_group)
    lines = [
        (rules.threshold, f"lympholytic level {rules.threshold:g}"),
        (rules.lloq, f"LLOQ {rules.lloq:g}"),
    ]
    chart = None
    if samples.height:
        unit = f"CLLS52, {render_unit(rules.unit)}"
        first = min(-7.0, float(samples["day"].min()) - 0.5)  # type: ignore[arg-type]
        last = max(56.0, float(samples["day"].max())) + 0.5  # type: ignore[arg-type]
        chart = exposure.draw_profiles(samples, unit, WEIGHTS, (GREEN, BLUE, PURPLE), lines, (first, last))
    caption = (
        "One line per patient, coloured by body weight (the dose is flat). Open marks: below the "
        "limit of quantification, "
        "drawn at half of it, the first one after the last quantifiable sample only. "
        "Dashed red: lympholytic level and limit of quantification. Log scale."
    )
    return make_picture("f-clls52", "CLLS52 (alemtuzumab) in serum", caption, chart)


RESPONDERS = ("Responder", "No response")


def _responders(adam: Adam) -> set[str]:
    best = adam["ADRS"].filter((pl.col("PARAMCD") == "BOR") & (pl.col("RESPFL") == "Y"))
    return set(best["USUBJID"].to_list())


def picture_ucart22(adam: Adam, state: State, study: Study) -> Picture:
    """UCART22 transgene in blood."""
    rules, responders = study.cell_kinetics, _responders(adam)
    samples = _profiles(adam, rules.analyte, lambda row: RESPONDERS[row["USUBJID"] not in responders])
    chart = None
    if samples.height:
        last = float(samples["day"].max()) + 0.5  # type: ignore[arg-type]
        lines = [(rules.lloq, f"LLOQ {rules.lloq:g}")]
        unit = f"UCART22, {render_unit(rules.unit)}"
        chart = exposure.draw_profiles(samples, unit, RESPONDERS, (BLUE, ORANGE), lines, (0.0, last))
    caption = (
        "Transgene copies per patient, coloured by best response. Open marks: below the limit of quantification, "
        "at half of it. Log scale."
    )
    return make_picture("f-ucart22", "UCART22 cell kinetics in blood", caption, chart)


def picture_lymphocytes(adam: Adam, state: State, study: Study) -> Picture:
    """Host lymphocytes by regimen; a count of 0 is drawn at half the smallest count above 0."""
    people = dict(derive_people(adam).select("USUBJID", "LDREGI").iter_rows())
    own = adam["ADLB"].filter(
        (pl.col("PARAMCD") == "LYM") & pl.col("ARDY").is_between(-14, 90) & pl.col("AVAL").is_not_null()
    )
    counts = own.sort("USUBJID", "ARDY").select("USUBJID", "ARDY", "AVAL").iter_rows()
    floor = min((value for value in own["AVAL"].to_list() if value > 0), default=0.02) / 2
    rows = [
        {
            "patient": who,
            "day": float(day),
            "value": value or floor,
            "below": value <= 0,
            "group": people[who],
        }
        for who, day, value in counts
        if people.get(who)
    ]
    samples = pl.DataFrame(rows, schema=SAMPLE)
    regimens = [regimen.id for regimen in study.regimens if regimen.id in set(samples["group"].to_list())]
    chart = None
    if samples.height:
        colours = (ORANGE, BLUE, GREEN, PURPLE)[: len(regimens)]
        unit = f"Lymphocytes, {render_unit('10*9/L')}"
        chart = exposure.draw_profiles(samples, unit, regimens, colours, [], (-14.5, 90.5))
    caption = (
        "Absolute lymphocyte count per patient by lymphodepletion regimen. Open marks: a count reported as 0, "
        "drawn at half the smallest count above 0. Log scale."
    )
    return make_picture("f-lymphocytes", "Lymphocyte depletion and recovery", caption, chart)


def picture_relations(adam: Adam, state: State, study: Study) -> Picture:
    """Exposure against weight, and cell peak against exposure."""
    responders = _responders(adam)
    people = derive_people(adam).select("USUBJID", weight="WEIGHTBL")
    wanted = {
        "auc": (study.pharmacokinetics.analyte, "AUC0_28"),
        "peak": (study.cell_kinetics.analyte, "CMAX"),
    }
    units = []
    for name, (analyte, code) in wanted.items():
        own = adam["ADPP"].filter((pl.col("ANALYTE") == analyte) & (pl.col("PARAMCD") == code))
        units.append(render_unit(own["AVALU"].drop_nulls().first()) if own["AVALU"].count() else "")
        people = people.join(
            own.select("USUBJID", pl.col("AVAL").alias(name)), on="USUBJID", how="left", maintain_order="left"
        )
    points = people.filter(pl.col("auc").is_not_null()).with_columns(
        group=pl.when(pl.col("USUBJID").is_in(list(responders)))
        .then(pl.lit(RESPONDERS[0]))
        .otherwise(pl.lit(RESPONDERS[1]))
    )
    chart = (
        exposure.draw_relations(points.drop("USUBJID"), RESPONDERS, (units[0], units[1]))
        if points.height
        else None
    )
    caption = (
        "Left: CLLS52 exposure after the flat dose against body weight. Right: peak of UCART22 against CLLS52 "
        "exposure. One mark per patient."
    )
    return make_picture(
        "f-relations", "CLLS52 exposure, body weight and expansion of UCART22", caption, chart
    )
