"""Accumulation of a drug over its administrations: AUC and peak of the last dosing interval over those of the first.

The interval is the time from the first administration to the second, and as long after the last. An interval without
a sample between the end of its infusion and its own end says nothing of the dose in it. A sample up to ``TROUGH_HOURS``
before an administration is its pre-dose sample and stands for the concentration at its start, in this ratio alone.
"""

from collections.abc import Sequence

from escalon.datasets.adam.profiles import Profile

__all__ = ["RATIOS", "TROUGH_HOURS", "first_interval", "lacking"]

RATIOS = ("ARAUC", "ARCMAX")
TROUGH_HOURS = 1.0


def first_interval(starts: Sequence[float]) -> float | None:
    """Length of the dosing interval in hours; None with one administration."""
    return starts[1] - starts[0] if len(starts) > 1 else None


def lacking(profile: Profile, starts: Sequence[float], lengths: Sequence[float]) -> str | None:
    """Why the samples do not carry an accumulation ratio; None when they do."""
    tau = first_interval(starts)
    if tau is None:
        return "one administration"
    measured = [h for h, value in zip(profile.hours, profile.values, strict=True) if value is not None]
    for place, name in ((0, "first"), (-1, "last")):
        start, end = starts[place] + lengths[place], starts[place] + tau
        # A trough just before the next administration belongs to the interval but cannot show its peak.
        if not any(start <= hour < end - TROUGH_HOURS for hour in measured):
            return f"no sample between the {name} infusion and its trough"
    for number, start in enumerate(starts[1:], start=2):
        if not any(0.0 <= start - hour <= TROUGH_HOURS for hour in measured):
            return f"no sample within {TROUGH_HOURS:g} h before administration {number}"
    if not any(hour >= starts[-1] + tau for hour in measured):
        return "no sample after the last dosing interval: it is not covered"
    return None
