"""Non-compartmental analysis of one profile.

Parameters with CDISC codes, partial areas, time above a threshold.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from escalon.analysis.pk.areas import AUC_METHODS
from escalon.analysis.pk.blq import BlqRule
from escalon.analysis.pk.parameters import PARAMETERS, parameters_of
from escalon.analysis.pk.partial import compute_partial_area, compute_profile_time_above
from escalon.analysis.pk.profile import ROUTES, TAILS, Declaration, Profile, build_profile
from escalon.analysis.pk.units import PkUnits

if TYPE_CHECKING:
    import polars as pl

__all__ = ["AUC_METHODS", "ROUTES", "TAILS", "PkResult", "PkValue", "nca"]

_KINDS = {p.code: (p.name, p.kind) for p in PARAMETERS} | {
    "AUCINT": ("AUC from T1 to T2", "auc"),
    "TAT": ("Time Above Threshold", "time"),
}
_KNOWN = frozenset(_KINDS)


@dataclass(frozen=True, slots=True)
class PkValue:
    """One parameter: ``value`` or the ``reason`` there is none.

    ``flag`` marks a value of doubtful quality.
    """

    code: str
    value: float | None
    reason: str | None = None
    flag: str | None = None
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, slots=True)
class PkResult:
    """All parameters of one profile, and the declaration they were computed under."""

    values: tuple[PkValue, ...]
    declared: Declaration
    units: PkUnits | None
    n_blq: int
    n_missing: int
    notes: tuple[str, ...] = ()
    _index: dict[str, PkValue] = field(default_factory=dict, repr=False)

    def get(self, code: str, interval: tuple[float, float] | None = None) -> PkValue:
        """The entry of ``code``; ``interval`` chooses among several partial areas.

        KeyError-free: ValueError names the codes.
        """
        for v in self.values if interval is not None else ():
            if v.code == code and (v.start, v.end) == (float(interval[0]), float(interval[1])):  # type: ignore[index]
                return v
        if interval is None and code in self._index:
            return self._index[code]
        if code in _KNOWN and interval is None:
            return PkValue(code, None, _absent(code, self.declared.route))
        codes = ", ".join(dict.fromkeys(v.code for v in self.values))
        raise ValueError(
            f"no parameter {code!r}{'' if interval is None else f' over {interval}'}: there are {codes}"
        )

    def value(self, code: str, interval: tuple[float, float] | None = None) -> float | None:
        """The number, or None when there is none (see ``reason``)."""
        return self.get(code, interval).value

    def reason(self, code: str, interval: tuple[float, float] | None = None) -> str | None:
        """Why there is no number; None when there is one."""
        return self.get(code, interval).reason

    def flag(self, code: str, interval: tuple[float, float] | None = None) -> str | None:
        """Doubt about a number that is given, or None."""
        return self.get(code, interval).flag

    def unit(self, code: str) -> str | None:
        """Unit derived from ``units``; None without units or for a pure number."""
        return None if self.units is None else self.units.of(_KINDS[code][1])[0]

    def rows(self) -> list[dict[str, Any]]:
        """One mapping per parameter, ready for a frame or JSON."""
        method = self.declared.describe()
        return [
            {
                "PPTESTCD": v.code, "PPTEST": _KINDS[v.code][0],
                "PPSTRESN": v.value, "PPSTRESU": self.unit(v.code),
                "PPREASND": v.reason, "PPFLAG": v.flag, "START": v.start, "END": v.end, "PPANMETH": method,
            }
            for v in self.values
        ]  # fmt: skip

    def table(self) -> "pl.DataFrame":
        """A polars frame: PPTESTCD PPTEST PPSTRESN PPSTRESU PPREASND PPFLAG START END PPANMETH."""
        import polars as pl

        schema = dict.fromkeys(("PPTESTCD", "PPTEST"), pl.String) | {"PPSTRESN": pl.Float64}
        schema |= dict.fromkeys(("PPSTRESU", "PPREASND", "PPFLAG"), pl.String)
        return pl.DataFrame(
            self.rows(), schema=schema | {"START": pl.Float64, "END": pl.Float64, "PPANMETH": pl.String}
        )


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
) -> PkResult:
    """Analyse one profile.

    Parameters: ``time`` strictly ascending, one unit, on the clock of ``dose_times``; ``conc`` 0 or more,
    NaN or None = not measured, 0 or below ``lloq`` = below quantification; ``dose`` amount of each
    administration (one number for all, or one each; None: clearance and volume carry the reason); ``route``
    infusion, bolus or extravascular; ``duration`` of each infusion, needed for infusion; ``method`` linear,
    lin-up log-down or linear-log; ``partial`` intervals of AUCINT; ``tail`` what counts after Tlast in
    partial areas and time above threshold: last, all, inf-obs or inf-pred; ``threshold`` gives TAT; ``blq``
    the positional rule; ``predose`` "error" or "carry" for samples before the dose.

    Returns PkResult. Raises ValueError for unsorted, repeated or early times, negative concentrations,
    unknown options.

    >>> conc = [0, 1.6, 1.2, 0.6, 0.2]
    >>> r = nca([0, 2, 8, 24, 48], conc, dose=20, route="infusion", duration=2, method="linear")
    >>> r.value("CMAX"), r.value("TMAX"), round(r.value("AUCLST"), 6)
    (1.6, 2.0, 34.0)
    """
    declared = _declare(dose, route, duration, method, lloq, tail, dose_times, blq, predose)
    profile = build_profile(_floats("time", time), _floats("conc", conc), declared)
    if isinstance(profile, str):
        codes = [p.code for p in parameters_of(route)]
        found = [PkValue(c, None, profile) for c in codes]
        found += [PkValue("AUCINT", None, profile, None, float(a), float(b)) for a, b in partial]
        found += [PkValue("TAT", None, profile)] if threshold is not None else []
        return _result(found, declared, units, len(_floats("conc", conc)), 0, ())
    found = _parameters(profile, units)
    found += [_partial(profile, float(a), float(b)) for a, b in partial]
    if threshold is not None:
        found.append(_named("TAT", compute_profile_time_above(profile, threshold)))
    return _result(found, declared, units, profile.n_blq, profile.n_missing, tuple(profile.flags.values()))


def _result(
    found: list[PkValue],
    declared: Declaration,
    units: PkUnits | None,
    n_blq: int,
    n_missing: int,
    notes: tuple[str, ...],
) -> PkResult:
    index: dict[str, PkValue] = {}
    for v in found:
        index.setdefault(v.code, v)
    return PkResult(tuple(found), declared, units, n_blq, n_missing, notes, index)


def _absent(code: str, route: str) -> str:
    if code == "AUCINT":
        return "no partial interval was asked for"
    return "no threshold was given" if code == "TAT" else f"not a parameter of the route {route}"


def _named(code: str, found: float | str, start: float | None = None, end: float | None = None) -> PkValue:
    if isinstance(found, str):
        return PkValue(code, None, found, None, start, end)
    return PkValue(code, found, None, None, start, end)


def _partial(profile: Profile, start: float, end: float) -> PkValue:
    """A partial area; a value that stops short of its end while still quantifiable says so."""
    found = compute_partial_area(profile, start, end)
    if isinstance(found, str):
        return _named("AUCINT", found, start, end)
    open_end = profile.n_core == len(profile.time) and profile.tlast < end
    flag = f"no sample after {profile.tlast:g}: the area stops there" if open_end else None
    return PkValue(
        "AUCINT", found, None, flag if profile.declared.tail in ("last", "all") else None, start, end
    )


def _parameters(profile: Profile, units: PkUnits | None) -> list[PkValue]:
    """Compute in order; a parameter that needs a missing one gets its reason."""
    values: dict[str, float] = {}
    reasons: dict[str, str] = {}
    for parameter in parameters_of(profile.declared.route):
        lacking = next((n for n in parameter.needs if n in reasons), None)
        found = reasons[lacking] if lacking is not None else parameter.compute(profile, values)
        if isinstance(found, str):
            reasons[parameter.code] = found
        else:
            values[parameter.code] = found
    flags = _flags(values)
    factors = (
        {} if units is None else {p.code: units.of(p.kind)[1] for p in parameters_of(profile.declared.route)}
    )
    return [
        PkValue(p.code, None, reasons[p.code])
        if p.code in reasons
        else PkValue(p.code, values[p.code] * factors.get(p.code, 1.0), None, flags.get(p.code))
        for p in parameters_of(profile.declared.route)
    ]


_SLOPE_CODES = ("LAMZ", "LAMZHL", "VZO", "VZFO", "VZP", "VZFP")
_EXTRAPOLATED = ("AUCIFO", "AUCIFP", "CLO", "CLP", "CLFO", "CLFP", "VSSO", "VSSP")


def _flags(values: dict[str, float]) -> dict[str, str]:
    """Doubts: R2 below 0.9, window shorter than two half-lives, more than 20 % of the area extrapolated."""
    flags: dict[str, str] = {}
    if values.get("R2", 1.0) < 0.9:
        flags |= dict.fromkeys(_SLOPE_CODES, f"R2 {values['R2']:.3f} of the terminal slope is below 0.9")
    elif values.get("LAMZSPN", 2.0) < 2.0:
        flags |= dict.fromkeys(
            _SLOPE_CODES, f"the terminal window spans {values['LAMZSPN']:.2f} half-lives, below 2"
        )
    if values.get("AUCPEO", 0.0) > 20.0:
        text = f"{values['AUCPEO']:.1f} % of the area is extrapolated, above 20 %"
        flags |= dict.fromkeys(_EXTRAPOLATED, text)
    return flags


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
) -> Declaration:
    """Spread scalars over the administrations and check them."""
    times = tuple(_floats("dose_times", dose_times))
    if not times or any(b <= a for a, b in pairwise(times)):
        raise ValueError(f"dose_times {times}: one or more strictly ascending times are expected")
    doses = None if dose is None else _each("dose", dose, len(times))
    if doses is not None and any(not d > 0 for d in doses):
        raise ValueError(f"dose {doses}: every dose is above 0 (leave dose out when it is not known)")
    if route == "infusion":
        if duration is None:
            raise ValueError("duration is missing: an infusion needs its length, in the unit of time")
        durations = _each("duration", duration, len(times))
        if any(not d > 0 for d in durations):
            raise ValueError(
                f"duration {durations}: every infusion lasts longer than 0 (use route='bolus' otherwise)"
            )
    elif duration is not None:
        raise ValueError(f"duration is given with route {route!r}: only an infusion has a duration")
    else:
        durations = (0.0,) * len(times)
    return Declaration(route, method, tail, blq or BlqRule(), lloq, predose, times, doses, durations)


def _each(name: str, value: float | Sequence[float], n: int) -> tuple[float, ...]:
    if isinstance(value, int | float):
        return (float(value),) * n
    values = tuple(_floats(name, value))
    if len(values) != n:
        raise ValueError(
            f"{name} has {len(values)} values and dose_times {n}: one for all or one each is expected"
        )
    return values
