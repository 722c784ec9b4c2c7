"""One record of a casebook: its items with their trails, marks and queries, and its versions."""

from collections.abc import Iterator
from dataclasses import dataclass

from escalon.conduct.capture import events as ev
from escalon.conduct.state import Fact, Record
from escalon.protocol import StudyFolder
from escalon.protocol.forms import Form
from escalon.protocol.forms_conditions import Answers, holds
from escalon.report.casebook.gather import Gathered
from escalon.report.casebook.queries import QueryShown
from escalon.report.casebook.shown import Question, Shown, questions_of, shown_in
from escalon.report.casebook.stamp import Stamp
from escalon.report.casebook.trail import Flag, Landmarks, Reason, Step, item_trail, reason_of


@dataclass(frozen=True, slots=True)
class MarkStep:
    """A mark on an item given or fallen: ``what`` in words, on which version."""

    what: str
    version: int
    stamp: Stamp
    holds: bool


@dataclass(frozen=True, slots=True)
class ItemShown:
    """An item with its present value and its whole history."""

    question: Question
    value: Shown
    steps: tuple[Step, ...]
    marks: tuple[MarkStep, ...]
    queries: tuple[QueryShown, ...]

    @property
    def flags(self) -> tuple[Flag, ...]:
        """What is to be noticed, each kind once with its latest words."""
        found = {flag.kind: flag for step in self.steps for flag in step.flags}
        return tuple(found.values())

    @property
    def verified(self) -> bool:
        """True while a source verification stands."""
        return any(mark.holds and mark.what == "source verified" for mark in self.marks)

    @property
    def confirmed(self) -> bool:
        """True while a second person's confirmation stands."""
        return any(mark.holds and mark.what == "confirmed by a second person" for mark in self.marks)

    @property
    def open_queries(self) -> int:
        """Number of queries that are not closed."""
        return sum(query.status != "CLOSED" for query in self.queries)

    @property
    def redacted(self) -> bool:
        """True if a value or reason of any version was redacted."""
        return any(
            "redacted" in (step.new.kind, step.old.kind if step.old else "")
            or (step.reason is not None and step.reason.redacted)
            for step in self.steps
        )


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a record as a whole; ``overridden`` are soft checks a person let stand, with the reason."""

    number: int
    stamp: Stamp
    origin: str
    reason: Reason | None
    overridden: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RecordShown:
    """A record; ``ident`` is its place on the page, ``silent`` names questions without any answer ever."""

    ident: str
    record: str
    form: str
    title: str
    visit: str | None
    withdrawn: bool
    frozen: bool
    items: tuple[ItemShown, ...]
    unanswered: tuple[str, ...]
    not_asked: tuple[str, ...]
    versions: tuple[Version, ...]
    queries: tuple[QueryShown, ...]

    @property
    def changed(self) -> int:
        """Number of items changed after their first entry."""
        return sum(bool(item.flags) for item in self.items)

    @property
    def open_queries(self) -> int:
        """Number of queries on the record or its items that are not closed."""
        every = (*self.queries, *(query for item in self.items for query in item.queries))
        return sum(query.status != "CLOSED" for query in every)

    @property
    def verified(self) -> int:
        """Number of answered items whose source verification stands."""
        return sum(item.verified for item in self.items if item.value.answered)

    @property
    def answered(self) -> int:
        """Number of answered items."""
        return sum(item.value.answered for item in self.items)


def find_form(folder: StudyFolder, name: str, record: Record, stamp: Stamp) -> Form | None:
    """Return the form a record was last written on: of the version then, else of any version that has it."""
    versions = {folder.hash: folder, **folder.earlier}
    order = [versions[stamp.study]] if stamp.study in versions else []
    return next((one.forms[name] for one in (*order, folder, *versions.values()) if name in one.forms), None)


def show_record(
    gathered: Gathered,
    folder: StudyFolder,
    record: Record,
    ident: str,
    landmarks: Landmarks,
    queries: tuple[QueryShown, ...],
) -> RecordShown:
    """Return a record as the page shows it; ``folder`` is the version of the study the patient consented to."""
    form = find_form(folder, record.form, record, gathered.stamps[record.seq])
    questions = {} if form is None else questions_of(form)
    versions = record.versions()
    names = dict.fromkeys((*questions, *(name for version in versions for name in version.entered)))
    every = [questions.get(name, Question(name, name)) for name in names]
    ever = {name for one in versions for name, value in one.entered.items() if value is not None}
    facts = [
        fact
        for fact in gathered.facts[record.patient]
        if getattr(fact.event, "record", None) == record.record
    ]
    items = tuple(
        ItemShown(
            question,
            shown_in(record, question.name, question),
            item_trail(gathered, versions, question, landmarks),
            tuple(_marks(gathered, facts, question.name)),
            tuple(query for query in queries if query.item == question.name),
        )
        for question in every
        if question.name in ever or any(query.item == question.name for query in queries)
    )
    silent = [question for question in every if question.name not in ever]
    skipped = _skipped(form, record)
    known = {query.item for query in queries}
    return RecordShown(
        ident,
        record.record,
        record.form,
        record.form if form is None else form.title,
        record.visit,
        record.withdrawn,
        record.record in gathered.state.capture.frozen.get(record.patient, frozenset()),
        items,
        tuple(one.label for one in silent if one.name not in skipped and one.name not in known),
        tuple(one.label for one in silent if one.name in skipped),
        tuple(_version(gathered, one, facts) for one in versions),
        tuple(query for query in queries if not query.item),
    )


def _skipped(form: Form | None, record: Record) -> frozenset[str]:
    """Items the skip logic of the form did not ask for, by the answers of this record."""
    asked = Answers(record.entered)
    return frozenset(
        item.name
        for item in (form.items if form is not None else ())
        if (item.only_if is not None and holds(item.only_if, asked) is not True) or item.retired is not None
    )


def _version(gathered: Gathered, version: Record, facts: list[Fact]) -> Version:
    overridden = tuple(
        (fact.event.check, fact.event.reason)
        for fact in facts
        if isinstance(fact.event, ev.CheckOverridden) and fact.event.version == version.version
    )
    stamp = gathered.stamps[version.seq]
    return Version(version.version, stamp, version.origin, reason_of(version.reason), overridden)


def _marks(gathered: Gathered, facts: list[Fact], item: str) -> Iterator[MarkStep]:
    """Yield what was said about an item by others than who entered it; a later fall ends a mark."""
    marks = gathered.state.capture.marks.get(facts[0].event.patient, {}) if facts else {}  # type: ignore[attr-defined]
    now = marks.get(facts[0].event.record) if facts else None  # type: ignore[attr-defined]
    for fact in facts:
        event, stamp = fact.event, gathered.stamps[fact.seq]
        if isinstance(event, ev.SourceVerified) and item in event.items:
            stands = now is not None and item in now.verified and now.verified[item].version == event.version
            yield MarkStep("source verified", event.version, stamp, stands)
        elif isinstance(event, ev.CriticalConfirmed) and item in event.items:
            stands = (
                now is not None and item in now.confirmed and now.confirmed[item].version == event.version
            )
            yield MarkStep("confirmed by a second person", event.version, stamp, stands)
        elif isinstance(event, ev.MarksWithdrawn):
            for what, items in (("source verification", event.verified), ("confirmation", event.confirmed)):
                if item in items:
                    yield MarkStep(f"{what} fell with the change", event.version, stamp, False)
