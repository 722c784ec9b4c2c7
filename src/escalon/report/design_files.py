"""Files of the design report: CSV and JSON texts, and writing them so that a file is there complete or not at all."""

import csv
import io
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from escalon import __version__
from escalon.design import OperatingCharacteristics
from escalon.report.design_content import DesignContent, prob_right, right_answer
from escalon.report.design_paths import list_paths

QUANTITIES = [
    "prob_none",
    "prob_right",
    "mean_total_n",
    "mean_total_dlt",
    "mean_n_overdose",
    "prob_early_stop",
    "prob_overdose_60",
    "prob_overdose_80",
    "prob_select_correct",
    "prob_select_overdose",
]
"""One value per plan and scenario; in ``characteristics.csv`` their level is empty."""
PER_LEVEL = ("prob_tox", "prob_select", "mean_n", "mean_dlt")


def rounded(value: float) -> float:
    """To 12 significant digits: what lies behind them depends on the order in which a machine adds."""
    return float(f"{float(value):.12g}")


def render_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """CSV text with Unix line ends; None as nothing."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def render_characteristics_csv(content: DesignContent) -> str:
    """One line per number: plan, scenario, quantity, level (or number of patients), value, standard error, method."""
    header = ("plan", "scenario", "quantity", "level", "patients", "value", "standard_error", "method")
    found = list(content.comparison) or []
    if found:
        sources = [(row.plan, row.scenario, row.characteristics) for row in found]
    else:
        sources = [("this plan", key, value) for key, value in content.characteristics.items()]
    rows = (
        line for plan, scenario, value in sources for line in _lines(plan, scenario, value, content.labels)
    )
    return render_csv(header, rows)


def _lines(
    plan: str, scenario: str, found: OperatingCharacteristics, labels: Sequence[str]
) -> Iterator[Sequence[Any]]:
    errors = found.standard_error
    for name in PER_LEVEL:
        spread = errors.get(name)
        for index, label in enumerate(labels):
            value = rounded(getattr(found, name)[index])
            error = None if spread is None else rounded(spread[index])
            yield plan, scenario, name, label, None, value, error, found.method
    for name in QUANTITIES:
        value = rounded(prob_right(found) if name == "prob_right" else getattr(found, name))
        error = errors.get(name)
        yield plan, scenario, name, None, None, value, None if error is None else rounded(error), found.method
    for n, p in sorted(found.n_distribution.items()):
        yield plan, scenario, "n_distribution", None, n, rounded(p), None, found.method


def render_paths_csv(content: DesignContent) -> str:
    """One line per node of the tree; `outcomes` is what ``escalon next --outcomes`` takes."""
    header = ("outcomes", "cohort", "level", "patients", "dlts", "action", "next_level", "mtd", "probability")
    rows = (
        (
            outcomes,
            depth,
            node.level,
            node.size,
            node.dlts,
            node.action,
            node.next_level,
            node.mtd,
            node.probability,
        )
        for outcomes, depth, node in list_paths(content.paths or ())
    )
    return render_csv(header, rows)


def design_answer(content: DesignContent) -> dict[str, Any]:
    """Everything the report rests on, in plain values."""
    study, plan = content.folder.study, content.plan
    moving = content.moving
    return {
        "study": study.identity.study_id,
        "study_hash": content.folder.hash,
        "plan": plan.model_dump(mode="json"),
        "plan_hash": plan.hash,
        "software": f"escalon {__version__}",
        "levels": content.labels,
        "default_scenario": content.folder.scenarios.default,
        "table": content.table,
        "paths": None if content.paths is None else [node.to_dict() for node in content.paths],
        "characteristics": {key: _characteristics(found) for key, found in content.characteristics.items()},
        "moving_dose": None
        if moving is None
        else {
            "positions": moving.positions,
            "log_odds_step": moving.step,
            "characteristics": [_characteristics(found) for found in moving.results],
            "log_odds_steps": moving.steps,
            "prob_right": moving.surface,
        },
        "comparison": [
            {"plan": row.plan, "scenario": row.scenario, **_characteristics(row.characteristics)}
            for row in content.comparison
        ],
        "rivals": {name: rival.model_dump(mode="json") for name, rival in content.rivals.items()},
        "joint": None
        if content.joint is None
        else {key: found.to_dict() for key, found in content.joint.items()},
        "absent": dict(content.absent),
    }


def _characteristics(found: OperatingCharacteristics) -> dict[str, Any]:
    return {**found.to_dict(), "right_answer": right_answer(found), "prob_right": prob_right(found)}


def render_json(answer: Mapping[str, Any]) -> str:
    """JSON text, keys sorted, the same for the same content."""
    return json.dumps(_plain(answer), indent=2, sort_keys=True, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """Arrays and tuples as lists, keys as text, numbers `rounded`."""
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(part) for part in value]
    if isinstance(value, (float, np.floating)):
        return rounded(value)
    return value.item() if isinstance(value, np.generic) else value


def write_files(out: Path, texts: Mapping[str, str]) -> None:
    """Write each text to its name in `out`; every file replaces its predecessor only when all are complete."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".writing-") as scratch:
        for name, text in texts.items():
            (Path(scratch) / name).write_text(text, encoding="utf-8", newline="\n")
        for name in texts:
            (Path(scratch) / name).replace(out / name)
