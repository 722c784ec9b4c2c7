"""Second implementations of the analysis methods, slow and plain, written from the formulas.

Nothing of escalon is imported.

Survival works on exact fractions and loops over patients, so that no shared shortcut (sorting, cumulative products,
index searches) can hide the same mistake twice.
"""

import math
from fractions import Fraction
from itertools import pairwise

Z95 = 1.959963984540054


def survival_after(data, t):
    """S(t) as a fraction: data is a list of (time, event)."""
    s = Fraction(1)
    for moment in sorted({x for x, e in data if e and x <= t}):
        at_risk = sum(1 for x, _ in data if x >= moment)
        events = sum(1 for x, e in data if e and x == moment)
        s *= 1 - Fraction(events, at_risk)
    return s


def follow_up_after(data, t):
    """Reverse curve G(t): censorings among those still there once the events of the day have left."""
    g = Fraction(1)
    for moment in sorted({x for x, e in data if not e and x <= t}):
        left = sum(1 for x, e in data if x > moment or (x == moment and not e))
        gone = sum(1 for x, e in data if x == moment and not e)
        g *= 1 - Fraction(gone, left)
    return g


def greenwood(data, t):
    """Variance of log S(t), a fraction."""
    total = Fraction(0)
    for moment in {x for x, e in data if e and x <= t}:
        n = sum(1 for x, _ in data if x >= moment)
        d = sum(1 for x, e in data if e and x == moment)
        total += Fraction(d, n * (n - d))
    return total


def log_log_interval(data, t, z=Z95):
    """Solve |log(-log p) - log(-log S)| = z sigma / |log S| for p; None at 0 and 1."""
    s = survival_after(data, t)
    if s in (0, 1):
        return None
    centre = math.log(-math.log(s))
    half = z * math.sqrt(greenwood(data, t)) / -math.log(s)
    return math.exp(-math.exp(centre + half)), math.exp(-math.exp(centre - half))


def transformed_interval(data, t, g, z=Z95):
    """g(p) = g(S) -/+ z |g'(S)| S sigma solved for p by bisection, g rising; None at 0 and 1.

    The slope of g is a difference quotient: nothing of the closed forms is used.
    """
    s = float(survival_after(data, t))
    if s in (0.0, 1.0):
        return None
    step = 1e-5 * min(s, 1 - s)
    slope = (g(s + step) - g(s - step)) / (2 * step)
    half = z * slope * s * math.sqrt(greenwood(data, t))
    ends = []
    for target in (g(s) - half, g(s) + half):
        low, high = 0.0, 1.0
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if g(middle) < target else (low, middle)
        ends.append(low)
    return tuple(ends)


def quantile(data, p, rule):
    """The time at which S falls below 1 - p; on a plateau the middle, by the rule of R or of SAS."""
    level = 1 - Fraction(p)
    times = sorted({x for x, _ in data})
    at_or_below = [t for t in times if survival_after(data, t) <= level]
    if not at_or_below:
        return None
    first = at_or_below[0]
    if survival_after(data, first) < level:
        return first
    later = [t for t in times if survival_after(data, t) < level]
    if later:
        return (first + later[0]) / 2
    return (first + times[-1]) / 2 if rule == "r" else None


def log_rank_two_groups(data):
    """Chi-square of two groups from 2 x 2 tables: data is a list of (time, event, 0 or 1); None without variance."""
    difference = variance = Fraction(0)
    for moment in sorted({x for x, e, _ in data if e}):
        n = sum(1 for x, _, _ in data if x >= moment)
        n1 = sum(1 for x, _, g in data if x >= moment and g == 1)
        d = sum(1 for x, e, _ in data if x == moment and e)
        d1 = sum(1 for x, e, g in data if x == moment and e and g == 1)
        difference += d1 - Fraction(d * n1, n)
        if n > 1:
            variance += Fraction(d * n1 * (n - n1) * (n - d), n * n * (n - 1))
    return None if variance == 0 else difference**2 / variance


def cumulative_incidence(data, t, cause):
    """Share with ``cause`` by t: data is a list of (time, cause or None)."""
    free, total = Fraction(1), Fraction(0)
    for moment in sorted({x for x, c in data if c is not None and x <= t}):
        n = sum(1 for x, _ in data if x >= moment)
        total += free * Fraction(sum(1 for x, c in data if x == moment and c == cause), n)
        free *= 1 - Fraction(sum(1 for x, c in data if x == moment and c is not None), n)
    return total


def binomial_upper_tail(x, n, p):
    """P(X >= x) as a fraction."""
    return sum(Fraction(math.comb(n, k)) * p**k * (1 - p) ** (n - k) for k in range(x, n + 1))


def clopper_pearson(x, n, tail=0.025):
    """Bisection on the binomial tails."""

    def solve(too_small):
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if too_small(Fraction(middle)) else (low, middle)
        return (low + high) / 2

    low = 0.0 if x == 0 else solve(lambda p: binomial_upper_tail(x, n, p) < tail)
    high = 1.0 if x == n else solve(lambda p: 1 - binomial_upper_tail(x + 1, n, p) > tail)
    return low, high


def line_integral(t1, c1, t2, c2, log, power, steps=2000):
    """Simpson integral between two samples.

    The linear rule for the moment joins the products t c by a straight line; that is the convention, not the moment
    of a line.
    """

    def f(t):
        share = (t - t1) / (t2 - t1)
        if log:
            return t**power * c1 * (c2 / c1) ** share
        return t1**power * c1 + share * (t2**power * c2 - t1**power * c1)

    h = (t2 - t1) / steps
    inner = sum((4 if i % 2 else 2) * f(t1 + i * h) for i in range(1, steps))
    return h / 3 * (f(t1) + inner + f(t2))


def area(samples, method, power=0):
    """AUC (power 0) or AUMC (power 1) of samples [(t, c)] by numerical integration of the drawn line."""
    peak = max(samples, key=lambda s: s[1])[0] if samples else 0
    total = 0.0
    for (t1, c1), (t2, c2) in pairwise(samples):
        positive = c1 > 0 and c2 > 0
        log = positive and (
            (method == "lin-up log-down" and c2 < c1) or (method == "linear-log" and t1 >= peak)
        )
        total += line_integral(t1, c1, t2, c2, log, power)
    return total


def regression(points):
    """Slope, intercept and R2 of log concentration by the normal equations."""
    n = len(points)
    t, y = [p[0] for p in points], [math.log(p[1]) for p in points]
    st, sy = sum(t), sum(y)
    stt, sty = sum(a * a for a in t), sum(a * b for a, b in zip(t, y, strict=True))
    slope = (n * sty - st * sy) / (n * stt - st * st)
    intercept = (sy - slope * st) / n
    residual = sum((b - intercept - slope * a) ** 2 for a, b in zip(t, y, strict=True))
    spread = sum((b - sy / n) ** 2 for b in y)
    return slope, intercept, 1 - residual / spread


def terminal_slope(samples, after):
    """(lambda_z, n) over windows of positive samples after a time: best adjusted R2, most points within 1e-4; None."""
    points = [s for s in samples if s[0] > after and s[1] > 0]
    found = []
    for n in range(3, len(points) + 1):
        values = [c for _, c in points[-n:]]
        if max(values) - min(values) < 1e-10 * max(values):
            continue
        slope, _, r2 = regression(points[-n:])
        # A fall that is nothing beside the scatter of the samples is made of rounding errors.
        scatter = math.log(max(values)) - math.log(min(values))
        if -slope * (points[-1][0] - points[-n][0]) > 1e-8 * scatter:
            found.append((1 - (1 - r2) * (n - 1) / (n - 2), n, -slope))
    if not found:
        return None
    best = max(f[0] for f in found)
    _, n, lambda_z = max((f for f in found if f[0] >= best - 1e-4), key=lambda f: f[1])
    return lambda_z, n


def progression_free(facts, start, windows, infusion, end):
    """(days, event) of one patient: facts is a list of (kind, day); windows of (opens, closes) after the infusion.

    Two missed visits, transplant and new therapy censor at the last assessment; overlapping windows are one visit;
    nothing after day ``end`` is seen. Written as a list of candidate days, the earliest of which decides.
    """
    days = {kind: sorted(d for k, d in facts if k == kind and d >= start) for kind, _ in facts}
    seen = days.get("ASSESSMENT", [])
    event = min(days.get("PROGRESSION", []) + days.get("DEATH", []), default=None)
    stop = min((d for d in days.get("HSCT", []) + days.get("NEW_THERAPY", []) if d <= end), default=None)

    def last_before(day):
        return max([d for d in seen if d <= day], default=start)

    # (day it happened, order within a day, day the time runs to, event)
    candidates = [(10**6, 9, max(seen, default=start), False)]
    if event is not None:
        candidates.append((event, 0, event, True))
        last, closed = last_before(event), []
        covered = sorted({day for opens, closes in windows for day in range(opens, closes + 1)})
        runs = [[covered[0]]]
        for day in covered[1:]:
            if day == runs[-1][-1] + 1:
                runs[-1].append(day)
            else:
                runs.append([day])
        for run in runs:
            if infusion + run[0] > last and infusion + run[-1] < event:
                closed.append(infusion + run[-1])
        if len(closed) >= 2:
            candidates.append((closed[1], 2, last, False))
    if stop is not None:
        candidates.append((stop, 1, last_before(stop), False))
    if (event if event is not None else max(seen, default=start)) > end:
        candidates.append((end, 3, end, False))
    _, _, day, happened = min(candidates)
    return day - start, happened
