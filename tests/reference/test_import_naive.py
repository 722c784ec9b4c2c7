"""Files of any kind are staged and reconciled as the second implementation does it; nothing is half written."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalon.conduct.act import Refused, Signed
from escalon.conduct.capture import commands as cap
from escalon.conduct.capture import events as ev
from escalon.conduct.capture.import_plan import compare, plan_import
from tests.act import COORDINATOR, Desk, enrol, opened
from tests.import_study import LONG_HEAD, import_study
from tests.reference.import_naive import reconcile

GOOD = st.tuples(
    st.just("001"),
    st.just("ZZ"),
    st.sampled_from(["S1", "S2", "S3"]),
    st.just("D28"),
    st.just("2020-01-07"),
    st.one_of(
        st.tuples(st.just("HB"), st.just(""), st.sampled_from(["9.1", "8", "not done", ""]), st.just("g/dl")),
        st.tuples(st.just("TBIL"), st.just(""), st.sampled_from(["2", "0.7"]), st.sampled_from(["mg/dl", "umol"])),
        st.tuples(st.just("CELLS"), st.just(""), st.sampled_from(["3", "0"]), st.sampled_from(["/ul", "G/l"])),
        st.tuples(st.just("DRUG"), st.sampled_from("123"), st.sampled_from("AB"), st.just("")),
        st.tuples(st.just("DAYS"), st.sampled_from("12"), st.sampled_from(["3", "30", ""]), st.just("")),
    ),
)  # fmt: skip
ANY = st.tuples(
    st.sampled_from(["001", "001", "009", ""]),
    st.sampled_from(["ZZ", "ZZ", "VS"]),
    st.sampled_from(["S1", "S4", ""]),
    st.sampled_from(["D28", "", "D99"]),
    st.sampled_from(["2020-01-07", "2020-02-30", ""]),
    st.tuples(
        st.sampled_from(["HB", "TBIL", "CELLS", "DRUG", "DAYS", "XX", ""]),
        st.sampled_from(["", "1", "2", "4"]),
        st.sampled_from(["9.1", "0.0125", "4", "many", "not done", "", "99999999"]),
        st.sampled_from(["g/dl", "/ul", "G/l", "umol", "mmol", ""]),
    ),
)
BROKEN = st.sampled_from(["001,ZZ,S1", ",,,,,,,,", "", "001,ZZ,S1,D28,2020-01-07,HB,,9,g/l,more"])


def line(row: tuple[str, str, str, str, str, tuple[str, str, str, str]]) -> str:
    return ",".join((*row[:5], *row[5]))


FILES = st.one_of(
    st.lists(
        GOOD.map(line), min_size=1, max_size=8, unique_by=lambda r: (r.split(",")[2], *r.split(",")[5:7])
    ),
    st.lists(st.one_of(GOOD.map(line), GOOD.map(line), ANY.map(line), BROKEN), max_size=8),
).map(lambda rows: LONG_HEAD + "".join(f"{row}\n" for row in rows))


@pytest.fixture(scope="module")
def start() -> Desk:
    desk = opened(import_study())
    enrol(desk, "001")
    return desk


@settings(max_examples=300)
@given(FILES)
def test_a_file_is_staged_and_reconciled_as_the_second_implementation_does(start: Desk, text: str) -> None:
    naive = reconcile(text, {"001"}, {visit.id for visit in start.folder.study.visits})
    rules = next(one for one in start.folder.conduct.capture.imports if one.id == "z-long")
    desk = Desk(start.folder)
    desk.state, desk.now = start.state, start.now
    command = cap.StageImport("f.csv", "z-long", text)
    plan = plan_import(desk.state, Signed(command, COORDINATOR, desk.now), desk.folder, rules, text, "")
    assert (plan.counts.lines, plan.accepted, plan.refused) == (
        naive["rows"],
        naive["accepted"],
        naive["refused"],
    )
    before = desk.state
    staged = desk.send(COORDINATOR, command)
    whole = naive["rows"] > 0 and naive["refused"] == 0
    assert isinstance(staged, Refused) is not whole
    if isinstance(staged, Refused):
        assert desk.state is before
        return
    assert isinstance(staged[0], ev.ImportStaged)
    assert staged[0].checksum == naive["checksum"]
    desk.must(COORDINATOR, cap.ApplyImport(1, text))
    records = desk.state.patients["001"].records
    assert {("001", name.removeprefix("ZZ-")): record.entered for name, record in records.items()} == naive[
        "records"
    ]
    assert compare(desk.state, desk.folder, rules, text).differing == ()
