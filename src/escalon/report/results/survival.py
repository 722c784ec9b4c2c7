"""Duration of response, progression-free and overall survival: estimates, and curves for the figures."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from escalon.analysis.survival import Curve, follow_up, kaplan_meier
from escalon.conduct.state import State
from escalon.protocol.study import Study
from escalon.report.ard import Rows
from escalon.report.results.groups import derive_people, efficacy_groups, in_group

ENDPOINTS: Mapping[str, str] = {
    "DOR": "Duration of response",
    "PFS": "Progression-free survival",
    "OS": "Overall survival",
}
SENSITIVITY: Mapping[str, str] = {
    "DORS": "Duration of response, not censored at transplant, new therapy or missed visits",
    "PFSS": "Progression-free survival, not censored at transplant, new therapy or missed visits",
    "PFSI": "Progression-free survival from the first UCART22 infusion",
    "OSI": "Overall survival from the first UCART22 infusion",
}
LANDMARKS = (6, 12, 24)


def observed(adam: Mapping[str, pl.DataFrame], code: str) -> pl.DataFrame:
    """Rows of one endpoint with a time; a patient outside the analysis has none."""
    return adam["ADTTE"].filter((pl.col("PARAMCD") == code) & pl.col("AVAL").is_not_null())


def survival_curve(frame: pl.DataFrame, study: Study, reverse: bool = False) -> Curve:
    """The curve of one group, in months."""
    rules = study.time_to_event
    months = frame["AVAL"].to_numpy() / rules.days_per_month
    event = (frame["CNSR"] == 0).to_numpy()
    method = follow_up if reverse else kaplan_meier
    return method(months, event, conf_type=rules.conf_type, quantile_rule=rules.quantile_rule)


def derive_survival(adam: Mapping[str, pl.DataFrame], state: State, study: Study) -> pl.DataFrame:
    """Patients, events, median and 6, 12 and 24 month estimates, by endpoint and group."""
    rows = Rows("time to event", "GROUP")
    groups = efficacy_groups(derive_people(adam), state, study)
    for code in (*ENDPOINTS, *SENSITIVITY):
        every = observed(adam, code)
        for group, members in groups.items():
            _add(rows, code, group, in_group(every, members), study)
    return rows.frame()


def _add(rows: Rows, code: str, group: str, own: pl.DataFrame, study: Study) -> None:
    curve = survival_curve(own, study)
    rows.add(code, None, "survival", {"N": curve.n, "events": curve.n_events}, group)
    median = curve.median
    stats = {"median": median.value, "conf.low": median.low, "conf.high": median.high}
    rows.add(code, "median", "survival", stats, group, unit="months", reason=median.reason)
    later = survival_curve(own, study, reverse=True).median
    rows.add(
        code, "follow-up", "survival", {"median": later.value}, group, unit="months", reason=later.reason
    )
    if curve.n == 0:
        return
    at = curve.at(LANDMARKS)
    for month, found, left in zip(LANDMARKS, at.estimates(), at.n_at_risk, strict=True):
        stats = {"p": found.value, "conf.low": found.low, "conf.high": found.high, "n.risk": int(left)}
        rows.add(code, str(month), "survival", stats, group, reason=found.reason)


def derive_curves(
    adam: Mapping[str, pl.DataFrame],
    state: State,
    study: Study,
    code: str,
    groups: tuple[str, ...],
    ticks: list[int],
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """What a survival figure draws: curve (group, month, survival, low, high), censorings, numbers at risk.

    The curve starts at (0, 1).
    """
    members = efficacy_groups(derive_people(adam), state, study)
    every = observed(adam, code)
    curves: list[dict[str, Any]] = []
    marks, risks = [], []
    for group in groups:
        curve = survival_curve(in_group(every, members[group]), study)
        if curve.n == 0:
            continue
        curves.append({"group": group, "month": 0.0, "survival": 1.0, "low": 1.0, "high": 1.0})
        steps = zip(curve.time, curve.survival, curve.low, curve.high, curve.n_censor, strict=True)
        for month, survival, low, high, censored in steps:
            row = {"group": group, "month": float(month), "survival": float(survival)}
            curves.append(row | _band(low, high, curves[-1]))
            if censored:
                marks.append({"group": group, "month": float(month), "survival": float(survival)})
        for month, left in zip(ticks, curve.n_at_risk(ticks), strict=True):
            risks.append({"group": group, "month": month, "n": int(left)})
    bounds_schema = {"group": pl.String, "month": pl.Float64, "survival": pl.Float64}
    return (
        pl.DataFrame(curves, schema=bounds_schema | {"low": pl.Float64, "high": pl.Float64}),
        pl.DataFrame(marks, schema=bounds_schema),
        pl.DataFrame(risks, schema={"group": pl.String, "month": pl.Int64, "n": pl.Int64}),
    )


def _band(low: float, high: float, before: Mapping[str, Any]) -> dict[str, float]:
    """Bounds of one step. Where the curve is 1 or 0 no interval exists: the band keeps its last ends."""
    if np.isnan(low):
        return {"low": before["low"], "high": before["high"]}
    return {"low": float(low), "high": float(high)}
