"""Tables of the design report: characteristics over the scenarios, comparison with other designs, the expansion."""

from collections.abc import Mapping

from escalon.design import OperatingCharacteristics
from escalon.report.design_content import OVERDOSING, DesignContent, prob_right, right_answer
from escalon.report.tables.layout import Grid
from escalon.report.wording import render_number, render_percent


def render_levels(content: DesignContent) -> str:
    """Per scenario and level: the truth, how often it is selected, patients and DLTs expected."""
    labels = content.labels
    parts = {"truth": "True DLT probability, %", "select": "Selected as MTD, %"}
    parts |= {"n": "Expected patients", "dlt": "Expected DLTs"}
    columns: dict[str, str] = {}
    spanners: dict[str, list[str]] = {}
    for index, (part, heading) in enumerate(parts.items()):
        keys = {f"{part} {label}": label + "\u200a" * index for label in labels}
        if part == "select":
            keys["select none"] = "none"
        elif part in ("n", "dlt"):
            keys[f"{part} all"] = "all" + "\u200a" * index
        columns |= keys
        spanners[heading] = list(keys)
    grid = Grid(
        "t-levels",
        f"Operating characteristics by dose level, {_how(content)}",
        "Scenario",
        columns,
        spanners,
        [_how_note(content)],
    )
    for key, found in content.characteristics.items():
        grid.add(content.title(key), _level_cells(labels, found))
    return grid.render()


def _level_cells(labels: list[str], found: OperatingCharacteristics) -> dict[str, str]:
    row = {"select none": render_percent(found.prob_none)}
    for index, label in enumerate(labels):
        row[f"truth {label}"] = render_percent(float(found.prob_tox[index]), 0)
        row[f"select {label}"] = render_percent(float(found.prob_select[index]))
        row[f"n {label}"] = render_number(float(found.mean_n[index]), 1)
        row[f"dlt {label}"] = render_number(float(found.mean_dlt[index]), 2)
    row["n all"] = render_number(found.mean_total_n, 1)
    row["dlt all"] = render_number(found.mean_total_dlt, 2)
    return row


def _how(content: DesignContent) -> str:
    return "exact" if content.exact else "simulated"


def _how_note(content: DesignContent) -> str:
    if content.exact:
        ends = content.enumeration
        counted = ""
        if ends is not None:
            counted = (
                f"{ends.paths_total:,} possible courses of the escalation end in {ends.terminal_states:,} "
                "different counts; all are enumerated. "
            )
        return f"{counted}These probabilities carry no simulation error."
    some = next(iter(content.characteristics.values()))
    errors = [found.standard_error.get("prob_none", 0.0) for found in content.characteristics.values()]
    return (
        f"{some.trials:,} simulated trials per scenario; standard error of a probability at most "
        f"{render_percent(max([0.5 / (some.trials or 1) ** 0.5, *map(float, errors)]), 2)} percentage points."
    )


def render_risks(content: DesignContent) -> str:
    """Per scenario: the chance of the right answer and of each way to go wrong."""
    target = render_percent(content.plan.rule.target_rate, 0)
    most = content.plan.max_total
    grid = Grid(
        "t-risks",
        f"What can go right and wrong, {_how(content)}",
        "Scenario",
        {
            "right": "Right answer",
            "p": "P(right answer), %",
            "over": f"P(MTD above {target}%), %",
            "none": "P(no dose), %",
            "rate": "DLTs per 100 patients",
            "n_over": f"Patients treated above {target}%",
            "o60": "over 60%",
            "o80": "over 80%",
            "early": f"P(fewer than {most} patients), %",
            "middle": "Median (10th–90th centile)",
        },
        {
            "P(share of the planned patients above the target), %": ["o60", "o80"],
            "Sample size": ["early", "middle"],
        },
        [
            _right_note(content),
            f"Fewer than {most} patients: the escalation ended because a limit was met, for enough patients "
            "at the dose or for toxicity.",
        ],
        left=["right"],
    )
    for key, found in content.characteristics.items():
        grid.add(content.title(key), _risk_cells(content, found))
    return grid.render()


def _right_note(content: DesignContent) -> str:
    """What counts as right."""
    if content.plan.rule.efficacy:
        return (
            "Right answer: the level with the best balance of response and toxicity, as the rule weighs them."
        )
    target = content.plan.rule.target_rate
    return (
        "Right answer: of the levels with a true DLT probability of at most "
        f"{render_percent(OVERDOSING * target, 0)}% ({OVERDOSING:g} times the target) the one closest to "
        f"{render_percent(target, 0)}%; no dose where there is none."
    )


def _risk_cells(content: DesignContent, found: OperatingCharacteristics) -> dict[str, str]:
    level = right_answer(found)
    low, middle, high = (quantile(found.n_distribution, q) for q in (0.1, 0.5, 0.9))
    per_patient = found.mean_total_dlt / found.mean_total_n if found.mean_total_n else 0.0
    return {
        "right": "no dose" if level is None else content.labels[level - 1],
        "p": render_percent(prob_right(found)),
        "over": render_percent(found.prob_select_overdose),
        "none": render_percent(found.prob_none),
        "rate": render_number(100 * per_patient, 1),
        "n_over": render_number(found.mean_n_overdose, 1),
        "o60": render_percent(found.prob_overdose_60),
        "o80": render_percent(found.prob_overdose_80),
        "early": render_percent(found.prob_early_stop),
        "middle": f"{middle} ({low}–{high})",
    }


def quantile(distribution: Mapping[int, float], q: float) -> int:
    """Smallest size that is not exceeded with probability `q` or more."""
    reached = 0.0
    for size in sorted(distribution):
        reached += distribution[size]
        if reached >= q - 1e-12:
            return size
    return max(distribution)


def render_sizes(content: DesignContent) -> str:
    """Distribution of the sample size, one column per size that occurs."""
    sizes = sorted({n for found in content.characteristics.values() for n in found.n_distribution})
    grid = Grid(
        "t-sizes",
        f"Distribution of the number of patients in the escalation, {_how(content)}",
        "Scenario",
        {f"n{n}": str(n) for n in sizes} | {"mean": "Mean"},
        {"Probability of this many patients, %": [f"n{n}" for n in sizes]},
    )
    for key, found in content.characteristics.items():
        row = {f"n{n}": render_percent(found.n_distribution.get(n, 0.0)) for n in sizes}
        grid.add(content.title(key), row | {"mean": render_number(found.mean_total_n, 1)})
    return grid.render()


def render_comparison(content: DesignContent) -> str:
    """Every design under every scenario."""
    target = render_percent(content.plan.rule.target_rate, 0)
    grid = Grid(
        "t-comparison",
        "This plan beside the usual designs",
        "Design",
        {
            "right": "P(right answer), %",
            "over": f"P(MTD above {target}%), %",
            "none": "P(no dose), %",
            "n": "Expected patients",
            "n_over": "… above the target",
            "dlt": "Expected DLTs",
            "o60": "P(over 60% above), %",
            "o80": "P(over 80% above), %",
            "how": "Method",
        },
        {},
        _comparison_notes(content),
        ["how"],
    )
    for key in content.characteristics:
        for row in content.comparison:
            if row.scenario == key:
                grid.add(
                    row.plan,
                    _comparison_cells(row.characteristics),
                    f"{content.title(key)}: {_truth(row.characteristics)}",
                )
    return grid.render()


def _truth(found: OperatingCharacteristics) -> str:
    return " · ".join(f"{render_percent(float(p), 0)}%" for p in found.prob_tox)


def _comparison_cells(found: OperatingCharacteristics) -> dict[str, str]:
    return {
        "right": render_percent(prob_right(found)),
        "over": render_percent(found.prob_select_overdose),
        "none": render_percent(found.prob_none),
        "n": render_number(found.mean_total_n, 1),
        "n_over": render_number(found.mean_n_overdose, 1),
        "dlt": render_number(found.mean_total_dlt, 2),
        "o60": render_percent(found.prob_overdose_60),
        "o80": render_percent(found.prob_overdose_80),
        "how": "exact" if found.method == "exact" else f"{found.trials:,} trials",
    }


def _comparison_notes(content: DesignContent) -> list[str]:
    notes = []
    crm = content.rivals.get("CRM")
    if "3+3" in content.rivals:
        notes.append(
            "3+3: with de-escalation and six patients at the MTD; it keeps its own cohorts of three and its "
            "own stops, and its shares above the target refer to six patients per level."
        )
    if crm is not None:
        guesses = ", ".join(f"{value:.3f}" for value in crm.rule.skeleton)  # type: ignore[union-attr]
        limits = "; ".join(guard.sentence() for guard in crm.guards)
        notes.append(f"CRM: power model, prior guesses {guesses}; {limits}.")
    notes += [
        f"{one} and {other} decide alike at every number of patients this plan can reach."
        for one, other in _twins(content)
    ]
    notes.append(
        "The others have the levels, cohorts, sample size, start and, where they fit, limits of this plan."
    )
    notes += [
        f"{name.removeprefix('rival ')} is left out: {why}."
        for name, why in content.absent.items()
        if name.startswith("rival ")
    ]
    return notes


def _twins(content: DesignContent) -> list[tuple[str, str]]:
    """Designs that give the same numbers in every scenario."""
    found: dict[str, list[float]] = {}
    for row in content.comparison:
        oc = row.characteristics
        found.setdefault(row.plan, []).extend([*oc.prob_select, *oc.mean_n, oc.prob_none])
    names = list(found)
    return [
        (one, other)
        for index, one in enumerate(names)
        for other in names[index + 1 :]
        if max(abs(a - b) for a, b in zip(found[one], found[other], strict=True)) < 1e-12
    ]


def render_joint(content: DesignContent) -> str:
    """Escalation followed by expansion, per scenario."""
    assert content.joint is not None
    labels = content.labels
    grid = Grid(
        "t-joint",
        "Escalation followed by expansion at the selected dose, exact",
        "Scenario",
        {f"ok {label}": label for label in labels}
        | {f"stop {label}": f"{label}\u200a" for label in labels}
        | {
            "none": "P(no dose), %",
            "further": "in the expansion",
            "n": "in all",
            "dlt": "Expected DLTs in all",
        },
        {
            "P(selected, expansion completed), %": [f"ok {label}" for label in labels],
            "P(selected, stopped for toxicity), %": [f"stop {label}" for label in labels],
            "Expected patients": ["further", "n"],
        },
        [
            "Patients treated at the dose during the escalation count in the monitoring rule. A hold is "
            "taken as the end of the expansion, and every DLT as known before the next patient."
        ],
    )
    for key, found in content.joint.items():
        row = {
            "none": render_percent(found.prob_none),
            "further": render_number(found.mean_n_expansion, 1),
            "n": render_number(found.mean_total_n, 1),
            "dlt": render_number(found.mean_total_dlt, 1),
        }
        for index, label in enumerate(labels):
            row[f"ok {label}"] = render_percent(float(found.prob_complete[index]))
            row[f"stop {label}"] = render_percent(float(found.prob_stop_toxicity[index]))
        grid.add(content.title(key), row)
    return grid.render()
