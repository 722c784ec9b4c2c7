"""Choices of a person as data: samples of the terminal slope, and samples taken out, each with its reason.

One row per sample, so that a table or a CSV file holds them: the profile, TIME of the sample, USE ("slope": it is one
of the samples of the terminal slope; "exclude": it is taken out), REASON, and where known USER and DECIDEDAT. They are
replayed on every run and never overwritten; the reason stands in the notes of the result.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from escalon.analysis.groups import check_columns
from escalon.analysis.pk.profile import Exclusion, SlopeChoice

__all__ = ["USES", "read_choices"]

USES = ("slope", "exclude")


def read_choices(choices: pl.DataFrame, keys: Sequence[str]) -> dict[tuple[str, ...], dict[str, Any]]:
    """Options ``slope`` and ``exclude`` of ``nca`` by profile, the values of ``keys`` as text.

    Raises ValueError, naming the row, for a use that does not exist, no reason, a time that is none, and for a slope
    with two reasons.
    """
    check_columns("choices", choices, [*keys, "TIME", "USE", "REASON"])
    slopes: dict[tuple[str, ...], list[Exclusion]] = {}
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for profile, use, sample in _rows(choices, keys):
        if use == "slope":
            slopes.setdefault(profile, []).append(sample)
        else:
            own = found.setdefault(profile, {})
            own["exclude"] = (*own.get("exclude", ()), sample)
    for profile, samples in slopes.items():
        if len({(s.reason, s.user, s.decided_at) for s in samples}) > 1:
            raise ValueError(
                f"choices: the slope of {' '.join(profile)} has two reasons or users: one choice is one"
            )
        times = tuple(s.time for s in samples)
        choice = SlopeChoice(times, samples[0].reason, samples[0].user, samples[0].decided_at)
        found.setdefault(profile, {})["slope"] = choice
    return found


def _rows(choices: pl.DataFrame, keys: Sequence[str]) -> Iterator[tuple[tuple[str, ...], str, Exclusion]]:
    for place, row in enumerate(choices.iter_rows(named=True), start=1):
        if row["USE"] not in USES:
            raise ValueError(
                f"choices, row {place}: USE is {row['USE']!r}, one of {', '.join(USES)} is expected"
            )
        if not _text(row, "REASON"):
            raise ValueError(f"choices, row {place}: no REASON; every choice of a person states why")
        try:
            time = float(row["TIME"])
        except (TypeError, ValueError):
            raise ValueError(f"choices, row {place}: TIME is {row['TIME']!r}, a number is expected") from None
        sample = Exclusion(time, _text(row, "REASON"), _text(row, "USER"), _text(row, "DECIDEDAT"))
        yield tuple(str(row[key]).strip() for key in keys), row["USE"], sample


def _text(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    return "" if value is None else str(value).strip()
