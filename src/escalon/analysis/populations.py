"""Analysis populations: membership as flags, each exclusion with its reason, the predicates as data.

A population is a list of criteria read in order; a patient belongs when all hold, and the reason of the
first that does not hold is kept. A criterion is one variable of ADSL, one comparison, one value: a
clinician can read it and a study can replace it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

__all__ = ["BALLI_POPULATIONS", "OPERATORS", "Criterion", "Population", "derive_populations"]

OPERATORS = ("present", "absent", "==", "!=", ">=", "<=", ">", "<", "in")


@dataclass(frozen=True, slots=True)
class Criterion:
    """``variable`` ``operator`` ``value`` must hold; ``reason`` is what the patient lacks when it does not.

    A missing value satisfies only ``absent``.
    """

    variable: str
    operator: str
    value: str | float | tuple[str | float, ...] | None
    reason: str

    def __post_init__(self) -> None:
        if self.operator not in OPERATORS:
            raise ValueError(
                f"{self.variable}: operator {self.operator!r} is not one of {', '.join(OPERATORS)}"
            )

    def holds(self) -> pl.Expr:
        """Boolean expression, never null."""
        return _comparison(pl.col(self.variable), self.operator, self.value).fill_null(False)


def _comparison(x: pl.Expr, operator: str, value: object) -> pl.Expr:
    """One comparison as an expression."""
    if operator == "present":
        return x.is_not_null()
    if operator == "absent":
        return x.is_null()
    if operator == "in":
        return x.is_in(list(value))  # type: ignore[call-overload]
    compare = {"==": x.eq, "!=": x.ne, ">=": x.ge, "<=": x.le, ">": x.gt, "<": x.lt}
    return compare[operator](pl.lit(value))


@dataclass(frozen=True, slots=True)
class Population:
    """A named set of patients: ``flag`` is its ADaM flag variable (at most 8 characters, ends in FL)."""

    name: str
    flag: str
    criteria: tuple[Criterion, ...]
    description: str = ""


_ENROLLED = Criterion("ENRLDT", "present", None, "not enrolled")
_LD = Criterion("LDSTDT", "present", None, "no lymphodepletion dose")
_INFUSED = Criterion("CARTDT", "present", None, "no UCART22 infusion")

BALLI_POPULATIONS: tuple[Population, ...] = (
    Population("Enrolled", "ENRLFL", (_ENROLLED,), "consented and enrolled"),
    Population("Lymphodepleted", "LDFL", (_ENROLLED, _LD), "any lymphodepletion dose"),
    Population("Treated", "SAFFL", (_ENROLLED, _LD, _INFUSED), "any UCART22: main safety and efficacy set"),
    Population(
        "DLT-evaluable",
        "DLTEVLFL",
        (_INFUSED, Criterion("DLTSTAT", "in", ("DLT", "NO_DLT"), "DLT window not evaluable or still open")),
        "full dose and window completed, or a DLT",
    ),
    Population(
        "Response-evaluable",
        "RSPEVLFL",
        (
            _INFUSED,
            Criterion("BLDISFL", "==", "Y", "no disease measured at baseline"),
            Criterion(
                "RSPASSFL", "==", "Y", "no adequate assessment, early progression or death after infusion"
            ),
        ),
        "infused, baseline disease measured, at least one adequate assessment or early progression or death",
    ),
    Population(
        "PK",
        "PKFL",
        (
            Criterion("CLLSDT", "present", None, "no CLLS52 dose"),
            Criterion("NPKCONC", ">=", 1, "no usable CLLS52 concentration"),
        ),
        "at least one CLLS52 dose and one usable concentration",
    ),
    Population(
        "Cell kinetics",
        "CKFL",
        (_INFUSED, Criterion("NCKCONC", ">=", 1, "no usable sample after the infusion")),
        "infused and one usable post-infusion sample",
    ),
)
"""The sets of the reference study (an assumption of this platform, like their definitions)."""


def derive_populations(
    adsl: pl.DataFrame, populations: Sequence[Population] = BALLI_POPULATIONS
) -> pl.DataFrame:
    """Add for each population its flag ("Y"/"N") and the reason of the first criterion not met.

    The reason of DLTEVLFL is in DLTEVLRS, null for members.

    ``adsl`` has one row per patient and every variable the criteria name; ValueError names the variables
    that are absent.
    """
    wanted = {c.variable for p in populations for c in p.criteria}
    absent = sorted(wanted - set(adsl.columns))
    if absent:
        raise ValueError(
            f"adsl lacks {', '.join(absent)}: every variable a population criterion names must be a column"
        )
    columns: list[pl.Expr] = []
    for population in populations:
        # coalesce keeps the first criterion that fails, in the order of the definition.
        reasons = [pl.when(~c.holds()).then(pl.lit(c.reason)) for c in population.criteria]
        reason = pl.coalesce(*reasons) if reasons else pl.lit(None, dtype=pl.String)
        member = pl.when(reason.is_null()).then(pl.lit("Y")).otherwise(pl.lit("N"))
        columns += [member.alias(population.flag), reason.alias(_reason_name(population.flag))]
    return adsl.with_columns(columns)


def _reason_name(flag: str) -> str:
    """DLTEVLFL -> DLTEVLRS: within the eight characters of a SAS name."""
    return flag.removesuffix("FL") + "RS"
