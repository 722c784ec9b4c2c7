"""Where salts and request ids come from: the operating system in a real trial, the seed in a simulated one."""

import hashlib
import hmac
import secrets
import uuid
from typing import Protocol


class Entropy(Protocol):
    """Source of salts and request ids."""

    def salt(self, study_id: str, seq: int, side: str) -> str:
        """Return 32 bytes as hexadecimal for one value."""

    def request(self, study_id: str, seq: int) -> str:
        """Return an opaque id for the act that begins with event ``seq``."""


class SystemEntropy:
    """Unpredictable: what a real trial uses."""

    def salt(self, study_id: str, seq: int, side: str) -> str:
        """Return 32 bytes of the operating system's random source."""
        return secrets.token_hex(32)

    def request(self, study_id: str, seq: int) -> str:
        """Return a random UUID."""
        return str(uuid.uuid4())


class SeededEntropy:
    """Reproducible from a seed, so that a simulated run gives the same ledger twice. It hides nothing."""

    def __init__(self, seed: int) -> None:
        self._key = f"escalon-simulated-salt-{seed}".encode()

    def salt(self, study_id: str, seq: int, side: str) -> str:
        """Return HMAC-SHA-256 of study, number and side under the seed."""
        return hmac.digest(self._key, f"{study_id}:{seq}:{side}".encode(), hashlib.sha256).hex()

    def request(self, study_id: str, seq: int) -> str:
        """Return an id made of the seed and the number."""
        return hmac.digest(self._key, f"{study_id}:{seq}:request".encode(), hashlib.sha256).hex()[:16]
