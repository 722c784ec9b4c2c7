"""Calibration: skeletons, indifference intervals, priors from quantiles, search with the exact engine."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from escalon.design.exact import enumerate_plan
from escalon.design.operating_characteristics import OperatingCharacteristics

if TYPE_CHECKING:
    from escalon.design.plan import EscalationPlan


def _logit(p: float) -> float:
    return log(p / (1 - p))


def compute_skeleton(
    halfwidth: float,
    target: float,
    prior_mtd: int,
    levels: int,
    model: Literal["empiric", "logistic"] = "empiric",
    intercept: float = 3.0,
) -> tuple[float, ...]:
    """CRM skeleton from an indifference half-width.

    Neighbouring levels k < k + 1 share the boundary value of b at which p_k = target - halfwidth and
    p_(k+1) = target + halfwidth; `prior_mtd` (1-based) has the target itself.

    Source: Lee, Cheung 2009, doi 10.1177/1740774509105076; R package dfcrm 0.2-2.1 `getprior`.
    Raises ValueError for a half-width that does not fit the target, or a level out of range.

    >>> [round(p, 4) for p in compute_skeleton(0.05, 0.25, 3, 5)]
    [0.084, 0.1567, 0.25, 0.3545, 0.4603]
    """
    if not 0 < target < 1:
        raise ValueError(f"target: must lie inside (0, 1); got {target}")
    if not 0 < halfwidth < min(target, 1 - target):
        raise ValueError(f"halfwidth: must lie between 0 and {min(target, 1 - target):g}; got {halfwidth}")
    if not 1 <= prior_mtd <= levels:
        raise ValueError(f"prior_mtd: 1 to {levels} expected; got {prior_mtd}")
    if model == "empiric":
        ratio = log(target + halfwidth) / log(target - halfwidth)
        return tuple(float(target ** (ratio ** (k - prior_mtd))) for k in range(1, levels + 1))
    upper, lower = _logit(target + halfwidth) - intercept, _logit(target - halfwidth) - intercept
    if upper >= 0:
        raise ValueError(f"intercept: must exceed logit(target + halfwidth) = {upper + intercept:g}")
    x = [(_logit(target) - intercept) * (upper / lower) ** (k - prior_mtd) for k in range(1, levels + 1)]
    return tuple(float(1 / (1 + np.exp(-(intercept + value)))) for value in x)


def compute_indifference(
    skeleton: Sequence[float],
    target: float,
    model: Literal["empiric", "logistic"] = "empiric",
    intercept: float = 3.0,
) -> list[tuple[float, float]]:
    """Indifference interval per level: the DLT probabilities of a level for which the CRM may pick it in the end.

    The boundary between levels k and k + 1 is the b at which (p_k + p_(k+1)) / 2 = target; the interval of
    level k is p_k between its two boundaries, open to 0 and 1 at the ends.

    Source: Cheung, Chappell 2002, doi 10.1111/j.0006-341X.2002.00671.x (R package dfcrm, `crmsens`).
    """
    from scipy.optimize import brentq

    from escalon.design.rules.crm import Crm

    rule = Crm(target=target, skeleton=tuple(skeleton), model=model, intercept=intercept)

    def boundary(k: int) -> float:
        def excess(b: float) -> float:
            p = rule.prob_tox(np.array([b]))[0]
            return float(p[k] + p[k + 1]) / 2 - target

        return float(brentq(excess, -20.0, 6.0, xtol=1e-12))

    edges = [boundary(k) for k in range(len(skeleton) - 1)]
    at = [rule.prob_tox(np.array([edge]))[0] for edge in edges]
    return [
        (
            float(at[k][k]) if k < len(edges) else 0.0,
            float(at[k - 1][k]) if k else 1.0,
        )
        for k in range(len(skeleton))
    ]


@dataclass(frozen=True)
class BivariatePrior:
    """Prior of (log a, log b): means, standard deviations, correlation; and the quantiles it gives back."""

    mean: tuple[float, float]
    sd: tuple[float, float]
    correlation: float
    quantiles: tuple[tuple[float, ...], ...]
    worst: float


def fit_prior_to_quantiles(
    doses: Sequence[float],
    ref_dose: float,
    quantiles: Mapping[float, Sequence[float]],
    correlation: float = 0.0,
) -> BivariatePrior:
    """Prior for the two-parameter logistic model from quantiles of the DLT probability per dose.

    Parameters: `quantiles`, probability -> DLT probabilities per dose, e.g. {0.025: [...], 0.5: [...],
    0.975: [...]}; `correlation` of log a and log b, fixed. Least squares on the logit scale, where a quantile
    of log a + b x is found by quadrature over log b. `worst` is the largest gap of a DLT probability.

    Source: Neuenschwander, Branson, Gsponer 2008, appendix A.1, doi 10.1002/sim.3230.
    """
    from scipy.optimize import least_squares

    x = np.log(np.asarray(doses, dtype=float) / ref_dose)
    wanted = np.array([quantiles[q] for q in quantiles], dtype=float)
    if wanted.shape[1] != x.size or np.any((wanted <= 0) | (wanted >= 1)):
        raise ValueError("quantiles: one DLT probability inside (0, 1) per dose is expected in every row")
    probabilities = np.array(list(quantiles), dtype=float)

    def given(parameters: Any) -> Any:
        m1, m2, log_s1, log_s2 = parameters
        return _logit_quantiles(
            x, probabilities, (m1, m2), (float(np.exp(log_s1)), float(np.exp(log_s2))), correlation
        )

    goal = np.log(wanted / (1 - wanted))
    found = least_squares(lambda v: (given(v) - goal).ravel(), [np.median(goal), 0.0, 0.3, -0.5])
    m1, m2, log_s1, log_s2 = (float(value) for value in found.x)
    back = 1 / (1 + np.exp(-given(found.x)))
    return BivariatePrior(
        (m1, m2),
        (float(np.exp(log_s1)), float(np.exp(log_s2))),
        correlation,
        tuple(tuple(float(p) for p in row) for row in back),
        float(np.abs(back - wanted).max()),
    )


def _logit_quantiles(
    x: Any, probabilities: Any, mean: tuple[float, float], sd: tuple[float, float], correlation: float
) -> Any:
    """Quantiles of log a + exp(log b) x, shape (probabilities, doses), by bisection on the mixed normal."""
    from scipy.special import ndtr

    z, weight = np.polynomial.hermite_e.hermegauss(40)
    weight = weight / weight.sum()
    inner = sd[0] * sqrt(1 - correlation**2)
    centre = mean[0] + correlation * sd[0] * z[:, None] + np.exp(mean[1] + sd[1] * z)[:, None] * x
    low = np.full((probabilities.size, x.size), -60.0)
    high = -low
    for _ in range(60):
        middle = (low + high) / 2
        below = np.einsum("k,kqd->qd", weight, ndtr((middle[None] - centre[:, None, :]) / inner))
        low = np.where(below < probabilities[:, None], middle, low)
        high = np.where(below < probabilities[:, None], high, middle)
    return (low + high) / 2


@dataclass(frozen=True)
class Candidate:
    """One set of rule parameters, its score and its characteristics per scenario."""

    parameters: dict[str, Any]
    score: float
    characteristics: tuple[OperatingCharacteristics, ...]


def search_parameters(
    plan: "EscalationPlan",
    parameters: Mapping[str, Sequence[Any]],
    scenarios: Sequence[Sequence[float]],
    score: Callable[[Sequence[OperatingCharacteristics]], float] | None = None,
) -> list[Candidate]:
    """Try every combination of rule parameters with the exact engine; best first.

    `parameters`: rule field -> values; `score`: characteristics over the scenarios -> larger is better
    (default: mean probability of selecting the correct level minus that of selecting an overdose).
    Combinations the rule refuses are left out; ValueError when all are.
    """
    from itertools import product

    rate = score or _default_score
    found = []
    for values in product(*parameters.values()):
        chosen = dict(zip(parameters, values, strict=True))
        content = plan.model_dump()
        content["rule"] = {**content["rule"], **chosen}
        try:
            candidate = type(plan).model_validate(content)
        except ValueError:
            continue
        ends = enumerate_plan(candidate)
        characteristics = tuple(ends.oc(scenario) for scenario in scenarios)
        found.append(Candidate(chosen, rate(characteristics), characteristics))
    if not found:
        raise ValueError("parameters: the rule refuses every combination")
    return sorted(found, key=lambda candidate: -candidate.score)


def _default_score(characteristics: Sequence[OperatingCharacteristics]) -> float:
    return float(np.mean([oc.prob_select_correct - oc.prob_select_overdose for oc in characteristics]))
