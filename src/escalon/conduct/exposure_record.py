"""What the criteria say about one infusion of a patient: the facts of its own window before the study's definition.

The window of an infusion opens with its date, or with the first dose of a product that a clause opens with, given
since the infusion before. An event belongs to the infusion in whose window it began; one that began in the windows of
two belongs to both; one that began in none counts where it became worse in this window, as what was there before a
first infusion does. Day 0 is the whole date of this infusion.
"""

from dataclasses import replace
from datetime import UTC, datetime
from math import floor

from escalon.conduct.dlt_record import DltProposal, day_at, in_words, patient_record
from escalon.conduct.opinions import sponsor_views
from escalon.conduct.proposals import propose_dlt
from escalon.conduct.slots.exposures import given
from escalon.conduct.slots.state import Exposure
from escalon.conduct.state import Patient, Record, State
from escalon.criteria import dlt
from escalon.protocol import StudyFolder
from escalon.protocol.study import Study


def window_days(exposure: Exposure, folder: StudyFolder) -> int:
    """Return the length of the DLT window of an exposure, in days; a further one may have its own."""
    rules = folder.conduct.slots.redosing
    own = None if rules is None or exposure.exposure == 1 else rules.window_days
    return folder.study.dlt.window_days if own is None else own


def propose_exposure(state: State, exposure: Exposure, folder: StudyFolder, at: datetime) -> DltProposal:
    """Return what the study's definition says about a given exposure on what ``state`` holds, as of ``at`` (UTC)."""
    if exposure.exposure == 1:
        return propose_dlt(state, exposure.patient, folder, at)
    study, days = folder.study, window_days(exposure, folder)
    alone = exposure_alone(state, exposure, folder)
    day = day_at(alone, at)
    record = patient_record(alone, study, day, sponsor_views(state, exposure.patient))
    record = replace(record, assessments_complete=_panel_taken(alone, study, days, day))
    found = dlt.evaluability(record, study.dlt.model_copy(update={"window_days": days}), day)
    return in_words(found, alone, study)


def exposure_alone(state: State, exposure: Exposure, folder: StudyFolder) -> Patient:
    """Return the patient as if this infusion were the only one: its moment, its dose and the events of its window."""
    known = state.patients[exposure.patient]
    earlier = [one for one in given(state, exposure.patient) if one.exposure < exposure.exposure]
    before = max((one.infused_at for one in earlier if one.infused_at is not None), default=None)
    doses = {name: one for name, one in known.records.items() if _is_dose_of(one, before, exposure)}
    alone = replace(
        known, infused_at=exposure.infused_at, dose_fraction=exposure.dose_fraction, records=doses
    )
    opening = _opening(alone, folder.study)
    kept = {
        name: one
        for name, one in known.records.items()
        if name in doses
        or (one.form != "EX" and not one.withdrawn and _belongs(alone, one, opening, earlier, folder))
    }
    return replace(alone, records=kept)


def _is_dose_of(record: Record, before: datetime | None, exposure: Exposure) -> bool:
    """Tell whether a dose was given after the infusion before and not after this one."""
    if record.form != "EX" or record.withdrawn:
        return False
    moment = datetime.fromisoformat(record.values["EXSTDTC"])
    return (
        (before is None or moment > before)
        and exposure.infused_at is not None
        and moment <= exposure.infused_at
    )


def _opening(alone: Patient, study: Study) -> float:
    """Day on which the window opens: 0, or that of the first dose of a product that opens a clause."""
    opens = {name for clause in study.dlt.clauses for name in clause.opens_with}
    days = [day_at(alone, r.values["EXSTDTC"]) for r in alone.forms("EX") if r.values["EXTRT"] in opens]
    return min([0.0, *days])


def _belongs(
    alone: Patient, record: Record, opening: float, earlier: list[Exposure], folder: StudyFolder
) -> bool:
    """Leave out events of an earlier window, and therapies and departures before this one; the rest stays."""
    if record.form == "AE":
        began = record.values["AESTDTC"]
        return day_at(alone, began) >= opening or not any(_began_in(began, one, folder) for one in earlier)
    if record.form in ("CM", "DS"):
        return day_at(alone, record.values[f"{record.form}STDTC"]) >= 0
    return True


def _began_in(began: str, exposure: Exposure, folder: StudyFolder) -> bool:
    """Tell whether an event began on a day of the window of an exposure."""
    assert exposure.infused_at is not None
    moment = datetime.fromisoformat(began)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    days = (moment.astimezone(UTC).date() - exposure.infused_at.astimezone(UTC).date()).days
    return 0 <= days <= window_days(exposure, folder)


def _panel_taken(alone: Patient, study: Study, days: int, day: float) -> bool | None:
    """A laboratory panel at the end of the window, within the days its visit allows; None while it may still come."""
    last = next(visit for visit in study.visits if visit.day == study.dlt.window_days)
    first, latest = (days + margin - last.day for margin in last.window)
    if any(first <= floor(day_at(alone, r.values["LBDTC"])) <= latest for r in alone.forms("LB")):
        return True
    return None if day < latest + 1 else False
