"""How doses are chosen. Pure: a statistician could use this folder alone."""

from escalon.design.compare import Comparison, compare
from escalon.design.decision_table import DecisionTable, decision_table
from escalon.design.exact import Enumeration, PlanTooLargeError, enumerate_plan, exact_oc
from escalon.design.mtd import select_mtd
from escalon.design.operating_characteristics import OperatingCharacteristics
from escalon.design.outcomes import Cohort, Outcomes, format_outcomes, parse_outcomes
from escalon.design.paths import dose_paths
from escalon.design.plan import EscalationPlan
from escalon.design.recommend_efficacy import select_obd
from escalon.design.recommendation import LevelEstimate, PendingPatient, Recommendation
from escalon.design.simulate import simulate_oc

__all__ = [
    "Cohort",
    "Comparison",
    "DecisionTable",
    "Enumeration",
    "EscalationPlan",
    "LevelEstimate",
    "OperatingCharacteristics",
    "Outcomes",
    "PendingPatient",
    "PlanTooLargeError",
    "Recommendation",
    "compare",
    "decision_table",
    "dose_paths",
    "enumerate_plan",
    "exact_oc",
    "format_outcomes",
    "parse_outcomes",
    "select_mtd",
    "select_obd",
    "simulate_oc",
]
