"""Versions of the study (DC-11, DC-12): going over to a new one, and the version each patient consented to."""

from dataclasses import dataclass
from datetime import date

from escalon.conduct.act import Event, Outcome, Refused, Signed
from escalon.conduct.capture import commands as c
from escalon.conduct.capture import events as ev
from escalon.conduct.events import PatientEnrolled
from escalon.conduct.state import State
from escalon.protocol import StudyFolder
from escalon.protocol.amendments import breaking, diff_studies


@dataclass(frozen=True, slots=True)
class Affected:
    """Whom a new version concerns: sites without its approval, patients who consented to another version."""

    sites: tuple[str, ...]
    patients: tuple[str, ...]


def patient_version(state: State, patient: str) -> str | None:
    """Return the hash of the version the patient consented to: the one in force unless another was set."""
    return state.capture.versions.get(patient, state.study_hash)


def folder_of(state: State, folder: StudyFolder, patient: str) -> StudyFolder:
    """Return the version of the study the patient consented to; ``folder`` is the one in force.

    Raises:
        KeyError: ``folder.earlier`` lacks that version.
    """
    version = patient_version(state, patient)
    return folder if version in (None, folder.hash) else folder.earlier[str(version)]


def affected(state: State, study_hash: str) -> Affected:
    """Return whom the version ``study_hash`` concerns; a patient whose seat was released is left out."""
    sites = tuple(
        name for name, site in sorted(state.people.sites.items()) if study_hash not in site.approved
    )
    patients = tuple(
        name
        for name, patient in state.patients.items()
        if patient.released is None and patient_version(state, name) != study_hash
    )
    return Affected(sites, patients)


def amend_study(state: State, signed: Signed, command: c.AmendStudy, folder: StudyFolder) -> Outcome:
    """Go over to ``folder``, unless it would destroy what was recorded."""
    old = folder.earlier.get(state.study_hash or "")
    if command.study_hash != folder.hash:
        return Refused("study-version", "the hash given is not that of the study folder")
    if state.study_hash == folder.hash:
        return Refused("DC-11 version", "the study is on this version already")
    if folder.hash in _versions(state):
        return Refused(
            "DC-11 version", "the study was on this version before; a new one is needed to go back"
        )
    if old is None:
        return Refused("DC-11 version", "the version in force is not known; give it with the new folder")
    if not command.reason.strip():
        return Refused("reason", "an amendment needs a reason")
    if old.study.identity.study_id != folder.study.identity.study_id:
        return Refused("DC-12", f"this is another study: {folder.study.identity.study_id}")
    destroyed = breaking(old, folder)
    if destroyed:
        return Refused("DC-12", "; ".join(destroyed))
    changes = tuple(difference.words() for difference in diff_studies(old, folder))
    plan = folder.study.escalation.hash
    return (ev.StudyAmended(folder.hash, plan, old.hash, command.reason, changes),)


def reconsent(state: State, signed: Signed, command: c.Reconsent, folder: StudyFolder) -> Outcome:
    """Put a patient on a later version, approved at the site, that the patient consented to."""
    patient = state.patients.get(command.patient)
    if patient is None:
        return Refused("patient", f"there is no patient {command.patient}")
    if signed.actor.site != patient.site:
        return Refused("site", f"patient {patient.patient} belongs to site {patient.site}")
    order = _versions(state)
    if command.study_hash not in order:
        return Refused("DC-11 version", "the study was never on this version")
    now = patient_version(state, command.patient)
    if now in order and order.index(command.study_hash) <= order.index(str(now)):
        return Refused("DC-11 version", f"patient {command.patient} consented to this version or a later one")
    site = state.people.sites.get(patient.site)
    if site is not None and command.study_hash not in site.approved:
        return Refused("DC-11 approval", f"site {patient.site} has no approval for this version")
    try:
        consented = date.fromisoformat(command.consented_on)
    except ValueError:
        return Refused("consent", f"{command.consented_on!r} is not a date as YYYY-MM-DD")
    if consented > signed.at.date():
        return Refused("consent", "consent is recorded after it was given")
    return (ev.PatientVersionSet(command.patient, command.study_hash, command.consented_on),)


def set_versions(state: State, events: tuple[Event, ...]) -> tuple[Event, ...]:
    """Return the version of each patient enrolled at a site that has no approval yet for the one in force.

    Such a patient is on the latest version the site has approved; all others are on the version in force.
    """
    placed = (
        (event, _version_at(state, event.site)) for event in events if isinstance(event, PatientEnrolled)
    )
    return tuple(
        ev.PatientVersionSet(event.patient, version, event.consented_on)
        for event, version in placed
        if version != state.study_hash
    )


def _version_at(state: State, site: str) -> str:
    known = state.people.sites.get(site)
    approved = [v for v in _versions(state) if known is not None and v in known.approved]
    return approved[-1] if approved else str(state.study_hash)


def _versions(state: State) -> list[str]:
    """All versions the study was on, in order; the last one is in force."""
    amendments = state.capture.amendments
    return [*(amendment.replaces for amendment in amendments), str(state.study_hash)]
