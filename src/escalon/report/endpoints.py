"""The answers of the study as one JSON-able mapping; every number is read from the results (ARD)."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from escalon.conduct.state import State
from escalon.protocol.study import Study
from escalon.report.ard import Cells
from escalon.report.results import derive_ard
from escalon.report.results.groups import ALL_INFUSED, TOTAL, level_labels, pooled_group
from escalon.report.results.safety import SETS
from escalon.report.results.survival import LANDMARKS

Answer = dict[str, Any]


def build_endpoints(adam: Mapping[str, pl.DataFrame], state: State, study: Study) -> Answer:
    """Endpoints of the trial as plain values: whole numbers, floats, texts, None for what is not estimable.

    Parameters: ``adam`` frames by name; ``state`` the fold of the ledger; ``study``. Rates are fractions, times months.
    Raises ValueError when a frame is absent.
    """
    return build_endpoints_from(derive_ard(adam, state, study), state, study)


def build_endpoints_from(ard: pl.DataFrame, state: State, study: Study) -> Answer:
    """The same from results at hand."""
    disposition = Cells(ard, "disposition")
    patients = {
        key: _whole(disposition.get("n", TOTAL, "population", flag))
        for key, flag in (("n_enrolled", "ENRLFL"), ("n_lymphodepleted", "LDFL"), ("n_treated", "SAFFL"))
    }
    both = Cells(ard, "dlt all")
    survival = Cells(ard, "time to event")
    return {
        "study_id": study.identity.study_id,
        "mtd_level": state.mtd.dose_level if state.mtd else None,
        "mtd_label": _label(study, state.mtd.dose_level if state.mtd else None),
        "rp2d_level": state.rp2d.dose_level if state.rp2d else None,
        "rp2d_label": _label(study, state.rp2d.dose_level if state.rp2d else None),
        **patients,
        "n_dlt_evaluable": _whole(both.get("N", TOTAL, "DLT")),
        "n_dlt": _whole(both.get("n", TOTAL, "DLT")),
        "escalation": _escalation(ard, study),
        "orr_by_visit": _visits(Cells(ard, "response"), study),
        "best_response": _best(Cells(ard, "response")),
        "dor": _time(survival, "DOR"),
        "pfs": _time(survival, "PFS"),
        "os": _time(survival, "OS"),
        "clls52": _exposure(ard, study),
        "ae": _events(ard),
    }


def _whole(value: float | None) -> int:
    return int(value or 0)


def _label(study: Study, level: int | None) -> str | None:
    return None if level is None else study.dose_level(level).label


def _escalation(ard: pl.DataFrame, study: Study) -> Answer:
    """DLTs of the escalation part, the registered endpoint, in all and per level."""
    cells = Cells(ard, "dlt escalation")

    def counts(group: str) -> Answer:
        return {
            "n_treated": _whole(cells.get("treated", group, "DLT")),
            "n_dlt_evaluable": _whole(cells.get("N", group, "DLT")),
            "n_dlt": _whole(cells.get("n", group, "DLT")),
        }

    levels = [
        {"level": index, "label": label} | counts(label)
        for index, label in enumerate(level_labels(study), start=1)
    ]
    return counts(TOTAL) | {"by_level": levels}


def _rate(cells: Cells, group: str, variable: str, level: str) -> Answer:
    return {
        "n": _whole(cells.get("N", group, variable, level)),
        "responders": _whole(cells.get("n", group, variable, level)),
        "rate": cells.get("p", group, variable, level),
        "low": cells.get("conf.low", group, variable, level),
        "high": cells.get("conf.high", group, variable, level),
    }


def _visits(cells: Cells, study: Study) -> list[Answer]:
    pooled = pooled_group(cells.groups)
    found = []
    for visit in study.response.visits:
        row = {"visit": visit} | _rate(cells, ALL_INFUSED, "at visit", visit)
        row["to_date"] = _rate(cells, ALL_INFUSED, "to date", visit)
        row["rp2d"] = None
        if pooled:
            row["rp2d"] = _rate(cells, pooled, "at visit", visit) | {
                "to_date": _rate(cells, pooled, "to date", visit)
            }
        found.append(row)
    return found


def _best(cells: Cells) -> Answer:
    pooled = pooled_group(cells.groups)
    names = {"orr": "ORR", "cr_cri": "CR+CRi", "mrd_negative": "MRD"}
    answer = {key: _rate(cells, ALL_INFUSED, "best rate", name) for key, name in names.items()}
    rp2d = {key: _rate(cells, pooled, "best rate", name) for key, name in names.items()} if pooled else None
    return answer | {"rp2d": rp2d}


def _time(cells: Cells, code: str) -> Answer:
    """Median and landmarks of all infused patients (responders for DoR) and at the recommended level."""
    pooled = pooled_group(cells.groups)
    answer = _time_of(cells, code, ALL_INFUSED)
    return answer | {"rp2d": _time_of(cells, code, pooled) if pooled else None}


def _time_of(cells: Cells, code: str, group: str) -> Answer:
    answer: Answer = {
        "n": _whole(cells.get("N", group, code)),
        "events": _whole(cells.get("events", group, code)),
        "median": cells.get("median", group, code, "median"),
        "low": cells.get("conf.low", group, code, "median"),
        "high": cells.get("conf.high", group, code, "median"),
        "unit": "months",
    }
    for month in LANDMARKS:
        answer[f"month_{month}"] = {
            "estimate": cells.get("p", group, code, str(month)),
            "low": cells.get("conf.low", group, code, str(month)),
            "high": cells.get("conf.high", group, code, str(month)),
            "n_at_risk": _whole(cells.get("n.risk", group, code, str(month))),
        }
    return answer


def _exposure(ard: pl.DataFrame, study: Study) -> Answer:
    """CLLS52 over all levels: Cmax, AUC from Day 0 to Day 56 (the registered time frame) and to Day 28."""
    own = ard.filter(pl.col("group2_level") == study.pharmacokinetics.analyte)
    cells = Cells(own.with_columns(group2_level=pl.lit(None, pl.String)), "parameters")
    names = {
        "cmax": "CMAX",
        "auc": "AUC0_56",
        "auc0_28": "AUC0_28",
        "aucinf": "AUCIFO",
        "half_life": "LAMZHL",
    }
    return {key: _parameter(cells, code) for key, code in names.items()}


def _parameter(cells: Cells, code: str) -> Answer:
    names = {"geometric_mean": "geo_mean", "cv": "geo_cv", "median": "median", "min": "min", "max": "max"}
    return {
        "parameter": code,
        "n": _whole(cells.get("n", TOTAL, code)),
        **{key: cells.get(stat, TOTAL, code) for key, stat in names.items()},
        "unit": cells.unit("n", TOTAL, code),
    }


def _events(ard: pl.DataFrame) -> Answer:
    """Patients with events from the first lymphodepletion dose on, and from the infusion on."""
    names = {
        "n_patients_any": "any",
        "n_patients_grade3": "grade3",
        "n_patients_serious": "serious",
        "n_patients_fatal": "fatal",
        "related_ucart22": "related_ucart22",
        "related_lymphodepletion": "related_lymphodepletion",
        "related_clls52": "related_clls52",
    }

    def counts(view: str) -> Answer:
        cells = Cells(ard, f"ae_overview_{view}")
        found = {
            key: _whole(cells.get("n", TOTAL, event_set, SETS[event_set].label))
            for key, event_set in names.items()
        }
        return {"n_patients": _whole(cells.get("N", TOTAL, "any", SETS["any"].label))} | found

    return counts("ld") | {"from_infusion": counts("inf")}
