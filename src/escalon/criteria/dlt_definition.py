"""A study's definition of dose-limiting toxicity as clauses of data."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from escalon.criteria.tables import load_table

Flag = Literal[
    "controlled",
    "laboratory_only",
    "expected_after_lymphodepletion",
    "responded",
    "due_to_disease",
    "steroid_refractory",
]
Category = Literal[
    "CRS", "ICANS", "GVHD", "IEC-HS", "INFUSION REACTION", "CYTOPENIA", "INFECTION", "LAB", "OTHER"
]


def _default(setting: str) -> Callable[[], Any]:
    """The value of a setting that a definition leaves out, from the table."""
    return lambda: load_table("dlt_default.json")["defaults"][setting]["value"]


def _products() -> tuple[str, ...]:
    return tuple(_default("attribution_products")())


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Attribution(_Model):
    """What an event must be related to, and how surely, to count."""

    products: tuple[str, ...] = Field(default_factory=_products, min_length=1)
    minimum: Literal["UNLIKELY", "POSSIBLE", "PROBABLE", "DEFINITE"] = Field(
        default_factory=_default("attribution_minimum")
    )


class Exemption(_Model):
    """Events that a clause, or every clause, leaves out: by term or category, all flags recorded true."""

    terms: tuple[str, ...] = Field(default=(), description="event terms, without regard to case")
    categories: tuple[Category, ...] = ()
    needs: tuple[Flag, ...] = Field(default=(), description="flags that must all be true on the event")
    source: str = Field(default="", description="a key of sources.json, or words")

    @model_validator(mode="after")
    def _names_something(self) -> "Exemption":
        if not self.terms and not self.categories:
            raise ValueError("an exemption names at least one term or category")
        return self

    def text(self) -> str:
        """The exemption in words."""
        what = ", ".join((*self.terms, *self.categories))
        return what + (f" when {' and '.join(self.needs).replace('_', ' ')}" if self.needs else "")


class _Clause(_Model):
    id: str = Field(description="clause number shown with every proposal")
    text: str = Field(description="the clause in words, for the page and the committee")
    attribution: Attribution | None = Field(default=None, description="None: as the definition says")
    opens_with: tuple[str, ...] = Field(
        default=(),
        description="products whose first dose opens the window of this clause, where before the first infusion",
    )
    source: str = Field(default="", description="a key of sources.json, or words")


class FatalClause(_Clause):
    """A grade 5 event, unless one of these flags is true on it."""

    kind: Literal["fatal"]
    unless: tuple[Flag, ...] = ("due_to_disease",)


class GradedClause(_Clause):
    """An event that reaches a grade at once, or stays at a grade for longer than allowed.

    ``immediate_grade`` reached in the window is a DLT. ``sustained_grade`` or more lasting longer than
    ``sustained_hours`` before the grade is ``improve_to`` or lower is a DLT; exactly that long is not.
    """

    kind: Literal["graded"]
    categories: tuple[Category, ...]
    immediate_grade: int | None = Field(default=None, ge=1, le=4)
    sustained_grade: int | None = Field(default=None, ge=1, le=4)
    improve_to: int = Field(
        default_factory=_default("improve_to"), ge=0, le=3, description="grade that ends the sustained run"
    )
    sustained_hours: float | None = Field(default=None, gt=0.0, description="hours")
    laboratory_hours: float | None = Field(
        default=None, gt=0.0, description="hours, for category LAB; None: as others"
    )
    flag_grade: int | None = Field(
        default=None, ge=1, le=4, description="grade that counts with the flag below"
    )
    flag: Flag | None = Field(default=None, description="with this flag true, flag_grade is enough")
    exempt: tuple[Exemption, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> "GradedClause":
        if (self.sustained_grade is None) != (self.sustained_hours is None):
            raise ValueError(f"clause {self.id}: sustained_grade and sustained_hours belong together")
        if (self.flag is None) != (self.flag_grade is None):
            raise ValueError(f"clause {self.id}: flag and flag_grade belong together")
        if self.immediate_grade is None and self.sustained_grade is None:
            raise ValueError(f"clause {self.id}: give immediate_grade, sustained_grade or both")
        return self


class CytopeniaClause(_Clause):
    """Cytopenia of a grade at the end of the window and still on the check day, in a hypocellular marrow."""

    kind: Literal["late_cytopenia"]
    lineages: tuple[Literal["neutrophils", "platelets"], ...] = ("neutrophils", "platelets")
    grade: int = Field(default_factory=_default("cytopenia_grade"), ge=1, le=4)
    check_day: int = Field(
        default_factory=_default("check_day"), gt=0, description="days after first infusion"
    )
    check_day_window: int = Field(
        default_factory=_default("check_day_window"),
        ge=0,
        description="days either side within which a marrow counts",
    )
    max_cellularity: float = Field(
        gt=0.0, le=100.0, description="percent; below this the marrow is hypocellular"
    )
    leukemia_blasts: float = Field(
        default_factory=_default("leukemia_blasts"), description="percent; at or above this there is leukemia"
    )


class HysLawClause(_Clause):
    """ALT or AST and bilirubin high together and risen from baseline, without cholestasis or another cause."""

    kind: Literal["hys_law"]
    transaminase_uln: float = Field(
        default_factory=_default("transaminase_uln"), gt=0.0, description="times the upper limit; above it"
    )
    bilirubin_uln: float = Field(
        default_factory=_default("bilirubin_uln"), gt=0.0, description="times the upper limit; above it"
    )
    alp_uln: float = Field(
        default_factory=_default("alp_uln"),
        gt=0.0,
        description="times the upper limit; alkaline phosphatase at or above it speaks for cholestasis",
    )


Clause = Annotated[FatalClause | GradedClause | CytopeniaClause | HysLawClause, Field(discriminator="kind")]


class DltDefinition(_Model):
    """Definition of dose-limiting toxicity of one study.

    Days count from first infusion (day 0); the window is day 0 to ``window_days``, both whole days included.
    """

    window_days: int = Field(default_factory=_default("window_days"), gt=0, description="days")
    attribution: Attribution = Field(default_factory=Attribution)
    ctcae_version: Literal["5.0", "6.0"] = "5.0"
    min_dose_fraction: float = Field(
        default_factory=_default("min_dose_fraction"), gt=0.0, le=1.0, description="given over assigned dose"
    )
    count_dlt_below_min_dose: bool = True
    never: tuple[Exemption, ...] = Field(
        default=(), description="never a DLT under any clause but late cytopenia"
    )
    clauses: tuple[Clause, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique(self) -> "DltDefinition":
        ids = [clause.id for clause in self.clauses]
        if len(set(ids)) != len(ids):
            raise ValueError(f"clauses: an id appears twice in {ids}")
        return self


def load_default_definition() -> DltDefinition:
    """The platform's default definition (assumption), for a study to copy into its folder and change."""
    return DltDefinition.model_validate(load_table("dlt_default.json")["definition"])
