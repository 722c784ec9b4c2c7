"""BOIN for two agents written plainly from Lin and Yin 2017; imports nothing from the package."""

from itertools import product
from math import comb, log

import numpy as np
from scipy.special import betainc, betaincc


def limits(phi):
    low, high = 0.6 * phi, 1.4 * phi
    return (
        log((1 - low) / (1 - phi)) / log(phi * (1 - low) / (low * (1 - phi))),
        log((1 - phi) / (1 - high)) / log(high * (1 - phi) / (phi * (1 - high))),
    )


def closed(n, y, phi):
    out = np.zeros(n.shape, dtype=bool)
    for i, j in product(*map(range, n.shape)):
        if n[i, j] >= 3 and betaincc(1 + y[i, j], 1 + n[i, j] - y[i, j], phi) > 0.95:
            out[i:, j:] = True
    return out


def next_combinations(n, y, at, phi, bar):
    """Equally likely next combinations; empty when the trial stops."""
    low, high = limits(phi)
    out = closed(n, y, phi)
    if out[0, 0]:
        return []
    i, j = at
    q = y[i, j] / n[i, j]
    if low < q < high:
        return [at]
    step = 1 if q <= low else -1
    scores = {}
    for agent, (a, b) in enumerate([(i + step, j), (i, j + step)]):
        if not (0 <= a < n.shape[0] and 0 <= b < n.shape[1]) or out[a, b]:
            continue
        if step == 1 and bar:
            row = [(a, t) for t in range(j + 1)] if agent == 0 else [(t, b) for t in range(i + 1)]
            if any(n[c] > 0 and y[c] / n[c] >= high for c in row):
                continue
        alpha, beta = 0.5 + y[a, b], 0.5 + n[a, b] - y[a, b]
        scores[a, b] = betainc(alpha, beta, high) - betainc(alpha, beta, low) + 0.0005 * n[a, b]
    if not scores:
        return [at]
    best = max(scores.values())
    return [c for c, value in scores.items() if abs(value - best) < 1e-12]


def pava(values, weights):
    blocks = []
    for value, weight in zip(values, weights, strict=True):
        blocks.append([value, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            v2, w2, c2 = blocks.pop()
            v1, w1, c1 = blocks.pop()
            blocks.append([(v1 * w1 + v2 * w2) / (w1 + w2), w1 + w2, c1 + c2])
    return np.array([v for v, _, c in blocks for _ in range(c)])


def two_way(values, weights, sweeps=20000):
    """Dykstra's alternating projections onto rows and columns."""
    fit, row_step, column_step = values.astype(float), np.zeros(values.shape), np.zeros(values.shape)
    for _ in range(sweeps):
        start = fit.copy()
        raw = fit + row_step
        rows = np.array([pava(v, w) for v, w in zip(raw, weights, strict=True)])
        row_step = raw - rows
        raw = rows + column_step
        fit = np.array([pava(v, w) for v, w in zip(raw.T, weights.T, strict=True)]).T
        column_step = raw - fit
        if np.abs(fit - start).max() < 1e-14:
            break
    return fit


def select(n, y, phi):
    fit = two_way((y + 0.05) / (n + 0.1), n + 0.1)
    out = closed(n, y, phi)
    best = None
    for j, i in product(range(n.shape[1]), range(n.shape[0])):
        if n[i, j] == 0 or out[i, j]:
            continue
        gap = abs(fit[i, j] + 1e-5 * (i + j + 2) - phi)
        if best is None or gap < best[0] - 1e-9:
            best = (gap, i, j)
    return None if best is None else best[1:]


def tree(p, size, total, phi, bar=True):
    """Selection probabilities (grid, none) and mean patients by walking every path, splitting ties."""
    selected, mean_n, none = np.zeros(p.shape), np.zeros(p.shape), [0.0]
    memo = {}

    def finish(n, chosen, weight):
        mean_n.__iadd__(weight * n)
        if chosen is None:
            none[0] += weight
        else:
            selected[chosen] += weight

    def walk(n, y, at, weight):
        for t in range(size + 1):
            chance = weight * comb(size, t) * p[at] ** t * (1 - p[at]) ** (size - t)
            if chance == 0:
                continue
            n2, y2 = n.copy(), y.copy()
            n2[at] += size
            y2[at] += t
            if n2.sum() >= total:
                key = (n2.tobytes(), y2.tobytes())
                if key not in memo:
                    memo[key] = select(n2, y2, phi)
                finish(n2, memo[key], chance)
                continue
            following = next_combinations(n2, y2, at, phi, bar)
            if not following:
                finish(n2, None, chance)
            for target in following:
                walk(n2, y2, target, chance / len(following))

    zero = np.zeros(p.shape, dtype=int)
    walk(zero, zero.copy(), (0, 0), 1.0)
    return selected, none[0], mean_n
