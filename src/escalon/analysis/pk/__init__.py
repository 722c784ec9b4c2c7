"""Pharmacokinetics without compartments: parameters, rules for values below quantification, areas, units."""

from escalon.analysis.pk.blq import BlqRule
from escalon.analysis.pk.cell_kinetics import CellKinetics, cell_kinetics
from escalon.analysis.pk.choices import read_choices
from escalon.analysis.pk.nca import AUC_METHODS, ROUTES, TAILS, nca
from escalon.analysis.pk.profile import Exclusion, SlopeChoice
from escalon.analysis.pk.result import PkResult, PkValue
from escalon.analysis.pk.study import derive_parameters, exposure_response, summarise_parameters
from escalon.analysis.pk.units import PkUnits

__all__ = [
    "AUC_METHODS",
    "ROUTES",
    "TAILS",
    "BlqRule",
    "CellKinetics",
    "Exclusion",
    "PkResult",
    "PkUnits",
    "PkValue",
    "SlopeChoice",
    "cell_kinetics",
    "derive_parameters",
    "exposure_response",
    "nca",
    "read_choices",
    "summarise_parameters",
]
