"""The table of decisions that goes into the protocol."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from escalon.design.rules.base import STOP_FINISHED, STOP_UNSAFE, States

if TYPE_CHECKING:
    from escalon.design.plan import EscalationPlan

LEGEND = {
    "E": "escalate to the next level",
    "S": "stay at the current level",
    "D": "de-escalate to the level below",
    "DU": "de-escalate; the level and all above are never used again",
    "STOP": "stop the escalation",
}


@dataclass(frozen=True)
class DecisionTable:
    """Decisions for y DLTs among n patients at the current level.

    `decisions[n]` is a tuple over y = 0..n of E, S, D, DU (see `LEGEND`), or STOP where the rule ends there.
    They hold at a middle level: at the lowest level D becomes stay and DU stop, at the top E becomes stay.
    """

    kind: str
    target: float
    decisions: dict[int, tuple[str, ...]]
    parameters: dict[str, Any]

    def boundaries(self) -> list[dict[str, int | None]]:
        """One row per n: escalate if y <= , de-escalate if y >= , eliminate if y >= (None: never)."""
        rows: list[dict[str, int | None]] = []
        for n, letters in self.decisions.items():
            up = [y for y, letter in enumerate(letters) if letter == "E"]
            down = [y for y, letter in enumerate(letters) if letter in ("D", "DU", "STOP")]
            out = [y for y, letter in enumerate(letters) if letter == "DU"]
            rows.append(
                {
                    "n": n,
                    "escalate_le": max(up, default=None),
                    "deescalate_ge": min(down, default=None),
                    "eliminate_ge": min(out, default=None),
                }
            )
        return rows


def decision_table(plan: "EscalationPlan", max_n: int | None = None) -> DecisionTable:
    """Decisions for every n up to `max_n` (default: the plan's sample size) and every y.

    Raises ValueError for rules whose decision needs more than the counts at the current level.

    >>> from escalon.design import EscalationPlan
    >>> plan = EscalationPlan.model_validate(
    ...     {"rule": {"kind": "mtpi", "target": 0.3}, "levels": 4, "cohort_size": 3, "max_patients": 24})
    >>> decision_table(plan).decisions[3]
    ('E', 'S', 'D', 'DU')
    """
    from escalon.design.rules.tables import TableRule
    from escalon.design.rules.three_plus_three import ThreePlusThree

    rule = plan.rule
    if isinstance(rule, TableRule):
        top = max_n if max_n is not None else plan.max_n
        decisions = {n: tuple(rule.letter(n, y) for y in range(n + 1)) for n in range(1, top + 1)}
    elif isinstance(rule, ThreePlusThree):
        decisions = {n: tuple(_middle(plan, n, y) for y in range(n + 1)) for n in range(1, 7)}
    else:
        raise ValueError(
            f"table: rule {rule.kind} decides from all levels together; use the dose-transition paths instead"
        )
    return DecisionTable(rule.kind, rule.target_rate, decisions, rule.summary())


def _middle(plan: "EscalationPlan", n: int, y: int) -> str:
    """Decision at the middle one of three levels, the lower one holding 0 of 3, the upper untried."""
    states = States(np.array([[3, n, 0]]), np.array([[0, y, 0]]), np.array([1]))
    level = int(plan.rule.propose(states, 6).level[0])
    if level in (STOP_UNSAFE, STOP_FINISHED):
        return "STOP"
    return {2: "E", 1: "S", 0: "DU"}[level]
