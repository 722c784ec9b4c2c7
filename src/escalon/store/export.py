"""A ledger as one text file, and its verification without database, server or Django.

JSON lines, each in its one canonical spelling: a header, one line for each version of the study, one for each event
with its values, and a checkpoint over all lines before it. Every byte is covered: by the spelling, the hashes of
versions and events, and the checkpoint. A version is vouched for by the event that names its hash. Format 1 had no
versions.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from escalon.conduct.canonical import canonical
from escalon.protocol.load import folder_hash
from escalon.store.chain import EVENT_COLUMNS, GENESIS, NEW, REASON, Entry, Value
from escalon.store.chain_check import Verification, verify_entries
from escalon.store.facts import to_fact
from escalon.store.signing import Checkpoint

FORMAT, FORMAT_1 = "escalon-export-2", "escalon-export-1"
FIRST_BYTES = b'{"'
NAMING = ("StudyOpened", "StudyAmended")
"""Kinds of events that put the study on a version."""
_HEADER = {"at", "format", "software", "study_id"}
_CHECKPOINT = tuple(item.name for item in fields(Checkpoint))
_VALUE = ("redacted_by", "salt", "text")


@dataclass(frozen=True, slots=True)
class Export:
    """What an export holds: its entries, redacted ones with what to read instead, and versions as hash to texts."""

    verification: Verification
    at: str
    entries: tuple[Entry, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)


def export_lines(
    study_id: str, entries: Iterable[Entry], at: str, software: str, versions: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield the lines of an export but the checkpoint, each with the head hash up to it, '' before the events.

    ``versions`` are the texts of every version of the study by hash, as the ledger keeps them.
    """
    header = {
        "at": at,
        "format": FORMAT,
        "software": software,
        "study_id": study_id,
        "versions": sorted(versions),
    }
    yield canonical(header) + "\n", ""
    for digest, texts in sorted(versions.items()):
        yield canonical({"version": {"hash": digest, "texts": texts}}) + "\n", ""
    for entry in entries:
        yield canonical(_plain(entry)) + "\n", entry.hash


def checkpoint_line(checkpoint: Checkpoint) -> str:
    """Return the last line of an export."""
    return canonical({"checkpoint": {name: getattr(checkpoint, name) for name in _CHECKPOINT}}) + "\n"


def _plain(entry: Entry) -> dict[str, Any]:
    plain: dict[str, Any] = {name: getattr(entry, name) for name in EVENT_COLUMNS}
    for side, value in ((NEW, entry.new), (REASON, entry.reason)):
        if value is not None:
            plain[f"value_{side}"] = {name: getattr(value, name) for name in _VALUE}
    return plain


def is_export(path: Path) -> bool:
    """Tell whether a file is an export, by its first bytes."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(FIRST_BYTES)) == FIRST_BYTES


def verify_export(path: Path, head: str | None = None, key: str | None = None) -> Verification:
    """Verify an export.

    Args:
        path: the file.
        head: hash the last event must have.
        key: public key (hexadecimal) the checkpoint must be signed with; without it any signature that fits counts,
            and an export without one is accepted for what its hashes show.
    """
    return read_export(path, head, key).verification


def read_export(path: Path, head: str | None = None, key: str | None = None) -> Export:
    """Read and verify an export; see ``verify_export``. What does not verify may be read, never relied upon."""
    lines = path.read_bytes().split(b"\n")
    problems: list[str] = []
    if lines[-1] != b"":
        problems.append("the file does not end with a line end")
    rows = [_row(line, number, problems) for number, line in enumerate(lines[:-1], start=1)]
    if len(rows) < 2 or any(row is None for row in rows):
        return Export(Verification("", 0, GENESIS, (*problems, "this is no complete export")), "")
    header, *middle, last = [row for row in rows if row is not None]
    problems += _header_problems(header)
    events = [row for row in middle if set(row) != {"version"}]
    versions = _read_versions(header, middle[: len(middle) - len(events)], problems)
    entries = [entry for row in events if (entry := read_entry(row, problems)) is not None]
    entries = with_replacements(entries)
    result = verify_entries(str(header.get("study_id")), entries, head)
    content = hashlib.sha256(b"\n".join(lines[:-2]) + b"\n").hexdigest()
    problems += [*result.problems, *_closing_problems(last, result, content, key)]
    if isinstance(last.get("checkpoint"), dict) and last["checkpoint"].get("at") != header.get("at"):
        problems.append("the checkpoint is not of the moment of the export")
    if any(entry.study_id != result.study_id for entry in entries):
        problems.append("an event belongs to another study than the header says")
    if versions:
        problems += _unnamed(versions, entries)
    found = Verification(result.study_id, result.events, result.head, tuple(problems))
    return Export(found, str(header.get("at")), tuple(entries), versions)


def _read_versions(header: dict[str, Any], rows: list[dict[str, Any]], problems: list[str]) -> dict[str, str]:
    """Return the versions of an export; each must be what its hash says, and all that the header names be there."""
    found: dict[str, str] = {}
    for row in rows:
        said = row.get("version")
        if not isinstance(said, dict) or set(said) != {"hash", "texts"}:
            problems.append("a version of the study is not complete, or stands among the events")
            continue
        digest = str(said["hash"])
        if not is_version(digest, str(said["texts"])):
            problems.append(f"the version {digest[:12]} of the study is not what its hash says")
        found[digest] = said["texts"]
    if list(found) != header.get("versions", []) or len(found) != len(rows):
        problems.append("the versions of the study are not those the header names")
    return found


@lru_cache(maxsize=16)
def is_version(digest: str, texts: str) -> bool:
    """Tell whether ``texts`` (files of a study folder by name, as JSON text) are the version ``digest``."""
    try:
        return folder_hash(json.loads(texts)) == digest
    except (ValueError, AttributeError, TypeError):
        return False


def _unnamed(versions: Mapping[str, str], entries: Iterable[Entry]) -> list[str]:
    """Return where versions and events differ: every version an event puts the study on is there, and no other."""
    named = set()
    for entry in entries:
        if entry.kind in NAMING:
            try:
                named.add(str(getattr(to_fact(entry).event, "study_hash", "")))
            except (ValueError, TypeError, KeyError):
                return []  # said already: the event cannot be read
    lost = [
        f"the version {one[:12]} that the study ran on is missing" for one in sorted(named - set(versions))
    ]
    strange = [f"no event puts the study on the version {one[:12]}" for one in sorted(set(versions) - named)]
    return lost + strange


def _row(line: bytes, number: int, problems: list[str]) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError as error:
        problems.append(f"line {number} is no JSON: {error}")
        return None
    if not isinstance(row, dict) or canonical(row).encode() != line:
        problems.append(f"line {number} is not in its canonical spelling")
        return None
    return row


def _header_problems(header: dict[str, Any]) -> list[str]:
    fields_of = {FORMAT: {*_HEADER, "versions"}, FORMAT_1: _HEADER}
    if fields_of.get(str(header.get("format"))) != set(header):
        return [f"the header is not one of the formats {FORMAT_1} and {FORMAT}"]
    return []


def read_entry(row: dict[str, Any], problems: list[str]) -> Entry | None:
    """Return the event of a line, or None after adding what is wrong to ``problems``."""
    values = {f"value_{side}": side for side in (NEW, REASON)}
    columns = set(row) - set(values)
    if columns != set(EVENT_COLUMNS) or not all(
        isinstance(row[name], int if name in ("seq", "scheme") else str) for name in columns
    ):
        problems.append(f"an event lacks a column or holds one too many: {sorted(row)}")
        return None
    sides: dict[str, Value] = {}
    for name, side in values.items():
        if name in row:
            parts = row[name]
            if not isinstance(parts, dict) or set(parts) != set(_VALUE):
                problems.append(f"event {row['seq']}: its {side} value is not complete")
                return None
            sides[side] = Value(parts["salt"], parts["text"], parts["redacted_by"])
    return Entry(**{name: row[name] for name in EVENT_COLUMNS}, **sides)


def with_replacements(entries: list[Entry]) -> list[Entry]:
    """Return the entries, redacted ones with the payload to read instead."""
    instead: dict[int, str] = {}
    for entry in entries:
        if entry.kind == "ValueRedacted" and entry.new is not None and entry.new.text is not None:
            said = json.loads(entry.new.text)
            instead[said["target_seq"]] = canonical(said["replacement"])
    return [entry.instead(instead.get(entry.seq, "")) if entry.redacted else entry for entry in entries]


def _closing_problems(last: dict[str, Any], result: Verification, content: str, key: str | None) -> list[str]:
    said = last.get("checkpoint")
    if set(last) != {"checkpoint"} or not isinstance(said, dict) or set(said) != set(_CHECKPOINT):
        return ["the last line is no checkpoint: the file was cut off or changed"]
    checkpoint = Checkpoint(**said)
    problems = []
    if (checkpoint.study_id, checkpoint.upto_seq, checkpoint.root) != (
        result.study_id,
        result.events,
        result.head,
    ):
        problems.append(f"the checkpoint is one of event {checkpoint.upto_seq} of {checkpoint.study_id}")
    if checkpoint.content != content:
        problems.append("the lines are not those the checkpoint was made of")
    wrong = checkpoint.problem(key)
    return [*problems, wrong] if wrong else problems
