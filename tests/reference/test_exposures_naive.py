"""Windows of further infusions and their counts against the naive twin, and what always holds of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalon.conduct import commands as c
from escalon.conduct.act import Refused
from escalon.conduct.cohorts import escalation_counts
from escalon.conduct.events import DltStatus
from escalon.conduct.exposure_record import propose_exposure
from escalon.conduct.slots import events as ev
from escalon.conduct.slots.exposures import exposures
from escalon.conduct.slots.state import Exposure, Judgement, Slots
from escalon.conduct.slots.windows import Evaluability, exposure_window
from escalon.conduct.state import Patient, Record, State
from escalon.protocol import StudyFolder
from tests.act import COORDINATOR, adverse_event, exposure
from tests.reference import exposures_naive as naive
from tests.unit.conduct.test_slots_exposures import again, cells, judge, observed, panel, redosing

START = datetime(2021, 3, 1, 9, tzinfo=UTC)
FOLDERS = {days: redosing(window_days=days) for days in (14, 28, 42)}
JUDGED = (None, "DLT", "NO_DLT", "NOT_EVALUABLE")


def state_of(course: naive.Course) -> State:
    """The state that a ledger of this course would give."""
    records = [
        *(("EX", f"EX-ANTI-{place}", _dose("CLLS52", at, 1.0)) for place, at in enumerate(course.antibody)),
        *(
            ("EX", f"EX-{place}", _dose("UCART22", one.at, one.fraction))
            for place, one in enumerate(course.infusions)
        ),
        *(("AE", f"AE-{place}", _event(one)) for place, one in enumerate(course.events)),
        *(
            ("LB", f"LB-{place}", {"LBDTC": at.isoformat(), "NEUT": 1.2})
            for place, at in enumerate(course.panels)
        ),
    ]
    if course.left is not None:
        values = {"DSDECOD": "LOST TO FOLLOW-UP", "DSSTDTC": course.left.date().isoformat()}
        records.append(("DS", "DS-1", values))
    if course.therapy is not None:
        values = {"CMCAT": "NEW ANTI-LEUKEMIC THERAPY", "CMSTDTC": course.therapy.date().isoformat()}
        records.append(("CM", "CM-1", values))
    known = {key: Record("001", form, key, 1, None, values, START, 1) for form, key, values in records}
    first, *further = course.infusions
    patient = Patient(
        "001", "01", "escalation", 1, "2021-01-01", None, START - timedelta(days=20), 1, "FC", "P1",
        first.at, first.fraction, None, DltStatus(first.judged or "PENDING"), records=known,
    )  # fmt: skip
    slots = Slots(
        exposures=tuple(_exposure(one, place + 2) for place, one in enumerate(further)),
        reopened=("001",) if first.reopened else (),
    )
    return replace(State(), patients={"001": patient}, slots=slots)


def _dose(product: str, at: datetime, fraction: float) -> dict[str, Any]:
    return {**exposure(None, product, at, 1e5 * fraction, 1e5)}  # type: ignore[arg-type]


def _event(one: naive.Event) -> dict[str, Any]:
    clock: Any = SimpleNamespace(now=one.start)
    category = "INFUSION REACTION" if one.reaction else "GENERAL"
    end = {} if one.end is None else {"AEENDTC": one.end.isoformat()}
    return adverse_event(clock, AECAT=category, AETOXGR=one.grade, AESER="N", **end)


def _exposure(one: naive.Infusion, number: int) -> Exposure:
    judged = None
    if one.judged is not None:
        judged = Judgement(DltStatus(one.judged), "5", "as seen", False, one.at, "m")
    record = f"EX-{number - 1}"
    opened = "late event" if one.reopened else ""
    return Exposure("001", number, 1, one.at, one.fraction, record, 1e5, "", one.at, judged, opened)


hours = st.integers(0, 24 * 150).map(lambda count: START - timedelta(days=8) + timedelta(hours=count))


@st.composite
def courses(draw: st.DrawFn) -> naive.Course:
    gaps = draw(st.lists(st.integers(24 * 8, 24 * 50), max_size=2))
    moments = [START]
    for gap in gaps:
        moments.append(moments[-1] + timedelta(hours=gap))
    infusions = []
    for place, at in enumerate(moments):
        judged = draw(st.sampled_from(JUDGED))
        reopened = judged is not None and draw(st.integers(0, 3)) == 0
        fraction = draw(st.sampled_from((0.5, 0.8, 1.0)))
        infusions.append(naive.Infusion(at, fraction, judged, reopened))
        assert place < 3
    antibody = [
        at - timedelta(days=days) for at in moments for days in draw(st.lists(st.integers(1, 7), max_size=1))
    ]
    events = []
    for at in draw(st.lists(hours, max_size=4)):
        lasts = draw(st.one_of(st.none(), st.integers(1, 72)))
        end = None if lasts is None else at + timedelta(hours=lasts)
        events.append(naive.Event(at, draw(st.integers(2, 4)), draw(st.booleans()), end))
    near = [at + timedelta(days=draw(st.integers(10, 50)), hours=draw(st.integers(0, 23))) for at in moments]
    gone = st.one_of(st.none(), st.none(), hours.map(lambda at: at.replace(hour=0)))
    return naive.Course(
        infusions, antibody, events, near, draw(gone), draw(gone), draw(st.sampled_from((14, 28, 42)))
    )


def _first_as_study(course: naive.Course) -> naive.Course:
    """The same course with the window of the first infusion, which the study sets."""
    return replace(course, window=28)


@settings(max_examples=400, deadline=None)
@given(course=courses(), after=st.integers(0, 24 * 160))
def test_every_further_window_is_what_the_naive_twin_says(course: naive.Course, after: int) -> None:
    state, folder = state_of(course), FOLDERS[course.window]
    now = course.infusions[-1].at + timedelta(hours=after)
    known = exposures(state, "001")
    assert [one.exposure for one in known] == list(range(1, len(course.infusions) + 1))
    expected = naive.windows(course, now)
    says = naive.proposed(course, now)
    for one in known[1:]:
        found = exposure_window(state, one, folder, now)
        assert (found.state, found.evaluability, found.dlt) == expected[one.exposure - 1]
        assert propose_exposure(state, one, folder, now).status == says[one.exposure - 1]
        judged = course.infusions[one.exposure - 1].judged
        assert found.candidate is (
            says[one.exposure - 1] == "DLT"
            and (judged is None or course.infusions[one.exposure - 1].reopened)
        )
        assert found.evaluability in (
            Evaluability.EVALUABLE,
            Evaluability.NOT_EVALUABLE,
            Evaluability.PENDING,
        )
        assert found.reasons
        assert all(found.reasons)


@settings(max_examples=100, deadline=None)
@given(course=courses(), hour=st.integers(0, 24 * 40))
def test_what_happens_after_the_first_window_leaves_it_as_it_was(course: naive.Course, hour: int) -> None:
    """Metamorphic: an event behind day 28 of the first infusion moves no first window, wherever the second lies."""
    now = START + timedelta(days=200)
    before, folder = state_of(course), FOLDERS[28]
    late = naive.Event(START.replace(hour=0) + timedelta(days=29, hours=hour), 4)
    after = state_of(replace(course, events=[*course.events, late]))
    first = exposures(before, "001")[0]
    assert exposure_window(before, first, folder, now) == exposure_window(after, first, folder, now)


patients = st.builds(
    naive.Judged,
    st.integers(1, 3),
    st.sampled_from(("DLT", "NO_DLT", "NOT_EVALUABLE", "PENDING")),
    st.lists(st.tuples(st.integers(1, 3), st.sampled_from(("DLT", "NO_DLT", "NOT_EVALUABLE"))), max_size=2),
)


@settings(max_examples=200, deadline=None)
@given(group=st.lists(patients, max_size=5), further_counts=st.booleans())
def test_the_escalation_counts_are_those_of_the_naive_twin(
    group: list[naive.Judged], further_counts: bool
) -> None:
    known, given_again = {}, []
    for number, one in enumerate(group):
        name = f"{number:03}"
        status = DltStatus(one.status)
        known[name] = Patient(
            name, "01", "escalation", 1, "2021-01-01", None, START, one.level, dlt_status=status
        )
        for place, (level, judged) in enumerate(one.further):
            judgement = Judgement(DltStatus(judged), None, "x", further_counts, START, "m")
            given_again.append(Exposure(name, place + 2, level, START, 1.0, judged=judgement))
    state = replace(State(), patients=known, slots=Slots(exposures=tuple(given_again)))
    n, y = escalation_counts(state, 3)
    assert (list(n), list(y)) == naive.counts(group, 3, further_counts=further_counts)
    assert all(with_dlt <= seen for seen, with_dlt in zip(n, y, strict=True))


@pytest.fixture(scope="module")
def thrice() -> Any:
    """A desk on which 001 was infused three times, a month apart."""
    desk = observed(redosing())
    for number in (2, 3):
        again(desk, number)
        desk.now += timedelta(days=30)
        desk.must(COORDINATOR, c.RecordForm("001", "LB", f"LB-{number}", panel(desk)))
        judge(desk, DltStatus.NO_DLT, number=number)
    return desk


@settings(max_examples=60, deadline=None)
@given(moves=st.lists(st.tuples(st.integers(1, 3), st.integers(-24 * 40, 24 * 40)), min_size=1, max_size=4))
def test_corrections_keep_numbers_in_the_order_of_time_and_tell_what_lies_too_close(
    thrice: Any, moves: list[tuple[int, int]]
) -> None:
    desk = type(thrice)(thrice.folder)
    desk.state, desk.now = thrice.state, thrice.now
    for number, shift in moves:
        moments = [one.infused_at for one in exposures(desk.state, "001")]
        wanted = list(moments)
        wanted[number - 1] = moments[number - 1] + timedelta(hours=shift)
        desk.now += timedelta(minutes=1)
        outcome = desk.send(COORDINATOR, cells(desk, number, moment=wanted[number - 1]))
        ordered = wanted == sorted(set(wanted)) and wanted[-1] <= desk.now
        now = [one.infused_at for one in exposures(desk.state, "001")]
        if isinstance(outcome, Refused):
            assert (outcome.rule in ("INV-8 order", "clock")) is not ordered, "else the consent is later"
            assert now == moments
            continue
        assert ordered
        assert now == wanted
        close = {
            place + 2
            for place in range(2)
            if wanted[place + 1] - wanted[place] < timedelta(days=28) <= moments[place + 1] - moments[place]
        }
        told = {
            int(one.text.split()[1])
            for one in outcome
            if isinstance(one, ev.DeviationRecorded) and one.rule == "RE-2 days between"
        }
        assert close <= told


def test_the_folders_say_what_they_are_asked_for() -> None:
    said = [folder.conduct.slots.redosing for folder in FOLDERS.values()]
    assert [one.window_days for one in said if one is not None] == list(FOLDERS)
    assert all(isinstance(folder, StudyFolder) for folder in FOLDERS.values())
