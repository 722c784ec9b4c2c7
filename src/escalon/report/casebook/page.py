"""The casebook as the text of one HTML page that needs nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files

from markupsafe import Markup

from escalon.protocol import StudyFolder
from escalon.report.casebook.book import Casebook, build_casebook
from escalon.report.casebook.course_svg import draw_course
from escalon.report.casebook.gather import Gathered, gather
from escalon.report.html import _environment, _style
from escalon.store.chain import Entry
from escalon.store.chain_check import verify_entries


@dataclass(frozen=True, slots=True)
class Ledger:
    """A ledger read for its casebooks; ``problems`` are those of its chain (none: it holds)."""

    study_id: str
    gathered: Gathered
    problems: tuple[str, ...]
    as_of: datetime | None

    @property
    def patients(self) -> tuple[str, ...]:
        """The patients enrolled at the moment shown."""
        return tuple(sorted(self.gathered.state.patients))


def read_ledger(study_id: str, entries: Iterable[Entry], as_of: datetime | None = None) -> Ledger:
    """Verify the chain of one study and read it for its casebooks.

    Raises:
        ValueError: nothing had happened by ``as_of``.
    """
    kept = list(entries)
    gathered = gather(kept, as_of)
    if gathered.seq == 0:
        raise ValueError(f"--as-of: the first event is of {kept[0].at}" if kept else "the ledger is empty")
    return Ledger(study_id, gathered, verify_entries(study_id, kept).problems, as_of)


def render_casebook(ledger: Ledger, patient: str, folder: StudyFolder) -> str:
    """Return the page of ``patient``.

    Args:
        ledger: as ``read_ledger`` gives it.
        patient: number of the patient.
        folder: a version of the study, with every other one as its ``earlier``.

    Raises:
        KeyError: there is no such patient, or no version of the study for it.
    """
    book = build_casebook(ledger.gathered, patient, folder)
    return (
        _environment()
        .get_template("casebook.html.j2")
        .render(
            style=Markup(_style() + _casebook_style()),
            study=folder.study,
            ledger=ledger,
            gathered=ledger.gathered,
            state=ledger.gathered.state,
            book=book,
            course=draw_course(book.course, _words(book)),
            versions=_versions(book),
        )
    )


def _words(book: Casebook) -> str:
    """What the picture shows, for who cannot see it; the table under it says the same mark by mark."""
    lanes = ", ".join(f"{lane.label.lower()} ({len(lane.marks)})" for lane in book.course.lanes)
    return f"Course of patient {book.patient.patient}: {lanes}. All of it is in the table below."


def _versions(book: Casebook) -> tuple[tuple[str, str], ...]:
    """Study and software versions under which values of this page were written."""
    stamps = [step.stamp for record in book.records for item in record.items for step in item.steps]
    return tuple(dict.fromkeys((one.study, one.software) for one in stamps if one.study))


@cache
def _casebook_style() -> str:
    return (files("escalon.report") / "templates" / "casebook.css").read_text(encoding="utf-8")
