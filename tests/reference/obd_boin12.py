"""BOIN12 written plainly from Lin et al. 2020, one trial state at a time; imports nothing from the package."""

from itertools import product
from math import comb, log

from scipy.special import betainc, betaincc

U = (100, 40, 60, 0)


def limits(phi):
    low, high = 0.6 * phi, 1.4 * phi
    return (
        log((1 - low) / (1 - phi)) / log(phi * (1 - low) / (low * (1 - phi))),
        log((1 - phi) / (1 - high)) / log(high * (1 - phi) / (phi * (1 - high))),
    )


def desirability(n, y, e, b, tox, eff, u=U):
    x = (u[0] * (e - b) + u[1] * (n - y - e + b) + u[2] * b + u[3] * (y - b)) / 100
    low = u[0] * eff * (1 - tox) + u[1] * (1 - tox) * (1 - eff) + u[2] * tox * eff + u[3] * tox * (1 - eff)
    return betaincc(1 + x, 1 + n - x, (low + 100) / 200)


def admissible_levels(n, y, e, tox, eff):
    found = []
    for j in range(len(n)):
        if betaincc(1 + y[j], 1 + n[j] - y[j], tox) >= 0.95:
            break
        if betainc(1 + e[j], 1 + n[j] - e[j], eff) < 0.90:
            found.append(j)
    return found


def next_level(n, y, e, b, d, tox, eff, u=U):
    """0-based level, or None when no level is admissible."""
    ok = admissible_levels(n, y, e, tox, eff)
    if not ok:
        return None
    low, high = limits(tox)
    q = y[d] / n[d]
    if q >= high:
        return max(d - 1, 0)
    if n[d] >= 9 and d + 1 < len(n) and n[d + 1] == 0 and d + 1 in ok:
        return d + 1
    near = [d - 1, d] if low < q and n[d] >= 6 else [d - 1, d, d + 1]
    near = [j for j in near if j in ok]
    if not near:
        return min(ok, key=lambda j: (abs(j - d), j))
    return max(near, key=lambda j: (round(desirability(n[j], y[j], e[j], b[j], tox, eff, u), 11), j))


def isotonic(values, weights):
    blocks = []
    for value, weight in zip(values, weights, strict=True):
        blocks.append([value, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            v2, w2, c2 = blocks.pop()
            v1, w1, c1 = blocks.pop()
            blocks.append([(v1 * w1 + v2 * w2) / (w1 + w2), w1 + w2, c1 + c2])
    return [v for v, _, c in blocks for _ in range(c)]


def select(n, y, e, b, tox, eff, u=U):
    ok = admissible_levels(n, y, e, tox, eff)
    safe = []
    for j in range(len(n)):
        if betaincc(1 + y[j], 1 + n[j] - y[j], tox) >= 0.95:
            break
        if n[j]:
            safe.append(j)
    if not safe:
        return None
    est = [(y[j] + 0.05) / (n[j] + 0.1) for j in safe]
    var = [(y[j] + 0.05) * (n[j] - y[j] + 0.05) / ((n[j] + 0.1) ** 2 * (n[j] + 1.1)) for j in safe]
    fit = [v + 1e-10 * (j + 1) for v, j in zip(isotonic(est, [1 / v for v in var]), safe, strict=True)]
    mtd = safe[min(range(len(safe)), key=lambda i: abs(fit[i] - tox))]
    pool = [j for j in safe if j in ok and j <= mtd]
    if not pool:
        return None

    def utility(j):
        x = (
            u[0] * (e[j] - b[j]) + u[1] * (n[j] - y[j] - e[j] + b[j]) + u[2] * b[j] + u[3] * (y[j] - b[j])
        ) / 100
        return (1 + x) / (2 + n[j])

    return max(pool, key=lambda j: (round(utility(j), 11), j))


def outcome_tree(levels, size, total, p, q, pq, tox, eff, u=U):
    """Selection probabilities (levels, then none) and mean patients, by walking every path."""
    cells = lambda d: (pq[d], p[d] - pq[d], q[d] - pq[d], 1 - p[d] - q[d] + pq[d])  # noqa: E731
    selected, mean_n = [0.0] * (levels + 1), [0.0] * levels

    def finish(n, chosen, weight):
        selected[levels if chosen is None else chosen] += weight
        for j in range(levels):
            mean_n[j] += weight * n[j]

    def walk(n, y, e, b, d, weight):
        for k in product(range(size + 1), repeat=3):
            rest = size - sum(k)
            if rest < 0:
                continue
            both, only_tox, only_eff = k
            ways = comb(size, both) * comb(size - both, only_tox) * comb(size - both - only_tox, only_eff)
            chance = ways
            for count, c in zip((*k, rest), cells(d), strict=True):
                chance *= c**count
            if chance == 0:
                continue
            n2, y2, e2, b2 = (list(v) for v in (n, y, e, b))
            n2[d] += size
            y2[d] += both + only_tox
            e2[d] += both + only_eff
            b2[d] += both
            if sum(n2) >= total:
                finish(n2, select(n2, y2, e2, b2, tox, eff, u), weight * chance)
                continue
            following = next_level(n2, y2, e2, b2, d, tox, eff, u)
            if following is None:
                finish(n2, None, weight * chance)
            else:
                walk(n2, y2, e2, b2, following, weight * chance)

    zero = [0] * levels
    walk(zero, zero, zero, zero, 0, 1.0)
    return selected, mean_n
