"""Cellular kinetics of one infusion in one assay: expansion, contraction, exposure, persistence.

Cells multiply, so the peak comes days after the infusion and the usual disposition parameters do not apply.
Cmax is the first highest sample after the infusion (early distribution samples may be left out). Expansion
rate: slope of log values from the nadir before the peak to the peak; doubling time log 2 / rate; fold
expansion peak over nadir. Contraction half-life: log-linear from the peak to ``contraction_until``. Slopes
need three quantifiable samples. Partial areas run to the first sample below quantification, counted as 0
once. Persistence ends at the first sample below quantification after the last quantifiable one; without
such a sample the patient is censored at that last one. Parameters as in Stein et al. 2019, doi
10.1002/psp4.12388. Different assays are different profiles: one call never mixes them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from escalon.analysis.pk.nca import nca
from escalon.analysis.pk.result import PkResult
from escalon.analysis.pk.slope import fit_slope

__all__ = ["CellKinetics", "CellValue", "cell_kinetics"]

_MIN_POINTS = 3


@dataclass(frozen=True, slots=True)
class CellValue:
    """A value in ``unit`` or the reason there is none."""

    value: float | None
    unit: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CellKinetics:
    """Result of one patient, infusion and assay.

    ``persistence_event``: True = seen to end, False = censored, None = never detected.
    """

    assay: str
    unit: str
    values: dict[str, CellValue]
    persistence_time: float | None
    persistence_event: bool | None
    exposure: PkResult

    def value(self, code: str) -> float | None:
        """The number or None; ValueError names the codes."""
        return self._get(code).value

    def reason(self, code: str) -> str | None:
        """Why there is no number, or None."""
        return self._get(code).reason

    def _get(self, code: str) -> CellValue:
        if code not in self.values:
            raise ValueError(f"no parameter {code!r}: there are {', '.join(self.values)}")
        return self.values[code]


def cell_kinetics(
    time: Sequence[float],
    value: Sequence[float | None],
    assay: str,
    unit: str,
    lloq: float | None = None,
    method: str = "lin-up log-down",
    horizons: Sequence[float] = (28.0, 84.0),
    ignore_before: float = 0.0,
    contraction_until: float = 28.0,
) -> CellKinetics:
    """Kinetics of one infusion.

    Parameters: ``time`` days from the infusion, strictly ascending, 0 or more; ``value`` in ``unit`` (for
    example "copies/ug"), None or NaN = not measured, 0 or below ``lloq`` = below quantification; ``assay``
    names the method and specimen; ``horizons`` ends of the partial areas in days; ``ignore_before`` leaves
    out samples earlier than that day from the search of the peak and of the nadir.

    Returns CellKinetics with CMAX, TMAX, CLST, TLST, AUCLST, AUC0_28, AUC0_84 (one per horizon), EXPRATE
    (1/day), DOUBLING (days), FOLDEXP, CONTRHL (days), LAMZHL (days). Raises ValueError for an assay or unit
    left empty and for samples ``nca`` does not accept.
    """
    if not assay or not unit:
        raise ValueError("assay and unit are needed: results of different assays are never pooled")
    if not contraction_until > 0 or not ignore_before >= 0:
        raise ValueError(
            f"contraction_until is {contraction_until!r} and ignore_before {ignore_before!r}: "
            "days above 0, and 0 or more, are expected"
        )
    partial = [(0.0, float(h)) for h in horizons]
    exposure = nca(time, value, route="extravascular", method=method, lloq=lloq, partial=partial, tail="all")
    limit = lloq or 0.0
    samples = [(float(t), float(v)) for t, v in zip(time, value, strict=True) if v is not None and v == v]
    measured = [(t, v) for t, v in samples if v > 0 and v >= limit]
    values = {
        "CLST": _of(exposure, "CLST", unit),
        "TLST": _of(exposure, "TLST", "day"),
        "AUCLST": _of(exposure, "AUCLST", f"day*{unit}"),
    }
    for h in horizons:
        found = exposure.get("AUCINT", (0.0, float(h)))
        values[f"AUC0_{h:g}"] = CellValue(found.value, f"day*{unit}", found.reason or found.flag)
    peak = _peak(measured, ignore_before)
    values |= _phases(measured, peak, unit, ignore_before, contraction_until)
    values["LAMZHL"] = _of(exposure, "LAMZHL", "day")
    time_, event = _persistence(samples, measured)
    return CellKinetics(assay, unit, values, time_, event, exposure)


def _of(exposure: PkResult, code: str, unit: str) -> CellValue:
    found = exposure.get(code)
    return CellValue(found.value, unit, found.reason or found.flag)


def _peak(measured: list[tuple[float, float]], ignore_before: float) -> int | None:
    """Index of the first highest sample not before ``ignore_before``."""
    usable = [i for i, (t, _) in enumerate(measured) if t >= ignore_before]
    return max(usable, key=lambda i: measured[i][1], default=None)


def _phases(
    measured: list[tuple[float, float]], peak: int | None, unit: str, ignore_before: float, until: float
) -> dict[str, CellValue]:
    """Peak, expansion and contraction."""
    codes = ("CMAX", "TMAX", "EXPRATE", "DOUBLING", "FOLDEXP", "CONTRHL")
    if peak is None:
        return {c: CellValue(None, None, "never above the limit of quantification") for c in codes}
    tmax, cmax = measured[peak]
    values = {"CMAX": CellValue(cmax, unit), "TMAX": CellValue(tmax, "day")}
    rise = [s for s in measured[: peak + 1] if s[0] >= ignore_before]
    nadir = min(range(len(rise)), key=lambda i: (rise[i][1], -i))
    rise = rise[nadir:]
    if len(rise) < _MIN_POINTS:
        reason = f"quantifiable samples from nadir to peak: {len(rise)}, needed: {_MIN_POINTS}"
        values |= {c: CellValue(None, None, reason) for c in ("EXPRATE", "DOUBLING", "FOLDEXP")}
    else:
        rate = _log_slope(rise)
        values["EXPRATE"] = CellValue(rate, "1/day")
        values["DOUBLING"] = CellValue(math.log(2.0) / rate, "day")
        values["FOLDEXP"] = CellValue(cmax / rise[0][1], None)
    values["CONTRHL"] = _contraction([s for s in measured[peak:] if s[0] <= max(until, tmax)])
    return values


def _contraction(fall: list[tuple[float, float]]) -> CellValue:
    if len(fall) < _MIN_POINTS:
        reason = f"quantifiable samples from the peak on: {len(fall)}, needed: {_MIN_POINTS}"
        return CellValue(None, None, reason)
    slope = fit_slope([t for t, _ in fall], [math.log(v) for _, v in fall])
    if slope is None:
        return CellValue(None, None, "the values do not fall after the peak")
    return CellValue(slope.half_life, "day")


def _log_slope(rise: list[tuple[float, float]]) -> float:
    """Least-squares slope of log value on day.

    Positive, because the rise ends at its maximum and starts at its minimum.
    """
    n = len(rise)
    mean_t = sum(t for t, _ in rise) / n
    mean_y = sum(math.log(v) for _, v in rise) / n
    sty = sum((t - mean_t) * (math.log(v) - mean_y) for t, v in rise)
    return sty / sum((t - mean_t) ** 2 for t, _ in rise)


def _persistence(
    samples: list[tuple[float, float]], measured: list[tuple[float, float]]
) -> tuple[float | None, bool | None]:
    """Time to loss and whether it was seen; (None, None) when the cells were never detected."""
    if not measured:
        return None, None
    tlast = measured[-1][0]
    later = [t for t, _ in samples if t > tlast]
    return (later[0], True) if later else (tlast, False)
