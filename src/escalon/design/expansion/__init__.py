"""Expansion at the recommended dose: two-stage and Bayesian designs with exact characteristics."""

from escalon.design.expansion.bop2 import Bop2Boundary, Bop2Calibration, Bop2Design, calibrate_bop2
from escalon.design.expansion.joint import ExpansionPlan, JointCharacteristics, joint_oc
from escalon.design.expansion.monitoring import (
    Monitor,
    MonitoringCharacteristics,
    MonitoringRule,
    monitor_oc,
    monitoring_oc,
    prob_rate_above,
    stopping_boundaries,
)
from escalon.design.expansion.predictive import (
    PredictiveDesign,
    PredictiveSearch,
    find_predictive_design,
    posterior_probability,
    predictive_probability,
)
from escalon.design.expansion.sequential import SequentialCharacteristics, independent_cells
from escalon.design.expansion.simon import (
    SimonDesign,
    SimonDesigns,
    TwoStageDesign,
    find_simon_designs,
    simon_answer,
)
from escalon.design.expansion.two_stage_inference import TwoStageInference, infer_two_stage

__all__ = [
    "Bop2Boundary",
    "Bop2Calibration",
    "Bop2Design",
    "ExpansionPlan",
    "JointCharacteristics",
    "Monitor",
    "MonitoringCharacteristics",
    "MonitoringRule",
    "PredictiveDesign",
    "PredictiveSearch",
    "SequentialCharacteristics",
    "SimonDesign",
    "SimonDesigns",
    "TwoStageDesign",
    "TwoStageInference",
    "calibrate_bop2",
    "find_predictive_design",
    "find_simon_designs",
    "independent_cells",
    "infer_two_stage",
    "joint_oc",
    "monitor_oc",
    "monitoring_oc",
    "posterior_probability",
    "predictive_probability",
    "prob_rate_above",
    "simon_answer",
    "stopping_boundaries",
]
