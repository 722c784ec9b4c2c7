"""Partial areas and time above a threshold; what happens after Tlast is declared, not assumed.

Tail rules after the last quantifiable sample: ``last``: nothing; ``all``: the line to the samples below
quantification that follow (0 or what the rule put there), then nothing; ``inf-obs``: Clast exp(-lz (t -
Tlast)); ``inf-pred``: the same from the regression at Tlast. Inside the data the ends are interpolated on
the line the area method draws. Before the first dose the concentration is 0.
"""

import math
from bisect import bisect_right

from escalon.analysis.pk.areas import compute_time_above, interpolate, segment_areas, uses_log
from escalon.analysis.pk.profile import Profile

__all__ = ["compute_concentration", "compute_partial_area", "compute_profile_time_above"]


def compute_partial_area(profile: Profile, start: float, end: float) -> float | str:
    """AUC from ``start`` to ``end`` (same clock as the samples); the reason where it cannot be had."""
    if not start < end:
        raise ValueError(f"partial interval ({start:g}, {end:g}): the start lies before the end")
    for cut in (start, end):
        unknown = _dose_in_gap(profile, cut)
        if unknown is not None:
            return unknown
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


def _dose_in_gap(profile: Profile, t: float) -> str | None:
    """Why the concentration at t is not known: a dose lies between the samples around it."""
    time = profile.time
    i = bisect_right(time, t) - 1
    if i < 0 or i + 1 >= len(time) or time[i] == t:
        return None
    dose = next((d for d in profile.declared.dose_times if time[i] < d < time[i + 1]), None)
    if dose is None:
        return None
    return (
        f"a dose at {dose:g} lies between the samples at {time[i]:g} and {time[i + 1]:g}: no value at {t:g}"
    )


def compute_concentration(profile: Profile, t: float) -> float | str:
    """Concentration at t on the line the area method draws; past Tlast as the tail rule says."""
    declared = profile.declared
    if t < profile.start:
        return 0.0
    if t > profile.tlast:
        if declared.tail == "last":
            return f"{t:g} lies after the last quantifiable sample at {profile.tlast:g}"
        if declared.tail.startswith("inf"):
            if profile.slope is None:
                return f"no terminal slope: {profile.slope_reason}"
            c = profile.clast if declared.tail == "inf-obs" else profile.slope.predict(profile.tlast)
            return c * math.exp(-profile.slope.lambda_z * (t - profile.tlast))
        if t > profile.time[-1]:
            return f"{t:g} lies after the last sample at {profile.time[-1]:g}"
    unknown = _dose_in_gap(profile, t)
    if unknown is not None:
        return unknown
    i = max(bisect_right(profile.time, t) - 1, 0)
    if profile.time[i] == t:
        return profile.conc[i]
    t1, t2, c1, c2 = profile.time[i], profile.time[i + 1], profile.conc[i], profile.conc[i + 1]
    return interpolate(t, t1, c1, t2, c2, uses_log(declared.method, t1, c1, c2, profile.tmax))


def _clipped_area(profile: Profile, start: float, end: float, first: int, stop: int) -> float:
    """Area of the points [first, stop) cut to [start, end]."""
    start, end = max(start, profile.time[first]), min(end, profile.time[stop - 1])
    return _area_to(profile, end) - _area_to(profile, start) if start < end else 0.0


def _area_to(profile: Profile, t: float) -> float:
    """Area from the first point to t; a cut segment keeps the line of the whole one."""
    i = bisect_right(profile.time, t) - 1
    t1, c1 = profile.time[i], profile.conc[i]
    if t == t1:
        return profile.areas[i]
    t2, c2 = profile.time[i + 1], profile.conc[i + 1]
    log = uses_log(profile.declared.method, t1, c1, c2, profile.tmax)
    c = interpolate(t, t1, c1, t2, c2, log)
    return profile.areas[i] + segment_areas(t1, c1, t, c, log and c != c1)[0]


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
