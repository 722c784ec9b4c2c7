"""Event and censoring rules as data: what ends the observation, on which day, under which code.

The rules and the analyses stand in ``time_to_event.yaml``, for a clinician to read. One rule base serves all
analyses of an endpoint, primary and sensitivity. Kinds of records (column KIND of the input, one row each):

ORIGIN_TREATMENT first day of study treatment, ORIGIN_INFUSION first UCART22 infusion, RESPONSE first
response, BASELINE disease assessment before treatment, ASSESSMENT adequate disease assessment without
progression, INADEQUATE assessment done that could not be read (its visit is not missed), PROGRESSION, DEATH, HSCT,
NEW_THERAPY, SECOND_INFUSION, LAST_ALIVE.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

__all__ = [
    "DATES",
    "KINDS",
    "RULES",
    "STATES",
    "Analysis",
    "Rule",
    "VisitWindow",
    "choose_rules",
    "join_windows",
    "load_analyses",
]

KINDS = (
    "ORIGIN_TREATMENT", "ORIGIN_INFUSION", "RESPONSE", "BASELINE", "ASSESSMENT", "INADEQUATE", "PROGRESSION", "DEATH",
    "HSCT", "NEW_THERAPY", "SECOND_INFUSION", "LAST_ALIVE",
)  # fmt: skip

STATES = ("no baseline", "missed visits", "frame over", "never assessed", "otherwise")
DATES = ("own", "last adequate", "last alive", "start", "frame end")


@dataclass(frozen=True, slots=True)
class Rule:
    """One row. ``when`` is the kind of record or the state that triggers it, ``date`` the day that counts.

    ``cnsr`` 0 = event, a positive integer the reason for censoring; ``strategy`` is the ICH E9(R1) handling.
    Raises ValueError for a word the engine does not know, and for an event without a record of its own day.
    """

    rule_id: str
    when: str
    date: str
    cnsr: int
    evntdesc: str
    cnsdtdsc: str = ""
    strategy: str = ""

    def __post_init__(self) -> None:
        if self.when not in (*KINDS, *STATES):
            raise ValueError(
                f"rule {self.rule_id}: when {self.when!r} is not one of {', '.join((*KINDS, *STATES))}"
            )
        if self.date not in DATES:
            raise ValueError(f"rule {self.rule_id}: date {self.date!r} is not one of {', '.join(DATES)}")
        event = self.when in KINDS and self.date == "own" and not self.cnsdtdsc
        if self.cnsr < 0 or (self.cnsr == 0) != event:
            raise ValueError(
                f"rule {self.rule_id}: an event (cnsr 0) has a record and its own date, "
                "a censoring (1 or more) describes its date"
            )


@dataclass(frozen=True, slots=True)
class VisitWindow:
    """A scheduled disease assessment: first and last day of its window after the infusion, both inside."""

    name: str
    opens: int
    closes: int

    def __post_init__(self) -> None:
        if self.closes < self.opens:
            raise ValueError(f"visit {self.name}: the window closes on day {self.closes}, before it opens")


@dataclass(frozen=True, slots=True)
class Analysis:
    """A named analysis: from which record on, under which rules, within which time frame.

    ``origin`` is a kind of record; patients without it are not in the analysis. The last of ``rules`` holds
    "otherwise", and only that one: it is the single source of the censoring date when nothing happened, since
    of two the later would silently win. ``horizon_day`` is the last day of the time frame, in days after the
    infusion (after the first treatment for a patient never infused). ``missed`` visits in a row of ``visits``
    break the follow-up; windows that overlap are one visit there. ``plus_one`` counts the first day as day 1.
    """

    paramcd: str
    param: str
    origin: str
    rules: tuple[Rule, ...]
    horizon_day: int | None = None
    missed: int | None = None
    visits: tuple[VisitWindow, ...] = field(default=(), repr=False)
    plus_one: bool = False

    def __post_init__(self) -> None:
        if self.origin not in KINDS:
            raise ValueError(f"{self.paramcd}: origin {self.origin!r} is not one of {', '.join(KINDS)}")
        closing = [place for place, rule in enumerate(self.rules, 1) if rule.when == "otherwise"]
        if closing != [len(self.rules)]:
            raise ValueError(f"{self.paramcd}: exactly one rule holds otherwise, and it is the last")


def join_windows(visits: Sequence[VisitWindow]) -> tuple[VisitWindow, ...]:
    """Visits in order, those whose windows overlap joined: one assessment can serve only one of them.

    >>> join_windows([VisitWindow("D84", 77, 91), VisitWindow("M3", 84, 98), VisitWindow("D56", 49, 63)])[1]
    VisitWindow(name='D84/M3', opens=77, closes=98)
    """
    joined: list[VisitWindow] = []
    for visit in sorted(visits, key=lambda v: (v.opens, v.closes)):
        last = joined[-1] if joined else None
        if last is not None and visit.opens <= last.closes:
            joined[-1] = VisitWindow(f"{last.name}/{visit.name}", last.opens, max(last.closes, visit.closes))
        else:
            joined.append(visit)
    return tuple(joined)


@cache
def _table() -> dict[str, Any]:
    text = files("escalon.analysis.survival").joinpath("time_to_event.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


RULES: dict[str, Rule] = {name: Rule(name, **row) for name, row in _table()["rules"].items()}
"""The rule base by rule id."""


def choose_rules(*rule_ids: str) -> tuple[Rule, ...]:
    """Rules of the rule base in this order; ValueError names one that is not there."""
    unknown = [rule_id for rule_id in rule_ids if rule_id not in RULES]
    if unknown:
        raise ValueError(f"rule {unknown[0]!r} is not one of {', '.join(RULES)}")
    return tuple(RULES[rule_id] for rule_id in rule_ids)


def load_analyses(
    *,
    origin: str = "ORIGIN_TREATMENT",
    horizon_day: int | None = None,
    missed: int | None = None,
    visits: Sequence[VisitWindow] = (),
    switched_off: Collection[str] = (),
) -> tuple[Analysis, ...]:
    """The analyses of ``time_to_event.yaml`` with the settings of a study.

    ``origin`` is the kind of record at which PFS and OS start; ``switched_off`` names rules the study does not
    use. Raises ValueError for a rule or an origin that does not exist.

    >>> [a.paramcd for a in load_analyses(horizon_day=731)]
    ['DOR', 'DORS', 'DORC', 'PFS', 'PFSS', 'PFSI', 'OS', 'OSI']
    """
    choose_rules(*switched_off)
    return tuple(
        Analysis(
            row["paramcd"],
            row["param"],
            origin if row["origin"] == "study" else row["origin"],
            choose_rules(*(rule_id for rule_id in row["rules"] if rule_id not in switched_off)),
            horizon_day,
            missed,
            tuple(visits),
        )
        for row in _table()["analyses"]
    )
