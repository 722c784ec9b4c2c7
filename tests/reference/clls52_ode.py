"""A naive second solution of the CLLS52 and lymphocyte equations: stiff solver, tiny tolerance, one jump at a time."""

from itertools import pairwise
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp


def solve(p: dict[str, float], doses: list[tuple[float, float, float]], kills: list[tuple[float, float, float]],
          times: np.ndarray) -> np.ndarray:  # fmt: skip
    """States (central mg, peripheral mg, lymphocytes, eliminated mg) at ``times`` (hours).

    ``doses`` are (start, hours, mg), ``kills`` are (start, hours, 1/h).
    """
    marks = {float(times[0]), float(times[-1])}
    for start, hours, _ in [*doses, *kills]:
        marks |= {start, start + hours}
    edges = sorted(mark for mark in marks if times[0] <= mark <= times[-1])
    y = np.array([0.0, 0.0, p["lymphocytes"], 0.0])
    found = np.full((len(times), 4), np.nan)
    for begin, end in pairwise(edges):
        middle = (begin + end) / 2
        rate = sum(mg / hours for start, hours, mg in doses if start < middle < start + hours)
        kill = sum(k for start, hours, k in kills if start < middle < start + hours)
        inside = (times >= begin) & (times <= end)
        solution: Any = solve_ivp(
            slope, (begin, end), y, args=(p, rate, kill), method="LSODA", rtol=1e-10, atol=1e-13,
            t_eval=np.unique(np.append(times[inside], end)),
        )  # fmt: skip
        found[inside] = solution.y.T[: inside.sum()]
        y = solution.y[:, -1]
    return found


def slope(t: float, y: np.ndarray, p: dict[str, float], rate: float, kill: float) -> list[float]:
    a1, a2, lym, _ = y
    c = max(a1 / p["v1"], 0.0)
    linear = p["cl"] * c
    saturable = p["vmax"] * lym ** p["lymphocytes_on_vmax"] * c / (p["km"] + c)
    to_tissue = p["q"] / p["v1"] * a1 - p["q"] / p["v2"] * a2
    hit = p["kill_max"] * c ** p["kill_hill"] / (p["kill_ec50"] ** p["kill_hill"] + c ** p["kill_hill"])
    return [
        rate - linear - saturable - to_tissue,
        to_tissue,
        p["influx"] + p["regrowth"] * lym * (1 - lym / p["recovered"]) - (kill + hit) * lym,
        linear + saturable,
    ]
