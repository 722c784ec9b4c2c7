"""The one writer: a command comes in, is decided on the state of this moment, and its events are appended."""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Self

from django.db import connections, transaction

from escalon.conduct.commands import Refused, Signed
from escalon.conduct.decide import decide
from escalon.conduct.events import Event
from escalon.conduct.fold import apply
from escalon.conduct.state import Fact, State
from escalon.protocol import StudyFolder
from escalon.store.chain import GENESIS, Entry
from escalon.store.connection import connect, disconnect
from escalon.store.entropy import Entropy, SystemEntropy
from escalon.store.facts import to_fact
from escalon.store.ledger import iterate_entries
from escalon.store.projections import project
from escalon.store.redact import REDACTION, clear_traces, erase, with_target
from escalon.store.rows import insert_entries
from escalon.store.seal import Sealer
from escalon.store.study_versions import keep_version, with_kept

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
    ) -> None:
        """Open the ledger at ``url``.

        Args:
            url: where the ledger is; see ``connect``.
            folder: the study.
            resume: expect the commands that are recorded already.
            entropy: where salts and request ids come from; default: the operating system.
            origin: how commands come in, written into every event: ui, api, import, system or virtual.
        """
        self._alias = connect(url, create=True)
        self._folder = with_kept(self._alias, folder)
        self._study_id = folder.study.identity.study_id
        self._sealer = Sealer(folder, entropy or SystemEntropy(), origin)
        self._head = GENESIS
        self._expected: deque[Entry] = deque()
        self._in_batch = self._locked = False
        self.state = State()
        stored = iterate_entries(self._alias, self._study_id)
        if resume:
            self._expected.extend(stored)
        else:
            self._take(stored, all_of_it=True)

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
        before = (self.state, self._head, self._sealer.latest())
        self._in_batch = True
        try:
            with transaction.atomic(using=self._alias):
                yield
        except BaseException:
            self.state, self._head = before[:2]
            self._sealer.restore(before[2])
            raise
        finally:
            self._in_batch = self._locked = False

    def execute(self, signed: Signed, *, request: str | None = None) -> tuple[Event, ...] | Refused:
        """Carry out one command; return its events, or why it was refused (then nothing is written).

        Args:
            signed: the command, who sends it and when.
            request: opaque id of the request that brought it; default: a new one.
        """
        if self._expected:
            return self._replay(signed, request)
        before = (self.state, self._head)
        try:
            with transaction.atomic(using=self._alias):
                if not self._locked:
                    self._lock()
                    self._take(iterate_entries(self._alias, self._study_id, after=self.state.seq))
                    self._locked = self._in_batch
                signed = with_target(self._alias, self._study_id, self.state, signed)
                outcome = decide(self.state, signed, self._folder)
                if isinstance(outcome, Refused):
                    return outcome
                entries = self._sealer.seal(self.state, self._head, signed, outcome, request)
                insert_entries(self._alias, entries)
                keep_version(self._alias, self._folder, outcome)
                project(self._alias, entries, outcome)
                erased = erase(self._alias, entries)
        except BaseException:
            self.state, self._head = before
            raise
        self._apply(entries, outcome)
        if erased:
            self._forget()
        return outcome

    def _lock(self) -> None:
        """Let one writer of the study in; SQLite's immediate transaction does it by itself."""
        connection = connections[self._alias]
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_advisory_xact_lock(hashtext('escalon-ledger'), hashtext(%s))", [self._study_id]
                )

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
