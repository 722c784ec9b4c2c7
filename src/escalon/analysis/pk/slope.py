"""Terminal slope lambda-z: log-linear regression on the window with the best adjusted R2.

Windows end at the last quantifiable sample, hold three or more quantifiable samples and fall. Bolus: Cmax
may be in; extravascular and infusion: strictly after Cmax, and for infusion after its end. Adjusted R2 = 1
- (1 - R2)(n - 1)/(n - 2); among windows within 1e-4 of the best, the one with most samples. Phoenix
WinNonlin reference guide, "Lambda Z calculation".
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Slope", "fit_best_slope", "fit_slope"]

_ADJ_R2_TOLERANCE = 1e-4
_MIN_POINTS = 3
_FLAT = 1e-12
_NO_TREND = 1e-9


@dataclass(frozen=True, slots=True)
class Slope:
    """One regression of log concentration on time: lambda-z = -slope, with its window and quality."""

    lambda_z: float
    intercept: float
    n: int
    r2: float
    r2_adjusted: float
    lower: float
    upper: float

    def predict(self, t: float) -> float:
        """Concentration on the line at time t."""
        return math.exp(self.intercept - self.lambda_z * t)

    @property
    def half_life(self) -> float:
        """log 2 / lambda-z, in the unit of time."""
        return math.log(2.0) / self.lambda_z


def fit_slope(time: Sequence[float], log_conc: Sequence[float]) -> Slope | None:
    """Regression on all points given (three or more); None unless the concentration falls."""
    n = len(time)
    mean_t, mean_y = sum(time) / n, sum(log_conc) / n
    stt = sty = syy = 0.0
    for t, y in zip(time, log_conc, strict=True):
        dt, dy = t - mean_t, y - mean_y
        stt += dt * dt
        sty += dt * dy
        syy += dy * dy
    slope = sty / stt
    # Equal concentrations, or a rise that cancels a fall, leave a slope of rounding errors, not a half-life.
    if not slope < 0.0 or syy < (_FLAT * n) ** 2 or sty * sty < _NO_TREND**2 * stt * syy:
        return None
    # Rounding must not lift a perfect fit above 1.
    r2 = min(sty * sty / (stt * syy), 1.0)
    adjusted = 1.0 - (1.0 - r2) * (n - 1) / (n - 2)
    return Slope(-slope, mean_y - slope * mean_t, n, r2, adjusted, time[0], time[-1])


def fit_best_slope(
    time: Sequence[float], conc: Sequence[float], min_points: int = _MIN_POINTS
) -> Slope | str:
    """Best window over quantifiable samples that may enter (ascending); the reason where there is none."""
    if len(time) < min_points:
        return f"quantifiable samples after the peak: {len(time)}, needed: {min_points}"
    logs = [math.log(c) for c in conc]
    windows = [fit_slope(time[i:], logs[i:]) for i in range(len(time) - min_points + 1)]
    falling = [w for w in windows if w is not None]
    if not falling:
        return "the concentration does not fall over any terminal window"
    best = max(w.r2_adjusted for w in falling)
    return next(w for w in falling if w.r2_adjusted >= best - _ADJ_R2_TOLERANCE)
