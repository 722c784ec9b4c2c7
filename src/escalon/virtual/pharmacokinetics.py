"""CLLS52 (alemtuzumab) in the patient, together with the host lymphocytes it kills and is cleared by.

Two compartments, linear clearance and a saturable path that grows with the host lymphocytes::

    A1' = R(t) - (CL/V1) A1 - Vmax (L)^g C/(Km + C) - (Q/V1) A1 + (Q/V2) A2        C = A1/V1
    A2' = (Q/V1) A1 - (Q/V2) A2
    L'  = influx + r L (1 - L/L_recovered) - k_chemo(t) L - k_max C^h/(EC50^h + C^h) L

Amounts in mg, volumes in L, so C in mg/L = ug/mL; time in hours from the infusion of UCART22. The structure
follows Mould 2007 (doi 10.1111/j.1365-2125.2007.02914.x) with the parallel linear path of Achini 2023 (Blood
Adv 7:4462); the lymphocyte equation is an assumption of the platform. Chemotherapy kills over 24 hours from
the start of each dose. Classical Runge-Kutta steps, restarted wherever a rate jumps, so that no step
straddles a jump.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from escalon.protocol.scenarios import Clls52Kinetics, HostLymphocytes
from escalon.virtual.patients import VirtualPatient
from escalon.virtual.streams import Streams, uniform

CHEMO_HOURS = 24.0
_DOSING, _FINE, _COARSE = 0.05, 0.5, 2.0
"""Step in hours: while CLLS52 runs in, when the kill of lymphocytes switches on within minutes; until a day after the
last jump; and afterwards, when fast exchange is over."""

State = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Infusion:
    """One dose as given: ``amount`` in mg (CLLS52) or mg/m2, hours relative to the UCART22 infusion."""

    product: str
    start: float
    hours: float
    amount: float


@dataclass(frozen=True, slots=True)
class Clls52Parameters:
    """One patient's values: L, L/h, mg/h (at 1 x 10^9/L lymphocytes), mg/L, 10^9/L, rates per hour."""

    v1: float
    v2: float
    q: float
    cl: float
    vmax: float
    km: float
    lymphocytes_on_vmax: float
    lymphocytes: float
    recovered: float
    regrowth: float
    influx: float
    kill_max: float
    kill_ec50: float
    kill_hill: float


def compute_linear_clearance(v1: float, v2: float, q: float, half_life: float) -> float:
    """Return the linear clearance (L/h) that gives two compartments a terminal ``half_life`` (hours).

    From lambda_z^2 - (k10 + k12 + k21) lambda_z + k10 k21 = 0. Raises ValueError when exchange (Q/V2) is
    slower than elimination, where no such clearance exists.
    """
    lambda_z, k12, k21 = math.log(2) / half_life, q / v1, q / v2
    if k21 <= lambda_z:
        raise ValueError(f"Q/V2 = {k21:g}/h must exceed ln 2 / half-life = {lambda_z:g}/h")
    return v1 * lambda_z * (k12 + k21 - lambda_z) / (k21 - lambda_z)


def draw_parameters(
    streams: Streams, patient: VirtualPatient, clls52: Clls52Kinetics, host: HostLymphocytes
) -> Clls52Parameters:
    """Draw the patient's parameters around the population values, scaled by body weight."""
    rng = streams.generator(patient.number, "clls52")
    z = rng.standard_normal(5)
    relative = patient.weight / 70.0
    v1 = clls52.v1 * relative**clls52.weight_on_volume * math.exp(math.sqrt(clls52.omega2_v1) * z[0])
    v2 = clls52.v2 * relative**clls52.weight_on_volume * math.exp(math.sqrt(clls52.omega2_v2) * z[1])
    size = relative**clls52.weight_on_clearance
    half_life = 24.0 * uniform(rng, clls52.half_life)
    return Clls52Parameters(
        v1=v1,
        v2=v2,
        q=clls52.q * size,
        cl=compute_linear_clearance(v1, v2, clls52.q * size, half_life),
        vmax=clls52.vmax / 1000.0 * size * math.exp(math.sqrt(clls52.omega2_vmax) * z[2]),
        km=clls52.km / 1000.0,
        lymphocytes_on_vmax=clls52.lymphocytes_on_vmax,
        lymphocytes=patient.lymphocytes,
        recovered=host.recovered_median * math.exp(host.recovered_sd_log * z[3]),
        regrowth=host.regrowth * math.exp(host.regrowth_sd_log * z[4]) / 24.0,
        influx=host.influx / 24.0,
        kill_max=host.kill_max / 24.0,
        kill_ec50=host.kill_ec50,
        kill_hill=host.kill_hill,
    )


@dataclass(frozen=True, slots=True)
class Exposure:
    """The solved course; times in hours from the infusion, ascending.

    Attributes:
        times: shape (n,), hours.
        states: shape (n, 4): central and peripheral amount (mg), host lymphocytes (10^9/L), amount
            eliminated (mg).
        slopes: shape (n, 4): derivatives. A time at which a rate jumps stands twice, with the slope before
            and after.
    """

    parameters: Clls52Parameters
    times: NDArray[np.float64]
    states: NDArray[np.float64]
    slopes: NDArray[np.float64]

    def concentration(self, hours: ArrayLike) -> NDArray[np.float64]:
        """Return CLLS52 in ug/mL at ``hours``; zero before the first dose."""
        return np.maximum(self._at(hours, 0), 0.0) / self.parameters.v1

    def lymphocytes(self, days: ArrayLike) -> NDArray[np.float64]:
        """Return host lymphocytes, 10^9/L, at ``days``; logistic regrowth after the solved span."""
        hours = np.atleast_1d(np.asarray(days, dtype=float)) * 24.0
        inside = self._at(hours, 2)
        p, last = self.parameters, float(self.states[-1, 2])
        late = np.maximum(hours - self.times[-1], 0.0)
        grown = p.recovered / (1.0 + (p.recovered / last - 1.0) * np.exp(-p.regrowth * late))
        return np.where(hours > self.times[-1], grown, inside)

    def _at(self, hours: ArrayLike, column: int) -> NDArray[np.float64]:
        """Cubic Hermite interpolation, constant outside the solved span."""
        t = np.clip(np.atleast_1d(np.asarray(hours, dtype=float)), self.times[0], self.times[-1])
        right = np.clip(np.searchsorted(self.times, t, side="right"), 1, len(self.times) - 1)
        left = right - 1
        step = self.times[right] - self.times[left]
        s = (t - self.times[left]) / np.where(step > 0, step, 1.0)
        y0, y1 = self.states[left, column], self.states[right, column]
        m0, m1 = self.slopes[left, column] * step, self.slopes[right, column] * step
        value: NDArray[np.float64] = (
            (2 * s**3 - 3 * s**2 + 1) * y0
            + (s**3 - 2 * s**2 + s) * m0
            + (3 * s**2 - 2 * s**3) * y1
            + (s**3 - s**2) * m1
        )
        return value


def solve_exposure(
    parameters: Clls52Parameters,
    infusions: tuple[Infusion, ...],
    host: HostLymphocytes,
    until_day: float = 80.0,
) -> Exposure:
    """Solve CLLS52 and host lymphocytes from the first dose to ``until_day``.

    Args:
        parameters: the patient's parameters.
        infusions: every lymphodepleting dose as given; products CLLS52, FLUDARABINE, CYCLOPHOSPHAMIDE.
        host: kill by chemotherapy per dose.
        until_day: last day solved.

    Returns:
        The course, with states at every step.
    """
    edges = _edges(infusions, until_day * 24.0)
    state: State = (0.0, 0.0, parameters.lymphocytes, 0.0)
    times: list[float] = []
    states: list[State] = []
    slopes: list[State] = []
    for begin, end in pairwise(edges):
        middle = (begin + end) / 2.0
        rate, kill = _rates(infusions, host, middle)
        step = _DOSING if rate > 0.0 else _COARSE if end == edges[-1] else _FINE
        state = _solve_segment(parameters, (begin, end), step, state, (rate, kill), (times, states, slopes))
    return Exposure(parameters, np.array(times), np.array(states), np.array(slopes))


def _edges(infusions: tuple[Infusion, ...], until: float) -> list[float]:
    marks = {until}
    for infusion in infusions:
        marks |= {infusion.start, infusion.start + infusion.hours}
        if infusion.product != "CLLS52":
            marks.add(infusion.start + CHEMO_HOURS)
    last = max(mark for mark in marks if mark < until) if len(marks) > 1 else 0.0
    marks.add(min(last + 24.0, until - 1.0))
    return sorted(marks)


def _rates(infusions: tuple[Infusion, ...], host: HostLymphocytes, hour: float) -> tuple[float, float]:
    """Infusion rate of CLLS52 (mg/h) and lymphocyte kill by chemotherapy (1/h) at an hour."""
    per_amount = {
        "FLUDARABINE": host.log_kill_fludarabine / 30.0,
        "CYCLOPHOSPHAMIDE": host.log_kill_cyclophosphamide / 1000.0,
    }
    rate = kill = 0.0
    for infusion in infusions:
        if infusion.product == "CLLS52":
            if infusion.start <= hour < infusion.start + infusion.hours:
                rate += infusion.amount / infusion.hours
        elif infusion.start <= hour < infusion.start + CHEMO_HOURS:
            kill += per_amount[infusion.product] * infusion.amount / CHEMO_HOURS
    return rate, kill


def _solve_segment(
    p: Clls52Parameters,
    span: tuple[float, float],
    longest: float,
    state: State,
    rates: tuple[float, float],
    out: tuple[list[float], list[State], list[State]],
) -> State:
    begin, end = span
    steps = max(1, math.ceil((end - begin) / longest))
    h = (end - begin) / steps
    times, states, slopes = out
    for index in range(steps + 1):
        k1 = _derivative(p, state, rates)
        times.append(end if index == steps else begin + index * h)
        states.append(state)
        slopes.append(k1)
        if index == steps:
            break
        k2 = _derivative(p, _moved(state, k1, h / 2), rates)
        k3 = _derivative(p, _moved(state, k2, h / 2), rates)
        k4 = _derivative(p, _moved(state, k3, h), rates)
        state = _averaged(state, (k1, k2, k3, k4), h)
    return state


def _moved(state: State, slope: State, h: float) -> State:
    return (
        state[0] + h * slope[0], state[1] + h * slope[1], state[2] + h * slope[2], state[3] + h * slope[3]
    )  # fmt: skip


def _averaged(state: State, k: tuple[State, State, State, State], h: float) -> State:
    (a0, a1, a2, a3), (b0, b1, b2, b3), (c0, c1, c2, c3), (d0, d1, d2, d3) = k
    w = h / 6.0
    return (
        state[0] + w * (a0 + 2.0 * (b0 + c0) + d0),
        state[1] + w * (a1 + 2.0 * (b1 + c1) + d1),
        state[2] + w * (a2 + 2.0 * (b2 + c2) + d2),
        state[3] + w * (a3 + 2.0 * (b3 + c3) + d3),
    )


def _derivative(p: Clls52Parameters, state: State, rates: tuple[float, float]) -> State:
    central, peripheral, lymphocytes, _ = state
    concentration = max(central, 0.0) / p.v1
    host = max(lymphocytes, 0.0)
    out = p.cl * concentration
    kill = rates[1]
    if concentration > 0.0:
        out += p.vmax * host**p.lymphocytes_on_vmax * concentration / (p.km + concentration)
        power = concentration**p.kill_hill
        kill += p.kill_max * power / (p.kill_ec50**p.kill_hill + power)
    exchange = p.q * (concentration - peripheral / p.v2)
    grow = p.influx + p.regrowth * host * (1.0 - host / p.recovered)
    return (rates[0] - out - exchange, exchange, grow - kill * host, out)
