"""Naive designs written straight from the papers: plain loops, one trial path at a time, no numpy.

Imports nothing from the package under test.
"""

from fractions import Fraction
from math import comb, log


def beta_tail(a: int, b: int, x: float) -> float:
    """P(Beta(a, b) > x) for whole a, b: the chance of fewer than a successes in a + b - 1 throws."""
    m = a + b - 1
    return sum(comb(m, i) * x**i * (1 - x) ** (m - i) for i in range(a))


def mtpi_letter(n: int, y: int, target: float, e1: float, e2: float, xi: float) -> str:
    a, b = 1 + y, 1 + n - y
    low, high = target - e1, target + e2
    masses = {
        "E": (1 - beta_tail(a, b, low)) / low,
        "S": (beta_tail(a, b, low) - beta_tail(a, b, high)) / (high - low),
        "D": beta_tail(a, b, high) / (1 - high),
    }
    if beta_tail(a, b, target) > xi:
        return "DU"
    return max(masses, key=lambda letter: masses[letter])


def pool(values: list[float], weights: list[float]) -> list[float]:
    """Pool adjacent violators, block by block."""
    blocks = [[v, w, 1] for v, w in zip(values, weights, strict=True)]
    i = 0
    while i + 1 < len(blocks):
        if blocks[i][0] > blocks[i + 1][0]:
            (v1, w1, c1), (v2, w2, c2) = blocks[i], blocks[i + 1]
            blocks[i : i + 2] = [[(v1 * w1 + v2 * w2) / (w1 + w2), w1 + w2, c1 + c2]]
            i = max(i - 1, 0)
        else:
            i += 1
    return [v for v, _, count in blocks for _ in range(int(count))]


def mtpi_mtd(n: list[int], y: list[int], target: float, xi: float) -> int | None:
    eligible = []
    for j in range(len(n)):
        if n[j] and beta_tail(1 + y[j], 1 + n[j] - y[j], target) > xi:
            break
        if n[j]:
            eligible.append(j)
    if not eligible:
        return None
    mean = [(1 + y[j]) / (2 + n[j]) for j in eligible]
    weight = [(2 + n[j]) ** 2 * (3 + n[j]) / ((1 + y[j]) * (1 + n[j] - y[j])) for j in eligible]
    fit = pool(mean, weight)
    best = min(abs(f - target) for f in fit)
    tied = [j for j, f in zip(eligible, fit, strict=True) if abs(f - target) < best + 1e-9]
    below = [j for j, f in zip(eligible, fit, strict=True) if j in tied and f <= target]
    return 1 + (max(below) if below else min(tied))


def mtpi_trial(levels, cohort, total, target, e1, e2, xi, prob_tox):
    """Every outcome path of an mTPI trial, one by one; returns {mtd: probability} and mean n per level."""
    select: dict[int | None, float] = {}
    mean_n = [0.0] * levels

    def go(n, y, d, chance):
        for t in range(cohort + 1):
            p = chance * comb(cohort, t) * prob_tox[d] ** t * (1 - prob_tox[d]) ** (cohort - t)
            n2, y2 = list(n), list(y)
            n2[d] += cohort
            y2[d] += t
            if sum(n2) >= total:
                end(n2, y2, p, mtpi_mtd(n2, y2, target, xi))
                continue
            letter = mtpi_letter(n2[d], y2[d], target, e1, e2, xi)
            if letter == "DU" and d == 0:
                end(n2, y2, p, None)
                continue
            step = d
            if letter == "E" and d + 1 < levels:
                above = d + 1
                shut = n2[above] >= 2 and beta_tail(1 + y2[above], 1 + n2[above] - y2[above], target) >= xi
                step = d if shut else above
            elif letter in ("D", "DU"):
                step = max(d - 1, 0)
            go(n2, y2, step, p)

    def end(n, y, p, mtd):
        select[mtd] = select.get(mtd, 0.0) + p
        for j in range(levels):
            mean_n[j] += p * n[j]

    go([0] * levels, [0] * levels, 0, 1.0)
    return select, mean_n


class ThreePlusThreeStory:
    """Every path of a 3+3 trial, told as a story: climb, fill up, fall back."""

    def __init__(self, variant, levels, prob_tox):
        self.variant, self.levels, self.prob_tox = variant, levels, prob_tox
        self.select: dict[int | None, float] = {}
        self.treat({}, {}, 0, 1.0)

    def finish(self, mtd, p):
        self.select[mtd] = self.select.get(mtd, 0.0) + p

    def treat(self, n, y, d, p):
        for t in range(4):
            q = p * comb(3, t) * self.prob_tox[d] ** t * (1 - self.prob_tox[d]) ** (3 - t)
            n2, y2 = {**n, d: n.get(d, 0) + 3}, {**y, d: y.get(d, 0) + t}
            if y2[d] >= 2:
                self.fall_back(n2, y2, d, q)
            else:
                self.climb(n2, y2, d, q)

    def fall_back(self, n, y, d, p):
        if d == 0:
            self.finish(None, p)
        elif self.variant != "A" and n[d - 1] == 3:
            self.treat(n, y, d - 1, p)
        else:
            self.finish(d, p)

    def climb(self, n, y, d, p):
        if n[d] == 3 and y[d] == 1:
            self.treat(n, y, d, p)
        elif d + 1 < self.levels and d + 1 not in n:
            self.treat(n, y, d + 1, p)
        elif self.variant == "C" and n[d] == 3:
            self.treat(n, y, d, p)
        else:
            self.finish(d + 1, p)


def key_letter(n: int, y: int, low: float, high: float, highest: bool) -> str:
    """mTPI-2 (`highest` False) and Keyboard (True): the key with the largest posterior mass per width."""
    a, b = 1 + y, 1 + n - y
    width = high - low
    keys = [(low, high, "S")]
    edge = low
    while edge > 1e-9:
        keys.insert(0, (max(edge - width, 0.0), edge, "E"))
        edge -= width
    edge = high
    while edge < 1 - 1e-9:
        keys.append((edge, min(edge + width, 1.0), "D"))
        edge += width
    density = [(beta_tail(a, b, k[0]) - beta_tail(a, b, k[1])) / (k[1] - k[0]) for k in keys]
    best = max(density)
    tied = [k[2] for k, value in zip(keys, density, strict=True) if value > best - 1e-11]
    return tied[-1] if highest else tied[0]


def boin_letter(n: int, y: int, target: float) -> str:
    """Compare the likelihoods of the three point hypotheses target, 0.6 target, 1.4 target."""

    def log_likelihood(p):
        return y * log(p) + (n - y) * log(1 - p)

    here, low, high = (log_likelihood(p) for p in (target, 0.6 * target, 1.4 * target))
    if low >= here:
        return "E"
    return "D" if high >= here else "S"


def i3_letter(n: int, y: int, target: Fraction, e1: Fraction, e2: Fraction) -> str:
    """In exact fractions."""
    if Fraction(y, n) < target - e1:
        return "E"
    if Fraction(y, n) <= target + e2 or Fraction(y - 1, n) < target - e1:
        return "S"
    return "D"
