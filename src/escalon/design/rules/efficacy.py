"""What the rules share that look at efficacy as well as toxicity."""

from dataclasses import dataclass, field

import numpy as np

from escalon.design.rules.base import FloatArray, IntArray, Rule, States


def _nothing() -> IntArray:
    return np.zeros((0, 0), dtype=np.int64)


@dataclass(frozen=True)
class EfficacyStates(States):
    """States with efficacy: `e`, patients with efficacy, and `both`, patients with a DLT and efficacy, both of
    shape (states, levels)."""

    e: IntArray = field(default_factory=_nothing)
    both: IntArray = field(default_factory=_nothing)


@dataclass(frozen=True)
class EfficacyEstimate:
    """What an efficacy rule knows of one level; fractions 0-1.

    `level` 1-based; `n`, `y`, `e`: patients, with a DLT, with efficacy; `prob_tox`, `prob_eff`: posterior means, with
    their equal-tailed 95% intervals (`tox_lower`, `tox_upper`; `eff_lower`, `eff_upper`);
    `score`: the rule's figure of merit (desirability of BOIN12, utility of EffTox); `prob_too_toxic`,
    `prob_futile`: posterior probability of violating the toxicity and the efficacy limit; `admissible`.
    """

    level: int
    n: int
    y: int
    e: int
    prob_tox: float
    prob_eff: float
    score: float
    prob_too_toxic: float
    prob_futile: float
    admissible: bool
    tox_lower: float
    tox_upper: float
    eff_lower: float
    eff_upper: float


class EfficacyRule(Rule):
    """A rule whose decision rests on toxicity and efficacy; it sees `EfficacyStates`."""

    @property
    def efficacy(self) -> bool:
        """Always."""
        return True

    @property
    def margins_suffice(self) -> bool:
        """True when the counts of toxicity and of efficacy decide, without the count of both together."""
        return False

    @property
    def borrows(self) -> bool:
        """True when what is known of an untried level rests on the data of the others."""
        return False

    @property
    def enumerable_states(self) -> int:
        """Live states beyond which an enumeration is refused; the default takes about 0.5 GB with 3 levels."""
        return 300_000

    def select(self, n: IntArray, y: IntArray) -> IntArray:
        """Not answerable from toxicity alone; see `select_obd`."""
        raise ValueError(f"rule {self.kind} selects a dose from toxicity and efficacy: responses are needed")

    def select_obd(self, states: EfficacyStates) -> IntArray:
        """Optimal biological dose from final counts, 0-based, -1 for none, shape (states,)."""
        raise NotImplementedError

    def estimates_efficacy(self, states: EfficacyStates) -> tuple[EfficacyEstimate, ...]:
        """One entry per level, for one state."""
        raise NotImplementedError

    def explain_efficacy(self, states: EfficacyStates) -> list[str]:
        """Sentences with the numbers the proposal rests on, for one state."""
        raise NotImplementedError

    def true_utility(self, prob_tox: FloatArray, prob_eff: FloatArray, both: FloatArray) -> FloatArray:
        """The rule's figure of merit where the probabilities are known, shape (levels,); -inf where a level
        violates the limits. `both`: probability of toxicity and efficacy together."""
        raise NotImplementedError


def joint_probability(prob_tox: FloatArray, prob_eff: FloatArray, odds_ratio: float) -> FloatArray:
    """P(toxicity and efficacy) with a common odds ratio (Plackett 1965, doi 10.1080/01621459.1965.10480807)."""
    if abs(odds_ratio - 1) < 1e-12:
        return np.asarray(prob_tox * prob_eff)
    a = 1 + (prob_tox + prob_eff) * (odds_ratio - 1)
    root = np.sqrt(a * a - 4 * odds_ratio * (odds_ratio - 1) * prob_tox * prob_eff)
    return np.asarray(2 * odds_ratio * prob_tox * prob_eff / (a + root))
