"""Non-compartmental analysis of one profile.

Parameters carry CDISC codes; partial areas, concentrations, time above a threshold and accumulation answer what the
caller asks.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from numpy.typing import ArrayLike

from escalon.analysis.pk.areas import AUC_METHODS
from escalon.analysis.pk.blq import BlqRule
from escalon.analysis.pk.parameters import parameters_of
from escalon.analysis.pk.partial import (
    compute_concentration,
    compute_partial_area,
    compute_profile_time_above,
)
from escalon.analysis.pk.profile import (
    ROUTES,
    TAILS,
    Declaration,
    Exclusion,
    Profile,
    SlopeChoice,
    build_profile,
)
from escalon.analysis.pk.result import PkResult, PkValue
from escalon.analysis.pk.units import PkUnits

__all__ = ["AUC_METHODS", "ROUTES", "TAILS", "nca"]


def nca(
    time: ArrayLike | Sequence[float],
    conc: ArrayLike | Sequence[float | None],
    dose: float | Sequence[float] | None = None,
    route: str = "extravascular",
    duration: float | Sequence[float] | None = None,
    method: str = "lin-up log-down",
    lloq: float | None = None,
    partial: Sequence[tuple[float, float]] = (),
    tail: str = "last",
    dose_times: Sequence[float] = (0.0,),
    threshold: float | None = None,
    blq: BlqRule | None = None,
    units: PkUnits | None = None,
    predose: str = "error",
    missing_predose: str = "none",
    at: Sequence[float] = (),
    tau: float | None = None,
    slope: SlopeChoice | None = None,
    exclude: Sequence[Exclusion] = (),
) -> PkResult:
    """Analyse one profile.

    Parameters: ``time`` strictly ascending, one unit, on the clock of ``dose_times``; ``conc`` 0 or more, NaN or
    None = not measured, 0 or below ``lloq`` = below quantification; ``dose`` amount of each administration (one
    number for all, or one each; None: clearance and volume carry the reason); ``route`` infusion, bolus or
    extravascular; ``duration`` of each infusion, needed for infusion; ``method`` linear, lin-up log-down or
    linear-log; ``partial`` intervals of AUCINT; ``tail`` what counts after Tlast in partial areas and time above
    threshold: last, all, inf-obs or inf-pred; ``threshold`` gives TAT; ``blq`` the positional rule; ``predose``
    "error" or "carry" for samples before the dose; ``missing_predose`` "none" or "last" where a later dose has no
    sample at its start; ``at`` times of CONCT; ``tau`` dosing interval of ARAUC, ARCMAX and, after the last dose,
    of CAVG, CMIN and CTROUGH (its end); ``slope`` samples chosen by a person; ``exclude`` samples taken out by one.

    Returns PkResult. Raises ValueError for unsorted, repeated or early times, negative concentrations,
    unknown options.

    >>> conc = [0, 1.6, 1.2, 0.6, 0.2]
    >>> r = nca([0, 2, 8, 24, 48], conc, dose=20, route="infusion", duration=2, method="linear")
    >>> r.value("CMAX"), r.value("TMAX"), round(r.value("AUCLST"), 6)
    (1.6, 2.0, 34.0)
    """
    asked = _ask(partial, at, threshold, tau)
    declared = _declare(
        dose, route, duration, method, lloq, tail, dose_times, blq, predose, missing_predose, slope
    )
    samples = _floats("time", time), _floats("conc", conc)
    profile = build_profile(*samples, declared, exclude)
    if isinstance(profile, str):
        reasons = {p.code: profile for p in parameters_of(route)}
        extra = tuple(
            PkValue(code, None, profile, None, *span) for code, span, _ in _questions(asked, declared)
        )
        measured = sum(c == c for c in samples[1])
        return PkResult({}, reasons, extra, declared, units, measured, len(samples[1]) - measured)
    numbers, reasons = _compute(profile)
    extra = tuple(_answer(profile, code, span, find) for code, span, find in _questions(asked, declared))
    notes = tuple(profile.notes)
    return PkResult(
        numbers, reasons, extra, declared, units, profile.n_blq, profile.n_missing, notes, profile.excluded
    )


def _compute(profile: Profile) -> tuple[dict[str, float], dict[str, str]]:
    """Compute in order; a parameter that needs a missing one gets its reason."""
    numbers: dict[str, float] = {}
    reasons: dict[str, str] = {}
    for parameter in parameters_of(profile.declared.route):
        for needed in parameter.needs:
            if needed in reasons:
                reasons[parameter.code] = reasons[needed]
                break
        else:
            found = parameter.compute(profile, numbers)
            if isinstance(found, str):
                reasons[parameter.code] = found
            else:
                numbers[parameter.code] = found
    return numbers, reasons


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the caller wants beyond the parameters of the route."""

    partial: tuple[tuple[float, float], ...]
    at: tuple[float, ...]
    threshold: float | None
    tau: float | None


def _ask(
    partial: Sequence[tuple[float, float]], at: Sequence[float], threshold: float | None, tau: float | None
) -> _Asked:
    """Check what is asked before any sample is looked at: a wrong question is an error even without an answer."""
    try:
        intervals = tuple((float(a), float(b)) for a, b in partial)
        times = tuple(float(t) for t in at)
    except (TypeError, ValueError):
        raise ValueError("partial holds pairs of times (start, end), at holds times") from None
    for start, end in intervals:
        if not start < end:
            raise ValueError(f"partial interval ({start:g}, {end:g}): the start lies before the end")
    if not all(math.isfinite(t) for t in times):
        raise ValueError("at holds a time that is missing or infinite")
    for name, value in (("threshold", threshold), ("tau", tau)):
        if value is not None and not 0 < value < math.inf:
            raise ValueError(f"{name} is {value!r}: a finite number above 0 is expected")
    return _Asked(intervals, times, threshold, tau)


_Span = tuple[float | None, float | None]
_Question = tuple[str, _Span, Callable[[Profile], "float | str"]]


def _questions(asked: _Asked, declared: Declaration) -> list[_Question]:
    """Each extra value: its code, its interval, and how to find it."""
    questions: list[_Question] = [("AUCINT", (a, b), _area_over(a, b)) for a, b in asked.partial]
    questions += [("CONCT", (t, t), _value_at(t)) for t in asked.at]
    threshold, tau = asked.threshold, asked.tau
    if threshold is not None:
        questions.append(("TAT", (None, None), lambda p: compute_profile_time_above(p, threshold)))
    if tau is not None:
        first, last = declared.dose_times[0], declared.dose_times[-1]
        span = (last, last + tau)
        questions.append(("ARAUC", span, lambda p: _accumulation(p, first, last, tau, compute_partial_area)))
        questions.append(("ARCMAX", span, lambda p: _accumulation(p, first, last, tau, _peak_within)))
        questions.append(("CAVG", span, lambda p: _average(p, last, tau)))
        questions.append(("CMIN", span, lambda p: _least_within(p, last, last + tau)))
        questions.append(("CTROUGH", span, lambda p: compute_concentration(p, last + tau)))
    return questions


def _area_over(start: float, end: float) -> Callable[[Profile], "float | str"]:
    return lambda p: compute_partial_area(p, start, end)


def _value_at(t: float) -> Callable[[Profile], "float | str"]:
    return lambda p: compute_concentration(p, t)


def _answer(profile: Profile, code: str, span: _Span, find: Callable[[Profile], "float | str"]) -> PkValue:
    """A partial area that stops short of its end while still quantifiable says so."""
    found = find(profile)
    if isinstance(found, str):
        return PkValue(code, None, found, None, *span)
    end = span[1]
    short = (
        code == "AUCINT"
        and end is not None
        and profile.tlast < end
        and profile.declared.tail in ("last", "all")
    )
    open_end = short and profile.n_core == len(profile.time)
    flag = f"no sample after {profile.tlast:g}: the area stops there" if open_end else None
    return PkValue(code, found, None, flag, *span)


def _peak_within(profile: Profile, start: float, end: float) -> float | str:
    """Highest value of the samples in [start, end]."""
    inside = [c for t, c in zip(profile.time, profile.conc, strict=True) if start <= t <= end]
    return max(inside) if inside else f"no sample from {start:g} to {end:g}"


def _least_within(profile: Profile, start: float, end: float) -> float | str:
    """Lowest value of the samples in [start, end], those below quantification as the rule counts them."""
    if profile.time[-1] < end:
        return f"no sample from {end:g} on: the interval is not covered"
    inside = [c for t, c in zip(profile.time, profile.conc, strict=True) if start <= t <= end]
    return min(inside) if inside else f"no sample from {start:g} to {end:g}"


def _accumulation(
    profile: Profile,
    first: float,
    last: float,
    tau: float,
    find: Callable[[Profile, float, float], "float | str"],
) -> float | str:
    """Value of the last dosing interval over that of the first."""
    doses = profile.declared.doses
    if first == last:
        return "one dose only"
    if doses is not None and doses[0] != doses[-1]:
        return "the first and the last dose differ"
    one, other = find(profile, first, first + tau), find(profile, last, last + tau)
    if isinstance(one, str):
        return one
    if isinstance(other, str):
        return other
    return other / one if one > 0 else "nothing quantifiable in the first dosing interval"


def _average(profile: Profile, last: float, tau: float) -> float | str:
    area = compute_partial_area(profile, last, last + tau)
    return area if isinstance(area, str) else area / tau


def _floats(name: str, values: Any) -> list[float]:
    """A flat list of Python floats, None as NaN.

    Numpy arrays and polars series come through their own fast path.
    """
    items = values.tolist() if hasattr(values, "tolist") else list(values)
    try:
        return [float("nan") if v is None else float(v) for v in items]
    except (TypeError, ValueError):
        raise ValueError(f"{name} holds something that is not a number") from None


def _declare(
    dose: float | Sequence[float] | None,
    route: str,
    duration: float | Sequence[float] | None,
    method: str,
    lloq: float | None,
    tail: str,
    dose_times: Sequence[float],
    blq: BlqRule | None,
    predose: str,
    missing_predose: str,
    slope: SlopeChoice | None,
) -> Declaration:
    """Spread scalars over the administrations and check them."""
    times = tuple(_floats("dose_times", dose_times))
    if not times or not all(map(math.isfinite, times)) or not all(a < b for a, b in pairwise(times)):
        raise ValueError(f"dose_times {times}: one or more strictly ascending times are expected")
    doses = None if dose is None else _each("dose", dose, len(times))
    if doses is not None and any(not 0 < d < math.inf for d in doses):
        raise ValueError(
            f"dose {doses}: every dose is finite and above 0 (leave dose out when it is not known)"
        )
    if route == "infusion":
        if duration is None:
            raise ValueError("duration is missing: an infusion needs its length, in the unit of time")
        durations = _each("duration", duration, len(times))
        if any(not 0 < d < math.inf for d in durations):
            raise ValueError(
                f"duration {durations}: every infusion lasts longer than 0 (use route='bolus' otherwise)"
            )
    elif duration is not None:
        raise ValueError(f"duration is given with route {route!r}: only an infusion has a duration")
    else:
        durations = (0.0,) * len(times)
    return Declaration(
        route, method, tail, blq or BlqRule(), lloq, predose, times, doses, durations, missing_predose, slope
    )


def _each(name: str, value: float | Sequence[float], n: int) -> tuple[float, ...]:
    if isinstance(value, int | float):
        return (float(value),) * n
    if isinstance(value, str):
        raise ValueError(f"{name} is {value!r}: a number is expected")
    values = tuple(_floats(name, value))
    if len(values) != n:
        raise ValueError(
            f"{name} has {len(values)} values and dose_times {n}: one for all or one each is expected"
        )
    return values
