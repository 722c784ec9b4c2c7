"""The manifest of a backup: what is in it, how many rows of each table, and who signed it. No Django."""

import json
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from escalon.conduct.canonical import canonical

MANIFEST = "manifest.json"
TAG = "escalon-backup-1"


def write_manifest(folder: Path, manifest: dict[str, Any], key: Ed25519PrivateKey | None) -> dict[str, Any]:
    """Write the manifest, signed if there is a key, and return what was written."""
    if key is not None:
        manifest = {**manifest, "public_key": key.public_key().public_bytes_raw().hex()}
        manifest["signature"] = key.sign(_said(manifest)).hex()
    text = json.dumps(manifest, indent=2, sort_keys=True) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    return manifest


def read_manifest(folder: Path, key: str | None = None) -> dict[str, Any]:
    """Read the manifest of a backup.

    Args:
        folder: the backup.
        key: public key (hexadecimal) it must be signed with; without it any signature that fits counts, and a
            manifest without one is accepted.

    Raises:
        ValueError: there is none, it cannot be read, or its signature does not fit.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{folder}: no backup with a readable {MANIFEST}: {error}") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("studies"), dict):
        raise ValueError(f"{folder}: {MANIFEST} is no manifest of a backup")
    wrong = _problem(manifest, key)
    if wrong is not None:
        raise ValueError(f"{folder}: the backup does not verify: {wrong}")
    return manifest


def _problem(manifest: dict[str, Any], key: str | None) -> str | None:
    signer, signature = manifest.get("public_key", ""), manifest.get("signature", "")
    if key is not None and signer != key:
        return f"the manifest is signed by {signer or 'nobody'}, not by the key expected"
    if not signer and not signature:
        return None
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signer))
        public.verify(bytes.fromhex(signature), _said(manifest))
    except (ValueError, TypeError, InvalidSignature):
        return "the signature of the manifest does not fit what it says"
    return None


def _said(manifest: dict[str, Any]) -> bytes:
    """Return what is signed: everything but the signature, the public key too."""
    rest = {name: value for name, value in manifest.items() if name != "signature"}
    return f"{TAG}\n{canonical(rest)}".encode()
