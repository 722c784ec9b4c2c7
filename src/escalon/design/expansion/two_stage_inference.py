"""Inference after a two-stage design has ended: estimate, p-value and interval that know the design.

The number of responses over the number of patients is biased, and its usual p-value and interval can
contradict the decision. Here results are ordered as the design orders them (stage-wise): every result of the
second stage is above every result of the first, and within a stage more responses are above fewer. With
S(x, m | p) the probability of a result at least as high as x responses at stage m,

    S(x, 1 | p) = P(X1 >= x)
    S(x, 2 | p) = sum over x1 > r1 of b(x1; n1, p) P(X2 >= x - x1).

- p-value: S at p0. It is at most the design's type I error exactly when the design rejects.
- Estimate: the uniformly minimum variance unbiased estimator of Jung and Kim: x / n1 at stage 1, else
  sum C(n1-1, x1-1) C(n2, x-x1) / sum C(n1, x1) C(n2, x-x1) over x1 > r1.
- Interval at level 1 - 2 tail: lower limit p with S = tail. Upper limit by `method`: "exact" (default) counts
  the result in both tails, P(at most as high | p) = tail, and covers at least 1 - 2 tail (Clopper-Pearson for
  this ordering, Jennison and Turnbull); "koyama_chen" takes the p whose p-value lies in [tail, 1 - tail], which
  is shorter. The lower limit with tail = alpha exceeds p0 exactly when the p-value is below alpha.

Sources: Jung, Kim, Statistics in Medicine 2004;23:881-896; Koyama, Chen 2008, doi 10.1002/sim.3123; Jennison, Turnbull
1983, Technometrics 25:49-58.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import comb
from typing import Any, Literal

from escalon.design.expansion.checks import check_probability, check_whole
from escalon.design.expansion.simon import TwoStageDesign

IntervalMethod = Literal["exact", "koyama_chen"]


@dataclass(frozen=True)
class TwoStageInference:
    """What a finished two-stage trial says.

    `stage`: 1 or 2; `reject`: success was declared; `estimate`: unbiased response rate, 0-1; `naive`:
    responses over patients; `p_value`: against the unacceptable rate; `lower`, `upper`: limits at `level`.
    """

    stage: int
    patients: int
    responses: int
    reject: bool
    estimate: float
    naive: float
    p_value: float
    lower: float
    upper: float
    level: float
    method: IntervalMethod

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(self.__dict__)


def infer_two_stage(
    design: TwoStageDesign,
    responses: int,
    patients: int,
    p0: float,
    tail: float = 0.05,
    method: IntervalMethod = "exact",
) -> TwoStageInference:
    """Estimate, p-value and confidence interval after the trial has ended.

    Parameters: `responses` in `patients`, n1 after a stop at the first stage, else n; `p0`, unacceptable
    rate, 0-1; `tail`, error of each limit, 0-0.5: take the design's alpha for an interval of level
    1 - 2 alpha that agrees with the decision.

    Raises ValueError for a result the design cannot end with.

    >>> found = infer_two_stage(TwoStageDesign(3, 13, 12, 43), responses=15, patients=43, p0=0.2)
    >>> found.reject, round(found.estimate, 4), round(found.p_value, 4)
    (True, 0.3949, 0.013)
    """
    stage = _check_result(design, responses, patients)
    check_probability("p0", p0)
    check_probability("tail", tail)
    if tail >= 0.5:
        raise ValueError(f"tail: got {tail}; each tail must stay below 0.5")
    if method not in ("exact", "koyama_chen"):
        raise ValueError(f"method: got {method!r}; choose 'exact' or 'koyama_chen'")
    lower, upper = _limits(design, responses, stage, tail, method)
    return TwoStageInference(
        stage=stage,
        patients=patients,
        responses=responses,
        reject=stage == 2 and responses > design.r,
        estimate=estimate_umvue(design, responses, stage),
        naive=responses / patients,
        p_value=min(prob_at_least(design, responses, stage, p0), 1.0),
        lower=lower,
        upper=upper,
        level=1 - 2 * tail,
        method=method,
    )


def prob_at_least(design: TwoStageDesign, responses: int, stage: int, p: float) -> float:
    """Probability, at response rate `p`, of a result at least as high in the stage-wise ordering."""
    first = [_binomial(x1, design.n1, p) for x1 in range(design.n1 + 1)]
    if stage == 1:
        return sum(first[responses:])
    n2 = design.n - design.n1
    return sum(
        first[x1] * sum(_binomial(x2, n2, p) for x2 in range(max(responses - x1, 0), n2 + 1))
        for x1 in range(design.r1 + 1, design.n1 + 1)
    )


def estimate_umvue(design: TwoStageDesign, responses: int, stage: int) -> float:
    """Unbiased estimate of the response rate; Jung, Kim 2004."""
    if stage == 1:
        return responses / design.n1
    n1, n2 = design.n1, design.n - design.n1
    ways = [
        (comb(n1 - 1, x1 - 1) * comb(n2, responses - x1), comb(n1, x1) * comb(n2, responses - x1))
        for x1 in range(max(design.r1 + 1, responses - n2), min(responses, n1) + 1)
    ]
    return sum(one for one, _ in ways) / sum(every for _, every in ways)


def _check_result(design: TwoStageDesign, responses: int, patients: int) -> int:
    """Stage at which the trial ended."""
    if patients not in (design.n1, design.n):
        raise ValueError(
            f"patients: got {patients}; this design ends with n1 = {design.n1} or n = {design.n} patients"
        )
    check_whole("responses", responses, 0, patients, "patients")
    if patients == design.n1 and responses > design.r1:
        raise ValueError(
            f"responses: {responses} of n1 = {design.n1} exceed r1 = {design.r1}; the trial goes on to {design.n}"
        )
    if patients == design.n and responses <= design.r1:
        raise ValueError(
            f"responses: got {responses} of n = {design.n}; the second stage is reached with more than "
            f"r1 = {design.r1} responses only"
        )
    return 1 if patients == design.n1 else 2


def _limits(
    design: TwoStageDesign, responses: int, stage: int, tail: float, method: IntervalMethod
) -> tuple[float, float]:
    def high(p: float) -> float:
        return prob_at_least(design, responses, stage, p)

    def above(p: float) -> float:
        """Probability of a strictly higher result."""
        return prob_at_least(design, responses + 1, stage, p)

    lowest = stage == 1 and responses == 0
    if lowest and method == "koyama_chen":
        raise ValueError(
            "method: 'koyama_chen' has no limits after 0 responses, every p-value being 1; use 'exact'"
        )
    lower = 0.0 if lowest else _solve(high, tail)
    if responses == design.n:
        return lower, 1.0
    return lower, _solve(above if method == "exact" else high, 1 - tail)


def _solve(rising: Callable[[float], float], level: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(lambda p: rising(p) - level, 0.0, 1.0, xtol=1e-14, rtol=1e-14))


def _binomial(x: int, n: int, p: float) -> float:
    return comb(n, x) * p**x * (1 - p) ** (n - x)
