"""The hash chain: each event's hash covers the one before it, so no past event can change unseen."""

import hashlib
from dataclasses import dataclass

from escalon.conduct.canonical import canonical

TAG = b"escalon-ledger-1"
GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the ledger as text; ``at`` is UTC with microseconds, ``payload`` canonical JSON."""

    study_id: str
    seq: int
    at: str
    actor_id: str
    actor_name: str
    role: str
    site: str
    kind: str
    payload: str
    prev_hash: str
    hash: str = ""

    def sealed(self) -> str:
        """Return SHA-256 over the algorithm tag, the hash before and everything this entry says."""
        said = [
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
        content = b"\n".join((TAG, self.prev_hash.encode(), canonical(said).encode()))
        return hashlib.sha256(content).hexdigest()
