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
    for start, length in ((starts[0], lengths[0]), (starts[-1], lengths[-1])):
        end = start + tau
        # A trough just before the next administration belongs to the interval but cannot show its peak.
        if not any(start + length <= hour < end - TROUGH_HOURS for hour in measured):
            return (
                f"no sample between the infusion at {start:.1f} h and its trough, {tau:.1f} h after its start"
            )
    for start in starts[1:]:
        if not any(0.0 <= start - hour <= TROUGH_HOURS for hour in measured):
            return f"no sample within {TROUGH_HOURS:g} h before the dose at {start:.1f} h"
    end = starts[-1] + tau
    if not any(hour >= end for hour in measured):
        return f"no sample from {end:.1f} h on: the last dosing interval is not covered"
    return None
