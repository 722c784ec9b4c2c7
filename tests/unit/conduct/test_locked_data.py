"""No sequence of acts changes a locked casebook or a frozen record, whoever sends them in whatever order."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalon.conduct import commands as c
from escalon.conduct.act import Refused
from escalon.conduct.capture import commands as cap
from escalon.conduct.people.commands import GiveSignature
from escalon.conduct.people.signatures import casebook_content, content_hash
from escalon.protocol import StudyFolder
from tests.act import COORDINATOR, CRA, DATA_MANAGER, INVESTIGATOR, MONITOR, SPONSOR, Desk, enrol, opened

ACTORS = st.sampled_from([COORDINATOR, INVESTIGATOR, CRA, DATA_MANAGER, MONITOR, SPONSOR])
RECORDS = st.sampled_from(["VS-1", "VS-2", "VS-3"])
WORDS = st.sampled_from(["because", ""])
COMMANDS: st.SearchStrategy[Any] = st.one_of(
    st.tuples(st.just("record"), RECORDS, st.integers(60, 62)),
    st.builds(cap.OpenQuery, st.just("001"), RECORDS, st.sampled_from(["", "WEIGHT"]), WORDS),
    st.builds(cap.AnswerQuery, st.just("001"), st.integers(1, 4), WORDS),
    st.builds(cap.CloseQuery, st.just("001"), st.integers(1, 4), WORDS),
    st.builds(cap.ReopenQuery, st.just("001"), st.integers(1, 4), WORDS),
    st.builds(cap.VerifySource, st.just("001"), RECORDS),
    st.builds(cap.ConfirmCritical, st.just("001"), RECORDS),
    st.builds(cap.FreezeRecords, st.just("001"), st.sampled_from([(), ("VS-1",)]), WORDS),
    st.builds(cap.UnfreezeRecords, st.just("001"), st.sampled_from([(), ("VS-1",)]), WORDS),
    st.builds(cap.LockCasebook, st.just("001"), WORDS),
    st.builds(cap.UnlockCasebook, st.just("001"), WORDS),
    st.just("sign"),
)


@pytest.fixture(scope="module")
def starts(balli: StudyFolder) -> dict[str, Desk]:
    """A patient with two records: as they are, frozen, and locked."""
    found = {}
    for name in ("open", "frozen", "locked"):
        desk = found[name] = opened(balli)
        enrol(desk, "001")
        for record in ("VS-1", "VS-2"):
            desk.must(COORDINATOR, command(desk, ("record", record, 60)))
        if name == "frozen":
            desk.must(CRA, cap.FreezeRecords("001", (), "interim"))
        if name == "locked":
            desk.must(INVESTIGATOR, command(desk, "sign"))
            desk.must(DATA_MANAGER, cap.LockCasebook("001", "over"))
    return found


def command(desk: Desk, drawn: Any) -> c.Command:
    if drawn == "sign":
        digest = content_hash(casebook_content(desk.state, "001"))
        return GiveSignature("casebook:001", "responsibility", digest)
    if isinstance(drawn, tuple):
        values = {"VSDTC": desk.now.isoformat(), "WEIGHT": drawn[2]}
        return c.RecordForm("001", "VS", drawn[1], values, reason="because")
    found: c.Command = drawn
    return found


@settings(max_examples=60)
@given(st.sampled_from(["open", "frozen", "locked"]), st.lists(st.tuples(ACTORS, COMMANDS), max_size=25))
def test_closed_data_stay_as_they_are(
    starts: dict[str, Desk], name: str, acts: list[tuple[c.Actor, Any]]
) -> None:
    start = starts[name]
    desk = Desk(start.folder)
    desk.state, desk.now = start.state, start.now
    for actor, drawn in acts:
        before = desk.state
        capture, records = before.capture, before.patients["001"].records
        outcome = desk.send(actor, command(desk, drawn))
        after = desk.state.patients["001"].records
        if "001" in capture.locked:
            assert after == records
            assert desk.state.capture.queries == capture.queries
        for name in capture.frozen.get("001", ()):
            assert after[name] == records[name]
        changed = after != records
        assert not changed or actor.role in ("coordinator", "investigator")
        if isinstance(outcome, Refused):
            assert desk.state is before
            assert outcome.rule
            assert outcome.reason
        if "001" in desk.state.capture.locked and "001" not in capture.locked:
            assert actor is DATA_MANAGER
            assert all(query.status == "CLOSED" for query in capture.queries)
