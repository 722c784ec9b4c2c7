"""Naive second implementations of the expansion designs; nothing here imports escalon."""

from itertools import product
from math import comb


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
