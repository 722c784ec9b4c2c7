"""Time to event: curves, comparisons, competing risks, restricted means, Cox, and event rules as data."""

from escalon.analysis.survival.bounds import CONF_TYPES
from escalon.analysis.survival.comparison import LogRank, log_rank
from escalon.analysis.survival.curve import QUANTILE_RULES, Curve, Landmarks, follow_up, kaplan_meier

__all__ = [
    "CONF_TYPES",
    "QUANTILE_RULES",
    "Curve",
    "Landmarks",
    "LogRank",
    "follow_up",
    "kaplan_meier",
    "log_rank",
]
