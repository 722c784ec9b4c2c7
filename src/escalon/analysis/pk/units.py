"""Units of pharmacokinetic parameters, derived from those of time, concentration and dose.

Clearance and volume are dose over area and dose over concentration: where both are mass units the result is
given in L and the factor is applied (20 mg / (h ug/mL) = 20 L/h); other pairs keep the quotient as it
stands, "copies/(h*copies/ug)".
"""

from dataclasses import dataclass

__all__ = ["PkUnits"]

# Powers of ten of a gram and of a litre: whole exponents keep the factor exact.
_MASS = {"kg": 3, "g": 0, "mg": -3, "ug": -6, "ng": -9, "pg": -12}
_VOLUME = {"L": 0, "dL": -1, "mL": -3, "uL": -6}
_TIME = ("s", "min", "h", "day", "week")


@dataclass(frozen=True, slots=True)
class PkUnits:
    """Units of the input: ``time`` one of s, min, h, day, week; ``conc`` for example "ug/mL".

    ``dose`` is for example "mg"; None means no dose.

    >>> PkUnits("h", "ng/mL", "mg").volume()
    ('L', 1000.0)
    """

    time: str
    conc: str
    dose: str | None = None

    def __post_init__(self) -> None:
        if self.time not in _TIME:
            raise ValueError(f"time unit {self.time!r}: one of {', '.join(_TIME)} is expected")
        if not self.conc.strip():
            raise ValueError("concentration without unit: give one, for example 'ug/mL'")

    def volume(self) -> tuple[str | None, float]:
        """Unit of dose / concentration and the factor that brings the plain quotient to it."""
        if self.dose is None:
            return None, 1.0
        mass, _, volume = self.conc.partition("/")
        if self.dose in _MASS and mass in _MASS and volume in _VOLUME:
            power = _MASS[self.dose] - _MASS[mass] + _VOLUME[volume]
            return "L", float(10**power) if power >= 0 else 1.0 / 10**-power
        return f"{self.dose}/({self.conc})", 1.0

    def of(self, kind: str) -> tuple[str | None, float]:
        """Unit and factor of a parameter kind.

        Conc, time, auc, aumc, rate, clearance, volume, percent, number, per dose.
        """
        volume, factor = self.volume()
        table: dict[str, tuple[str | None, float]] = {
            "conc": (self.conc, 1.0),
            "time": (self.time, 1.0),
            "auc": (f"{self.time}*{self.conc}", 1.0),
            "aumc": (f"{self.time}^2*{self.conc}", 1.0),
            "rate": (f"1/{self.time}", 1.0),
            "volume": (volume, factor),
            "clearance": (None if volume is None else f"{volume}/{self.time}", factor),
            "percent": ("%", 1.0),
            "number": (None, 1.0),
            "conc per dose": (None if self.dose is None else f"{self.conc}/{self.dose}", 1.0),
            "auc per dose": (None if self.dose is None else f"{self.time}*{self.conc}/{self.dose}", 1.0),
        }
        return table[kind]
