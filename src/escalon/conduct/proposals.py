"""What the criteria propose about a patient of a state, with the sponsor's view of every assessed case."""

from datetime import datetime

from escalon.conduct.dlt_record import DltProposal, assess_dlt
from escalon.conduct.opinions import sponsor_views
from escalon.conduct.state import State
from escalon.protocol import StudyFolder


def propose_dlt(state: State, patient: str, folder: StudyFolder, at: datetime) -> DltProposal:
    """Return what the study's DLT definition says about ``patient`` on what ``state`` holds, as of ``at`` (UTC)."""
    return assess_dlt(state.patients[patient], folder, at, sponsor_views(state, patient))
