"""Everything unpleasant that happens to a patient: the dose-limiting event, if any, and all the others.

Events that are not the dose-limiting one never meet a clause of the DLT definition: grade 3 caused by
UCART22 improves in time, grade 4 cytopenias recover before Day 42, deaths are after Day 28.
"""

from dataclasses import replace

import numpy as np

from escalon.protocol.scenarios import BackgroundEvent, Cause, VirtualPatientAssumptions
from escalon.virtual.adverse_events import ASTCT, MAGIC, AdverseEvent, draw_relation
from escalon.virtual.cell_kinetics import CellCourse
from escalon.virtual.dose_limiting import IMMUNE, NERVOUS, crs_components, gvhd_components, icans_components
from escalon.virtual.laboratory import Bump, LabCourse
from escalon.virtual.leukemia import change_odds, correlated_uniform
from escalon.virtual.streams import Streams, pick_grade, uniform

_BLOOD = "Blood and lymphatic system disorders"
_CYTOPENIAS: tuple[tuple[str, str, str, float, float], ...] = (
    ("NEUT", "Neutrophil count decreased", "Investigations", 1.0, 0.5),
    ("PLAT", "Platelet count decreased", "Investigations", 50.0, 25.0),
    ("LYM", "Lymphocyte count decreased", "Investigations", 0.5, 0.2),
    ("HGB", "Anemia", _BLOOD, 80.0, 0.0),
)
"""Parameter, CTCAE 5.0 term and class, upper limits of grade 3 and grade 4 (none for anaemia)."""


def draw_background(
    streams: Streams, number: int, events: tuple[BackgroundEvent, ...], with_clls52: bool
) -> list[AdverseEvent]:
    """Draw the events of the background list; each line has its own random stream."""
    drawn = []
    for line, source in enumerate(events):
        rng = streams.generator(number, f"event {line} {source.term}")
        if rng.random() >= source.probability or (source.only_with_clls52 and not with_clls52):
            continue
        onset = uniform(rng, source.onset)
        grade = pick_grade(rng, source.grades)
        end = onset + uniform(rng, source.duration)
        infection = source.category == "INFECTION"
        drawn.append(
            AdverseEvent(
                term=source.term,
                system=source.system,
                category=source.category,
                onset=onset,
                end=end,
                grade=grade,
                relation=draw_relation(rng, source.cause, onset, with_clls52),
                improved=onset + 0.8 * (end - onset) if grade >= 3 else None,
                serious=(infection or source.term == "Febrile neutropenia") and grade >= 3,
                life_threatening=grade >= 4,
                expected=source.expected_after_lymphodepletion,
            )
        )
    return drawn


def draw_crs(
    streams: Streams,
    number: int,
    assumptions: VirtualPatientAssumptions,
    cells: CellCourse,
    with_clls52: bool,
) -> list[AdverseEvent]:
    """Draw CRS, and ICANS after it, of a patient whose dose-limiting toxicity is neither."""
    crs = assumptions.crs
    rng = streams.generator(number, "crs")
    probability = crs.probability if with_clls52 else change_odds(crs.probability, crs.odds_without_clls52)
    if correlated_uniform(rng, crs.expansion_correlation, cells.deviate) <= 1.0 - probability:
        return []
    grade = pick_grade(rng, crs.grades)
    onset = max(0.6, cells.tmax - uniform(rng, crs.onset_before_peak))
    length = uniform(rng, crs.duration)
    improved = onset + uniform(rng, crs.duration_grade3) if grade == 3 else None
    event = AdverseEvent(
        term="Cytokine release syndrome",
        system=IMMUNE,
        category="CRS",
        onset=onset,
        end=(improved or onset) + length,
        grade=grade,
        relation=draw_relation(rng, "UCART22", onset, with_clls52),
        improved=improved,
        grading=ASTCT,
        serious=grade >= 2,
        components=crs_components(rng, grade),
    )
    if grade >= 2:
        event = replace(event, milder=(1, crs_components(rng, 1)), worst_at=onset + 0.1 + 0.3 * rng.random())
    return [event, *_draw_icans(streams, number, assumptions, event, with_clls52)]


def _draw_icans(
    streams: Streams,
    number: int,
    assumptions: VirtualPatientAssumptions,
    crs: AdverseEvent,
    with_clls52: bool,
) -> list[AdverseEvent]:
    rng = streams.generator(number, "icans")
    if rng.random() >= assumptions.icans.probability:
        return []
    grade = pick_grade(rng, assumptions.icans.grades)
    onset = crs.onset + uniform(rng, assumptions.icans.delay)
    return [
        AdverseEvent(
            term="Immune effector cell-associated neurotoxicity syndrome",
            system=NERVOUS,
            category="ICANS",
            onset=onset,
            end=onset + uniform(rng, assumptions.icans.duration),
            grade=grade,
            relation=draw_relation(rng, "UCART22", onset, with_clls52),
            grading=ASTCT,
            serious=grade >= 2,
            components=icans_components(rng, grade),
        )
    ]


def draw_gvhd(
    streams: Streams, number: int, assumptions: VirtualPatientAssumptions, with_clls52: bool
) -> list[AdverseEvent]:
    """Draw acute GvHD of grade I (skin) or II (skin stage 3 or upper gut), sensitive to steroids."""
    rng = streams.generator(number, "gvhd")
    if rng.random() >= assumptions.gvhd.probability:
        return []
    grade = pick_grade(rng, assumptions.gvhd.grades)
    onset, better = uniform(rng, assumptions.gvhd.onset), uniform(rng, assumptions.gvhd.improvement)
    skin, upper = (int(rng.integers(1, 3)), 0) if grade == 1 else ((3, 0) if rng.random() < 0.5 else (1, 1))
    return [
        AdverseEvent(
            term="Graft versus host disease",
            system=IMMUNE,
            category="GVHD",
            onset=onset,
            end=onset + better + 7.0,
            grade=grade,
            relation=draw_relation(rng, "UCART22", onset, with_clls52),
            improved=onset + better,
            grading=MAGIC,
            serious=grade >= 2,
            components=gvhd_components(skin, upper_gut=upper),
        )
    ]


def draw_fatal_infection(streams: Streams, number: int, death_day: int, with_clls52: bool) -> AdverseEvent:
    """Draw the infection a patient in remission dies of."""
    rng = streams.generator(number, "fatal infection")
    term = "Sepsis" if rng.random() < 0.5 else "Lung infection"
    onset = death_day + 0.4 - uniform(rng, (3.0, 12.0))
    relation = draw_relation(rng, "LYMPHODEPLETION", onset, with_clls52)
    return AdverseEvent(
        term, "Infections and infestations", "INFECTION", onset, death_day + 0.4, 5, relation,
        serious=True, life_threatening=True, fatal=True,
    )  # fmt: skip


def find_cytopenias(
    rng: np.random.Generator, lab: LabCourse, first_day: int, until: float, with_clls52: bool
) -> list[AdverseEvent]:
    """Turn the blood counts from lymphodepletion to ``until`` into events of grade 3 and 4, one per episode.

    A parameter that already had the grade before treatment gives no event until it is worse.
    """
    cause: Cause = "CLLS52" if with_clls52 else "LYMPHODEPLETION"
    days = np.arange(first_day, until, 0.25)
    found = []
    for name, term, system, third, fourth in _CYTOPENIAS:
        before = int(_grades(lab.values(name, first_day - 5.0), third, fourth)[0])
        grades = _grades(lab.values(name, days), third, fourth)
        for begin, end in _episodes(grades >= 3):
            worst = int(grades[begin:end].max())
            if worst <= before and begin == 0:
                continue
            first = begin if begin > 0 or before < 3 else begin + int(np.argmax(grades[begin:end] == worst))
            onset = float(days[first])
            over = float(days[end]) if end < len(days) else None
            relation = draw_relation(rng, cause if name == "LYM" else "LYMPHODEPLETION", onset, with_clls52)
            found.append(
                AdverseEvent(
                    term, system, "CYTOPENIA", onset, over, worst, relation, improved=over, expected=True
                )
            )
    return found


def _grades(values: np.ndarray, third: float, fourth: float) -> np.ndarray:
    """Grade 4, 3, or 0 for anything milder."""
    return np.where(values < fourth, 4, np.where(values < third, 3, 0))


def _episodes(low: np.ndarray) -> list[tuple[int, int]]:
    """Begin and end (exclusive) of the runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], low, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def event_bumps(events: list[AdverseEvent]) -> tuple[Bump, ...]:
    """Return what CRS, infections and liver events do to chemistry."""
    bumps = []
    for event in events:
        end = event.end if event.end is not None else event.onset + 10.0
        middle = event.onset + 0.4 * (end - event.onset)

        def rise(
            name: str, height: float, event: AdverseEvent = event, end: float = end, at: float = middle
        ) -> Bump:
            return Bump(name, event.onset - 0.3, at, at, end + 2.0, height)

        if event.category == "CRS":
            bumps += [rise("CRP", 45.0 * event.grade), rise("FERRITIN", 1500.0 * event.grade)]
        elif event.term == "Febrile neutropenia" or (event.category == "INFECTION" and event.grade >= 3):
            bumps.append(rise("CRP", 90.0))
        elif event.term == "Alanine aminotransferase increased":
            bumps.append(rise("ALT", 45.0))
    return tuple(bumps)
