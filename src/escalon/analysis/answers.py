"""One function per question of the command line: a frame read from a file in, plain values out, ready for JSON.

The frames may hold text, as a CSV file does; what a column may hold is said once, here.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from escalon.analysis.groups import check_columns
from escalon.analysis.pk import PkUnits, nca, read_choices
from escalon.analysis.survival import Curve, follow_up, kaplan_meier, log_rank, restricted_mean

__all__ = ["BLQ_WORDS", "km_answer", "nca_answer"]

_TRUE, _FALSE = ("1", "1.0", "true"), ("0", "0.0", "false")
BLQ_WORDS = ("BLQ", "<BLQ", "BQL", "BLOQ", "<LLOQ", "LLOQ", "ND")
"""Words in a concentration column that mean below quantification, besides "<" and a number."""


def km_answer(
    frame: pl.DataFrame,
    time: str,
    event: str,
    group: str | None = None,
    at: Sequence[float] = (),
    conf_type: str = "log-log",
    conf_level: float = 0.95,
    quantile_rule: str = "sas",
    cnsr: bool = False,
    horizon: float | None = None,
) -> dict[str, Any]:
    """Kaplan-Meier of each group, with the log-rank test of two or more.

    ``event`` holds true/false or 1/0 (1 = event); with ``cnsr`` it is an ADaM CNSR column (0 = event, 1, 2, ...
    censored). Returns conf_type, conf_level, quantile_rule, groups [{group, n, events, median, quartiles,
    follow_up, at, restricted_mean, curve}] and log_rank (None for one group); estimates are {value, low, high,
    reason}, None = not estimable. Raises ValueError that names column and row.
    """
    _check_file(frame, [time, event, *([group] if group else [])])
    t, e = _numbers(frame, time), _events(frame, event, cnsr)
    labels = ["all"] * len(t) if group is None else [_label(frame, group, i) for i in range(len(t))]
    parts = []
    for label in sorted(set(labels)):
        inside = np.array([x == label for x in labels], dtype=bool)
        own = (np.array(t)[inside], e[inside])
        km = kaplan_meier(*own, conf_type, conf_level, quantile_rule)
        answer = {"group": label} | _curve_answer(km, at)
        answer["follow_up"] = follow_up(*own, conf_type, conf_level, quantile_rule).median.as_dict()
        answer["restricted_mean"] = None if horizon is None else restricted_mean(km, horizon).as_dict()
        parts.append(answer)
    rules = {"conf_type": conf_type, "conf_level": conf_level, "quantile_rule": quantile_rule}
    return rules | {"groups": parts, "log_rank": _log_rank_answer(t, e, labels)}


def _curve_answer(km: Curve, at: Sequence[float]) -> dict[str, Any]:
    landmarks = []
    if len(at):
        found = km.at(at)
        for when, estimate, n in zip(found.times, found.estimates(), found.n_at_risk, strict=True):
            landmarks.append(
                {"time": float(when), **estimate.as_dict(), "std_err": estimate.std_err, "n_at_risk": int(n)}
            )
    columns = {
        "time": km.time, "survival": km.survival, "low": km.low, "high": km.high, "n_at_risk": km.n_risk,
        "n_event": km.n_event, "n_censor": km.n_censor,
    }  # fmt: skip
    return {
        "n": km.n,
        "events": km.n_events,
        "median": km.median.as_dict(),
        "quartiles": [km.quantile(0.25).as_dict(), km.quantile(0.75).as_dict()],
        "at": landmarks,
        "curve": {name: [_plain(x) for x in values.tolist()] for name, values in columns.items()},
    }


def _log_rank_answer(t: list[float], e: Any, labels: list[str]) -> dict[str, Any] | None:
    if len(set(labels)) < 2:
        return None
    test = log_rank(t, e, labels)
    return {"chi2": test.chi2, "df": test.df, "p_value": test.p_value, "reason": test.reason}


def nca_answer(
    frame: pl.DataFrame,
    time: str,
    conc: str,
    conc_unit: str,
    subject: str | None = None,
    time_unit: str = "h",
    dose_unit: str | None = "mg",
    choices: pl.DataFrame | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Non-compartmental parameters of each subject.

    ``conc`` holds numbers, "<0.05" or a word of ``BLQ_WORDS`` for below quantification, or nothing for not
    measured; rows in time order within a subject. ``choices`` are those of ``pk.read_choices``, with the column
    ``subject`` where there is one. ``options`` go to ``nca``. Returns method and subjects [{subject,
    parameters [{code, name, value, unit, reason, flag, start, end}], n_blq, n_missing, notes}]. Raises ValueError
    that names column and row, or the subject.
    """
    _check_file(frame, [time, conc, *([subject] if subject else [])])
    units = PkUnits(time_unit, conc_unit, dose_unit)
    t, c = _numbers(frame, time), [_concentration(x, conc, i) for i, x in enumerate(frame[conc].to_list())]
    labels = ["all"] * len(t) if subject is None else [_label(frame, subject, i) for i in range(len(t))]
    chosen = {} if choices is None else read_choices(choices, [subject] if subject else [])
    answers, method = [], ""
    for label in dict.fromkeys(labels):
        rows = [i for i, x in enumerate(labels) if x == label]
        try:
            own = options | chosen.pop((label,) if subject else (), {})
            result = nca([t[i] for i in rows], [c[i] for i in rows], units=units, **own)
        except ValueError as error:
            raise ValueError(f"{subject or 'the profile'} {label}: {error}") from None
        method = result.declared.describe()
        parameters = [
            {
                "code": row["PPTESTCD"],
                "name": row["PPTEST"],
                "value": row["PPSTRESN"],
                "unit": row["PPSTRESU"],
                "reason": row["PPREASND"],
                "flag": row["PPFLAG"],
                "start": row["START"],
                "end": row["END"],
            }
            for row in result.rows()
        ]
        counts = {"n_blq": result.n_blq, "n_missing": result.n_missing, "notes": list(result.notes)}
        answers.append({"subject": label, "parameters": parameters, **counts})
    if chosen:
        raise ValueError(f"choices name {' '.join(next(iter(chosen)))}, who is not in the file")
    return {"method": method, "subjects": answers}


def _check_file(frame: pl.DataFrame, columns: Sequence[str]) -> None:
    check_columns("the file", frame, columns)
    if not frame.height:
        raise ValueError("the file has a header and no rows: one row per patient or sample is expected")


def _plain(x: float) -> float | None:
    return None if isinstance(x, float) and math.isnan(x) else x


def _label(frame: pl.DataFrame, column: str, row: int) -> str:
    value = frame[column][row]
    if value is None or not str(value).strip():
        raise ValueError(f"{column}, row {row + 1}: no value; every row belongs to one {column}")
    return str(value).strip()


def _numbers(frame: pl.DataFrame, column: str) -> list[float]:
    """Numbers, none missing."""
    out = []
    for i, value in enumerate(frame[column].to_list()):
        try:
            out.append(float(value))
        except (TypeError, ValueError):
            raise ValueError(f"{column}, row {i + 1}: {value!r} is not a number") from None
    return out


def _events(frame: pl.DataFrame, column: str, cnsr: bool) -> Any:
    """Booleans from true/false and 1/0, or from CNSR codes."""
    out = []
    for i, value in enumerate(frame[column].to_list()):
        text = str(value).strip().lower()
        if cnsr:
            if not text.removesuffix(".0").isdigit():
                raise ValueError(
                    f"{column}, row {i + 1}: {value!r} is not a CNSR code (0 = event, 1, 2, ... = censored)"
                )
            out.append(text.removesuffix(".0") == "0")
        elif text in _TRUE or text in _FALSE:
            out.append(text in _TRUE)
        else:
            raise ValueError(f"{column}, row {i + 1}: {value!r} is not 1/0 or true/false (1 = event)")
    return np.array(out, dtype=bool)


def _concentration(value: Any, column: str, row: int) -> float | None:
    """A number, 0 for below quantification, None for not measured."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    text = str(value).strip()
    if text.upper() in BLQ_WORDS:
        return 0.0
    try:
        if text.startswith("<"):
            float(text[1:])
            return 0.0
        return float(text)
    except ValueError:
        raise ValueError(
            f"{column}, row {row + 1}: {value!r} is not a concentration (a number, '<0.05', 'BLQ')"
        ) from None
