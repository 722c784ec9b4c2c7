"""Where every answer came from, beside what was agreed about its item (DC-3).

An item declared ``imported`` comes in by an import and one declared ``entered`` or ``transcribed`` by a person; nobody
brings in what is ``derived``. What came in otherwise is listed and, where the study says so, asked about.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from escalon.conduct.act import Event, Signed
from escalon.conduct.capture import events as ev
from escalon.conduct.capture.queries import SOURCE_CHECK, queries_on
from escalon.conduct.capture.state import QueryStatus
from escalon.conduct.capture.versions import folder_of
from escalon.conduct.events import FormRecorded
from escalon.conduct.state import Record, State
from escalon.protocol import StudyFolder
from escalon.protocol.forms import Form
from escalon.protocol.forms_sources import ItemSource, source_agreement


@dataclass(frozen=True, slots=True)
class AnswerSource:
    """One answer that stands now: what was agreed about its item, and how it came in.

    ``came`` is form or import; ``import_number`` and ``file`` name the import. ``version``, ``by``, ``role`` and ``at``
    are those of the version that brought the answer. ``group`` is '' for an item of the record itself; the rows of a
    group count as one answer to each of its items.
    """

    patient: str
    record: str
    form: str
    group: str
    item: str
    declared: str
    found_in: str
    owner: str
    came: str
    version: int
    by: str
    role: str
    at: datetime
    import_number: int | None
    file: str
    agrees: bool


def answer_sources(state: State, folder: StudyFolder) -> Iterator[AnswerSource]:
    """Yield one row for every answer that stands now, missing codes too, by patient, record and item."""
    imports = {
        place: one for one in state.capture.imports if one.applied_at is not None for place in one.records
    }
    for patient, known in state.patients.items():
        forms = folder_of(state, folder, patient).forms
        for record in known.records.values():
            if record.withdrawn or record.form not in forms:
                continue
            for agreed in source_agreement([forms[record.form]]):
                if _answer(record.entered, agreed) in (None, []):
                    continue
                brought = _brought(record, agreed)
                one = imports.get((patient, record.record, brought.version))
                yield AnswerSource(
                    patient,
                    record.record,
                    record.form,
                    agreed.group,
                    agreed.item,
                    agreed.source,
                    agreed.found_in,
                    agreed.owner,
                    brought.origin,
                    brought.version,
                    brought.by,
                    brought.role,
                    brought.recorded_at,
                    None if one is None else one.number,
                    "" if one is None else one.file,
                    _agrees(agreed, brought),
                )


def mismatches(record: Record, form: Form) -> tuple[ItemSource, ...]:
    """Return the items of a record whose answers came in otherwise than was agreed."""
    return tuple(
        agreed
        for agreed in source_agreement([form])
        if _answer(record.entered, agreed) not in (None, []) and not _agrees(agreed, _brought(record, agreed))
    )


def ask(state: State, events: tuple[Event, ...], signed: Signed, folder: StudyFolder) -> tuple[Event, ...]:
    """Return the queries about answers that came in otherwise than agreed, and those that are settled."""
    if folder.conduct.capture.source_mismatch != "query":
        return ()
    number = len(state.capture.queries) + sum(isinstance(event, ev.QueryOpened) for event in events)
    found: list[Event] = []
    for event in events:
        if not isinstance(event, FormRecorded):
            continue
        record = _recorded(state, event, signed)
        form = folder_of(state, folder, event.patient).forms[event.form]
        wrong = mismatches(record, form)
        waiting = [
            query
            for query in queries_on(state, event.patient, event.record)
            if query.check == SOURCE_CHECK and query.status is not QueryStatus.CLOSED
        ]
        new = [agreed for agreed in wrong if _brought(record, agreed).version == event.version]
        if waiting and not wrong:
            found += [
                ev.QueryClosed(query.query, "every answer came in as its item says") for query in waiting
            ]
        elif new and not waiting:
            number += 1
            where = (event.patient, event.record, new[0].group or new[0].item)
            found.append(ev.QueryOpened(number, *where, _question(event, new), SOURCE_CHECK))
    return tuple(found)


def _question(event: FormRecorded, wrong: list[ItemSource]) -> str:
    names = ", ".join(f"{event.form}.{agreed.item}" for agreed in wrong)
    came = "was imported" if event.origin == "import" else "was entered by hand"
    return f"{names}: the source agreed on is {wrong[0].source} ({wrong[0].found_in}); the answer {came}"


def _recorded(state: State, event: FormRecorded, signed: Signed) -> Record:
    before = state.patients[event.patient].records.get(event.record)
    return Record(
        event.patient,
        event.form,
        event.record,
        event.version,
        event.visit,
        event.values,
        signed.at,
        state.seq + 1,
        before,
        event.values,
        origin=event.origin,
    )


def _agrees(agreed: ItemSource, brought: Record) -> bool:
    if agreed.source == "derived":
        return False
    return (agreed.source == "imported") == (brought.origin == "import")


def _brought(record: Record, agreed: ItemSource) -> Record:
    """The version that brought the answer an item has now; taking an import back brings nothing."""
    answer, here = _answer(record.entered, agreed), record
    earlier = here.before
    while earlier is not None:
        if _answer(earlier.entered, agreed) == answer:
            here = earlier
        elif here.origin != "rollback":
            break
        earlier = earlier.before
    return here


def _answer(entered: Mapping[str, Any], agreed: ItemSource) -> Any:
    """The answer to an item; of an item in a group those of all rows, None for an unanswered one, [] for no answer."""
    if not agreed.group:
        return entered.get(agreed.item)
    column = [row.get(agreed.item) for row in entered.get(agreed.group) or ()]
    return column if any(value is not None for value in column) else []
