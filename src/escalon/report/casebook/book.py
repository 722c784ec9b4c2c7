"""A patient's casebook as the page shows it: records by visit, changes, queries, signatures, closures, redactions."""

from collections.abc import Iterator
from dataclasses import dataclass

from escalon.conduct import events as core
from escalon.conduct.act import Event
from escalon.conduct.capture import events as capture
from escalon.conduct.capture.state import Lock
from escalon.conduct.capture.versions import folder_of, patient_version
from escalon.conduct.people.signatures import casebook_content, content_hash
from escalon.conduct.redaction.state import Redaction
from escalon.conduct.slots import events as slots
from escalon.conduct.state import Fact, Patient
from escalon.protocol import StudyFolder
from escalon.report.casebook.course import Course, course_of
from escalon.report.casebook.gather import Gathered
from escalon.report.casebook.queries import QueryShown, queries_of
from escalon.report.casebook.records import ItemShown, RecordShown, show_record
from escalon.report.casebook.signatures import SignatureShown, landmarks_of, signatures_of
from escalon.report.casebook.stamp import Stamp
from escalon.report.casebook.trail import Flag, Reason, Step, reason_of
from escalon.report.wording import STATUS_NAMES

UNSCHEDULED = "Unscheduled"


@dataclass(frozen=True, slots=True)
class VisitShown:
    """A visit and its records; the ones without a visit come last."""

    ident: str
    visit: str
    label: str
    records: tuple[RecordShown, ...]

    def of(self, form: str) -> tuple[RecordShown, ...]:
        """Return the records of one form at this visit."""
        return tuple(record for record in self.records if record.form == form)


@dataclass(frozen=True, slots=True)
class Changes:
    """What one version of a record changed after first entry: the items, each with its step."""

    record: RecordShown
    items: tuple[tuple[ItemShown, Step], ...]

    @property
    def step(self) -> Step:
        """Any of the steps: who, when and why are the same in all of them."""
        return self.items[0][1]

    @property
    def flags(self) -> tuple[Flag, ...]:
        """What is to be noticed beside the change itself, each once."""
        every = (flag for _, step in self.items for flag in step.flags if flag.kind != "changed")
        return tuple(dict.fromkeys(every))


@dataclass(frozen=True, slots=True)
class Act:
    """Something that was done to the casebook as a whole or to records of it."""

    what: str
    stamp: Stamp
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class RedactionShown:
    """A redaction of an event of this patient, and when it was done."""

    redaction: Redaction | None
    number: int
    target: Stamp
    items: tuple[str, ...]
    done: Stamp


@dataclass(frozen=True, slots=True)
class Casebook:
    """Everything on the page of one patient."""

    patient: Patient
    site: str
    zone: str
    version: str
    dlt: str
    content: str
    course: Course
    forms: tuple[str, ...]
    titles: dict[str, str]
    visits: tuple[VisitShown, ...]
    changes: tuple[Changes, ...]
    queries: tuple[QueryShown, ...]
    places: dict[str, str]
    signatures: tuple[SignatureShown, ...]
    acts: tuple[Act, ...]
    lock: Lock | None
    locked_by: str
    redactions: tuple[RedactionShown, ...]

    @property
    def changed_values(self) -> int:
        """Number of changes of a value after its first entry."""
        return sum(len(one.items) for one in self.changes)

    @property
    def records(self) -> tuple[RecordShown, ...]:
        """All records in the order of the page."""
        return tuple(record for visit in self.visits for record in visit.records)


def build_casebook(gathered: Gathered, patient: str, folder: StudyFolder) -> Casebook:
    """Return the casebook of ``patient``; ``folder`` is any version of the study with the others as its ``earlier``.

    Raises:
        KeyError: there is no such patient at the moment shown, or the version consented to is not at hand.
    """
    state = gathered.state
    if patient not in state.patients:
        known = ", ".join(sorted(state.patients)) or "nobody"
        raise KeyError(f"there is no patient {patient} in these events; enrolled: {known}")
    known_patient = state.patients[patient]
    version = _version(gathered, folder, patient)
    signatures = signatures_of(gathered, patient)
    queries = queries_of(gathered, patient)
    adjudications = tuple(
        (fact.seq, f"the adjudication as {STATUS_NAMES[fact.event.status.value]}")
        for fact in gathered.facts[patient]
        if isinstance(fact.event, core.DltAdjudicated | slots.ExposureAdjudicated)
    )
    shown = [
        show_record(
            gathered,
            version,
            record,
            f"r{place}",
            landmarks_of(signatures, patient, name, adjudications),
            tuple(query for query in queries if query.record == name),
        )
        for place, (name, record) in enumerate(known_patient.records.items(), 1)
    ]
    visits = tuple(_visits(shown, version))
    order = [record for visit in visits for record in visit.records]
    lock = state.capture.locked.get(patient)
    person = None if lock is None else state.people.persons.get(lock.by)
    site = state.people.sites.get(known_patient.site)
    titles = {record.form: record.title for record in shown}
    return Casebook(
        known_patient,
        "" if site is None else site.name,
        "" if site is None else site.timezone,
        str(patient_version(state, patient)),
        STATUS_NAMES[known_patient.dlt_status.value],
        content_hash(casebook_content(state, patient)),
        course_of(state, known_patient, version),
        tuple(form for form in dict.fromkeys((*version.forms, *titles)) if form in titles),
        titles,
        visits,
        tuple(_changes(order)),
        queries,
        {record.record: record.ident for record in shown},
        signatures,
        tuple(_acts(gathered, patient)),
        lock,
        "" if lock is None else (person.name if person is not None else lock.by),
        tuple(_redactions(gathered, known_patient)),
    )


def _version(gathered: Gathered, folder: StudyFolder, patient: str) -> StudyFolder:
    try:
        return folder_of(gathered.state, folder, patient)
    except KeyError as error:
        version = str(error.args[0])[:12]
        raise KeyError(
            f"the study version {version} that patient {patient} consented to is not at hand; "
            "the ledger keeps none and --study is another"
        ) from None


def _visits(records: list[RecordShown], folder: StudyFolder) -> Iterator[VisitShown]:
    planned = {visit.id: visit.label for visit in folder.study.visits}
    named = dict.fromkeys((*planned, *(record.visit for record in records if record.visit is not None)))
    for place, visit in enumerate(named, 1):
        found = tuple(record for record in records if record.visit == visit)
        if found:
            yield VisitShown(f"v{place}", visit, planned.get(visit, visit), found)
    loose = tuple(
        sorted((one for one in records if one.visit is None), key=lambda one: (one.form, one.record))
    )
    if loose:
        yield VisitShown("v0", "", UNSCHEDULED, loose)


def _changes(records: list[RecordShown]) -> Iterator[Changes]:
    """Yield the versions that changed something, in the order of the ledger."""
    found: dict[int, Changes] = {}
    for record in records:
        for item in record.items:
            for step in item.steps:
                if step.flags:
                    before = found.get(step.stamp.seq, Changes(record, ()))
                    found[step.stamp.seq] = Changes(record, (*before.items, (item, step)))
    yield from (found[seq] for seq in sorted(found))


WORDS: dict[type[Event], str] = {
    core.PatientEnrolled: "enrolled",
    core.PatientInfused: "infusion recorded",
    core.SeatReleased: "seat released",
    capture.CasebookLocked: "casebook locked",
    capture.CasebookUnlocked: "casebook unlocked",
    slots.WindowReopened: "DLT window re-opened",
    slots.InfusionCorrected: "infusion corrected",
    slots.PatientReinfused: "further infusion recorded",
    slots.ReinfusionCorrected: "further infusion corrected",
    slots.ExposureReopened: "window of a further infusion re-opened",
    slots.EligibilityConfirmed: "eligibility confirmed",
}


def _acts(gathered: Gathered, patient: str) -> Iterator[Act]:
    for fact in gathered.facts[patient]:
        what = _words(fact)
        if what:
            reason = getattr(fact.event, "reason", None)
            yield Act(what, gathered.stamps[fact.seq], reason_of(reason))


def _words(fact: Fact) -> str:
    event = fact.event
    if isinstance(event, capture.RecordsFrozen | capture.RecordsUnfrozen):
        word = "frozen" if isinstance(event, capture.RecordsFrozen) else "unfrozen"
        names = ", ".join(event.records) if len(event.records) < 4 else f"{len(event.records)} records"
        return f"{names} {word}"
    if isinstance(event, core.DltAdjudicated | slots.ExposureAdjudicated):
        which = f" of infusion {event.exposure}" if isinstance(event, slots.ExposureAdjudicated) else ""
        clause = f", clause {event.clause}" if event.clause else ""
        return f"adjudicated{which}: {STATUS_NAMES[event.status.value]}{clause}"
    if isinstance(event, core.DoseAssigned):
        return f"dose assigned: level {event.dose_level}, {event.regimen}, {event.process}"
    if isinstance(event, capture.PatientVersionSet):
        return f"study version {event.study_hash[:12]} consented to"
    if isinstance(event, slots.DeviationRecorded):
        return f"deviation: {event.text}"
    return WORDS.get(type(event), "")


def _redactions(gathered: Gathered, patient: Patient) -> Iterator[RedactionShown]:
    mine = {version.seq for record in patient.records.values() for version in record.versions()}
    mine |= {fact.seq for fact in gathered.facts[patient.patient]}
    mine |= {
        seq
        for query in gathered.state.capture.queries
        if query.patient == patient.patient
        for seq in gathered.turns[query.query]
    }
    known = {one.number: one for one in gathered.state.redaction.redactions}
    for seq in sorted(mine & set(gathered.redacted)):
        for done, event in gathered.redacted[seq]:
            yield RedactionShown(
                known.get(event.redaction), event.redaction, gathered.stamps[seq], event.items, done
            )
