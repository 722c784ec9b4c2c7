"""Time to event: curves, comparisons, competing risks, restricted means, Cox, and event rules as data."""

from escalon.analysis.survival.bounds import CONF_TYPES
from escalon.analysis.survival.comparison import LogRank, log_rank
from escalon.analysis.survival.competing import CumulativeIncidence, cumulative_incidence
from escalon.analysis.survival.cox import TIES, CoxFit, fit_cox
from escalon.analysis.survival.curve import QUANTILE_RULES, Curve, Landmarks, follow_up, kaplan_meier
from escalon.analysis.survival.endpoints import derive_time_to_event
from escalon.analysis.survival.restricted_mean import restricted_mean
from escalon.analysis.survival.rules import (
    RULES,
    Analysis,
    Rule,
    VisitWindow,
    choose_rules,
    join_windows,
    load_analyses,
)

__all__ = [
    "CONF_TYPES",
    "QUANTILE_RULES",
    "RULES",
    "TIES",
    "Analysis",
    "CoxFit",
    "CumulativeIncidence",
    "Curve",
    "Landmarks",
    "LogRank",
    "Rule",
    "VisitWindow",
    "choose_rules",
    "cumulative_incidence",
    "derive_time_to_event",
    "fit_cox",
    "follow_up",
    "join_windows",
    "kaplan_meier",
    "load_analyses",
    "log_rank",
    "restricted_mean",
]
