"""Expansion at the recommended dose: two-stage and Bayesian designs with exact characteristics."""

from escalon.design.expansion.simon import (
    SimonDesign,
    SimonDesigns,
    TwoStageDesign,
    find_simon_designs,
    simon_answer,
)
from escalon.design.expansion.two_stage_inference import TwoStageInference, infer_two_stage

__all__ = [
    "SimonDesign",
    "SimonDesigns",
    "TwoStageDesign",
    "TwoStageInference",
    "find_simon_designs",
    "infer_two_stage",
    "simon_answer",
]
