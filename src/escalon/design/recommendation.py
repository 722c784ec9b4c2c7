"""What a plan answers when it is asked for the next dose."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Action = Literal["escalate", "stay", "de_escalate", "stop"]


@dataclass(frozen=True)
class LevelEstimate:
    """What is known of one dose level.

    `level` is 1-based; `n` evaluable patients, `y` with a DLT; `rate` = y/n (None when n = 0);
    `estimate` is the rule's own estimate of the DLT probability with its equal-tailed interval
    (`lower`, `upper`) at probability `coverage`; `prob_above_target` is the posterior probability
    that the DLT probability exceeds the target. Fractions 0-1; None where the rule gives no value.
    """

    level: int
    n: int
    y: int
    rate: float | None
    estimate: float | None
    lower: float | None
    upper: float | None
    prob_above_target: float | None
    coverage: float = 0.95


@dataclass(frozen=True)
class PendingPatient:
    """A treated patient whose DLT window is still open: 1-based `level`, share of the window seen (0-1)."""

    level: int
    followup: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.followup < 1:
            raise ValueError(
                f"pending: followup must lie in [0, 1), the share of the DLT window; got {self.followup}"
            )


@dataclass(frozen=True)
class Recommendation:
    """The rule's answer, with its reasons; the committee's decision is a fact of its own.

    `action` is what to do relative to the current level, `level` the 1-based level of the next
    patients (None when stopped), `reasons` sentences with the numbers used, `admissible` the levels
    open to the next patients, `estimates` one entry per level, `mtd` the maximum tolerated dose when
    the escalation ends (None otherwise, and None when no level is acceptable), `suspend` True when
    enrolment should pause until pending patients can be judged, `inputs` the counts and the hash of
    the plan that was asked.
    """

    action: Action
    level: int | None
    reasons: tuple[str, ...]
    admissible: tuple[int, ...]
    estimates: tuple[LevelEstimate, ...] = ()
    mtd: int | None = None
    suspend: bool = False
    inputs: Mapping[str, Any] = field(default_factory=dict)
