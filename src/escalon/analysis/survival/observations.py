"""Right-censored observations, checked and counted once for every method of this folder."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Observations", "read_event", "read_observations", "read_time"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Observations:
    """Counts at each distinct time, ascending: at risk just before it, events and censorings at it."""

    time: Floats
    n_risk: Ints
    n_event: Ints
    n_censor: Ints
    n: int
    observed: Floats


def read_time(time: ArrayLike) -> Floats:
    """Times as a float vector; ValueError names the first row that is missing, infinite or negative."""
    given = np.asarray(time)
    # Dates would silently become days since 1970, booleans 0 and 1, text whatever it reads as.
    if given.size and given.dtype.kind not in "iufO":
        raise ValueError(
            f"time has type {given.dtype}: numbers in one unit are expected, counted from the origin"
        )
    try:
        t = given.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"time holds something that is not a number: {error}") from None
    if t.ndim != 1:
        raise ValueError(f"time has {t.ndim} dimensions: one row per patient is expected")
    bad = np.flatnonzero(~np.isfinite(t) | (t < 0))
    if bad.size:
        row = int(bad[0])
        raise ValueError(
            f"time[{row}] is {t[row]}: times run from the origin and are 0 or more, none missing"
        )
    return t


def read_event(event: ArrayLike, n: int) -> NDArray[np.bool_]:
    """The event indicator; only booleans, because 1 means event in some data and censored (CNSR) in other."""
    e = np.asarray(event)
    if e.size == 0:
        e = e.astype(np.bool_)
    if e.dtype != np.bool_:
        raise ValueError(
            f"event has type {e.dtype}: booleans are expected, True = event, False = censored "
            "(for ADaM write cnsr == 0, for a 0/1 column write column == 1)"
        )
    if e.shape != (n,):
        raise ValueError(
            f"event has shape {e.shape} and time ({n},): one event indicator per time is expected"
        )
    return e


def read_observations(time: ArrayLike, event: ArrayLike) -> Observations:
    """Check the input and count at each distinct time; order of rows does not matter."""
    t = read_time(time)
    e = read_event(event, t.size)
    order = np.sort(t)
    distinct, first, counts = np.unique(order, return_index=True, return_counts=True)
    where = np.searchsorted(distinct, t[e])
    d = np.bincount(where, minlength=distinct.size).astype(np.int64)
    n_risk = (t.size - first).astype(np.int64)
    return Observations(distinct, n_risk, d, counts - d, int(t.size), order)
