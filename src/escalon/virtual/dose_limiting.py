"""Dose-limiting toxicities: one event that truly meets a clause of the default definition.

Clauses (assumptions of the study): 1 grade 5; 2 CRS grade 4, or 3 not improved within 72 h; 3 ICANS
likewise; 4 GvHD III or IV; 5 other grade 4, or grade 3 over 72 h (laboratory: over 7 d); 6 aplasia at Day
42; 7 IEC-HS grade 3.
"""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from escalon.protocol.scenarios import DoseLimiting
from escalon.virtual.adverse_events import AdverseEvent, draw_relation
from escalon.virtual.components import (
    Components,
    crs_components,
    gvhd_components,
    icans_components,
    iec_hs_components,
)
from escalon.virtual.laboratory import Bump
from escalon.virtual.streams import Streams, pick, uniform

IMMUNE, NERVOUS = "Immune system disorders", "Nervous system disorders"
LUNG = "Respiratory, thoracic and mediastinal disorders"
FATAL = ("CRS_5", "SEPSIS_5")
APLASIA = "APLASIA_42"


def draw_dlt_kind(
    streams: Streams, number: int, limits: DoseLimiting, prob_tox: float, remission: bool
) -> str | None:
    """Return the kind of the patient's dose-limiting toxicity, None without one.

    One uniform number decides against ``prob_tox`` whatever the level, so a patient with a DLT at a level
    has one at every level with a higher probability. Aplasia needs a marrow free of leukemia: without
    remission it is drawn again.
    """
    rng = streams.generator(number, "dlt")
    limiting = rng.random() < prob_tox
    kind = pick(rng, limits.kinds)
    if kind == APLASIA and not remission:
        others = {name: share for name, share in limits.kinds.items() if name != APLASIA and share > 0}
        total = sum(others.values())
        kind = (
            pick(rng, {name: share / total for name, share in others.items()}) if others else "PNEUMONITIS_4"
        )
    return kind if limiting else None


def draw_dlt_event(
    streams: Streams, number: int, limits: DoseLimiting, kind: str, with_clls52: bool
) -> AdverseEvent | None:
    """Return the event of that kind; None for aplasia, which shows as a cytopenia that does not recover."""
    rng = streams.generator(number, "dlt event")
    if kind == APLASIA:
        return None
    onset = uniform(rng, limits.onset)
    relation = draw_relation(rng, "UCART22", onset, with_clls52)
    return _KINDS[kind](rng, onset, relation)


def dlt_bumps(event: AdverseEvent) -> tuple[Bump, ...]:
    """Return the laboratory changes that go with a dose-limiting event."""
    end = event.end if event.end is not None else event.onset + 14.0
    peak, until = event.onset + 0.3 * (end - event.onset), event.onset + 0.8 * (end - event.onset)

    def bump(name: str, height: float) -> Bump:
        return Bump(name, event.onset - 0.5, peak, until, end + 1.0, height)

    if event.term == "Alanine aminotransferase increased":
        improved = event.improved or end
        return (Bump("ALT", event.onset - 0.5, event.onset, improved - 1.0, improved + 0.6, 290.0),)
    if event.category == "IEC-HS":
        return (bump("FERRITIN", 24000.0), bump("CRP", 110.0))
    return (bump("CRP", 160.0), bump("FERRITIN", 5000.0))


def _astct(
    rng: np.random.Generator, term: str, category: str, onset: float, relation: dict[str, str], grade: int
) -> AdverseEvent:
    """CRS or ICANS that begins at grade 1 and turns grade 3 or 4 within a day."""
    worst, improved = onset + 0.3 + 0.5 * rng.random(), 4.5 + 2.5 * rng.random()
    end = onset + improved + 1.0 + 3.0 * rng.random()
    worst_items, first_items = _components(rng, category, grade), _components(rng, category, 1)
    return AdverseEvent(
        term=term,
        system=IMMUNE if category == "CRS" else NERVOUS,
        category=category,
        onset=onset,
        end=end,
        grade=grade,
        relation=relation,
        improved=onset + improved,
        serious=True,
        life_threatening=grade >= 4,
        components=worst_items,
        milder=(1, first_items),
        worst_at=worst,
        dlt=True,
    )


def _components(rng: np.random.Generator, category: str, grade: int) -> Components:
    return crs_components(rng, grade) if category == "CRS" else icans_components(rng, grade)


def _crs(grade: int) -> Callable[[np.random.Generator, float, dict[str, str]], AdverseEvent]:
    def event(rng: np.random.Generator, onset: float, relation: dict[str, str]) -> AdverseEvent:
        return _astct(rng, "Cytokine release syndrome", "CRS", onset, relation, grade)

    return event


def _fatal_crs(rng: np.random.Generator, onset: float, relation: dict[str, str]) -> AdverseEvent:
    event = _astct(rng, "Cytokine release syndrome", "CRS", onset, relation, 4)
    return _dying(event, onset + 3.0 + 6.0 * rng.random())


def _dying(event: AdverseEvent, at: float) -> AdverseEvent:
    return replace(event, end=math.floor(at) + 0.4, improved=None, grade=5, fatal=True, life_threatening=True)


def _icans(rng: np.random.Generator, onset: float, relation: dict[str, str]) -> AdverseEvent:
    return _astct(rng, "Immune effector cell-associated neurotoxicity syndrome", "ICANS", onset, relation, 3)


def _gvhd(rng: np.random.Generator, onset: float, relation: dict[str, str]) -> AdverseEvent:
    onset = max(onset, 8.0)
    stages = gvhd_components(int(rng.integers(1, 4)), lower_gut=int(rng.integers(2, 4)))
    improved = onset + 8.0 + 10.0 * rng.random()
    return AdverseEvent(
        "Graft versus host disease", IMMUNE, "GVHD", onset, improved + 10.0, 3, relation,
        improved=improved, serious=True, components=stages, dlt=True,
    )  # fmt: skip


def _pneumonitis(rng: np.random.Generator, onset: float, relation: dict[str, str]) -> AdverseEvent:
    improved = onset + 4.0 + 6.0 * rng.random()
    return AdverseEvent(
        "Pneumonitis", LUNG, "GENERAL", onset, improved + 8.0, 4, relation,
        improved=improved, serious=True, life_threatening=True, dlt=True,
    )  # fmt: skip


def _liver(rng: np.random.Generator, onset: float, relation: dict[str, str]) -> AdverseEvent:
    improved = onset + 8.5 + 3.0 * rng.random()
    return AdverseEvent(
        "Alanine aminotransferase increased", "Investigations", "LABORATORY", onset, improved + 6.0, 3,
        relation, improved=improved, dlt=True,
    )  # fmt: skip


def _hyperinflammation(rng: np.random.Generator, onset: float, relation: dict[str, str]) -> AdverseEvent:
    improved = onset + 5.0 + 6.0 * rng.random()
    return AdverseEvent(
        "Immune effector cell-associated HLH-like syndrome", IMMUNE, "IEC-HS", onset, improved + 8.0, 3,
        relation, improved=improved, serious=True, components=iec_hs_components(rng), dlt=True,
    )  # fmt: skip


def _fatal_sepsis(rng: np.random.Generator, onset: float, relation: dict[str, str]) -> AdverseEvent:
    event = AdverseEvent(
        "Sepsis", "Infections and infestations", "INFECTION", onset, None, 4, relation, serious=True, dlt=True
    )
    return _dying(event, onset + 2.0 + 6.0 * rng.random())


_KINDS: dict[str, Callable[[np.random.Generator, float, dict[str, str]], AdverseEvent]] = {
    "CRS_4": _crs(4),
    "CRS_3_LONG": _crs(3),
    "CRS_5": _fatal_crs,
    "ICANS_3_LONG": _icans,
    "GVHD_3": _gvhd,
    "PNEUMONITIS_4": _pneumonitis,
    "ALT_3_LONG": _liver,
    "IEC_HS_3": _hyperinflammation,
    "SEPSIS_5": _fatal_sepsis,
}
