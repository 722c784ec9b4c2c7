"""Eight threads write through one writer: every act as if it were alone, and none acknowledged that is not there."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import InterfaceError, OperationalError

from escalon.conduct import commands as c
from escalon.conduct.act import Outcome
from escalon.conduct.slots.commands import RequestSlot
from escalon.protocol import StudyFolder
from escalon.store.connection import LedgerUnavailable
from escalon.store.ledger import read_facts
from escalon.store.shared_writer import SharedWriter
from escalon.store.verify import verify_ledger
from tests.act import COORDINATOR, panel
from tests.databases import SERVER, ask, fresh_url
from tests.unit.store.acts import after_story, commands, event_count

THREADS = 8


class Gate:
    """A clock that tells the time only after ``THREADS`` acts wait: the first by itself, the others as one block."""

    def __init__(self, now: datetime) -> None:
        self.now, self.opened = now, threading.Event()
        self.before: Callable[[], object] = lambda: None

    def __call__(self) -> datetime:
        assert self.opened.wait(30)
        self.before()
        self.now += timedelta(seconds=1)
        return self.now


def at_once(writer: SharedWriter, gate: Gate, acts: list[c.Signed]) -> list[Outcome | Exception]:
    """Send the acts from a thread each, in order; return what came of them."""

    def send(act: c.Signed) -> Outcome | Exception:
        try:
            return writer.execute(act)
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(acts)) as pool:
        sent = []
        for number, act in enumerate(acts):
            sent.append(pool.submit(send, act))
            wait_for(lambda number=number: writer.taken > number)
        gate.opened.set()
        return [one.result(60) for one in sent]


def wait_for(holds: Callable[[], bool]) -> None:
    for _ in range(3000):
        if holds():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never came")


def panels(folder: StudyFolder, names: list[str]) -> list[c.Signed]:
    desk = after_story(folder)
    values = panel(desk)
    return [c.Signed(c.RecordForm("001", "LB", name, values, "D28"), COORDINATOR, desk.now) for name in names]


def opened(url: str, folder: StudyFolder) -> tuple[SharedWriter, Gate]:
    gate = Gate(after_story(folder).now)
    with SharedWriter(url, folder) as writer:
        for signed in commands(folder):
            assert not isinstance(writer.execute(signed), c.Refused)
    return SharedWriter(url, folder, clock=gate), gate


def test_acts_of_many_threads_are_all_there_in_one_chain(url: str, balli: StudyFolder) -> None:
    writer, gate = opened(url, balli)
    with writer:
        outcomes = at_once(writer, gate, panels(balli, [f"LB-{n}" for n in range(THREADS)]))
        assert all(isinstance(outcome, tuple) for outcome in outcomes)
        assert set(writer.state.patients["001"].records) >= {f"LB-{n}" for n in range(THREADS)}
        at = [record.recorded_at for record in writer.state.patients["001"].records.values()]
        assert at == sorted(at)
        assert (
            at[-1] == gate.now > after_story(balli).now
        )  # the server's time when its turn came, not the time it was sent with
    (result,) = verify_ledger(url)
    assert result.holds
    assert result.events == event_count(balli) + THREADS


def test_the_same_act_eight_times_is_done_once(url: str, balli: StudyFolder) -> None:
    writer, gate = opened(url, balli)
    with writer:
        outcomes = at_once(writer, gate, panels(balli, ["LB-1"] * THREADS))
    done = [outcome for outcome in outcomes if isinstance(outcome, tuple)]
    assert len(done) == 1
    refused = {outcome.rule for outcome in outcomes if isinstance(outcome, c.Refused)}
    assert refused == {"reason"}


def test_an_act_that_fails_takes_no_other_with_it(url: str, balli: StudyFolder) -> None:
    writer, gate = opened(url, balli)
    spoil(url)
    names = ["LB-1", "LB-2", "spoiled", "LB-3", "LB-4", "LB-5", "LB-6", "LB-7"]
    with writer:
        outcomes = at_once(writer, gate, panels(balli, names))
        assert set(writer.state.patients["001"].records) >= set(names) - {"spoiled"}
        again = panels(balli, ["LB-8"])[0]
        assert isinstance(writer.execute(again), tuple)
    failed = [name for name, outcome in zip(names, outcomes, strict=True) if isinstance(outcome, Exception)]
    assert failed == ["spoiled"]
    (result,) = verify_ledger(url)
    assert result.holds, result.problems
    assert result.events == event_count(balli) + len(names)
    recorded = {getattr(fact.event, "record", "") for fact in read_facts(url)}
    assert set(names) - recorded == {"spoiled"}


@pytest.mark.skipif(SERVER is None, reason="no PostgreSQL: ESCALON_TEST_DATABASE_URL is not set")
def test_a_lost_server_is_said_to_everybody_and_the_next_act_goes_on(
    tmp_path: Path, balli: StudyFolder
) -> None:
    with fresh_url("postgresql", tmp_path) as url:
        writer, gate = opened(url, balli)
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        with writer:
            gate.before = lambda: ask(url, f"{end} AND pid <> pg_backend_pid()")
            outcomes = at_once(writer, gate, panels(balli, [f"LB-{n}" for n in range(THREADS)]))
            lost = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
            assert {type(one) for one in lost} <= {OperationalError, InterfaceError}
            assert lost
            gate.before = lambda: None
            assert isinstance(writer.execute(panels(balli, ["LB-after"])[0]), tuple)
            written = set(writer.state.patients["001"].records)
        for number, outcome in enumerate(outcomes):
            assert isinstance(outcome, tuple) == (f"LB-{number}" in written)
        (result,) = verify_ledger(url)
        assert result.holds, result.problems


def test_a_snapshot_that_fails_undoes_nothing(
    url: str, balli: StudyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        raise ValueError("no room for a snapshot")

    monkeypatch.setattr("escalon.store.execute.keep_snapshot", no_room)
    gate = Gate(after_story(balli).now)
    opened(url, balli)[0].close()
    with SharedWriter(url, balli, clock=gate, snapshot_every=1) as writer:
        outcomes = at_once(writer, gate, panels(balli, [f"LB-{n}" for n in range(THREADS)]))
    assert all(isinstance(outcome, tuple) for outcome in outcomes), outcomes
    (result,) = verify_ledger(url)
    assert result.events == event_count(balli) + THREADS


def spoil(url: str) -> None:
    """Let the database refuse whatever names the record ``spoiled``."""
    if url.startswith("postgres"):
        rule = "CHECK (strpos(object_ref, 'spoiled') = 0)"
        ask(url, f"ALTER TABLE ledger_event ADD CONSTRAINT no_spoiled {rule}")
    else:
        stop = "WHEN NEW.object_ref LIKE '%spoiled%' BEGIN SELECT RAISE(ABORT, 'spoiled'); END"
        ask(url, f"CREATE TRIGGER no_spoiled BEFORE INSERT ON ledger_event {stop}")


def test_a_closed_writer_wrote_everything_and_takes_no_more(url: str, balli: StudyFolder) -> None:
    writer, gate = opened(url, balli)
    gate.opened.set()
    with ThreadPoolExecutor(THREADS) as pool:
        asked = c.Signed(RequestSlot("01", "screening-1"), COORDINATOR, after_story(balli).now)
        sent = pool.submit(writer.execute, asked)
        wait_for(lambda: writer.taken > 0)
        writer.close()
        assert isinstance(sent.result(30), tuple)
    writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.execute(asked)


def test_a_ledger_that_cannot_be_opened_is_said_at_once(tmp_path: Path, balli: StudyFolder) -> None:
    with pytest.raises(LedgerUnavailable, match="a ledger is a file path"):
        SharedWriter("mysql://nowhere", balli)
    assert list(tmp_path.iterdir()) == []
