"""Values below quantification, by their position in the profile.

``before`` the first quantifiable sample, ``between`` quantifiable samples, ``after`` the last one.
``zero``: counts as 0; ``drop``: taken out; ``lloq/2`` and ``lloq``: that value; ``first-zero`` (only
after): the first one is 0, later ones are taken out. A missing concentration (no sample) is not below
quantification: it is taken out and counted. These values never enter lambda-z.
"""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["BlqRule", "CleanProfile", "apply_blq"]

_CHOICES = {
    "before": ("zero", "drop", "lloq/2"),
    "between": ("zero", "drop", "lloq/2", "lloq"),
    "after": ("zero", "first-zero", "drop", "lloq/2"),
}


@dataclass(frozen=True, slots=True)
class BlqRule:
    """What a value below quantification counts as, by position."""

    before: str = "zero"
    between: str = "drop"
    after: str = "zero"

    def __post_init__(self) -> None:
        for position, allowed in _CHOICES.items():
            choice = getattr(self, position)
            if choice not in allowed:
                raise ValueError(f"blq rule {position}={choice!r}: one of {', '.join(allowed)} is expected")

    @property
    def needs_lloq(self) -> bool:
        """Whether a choice puts a multiple of the limit in place of the value."""
        return any("lloq" in choice for choice in (self.before, self.between, self.after))


@dataclass(frozen=True, slots=True)
class CleanProfile:
    """Samples after the rule: times, values, and which are quantifiable; counts of what was put aside."""

    time: list[float]
    conc: list[float]
    quantifiable: list[bool]
    n_blq: int
    n_missing: int


def apply_blq(
    time: Sequence[float], conc: Sequence[float], blq: Sequence[bool], rule: BlqRule, lloq: float | None
) -> CleanProfile:
    """Apply ``rule``; ``conc`` may hold NaN (missing), ``blq`` marks values below quantification."""
    kept = [i for i in range(len(time)) if conc[i] == conc[i] or blq[i]]
    measured = [i for i in kept if not blq[i]]
    first, last = (measured[0], measured[-1]) if measured else (len(time), -1)
    out = CleanProfile([], [], [], sum(blq[i] for i in kept), len(time) - len(kept))
    substitute = {"zero": 0.0, "first-zero": 0.0, "lloq/2": (lloq or 0.0) / 2.0, "lloq": lloq or 0.0}
    seen_after = False
    for i in kept:
        if not blq[i]:
            out.time.append(time[i])
            out.conc.append(conc[i])
            out.quantifiable.append(True)
            continue
        choice = rule.before if i < first else rule.after if i > last else rule.between
        if choice == "drop" or (choice == "first-zero" and seen_after):
            continue
        seen_after = seen_after or i > last
        out.time.append(time[i])
        out.conc.append(substitute[choice])
        out.quantifiable.append(False)
    return out
