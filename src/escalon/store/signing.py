"""Signed checkpoints: an Ed25519 signature over the head of a study, to be kept away from the ledger. No Django."""

from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from escalon.conduct.canonical import canonical

TAG = "escalon-checkpoint-1"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a study after event ``upto_seq``, at a moment (UTC text), signed.

    ``content`` is the SHA-256 of the lines of an export, '' for a checkpoint of the ledger alone; ``public_key`` and
    ``signature`` are hexadecimal, '' in an export that nobody signed.
    """

    study_id: str
    upto_seq: int
    root: str
    at: str
    content: str = ""
    public_key: str = ""
    signature: str = ""

    def said(self) -> bytes:
        """Return what is signed."""
        parts = [TAG, self.study_id, str(self.upto_seq), self.root, self.at, self.content, self.public_key]
        return canonical(parts).encode()

    def signed_by(self, key: Ed25519PrivateKey) -> "Checkpoint":
        """Return this checkpoint with the signature of ``key``."""
        public = key.public_key().public_bytes_raw().hex()
        named = Checkpoint(self.study_id, self.upto_seq, self.root, self.at, self.content, public)
        return Checkpoint(
            self.study_id,
            self.upto_seq,
            self.root,
            self.at,
            self.content,
            public,
            key.sign(named.said()).hex(),
        )

    def problem(self, trusted: str | None = None) -> str | None:
        """Return what is wrong with the signature, or None; ``trusted`` is the public key it must be by."""
        if trusted is not None and self.public_key != trusted:
            return f"the checkpoint is signed by {self.public_key or 'nobody'}, not by the key expected"
        if not self.public_key and not self.signature:
            return None
        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.public_key))
            key.verify(bytes.fromhex(self.signature), self.said())
        except (ValueError, InvalidSignature):
            return "the signature of the checkpoint does not fit what it says"
        return None


def read_key(path: Path) -> Ed25519PrivateKey:
    """Read a private key (PEM, PKCS 8); ValueError if it is no Ed25519 key."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: no private key in PEM: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path}: checkpoints are signed with an Ed25519 key, this is another kind")
    return key


def new_key(path: Path) -> str:
    """Write a new private key that only its owner can read; return the public key as hexadecimal."""
    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with path.open("xb") as file:
        path.chmod(0o600)
        file.write(text)
    return key.public_key().public_bytes_raw().hex()
