"""Further infusions as rows and as words: what the committee, the board and the sites read beside the first window."""

from dataclasses import dataclass
from datetime import datetime

from escalon.conduct.exposure_record import propose_exposure, window_days
from escalon.conduct.slots.exposures import further_given
from escalon.conduct.slots.state import Exposure
from escalon.conduct.slots.windows import Window, exposure_window
from escalon.conduct.state import State
from escalon.protocol import StudyFolder


@dataclass(frozen=True, slots=True)
class ExposureRow:
    """A further infusion with its window.

    Attributes:
        exposure, window: see there.
        window_days: length of the window.
        proposal: what the criteria say now, in words.
        counts: whether a DLT in this window is, or would be, in the escalation counts.
    """

    exposure: Exposure
    window: Window
    window_days: int
    proposal: str
    counts: bool

    @property
    def text(self) -> str:
        """The row in one line: ``003, infusion 2, level 1: running (pending), day 5, window of 28 days; ...``."""
        one, window = self.exposure, self.window
        counted = "in the escalation counts" if self.counts else "outside the escalation counts"
        candidate = ", a DLT is proposed" if window.candidate else ""
        return (
            f"{one.patient}, infusion {one.exposure}, level {one.dose_level}: {window.state} ({window.evaluability}), "
            f"day {window.day}, window of {self.window_days} days{candidate}; {counted}"
        )


def exposure_rows(
    state: State, folder: StudyFolder, at: datetime, *, part: str | None = None, cohort: int | None = None
) -> tuple[ExposureRow, ...]:
    """Return the further infusions given, of one part or cohort if one is named, in the order of approval."""
    rules = folder.conduct.slots.redosing
    asked = rules is not None and rules.count_dlts
    rows = []
    for one in further_given(state):
        patient = state.patients[one.patient]
        if part not in (None, patient.part) or cohort not in (None, patient.cohort):
            continue
        counts = patient.part == "escalation" and (asked if one.judged is None else one.judged.counts)
        window = exposure_window(state, one, folder, at)
        proposal = propose_exposure(state, one, folder, at).text
        rows.append(ExposureRow(one, window, window_days(one, folder), proposal, counts))
    return tuple(rows)
