"""Naive second implementations of the expansion designs; nothing here imports escalon."""

from functools import cache
from itertools import product
from math import comb, prod


def pmf(x, n, p):
    return comb(n, x) * p**x * (1 - p) ** (n - x)


def two_stage_results(r1, n1, n):
    """Every way a two-stage trial can end: (stage, responses, list of (x1, x2))."""
    ends = {}
    for x1 in range(n1 + 1):
        if x1 <= r1:
            ends.setdefault((1, x1), []).append((x1, None))
        else:
            for x2 in range(n - n1 + 1):
                ends.setdefault((2, x1 + x2), []).append((x1, x2))
    return ends


def two_stage_probabilities(r1, n1, n, p):
    """Probability of each (stage, responses)."""
    return {
        end: sum(pmf(x1, n1, p) * (1 if x2 is None else pmf(x2, n - n1, p)) for x1, x2 in ways)
        for end, ways in two_stage_results(r1, n1, n).items()
    }


def simon_every_design(p0, p1, alpha, beta, nmax):
    """(n, EN0, r1, n1, r) of every feasible design, by trying them all."""
    found = []
    for n in range(2, nmax + 1):
        for n1 in range(1, n):
            for r1 in range(n1):
                at0 = two_stage_probabilities(r1, n1, n, p0)
                at1 = two_stage_probabilities(r1, n1, n, p1)
                for r in range(r1, n):
                    type1 = sum(q for (stage, x), q in at0.items() if stage == 2 and x > r)
                    power = sum(q for (stage, x), q in at1.items() if stage == 2 and x > r)
                    if type1 <= alpha and power >= 1 - beta:
                        pet = sum(q for (stage, _), q in at0.items() if stage == 1)
                        found.append((n, n1 + (1 - pet) * (n - n1), r1, n1, r))
    return found


def simon_best_by_size(p0, p1, alpha, beta, nmax):
    """{n: least EN0 of a feasible design}, by trying every first stage and cutoff."""
    best = {}
    for n in range(2, nmax + 1):
        for n1 in range(1, n):
            first = [[pmf(x, n1, p) for x in range(n1 + 1)] for p in (p0, p1)]
            second = [[pmf(x, n - n1, p) for x in range(n - n1 + 1)] for p in (p0, p1)]
            total = [[0.0] * (n + 1), [0.0] * (n + 1)]
            for r1 in range(n1 - 1, -1, -1):
                for i in range(2):
                    for x2, q in enumerate(second[i]):
                        total[i][r1 + 1 + x2] += first[i][r1 + 1] * q
                en0 = n1 + sum(first[0][r1 + 1 :]) * (n - n1)
                fits = any(
                    sum(total[0][r + 1 :]) <= alpha and sum(total[1][r + 1 :]) >= 1 - beta
                    for r in range(r1, n)
                )
                if fits and en0 < best.get(n, float("inf")):
                    best[n] = en0
    return best


def umvue_by_conditioning(r1, n1, n, stage, responses):
    """E[first patient responds | result], by listing patient by patient; small designs only."""
    with_first = every = 0
    for outcome in product((0, 1), repeat=n):
        x1 = sum(outcome[:n1])
        end = (1, x1) if x1 <= r1 else (2, sum(outcome))
        if end == (stage, responses):
            every += 1
            with_first += outcome[0]
    return with_first / every


def beta_above(limit, a, b):
    """P(p > limit) for p ~ Beta(a, b), by adaptive quadrature of the density on the log-odds scale."""
    from math import exp, lgamma, log, log1p

    from scipy.integrate import quad

    constant = lgamma(a + b) - lgamma(a) - lgamma(b)

    def density(t):
        return exp(constant - a * log1p(exp(-t)) - b * (t + log1p(exp(-t)))) if t > -700 else 0.0

    start = log(limit / (1 - limit))
    return quad(density, start, start + 60, epsabs=1e-13, epsrel=1e-12, limit=500, points=[start + 1])[0]


MEMBERS = {
    "binary": [(1,), (0,)],
    "nested": [(1, 1), (0, 1), (0, 0)],
    "co_primary": [(1, 1), (1, 0), (0, 1), (0, 0)],
    "efficacy_toxicity": [(1, 1), (1, 0), (0, 1), (0, 0)],
}


def bop2_verdict(kind, null, n, total, lam, gamma, eta, counts):
    """(futile, effective) after these counts of events in n patients."""
    posterior = []
    for j, count in enumerate(counts):
        rate = sum(p for p, m in zip(null, MEMBERS[kind], strict=True) if m[j])
        above = beta_above(rate, rate + count, 1 - rate + n - count)
        posterior.append(1 - above if kind == "efficacy_toxicity" and j == 1 else above)
    futile = [p < lam * (n / total) ** gamma for p in posterior]
    effective = [p >= 1 - (1 - lam) * (n / total) ** eta for p in posterior]
    if kind == "efficacy_toxicity":
        return any(futile), all(effective)
    return all(futile), any(effective)


def bop2_story(kind, null, looks, lam, gamma, eta, truth):
    """Success, futility probability and mean size, by every sequence of patients' cells."""
    if kind == "binary":
        null, truth = (null[0], 1 - null[0]), (truth[0], 1 - truth[0])
    seen = {}
    success = futility = size = 0.0
    for story in product(range(len(truth)), repeat=looks[-1]):
        chance = prod(truth[cell] for cell in story)
        for n in looks:
            counts = tuple(sum(column) for column in zip(*(MEMBERS[kind][c] for c in story[:n]), strict=True))
            if (n, counts) not in seen:
                seen[n, counts] = bop2_verdict(kind, null, n, looks[-1], lam, gamma, eta, counts)
            futile, effective = seen[n, counts]
            if futile or effective or n == looks[-1]:
                success += chance * (not futile)
                futility += chance * futile
                size += chance * n
                break
    return success, futility, size


@cache
def predictive_by_drawing(x, n, total, p0, theta, a, b):
    """PP patient by patient: the chance of the next response is the posterior mean."""
    if n == total:
        return 1.0 if beta_above(p0, a + x, b + n - x) > theta else 0.0
    response = (a + x) / (a + b + n)
    return response * predictive_by_drawing(x + 1, n + 1, total, p0, theta, a, b) + (
        1 - response
    ) * predictive_by_drawing(x, n + 1, total, p0, theta, a, b)


def monitoring_story(rules, looks, joint):
    """P(stop at each look) and P(each rule met at the stop), by every sequence of patients.

    `rules`: (axis, kind, limit, certainty, a, b); `joint`: {(event_1, ...): probability}.
    """
    seen = {}

    def met(rule, n, y):
        _, kind, limit, certainty, a, b = rule
        if (rule, n, y) not in seen:
            above = beta_above(limit, a + y, b + n - y)
            seen[rule, n, y] = (1 - above if kind == "futility" else above) > certainty
        return seen[rule, n, y]

    stop, fired = [0.0] * len(looks), [0.0] * len(rules)
    for story in product(joint, repeat=looks[-1]):
        chance = 1.0
        for patient in story:
            chance *= joint[patient]
        for k, n in enumerate(looks):
            now = [met(rule, n, sum(patient[rule[0]] for patient in story[:n])) for rule in rules]
            if any(now):
                stop[k] += chance
                for i, yes in enumerate(now):
                    fired[i] += chance * yes
                break
    return stop, fired


def expansion_story(start_n, start_y, looks, cells, stops, carry=True):
    """One start of an expansion, by every sequence of patients: {(further patients, reason): probability}.

    `cells`: {(dlt, response): probability}; `stops(n, y, x, last)`: reason to end or None.
    """
    p = sum(q for (dlt, _), q in cells.items() if dlt)
    given = {1: cells[1, 1] / p if p else 0.0, 0: cells[0, 1] / (1 - p) if p < 1 else 0.0}
    carried = [1] * start_y + [0] * (start_n - start_y) if carry else []
    result = {}
    for before in product((0, 1), repeat=len(carried)):
        chance = 1.0
        for dlt, response in zip(carried, before, strict=True):
            chance *= given[dlt] if response else 1 - given[dlt]
        for story in product(cells, repeat=looks[-1]):
            weight = chance
            for patient in story:
                weight *= cells[patient]
            if weight == 0:
                continue
            for m in looks:
                y = sum(carried) + sum(dlt for dlt, _ in story[:m])
                x = sum(before) + sum(response for _, response in story[:m])
                reason = stops(len(carried) + m, y, x, m == looks[-1])
                if reason:
                    result[m, reason] = result.get((m, reason), 0.0) + weight
                    break
    return result


def fourfold(p, q, odds):
    """{(dlt, response): probability} with margins p and q and this odds ratio, by bisection."""
    low, high = max(0.0, p + q - 1), min(p, q)
    for _ in range(200):
        both = (low + high) / 2
        smaller = both * (1 - p - q + both) < odds * (p - both) * (q - both)
        low, high = (both, high) if smaller else (low, both)
    return {(1, 1): both, (1, 0): p - both, (0, 1): q - both, (0, 0): 1 - p - q + both}


def joint_story(ends, further, cells, stops, carry):
    """Escalation ends one by one: ({(level, reason): probability}, {size: probability}, not opened per level).

    `ends`: (n per level, y per level, selected level or -1, probability); `cells`: one table per level.
    """
    reasons, sizes, closed = {}, {}, {}
    for n, y, level, weight in ends:
        total = sum(n)
        if level < 0:
            reasons[-1, "none"] = reasons.get((-1, "none"), 0.0) + weight
            sizes[total] = sizes.get(total, 0.0) + weight
            continue
        looks = (0, *further) if carry else further
        story = expansion_story(n[level], y[level], looks, cells[level], stops, carry)
        for (m, reason), chance in story.items():
            reasons[level, reason] = reasons.get((level, reason), 0.0) + weight * chance
            sizes[total + m] = sizes.get(total + m, 0.0) + weight * chance
            closed[level] = closed.get(level, 0.0) + weight * chance * (m == 0)
    return reasons, sizes, closed
