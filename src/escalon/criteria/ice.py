"""The ICE score from its stored items, 10 points in all.

A missing item leaves the score unknown. Source: Lee et al., Biol Blood Marrow Transplant 2019;25:625, doi
10.1016/j.bbmt.2018.12.758.
"""

from dataclasses import dataclass

from escalon.criteria.result import check_whole
from escalon.criteria.tables import load_table


@dataclass(frozen=True, slots=True)
class IceScore:
    """Score 0 to 10, or None with the missing items."""

    score: int | None
    clause: str
    reasons: tuple[str, ...]

    @property
    def grade(self) -> int | None:
        """The score, under the name every result object carries; it is no grade of ICANS."""
        return self.score


def score_ice(
    *,
    orientation: int | None,
    naming: int | None,
    command: int | None,
    writing: int | None,
    attention: int | None,
) -> IceScore:
    """Add up the items of the ICE assessment.

    Args:
        orientation: year, month, city, hospital: 0 to 4.
        naming: three objects: 0 to 3.
        command: a simple command: 0 or 1.
        writing: a sentence: 0 or 1.
        attention: from 100 back by tens: 0 or 1.

    Raises:
        ValueError: for points beyond those of an item.

    Example:
        >>> score_ice(orientation=4, naming=2, command=1, writing=0, attention=1).score
        8
    """
    items = {
        "orientation": orientation,
        "naming": naming,
        "command": command,
        "writing": writing,
        "attention": attention,
    }
    rows = load_table("astct.json")["icans"]["ice_items"]
    for name, points in items.items():
        check_whole(name, points, high=rows[name]["points"])
    missing = [name for name, points in items.items() if points is None]
    shown = tuple(
        f"{name} {points} of {rows[name]['points']}" for name, points in items.items() if points is not None
    )
    if missing:
        return IceScore(None, "not scored", (f"missing: {', '.join(missing)}", *shown))
    return IceScore(sum(int(points or 0) for points in items.values()), "sum of the five items", shown)
