"""Time to event: curves, comparisons, competing risks, restricted means, Cox, and event rules as data."""

from escalon.analysis.survival.bounds import CONF_TYPES
from escalon.analysis.survival.comparison import LogRank, log_rank
from escalon.analysis.survival.competing import CumulativeIncidence, cumulative_incidence
from escalon.analysis.survival.cox import TIES, CoxFit, fit_cox
from escalon.analysis.survival.curve import QUANTILE_RULES, Curve, Landmarks, follow_up, kaplan_meier
from escalon.analysis.survival.restricted_mean import restricted_mean

__all__ = [
    "CONF_TYPES",
    "QUANTILE_RULES",
    "TIES",
    "CoxFit",
    "CumulativeIncidence",
    "Curve",
    "Landmarks",
    "LogRank",
    "cumulative_incidence",
    "fit_cox",
    "follow_up",
    "kaplan_meier",
    "log_rank",
    "restricted_mean",
]
