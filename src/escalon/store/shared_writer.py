"""One writer for all threads of a program: acts that come in while others are being written share a transaction.

The acts of a study are one after another, and each transaction waits for the disk. A server program with many clients
therefore writes what has come in meanwhile in one transaction: each act is decided on the state the one before it
left, all are on disk before any is acknowledged, and if one fails, every act is tried again by itself.
"""

import queue
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from django.db import InterfaceError, OperationalError

from escalon.conduct.act import Outcome, Signed
from escalon.conduct.state import State
from escalon.protocol import StudyFolder
from escalon.store.execute import Clock, LedgerWriter

# The way to the database is gone; an act that was on its way may or may not be written.
LOST = (OperationalError, InterfaceError)
# More acts in a transaction save little, and each waits for all of them.
MOST = 64
# Seconds to wait for as many acts as the last block held; a commit takes about as long.
GATHER = 0.002


@dataclass(frozen=True, slots=True)
class _Act:
    signed: Signed
    request: str | None
    outcome: "Future[Outcome]"


class SharedWriter:
    """Writes one study's ledger for many threads; see the module. Other programs may write the study as well.

    Attributes:
        taken: how many acts were taken in so far, carried out or not.
    """

    def __init__(self, url: str, folder: StudyFolder, *, clock: Clock | None = None, **options: Any) -> None:
        """Open the ledger at ``url``.

        Args:
            url: where the ledger is; see ``connect``.
            folder: the study.
            clock: gives each act its time when its turn comes (AT-3); default: acts keep the time they came with.
            options: what ``LedgerWriter`` takes beside.

        Raises:
            LedgerUnavailable: as ``LedgerWriter``.
        """
        self._acts: queue.SimpleQueue[_Act | None] = queue.SimpleQueue()
        self._clock = clock
        self._closed = False
        self.taken = 0
        self._door = threading.Lock()
        opened: Future[LedgerWriter] = Future()
        # A connection belongs to the thread that opened it, so one thread does all the writing.
        self._thread = threading.Thread(target=self._serve, args=(opened, url, folder, options), daemon=True)
        self._thread.start()
        self._writer = opened.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def state(self) -> State:
        """The state after the last act that was written here; other programs may have written since."""
        return self._writer.state

    def execute(self, signed: Signed, *, request: str | None = None) -> Outcome:
        """Carry out one command as ``LedgerWriter.execute`` does; it is on disk when this returns its events.

        Raises:
            ValueError: the writer was closed.
            OperationalError, InterfaceError: the database is gone or busy; whether the act was written is seen in
                ``state`` once a later act went through. The writer opens a new connection by itself.
        """
        act = _Act(signed, request, Future())
        with self._door:
            if self._closed:
                raise ValueError("this writer was closed; it takes no more acts")
            self._acts.put(act)
            self.taken += 1
        return act.outcome.result()

    def close(self) -> None:
        """Write what has come in, then close the connection."""
        with self._door:
            if not self._closed:
                self._closed = True
                self._acts.put(None)
        self._thread.join()

    def _serve(
        self, opened: "Future[LedgerWriter]", url: str, folder: StudyFolder, options: dict[str, Any]
    ) -> None:
        try:
            writer = LedgerWriter(url, folder, **options)
        except BaseException as error:
            opened.set_exception(error)
            return
        with writer:
            opened.set_result(writer)
            going, expected = True, 1
            while going:
                acts, going = self._waiting(expected)
                expected = len(acts)
                self._write(writer, acts)

    def _waiting(self, expected: int) -> tuple[list[_Act], bool]:
        """Wait for an act; return it with those that came meanwhile, and whether more may come.

        Clients that were answered together come again together, so ``expected`` acts are awaited for a moment.
        """
        acts: list[_Act] = []
        until = 0.0
        while len(acts) < MOST:
            try:
                left = until - time.monotonic()
                act = self._acts.get(timeout=left) if acts and left > 0 else self._acts.get(block=not acts)
            except queue.Empty:
                break
            if act is None:
                return acts, False
            if not acts and expected > 1:
                until = time.monotonic() + GATHER
            acts.append(act)
            if len(acts) >= expected:
                until = 0.0
        return acts, True

    def _write(self, writer: LedgerWriter, acts: list[_Act]) -> None:
        before = writer.head
        outcomes: list[Outcome] = []
        try:
            with writer.batch():
                outcomes = [self._execute(writer, act) for act in acts]
        except LOST as error:
            # Whether the block is on disk is not known: to write it again could write it twice. Django gives up a
            # connection that fails to roll back, and the next act opens another.
            for act in acts:
                act.outcome.set_exception(error)
            return
        except Exception as error:
            if writer.head == before:
                self._each(writer, acts, error)
                return
        for act, outcome in zip(acts, outcomes, strict=True):
            act.outcome.set_result(outcome)

    def _each(self, writer: LedgerWriter, acts: list[_Act], error: Exception) -> None:
        """Carry out by themselves the acts of a block that failed and of which nothing was written."""
        if len(acts) == 1:
            acts[0].outcome.set_exception(error)
            return
        for act in acts:
            self._write(writer, [act])

    def _execute(self, writer: LedgerWriter, act: _Act) -> Outcome:
        return writer.execute(act.signed, request=act.request, clock=self._clock)
