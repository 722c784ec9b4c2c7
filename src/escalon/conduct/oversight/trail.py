"""The audit trail as rows (AT-2, AT-9): one for each item an act touched, with old and new value and its flags.

Facts come in one after another and only what later flags need is kept, so that a ledger of any length can be read.
``tests/reference/audit_naive.py`` is the second implementation of the flags.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from escalon.conduct.act import Event
from escalon.conduct.canonical import plain
from escalon.conduct.capture.audit import Value
from escalon.conduct.capture.events import CasebookLocked
from escalon.conduct.events import DltAdjudicated, FormRecorded, PatientEnrolled
from escalon.conduct.people.events import SignatureGiven
from escalon.protocol import StudyFolder
from escalon.protocol.conduct.oversight import Flag, OversightRules
from escalon.protocol.forms_items import DATES

LINKS = ("query", "case", "slot", "clock", "report", "signature")
"""Fields that name an object of one patient: what is later said of the object is said of that patient."""
ABSENT = Value("absent")


@dataclass(frozen=True, slots=True)
class Line:
    """One event of the ledger with all that the ledger says of it.

    ``acting_for`` is the site of who acted ('' for the sponsor), ``tz`` its zone; ``origin`` is how the act came in.
    What an old ledger does not say is ''.
    """

    seq: int
    at: datetime
    person: str
    role: str
    event: Event
    name: str = ""
    org: str = ""
    acting_for: str = ""
    tz: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the audit trail; ``item`` is '' where the event is about no item of a form.

    ``site`` is the one the row is about: the patient's, the one named, or that of who acted. ``new`` of an event that
    is no form entry holds the fields of the event; a redacted value reads ``redacted``.
    """

    seq: int
    at: datetime
    tz: str
    person: str
    name: str
    role: str
    org: str
    acting_for: str
    origin: str
    kind: str
    site: str
    patient: str
    form: str
    record: str
    visit: str
    version: int | None
    item: str
    old: Value
    new: Value
    reason: str
    flags: tuple[Flag, ...]


@dataclass(slots=True)
class _Known:
    """What is kept of a patient."""

    site: str = ""
    adjudicated: bool = False
    locked: bool = False
    casebook_signed: int = 0
    records: dict[str, tuple[int, Mapping[str, Any]]] = field(default_factory=dict)
    signed: set[str] = field(default_factory=set)


class Trail:
    """Turns events, given in the order of the ledger, into rows."""

    def __init__(
        self, rules: OversightRules, occurred: Mapping[str, str], cuts: Sequence[datetime] = ()
    ) -> None:
        """Begin before the first event.

        Args:
            rules: the study's days for flags.
            occurred: form to the item that says when something happened; see ``occurred_items``.
            cuts: moments of all data cuts, those to come as well: a change before one is near it, too.
        """
        self._near = timedelta(days=rules.near_cut_days)
        self._late = timedelta(days=rules.late_entry_days)
        self._occurred, self._cuts = occurred, sorted(cuts)
        self._patients: dict[str, _Known] = {}
        self._linked: dict[tuple[str, int], str] = {}

    def learn_cuts(self, cuts: Sequence[datetime]) -> None:
        """Take note of all data cuts known by now; rows made before stay as they are."""
        self._cuts = sorted(cuts)

    def rows(self, line: Line) -> Iterator[Row]:
        """Yield the rows of the next event; all of them must be taken before the event after it."""
        event = line.event
        patient = self._patient(event)
        known = self._patients.setdefault(patient, _Known()) if patient else _Known()
        if isinstance(event, FormRecorded):
            yield from self._form_rows(line, event, known)
        else:
            yield self._event_row(line, patient, known)
        _note(known, line)

    def _patient(self, event: Event) -> str:
        """The patient an event is about, by name, by the object signed or by what was said of its object before."""
        numbers = ((name, getattr(event, name, None)) for name in LINKS)
        links = [(name, number) for name, number in numbers if isinstance(number, int) and number > 0]
        patient = getattr(event, "patient", None) or _signed_patient(event)
        if not patient:
            patient = next((self._linked[link] for link in links if link in self._linked), "")
        if patient:
            self._linked.update(dict.fromkeys(links, patient))
        return str(patient)

    def _event_row(self, line: Line, patient: str, known: _Known) -> Row:
        event = line.event
        flags: tuple[Flag, ...] = ()
        if isinstance(event, DltAdjudicated) and known.adjudicated:
            flags = ("after_adjudication", *self._near_cut(line.at))
        said = {name: value for name, value in plain(event).items() if name not in ("patient", "reason")}
        record = getattr(event, "record", "")
        site = known.site or str(getattr(event, "site", "") or line.acting_for)
        row = _Place(patient, site, "", str(record or ""), "", getattr(event, "version", None))
        return _row(line, row, "", ABSENT, Value("value", said), flags)

    def _form_rows(self, line: Line, event: FormRecorded, known: _Known) -> Iterator[Row]:
        _, before = known.records.get(event.record, (0, {}))
        place = _Place(event.patient, known.site, event.form, event.record, event.visit or "", event.version)
        first = event.version == 1
        flags = self._late_entry(line, event) if first else self._changed(line, event, known)
        # A ledger keeps items by name and a running trial as entered; the pin of a review is the same for both.
        for item in dict.fromkeys((*sorted(before), *sorted(event.values))):
            old, new = value_of(before, item), value_of(event.values, item)
            if not _same(old, new) and not (first and new.kind == "null"):
                yield _row(line, place, item, old, new, flags)

    def _late_entry(self, line: Line, event: FormRecorded) -> tuple[Flag, ...]:
        happened = event.values.get(self._occurred.get(event.form, ""))
        return ("late_entry",) if is_late(happened, line.at, self._late) else ()

    def _changed(self, line: Line, event: FormRecorded, known: _Known) -> tuple[Flag, ...]:
        began = known.records[event.record][0] if event.record in known.records else 0
        signed = event.record in known.signed or known.casebook_signed > began
        flags: list[Flag] = []
        flags += ["after_adjudication"] if known.adjudicated else []
        flags += ["after_signature"] if signed else []
        flags += self._near_cut(line.at)
        flags += ["after_lock"] if known.locked else []
        return tuple(flags)

    def _near_cut(self, at: datetime) -> tuple[Flag, ...]:
        place = bisect_left(self._cuts, at - self._near)
        near = place < len(self._cuts) and self._cuts[place] <= at + self._near
        return ("near_cut",) if near else ()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the data a row belongs."""

    patient: str
    site: str
    form: str
    record: str
    visit: str
    version: int | None


def _row(line: Line, place: _Place, item: str, old: Value, new: Value, flags: tuple[Flag, ...]) -> Row:
    return Row(
        seq=line.seq,
        at=line.at,
        tz=line.tz,
        person=line.person,
        name=line.name,
        role=line.role,
        org=line.org,
        acting_for=line.acting_for,
        origin=line.origin,
        kind=type(line.event).__name__,
        site=place.site,
        patient=place.patient,
        form=place.form,
        record=place.record,
        visit=place.visit,
        version=place.version,
        item=item,
        old=old,
        new=new,
        reason=str(getattr(line.event, "reason", None) or ""),
        flags=flags,
    )


def _note(known: _Known, line: Line) -> None:
    """Remember of an event what rows after it need."""
    event = line.event
    if isinstance(event, FormRecorded):
        began = known.records[event.record][0] if event.record in known.records else line.seq
        known.records[event.record] = (began, event.values)
    elif isinstance(event, PatientEnrolled):
        known.site = event.site
    elif isinstance(event, DltAdjudicated):
        known.adjudicated = True
    elif isinstance(event, CasebookLocked):
        known.locked = True
    elif isinstance(event, SignatureGiven):
        kind, _, rest = event.object_ref.partition(":")
        if kind == "casebook":
            known.casebook_signed = line.seq
        elif kind == "form":
            known.signed.add(rest.partition(":")[2])


def _signed_patient(event: Event) -> str:
    kind, _, rest = str(getattr(event, "object_ref", "")).partition(":")
    return rest.partition(":")[0] if kind in ("form", "casebook") else ""


def value_of(values: Mapping[str, Any], item: str) -> Value:
    """Return what an item says among ``values``, typed: not there, left open, empty, a missing code or a value."""
    if item not in values:
        return ABSENT
    value = values[item]
    if value is None:
        return Value("null")
    if value == "":
        return Value("empty", "")
    return Value("missing" if isinstance(value, Mapping) and "missing" in value else "value", value)


def _same(old: Value, new: Value) -> bool:
    """1 and True are two values, as text and number are."""
    return old == new and type(old.value) is type(new.value)


def is_late(happened: Any, entered: datetime, limit: timedelta) -> bool:
    """Tell whether more than ``limit`` lies between what happened and its entry.

    Args:
        happened: a day (2020-03-04) or a moment with zone as text; anything else, as a day that is known in part,
            cannot be told late. A day is over at its end in UTC.
        entered: moment of the entry (UTC).
        limit: how long an entry may take; exactly that long is not late.
    """
    if not isinstance(happened, str):
        return False
    try:
        if len(happened) == len("2020-03-04"):
            return entered.date() - date.fromisoformat(happened) > limit
        moment = datetime.fromisoformat(happened)
    except ValueError:
        return False
    return moment.tzinfo is not None and entered - moment > limit


def occurred_items(folder: StudyFolder) -> dict[str, str]:
    """Return for each form the item that says when it happened: as the study says, or else its first date."""
    found: dict[str, str] = {}
    for version in (*folder.earlier.values(), folder):
        for name, form in version.forms.items():
            dates = [item.name for item in form.items if item.type in DATES]
            if dates:
                found[name] = dates[0]
        found.update(version.conduct.oversight.occurred)
    return found
