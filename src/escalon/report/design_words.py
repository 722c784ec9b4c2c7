"""The plan in words: what happens at the bedside, sentence by sentence, each with where it comes from."""

from collections.abc import Callable, Mapping
from typing import Any

from escalon.design import EscalationPlan
from escalon.protocol.load import StudyFolder
from escalon.protocol.study import Study
from escalon.report.provenance import Sources, Tagged
from escalon.report.wording import count_of, render_dose, render_percent, render_sentence, rule_name

Step = tuple[str, str, tuple[str, ...]]
"""Heading, sentence, paths of the values it is made of."""


def _percent(value: float) -> str:
    return f"{render_percent(value, 1 if round(value * 1000) % 10 else 0)}%"


def _mtpi(rule: Any) -> str:
    low, high = rule.target - rule.epsilon_1, rule.target + rule.epsilon_2
    return (
        "The rule asks in which range the true DLT probability of the level most plausibly lies: below "
        f"{_percent(low)} it escalates, from {_percent(low)} to {_percent(high)} it stays, above "
        f"{_percent(high)} it de-escalates (largest posterior mass per unit of width, prior Beta(1, 1))."
    )


def _keyboard(rule: Any) -> str:
    return (
        f"The rule cuts the range from 0 to 100% into equal keys around the target {_percent(rule.target)} "
        "and looks for the key with the largest posterior mass: left of the target key it escalates, right "
        "of it it de-escalates."
    )


def _boin(rule: Any) -> str:
    return (
        "The observed DLT rate at the level is compared with two fixed boundaries, which lie between the "
        f"target {_percent(rule.target)} and the rates regarded as under- and overdosing "
        f"({_percent(rule.underdose)}, {_percent(rule.overdose)})."
    )


def _i3(rule: Any) -> str:
    low, high = rule.target - rule.epsilon_1, rule.target + rule.epsilon_2
    return (
        f"The observed DLT rate is compared with the range from {_percent(low)} to {_percent(high)}: below it "
        "the rule escalates, inside it stays, above it it de-escalates, unless one DLT fewer would already "
        "fall below the range."
    )


_VARIANTS: Mapping[str, str] = {
    "escalation_only": "the escalation then ends and the MTD is the level below",
    "de_escalation": "the level below is then filled to six patients",
    "six_at_mtd": "the level below is then filled to six patients, as every MTD must be",
}


def _three(rule: Any) -> str:
    return (
        "No DLT among three patients: escalate; one: three more at the same level; two or more of three or "
        f"six: the level is too toxic ({_VARIANTS[rule.variant]})."
    )


def _crm(rule: Any) -> str:
    listed = ", ".join(_percent(value) for value in rule.skeleton)
    return (
        "A one-parameter model of DLT probability over all levels is updated with every cohort; the next "
        f"cohort gets the level whose estimate lies closest to the target {_percent(rule.target)}. Prior "
        f"guesses: {listed}."
    )


_RULES: Mapping[str, Callable[[Any], str]] = {
    "mtpi": _mtpi,
    "mtpi2": _keyboard,
    "keyboard": _keyboard,
    "boin": _boin,
    "i3_plus_3": _i3,
    "three_plus_three": _three,
    "crm": _crm,
    "table": lambda rule: "The decision is read from the table below, which the protocol gives.",
}


def describe_rule(plan: EscalationPlan) -> str:
    """How the rule decides, in a sentence; its settings where no sentence is kept for it."""
    said = _RULES.get(plan.rule.kind)
    if said is not None:
        return said(plan.rule)
    settings = ", ".join(
        f"{name.replace('_', ' ')} {value:g}"
        if isinstance(value, float)
        else f"{name.replace('_', ' ')} {value}"
        for name, value in plan.rule.model_dump().items()
        if name != "kind" and value is not None and not isinstance(value, (dict, list, tuple))
    )
    return f"The rule is {rule_name(plan.rule.kind)} with {settings}."


_GUARDS: Mapping[str, Callable[[Any], str]] = {
    "no_skipping": lambda guard: "No level is skipped: the next cohort goes at most one level higher.",
    "enough_at_dose": lambda guard: (
        f"The escalation ends once the plan would {'stay at' if guard.when == 'stay' else 'recommend'} a "
        f"level that already holds {guard.n} patients."
    ),
    "coherent": lambda guard: (
        "No escalation straight after a cohort "
        f"{'with a DLT' if guard.after == 'any_dlt' else 'whose DLT rate reached the target'}."
    ),
}


def describe_guard(guard: Any) -> str:
    """A limit in a sentence for the bedside."""
    said = _GUARDS.get(guard.kind)
    return render_sentence(guard.sentence()) if said is None else said(guard)


def describe_ends(plan: EscalationPlan) -> str:
    """What the letters of the decision table mean at the lowest and at the highest level."""
    if plan.rule.kind == "three_plus_three":
        return (
            "The table holds where there are levels below and above. Too many DLTs at the lowest level end "
            "the escalation without a dose; at the highest level, or below a level found too toxic, a level "
            "that passes ends it."
        )
    return (
        "At the lowest level there is nothing below: D means stay, DU ends the escalation without a dose. At "
        "the highest level, or below a closed one, E means stay."
    )


def _cohorts(plan: EscalationPlan) -> str:
    sizes = plan.cohort_sizes
    if len(sizes) == 1:
        return f"cohorts of {sizes[0]}"
    return f"cohorts of {', '.join(map(str, sizes[:-1]))} and then {sizes[-1]}"


def _elimination(plan: EscalationPlan) -> str:
    rule = plan.rule
    limit = getattr(rule, "elimination", None)
    if limit is None:
        return ""
    least = getattr(rule, "elimination_min_n", 1)
    after = f", once {least} patients have been treated there," if least > 1 else ""
    return (
        f"A level{after} whose DLT probability exceeds the target with more than {_percent(limit)} certainty "
        "is closed for good, together with all levels above it. If that is the lowest level, the escalation "
        "ends without a dose."
    )


def narrate(study: Study, sources: Sources) -> list[tuple[str, Tagged]]:
    """The plan as steps: a short heading and a sentence with its provenance tag."""
    said = [*_bedside(study), *_rules(study.escalation), _afterwards(study)]
    return [(head, sources.tagged(text, *paths)) for head, text, paths in said if text]


def _bedside(study: Study) -> list[Step]:
    """Levels, first cohort, observation."""
    plan, stagger = study.escalation, study.stagger
    first = study.dose_levels[plan.start_level - 1]
    titrated = " One patient per level is treated until the first DLT." if plan.titration else ""
    doses = ", ".join(f"{level.label} {render_dose(level.dose)}" for level in study.dose_levels)
    return [
        ("Levels", f"{count_of(plan.levels, 'level')}, in viable CAR+ cells/kg: {doses}.", ("dose_levels",)),
        (
            "Start",
            f"The first patients receive {first.label}, in {_cohorts(plan)}.{titrated}",
            ("escalation.start_level", "escalation.cohort_size"),
        ),
        (
            "Watch",
            f"Each patient is watched for dose-limiting toxicity to Day {study.dlt.window_days}. A patient "
            "who cannot be evaluated does not count and is replaced.",
            ("dlt.window_days",),
        ),
        (
            "Pause",
            f"Within a cohort {stagger.after_first_days} days pass after the first infusion before the next, "
            f"{stagger.after_next_days} days after each later one.",
            ("stagger.after_first_days", "stagger.after_next_days"),
        ),
    ]


def _rules(plan: EscalationPlan) -> list[Step]:
    """Decisions, limits, end, selection."""
    return [
        ("Decide", describe_rule(plan), ("escalation.rule",)),
        ("Protect", _elimination(plan), ("escalation.rule",)),
        *(("Limit", describe_guard(guard), ("escalation.guards",)) for guard in plan.guards),
        (
            "End",
            f"At most {plan.max_total} evaluable patients take part in the escalation.",
            ("escalation.max_patients",),
        ),
        ("Select", _selection(plan), ("escalation.rule",)),
    ]


def _afterwards(study: Study) -> Step:
    further = count_of(study.part("expansion").patients, "further patient")
    return (
        "Then",
        f"The expansion treats {further} at the recommended dose, which may not exceed the MTD. The committee "
        "decides, and may depart from the rule at any step.",
        ("parts.1.patients", "rp2d.not_above"),
    )


def _selection(plan: EscalationPlan) -> str:
    kind, target = plan.rule.kind, _percent(plan.rule.target_rate)
    if plan.rule.efficacy:
        return "At the end the level with the best balance of response and toxicity is selected."
    if kind in ("three_plus_three", "rolling_six"):
        return "The MTD is the highest level that the rule has not found too toxic."
    if hasattr(plan.rule, "selection"):
        return (
            "At the end DLT rates are estimated so that they do not fall from level to level (isotonic "
            f"regression); the MTD is the tried, not closed level whose estimate lies closest to {target}."
        )
    return f"The MTD is the level the model recommends after the last patient, for the target {target}."


def count_plan_tags(folder: StudyFolder) -> tuple[int, int]:
    """Assumptions among, and number of, the values of the escalation plan."""
    rows = [
        row for row in folder.provenance if row.file == "study.yaml" and row.path.startswith("escalation.")
    ]
    return sum(row.tag == "assumption" for row in rows), len(rows)
