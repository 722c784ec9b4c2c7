"""Stopping rules watched with every fact: which of them a patient's adverse event meets.

The worse of the recorded and the derived grade counts, and the higher of the investigator's and the sponsor's view.
"""

from datetime import datetime
from typing import Any

from escalon.conduct import events as ev
from escalon.conduct.derived_grades import worst_grade
from escalon.conduct.holds import includes, new_hold
from escalon.conduct.opinions import NO_VIEW, judge_relations, sponsor_views
from escalon.conduct.slots.exposures import last_infusion
from escalon.conduct.state import State
from escalon.protocol import StudyFolder
from escalon.protocol.study import StoppingRule


def held_by(
    state: State, patient: str, values: dict[str, Any], folder: StudyFolder, record: str | None = None
) -> tuple[ev.Event, ...]:
    """Return a hold for every stopping rule that the adverse event ``values`` of ``patient`` completes.

    ``record`` is its key when the sponsor's view of it counts too.
    """
    held: list[ev.EnrolmentHeld] = []
    for rule in folder.study.stopping_rules:
        if not _meets(state, patient, record, values, rule):
            continue
        earlier = [
            other
            for other in state.patients.values()
            for record in other.forms("AE")
            if (other.patient, record.values["AESTDTC"], record.values["AETERM"])
            != (patient, values["AESTDTC"], values["AETERM"])
            and _meets(state, other.patient, record.record, record.values, rule)
        ]
        affected = [state.patients[patient], *(earlier if rule.count > 1 else [])]
        reason = f"{rule.text}: patient {patient}"
        scope = folder.conduct.safety.hold_scope.of_rule(rule.id)
        found = new_hold(len(state.holds) + 1 + len(held), rule.id, reason, scope, affected)
        if any(hold.rule == rule.id and includes(hold, found) for hold in state.open_holds):
            continue
        already_counted = sum(hold.rule == rule.id for hold in state.holds) * rule.count
        if len(earlier) + 1 - already_counted >= rule.count:
            held.append(found)
    return tuple(held)


def _meets(
    state: State, patient: str, record: str | None, values: dict[str, Any], rule: StoppingRule
) -> bool:
    if worst_grade(values) < rule.grade:
        return False
    began = datetime.fromisoformat(values["AESTDTC"])
    infused = last_infusion(state, patient, began)
    if infused is None:
        return False
    day = (began.date() - infused.date()).days
    if not 0 <= day <= rule.within_days:
        return False
    if rule.kind == "related_death":
        sponsor = NO_VIEW if record is None else sponsor_views(state, patient).get(record, NO_VIEW)
        return judge_relations(values, sponsor)["UCART22"].related
    categories = {"gvhd_grade": ("GVHD",), "crs_icans_grade": ("CRS", "ICANS")}[rule.kind]
    return values["AECAT"] in categories
