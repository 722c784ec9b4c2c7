"""The ledger: writing alone, by eight threads of a server and by eight programs at once; verification, fold, snapshot.

Times are per command, so that a limit of 1 ms is 1,000 commands a second. ESCALON_TEST_DATABASE_URL names the server.
"""

import cProfile
import os
import pstats
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.act import COORDINATOR, enrol, opened, panel

from benchmarks.figure import Figure, best_of
from escalon.conduct import commands as c
from escalon.conduct.fold import fold
from escalon.pipeline import open_study, run_study
from escalon.store.chain import GENESIS, Entry
from escalon.store.connection import connect, disconnect
from escalon.store.execute import LedgerWriter
from escalon.store.ledger import iterate_entries, read_facts
from escalon.store.rows import insert_entries
from escalon.store.shared_writer import SharedWriter
from escalon.store.snapshot import read_state, write_snapshot
from escalon.store.verify import verify_ledger

ROOT = Path(__file__).parents[1]
STUDY = ROOT / "studies" / "balli-01"
SERVER = os.environ.get("ESCALON_TEST_DATABASE_URL", "postgresql://root@127.0.0.1:5432/postgres")
WRITERS, COMMANDS, LONG = 8, 500, 100_000


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as scratch:
        ledger = f"{scratch}/ledger.db"
        _open(ledger)
        yield Figure("SQLite: one command", 1e3 * _write(ledger, "one", 1000), 2, "ms")
        long = f"{scratch}/long.db"
        _lengthen(ledger, long)
        yield Figure("verification of 100,000 events", best_of(lambda: verify_ledger(long), 1), 2, "s")
        run_study(STUDY, Path(scratch) / "run", seed=1)
        run = f"{scratch}/run/ledger.db"
        (study_id,) = {result.study_id for result in verify_ledger(run)}
        facts = read_facts(run)
        patients = len(fold(facts).patients)
        share = 60 / patients
        yield Figure(
            "fold from zero, for 60 patients", share * best_of(lambda: fold(read_facts(run)), 2), 1, "s"
        )
        write_snapshot(run, study_id)
        seconds = best_of(lambda: read_state(run, study_id), 5)
        yield Figure("state from a snapshot, for 60 patients", 1e3 * share * seconds, 50, "ms")
    with _database() as url:
        _open(url)
        yield Figure("PostgreSQL: one command, 8 writers in one study", 1e3 * _shared(url), 1, "ms")
    with _database() as url:
        _open(url)
        yield Figure("PostgreSQL: one command, 8 programs in one study", 1e3 * _together(url), 1, "ms")


def _open(url: str) -> None:
    folder = open_study(STUDY)
    desk = opened(folder)
    enrol(desk, "001")
    with LedgerWriter(url, folder) as writer, writer.batch():
        for signed in desk.sent:
            assert not isinstance(writer.execute(signed), c.Refused)


def _write(url: str, name: str, count: int, gate: bool = False) -> float:
    """Record ``count`` laboratory panels, each a transaction; return seconds per command."""
    folder = open_study(STUDY)
    with LedgerWriter(url, folder) as writer:
        at = writer.state.at
        assert at is not None
        desk = opened(folder)
        desk.now = at
        values = panel(desk)
        forms = [c.RecordForm("001", "LB", f"{name}-{number}", values, "D28") for number in range(count)]
        if gate:
            print("ready", flush=True)
            sys.stdin.readline()
        start = time.perf_counter()
        for form in forms:
            assert not isinstance(writer.execute(c.Signed(form, COORDINATOR, at)), c.Refused)
        return (time.perf_counter() - start) / count


def _shared(url: str) -> float:
    """Let eight threads of a server program write at once; return seconds per command; nothing is lost or forked."""
    folder = open_study(STUDY)
    with SharedWriter(url, folder) as writer:
        at = writer.state.at
        assert at is not None
        before = writer.state.seq
        desk = opened(folder)
        desk.now = at
        values = panel(desk)

        def write(number: int) -> None:
            for count in range(COMMANDS):
                form = c.RecordForm("001", "LB", f"thread-{number}-{count}", values, "D28")
                assert not isinstance(writer.execute(c.Signed(form, COORDINATOR, at)), c.Refused)

        with ThreadPoolExecutor(WRITERS) as pool:
            start = time.perf_counter()
            for done in [pool.submit(write, number) for number in range(WRITERS)]:
                done.result()
            seconds = time.perf_counter() - start
    (result,) = verify_ledger(url)
    assert result.holds, result.problems
    assert result.events == before + WRITERS * COMMANDS
    return seconds / (WRITERS * COMMANDS)


def _together(url: str) -> float:
    """Let eight programs write at the same time; return seconds per command, and check that nothing forked."""
    program = [sys.executable, "-m", "benchmarks.bench_ledger", url]
    pipe = subprocess.PIPE
    writers = [
        subprocess.Popen([*program, f"writer-{number}"], cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
        for number in range(WRITERS)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    start = time.perf_counter()
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    assert [writer.wait() for writer in writers] == [0] * WRITERS
    seconds = time.perf_counter() - start
    (result,) = verify_ledger(url)
    assert result.holds, result.problems
    return seconds / (WRITERS * COMMANDS)


def _lengthen(ledger: str, long: str) -> None:
    """Write a ledger of 100,000 events: those of ``ledger``, then its panels again and again, chained anew."""
    source = connect(ledger, create=False)
    entries = list(iterate_entries(source, "BALLI-01"))
    disconnect(source)
    panels = [entry for entry in entries if entry.kind == "FormRecorded"]
    target, head, block = connect(long, create=True), GENESIS, list[Entry]()
    for seq in range(1, LONG + 1):
        model = entries[seq - 1] if seq <= len(entries) else panels[seq % len(panels)]
        entry = model._replace(
            seq=seq,
            prev_hash=head,
            hash="",
            at=max(model.at, entries[-1].at if seq > len(entries) else ""),
        )
        head = entry.sealed()
        block.append(entry._replace(hash=head))
        if len(block) == 10_000:
            insert_entries(target, block)
            block.clear()
    insert_entries(target, block)
    disconnect(target)


@contextmanager
def _database() -> Iterator[str]:
    import psycopg

    name = f"escalon_bench_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(SERVER, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    try:
        yield SERVER.rsplit("/", 1)[0] + f"/{name}"
    finally:
        with psycopg.connect(SERVER, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def profile() -> None:
    """Show where a command on SQLite spends its time: ``python -m benchmarks.bench_ledger --profile``."""
    with tempfile.TemporaryDirectory() as scratch:
        _open(f"{scratch}/ledger.db")
        profiler = cProfile.Profile()
        profiler.runcall(_write, f"{scratch}/ledger.db", "profiled", 1000)
        pstats.Stats(profiler).sort_stats("cumulative").print_stats(45)


if __name__ == "__main__":
    if sys.argv[1] == "--profile":
        profile()
    else:
        _write(sys.argv[1], sys.argv[2], COMMANDS, gate=True)
