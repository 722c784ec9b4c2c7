"""How the rows of a CSV file become records of a form (DC-7): which column holds what, in which spelling and unit."""

from typing import Self

from pydantic import Field, model_validator

from escalon.protocol.conduct.model import Model
from escalon.protocol.forms_values import MissingCode

SETS_IN_MOTION = ("AE", "DS", "EX")
"""Forms that move seats, doses, holds or cases: a person records them, one by one."""


class ImportColumn(Model):
    """Where the answer to an item stands, and how it is spelled.

    An item has a ``column`` of its own or, in the long layout, the ``code`` by which a row names it. The unit of its
    number is the ``unit`` of the column, or what ``unit_column`` says: ``units`` gives the UCUM code of a spelling, so
    that the factor into the unit of the form follows; ``factors`` gives the factor itself, where substance counts
    (bilirubin, mg/dL into umol/L: 17.1).
    """

    item: str
    column: str | None = Field(default=None, description="column with the answer")
    code: str | None = Field(
        default=None, description="long layout: text that names the item in the column of items"
    )
    unit: str | None = Field(default=None, description="UCUM code of the whole column, where no column tells")
    unit_column: str | None = Field(default=None, description="column with the unit of the number")
    units: dict[str, str] = Field(default_factory=dict, description="spelling of a unit to its UCUM code")
    factors: dict[str, float] = Field(
        default_factory=dict, description="spelling of a unit in the file to the factor into the item's unit"
    )
    codes: dict[str, str] = Field(default_factory=dict, description="text in the file to the item's code")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.column is None) == (self.code is None):
            raise ValueError(f"{self.item}: name its column or, in the long layout, its code; one of the two")
        spelled = bool(self.units or self.factors)
        if self.column is not None and (self.unit_column is None) == spelled:
            raise ValueError(f"{self.item}: a column of units and the factors of units go together")
        if self.code is not None and self.unit_column is not None:
            raise ValueError(f"{self.item}: the column of units of the long layout stands under `long`")
        if self.unit is not None and spelled:
            raise ValueError(f"{self.item}: its unit is told once, for the column or row by row")
        twice = sorted(set(self.units) & set(self.factors))
        if twice:
            raise ValueError(f"{self.item}: the unit {twice[0]} has a UCUM code and a factor; give one")
        if any(not 0 < factor < float("inf") for factor in self.factors.values()):
            raise ValueError(f"{self.item}: a factor is a number above 0")
        return self


class LongLayout(Model):
    """Columns of a file with one row for each answer."""

    item: str = Field(description="column with the code of the item")
    value: str = Field(description="column with the answer")
    unit: str | None = Field(default=None, description="column with the unit")
    row: str | None = Field(default=None, description="column with the row of the item's group: 1, 2, ...")
    form: str | None = Field(default=None, description="column with the form; every row is of the mapped one")


class ImportMapping(Model):
    """How a CSV file becomes records of one form.

    Wide: a row is one record or, with ``group``, one row of that group in a record. Long: a row is one answer.
    """

    id: str
    form: str
    patient: str = Field(description="column with the patient")
    record: str = Field(description="column that names the record (repeat key), unique for a patient")
    prefix: str = Field(default="", description="put before that name, e.g. LB-")
    visit: str | None = Field(default=None, description="column with the visit's id")
    group: str | None = Field(default=None, description="wide layout: the group whose rows the file lists")
    long: LongLayout | None = Field(default=None, description="one row for each answer")
    columns: tuple[ImportColumn, ...] = Field(min_length=1)
    missing: dict[str, MissingCode] = Field(
        default_factory=dict, description="text in the file to missing code"
    )

    @model_validator(mode="after")
    def _quiet(self) -> Self:
        if self.form in SETS_IN_MOTION:
            raise ValueError(f"{self.form} is not imported: it moves seats, doses, holds or safety cases")
        return self

    @model_validator(mode="after")
    def _layout(self) -> Self:
        coded = [one for one in self.columns if one.code is not None]
        if self.long is None and coded:
            raise ValueError(f"{coded[0].item}: codes of items are for the long layout; name its column")
        if self.long is not None and not coded:
            raise ValueError("the long layout needs at least one item with a code")
        if self.long is not None and self.group is not None:
            raise ValueError("in the long layout the rows of a group stand in the column `long: row`")
        if self.long is not None and self.long.unit is None and any(c.units or c.factors for c in coded):
            raise ValueError("units of a row need the column `long: unit`")
        return self

    @property
    def items(self) -> tuple[str, ...]:
        """The items the file speaks of."""
        return tuple(column.item for column in self.columns)
