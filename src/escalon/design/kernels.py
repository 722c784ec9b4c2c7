"""Compiled loops for rules that read a decision table: enumeration, selection and simulation.

Arrays in, arrays out; random numbers are drawn by the caller. The walk is `next_level`, shared by the exact
and the simulated engine; `decide.decide` is the same rule for any design, and the tests hold the two equal.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Codes = NDArray[np.int8]
Words = NDArray[np.uint64]

ENDED = 27
"""Level codes from here on mean a trial that ended: ENDED plus the stop code of `decide`."""


@njit(cache=True, inline="always")
def next_level(
    n: Ints,
    y: Ints,
    d: int,
    size: int,
    dlts: int,
    treated: int,
    planned: int,
    moves: Codes,
    first_closed: int,
    stop_lowest: Flags,
    toxic: Flags,
    enough: int,
    anywhere: bool,
) -> int:
    """Next 0-based level, or ENDED + stop code, after a cohort of `size` with `dlts` at level `d`.

    `n`, `y`: counts per level, the cohort included; tables indexed [n, y]; `moves`: 1, 0 or -1 levels;
    `first_closed`: lowest level that bars escalation into it; `stop_lowest`: the escalation ends at the lowest
    level; `toxic[size, dlts]`: the cohort bars escalation; `enough`: patients at which a stay ends the trial;
    `anywhere`: not only at a stay.
    """
    if treated >= planned:
        return ENDED + 1
    nd, yd = n[d], y[d]
    if d == 0 and stop_lowest[nd, yd]:
        return ENDED + 2
    move = int(moves[nd, yd])
    if toxic[size, dlts]:
        move = min(move, 0)
    wanted = min(max(d + move, 0), first_closed - 1)
    if wanted < 0:
        return ENDED + 2
    if n[wanted] >= enough and (wanted == d or anywhere):
        return ENDED + 4
    return wanted


@njit(cache=True, inline="always")
def find_closed(n: Ints, y: Ints, closed: Flags, but: int) -> int:
    """Lowest level, `but` left out, whose counts bar escalation into it; the number of levels if none does."""
    for j in range(n.size):
        if j != but and closed[n[j], y[j]]:
            return j
    return n.size


@njit(cache=True, inline="always")
def unpack(
    low: Words,
    high: Words,
    bits: int,
    half: int,
    n: Ints,
    y: Ints,
) -> np.int64:
    """Counts per level from the two words of a key; returns the level code."""
    mask = np.uint64((1 << bits) - 1)
    step = np.uint64(bits)
    for j in range(n.size):
        word = low if j < half else high
        shift = np.uint64(2 * bits * (j if j < half else j - half))
        y[j] = np.int64((word >> shift) & mask)
        n[j] = np.int64((word >> (shift + step)) & mask)
    return np.int64(high >> np.uint64(59))


@njit(cache=True, inline="always")
def find_slot(
    slots: NDArray[np.int32],
    low: Words,
    high: Words,
    key_low: np.uint64,
    key_high: np.uint64,
) -> np.uint64:
    """Position in the hash table of a key, or of the empty slot (value -1) where it belongs."""
    mask = np.uint64(slots.size - 1)
    mixed = (key_low * np.uint64(0x9E3779B97F4A7C15)) ^ (key_high * np.uint64(0xC2B2AE3D27D4EB4F))
    mixed = mixed ^ (mixed >> np.uint64(29))
    position = (mixed * np.uint64(0xBF58476D1CE4E5B9) >> np.uint64(20)) & mask
    while True:
        entry = slots[position]
        if entry < 0 or (low[entry] == key_low and high[entry] == key_high):
            return position
        position = (position + np.uint64(1)) & mask


@njit(cache=True)
def expand_layer(
    low: Words,
    high: Words,
    coefficient: Floats,
    paths: Floats,
    size: int,
    treated: int,
    planned: int,
    levels: int,
    bits: int,
    choose: Floats,
    moves: Codes,
    closed: Flags,
    stop_lowest: Flags,
    toxic: Flags,
    enough: int,
    anywhere: bool,
) -> tuple[Words, Words, Floats, Floats, int]:
    """All states one cohort of `size` later; equal states are merged.

    In: keys, coefficients and path counts of the live states after `treated` patients; `choose[t]`, the
    binomial coefficients of the cohort. Out: the same four arrays, live states first, then ended ones with a
    code of ENDED on, and the number of live states.
    """
    half = 64 // (2 * bits)
    room = low.size * (size + 1)
    slots_size = 16
    while 2 * slots_size < 3 * room:
        slots_size *= 2
    slots = np.full(slots_size, -1, np.int32)
    new_low, new_high = np.empty(room, np.uint64), np.empty(room, np.uint64)
    new_coefficient, new_paths = np.empty(room), np.empty(room)
    n, y = np.empty(levels, np.int64), np.empty(levels, np.int64)
    count = 0
    level_bits = np.uint64((1 << 59) - 1)
    for i in range(low.size):
        d = int(unpack(low[i], high[i], bits, half, n, y))
        shift = np.uint64(2 * bits * (d if d < half else d - half))
        n[d] += size
        others_closed = find_closed(n, y, closed, d)
        for t in range(size + 1):
            first_closed = min(others_closed, d) if closed[n[d], y[d]] else others_closed
            code = next_level(
                n, y, d, size, t, treated + size, planned,
                moves, first_closed, stop_lowest, toxic, enough, anywhere,
            )  # fmt: skip
            added = ((np.uint64(size) << np.uint64(bits)) + np.uint64(t)) << shift
            key_low = low[i] + (added if d < half else np.uint64(0))
            key_high = (high[i] & level_bits) + (added if d >= half else np.uint64(0))
            key_high |= np.uint64(code) << np.uint64(59)
            slot = find_slot(slots, new_low, new_high, key_low, key_high)
            entry = slots[slot]
            if entry < 0:
                entry = count
                slots[slot] = entry
                new_low[entry], new_high[entry] = key_low, key_high
                new_coefficient[entry] = new_paths[entry] = 0.0
                count += 1
            new_coefficient[entry] += coefficient[i] * choose[t]
            new_paths[entry] += paths[i]
            y[d] += 1
    live = move_live_first(new_low, new_high, new_coefficient, new_paths, count)
    return new_low[:count], new_high[:count], new_coefficient[:count], new_paths[:count], live


@njit(cache=True)
def move_live_first(low: Words, high: Words, coefficient: Floats, paths: Floats, count: int) -> int:
    """Swap the first `count` states so that live ones come first; returns their number."""
    live = 0
    for i in range(count):
        if (high[i] >> np.uint64(59)) < ENDED:
            low[i], low[live] = low[live], low[i]
            high[i], high[live] = high[live], high[i]
            coefficient[i], coefficient[live] = coefficient[live], coefficient[i]
            paths[i], paths[live] = paths[live], paths[i]
            live += 1
    return live


@njit(cache=True, inline="always")
def select_level(
    n: Ints,
    y: Ints,
    estimate: Floats,
    weight: Floats,
    eliminate: Flags,
    eliminate_lowest: Flags,
    bound: float,
    tilt: float,
    slack: float,
    target: float,
    fit: Floats,
    mass: Floats,
    count: Ints,
) -> int:
    """0-based maximum tolerated dose of one trial, -1 for none; see `mtd.Selection`.

    `fit`, `mass`, `count`: work space of shape (levels,).
    """
    blocks, left = 0, 0
    for j in range(n.size):
        if eliminate[n[j], y[j]] or (j == 0 and eliminate_lowest[n[0], y[0]]):
            break
        left = j + 1
        if n[j] == 0:
            continue
        fit[blocks], mass[blocks], count[blocks] = estimate[n[j], y[j]], weight[n[j], y[j]], 1
        blocks += 1
        while blocks > 1 and fit[blocks - 2] > fit[blocks - 1]:
            total = mass[blocks - 2] + mass[blocks - 1]
            fit[blocks - 2] = (
                fit[blocks - 2] * mass[blocks - 2] + fit[blocks - 1] * mass[blocks - 1]
            ) / total
            mass[blocks - 2] = total
            count[blocks - 2] += count[blocks - 1]
            blocks -= 1
    best, best_gap, block, seen = -1, np.inf, 0, 0
    for j in range(left):
        if n[j] == 0:
            continue
        value = fit[block]
        seen += 1
        if seen == count[block]:
            block += 1
            seen = 0
        if value > bound:
            continue
        value += tilt * (j + 1)
        gap = abs(value - target)
        below = value <= target + slack
        closer = gap < best_gap - slack
        tied = not closer and gap <= best_gap + slack
        if closer or (tied and below):
            best, best_gap = j, min(gap, best_gap)
    return best


@njit(cache=True)
def select_levels(
    low: Words,
    high: Words,
    bits: int,
    n: Ints,
    y: Ints,
    estimate: Floats,
    weight: Floats,
    eliminate: Flags,
    eliminate_lowest: Flags,
    options: Floats,
) -> tuple[Ints, Ints]:
    """Unpack terminal keys into `n`, `y` (shape (states, levels)); returns stop codes and selections.

    `options`: bound, tilt, slack, target.
    """
    states, levels = n.shape
    half = 64 // (2 * bits)
    stop, mtd = np.empty(states, np.int64), np.empty(states, np.int64)
    fit, mass, count = np.empty(levels), np.empty(levels), np.empty(levels, np.int64)
    for i in range(states):
        stop[i] = unpack(low[i], high[i], bits, half, n[i], y[i]) - ENDED
        mtd[i] = -1
        if stop[i] != 2:
            mtd[i] = select_level(
                n[i], y[i], estimate, weight, eliminate, eliminate_lowest,
                options[0], options[1], options[2], options[3], fit, mass, count,
            )  # fmt: skip
    return stop, mtd


@njit(cache=True, nogil=True)
def simulate_trials(
    uniforms: Floats,
    prob_tox: Floats,
    start: int,
    sizes: Ints,
    planned: int,
    moves: Codes,
    closed: Flags,
    stop_lowest: Flags,
    toxic: Flags,
    enough: int,
    anywhere: bool,
    estimate: Floats,
    weight: Floats,
    drop: Flags,
    drop_lowest: Flags,
    options: Floats,
    n_out: Ints,
    y_out: Ints,
    mtd_out: Ints,
) -> None:
    """Run one trial per column of `uniforms` (shape (planned, trials)): a patient has a DLT if u < p.

    `sizes[k]`: size of the cohort that starts after k patients. Fills `n_out`, `y_out` (trials, levels) and
    `mtd_out` (trials,).
    """
    levels = prob_tox.size
    fit, mass, count = np.empty(levels), np.empty(levels), np.empty(levels, np.int64)
    for i in range(uniforms.shape[1]):
        n, y = n_out[i], y_out[i]
        n[:] = 0
        y[:] = 0
        d, treated = start, 0
        while d < ENDED:
            size, dlts = sizes[treated], 0
            for k in range(treated, treated + size):
                if uniforms[k, i] < prob_tox[d]:
                    dlts += 1
            treated += size
            n[d] += size
            y[d] += dlts
            d = next_level(
                n, y, d, size, dlts, treated, planned,
                moves, find_closed(n, y, closed, -1), stop_lowest, toxic, enough, anywhere,
            )  # fmt: skip
        mtd_out[i] = -1
        if d != ENDED + 2:
            mtd_out[i] = select_level(
                n, y, estimate, weight, drop, drop_lowest,
                options[0], options[1], options[2], options[3], fit, mass, count,
            )  # fmt: skip


@njit(cache=True)
def fill_chances(p: Floats, start_n: Ints, start_y: Ints, chances: Floats) -> None:
    """Set `chances[j, n, y]` to p_j^(DLTs since the start) (1 - p_j)^(others since the start) where both are
    at least 0."""
    size = chances.shape[1]
    for j in range(p.size):
        dlt_chance = 1.0
        for y in range(start_y[j], size):
            chance = dlt_chance
            for n in range(start_n[j] + y - start_y[j], size):
                chances[j, n, y] = chance
                chance *= 1 - p[j]
            dlt_chance *= p[j]


@njit(cache=True)
def sum_terminal_states(
    n: Ints,
    y: Ints,
    mtd: Ints,
    coefficient: Floats,
    chances: Floats,
    counted: Ints,
    select: Floats,
    sizes: Floats,
    above: Floats,
    mean_n: Floats,
) -> None:
    """Characteristics in one pass over the terminal states of `exact.Enumeration`.

    `chances[j, n, y]`: probability of the counts at level j, binomial coefficient left out; `counted`: 1 for levels
    above the target, else 0. Adds to `select` (none first), `sizes` (by patients in all), `above` (by patients
    above the target) and `mean_n`.
    """
    for i in range(coefficient.size):
        weight, total, over = coefficient[i], 0, 0
        for j in range(n.shape[1]):
            weight *= chances[j, n[i, j], y[i, j]]
            total += n[i, j]
            over += n[i, j] * counted[j]
        select[mtd[i] + 1] += weight
        sizes[total] += weight
        above[over] += weight
        for j in range(n.shape[1]):
            mean_n[j] += weight * n[i, j]
