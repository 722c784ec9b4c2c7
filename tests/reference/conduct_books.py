"""What the oracle of conduct knows of the study, and its own books."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any


@dataclass
class Rules:
    """What the study says: days of observation, hours of a reservation, strata in use by date."""

    after_first_days: int
    after_next_days: int
    reservation_hours: float
    regimens: list[tuple[date, str]]
    processes: list[tuple[date, str]]
    across: str
    first_days: dict[str, int]
    cells: str = "UCART22"
    doses: dict[int, float] = field(default_factory=dict)
    window_days: int = 28
    again: "Again | None" = None


@dataclass
class Again:
    """What the study says about further infusions; ``window_days`` is that of a further one."""

    most: int
    days_between: int
    window_days: int
    count_dlts: bool
    opens_stagger: bool


@dataclass
class Books:
    """The oracle's own books."""

    slots: dict[int, dict[str, Any]] = field(default_factory=dict)
    cohorts: dict[int, dict[str, Any]] = field(default_factory=dict)
    patients: dict[str, dict[str, Any]] = field(default_factory=dict)
    holds: dict[int, dict[str, Any]] = field(default_factory=dict)
    clearances: dict[int, dict[str, Any]] = field(default_factory=dict)
    acknowledged: dict[tuple[int, str], datetime] = field(default_factory=dict)
    approved: set[str] = field(default_factory=set)
    sentinels: dict[int, datetime] = field(default_factory=dict)
    overrides: dict[str, datetime] = field(default_factory=dict)
    replaced: list[str] = field(default_factory=list)
    eligible: set[str] = field(default_factory=set)
    decision: int = 0
    decided: list[tuple[datetime, int]] = field(default_factory=list)
    owed: set[str] = field(default_factory=set)
    changed: set[tuple[int, str]] = field(default_factory=set)
    further: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    owed_close: set[tuple[str, int]] = field(default_factory=set)
    reopened: set[str] = field(default_factory=set)
    signed: set[tuple[str, str]] = field(default_factory=set)
    planned: float | None = None
    permitted: tuple[str, datetime | None] | None = None
