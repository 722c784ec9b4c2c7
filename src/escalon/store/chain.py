"""The hash chain: each event's hash covers the one before it, so no past event can change unseen.

Scheme 1 hashes the payload itself. Scheme 2 hashes salted commitments to the values, so that a value can be destroyed
and the chain still verifies. See ``docs/adr/0006-ledger-scheme-2.md``.
"""

import hashlib
from json.encoder import encode_basestring_ascii as quoted
from typing import NamedTuple

from escalon.conduct.canonical import canonical

TAG_1, TAG_2 = "escalon-ledger-1", "escalon-ledger-2"
VALUE_TAG = b"escalon-value-2\n"
GENESIS = "0" * 64
NEW, REASON = "new", "reason"
EVENT_COLUMNS = (
    "study_id",
    "seq",
    "at",
    "tz",
    "actor_id",
    "actor_name",
    "role",
    "org",
    "site",
    "kind",
    "object_ref",
    "commit_old",
    "commit_new",
    "commit_reason",
    "context",
    "payload",
    "prev_hash",
    "hash",
    "scheme",
)


class Value(NamedTuple):
    """One value behind a commitment: canonical JSON ``text`` and its ``salt`` (64 hexadecimal digits).

    Both are None once the value was redacted by event ``redacted_by``.
    """

    salt: str | None
    text: str | None
    redacted_by: int | None = None


class Entry(NamedTuple):
    """One event of the ledger as text; the columns are described in ``docs/adr/0006-ledger-scheme-2.md``.

    Attributes:
        at: UTC with microseconds.
        payload: canonical JSON in scheme 1, '' in scheme 2.
        new: the payload without its reason, in scheme 2.
        reason: the reason of the event, in scheme 2, if it has one.
        replacement: payload to read instead of values that were redacted; not part of the hash.
    """

    study_id: str
    seq: int
    at: str
    tz: str
    actor_id: str
    actor_name: str
    role: str
    org: str
    site: str
    kind: str
    object_ref: str
    commit_old: str
    commit_new: str
    commit_reason: str
    context: str
    payload: str
    prev_hash: str
    hash: str = ""
    scheme: int = 2
    new: Value | None = None
    reason: Value | None = None
    replacement: str = ""

    def sealed(self) -> str:
        """Return the hash over the algorithm tag, the hash before and everything this entry says."""
        tag, said = (TAG_1, self._said_1()) if self.scheme == 1 else (TAG_2, self._said_2())
        return hashlib.sha256(f"{tag}\n{self.prev_hash}\n{said}".encode()).hexdigest()

    @property
    def redacted(self) -> bool:
        """True if a value of this event was redacted."""
        new, reason = self.new, self.reason
        return (new is not None and new.text is None) or (reason is not None and reason.text is None)

    def instead(self, replacement: str) -> "Entry":
        """Return this entry with the payload to read instead of redacted values."""
        return self._replace(replacement=replacement)

    def _said_1(self) -> str:
        return canonical(
            [
                self.study_id,
                str(self.seq),
                self.at,
                self.actor_id,
                self.actor_name,
                self.role,
                self.site,
                self.kind,
                self.payload,
            ]
        )

    def _said_2(self) -> str:
        """Canonical JSON of all columns but hash and payload, as strings; spelled out: every event passes here."""
        return (
            f'{{"actor_id":{quoted(self.actor_id)},"actor_name":{quoted(self.actor_name)},"at":{quoted(self.at)},'
            f'"commit_new":{quoted(self.commit_new)},"commit_old":{quoted(self.commit_old)},'
            f'"commit_reason":{quoted(self.commit_reason)},"context":{quoted(self.context)},'
            f'"kind":{quoted(self.kind)},"object_ref":{quoted(self.object_ref)},"org":{quoted(self.org)},'
            f'"prev_hash":{quoted(self.prev_hash)},"role":{quoted(self.role)},"scheme":"{self.scheme}",'
            f'"seq":"{self.seq}","site":{quoted(self.site)},"study_id":{quoted(self.study_id)},'
            f'"tz":{quoted(self.tz)}}}'
        )


def commitment(salt: str, text: str) -> str:
    """Return the commitment to a value: SHA-256 over tag, salt and the canonical text."""
    return hashlib.sha256(VALUE_TAG + bytes.fromhex(salt) + text.encode()).hexdigest()
