"""Further infusions in a data cut and in the packet: shown beside the first ones, apart from the counts.

A ledger of a release that did not keep the record of a further infusion had cuts and packets without them; so that
their hashes are found again, such infusions are left out.
"""

from datetime import datetime
from typing import Any

from escalon.conduct.canonical import utc_text
from escalon.conduct.events import DltStatus
from escalon.conduct.slots.exposure_rows import ExposureRow, exposure_rows
from escalon.conduct.slots.exposures import further_given
from escalon.conduct.slots.state import Exposure
from escalon.conduct.state import Patient, State
from escalon.protocol import StudyFolder


def further_content(state: State, patient: Patient) -> dict[str, Any]:
    """Return what a cut holds of the further infusions of a patient; nothing for a patient without any."""
    rows = [_content(one) for one in further_given(state) if one.patient == patient.patient and one.record]
    return {"further_infusions": rows} if rows else {}


def _content(one: Exposure) -> dict[str, Any]:
    judged = one.judged
    return {
        "exposure": one.exposure,
        "dose_level": one.dose_level,
        "infused_at": None if one.infused_at is None else utc_text(one.infused_at),
        "dose_fraction": one.dose_fraction,
        "cells_given": one.cells_given,
        "lot": one.lot,
        "dlt": None if judged is None else [judged.status.value, judged.clause, judged.reason, judged.counts],
        "reopened": one.reopened,
    }


def further_infusions(state: State, folder: StudyFolder, part: str, at: datetime) -> list[dict[str, Any]]:
    """Return the rows of the packet: every further infusion of ``part`` with its window as of ``at`` (UTC)."""
    return [_row(row) for row in exposure_rows(state, folder, at, part=part) if row.exposure.record]


def _row(row: ExposureRow) -> dict[str, Any]:
    judged = row.exposure.judged
    open_again = judged is None or bool(row.exposure.reopened)
    return {
        "patient": row.exposure.patient,
        **_content(row.exposure),
        "window": row.window.state.value,
        "evaluability": row.window.evaluability.value,
        "day": row.window.day,
        "window_days": row.window_days,
        "reasons": list(row.window.reasons),
        "candidate": row.window.candidate,
        "proposal": row.proposal,
        "dlt_status": DltStatus.PENDING.value if open_again or judged is None else judged.status.value,
        "dlt_clause": None if judged is None else judged.clause,
        "counts": row.counts,
    }
