"""Time to event by dose level, for exploration: restricted means and a log-rank test across the levels."""

from collections.abc import Mapping

import polars as pl

from escalon.analysis.survival import log_rank, restricted_mean
from escalon.conduct.state import State
from escalon.protocol.study import Study
from escalon.report.ard import Rows
from escalon.report.results.groups import TOTAL, derive_people, level_labels
from escalon.report.results.survival import ENDPOINTS, observed, survival_curve

HORIZONS = (6, 12, 24)
"""Months up to which the mean time without event is taken."""


def derive_level_comparison(adam: Mapping[str, pl.DataFrame], state: State, study: Study) -> pl.DataFrame:
    """Restricted mean by level (months), and one log-rank test per endpoint; infused patients of both parts."""
    rows = Rows("level comparison", "LEVEL")
    infused = derive_people(adam).filter(pl.col("SAFFL") == "Y").select("USUBJID", "LEVEL")
    for code in ENDPOINTS:
        own = observed(adam, code).drop("LEVEL", strict=False).join(infused, on="USUBJID").sort("USUBJID")
        for label in level_labels(study):
            curve = survival_curve(own.filter(pl.col("LEVEL") == label), study)
            if curve.n == 0:
                continue
            rows.add(code, None, "count", {"N": curve.n, "events": curve.n_events}, label)
            for month in HORIZONS:
                found = restricted_mean(curve, month)
                stats = {"mean": found.value, "conf.low": found.low, "conf.high": found.high}
                rows.add(
                    code, str(month), "restricted mean", stats, label, unit="months", reason=found.reason
                )
        test = log_rank(own["AVAL"].to_numpy(), (own["CNSR"] == 0).to_numpy(), own["LEVEL"].to_list())
        stats = {"chi2": test.chi2, "df": float(test.df), "p.value": test.p_value}
        rows.add(code, None, "log-rank", stats, TOTAL, reason=test.reason)
    return rows.frame()
