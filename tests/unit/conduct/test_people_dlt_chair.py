"""Who assessed the DLTs is not the only chair of the dose decision that rests on them (AC-3)."""

from dataclasses import replace
from datetime import timedelta

from escalon.conduct import commands as c
from escalon.conduct.act import Actor
from escalon.conduct.people.commands import GrantRole
from escalon.protocol import StudyFolder
from tests import act
from tests.act import ADMINISTRATOR, CHAIR, MEMBER, MONITOR, STATISTICIAN, Desk, observe_cohort, opened

CHAIR_AS_ASSESSOR = Actor(CHAIR.id, CHAIR.name, "medical_monitor")


def recommended(folder: StudyFolder, assessor: Actor) -> tuple[Desk, int]:
    """A cohort whose DLTs ``assessor`` assessed, with an open, voted and signed review."""
    desk = opened(folder)
    until = desk.now + timedelta(days=3000)
    desk.must(ADMINISTRATOR, GrantRole(CHAIR.id, "medical_monitor", "", desk.now, None, until))
    observe_cohort(desk, ["001", "002", "003"])
    patients = {
        name: replace(patient, dlt_adjudicated_by=assessor.id)
        for name, patient in desk.state.patients.items()
    }
    desk.state = replace(desk.state, patients=patients)
    desk.must(STATISTICIAN, c.RequestRecommendation())
    act.sign_casebooks(desk)
    number = act.review(desk)
    act.vote(desk, number, "escalate", 2)
    return desk, number


def test_the_assessor_is_recorded(balli: StudyFolder) -> None:
    desk = opened(balli)
    observe_cohort(desk, ["001", "002", "003"])
    assert {patient.dlt_adjudicated_by for patient in desk.state.patients.values()} == {MONITOR.id}


def test_a_chair_who_assessed_the_dlts_does_not_decide_alone(balli: StudyFolder) -> None:
    desk, number = recommended(balli, CHAIR_AS_ASSESSOR)
    refused = desk.refused(CHAIR, c.DecideDose("escalate", 2, "as voted", number))
    assert refused.rule == "AC-3 dlt-chair"
    assert "another person takes part" in refused.reason


def test_another_assessor_leaves_the_chair_free(balli: StudyFolder) -> None:
    for assessor in (MONITOR, MEMBER):
        desk, number = recommended(balli, assessor)
        desk.must(CHAIR, c.DecideDose("escalate", 2, "as voted", number))
