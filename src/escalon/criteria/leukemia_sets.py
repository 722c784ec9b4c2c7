"""Response criteria for acute lymphoblastic leukemia as data: named sets, and a model a study may fill."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from escalon.criteria.operators import is_met
from escalon.criteria.result import check_code
from escalon.criteria.tables import load_table


class Limit(BaseModel):
    """A threshold with its operator, compared without rounding."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    op: Literal["<", "<=", ">", ">="]
    limit: float = Field(ge=0.0)

    def met(self, value: float) -> bool:
        """Whether ``value`` satisfies the limit."""
        return is_met(value, self.op, self.limit)

    def text(self) -> str:
        """The limit in print, for example ``>= 1``."""
        return f"{self.op} {self.limit:g}"


class CriteriaSet(BaseModel):
    """One set of response criteria.

    Counts are in 10^9/L, blasts in percent. A study adds its own by filling every field with its source and
    tag.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    tag: Literal["registry", "publication", "derived", "assumption"]
    source: str
    blast_rule: Limit = Field(description="marrow blasts of a clear marrow, percent")
    anc_rule: Limit = Field(description="neutrophils of a complete remission, 10^9/L")
    platelet_rule: Limit = Field(description="platelets of a complete remission, 10^9/L")
    crh: Literal["report", "fold", "off"] = Field(description="report CRh, fold it into CRi, or leave it out")
    crh_anc_rule: Limit = Limit(op=">", limit=0.5)
    crh_platelet_rule: Limit = Limit(op=">", limit=50.0)
    cri_min_recovery: Literal["none", "one_lineage", "anc500_or_plt50"]
    mlfs: bool
    mlfs_cells: Limit = Field(default=Limit(op=">=", limit=200.0), description="cells counted")
    mlfs_cellularity: Limit = Field(default=Limit(op=">=", limit=10.0), description="cellularity, percent")
    mrd_guard: bool = Field(description="MRD at or above the guard blocks CR, CRi and MLFS")
    mrd_guard_rule: Limit = Field(default=Limit(op=">=", limit=0.01), description="MRD as a fraction")
    pr_rule: Literal["eln", "cibmtr", "off"]
    pr_blasts_max: float = Field(default=25.0, description="highest marrow blasts of a PR, percent")
    pr_blasts_min: float = Field(default=5.0, description="lowest marrow blasts of a PR under eln, percent")
    pr_min_fall: float = Field(default=0.50, description="smallest relative fall of a PR, fraction")
    relapse_blast_rule: Limit = Field(description="marrow blasts of a relapse, percent")
    pd_min_rise: float = Field(default=0.25, description="smallest relative rise of a PD, fraction")
    pd_blasts_min: float = Field(default=5.0, description="lowest marrow blasts of a PD, percent")
    pd_reference: Literal["nadir", "baseline", "lower"] = "lower"


_SETS: TypeAdapter[dict[str, CriteriaSet]] = TypeAdapter(dict[str, CriteriaSet])


def load_criteria_sets() -> dict[str, CriteriaSet]:
    """The sets that ship: ``platform``, ``eln_2024``, ``cibmtr_2010``, ``crh_trial``, ``nccn``; by name."""
    return _SETS.validate_python(load_table("leukemia_criteria.json"))


def criteria_set(criteria: "str | CriteriaSet", **changes: Any) -> CriteriaSet:
    """A named set, or the given one, with single settings changed for a study.

    Raises:
        ValueError: for an unknown name, or a setting that does not exist or does not fit.

    Example:
        >>> criteria_set("eln_2024", crh="report").crh
        'report'
    """
    if isinstance(criteria, CriteriaSet):
        chosen = criteria
    else:
        table = load_table("leukemia_criteria.json")
        check_code("criteria", criteria, tuple(table))
        chosen = _NAMED[criteria]
    if not changes:
        return chosen
    return CriteriaSet.model_validate(chosen.model_dump() | changes)


_NAMED = load_criteria_sets()
