"""How the virtual committee names the RP2D. A platform assumption: real committees weigh the same evidence."""

from escalon.conduct.evidence import LevelEvidence, level_evidence
from escalon.conduct.state import State
from escalon.protocol import StudyFolder

MINIMUM_PATIENTS = 6


def choose_rp2d(state: State, folder: StudyFolder) -> tuple[int | None, str]:
    """Return a level not above the MTD and the reason; None when there is no MTD.

    The level with the best observed response rate among those with at least six evaluable patients; of
    equal rates the lower level, because the cells have no reason to be given at a higher dose for nothing.
    When no level has so many, the MTD.
    """
    mtd = state.mtd.dose_level if state.mtd else None
    if mtd is None:
        return None, "No level is tolerable by the escalation rule; no dose is recommended for phase 2"
    rows = [row for row in level_evidence(state, folder) if row.level <= mtd and row.n >= MINIMUM_PATIENTS]
    if not rows:
        return mtd, f"Too few patients to compare levels; the MTD (level {mtd}) is recommended"
    best = max(rows, key=lambda row: (row.response_rate, -row.level))
    return best.level, (
        f"{_words(folder, best)}; highest response rate among levels 1 to {mtd} "
        f"with at least {MINIMUM_PATIENTS} evaluable patients; MTD is level {mtd}"
    )


def _words(folder: StudyFolder, row: LevelEvidence) -> str:
    label = folder.study.dose_level(row.level).label
    return (
        f"{label}: {row.responders} responders among {row.infused} infused, {row.y} DLTs in {row.n} evaluable"
    )
