"""Response criteria for acute lymphoblastic leukemia as data: named sets, and a model a study may fill."""

from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from escalon.criteria.operators import is_met
from escalon.criteria.result import check_code
from escalon.criteria.tables import load_table

_FILE = "leukemia_criteria.json"


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


def _number(setting: str) -> Callable[[], Any]:
    """The value of a setting that a set does not name, from the table."""
    return lambda: load_table(_FILE)["defaults"][setting]["value"]


def _limit(setting: str) -> Callable[[], Limit]:
    return lambda: Limit(**load_table(_FILE)["defaults"][setting]["value"])


class CriteriaSet(BaseModel):
    """One set of response criteria.

    Counts are in 10^9/L, blasts in percent. A study adds its own by filling the fields with its source and
    tag; a setting it leaves out is the one under ``defaults`` in ``data/leukemia_criteria.json``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    tag: Literal["registry", "publication", "derived", "assumption"]
    source: str
    blast_rule: Limit = Field(description="marrow blasts of a clear marrow, percent")
    anc_rule: Limit = Field(description="neutrophils of a complete remission, 10^9/L")
    platelet_rule: Limit = Field(description="platelets of a complete remission, 10^9/L")
    crh: Literal["report", "fold", "off"] = Field(description="report CRh, fold it into CRi, or leave it out")
    crh_anc_rule: Limit = Field(default_factory=_limit("crh_anc_rule"))
    crh_platelet_rule: Limit = Field(default_factory=_limit("crh_platelet_rule"))
    cri_min_recovery: Literal["none", "one_lineage", "anc500_or_plt50"]
    mlfs: bool
    mlfs_cells: Limit = Field(default_factory=_limit("mlfs_cells"), description="cells counted")
    mlfs_cellularity: Limit = Field(default_factory=_limit("mlfs_cellularity"), description="percent")
    mrd_guard: bool = Field(description="MRD at or above the guard blocks CR, CRi and MLFS")
    mrd_guard_rule: Limit = Field(default_factory=_limit("mrd_guard_rule"), description="MRD as a fraction")
    pr_rule: Literal["eln", "cibmtr", "off"]
    pr_blasts_max: float = Field(
        default_factory=_number("pr_blasts_max"), description="highest marrow blasts of a PR, percent"
    )
    pr_blasts_min: float = Field(
        default_factory=_number("pr_blasts_min"),
        description="lowest marrow blasts of a PR under eln, percent",
    )
    pr_min_fall: float = Field(
        default_factory=_number("pr_min_fall"), description="smallest relative fall of a PR, fraction"
    )
    relapse_blast_rule: Limit = Field(description="marrow blasts of a relapse, percent")
    relapse_after_pr_rule: Limit | None = Field(
        default=None, description="marrow blasts of a relapse after a PR, percent; None: such a rise is PD"
    )
    pd: bool = Field(default_factory=_number("pd"), description="whether the set knows a progression")
    pd_min_rise: float = Field(
        default_factory=_number("pd_min_rise"), description="smallest relative rise of a PD, fraction"
    )
    pd_blasts_min: float = Field(
        default_factory=_number("pd_blasts_min"), description="lowest marrow blasts of a PD, percent"
    )
    pd_emd_min_rise: float | None = Field(
        default=None,
        description="smallest relative rise of the extramedullary burden of a PD, fraction; None: not used",
    )
    pd_reference: Literal["nadir", "baseline", "lower"] = Field(default_factory=_number("pd_reference"))
    support_days: float = Field(
        default_factory=_number("support_days"),
        ge=0.0,
        description="days for which a transfusion or growth factor supports a count",
    )
    red_cell_independence: bool = Field(
        default_factory=_number("red_cell_independence"),
        description="a CR asks that no red cells were given within support_days",
    )
    sources: dict[str, str] = Field(
        default={}, description="source of each setting: a key of sources.json, or words"
    )


def load_criteria_sets() -> dict[str, CriteriaSet]:
    """The sets that ship: ``platform``, ``eln_2024``, ``cibmtr_2010``, ``crh_trial``, ``nccn``; by name."""
    table = load_table(_FILE)
    found = {}
    for name, row in table["sets"].items():
        settings = table["defaults"] | row["settings"]
        found[name] = CriteriaSet.model_validate(
            {"name": name, "tag": row["tag"], "source": row["source"]}
            | {setting: part["value"] for setting, part in settings.items()}
            | {"sources": {setting: part["source"] for setting, part in settings.items()}}
        )
    return found


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
        check_code("criteria", criteria, tuple(_NAMED))
        chosen = _NAMED[criteria]
    if not changes:
        return chosen
    sources = chosen.sources | dict.fromkeys(changes, "setting of the study")
    return CriteriaSet.model_validate(chosen.model_dump() | {"sources": sources} | changes)


def course_rule(name: str) -> Any:
    """A rule on the course of one patient, for example ``best_order`` or ``confirm_days``."""
    return load_table(_FILE)["course"][name]["value"]


_NAMED = load_criteria_sets()
