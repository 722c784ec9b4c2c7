"""Supplemental qualifiers: what a form asks and the parent domain has no variable for."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from escalon.datasets.sdtm.subject import Row, frame, render_number

__all__ = ["supplement"]


def supplement(
    domain: str,
    rows: Iterable[Row],
    labels: Mapping[str, tuple[str, str]],
    evaluators: Sequence[str] = (),
    sponsor: Sequence[str] = (),
) -> pl.DataFrame:
    """Return SUPP-- of ``domain``: one record per qualifier of a parent record that has a value.

    Args:
        domain: parent domain.
        rows: parent rows, numbered; qualifiers stand under ``_`` + their name.
        labels: qualifier name to label and origin.
        evaluators: qualifiers that are the investigator's judgement.
        sponsor: qualifiers that are the sponsor's.
    """
    found: list[Row] = []
    for row in rows:
        key = "" if domain == "DM" else f"{domain}SEQ"
        for name, (label, origin) in labels.items():
            value = row.get(f"_{name}")
            if value is None:
                continue
            found.append(
                {
                    "STUDYID": row["STUDYID"],
                    "RDOMAIN": domain,
                    "USUBJID": row["USUBJID"],
                    "IDVAR": key,
                    "IDVARVAL": str(row[key]) if key else "",
                    "QNAM": name,
                    "QLABEL": label,
                    "QVAL": _text(value),
                    "QORIG": origin,
                    "QEVAL": "INVESTIGATOR" if name in evaluators else "SPONSOR" if name in sponsor else "",
                }
            )
    return frame(f"SUPP{domain}", found)


def _text(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return render_number(value) or ""
    return str(value)
