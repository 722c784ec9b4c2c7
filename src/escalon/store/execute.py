"""The one writer: a command comes in, is decided on the state of this moment, and its events are appended."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Self

from django.db import DatabaseError, transaction

from escalon.conduct.capture.events import StudyAmended
from escalon.conduct.commands import Refused, Signed
from escalon.conduct.decide import decide
from escalon.conduct.events import Event, StudyOpened
from escalon.conduct.fold import apply
from escalon.conduct.state import Fact, State
from escalon.protocol import StudyFolder
from escalon.store.chain import GENESIS, Entry
from escalon.store.connection import connect, disconnect, lock_study, together
from escalon.store.entropy import Entropy, SystemEntropy
from escalon.store.facts import to_fact
from escalon.store.ledger import iterate_entries
from escalon.store.projections import KINDS, project
from escalon.store.redact import READING, REDACTION, clear_traces, erase, with_target
from escalon.store.rows import insert_entries
from escalon.store.seal import Sealer
from escalon.store.snapshot import keep_snapshot, last_snapshot, latest_commitments
from escalon.store.study_versions import keep_version, with_kept

# Events that mean something for a table beside the ledger's own.
ELSEWHERE = frozenset({*KINDS, StudyOpened.__name__, StudyAmended.__name__, REDACTION})
Clock = Callable[[], datetime]
SNAPSHOT_EVERY = 1000
OTHER_RUN = "it belongs to another run (study folder, seed or software)"


class LedgerMismatch(ValueError):
    """A ledger holds other facts than the run that wants to continue it."""


class LedgerWriter:
    """Writes one study's ledger.

    Each command is one transaction: lock the study, read what others appended, decide, append. ``batch`` joins
    several commands in one transaction. With ``resume`` the writer first expects to be sent the commands that
    are in the ledger already; it checks that they cause the very events recorded, and appends from there on.
    """

    def __init__(
        self,
        url: str,
        folder: StudyFolder,
        *,
        resume: bool = False,
        entropy: Entropy | None = None,
        origin: str = "system",
        snapshot_every: int | None = SNAPSHOT_EVERY,
    ) -> None:
        """Open the ledger at ``url``.

        Args:
            url: where the ledger is; see ``connect``.
            folder: the study.
            resume: expect the commands that are recorded already.
            entropy: where salts and request ids come from; default: the operating system.
            origin: how commands come in, written into every event: ui, api, import, system or virtual.
            snapshot_every: keep a snapshot of the state whenever so many events were added; None: never.
        """
        self._alias = connect(url, create=True)
        self._folder = with_kept(self._alias, folder)
        self._study_id = folder.study.identity.study_id
        self._sealer = Sealer(folder, entropy or SystemEntropy(), origin)
        self._head = GENESIS
        self._expected: deque[Entry] = deque()
        self._in_batch = self._locked = False
        self._unsent: list[Entry] = []
        self._snapshot_every = snapshot_every
        self.state = State()
        if resume:
            self._expected.extend(iterate_entries(self._alias, self._study_id))
        else:
            self._start()

    def _start(self) -> None:
        """Begin with the snapshot of the study, if one counts, and take what came after it."""
        kept = last_snapshot(self._alias, self._study_id)
        said = latest_commitments(self._alias, self._study_id, kept.state.seq) if kept is not None else None
        if kept is not None and said is not None:
            self.state, self._head = kept.state, kept.head
            self._sealer.restore(said)
        start = self.state.seq
        self._take(iterate_entries(self._alias, self._study_id, after=start), all_of_it=start == 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        disconnect(self._alias)

    @property
    def head(self) -> str:
        """Hash of the last event known to this writer."""
        return self._head

    def check_replayed(self) -> None:
        """Raise LedgerMismatch if recorded events are left that the resumed run did not cause."""
        if self._expected:
            raise LedgerMismatch(
                f"the ledger goes on with {len(self._expected)} events this run would not write; {OTHER_RUN}"
            )

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Join the commands inside in one transaction; after an error none of them was written."""
        before = (self.state, self._head)
        self._sealer.mark()
        self._in_batch = True
        try:
            with transaction.atomic(using=self._alias), together(self._alias):
                yield
                self._send()
        except BaseException:
            self.state, self._head = before
            self._undo()
            raise
        finally:
            self._in_batch = self._locked = False
        self._keep_snapshot(before[0].seq)

    def execute(
        self, signed: Signed, *, request: str | None = None, clock: Clock | None = None
    ) -> tuple[Event, ...] | Refused:
        """Carry out one command; return its events, or why it was refused (then nothing is written).

        Args:
            signed: the command, who sends it and when.
            request: opaque id of the request that brought it; default: a new one.
            clock: gives the act its time once the study is locked for it; default: the time in ``signed``.
        """
        if not self._in_batch:
            self._sealer.mark()
        if self._expected:
            return self._replay(signed, request)
        before = (self.state, self._head)
        try:
            with transaction.atomic(using=self._alias, savepoint=False):
                signed = self._its_turn(signed, clock)
                outcome = decide(self.state, signed, self._folder)
                if isinstance(outcome, Refused):
                    return outcome
                entries = self._sealer.seal(self.state, self._head, signed, outcome, request)
                erased = self._write(entries, outcome)
        except BaseException:
            self.state, self._head = before
            if not self._in_batch:
                self._undo()
            raise
        self._apply(entries, outcome)
        if erased:
            self._forget()
        if not self._in_batch:
            self._keep_snapshot(before[0].seq)
        return outcome

    def _its_turn(self, signed: Signed, clock: Clock | None) -> Signed:
        """Wait for the lock of the study; return the act with its time and with what the ledger holds about it."""
        if not self._locked:
            self._catch_up()
            self._locked = self._in_batch
        if clock is not None:
            signed = replace(signed, at=max(clock(), self.state.at or signed.at))
        if isinstance(signed.command, READING):
            self._send()
        return with_target(self._alias, self._study_id, self.state, signed)

    def _write(self, entries: list[Entry], events: tuple[Event, ...]) -> bool:
        """Append ``entries`` with what they mean for other tables; tell whether a value was erased.

        In a batch entries that mean nothing for other tables wait, and are sent with those of later acts.
        """
        self._unsent += entries
        if self._in_batch and all(entry.kind not in ELSEWHERE for entry in entries):
            return False
        with together(self._alias):
            self._send()
            keep_version(self._alias, self._folder, events)
            project(self._alias, entries, events)
            return erase(self._alias, entries)

    def _send(self) -> None:
        insert_entries(self._alias, self._unsent)
        self._unsent = []

    def _undo(self) -> None:
        self._sealer.undo()
        self._unsent = []

    def _keep_snapshot(self, before: int) -> None:
        """Keep a snapshot if a multiple of ``snapshot_every`` lies between ``before`` and now.

        The act is in the ledger already. A snapshot that cannot be written is none, and no failure of the act.
        """
        every = self._snapshot_every
        if every is None or self._expected or before // every == self.state.seq // every:
            return
        with suppress(DatabaseError), transaction.atomic(using=self._alias):
            self._catch_up()
            keep_snapshot(self._alias, self._study_id, self.state, self._head)

    def _catch_up(self) -> None:
        """Wait for the lock of the study, then take what others appended."""
        with together(self._alias):
            given = lock_study(self._alias, self._study_id)
            self._take(iterate_entries(self._alias, self._study_id, after=self.state.seq))
            given()

    def _take(self, entries: Iterable[Entry], *, all_of_it: bool = False) -> None:
        erased = False
        for entry in entries:
            self.state = apply(self.state, to_fact(entry))
            self._head = entry.hash
            self._sealer.note(entry)
            erased = erased or entry.kind == REDACTION
        if erased and not all_of_it:
            self._forget()

    def _forget(self) -> None:
        """Fold everything again after a redaction, so that the state holds what was redacted no longer."""
        self.state, self._head = State(), GENESIS
        self._take(iterate_entries(self._alias, self._study_id), all_of_it=True)
        clear_traces(self._alias)

    def _replay(self, signed: Signed, request: str | None) -> tuple[Event, ...] | Refused:
        outcome = decide(self.state, signed, self._folder)
        if isinstance(outcome, Refused):
            return outcome
        scheme = self._expected[0].scheme
        entries = self._sealer.seal(self.state, self._head, signed, outcome, request, scheme)
        for entry in entries:
            recorded = self._expected.popleft() if self._expected else None
            if recorded != entry:
                raise LedgerMismatch(
                    f"event {entry.seq} of the ledger is not the {entry.kind} this run would write; {OTHER_RUN}"
                )
        self._apply(entries, outcome)
        return outcome

    def _apply(self, entries: list[Entry], events: tuple[Event, ...]) -> None:
        for entry, event in zip(entries, events, strict=True):
            at = datetime.fromisoformat(entry.at)
            fact = Fact(entry.seq, at, entry.actor_id, entry.role, event)
            self.state = apply(self.state, fact)
            self._head = entry.hash
            self._sealer.note(entry)
