"""The groups of a table: who belongs to which column, and how many there are in it."""

from collections.abc import Sequence

import polars as pl

__all__ = ["check_columns", "group_patients"]


def check_columns(name: str, frame: pl.DataFrame, columns: Sequence[str]) -> None:
    """Raise ValueError that names the columns ``frame`` lacks and those it has."""
    absent = [c for c in columns if c not in frame.columns]
    if absent:
        raise ValueError(f"{name} lacks {', '.join(absent)}: it has {', '.join(frame.columns)}")


def group_patients(
    adsl: pl.DataFrame, by: str, population: str | None, levels: Sequence[str] | None, total: str | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Patients with their group (and again under ``total``), and the size of each group in order.

    Returns (USUBJID, group) and (group, n_population). ``levels`` keeps empty groups and fixes the order;
    ``population`` is a "Y" flag. Raises ValueError for a patient twice, without group, or in a group ``levels``
    does not name.
    """
    check_columns("adsl", adsl, ["USUBJID", by] + ([population] if population else []))
    inside = adsl.filter(pl.col(population) == "Y") if population else adsl
    twice = inside.filter(pl.col("USUBJID").is_duplicated())["USUBJID"]
    if twice.len():
        raise ValueError(f"adsl has more than one row for {twice[0]}: one row per patient is expected")
    people = inside.select("USUBJID", pl.col(by).cast(pl.String).alias("group"))
    if people["group"].null_count():
        raise ValueError(
            f"adsl.{by} is missing for {people['group'].null_count()} patients: each belongs to a group"
        )
    order = [str(v) for v in levels] if levels is not None else sorted(people["group"].unique().to_list())
    unknown = sorted(set(people["group"].to_list()) - set(order))
    if unknown:
        raise ValueError(f"adsl.{by} holds {', '.join(unknown)}, which levels does not name")
    if total is not None:
        people = pl.concat([people, people.with_columns(group=pl.lit(total))])
        order = [*order, total]
    counted = people.group_by("group").agg(pl.len().cast(pl.Int64).alias("n_population"))
    sizes = pl.DataFrame({"group": order}, schema={"group": pl.String})
    sizes = sizes.join(counted, on="group", how="left", maintain_order="left")
    return people, sizes.with_columns(pl.col("n_population").fill_null(0))
