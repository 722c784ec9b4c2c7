"""Everything unpleasant that happens to a patient: the dose-limiting event, if any, and all the others.

Events that are not the dose-limiting one never meet a clause of the DLT definition: grade 3 caused by
UCART22 improves in time, grade 4 cytopenias recover before Day 42, deaths are after Day 28.
"""

from dataclasses import replace

from escalon.protocol.scenarios import BackgroundEvent, VirtualPatientAssumptions
from escalon.virtual.adverse_events import AdverseEvent, draw_relation
from escalon.virtual.cell_kinetics import CellCourse
from escalon.virtual.components import crs_components, gvhd_components, icans_components
from escalon.virtual.dose_limiting import IMMUNE, NERVOUS
from escalon.virtual.laboratory import Bump, LabCourse
from escalon.virtual.leukemia import change_odds, correlated_uniform
from escalon.virtual.streams import Streams, pick_grade, uniform

LIVER = "Alanine aminotransferase increased"


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
                reported=source.reported,
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
        serious=grade >= 2,
        components=crs_components(rng, grade),
    )
    if grade >= 2:
        event = replace(event, milder=(1, crs_components(rng, 1)), worst_at=onset + 0.1 + 0.3 * rng.random())
    if grade == 2 and rng.random() < crs.recorded_lower:
        event = replace(event, recorded=1)
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


def with_liver_tests(events: list[AdverseEvent], lab: LabCourse) -> list[AdverseEvent]:
    """Give each liver event the result the site takes because of it, at its height."""
    return [
        replace(event, tests=(("ALT", _height(event), round(float(lab.values("ALT", _height(event))[0]))),))
        if event.term == LIVER
        else event
        for event in events
    ]


def _height(event: AdverseEvent) -> float:
    end = event.end if event.end is not None else event.onset + 10.0
    return event.onset + (1.0 if event.dlt else 0.4 * (end - event.onset))


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
        elif event.term == LIVER and not event.dlt:
            bumps.append(rise("ALT", 45.0))
    return tuple(bumps)
