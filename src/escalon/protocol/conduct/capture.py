"""What a study says about data: what must be done before a casebook is locked, and how files are imported."""

from typing import Self

from pydantic import Field, model_validator

from escalon.protocol.conduct.model import Model
from escalon.protocol.forms_values import MissingCode

SETS_IN_MOTION = ("AE", "DS", "EX")
"""Forms that move seats, doses, holds or cases: a person records them, one by one."""


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


class ImportColumn(Model):
    """Where the answer to an item stands in a file."""

    item: str
    column: str
    unit_column: str | None = Field(default=None, description="column with the unit of the number")
    factors: dict[str, float] = Field(
        default_factory=dict, description="spelling of a unit in the file to the factor into the item's unit"
    )
    codes: dict[str, str] = Field(default_factory=dict, description="text in the file to the item's code")

    @model_validator(mode="after")
    def _unit(self) -> Self:
        if (self.unit_column is None) != (not self.factors):
            raise ValueError(f"{self.item}: a column of units and the factors of units go together")
        return self


class ImportMapping(Model):
    """How the rows of a CSV file become records of one form (DC-7); a row is one record."""

    id: str
    form: str
    patient: str = Field(description="column with the patient")
    record: str = Field(description="column that names the record, unique for a patient")
    prefix: str = Field(default="", description="put before that name, e.g. LB-")
    visit: str | None = Field(default=None, description="column with the visit's id")
    columns: tuple[ImportColumn, ...] = Field(min_length=1)
    missing: dict[str, MissingCode] = Field(
        default_factory=dict, description="text in the file to missing code"
    )

    @model_validator(mode="after")
    def _quiet(self) -> Self:
        if self.form in SETS_IN_MOTION:
            raise ValueError(f"{self.form} is not imported: it moves seats, doses, holds or safety cases")
        return self


class CaptureRules(Model):
    """Data capture: source verification, signatures, lock."""

    lock: LockRules = Field(default_factory=LockRules)
    imports: tuple[ImportMapping, ...] = Field(default=(), description="files that can be imported")
    sign_only_without_queries: bool = Field(
        default=True,
        description="the signatures a lock needs are given when no query of the casebook is open",
    )
