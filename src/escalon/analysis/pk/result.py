"""Result of one profile: numbers, reasons where there is none, doubts, units; in frames and plain mappings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from escalon.analysis.pk.parameters import PARAMETERS, parameters_of
from escalon.analysis.pk.profile import Declaration, Exclusion
from escalon.analysis.pk.units import PkUnits

if TYPE_CHECKING:
    import polars as pl

__all__ = ["EXTRA_CODES", "PkResult", "PkValue"]

EXTRA_CODES = {
    "AUCINT": ("AUC from T1 to T2", "auc"),
    "CONCT": ("Concentration at T1", "conc"),
    "TAT": ("Time Above Threshold", "time"),
    "ARAUC": ("Accumulation Ratio AUC", "number"),
    "ARCMAX": ("Accumulation Ratio Cmax", "number"),
    "CAVG": ("Average Concentration", "conc"),
    "CMIN": ("Min Conc", "conc"),
    "CTROUGH": ("Conc Trough", "conc"),
}
"""Parameters that need a question of the caller: an interval, a time, a threshold, a dosing interval."""

_KINDS = {p.code: (p.name, p.kind) for p in PARAMETERS} | EXTRA_CODES

_SLOPE_CODES = frozenset(("LAMZ", "LAMZHL", "VZO", "VZFO", "VZP", "VZFP"))
_EXTRAPOLATED = frozenset(("AUCIFO", "AUCIFP", "CLO", "CLP", "CLFO", "CLFP", "VSSO", "VSSP"))


@dataclass(frozen=True, slots=True)
class PkValue:
    """One parameter: ``value`` or the ``reason`` there is none; ``flag`` marks a value of doubtful quality."""

    code: str
    value: float | None
    reason: str | None = None
    flag: str | None = None
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, slots=True)
class PkResult:
    """All parameters of one profile, and the declaration they were computed under.

    ``notes`` say what was done to the samples (carried, excluded, slope chosen by a person); ``excluded`` holds the
    exclusions.
    """

    numbers: Mapping[str, float]
    reasons: Mapping[str, str]
    extra: tuple[PkValue, ...]
    declared: Declaration
    units: PkUnits | None
    n_blq: int
    n_missing: int
    notes: tuple[str, ...] = ()
    excluded: tuple[Exclusion, ...] = ()

    @property
    def values(self) -> tuple[PkValue, ...]:
        """Every parameter in the order of the report."""
        return tuple(self._standard(p.code) for p in parameters_of(self.declared.route)) + self.extra

    def _standard(self, code: str) -> PkValue:
        if code in self.reasons:
            return PkValue(code, None, self.reasons[code])
        factor = 1.0 if self.units is None else self.units.of(_KINDS[code][1])[1]
        return PkValue(code, self.numbers[code] * factor, None, self._doubt(code))

    def _doubt(self, code: str) -> str | None:
        """R2 below 0.9, a window shorter than two half-lives, more than 20 % of the area extrapolated."""
        v = self.numbers
        if code in _SLOPE_CODES and v.get("R2", 1.0) < 0.9:
            return f"R2 {v['R2']:.3f} of the terminal slope is below 0.9"
        if code in _SLOPE_CODES and v.get("LAMZSPN", 2.0) < 2.0:
            return f"the terminal window spans {v['LAMZSPN']:.2f} half-lives, below 2"
        if code in _EXTRAPOLATED and v.get("AUCPEO", 0.0) > 20.0:
            return f"{v['AUCPEO']:.1f} % of the area is extrapolated, above 20 %"
        return None

    def get(self, code: str, interval: tuple[float, float] | None = None) -> PkValue:
        """The entry of ``code``; ``interval`` chooses among several partial areas (or (t, t) among concentrations).

        A code that was not asked for carries its reason; a code that does not exist is a ValueError.
        """
        if interval is None and (code in self.numbers or code in self.reasons):
            return self._standard(code)
        for v in self.extra:
            if v.code == code and (
                interval is None or (v.start, v.end) == (float(interval[0]), float(interval[1]))
            ):
                return v
        if code not in _KINDS:
            raise ValueError(f"no parameter {code!r}: there are {', '.join(_KINDS)}")
        if code in EXTRA_CODES:
            return PkValue(
                code, None, "not asked for" if interval is None else f"not asked for over {interval}"
            )
        return PkValue(code, None, f"not a parameter of the route {self.declared.route}")

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
                "PPTESTCD": v.code,
                "PPTEST": _KINDS[v.code][0],
                "PPSTRESN": v.value,
                "PPSTRESU": self.unit(v.code),
                "PPREASND": v.reason,
                "PPFLAG": v.flag,
                "START": v.start,
                "END": v.end,
                "PPANMETH": method,
            }
            for v in self.values
        ]

    def table(self) -> "pl.DataFrame":
        """A polars frame: PPTESTCD PPTEST PPSTRESN PPSTRESU PPREASND PPFLAG START END PPANMETH."""
        import polars as pl

        numbers = ("PPSTRESN", "START", "END")
        names = (
            "PPTESTCD",
            "PPTEST",
            "PPSTRESN",
            "PPSTRESU",
            "PPREASND",
            "PPFLAG",
            "START",
            "END",
            "PPANMETH",
        )
        return pl.DataFrame(self.rows(), schema={n: pl.Float64 if n in numbers else pl.String for n in names})
