"""UCART22 in blood: expansion, contraction, and rejection as host lymphocytes recover.

Growth and two-phase loss follow Stein 2019 (doi 10.1002/psp4.12388)::

    t < Tmax:  C = Cmax/foldx exp(rho t),  rho = ln(foldx)/Tmax
    t >= Tmax: C = Cmax [(1 - FB) exp(-alpha s) + FB exp(-beta s)] exp(-H(t)),   s = t - Tmax
    H(t) = rejection_max * integral from Tmax to t of L/(L + rejection_half)

H is the loss to recovering host lymphocytes L (an assumption: allogeneic cells are rejected, seldom seen
past D42). It acts on effector and memory cells alike, so the published curve is multiplied by exp(-H)
exactly. Cmax rises with the
depth of depletion: Cmax (mean L from infusion to Tmax / reference)^-exponent.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from escalon.protocol.scenarios import Ucart22Kinetics
from escalon.virtual.pharmacokinetics import Exposure
from escalon.virtual.streams import Streams

_GRID = 0.1
"""Days between points of the rejection integral."""


@dataclass(frozen=True, slots=True)
class CellCourse:
    """One patient's UCART22 course.

    Attributes:
        foldx, tmax, cmax, alpha, fb, beta: as in the module; days and copies/ug DNA.
        deviate: standard normal deviate of log Cmax between patients; ties response and CRS to expansion.
        days, rejection: H(t) on a grid of days.
    """

    foldx: float
    tmax: float
    cmax: float
    alpha: float
    fb: float
    beta: float
    deviate: float
    days: NDArray[np.float64]
    rejection: NDArray[np.float64]

    def copies(self, days: ArrayLike) -> NDArray[np.float64]:
        """Return copies/ug DNA at ``days`` after the infusion; 0 before it."""
        t = np.atleast_1d(np.asarray(days, dtype=float))
        grown = self.cmax * np.exp(math.log(self.foldx) * (np.minimum(t, self.tmax) / self.tmax - 1.0))
        s = np.maximum(t - self.tmax, 0.0)
        lost = (1.0 - self.fb) * np.exp(-self.alpha * s) + self.fb * np.exp(-self.beta * s)
        lost = lost * np.exp(-np.interp(t, self.days, self.rejection))
        return np.where(t < 0.0, 0.0, grown * lost)


def draw_cell_course(
    streams: Streams, number: int, kinetics: Ucart22Kinetics, exposure: Exposure, until_day: float
) -> CellCourse:
    """Draw the patient's course, given the host lymphocytes of ``exposure``, up to ``until_day``."""
    z = streams.generator(number, "ucart22").standard_normal(6)
    low, high = kinetics.tmax_bounds
    tmax = float(np.clip(kinetics.tmax * math.exp(math.sqrt(kinetics.omega2_tmax) * z[0]), low, high))
    alpha = kinetics.alpha * math.exp(math.sqrt(kinetics.omega2_alpha) * z[1])
    beta = kinetics.beta * math.exp(math.sqrt(kinetics.omega2_beta) * z[2])
    depletion = max(float(exposure.lymphocytes(np.linspace(0.0, tmax, 50)).mean()), kinetics.depletion_floor)
    gain = (depletion / kinetics.reference_lymphocytes) ** -kinetics.depletion_exponent
    days = np.arange(0.0, until_day + _GRID, _GRID)
    host = exposure.lymphocytes(days)
    speed = np.where(days < tmax, 0.0, kinetics.rejection_max * host / (host + kinetics.rejection_half))
    steps = np.diff(days) * (speed[1:] + speed[:-1]) / 2.0
    return CellCourse(
        foldx=max(2.0, kinetics.foldx * math.exp(math.sqrt(kinetics.omega2_foldx) * z[3])),
        tmax=tmax,
        cmax=kinetics.cmax * gain * math.exp(math.sqrt(kinetics.omega2_cmax) * z[4]),
        alpha=alpha,
        fb=min(1.0, kinetics.fb * math.exp(math.sqrt(kinetics.omega2_fb) * z[5])),
        beta=min(beta, alpha),
        deviate=float(z[4]),
        days=days,
        rejection=np.concatenate([[0.0], np.cumsum(steps)]),
    )
