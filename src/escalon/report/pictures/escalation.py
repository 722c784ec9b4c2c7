"""Escalation history, estimates behind the MTD, behaviour of the plan."""

from collections.abc import Mapping

import polars as pl

from escalon.conduct.state import State
from escalon.protocol.study import Study
from escalon.report.ard import Cells
from escalon.report.figures import escalation
from escalon.report.pictures.picture import Adam, Picture, make_picture
from escalon.report.results.groups import level_labels
from escalon.report.wording import DECISIONS, STATUS_NAMES, render_percent

LETTERS = {"DLT": "T", "NO_DLT": "", "NOT_EVALUABLE": "E", "PENDING": "?"}


def picture_history(adam: Adam, state: State, study: Study) -> Picture:
    """Escalation history."""
    labels = level_labels(study)
    infused = sorted(
        (p for p in state.patients.values() if p.infused_at),
        key=lambda p: (p.cohort, p.infused_at, p.patient),
    )
    patients = pl.DataFrame(
        [
            {
                "order": order,
                "number": person.patient,
                "cohort": person.cohort,
                "level": labels[(person.dose_level or 1) - 1],
                "status": STATUS_NAMES[str(person.dlt_status)],
                "letter": LETTERS[str(person.dlt_status)],
            }
            for order, person in enumerate(infused, start=1)
        ]
    )
    chart = None
    if patients.height:
        cohorts = _cohorts(patients, state)
        chart = escalation.draw_history(patients, cohorts, _notes(cohorts, state, study), labels)
    caption = (
        "Patients in order of infusion within their cohort; T: dose-limiting toxicity, E: not "
        "evaluable, ?: window open. Bands "
        "are cohorts, the yellow band is the expansion at the RP2D. Above each cohort: what the rule "
        "recommended and what "
        "the committee decided after it, red where the two differ. Patients who were never infused are not drawn."
    )
    return make_picture("f-history", "Escalation history", caption, chart)


def _cohorts(patients: pl.DataFrame, state: State) -> pl.DataFrame:
    """Edges of each cohort on the axis of patients."""
    spans = patients.group_by("cohort", maintain_order=True).agg(
        (pl.col("order").min() - 0.5).alias("low"), (pl.col("order").max() + 0.5).alias("high")
    )
    parts = {cohort.cohort: cohort.part for cohort in state.cohorts}
    rows = []
    for index, (cohort, low, high) in enumerate(spans.iter_rows()):
        part = parts.get(cohort, "escalation")
        name = "Expansion" if part == "expansion" else (f"Cohort {cohort}" if high - low > 2 else str(cohort))
        rows.append(
            {"cohort": cohort, "low": low, "high": high, "part": part, "shade": index % 2, "name": name}
        )
    return pl.DataFrame(rows, schema_overrides={"low": pl.Float64, "high": pl.Float64})


def _notes(cohorts: pl.DataFrame, state: State, study: Study) -> pl.DataFrame:
    """Recommendation and decision printed over the cohort they followed."""
    middle = {row["cohort"]: (row["low"] + row["high"]) / 2 for row in cohorts.iter_rows(named=True)}
    decided = {decision.recommendation: decision for decision in state.decisions if decision.recommendation}
    rows = []
    for found in state.recommendations:
        if found.cohort not in middle:
            continue
        decision = decided.get(found.number)
        differs = decision is not None and (decision.action, decision.dose_level) != (
            found.action,
            found.dose_level,
        )
        for row, said in (("Rule", found), ("Committee", decision)):
            if said is not None:
                where = "" if said.dose_level is None else study.dose_level(said.dose_level).label
                rows.append(
                    {
                        "order": middle[found.cohort],
                        "row": row,
                        "line1": DECISIONS.get(said.action, said.action),
                        "line2": where or "–",
                        "differs": differs and row == "Committee",
                    }
                )
    schema = {
        "order": pl.Float64,
        "row": pl.String,
        "line1": pl.String,
        "line2": pl.String,
        "differs": pl.Boolean,
    }
    return pl.DataFrame(rows, schema=schema)


def picture_mtd(ard: pl.DataFrame, state: State, study: Study) -> Picture:
    """Estimates behind the MTD."""
    cells = Cells(ard, "mtd")
    names = {
        "rate": "p",
        "estimate": "estimate",
        "low": "conf.low",
        "high": "conf.high",
        "isotonic": "isotonic",
    }
    rows = []
    for label in cells.groups:
        n, y = int(cells.get("N", label, "DLT") or 0), int(cells.get("n", label, "DLT") or 0)
        row = {key: cells.get(stat, label, "DLT") for key, stat in names.items()}
        rows.append({"level": label, "counts": f"{y}/{n}" if n else "not tried"} | row)
    selected = state.mtd.dose_level if state.mtd else None
    chart = None
    if rows:
        frame = pl.DataFrame(rows, schema_overrides=dict.fromkeys(names, pl.Float64))
        label = study.dose_level(selected).label if selected else None
        chart = escalation.draw_mtd(frame, level_labels(study), study.escalation.rule.target, label)
    caption = (
        "Blue: estimate of the rule with its 95% interval. Orange: isotonic estimate. Black cross: observed "
        f"rate. DLT / evaluable above. Dashed: target {render_percent(study.escalation.rule.target, 0)}%."
    )
    return make_picture("f-mtd", "Estimated DLT probability by dose level", caption, chart)


def picture_characteristics(ard: pl.DataFrame, titles: Mapping[str, str], study: Study) -> Picture:
    """Selection probabilities per scenario."""
    cells = Cells(ard, "characteristics")
    labels, rows = level_labels(study), []
    for name in cells.groups:
        title = titles.get(name, name)
        for label in labels:
            select, truth = (cells.get(stat, name, "level", None, label) for stat in ("select", "truth"))
            rows.append({"scenario": title, "level": label, "select": select, "truth": truth})
        rows.append(
            {"scenario": title, "level": "none", "select": cells.get("none", name, "design"), "truth": None}
        )
    chart = None
    if rows:
        frame = pl.DataFrame(rows, schema_overrides={"select": pl.Float64, "truth": pl.Float64})
        chart = escalation.draw_characteristics(frame, labels)
    simulated = any(cells.get("trials", name, "design") is not None for name in cells.groups)
    caption = (
        f"Bars: {'simulated' if simulated else 'exact'} probability that a level (or none) is selected as MTD. "
        "Red ticks: the true DLT probability assumed."
    )
    return make_picture(
        "f-characteristics", "What the escalation plan selects under each true scenario", caption, chart
    )
