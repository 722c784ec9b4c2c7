"""A snapshot of the state, so that a long study need not be folded from zero. A copy only: the ledger decides.

The content is MessagePack read into the types of ``State`` and nothing else. A snapshot counts only if the ledger
holds, at its number, the very hash it was made at, and if the software and the shape of the state are the same.
Whoever may write the table could put a false state there: ``escalon store rebuild --check`` folds it again from zero.
"""

import gc
import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
from django.db import connections, transaction

from escalon import __version__
from escalon.conduct.fold import apply
from escalon.conduct.redaction.marker import Redacted
from escalon.conduct.state import State
from escalon.store.chain import GENESIS
from escalon.store.connection import connect, disconnect, lock_study
from escalon.store.facts import to_fact
from escalon.store.ledger import iterate_entries
from escalon.store.rows import has_scheme_2


@dataclass(frozen=True, slots=True)
class Resumed:
    """A state with the hash of its last event; ``folded`` counts the events read after the snapshot."""

    state: State
    head: str
    folded: int


def _plain(value: Any) -> Any:
    """Encode what MessagePack has no word for."""
    if isinstance(value, Redacted):
        return msgspec.msgpack.Ext(1, str(value.number).encode())
    raise NotImplementedError(f"a snapshot cannot hold a {type(value).__name__}")


def _extended(code: int, data: memoryview) -> Any:
    if code != 1:
        raise ValueError(f"unknown extension {code} in a snapshot")
    return Redacted(int(bytes(data)))


@cache
def _decoder() -> msgspec.msgpack.Decoder[State]:
    return msgspec.msgpack.Decoder(State, ext_hook=_extended)


def encode_state(state: State) -> bytes:
    """Return ``state`` as bytes."""
    return msgspec.msgpack.encode(state, enc_hook=_plain)


def decode_state(content: bytes) -> State:
    """Return the state that ``content`` says; ValueError if it says none."""
    # The collector would look at every object as it is made, though none can be garbage: half of the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _decoder().decode(content)
    finally:
        if collecting:
            gc.enable()


@cache
def shape() -> str:
    """Return what a snapshot depends on beside the ledger: the version and the fields of the state."""
    schema = str(msgspec.json.schema(State))
    return f"{__version__}:{hashlib.sha256(schema.encode()).hexdigest()[:16]}"


def write_snapshot(url: str, study_id: str) -> int:
    """Fold the study from its last snapshot and keep a new one; return the number of its last event."""
    alias = connect(url, create=True)
    try:
        with transaction.atomic(using=alias):
            # A redaction in between would leave in the snapshot what it destroyed.
            lock_study(alias, study_id)()
            resumed = resume(alias, study_id)
            keep_snapshot(alias, study_id, resumed.state, resumed.head)
    finally:
        disconnect(alias)
    return resumed.state.seq


def keep_snapshot(alias: str, study_id: str, state: State, head: str) -> None:
    """Keep ``state`` as the snapshot of the study; the one before is replaced."""
    content = encode_state(state)
    digest = hashlib.sha256(content).hexdigest()
    with connections[alias].cursor() as cursor:
        cursor.execute("DELETE FROM ledger_snapshot WHERE study_id = %s", [study_id])
        cursor.execute(
            "INSERT INTO ledger_snapshot (study_id, seq, head, software, digest, content)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [study_id, state.seq, head, shape(), digest, content],
        )


def read_state(url: str, study_id: str) -> State:
    """Return the state of a study now, by way of its snapshot; nothing is written, no table is brought up to date."""
    alias = connect(url, create=False)
    try:
        return resume(alias, study_id).state
    finally:
        disconnect(alias)


def resume(alias: str, study_id: str) -> Resumed:
    """Return the state of a study: from its snapshot if that one counts, and from what came after it."""
    start = last_snapshot(alias, study_id) or Resumed(State(), GENESIS, 0)
    state, head, folded = start.state, start.head, 0
    for entry in iterate_entries(alias, study_id, after=state.seq):
        state, head, folded = apply(state, to_fact(entry)), entry.hash, folded + 1
    return Resumed(state, head, folded)


def latest_commitments(alias: str, study_id: str, upto: int) -> dict[tuple[str, str], str] | None:
    """Return what each object was last said to be, up to event ``upto``, as ``Sealer.latest`` does.

    None if there are events of scheme 1 among them, which name no object: they have to be read one by one.
    """
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM ledger_event WHERE study_id = %s AND seq <= %s AND scheme = 1 LIMIT 1",
            [study_id, upto],
        )
        if cursor.fetchone() is not None:
            return None
        cursor.execute(
            "SELECT e.kind, e.object_ref, e.commit_new FROM ledger_event e JOIN (SELECT max(seq) AS seq"
            " FROM ledger_event WHERE study_id = %s AND seq <= %s GROUP BY kind, object_ref) m"
            " ON m.seq = e.seq WHERE e.study_id = %s",
            [study_id, upto, study_id],
        )
        return {(kind, ref): said for kind, ref, said in cursor.fetchall()}


def last_snapshot(alias: str, study_id: str) -> Resumed | None:
    """Return the snapshot of a study, or None if there is none that counts."""
    if not has_scheme_2(alias):
        return None
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT s.head, s.digest, s.content, e.hash FROM ledger_snapshot s JOIN ledger_event e"
            " ON e.study_id = s.study_id AND e.seq = s.seq WHERE s.study_id = %s AND s.software = %s",
            [study_id, shape()],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    head, digest, content, recorded = row
    content = bytes(content)
    if head != recorded or hashlib.sha256(content).hexdigest() != digest:
        return None
    try:
        return Resumed(decode_state(content), head, 0)
    except (ValueError, msgspec.DecodeError):
        return None
