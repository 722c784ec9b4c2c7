"""What investigator and sponsor think of one adverse event, side by side, and what counts of it.

The investigator's opinion stands on the AE form, the sponsor's in the assessment of the safety case of that record.
The higher relation counts for each cause, and either of the two is enough for serious: the sponsor never lowers the
investigator's view (21 CFR 312.32(a); the scale is an assumption of the platform).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from escalon.conduct.state import State
from escalon.criteria.relatedness import Relatedness, combine
from escalon.criteria.seriousness import Judgement, judge_seriousness

__all__ = [
    "CAUSES",
    "PRODUCTS",
    "SERIOUSNESS",
    "SponsorView",
    "judge_relations",
    "judge_serious",
    "sponsor_views",
]

PRODUCTS: Mapping[str, str] = {
    "UC": "UCART22",
    "CL": "CLLS52",
    "FL": "FLUDARABINE",
    "CY": "CYCLOPHOSPHAMIDE",
}
"""Product by the ending of its relation item (AEREL..)."""
CAUSES: Mapping[str, str] = {
    **PRODUCTS,
    "PR": "PROCEDURE",
    "DS": "DISEASE",
    "CM": "CONCOMITANT_DRUG",
    "IN": "INFECTION",
}
"""The same for every cause, products first."""
SERIOUSNESS: Mapping[str, str] = {
    "SDTH": "DEATH",
    "SLIFE": "LIFE_THREATENING",
    "SHOSP": "HOSPITALISATION",
    "SDISAB": "DISABILITY",
    "SCONG": "CONGENITAL_ANOMALY",
    "SMIE": "IMPORTANT_MEDICAL_EVENT",
}
"""Criterion by the ending of its seriousness item (AES..)."""


@dataclass(frozen=True, slots=True)
class SponsorView:
    """The sponsor's relation per cause and criteria of seriousness of one event; empty before the assessment."""

    causality: Mapping[str, str] = field(default_factory=dict)
    serious: tuple[str, ...] = ()


NO_VIEW = SponsorView()


def sponsor_views(state: State, patient: str) -> dict[str, SponsorView]:
    """Return the sponsor's view by AE record, of every assessed case of ``patient``."""
    return {
        case.record: SponsorView(case.causality, case.serious)
        for case in state.safety.cases
        if case.patient == patient and case.determined_at is not None
    }


def judge_relations(values: Mapping[str, Any], sponsor: SponsorView = NO_VIEW) -> dict[str, Relatedness]:
    """Join both views on every cause that was asked about; a product nobody judged counts as related.

    ``values`` are the items of the AE form, the investigator's view.
    """
    found = {}
    for ending, cause in CAUSES.items():
        views = values.get(f"AEREL{ending}"), sponsor.causality.get(cause)
        if cause in PRODUCTS.values() or views != (None, None):
            found[cause] = combine(cause, *views)
    return found


def judge_serious(values: Mapping[str, Any], sponsor: SponsorView = NO_VIEW) -> Judgement:
    """Join both views on seriousness: any criterion named by either."""
    named = [code for ending, code in SERIOUSNESS.items() if values.get(f"AE{ending}") == "Y"]
    return judge_seriousness(named, sponsor.serious)
