"""Response by visit, course of each patient, survival curves."""

import polars as pl

from escalon.analysis.response_figures import swimmer_rows
from escalon.conduct.state import State
from escalon.protocol.study import Study
from escalon.report.ard import Cells
from escalon.report.figures import efficacy
from escalon.report.pictures.picture import Adam, Picture, make_picture
from escalon.report.results.groups import ALL_INFUSED, derive_people, efficacy_groups, pooled_group
from escalon.report.results.survival import ENDPOINTS, derive_curves
from escalon.report.wording import visit_name

SWIM = {status: status for status in ("CR", "CRh", "CRi", "MLFS", "PR")}
SWIM |= {"PD": "Relapse or progression", "RELAPSE": "Relapse or progression", "NR": "No response"}
NOT_SEEN = "Not assessed or not evaluable"


def picture_response(ard: pl.DataFrame, study: Study) -> Picture:
    """Response by visit."""
    cells = Cells(ard, "response")
    groups = [group for group in (pooled_group(cells.groups), ALL_INFUSED) if group]
    rows = []
    for visit in study.response.visits:
        for group in groups:
            for kind in ("at visit", "to date"):
                p, low, high = (
                    cells.get(stat, group, kind, visit) for stat in ("p", "conf.low", "conf.high")
                )
                rows.append(
                    {
                        "visit": visit_name(visit),
                        "group": group,
                        "kind": kind,
                        "p": p,
                        "low": low,
                        "high": high,
                    }
                )
    frame = pl.DataFrame(rows, schema_overrides={"p": pl.Float64, "low": pl.Float64, "high": pl.Float64})
    visits = [visit_name(visit) for visit in study.response.visits]
    chart = efficacy.draw_response(frame, visits, groups) if frame["p"].count() else None
    caption = (
        "Filled circle: response at the visit. Open square: response at that visit or before. "
        "Bars: exact 95% intervals."
    )
    return make_picture("f-response", "Overall response by visit", caption, chart)


def picture_swimmer(adam: Adam, state: State, study: Study) -> Picture:
    """One lane per infused patient."""
    people = derive_people(adam).filter(pl.col("SAFFL") == "Y").sort("DOSELVL", "INFDT", "USUBJID")
    per_month = study.time_to_event.days_per_month
    bars, marks, lanes, ends = [], [], {}, []
    for row in people.iter_rows(named=True):
        lane = lanes[row["USUBJID"]] = f"{row['SUBJID']}  {row['LEVEL']}"
        last = row["DTHDT"] or row["LSTALVDT"] or row["EOSDT"]
        ends.append((row["USUBJID"], max((last - row["INFDT"]).days, 1) if last else 1, row["DTHFL"]))
        days = {"Transplant": row["SCTDT"], "New therapy": row["NEWTRTDT"], "Death": row["DTHDT"]}
        days["Alive at last contact"] = None if row["DTHDT"] else last
        marks += [
            {"patient": lane, "month": (day - row["INFDT"]).days / per_month, "kind": kind}
            for kind, day in days.items()
            if day is not None
        ]
    for who, start, end, status in _segments(adam["ADRS"], people, ends).iter_rows():
        bars.append(
            {
                "patient": lanes[who],
                "start": start / per_month,
                "end": end / per_month,
                "response": status or NOT_SEEN,
            }
        )
    chart = None
    if bars:
        months = max(24.0, *(bar["end"] for bar in bars)) + 0.6
        chart = efficacy.draw_swimmer(pl.DataFrame(bars), _marks(marks), list(lanes.values()), months)
    caption = (
        "Infused patients by dose level, then by date of infusion. A status lasts from the "
        "assessment that found it to the next one, "
        "the last to the end of follow-up; white before the first assessment. Relapse or progression stays once found."
    )
    return make_picture("f-swimmer", "Course of each patient", caption, chart)


def _marks(rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"patient": pl.String, "month": pl.Float64, "kind": pl.String})


def _segments(adrs: pl.DataFrame, people: pl.DataFrame, ends: list[tuple[str, int, str]]) -> pl.DataFrame:
    """Stretches of one status in days from the infusion; an assessment after the end of follow-up is left out."""
    last = pl.DataFrame(
        ends, schema={"USUBJID": pl.String, "ADY": pl.Int64, "DEATH": pl.String}, orient="row"
    )
    assessed = adrs.filter((pl.col("PARAMCD") == "OVRLRESP") & pl.col("ARDY").is_not_null()).sort("ARDY")
    end = last.select("USUBJID", END=pl.col("ADY"))
    inside = assessed.join(end, on="USUBJID", maintain_order="left").filter(pl.col("ARDY") < pl.col("END"))
    status = pl.col("AVALC").replace_strict(SWIM, default=None, return_dtype=pl.String)
    seen = inside.select("USUBJID", pl.col("ARDY").alias("ADY"), status)
    return swimmer_rows(people, seen, last, [SWIM["PD"]]).select("USUBJID", "START", "END", "AVALC")


def picture_survival(adam: Adam, state: State, study: Study, code: str) -> Picture:
    """One survival figure."""
    names = tuple(efficacy_groups(derive_people(adam), state, study))
    groups = tuple(group for group in (pooled_group(names), ALL_INFUSED) if group)
    ticks = list(range(0, 25, 3))
    curve, marks, risk = derive_curves(adam, state, study, code, groups, ticks)
    present = [group for group in groups if group in set(curve["group"].to_list())]
    chart = None
    if present:
        chart = efficacy.draw_survival(curve, marks, risk, ENDPOINTS[code], present, ticks)
    start = {"DOR": "the first response; responders only"}.get(
        code,
        "the first day of study treatment"
        if study.time_to_event.origin == "first_study_treatment"
        else "the first UCART22 infusion",
    )
    caption = (
        f"Kaplan-Meier with pointwise 95% bands ({study.time_to_event.conf_type}); vertical ticks are "
        "censored patients. "
        f"Months from {start}."
    )
    return make_picture(f"f-{code.lower()}", ENDPOINTS[code], caption, chart)
