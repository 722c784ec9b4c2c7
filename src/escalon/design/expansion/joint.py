"""Escalation and expansion as one design: exact joint characteristics.

The escalation ends in states (n, y per level) with probabilities known exactly (`design.exact`). At the selected
level j it leaves n_j patients with y_j DLTs. The expansion treats further patients at that level, and its rules
are asked about all patients there: n_j + m patients and y_j + t DLTs after m more. Each end of the escalation is
therefore the start of a binomial recursion, and

    P(result) = sum over ends s with level j of P(s | p) P(result | start n_j(s), y_j(s), p_j).

Starts that agree in (n_j, y_j) are followed once. Responses are not part of the escalation, which does not look
at them; those of the carried patients are drawn given their DLTs, so that with an odds ratio other than 1 the
association of DLT and response within a patient reaches back into the escalation.

Conventions: at a look toxicity goes before success, success before futility. The rules are first asked about
the carried patients, before the expansion opens (`check_at_start`). Success is declared at the last look, or at
any look with `success_early`. Numbers of patients and DLTs count escalation and expansion together.

Sources: state-collapsed enumeration as in `design.exact`; monitoring rules of Thall, Simon 1994,
doi 10.2307/2533377; odds ratio to joint probabilities: Plackett 1965, JASA 60:516-522.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from escalon.design.expansion.checks import check_looks, check_whole
from escalon.design.expansion.monitoring import MonitoringRule
from escalon.design.expansion.sequential import CodeArray, FloatArray, IntArray, single_cells, walk
from escalon.design.expansion.simon import pmf
from escalon.design.operating_characteristics import check_prob_tox

if TYPE_CHECKING:
    from escalon.design.exact import Enumeration

GOES_ON, FUTILE, SUCCESS, TOXIC, COMPLETE = 0, 1, 2, 3, 4


@dataclass(frozen=True)
class ExpansionPlan:
    """What happens at the selected level after the escalation.

    `patients`: further patients; `toxicity`: rule on DLTs; `futility`, `success`: rules on responses, kinds
    "futility" and "efficacy"; `looks`: further patients at which the rules are asked, the last all of them;
    None asks after every patient; `carry`: patients treated at the level during the escalation count;
    `check_at_start`: ask before the first further patient; `success_early`: success ends the expansion.

    Raises ValueError for rules of the wrong kind or looks that do not fit.
    """

    patients: int
    toxicity: MonitoringRule | None = None
    futility: MonitoringRule | None = None
    success: MonitoringRule | None = None
    looks: tuple[int, ...] | None = None
    carry: bool = True
    check_at_start: bool = True
    success_early: bool = False

    def __post_init__(self) -> None:
        check_whole("patients", self.patients, 1)
        for name, kind in (("toxicity", "toxicity"), ("futility", "futility"), ("success", "efficacy")):
            rule = getattr(self, name)
            if rule is not None and rule.kind != kind:
                raise ValueError(f"{name}: got a rule of kind {rule.kind!r}; {kind!r} is needed")
        if self.looks is not None:
            looks = check_looks("looks", self.looks)
            if looks[-1] != self.patients:
                raise ValueError(
                    f"looks: the last look is at {looks[-1]}; must be at patients = {self.patients}"
                )
            object.__setattr__(self, "looks", looks)

    @property
    def all_looks(self) -> tuple[int, ...]:
        """Further patients at every look, 0 for the one before the expansion opens."""
        looks = self.looks if self.looks is not None else tuple(range(1, self.patients + 1))
        return (0, *looks) if self.check_at_start and self.carry else looks

    @property
    def needs_response(self) -> bool:
        """True when a rule asks about responses."""
        return self.futility is not None or self.success is not None


@dataclass(frozen=True)
class JointCharacteristics:
    """Escalation and expansion together, under one scenario. Probabilities are 0-1.

    Shape (levels,), each the probability of selecting the level and then: `prob_select` (any course);
    `prob_not_opened`: stopped on the carried patients alone; `prob_stop_toxicity`, `prob_stop_futility`:
    stopped for that reason at any look, before opening included; `prob_success`: success declared (zero
    without a success rule); `prob_complete`: all patients treated without any of the three. These four add up
    to `prob_select`, which with `prob_none` adds up to 1.

    `prob_any_success`, `prob_early_stop`: over the levels; the second counts ends before the last patient for
    toxicity or futility. `mean_n`, `mean_dlt`: expected patients and DLTs per level, both parts; `mean_response`:
    expected responses at the selected level, carried patients included, None without response rates;
    `mean_total_n`, `mean_total_dlt`; `mean_n_expansion`: expected further patients; `n_distribution`: probability
    of each total sample size; `expansion_distribution`: of each number of further patients, 0 when no level is
    selected.
    """

    prob_none: float
    prob_select: FloatArray
    prob_not_opened: FloatArray
    prob_stop_toxicity: FloatArray
    prob_stop_futility: FloatArray
    prob_success: FloatArray
    prob_complete: FloatArray
    prob_any_success: float
    prob_early_stop: float
    mean_n: FloatArray
    mean_dlt: FloatArray
    mean_response: FloatArray | None
    mean_total_n: float
    mean_total_dlt: float
    mean_n_expansion: float
    n_distribution: dict[int, float]
    expansion_distribution: dict[int, float]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        result: dict[str, Any] = {}
        for name, value in self.__dict__.items():
            if isinstance(value, np.ndarray):
                value = value.tolist()
            elif isinstance(value, dict):
                value = {str(key): p for key, p in value.items()}
            result[name] = value
        return result


def joint_oc(
    ends: "Enumeration",
    expansion: ExpansionPlan,
    prob_tox: Sequence[float] | FloatArray,
    prob_response: Sequence[float] | FloatArray | None = None,
    odds_ratio: float = 1.0,
) -> JointCharacteristics:
    """Exact joint characteristics of an enumerated escalation and its expansion.

    Parameters: `ends`: `enumerate_plan(plan)`; `prob_tox`, `prob_response`: true probabilities per level, 0-1,
    the second needed by rules on responses; `odds_ratio`: of response with DLT within a patient, above 0, 1 for
    none. Raises ValueError for a scenario that does not fit.

    >>> from escalon.design import EscalationPlan, enumerate_plan
    >>> plan = EscalationPlan.model_validate(
    ...     {"rule": {"kind": "boin", "target": 0.3}, "levels": 3, "cohort_size": 3, "max_patients": 18})
    >>> dlt = MonitoringRule("DLT", "toxicity", limit=0.3, certainty=0.9)
    >>> found = joint_oc(enumerate_plan(plan), ExpansionPlan(12, toxicity=dlt), [0.1, 0.3, 0.5])
    >>> round(float(found.prob_select.sum() + found.prob_none), 12)
    1.0
    """
    p = check_prob_tox(prob_tox, ends.levels)
    response = _check_response(prob_response, ends.levels, expansion)
    if not (np.isfinite(odds_ratio) and odds_ratio > 0):
        raise ValueError(f"odds_ratio: got {odds_ratio}; must be a number above 0, 1 for no association")
    weight = ends.probabilities(p)
    tally = _Tally(ends.levels, int(ends.n.sum(axis=1).max()) + expansion.patients, expansion.patients)
    none = ends.mtd < 0
    tally.add_none(ends.n[none].sum(axis=1), weight[none])
    carried_response = np.zeros(ends.levels)
    for j in range(ends.levels):
        rows = np.flatnonzero(ends.mtd == j)
        q = None if response is None else float(response[j])
        for start, chosen in _starts(ends, rows, j, expansion.carry):
            _follow(tally, expansion, j, start, float(p[j]), q, odds_ratio, ends, chosen, weight)
        if q is not None and rows.size:
            carried_response[j] = _mean_carried(ends, rows, j, weight, float(p[j]), q, odds_ratio)
    return tally.result(ends, weight, p, response, carried_response, expansion)


class _Tally:
    """Running sums over levels and starts."""

    def __init__(self, levels: int, most: int, patients: int) -> None:
        self.by_reason = np.zeros((5, levels))
        self.not_opened = np.zeros(levels)
        self.early = 0.0
        self.none = 0.0
        self.further = np.zeros(levels)
        self.total = np.zeros(most + 1)
        self.added = np.zeros(patients + 1)

    def add_none(self, sizes: IntArray, weight: FloatArray) -> None:
        """Escalations without a selected level."""
        self.none = float(weight.sum())
        self.added[0] += self.none
        np.add.at(self.total, sizes, weight)

    def add(
        self, level: int, m: int, reason: int, ending: FloatArray, weight: FloatArray, sizes: IntArray
    ) -> None:
        """Ends after `m` further patients: `ending`, probability given the start, for every escalation end."""
        chance = weight * ending
        mass = float(chance.sum())
        self.by_reason[reason, level] += mass
        self.further[level] += m * mass
        self.added[m] += mass
        np.add.at(self.total, sizes + m, chance)
        if m < self.added.size - 1 and reason in (FUTILE, TOXIC):
            self.early += mass
        if m == 0:
            self.not_opened[level] += mass

    def result(
        self,
        ends: "Enumeration",
        weight: FloatArray,
        p: FloatArray,
        response: FloatArray | None,
        carried_response: FloatArray,
        expansion: ExpansionPlan,
    ) -> JointCharacteristics:
        """Everything together."""
        escalation_n = weight @ ends.n
        mean_n = escalation_n + self.further
        mean_dlt = ends.start_y + (mean_n - ends.start_n) * p
        return JointCharacteristics(
            prob_none=self.none,
            prob_select=self.by_reason.sum(axis=0),
            prob_not_opened=self.not_opened,
            prob_stop_toxicity=self.by_reason[TOXIC],
            prob_stop_futility=self.by_reason[FUTILE],
            prob_success=self.by_reason[SUCCESS],
            prob_complete=self.by_reason[COMPLETE],
            prob_any_success=float(self.by_reason[SUCCESS].sum()),
            prob_early_stop=self.early,
            mean_n=mean_n,
            mean_dlt=mean_dlt,
            mean_response=None if response is None else carried_response + self.further * response,
            mean_total_n=float(mean_n.sum()),
            mean_total_dlt=float(mean_dlt.sum()),
            mean_n_expansion=float(self.further.sum()),
            n_distribution={int(k): float(self.total[k]) for k in np.flatnonzero(self.total)},
            expansion_distribution={int(k): float(self.added[k]) for k in np.flatnonzero(self.added)},
        )


def _check_response(
    prob_response: Sequence[float] | FloatArray | None, levels: int, expansion: ExpansionPlan
) -> FloatArray | None:
    if prob_response is None:
        if expansion.needs_response:
            raise ValueError("prob_response: needed by the rules on responses, one probability per level")
        return None
    try:
        return check_prob_tox(prob_response, levels)
    except ValueError as error:
        raise ValueError(
            str(error).replace("prob_tox", "prob_response").replace("DLT ", "response ")
        ) from None


def _starts(
    ends: "Enumeration", rows: IntArray, level: int, carry: bool
) -> list[tuple[tuple[int, IntArray], list[IntArray]]]:
    """((patients carried, their DLTs), ends of the escalation for each number of DLTs), by patients carried."""
    if rows.size == 0:
        return []
    if not carry:
        return [((0, np.zeros(1, dtype=np.int64)), [rows])]
    n, y = ends.n[rows, level], ends.y[rows, level]
    result = []
    for treated in np.unique(n):
        here = rows[n == treated]
        dlts = np.unique(y[n == treated])
        result.append(((int(treated), dlts), [here[ends.y[here, level] == count] for count in dlts]))
    return result


def _follow(
    tally: _Tally,
    expansion: ExpansionPlan,
    level: int,
    start: tuple[int, IntArray],
    p: float,
    q: float | None,
    odds_ratio: float,
    ends: "Enumeration",
    chosen: list[IntArray],
    weight: FloatArray,
) -> None:
    """Follow every start of one number of carried patients through the expansion."""
    treated, dlts = start
    looks = expansion.all_looks
    watch = q is not None and expansion.needs_response
    cells = joint_cells(p, q, odds_ratio) if watch and q is not None else single_cells(p)
    if watch and q is not None:
        mass = np.stack([_carried_responses(treated, int(y), cells) for y in dlts])[:, None, :]
    else:
        mass = np.ones((dlts.size, 1))
    axes = tuple(range(1, mass.ndim))

    def codes(k: int) -> CodeArray:
        return _codes(expansion, treated, dlts, looks[k], k == len(looks) - 1, watch)

    sizes = [ends.n[rows].sum(axis=1) for rows in chosen]
    for m, now, code in walk(looks, cells, codes, mass):
        for reason in (FUTILE, SUCCESS, TOXIC, COMPLETE):
            ending = np.where(code == reason, now, 0.0).sum(axis=axes)
            for i in np.flatnonzero(ending):
                rows = chosen[i]
                tally.add(level, m, reason, np.full(rows.size, ending[i]), weight[rows], sizes[i])


def _codes(
    expansion: ExpansionPlan, treated: int, dlts: IntArray, m: int, last: bool, watch: bool
) -> CodeArray:
    """Decision after `m` further patients, shape (starts, further DLTs[, responses])."""
    n = treated + m
    y = dlts[:, None] + np.arange(m + 1)[None, :]
    none = np.zeros((1, 1), dtype=bool)
    toxic = expansion.toxicity.stops(n, y) if expansion.toxicity is not None else none
    if not watch:
        return np.where(toxic, TOXIC, COMPLETE if last else GOES_ON).astype(np.int8)
    x = np.arange(n + 1)[None, None, :]
    never = np.zeros((1, 1, 1), dtype=bool)
    futile = expansion.futility.stops(n, x) if expansion.futility is not None else never
    wins = never
    if expansion.success is not None and (last or expansion.success_early):
        wins = expansion.success.stops(n, x)
    rest = np.where(wins, SUCCESS, np.where(futile, FUTILE, COMPLETE if last else GOES_ON))
    return np.where(toxic[:, :, None], TOXIC, rest).astype(np.int8)


def joint_cells(p: float, q: float, odds_ratio: float) -> FloatArray:
    """Probabilities of (DLT, response) in one patient, indexed [DLT, response].

    `p`, `q`: marginal probabilities of DLT and response; Plackett 1965.
    """
    if odds_ratio == 1:
        both = p * q
    else:
        s = 1 + (p + q) * (odds_ratio - 1)
        both = (s - np.sqrt(s * s - 4 * odds_ratio * (odds_ratio - 1) * p * q)) / (2 * (odds_ratio - 1))
    both = float(np.clip(both, max(0.0, p + q - 1), min(p, q)))
    return np.array([[1 - p - q + both, q - both], [p - both, both]]).clip(0.0)


def _carried_responses(treated: int, dlts: int, cells: FloatArray) -> FloatArray:
    """Distribution of the responses of `treated` patients, `dlts` of them with DLT, shape (treated + 1,)."""
    with_dlt, without = _given(cells)
    return np.convolve(pmf(dlts, with_dlt), pmf(treated - dlts, without))


def _given(cells: FloatArray) -> tuple[float, float]:
    """P(response | DLT), P(response | no DLT)."""
    p = float(cells[1].sum())
    with_dlt = float(cells[1, 1] / p) if p > 0 else 0.0
    without = float(cells[0, 1] / (1 - p)) if p < 1 else 0.0
    return min(with_dlt, 1.0), min(without, 1.0)


def _mean_carried(
    ends: "Enumeration", rows: IntArray, level: int, weight: FloatArray, p: float, q: float, odds_ratio: float
) -> float:
    """Expected responses of the patients treated at the selected level during the escalation."""
    with_dlt, without = _given(joint_cells(p, q, odds_ratio))
    n, y = ends.n[rows, level], ends.y[rows, level]
    return float(weight[rows] @ (y * with_dlt + (n - y) * without))
