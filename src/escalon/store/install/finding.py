"""What a check of an installation finds."""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["pass", "fail", "not applicable"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table: ``area`` and ``what`` was looked at, the outcome, and what was found or is to be done."""

    area: str
    what: str
    outcome: Outcome
    detail: str


def judged(area: str, what: str, good: bool, detail: str, remedy: str = "") -> Finding:
    """Return a pass with ``detail``, or a fail with ``detail`` and the remedy."""
    return Finding(
        area, what, "pass" if good else "fail", detail if good or not remedy else f"{detail}; {remedy}"
    )
