"""What the design report says, as numbers: everything the pages and files of a design show is computed here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from escalon.design import (
    Comparison,
    Enumeration,
    EscalationPlan,
    OperatingCharacteristics,
    PlanTooLargeError,
    compare,
    dose_paths,
    enumerate_plan,
    simulate_oc,
)
from escalon.design.answers import table_answer
from escalon.design.calibrate import compute_skeleton
from escalon.design.paths import PathNode
from escalon.design.rules.grid import GridRule
from escalon.protocol.load import StudyFolder
from escalon.report.results.groups import level_labels
from escalon.report.wording import rule_name

if TYPE_CHECKING:
    from escalon.design.expansion.joint import JointCharacteristics

Step = Callable[[str], None]
STEPS = ("Decision table", "Pathways", "Scenarios", "Moving dose", "Comparison", "Expansion", "Page", "Files")
COHORTS_AHEAD = 3
TRIALS, SEED = 10_000, 1
OVERDOSING = 1.4
"""Times the target: the lowest DLT rate regarded as overdosing, as BOIN proposes (doi 10.1111/rssc.12089)."""
SIMULATED = "it is made for plans that decide by DLT counts alone and can be enumerated"
NO_LINE = "the levels of a combination do not lie on one line"
RIVALS = ("three_plus_three", "boin", "i3_plus_3", "crm")


@dataclass(frozen=True)
class MovingDose:
    """Characteristics as the dose that meets the target moves along the levels, for one steepness after another.

    `positions`: where on the axis of levels (1 = first level) the DLT probability equals the target; `step`: rise
    of the log-odds from level to level; `results`: one per position; `steps`, `surface`: more of them and the
    probability of the right answer at every second position, shape (steps, positions).
    """

    positions: tuple[float, ...]
    step: float
    results: tuple[OperatingCharacteristics, ...]
    steps: tuple[float, ...]
    surface: np.ndarray


@dataclass(frozen=True)
class DesignContent:
    """A plan and how it behaves; a part is None where the plan has none, and `absent` says why."""

    folder: StudyFolder
    table: dict[str, Any] | None
    paths: tuple[PathNode, ...] | None
    characteristics: Mapping[str, OperatingCharacteristics]
    enumeration: Enumeration | None
    moving: MovingDose | None
    comparison: tuple[Comparison, ...]
    rivals: Mapping[str, EscalationPlan]
    joint: "Mapping[str, JointCharacteristics] | None"
    absent: Mapping[str, str]

    @property
    def plan(self) -> EscalationPlan:
        """The plan of the study."""
        return self.folder.study.escalation

    @property
    def labels(self) -> list[str]:
        """Labels of the dose levels, lowest first."""
        return level_labels(self.folder.study)

    @property
    def exact(self) -> bool:
        """True when no number of the plan was simulated."""
        return all(found.method == "exact" for found in self.characteristics.values())

    def title(self, scenario: str) -> str:
        """Title of a scenario."""
        return self.folder.scenarios.scenario(scenario).title


def right_answer(found: OperatingCharacteristics) -> int | None:
    """1-based level a perfect trial would name, None for no level.

    Of the levels whose true DLT probability does not exceed `OVERDOSING` times the target, the one closest to the
    target (the lower on ties); none where all exceed it. Designs that look at efficacy say themselves which level is
    best.
    """
    if hasattr(found, "best_level"):
        best: int | None = found.best_level
        return best
    bearable = found.prob_tox <= OVERDOSING * found.target + 1e-12
    if not bearable.any():
        return None
    # Rounded, so that two levels equally far from the target are a tie in binary too.
    distance = np.where(bearable, np.round(np.abs(found.prob_tox - found.target), 12), np.inf)
    return int(np.argmin(distance)) + 1


def prob_right(found: OperatingCharacteristics) -> float:
    """Probability that the trial gives the `right_answer`."""
    level = right_answer(found)
    return found.prob_none if level is None else float(found.prob_select[level - 1])


def build_content(folder: StudyFolder, step: Step = lambda text: None) -> DesignContent:
    """Compute everything; `step` is called with each of `STEPS` up to the expansion as it begins.

    Raises ValueError for a plan whose characteristics cannot be found.
    """
    plan = folder.study.escalation
    absent: dict[str, str] = {}
    default = folder.scenarios.scenario()
    step(STEPS[0])
    table = _unless_refused(lambda: table_answer(plan), "table", absent)
    step(STEPS[1])
    paths = None
    if plan.rule.efficacy:
        absent |= dict.fromkeys(("table", "paths"), "this rule decides by responses as well as DLTs")
    else:
        paths = _unless_refused(lambda: dose_paths(plan, COHORTS_AHEAD, default.prob_tox), "paths", absent)
    step(STEPS[2])
    ends = _enumeration(plan)
    characteristics = _characteristics(folder, ends)
    step(STEPS[3])
    line = not isinstance(plan.rule, GridRule)
    moving = derive_moving_dose(ends, default.prob_tox) if ends is not None and line else None
    if moving is None:
        absent["moving"] = SIMULATED if line else NO_LINE
    step(STEPS[4])
    rivals: dict[str, EscalationPlan] = {}
    rows: tuple[Comparison, ...] = ()
    if plan.rule.efficacy or not line:
        absent["rivals"] = NO_LINE if not line else "the plan looks at response as well as toxicity"
    else:
        rivals = build_rivals(plan, absent)
        truths = {row.id: row.prob_tox for row in folder.scenarios.scenarios}
        own = tuple(Comparison(_own_name(plan), key, found) for key, found in characteristics.items())
        rows = own + compare(rivals, truths, TRIALS, SEED)
    step(STEPS[5])
    joint = _joint(folder, ends, absent)
    return DesignContent(
        folder, table, paths, characteristics, ends, moving, rows, rivals, joint, dict(absent)
    )


def _unless_refused(ask: Callable[[], Any], name: str, absent: dict[str, str]) -> Any:
    """The answer, or None with the reason why the plan has none."""
    try:
        return ask()
    except ValueError as error:
        absent[name] = str(error).removeprefix(f"{name}: ")
        return None


def _own_name(plan: EscalationPlan) -> str:
    return f"{rule_name(plan.rule.kind)} (this plan)"


def _enumeration(plan: EscalationPlan) -> Enumeration | None:
    if not plan.rule.counts_only or plan.rule.efficacy:
        return None
    try:
        return enumerate_plan(plan)
    except PlanTooLargeError:
        return None


def _characteristics(folder: StudyFolder, ends: Enumeration | None) -> dict[str, OperatingCharacteristics]:
    """Exact where the plan allows it; an efficacy rule meets the response probabilities of the scenario."""
    plan = folder.study.escalation
    found: dict[str, OperatingCharacteristics] = {}
    efficacy = _ask_efficacy(plan) if plan.rule.efficacy else None
    for row in folder.scenarios.scenarios:
        if ends is not None:
            found[row.id] = ends.oc(row.prob_tox)
        elif efficacy is not None:
            found[row.id] = efficacy(row.prob_tox, row.prob_response)
        else:
            found[row.id] = simulate_oc(plan, row.prob_tox, TRIALS, SEED)
    return found


def _ask_efficacy(
    plan: EscalationPlan,
) -> Callable[[Sequence[float], Sequence[float]], OperatingCharacteristics]:
    from escalon.design.exact_efficacy import enumerate_efficacy

    try:
        ends = enumerate_efficacy(plan)
    except PlanTooLargeError:
        return lambda tox, response: simulate_oc(plan, tox, TRIALS, SEED, prob_eff=response)
    return ends.oc


def derive_moving_dose(
    ends: Enumeration, prob_tox: Sequence[float], points: int = 101, slopes: int = 19
) -> MovingDose:
    """Exact characteristics over a family of truths.

    At level j the log-odds of a DLT are logit(target) + step (j - x): the dose that meets the target lies at x on the
    axis of levels, which runs from one level below the first to one above the last. `step` is that of the
    scenario `prob_tox`, at least 0.25; the surface holds steps from 0.25 to 2.5 at every second position.
    """
    inside = np.clip(np.asarray(prob_tox, dtype=float), 0.001, 0.999)
    odds = np.log(inside / (1 - inside))
    step = max(0.25, float((odds[-1] - odds[0]) / max(ends.levels - 1, 1)))
    positions = np.linspace(0.0, ends.levels + 1.0, points)
    steps = np.linspace(0.25, 2.5, slopes)
    surface = np.array([[prob_right(ends.oc(_truth(ends, s, x))) for x in positions[::2]] for s in steps])
    results = tuple(ends.oc(_truth(ends, step, x)) for x in positions)
    return MovingDose(tuple(map(float, positions)), step, results, tuple(map(float, steps)), surface)


def _truth(ends: Enumeration, step: float, position: float) -> np.ndarray:
    """DLT probabilities whose target lies at `position`, levels counted from 1."""
    distance = np.arange(1, ends.levels + 1) - position
    aim = np.log(ends.target / (1 - ends.target))
    return np.asarray(1 / (1 + np.exp(-(aim + step * distance))))


def build_rivals(plan: EscalationPlan, absent: dict[str, str]) -> dict[str, EscalationPlan]:
    """The usual designs with the same levels, cohorts, sample size, start level and, where they fit, guards.

    3+3 keeps its own cohorts of three and its own stops. The CRM has the power model with the skeleton of
    half-width a sixth of the target around the middle level, no skipping, coherence, and a stop when the lowest level
    exceeds the target with the certainty at which the plan closes a level (95% if it closes none). A design that
    cannot be built for this plan is named in `absent` with the reason.
    """
    target = plan.rule.target_rate
    base = {
        "levels": plan.levels,
        "cohort_size": plan.cohort_size,
        "max_patients": plan.max_total,
        "start_level": plan.start_level,
    }
    guards = [guard.model_dump() for guard in plan.guards]
    certainty = getattr(plan.rule, "elimination", 0.95)
    found = {}
    for kind in RIVALS:
        if kind == plan.rule.kind:
            continue
        try:
            found[rule_name(kind)] = _rival(kind, target, base, guards, certainty)
        except ValidationError as error:
            why = error.errors()[0]["msg"].removeprefix("Value error, ")
            absent[f"rival {rule_name(kind)}"] = why
        except ValueError as error:
            absent[f"rival {rule_name(kind)}"] = str(error)
    return found


def _rival(
    kind: str, target: float, base: dict[str, Any], guards: list[dict[str, Any]], certainty: float
) -> EscalationPlan:
    if kind == "three_plus_three":
        own = {"levels": base["levels"], "start_level": base["start_level"], "cohort_size": 3}
        rule = {"kind": kind, "variant": "six_at_mtd", "target": target}
        return EscalationPlan.model_validate({"rule": rule, **own})
    rule = {"kind": kind, "target": target}
    if kind == "crm":
        middle = ceil(base["levels"] / 2)
        rule["skeleton"] = compute_skeleton(target / 6, target, middle, base["levels"], "empiric")
        kept = [guard for guard in guards if guard["kind"] not in ("no_skipping", "coherent", "too_toxic")]
        guards = [*kept, {"kind": "no_skipping"}, {"kind": "coherent", "after": "target_rate"}]
        if certainty < 1:
            guards.append({"kind": "too_toxic", "limit": target, "certainty": certainty})
    return EscalationPlan.model_validate({"rule": rule, **base, "guards": guards})


def _joint(
    folder: StudyFolder, ends: Enumeration | None, absent: dict[str, str]
) -> "dict[str, JointCharacteristics] | None":
    """Escalation followed by the expansion of the study, watched for toxicity after every patient."""
    from escalon.design.expansion.joint import ExpansionPlan, joint_oc
    from escalon.design.expansion.monitoring import MonitoringRule

    if ends is None:
        absent["joint"] = SIMULATED
        return None
    study = folder.study
    watch = study.expansion_monitoring
    rule = MonitoringRule("DLT", "toxicity", watch.max_dlt_rate, watch.certainty, watch.prior)
    expansion = ExpansionPlan(study.part("expansion").patients, toxicity=rule, check_at_start=False)
    return {row.id: joint_oc(ends, expansion, row.prob_tox) for row in folder.scenarios.scenarios}
