"""The expansion part in words and one table: opened or not, how far filled, and how the DLT rate was watched."""

from dataclasses import dataclass

from escalon.conduct.cohorts import counts
from escalon.conduct.events import DltStatus
from escalon.conduct.state import State
from escalon.design.expansion.monitoring import prob_rate_above
from escalon.protocol.study import Study
from escalon.report.tables.layout import Grid


@dataclass(frozen=True, slots=True)
class Expansion:
    """What the page says: ``status`` in a few words, ``stopped`` if the toxicity rule ended accrual, ``text``."""

    status: str
    stopped: bool
    text: str


def describe_expansion(state: State, study: Study) -> Expansion:
    """Return how the expansion stands at the data cut."""
    cohort = next((one for one in state.cohorts if one.part == "expansion"), None)
    planned = study.part("expansion").patients
    if cohort is None:
        why = "no dose was recommended for phase 2" if state.rp2d else "no phase 2 dose has been decided"
        return Expansion("not opened", False, f"The expansion was not opened: {why}.")
    people = [p for p in state.patients.values() if p.part == "expansion"]
    infused = [p for p in people if p.infused_at is not None]
    dlts = sum(p.dlt_status is DltStatus.DLT for p in infused)
    label = study.dose_level(cohort.dose_level).label
    filled = (
        f"Opened {cohort.opened_at.day} {cohort.opened_at:%b %Y} at {label}: {planned} planned, "
        f"{len(people)} enrolled, {len(infused)} infused, {dlts} with a DLT."
    )
    held = [hold for hold in state.open_holds if hold.rule == "expansion-dlt"]
    if held:
        return Expansion("stopped for toxicity", True, f"{filled} Accrual was stopped: {held[0].reason}.")
    status = "full" if len(cohort.patients) >= planned else "accruing"
    return Expansion(status, False, f"{filled} The toxicity rule was not met; the part is {status}.")


def render_monitoring(state: State, study: Study) -> str:
    """Table of the toxicity rule at the RP2D: the smallest number of DLTs that stops accrual, and what was seen."""
    rule = study.expansion_monitoring
    level = state.rp2d.dose_level if state.rp2d else None
    if level is None:
        return ""
    n, y = counts(state.patients.values(), study.escalation.levels)
    seen_n, seen_y = n[level - 1], y[level - 1]
    largest = max(seen_n, study.part("expansion").patients)
    sizes = sorted({*range(3, largest + 1, 3), seen_n} - {0})
    grid = Grid(
        "t-monitoring",
        "Toxicity rule of the expansion: patients at the RP2D, both parts",
        "Evaluable patients",
        {"stop": "Stop if at least, DLTs", "seen": "Seen, DLTs", "chance": "P(DLT rate above limit)"},
        notes=[
            f"Accrual stops when P(DLT rate > {rule.max_dlt_rate:g}) > {rule.certainty:g}, prior "
            f"Beta({rule.prior[0]:g}, {rule.prior[1]:g}); patients of the escalation at this level are carried.",
        ],
    )
    for size in sizes:
        bound = next(
            (
                k
                for k in range(size + 1)
                if prob_rate_above(size, k, rule.max_dlt_rate, rule.prior) > rule.certainty
            ),
            None,
        )
        now = size == seen_n
        chance = prob_rate_above(seen_n, seen_y, rule.max_dlt_rate, rule.prior) if now else None
        grid.add(
            str(size),
            {
                "stop": "never" if bound is None else str(bound),
                "seen": str(seen_y) if now else "",
                "chance": "" if chance is None else f"{chance:.3f}",
            },
        )
    return grid.render()
