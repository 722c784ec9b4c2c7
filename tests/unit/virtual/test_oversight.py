"""Who reviews the trail of the virtual trial; whole reviews are tested in tests/integration/test_virtual_trial.py."""

import pytest

from escalon.conduct.oversight.commands import RecordAuditReview
from escalon.conduct.oversight.topic import ALLOWED
from escalon.protocol.conduct.oversight import AuditReviewDefinition, AuditSelection
from escalon.protocol.conduct.people import Role
from escalon.virtual.clerk import VirtualRunError
from escalon.virtual.oversight import REVIEWERS, reviewer_of


def definition(*roles: Role) -> AuditReviewDefinition:
    return AuditReviewDefinition(id="mine", title="Mine", select=AuditSelection(), roles=roles)


def test_every_role_that_may_review_has_somebody_who_holds_it() -> None:
    assert set(REVIEWERS) == set(ALLOWED[RecordAuditReview])
    assert all(person.role == role for role, person in REVIEWERS.items())


def test_the_first_role_that_may_sign_reviews() -> None:
    assert reviewer_of(definition("monitor", "medical_monitor", "sponsor")).role == "medical_monitor"
    with pytest.raises(
        VirtualRunError, match="mine: nobody signs as monitor; reviews are signed as data_man"
    ):
        reviewer_of(definition("monitor"))
