"""What a file would do if it were imported now, and whether what is recorded is what stands in it (DC-7)."""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from escalon.conduct import core_apply
from escalon.conduct.act import Event, Refused, Signed
from escalon.conduct.capture import apply, locks
from escalon.conduct.capture import events as ev
from escalon.conduct.capture.import_rows import Entry, header_problems, read_file
from escalon.conduct.commands import RecordForm
from escalon.conduct.events import FormRecorded
from escalon.conduct.records import record_form
from escalon.conduct.state import Fact, Record, State
from escalon.protocol import StudyFolder
from escalon.protocol.conduct.import_checks import check_imports
from escalon.protocol.conduct.imports import ImportMapping
from escalon.protocol.forms import Form

_APPLY = {**core_apply.APPLY, **apply.APPLY}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a file would do: its counts, events and versions; or what is wrong, each with line and column.

    Rows of the file, blank ones left out, are ``counts.lines`` = accepted + ``refused``; with one row refused nothing
    is recorded. ``blank`` counts the rows that hold nothing.
    """

    counts: ev.ImportCounts
    events: tuple[Event, ...]
    problems: tuple[str, ...]
    refused: int = 0
    blank: int = 0

    @property
    def records(self) -> tuple[ev.ImportedRecord, ...]:
        """The versions written, in the order of the file."""
        return written(self.events)

    @property
    def accepted(self) -> int:
        """Rows of the file that fit, whether or not the others do."""
        return self.counts.lines - self.refused


@dataclass(frozen=True, slots=True)
class Agreement:
    """Answers of a file beside the records: how many there are, and those that differ, as (record, item)."""

    answers: int
    differing: tuple[tuple[str, str, str], ...]


def checksum(text: str) -> str:
    """Return the SHA-256 of a file's text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def plan_import(
    state: State, signed: Signed, folder: StudyFolder, mapping: ImportMapping, text: str, reason: str
) -> Plan:
    """Return what the file does when ``signed.actor`` imports it now; nothing is decided by it.

    Args:
        state, signed, folder: as in ``decide``.
        mapping: one of ``folder.conduct.capture.imports``.
        text: the file.
        reason: why earlier records change; needed only where one does.
    """
    nothing = ev.ImportCounts(0, 0, 0, 0)
    form = folder.forms.get(mapping.form)
    if form is None:
        return Plan(nothing, (), (f"the study has no form {mapping.form}",))
    problems = [f"the mapping {mapping.id}: {rule}" for _, rule in check_imports([mapping], folder.forms)]
    problems = problems or [*header_problems(text, mapping)]
    if problems:
        return Plan(nothing, (), tuple(problems))
    read = read_file(text, mapping, form)
    events: list[Event] = []
    count, refused = {"new": 0, "changed": 0, "unchanged": 0}, len(read.unread)
    for entry in read.entries:
        before = _before(state, entry.patient, entry.record)
        command = _completed(before, entry, form, reason)
        if not entry.problems and before is not None and _same(before, command):
            count["unchanged"] += 1
            continue
        outcome = _record(state, signed, folder, mapping, form, entry, command)
        if isinstance(outcome, list):
            problems += outcome
            refused += len(entry.lines)
            continue
        count["new" if before is None else "changed"] += 1
        events += outcome
        state = after(state, outcome, signed)
    problems += read.unread
    if not problems and not sum(count.values()):
        problems.append("line 1: the file has no rows")
    counts = ev.ImportCounts(sum(count.values()), **count, lines=read.lines)
    return Plan(counts, tuple(events), _in_order(problems), refused, read.blank)


def compare(state: State, folder: StudyFolder, mapping: ImportMapping, text: str) -> Agreement:
    """Return whether every answer of a file stands in the records now: the last step of a reconciliation."""
    form = folder.forms[mapping.form]
    answers, differing = 0, []
    for entry in read_file(text, mapping, form).entries:
        record = _before(state, entry.patient, entry.record)
        said = entry.command(form).values
        for item in sorted(entry.spoken):
            answers += said.get(item) is not None
            if record is None or record.entered.get(item) != said.get(item):
                differing.append((entry.patient, entry.record, item))
    return Agreement(answers, tuple(differing))


def after(state: State, events: tuple[Event, ...], signed: Signed) -> State:
    """Return the state with ``events`` of this act."""
    for event in events:
        fact = Fact(state.seq + 1, signed.at, signed.actor.id, signed.actor.role, event)
        state = replace(_APPLY[type(event)](state, fact, event), seq=fact.seq)
    return state


def written(events: tuple[Event, ...]) -> tuple[ev.ImportedRecord, ...]:
    """Return the versions among ``events``."""
    return tuple(
        ev.ImportedRecord(event.patient, event.record, event.version)
        for event in events
        if isinstance(event, FormRecorded)
    )


def _record(
    state: State,
    signed: Signed,
    folder: StudyFolder,
    mapping: ImportMapping,
    form: Form,
    entry: Entry,
    command: RecordForm,
) -> tuple[Event, ...] | list[str]:
    """The events of one entry, or its problems with line and column."""
    if entry.problems:
        return entry.problems
    before = _before(state, entry.patient, entry.record)
    wrong = form.check(command.values, None if before is None else before.entered)
    if wrong:
        return [entry.named(problem, form) for problem in wrong]
    outcome = locks.refuse_closed(state, entry.patient, entry.record) or record_form(
        state, signed, command, folder, "import"
    )
    if isinstance(outcome, Refused):
        column = {"patient": mapping.patient, "site": mapping.patient, "visit": mapping.visit}
        where = column.get(outcome.rule) or mapping.record
        return [f"line {entry.lines[0]}, column {where}: {outcome.reason} ({outcome.rule})"]
    return outcome


def _completed(before: Record | None, entry: Entry, form: Form, reason: str) -> RecordForm:
    """The entry with the answers of the earlier record that the file does not speak of."""
    command = entry.command(form)
    if before is None:
        return command
    kept: dict[str, Any] = {name: v for name, v in before.entered.items() if name not in entry.spoken}
    return replace(command, values={**kept, **command.values}, reason=reason or None)


def _before(state: State, patient: str, record: str) -> Record | None:
    known = state.patients.get(patient)
    return None if known is None else known.records.get(record)


def _same(before: Record, command: RecordForm) -> bool:
    mine = (before.form, before.visit, before.entered)
    return not before.withdrawn and mine == (command.form, command.visit, command.values)


def _in_order(problems: list[str]) -> tuple[str, ...]:
    """Problems by the line they name."""

    def line(problem: str) -> int:
        number = problem.removeprefix("line ").split(":")[0].split(",")[0]
        return int(number) if number.isdigit() else 0

    return tuple(sorted(problems, key=line))
