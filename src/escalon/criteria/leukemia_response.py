"""Leukemia response: one assessment, one patient, visits, CNS status and MRD.

The room's public face for response.
"""

from escalon.criteria.leukemia_classify import RESPONSES, Assessment, Response, classify
from escalon.criteria.leukemia_course import (
    BEST_ORDER,
    ORR_NUMERATOR,
    BestResponse,
    JudgedAssessment,
    best_of_responses,
    best_overall,
    judge_course,
)
from escalon.criteria.leukemia_extramedullary import ExtramedullaryResponse, extramedullary_response
from escalon.criteria.leukemia_sets import CriteriaSet, Limit, criteria_set, load_criteria_sets
from escalon.criteria.leukemia_status import (
    EMD_SITES,
    MRD_METHODS,
    REMISSIONS,
    CnsResponse,
    CnsStatus,
    MrdLabel,
    cns_response,
    cns_status,
    extramedullary_status,
    mrd_label,
    supported_within,
)
from escalon.criteria.leukemia_visits import VisitAssignment, VisitWindow, assign_visits, load_visits

__all__ = [
    "BEST_ORDER",
    "EMD_SITES",
    "MRD_METHODS",
    "ORR_NUMERATOR",
    "REMISSIONS",
    "RESPONSES",
    "Assessment",
    "BestResponse",
    "CnsResponse",
    "CnsStatus",
    "CriteriaSet",
    "ExtramedullaryResponse",
    "JudgedAssessment",
    "Limit",
    "MrdLabel",
    "Response",
    "VisitAssignment",
    "VisitWindow",
    "assign_visits",
    "best_of_responses",
    "best_overall",
    "classify",
    "cns_response",
    "cns_status",
    "criteria_set",
    "extramedullary_response",
    "extramedullary_status",
    "judge_course",
    "load_criteria_sets",
    "load_visits",
    "mrd_label",
    "supported_within",
]
