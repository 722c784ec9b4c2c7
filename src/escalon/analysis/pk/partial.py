"""Partial areas and time above a threshold; what happens after Tlast is declared, not assumed.

Tail rules after the last quantifiable sample: ``last``: nothing; ``all``: the line to the samples below
quantification that follow (0 or what the rule put there), then nothing; ``inf-obs``: Clast exp(-lz (t -
Tlast)); ``inf-pred``: the same from the regression at Tlast. Inside the data the ends are interpolated on
the line the area method draws. Before the first dose the concentration is 0.
"""

import math

from escalon.analysis.pk.areas import compute_time_above, interpolate, segment_areas, uses_log
from escalon.analysis.pk.profile import Profile

__all__ = ["compute_partial_area", "compute_profile_time_above"]


def compute_partial_area(profile: Profile, start: float, end: float) -> float | str:
    """AUC from ``start`` to ``end`` (same clock as the samples); the reason where it cannot be had."""
    if not start < end:
        raise ValueError(f"partial interval ({start:g}, {end:g}): the start lies before the end")
    core = _clipped_area(profile, start, min(end, profile.tlast), 0, profile.n_core)
    if end <= profile.tlast or profile.declared.tail == "last":
        return core
    start = max(start, profile.tlast)
    if profile.declared.tail == "all":
        return core + _clipped_area(profile, start, end, profile.n_core - 1, len(profile.time))
    if profile.slope is None:
        return f"no terminal slope: {profile.slope_reason}"
    lz, tlast = profile.slope.lambda_z, profile.tlast
    c = profile.clast if profile.declared.tail == "inf-obs" else profile.slope.predict(tlast)
    return core + c * (math.exp(-lz * (start - tlast)) - math.exp(-lz * (end - tlast))) / lz


def _clipped_area(profile: Profile, start: float, end: float, first: int, stop: int) -> float:
    """Area of the points [first, stop) cut to [start, end]; a cut segment keeps the line of the whole one."""
    time, conc, method = profile.time, profile.conc, profile.declared.method
    total = 0.0
    for i in range(first, stop - 1):
        t1, t2, c1, c2 = time[i], time[i + 1], conc[i], conc[i + 1]
        a, b = max(t1, start), min(t2, end)
        if a >= b:
            continue
        log = uses_log(method, t1, c1, c2, profile.tmax)
        ca = c1 if a == t1 else interpolate(a, t1, c1, t2, c2, log)
        cb = c2 if b == t2 else interpolate(b, t1, c1, t2, c2, log)
        total += segment_areas(a, ca, b, cb, log and ca != cb)[0]
    return total


def compute_profile_time_above(profile: Profile, threshold: float) -> float | str:
    """Time above ``threshold`` from the first dose, past Tlast only as far as the tail rule says."""
    declared = profile.declared
    if not threshold > 0:
        raise ValueError(f"threshold is {threshold!r}: a concentration above 0 is expected")
    extrapolated = declared.tail.startswith("inf")
    if declared.lloq is not None and threshold < declared.lloq and not extrapolated:
        return f"the threshold {threshold:g} lies below the limit of quantification {declared.lloq:g}"
    n = len(profile.time) if declared.tail == "all" else profile.n_core
    above = compute_time_above(profile.time[:n], profile.conc[:n], threshold, declared.method, profile.tmax)
    if not extrapolated:
        return above
    if profile.slope is None:
        return f"no terminal slope: {profile.slope_reason}"
    c = profile.clast if declared.tail == "inf-obs" else profile.slope.predict(profile.tlast)
    return above + (math.log(c / threshold) / profile.slope.lambda_z if c > threshold else 0.0)
