"""``kill -9`` in the middle of writes, and eight programs at once: nothing is lost, nothing forks, no seat twice."""

import subprocess
import sys
import time
from pathlib import Path

from escalon.conduct import commands as c
from escalon.conduct.fold import fold
from escalon.conduct.slots.commands import RequestSlot
from escalon.protocol import StudyFolder
from escalon.store.execute import LedgerWriter
from escalon.store.ledger import read_facts
from escalon.store.rebuild import rebuild
from escalon.store.verify import verify_ledger
from tests.act import COORDINATOR, panel
from tests.databases import ask
from tests.unit.store.acts import after_story, commands, event_count

ROUNDS = 3
# Records laboratory panels as fast as it can, and says each number once it was acknowledged.
WRITING = """
import sys
from pathlib import Path
from escalon.conduct import commands as c
from escalon.conduct.slots.commands import RequestSlot
from escalon.pipeline import open_study
from escalon.store.execute import LedgerWriter
from tests.act import COORDINATOR
from tests.study_files import BALLI
url, name, count, values = sys.argv[1], sys.argv[2], int(sys.argv[3]), eval(sys.argv[4])
with LedgerWriter(url, open_study(BALLI)) as writer:
    print("ready", flush=True)
    sys.stdin.readline()
    if count < 100:
        asked = c.Signed(RequestSlot("01", name), COORDINATOR, writer.state.at)
        assert not isinstance(writer.execute(asked), c.Refused)
    for number in range(count):
        form = c.RecordForm("001", "LB", f"{name}-{number}", values, "D28")
        outcome = writer.execute(c.Signed(form, COORDINATOR, writer.state.at))
        assert not isinstance(outcome, c.Refused), outcome
        print(number, writer.head, flush=True)
"""
ROOT = Path(__file__).parents[3]


def story_written(url: str, folder: StudyFolder) -> str:
    """Write the story; return the values of a panel the study accepts now, as Python text."""
    with LedgerWriter(url, folder) as writer:
        for signed in commands(folder):
            assert not isinstance(writer.execute(signed), c.Refused)
    desk = after_story(folder)
    values = panel(desk)
    desk.must(COORDINATOR, c.RecordForm("001", "LB", "try", values, "D28"))
    return repr(values)


def writing(url: str, name: str, count: int, values: str) -> subprocess.Popen[str]:
    program = [sys.executable, "-c", WRITING, url, name, str(count), values]
    return subprocess.Popen(program, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_a_killed_writer_loses_nothing_it_acknowledged(url: str, balli: StudyFolder) -> None:
    values = story_written(url, balli)
    acknowledged: list[str] = []
    for round_ in range(ROUNDS):
        with writing(url, f"round-{round_}", 10**6, values) as program:
            assert program.stdout is not None
            assert program.stdin is not None
            assert program.stdout.readline() == "ready\n"
            program.stdin.write("go\n")
            program.stdin.flush()
            time.sleep(0.15 + 0.07 * round_)
            program.kill()
            said = program.stdout.read().split("\n")[:-1]
        acknowledged += [line.split(" ")[1] for line in said]
        (result,) = verify_ledger(url)
        assert result.holds, result.problems
    assert len(acknowledged) >= ROUNDS
    kept = {digest for (digest,) in ask(url, "SELECT hash FROM ledger_event")}
    assert set(acknowledged) <= kept
    assert (
        len(kept) - event_count(balli) - len(acknowledged) <= ROUNDS
    )  # at most one written but not yet said
    assert rebuild(url, check=True) == ()


def test_programs_race_for_the_last_seat_and_write_one_chain(url: str, balli: StudyFolder) -> None:
    """Eight on a server; the oracle is one desk in memory that takes the same requests one after another."""
    values = story_written(url, balli)
    names = [f"racer-{number}" for number in range(8 if url.startswith("postgresql") else 3)]
    desk = after_story(balli)
    for name in names:
        desk.must(COORDINATOR, RequestSlot("01", name))
    programs = [writing(url, name, 6, values) for name in names]
    for program in programs:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
    said = [program.communicate("go\n")[0].split("\n")[:-1] for program in programs]
    assert [program.returncode for program in programs] == [0] * len(names)
    (result,) = verify_ledger(url)
    assert result.holds, result.problems
    heads = [line.split(" ")[1] for lines in said for line in lines]
    assert len(set(heads)) == 6 * len(names)
    assert ask(url, "SELECT count(DISTINCT prev_hash) FROM ledger_event") == [(result.events,)]
    slots = fold(read_facts(url)).slots.slots
    assert {slot.candidate for slot in slots} >= set(names)
    held = [(slot.cohort, slot.seat) for slot in slots if slot.holds_seat]
    assert len(held) == len(set(held)) == sum(slot.holds_seat for slot in desk.state.slots.slots)
    assert rebuild(url, check=True) == ()
