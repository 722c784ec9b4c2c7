"""The groups results are given for: dose levels, the parts, and the recommended level pooled over both parts."""

from collections.abc import Mapping, Sequence

import polars as pl

from escalon.conduct.state import State
from escalon.protocol.study import Study

TOTAL = "Total"
ALL_INFUSED = "All infused"
EXPANSION = "Expansion"


def level_labels(study: Study) -> list[str]:
    """Labels of the dose levels, lowest first."""
    return [level.label for level in study.dose_levels]


def rp2d_label(state: State, study: Study) -> str | None:
    """Label of the recommended phase 2 dose, or None."""
    level = state.rp2d.dose_level if state.rp2d else None
    return None if level is None else study.dose_level(level).label


def derive_people(adam: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """ADSL by patient, with LEVEL: the level given, or the level assigned for a patient who was never infused."""
    return adam["ADSL"].sort("USUBJID").with_columns(LEVEL=pl.coalesce("TRT01A", "TRT01P"))


def efficacy_groups(people: pl.DataFrame, state: State, study: Study) -> dict[str, pl.DataFrame]:
    """Infused patients by group: escalation levels with patients, expansion, recommended level pooled, all.

    The groups overlap on purpose: a patient of the expansion is in three of them.
    """
    infused = people.filter(pl.col("SAFFL") == "Y")
    groups: dict[str, pl.DataFrame] = {}
    for label in level_labels(study):
        members = infused.filter((pl.col("PART") == "ESCALATION") & (pl.col("LEVEL") == label))
        if members.height:
            groups[f"Escalation {label}"] = members
    expansion = infused.filter(pl.col("PART") == "EXPANSION")
    if expansion.height:
        groups[EXPANSION] = expansion
    label = rp2d_label(state, study)
    if label is not None:
        groups[pooled_name(label)] = infused.filter(pl.col("LEVEL") == label)
    groups[ALL_INFUSED] = infused
    return groups


def pooled_name(label: str) -> str:
    """Name of the pooled group at the recommended level."""
    return f"RP2D pooled ({label})"


def pooled_group(groups: Sequence[str]) -> str | None:
    """The pooled group among group names, or None when no level is recommended."""
    return next((name for name in groups if name.startswith("RP2D pooled")), None)


def in_group(frame: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Rows of the members only."""
    return frame.join(members.select("USUBJID").unique(), on="USUBJID", how="semi")
