"""Pharmacokinetics without compartments: parameters, rules for values below quantification, areas, units."""

from escalon.analysis.pk.blq import BlqRule
from escalon.analysis.pk.cell_kinetics import CellKinetics, cell_kinetics
from escalon.analysis.pk.nca import AUC_METHODS, ROUTES, TAILS, PkResult, nca
from escalon.analysis.pk.units import PkUnits

__all__ = [
    "AUC_METHODS",
    "ROUTES",
    "TAILS",
    "BlqRule",
    "CellKinetics",
    "PkResult",
    "PkUnits",
    "cell_kinetics",
    "nca",
]
