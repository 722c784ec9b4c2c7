"""Marrow blasts of the infused patients, day by day: what the waterfall and the spider are drawn from."""

from collections.abc import Mapping

import polars as pl

from escalon.report.results.groups import in_group

__all__ = ["BLASTS", "derive_marrow"]

BLASTS = "BMBLAST"


def derive_marrow(people: pl.DataFrame, adam: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Blasts in marrow (percent of cells) of each disease assessment, from ADLB and ADRS.

    ``people``: infused patients with USUBJID. Returns USUBJID, ADY (days from the infusion), AVAL (null: an assessment
    after the infusion without a count).
    """
    counted = in_group(adam["ADLB"].filter(pl.col("PARAMCD") == BLASTS), people)
    counted = counted.select(
        "USUBJID", ADY=pl.col("ARDY").cast(pl.Int64), AVAL=pl.col("AVAL").cast(pl.Float64)
    )
    assessed = in_group(adam["ADRS"].filter(pl.col("PARAMCD") == "OVRLRESP"), people)
    assessed = assessed.select("USUBJID", ADY=pl.col("ARDY").cast(pl.Int64)).unique()
    without = assessed.join(counted, on=["USUBJID", "ADY"], how="anti")
    without = without.with_columns(AVAL=pl.lit(None, pl.Float64))
    return pl.concat([counted, without]).sort("USUBJID", "ADY", nulls_last=True)
