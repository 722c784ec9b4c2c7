"""What a study says about data: what must be done before a casebook is locked, and how files are imported."""

from typing import Literal

from pydantic import Field

from escalon.protocol.conduct.critical import CriticalDatum
from escalon.protocol.conduct.imports import ImportMapping
from escalon.protocol.conduct.model import Model


class LockRules(Model):
    """What a lock of a casebook needs, beside no open query (SG-10)."""

    signatures: tuple[str, ...] = Field(
        default=("responsibility",), description="meanings in which the casebook, as it is, is signed"
    )
    critical_confirmed: bool = Field(
        default=True, description="every critical item is confirmed by a second person (DC-2)"
    )
    verified_forms: tuple[str, ...] = Field(
        default=(), description="forms whose answers a monitor verified against the source"
    )


class CaptureRules(Model):
    """Data capture: source verification, signatures, lock."""

    lock: LockRules = Field(default_factory=LockRules)
    critical: tuple[CriticalDatum, ...] = Field(
        default=(), description="critical data and what guards each item of them (DC-2)"
    )
    imports: tuple[ImportMapping, ...] = Field(default=(), description="files that can be imported")
    source_mismatch: Literal["flag", "query"] = Field(
        default="flag",
        description="an answer that came in otherwise than its item says (DC-3): listed, or asked about as well",
    )
    sign_only_without_queries: bool = Field(
        default=True,
        description="the signatures a lock needs are given when no query of the casebook is open",
    )
