"""How every answer came in, beside what was agreed about its item (DC-3): rows for CSV, a table for people."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from escalon.conduct.canonical import utc_text
from escalon.conduct.capture.origins import answer_sources
from escalon.conduct.state import State
from escalon.protocol import StudyFolder

Row = dict[str, Any]


def source_rows(state: State, folder: StudyFolder) -> list[Row]:
    """Return one row for every answer that stands now; the values themselves are not among them."""
    return [
        {
            **asdict(one),
            "at": utc_text(one.at),
            "import_number": "" if one.import_number is None else one.import_number,
            "agrees": "Y" if one.agrees else "N",
        }
        for one in answer_sources(state, folder)
    ]


def source_counts(rows: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Return for each item how many answers came by hand and by import, and how many otherwise than agreed."""
    counts: dict[tuple[str, str], Row] = {}
    for row in rows:
        name = ".".join(part for part in (row["form"], row["group"], row["item"]) if part)
        blank = {
            "item": name, "owner": row["owner"], "agreed": row["declared"], "answers": 0, "by_hand": 0, "imported": 0,
            "otherwise": 0,
        }  # fmt: skip
        count = counts.setdefault((name, row["declared"]), blank)
        count["answers"] += 1
        count["imported" if row["came"] == "import" else "by_hand"] += 1
        count["otherwise"] += row["agrees"] == "N"
    return [*counts.values()]


def render_sources(rows: list[Row]) -> str:
    """Return the counts as a table, and the first answers that came in otherwise than agreed."""
    counts = source_counts(rows)
    lines = [
        f"{'item':<18} {'owner':<8} {'agreed':<12} {'answers':>8} {'by hand':>8} {'imported':>9} {'otherwise':>10}"
    ]
    lines += [
        f"{one['item']:<18} {one['owner']:<8} {one['agreed']:<12} {one['answers']:>8} {one['by_hand']:>8}"
        f" {one['imported']:>9} {one['otherwise'] or '-':>10}"
        for one in counts
    ]
    wrong = [row for row in rows if row["agrees"] == "N"]
    lines.append(f"{len(rows)} answers, {len(wrong)} came in otherwise than agreed")
    lines += [
        f"  {row['patient']} {row['record']} {row['item']}: agreed {row['declared']}, came by {row['came']}"
        f" from {row['by']} on {row['at'][:10]}"
        for row in wrong[:SHOWN]
    ]
    if len(wrong) > SHOWN:
        lines.append(f"  and {len(wrong) - SHOWN} more; --csv lists all")
    return "\n".join(lines) + "\n"


SHOWN = 10
