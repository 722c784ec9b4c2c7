"""One-parameter CRM by brute force: Simpson's rule, plain loops. Imports nothing of ours."""

from math import exp, log, log1p


def curve(b: float, skeleton: list[float], model: str, intercept: float) -> list[float]:
    if model == "empiric":
        return [s ** exp(b) for s in skeleton]
    eta = [intercept + exp(b) * (log(s / (1 - s)) - intercept) for s in skeleton]
    return [1 / (1 + exp(min(-value, 600.0))) for value in eta]


def log_likelihood(b, skeleton, model, intercept, n, y):
    total = 0.0
    for p, nj, yj in zip(curve(b, skeleton, model, intercept), n, y, strict=True):
        p = min(max(p, 1e-300), 1 - 1e-16)
        total += yj * log(p) + (nj - yj) * log1p(-p)
    return total


def simpson(values: list[float], h: float) -> float:
    return h / 3 * (values[0] + values[-1] + 4 * sum(values[1:-1:2]) + 2 * sum(values[2:-1:2]))


def posterior(skeleton, sd, n, y, model="empiric", intercept=3.0, limit=None, steps=1000):
    """Mean and variance of b; with `limit` also P(p_j > limit), integrated up to each threshold."""

    def density(b):
        return exp(log_likelihood(b, skeleton, model, intercept, n, y) - b * b / (2 * sd * sd) - shift)

    low, high = -8 * sd, 8 * sd
    h = (high - low) / steps
    nodes = [low + i * h for i in range(steps + 1)]
    shift = max(log_likelihood(b, skeleton, model, intercept, n, y) - b * b / (2 * sd * sd) for b in nodes)
    values = [density(b) for b in nodes]
    mass = simpson(values, h)
    mean = simpson([b * v for b, v in zip(nodes, values, strict=True)], h) / mass
    square = simpson([b * b * v for b, v in zip(nodes, values, strict=True)], h) / mass
    if limit is None:
        return mean, square - mean**2, None
    tails = []
    for s in skeleton:
        if model == "empiric":
            edge = log(log(limit) / log(s))
        else:
            edge = log((log(limit / (1 - limit)) - intercept) / (log(s / (1 - s)) - intercept))
        edge = min(max(edge, low), high)
        step = (edge - low) / steps
        part = simpson([density(low + i * step) for i in range(steps + 1)], step) if step else 0.0
        tails.append(part / mass)
    return mean, square - mean**2, tails
