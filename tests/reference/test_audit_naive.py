"""The flags of the audit trail agree with those of a second implementation on random histories."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from escalon.conduct.act import Event
from escalon.conduct.capture.events import CasebookLocked, CasebookUnlocked
from escalon.conduct.events import DltAdjudicated, DltStatus, FormRecorded
from escalon.conduct.oversight.trail import Line, Trail
from escalon.conduct.people.events import SignatureGiven
from escalon.protocol.conduct.oversight import OversightRules
from tests.reference.audit_naive import naive_flags

START = datetime(2024, 1, 1, tzinfo=UTC)
KINDS = ("form", "form", "form", "adjudication", "signature", "lock", "other")
steps = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.sampled_from(["001", "002"]),
        st.sampled_from(["AE-1", "AE-2", "casebook"]),
        st.sampled_from([0.0, 0.5, 1.0, 3.0, 5.0]),
        st.sampled_from([None, "2023-12", "2023-12-25", "2024-01-01", "2024-01-03T06:00:00+00:00"]),
    ),
    max_size=30,
)
cut_days = st.lists(st.sampled_from([0.0, 2.0, 3.0, 7.5, 12.0]), max_size=3)


def history(drawn: list[tuple[str, str, str, float, str | None]]) -> tuple[list[dict[str, Any]], list[Event]]:
    """The same history for both: plain lines, and events."""
    lines: list[dict[str, Any]] = []
    events: list[Event] = []
    versions: dict[tuple[str, str], int] = {}
    at = START
    for seq, (what, patient, on, days, happened) in enumerate(drawn, start=1):
        at += timedelta(days=days)
        record = "AE-1" if on == "casebook" else on
        line: dict[str, Any] = {"seq": seq, "at": at, "what": what, "patient": patient}
        if what == "form":
            version = versions[patient, record] = versions.get((patient, record), 0) + 1
            line |= {"record": record, "version": version, "happened": happened}
            values = {"AESTDTC": happened, "NUMBER": seq}
            events.append(FormRecorded(patient, "AE", record, version, None, values, None))
        elif what == "adjudication":
            events.append(DltAdjudicated(patient, DltStatus.NO_DLT, None, "seen", ""))
        elif what == "signature":
            line |= {"on": on}
            ref = f"casebook:{patient}" if on == "casebook" else f"form:{patient}:{on}"
            events.append(SignatureGiven(seq, ref, "p", "P", "investigator", "reviewed", "a" * 64))
        elif what == "lock":
            events.append(CasebookLocked(patient, "a" * 64, "over"))
        else:
            events.append(CasebookUnlocked(patient, "again"))
        lines.append(line)
    return lines, events


@given(steps, cut_days, st.sampled_from([0.0, 1.0, 3.0]), st.sampled_from([0.0, 2.0, 10.0]))
def test_flags_agree(
    drawn: list[tuple[str, str, str, float, str | None]], cuts: list[float], near: float, late: float
) -> None:
    lines, events = history(drawn)
    moments = [START + timedelta(days=days) for days in cuts]
    rules = OversightRules(near_cut_days=near, late_entry_days=late)
    trail = Trail(rules, {"AE": "AESTDTC"}, moments)
    expected = naive_flags(lines, moments, near, late)
    for line, event, flags in zip(lines, events, expected, strict=True):
        rows = list(trail.rows(Line(line["seq"], line["at"], "p", "coordinator", event)))
        assert rows
        assert all(set(row.flags) == flags for row in rows), (line, rows[0].flags, flags)
        assert all(row.patient == line["patient"] for row in rows)
