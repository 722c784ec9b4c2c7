"""Event and censoring rules.

The worked examples of the reference study, day 0 = infusion, lymphodepletion from day -5.
"""

from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalon.analysis.survival import BALLI_ANALYSES, Analysis, Rule, VisitWindow, cumulative_incidence
from escalon.analysis.survival import derive_time_to_event as derive
from escalon.analysis.survival.rules import KINDS

START = [("ORIGIN_TREATMENT", -5), ("ORIGIN_INFUSION", 0)]


def frame(patients):
    rows = [(p, k, d) for p, facts in patients.items() for k, d in facts]
    return pl.DataFrame(rows, schema={"USUBJID": pl.String, "KIND": pl.String, "ADT": pl.Int64}, orient="row")


def outcome(facts, paramcd, analyses=BALLI_ANALYSES):
    out = derive(frame({"1": [*START, *facts]}), analyses)
    row = out.filter(pl.col("PARAMCD") == paramcd).row(0, named=True)
    return row["AVAL"], row["CNSR"], row["RULE"]


CR28 = [("ASSESSMENT", 28), ("RESPONSE", 28)]
RELAPSE84 = [*CR28, ("ASSESSMENT", 56), ("PROGRESSION", 84)]
HSCT70 = [*CR28, ("ASSESSMENT", 56), ("HSCT", 70), ("ASSESSMENT", 150), ("PROGRESSION", 200)]
MISSED = [*CR28, ("DEATH", 100)]


@pytest.mark.parametrize(
    ("facts", "paramcd", "expected"),
    [
        (RELAPSE84, "DOR", (56, 0, "PD")),
        (RELAPSE84, "PFS", (89, 0, "PD")),
        (RELAPSE84, "PFSINF", (84, 0, "PD")),
        (HSCT70, "DOR", (28, 2, "HSCT")),
        (HSCT70, "DORSENS", (172, 0, "PD")),
        (HSCT70, "DORCOMP", (42, 0, "HSCT_EVENT")),
        (MISSED, "DOR", (0, 4, "MISSED")),
        (MISSED, "DORSENS", (72, 0, "DEATH")),
        ([("LAST_ALIVE", 40)], "PFS", (0, 5, "NOASSESS")),
        ([("LAST_ALIVE", 40)], "OSINF", (40, 1, "ALIVE")),
        ([("LAST_ALIVE", 40)], "OS", (45, 1, "ALIVE")),
        ([("DEATH", 20)], "PFSINF", (20, 0, "DEATH")),
        ([("DEATH", 20)], "PFS", (25, 0, "DEATH")),
        ([("DEATH", 20)], "OS", (25, 0, "DEATH")),
        # Further corners.
        ([*CR28, ("ASSESSMENT", 200)], "PFS", (205, 1, "ADEQUATE")),
        ([*CR28, ("NEW_THERAPY", 40), ("PROGRESSION", 50)], "PFS", (33, 3, "NEWTX")),
        ([*CR28, ("NEW_THERAPY", 50), ("PROGRESSION", 50)], "PFS", (55, 0, "PD")),
        ([("NEW_THERAPY", 10)], "PFS", (0, 3, "NEWTX")),
        ([*CR28, ("HSCT", 60), ("NEW_THERAPY", 70)], "DOR", (0, 2, "HSCT")),
        ([*CR28, ("HSCT", 60), ("DEATH", 300)], "OS", (305, 0, "DEATH")),
        ([*CR28, ("PROGRESSION", 60), ("DEATH", 60)], "PFS", (65, 0, "PD")),
        ([("LAST_ALIVE", 800), ("ASSESSMENT", 790)], "PFS", (730, 6, "HORIZON")),
        ([("LAST_ALIVE", 725)], "OS", (730, 1, "ALIVE")),
        ([("LAST_ALIVE", 726)], "OS", (730, 6, "HORIZON")),
        ([], "OS", (0, 1, "ALIVE")),
    ],
)
def test_worked_examples(facts, paramcd, expected):
    assert outcome(facts, paramcd) == expected


@pytest.mark.parametrize(
    ("death", "rule"),
    [
        (87, "DEATH"),  # the window of day 84 is open to day 87: one visit missed
        (88, "MISSED"),
        (60, "DEATH"),
        (20, "DEATH"),
    ],
)
def test_a_visit_is_missed_when_its_window_has_closed(death, rule):
    assert outcome([("ASSESSMENT", 28), ("DEATH", death)], "PFSINF")[2] == rule


def test_an_assessment_after_the_gap_ends_it():
    assert outcome([("ASSESSMENT", 28), ("ASSESSMENT", 110), ("DEATH", 120)], "PFSINF") == (120, 0, "DEATH")


def test_missed_visits_count_from_the_start_when_nobody_ever_assessed():
    assert outcome([("DEATH", 100)], "PFSINF") == (0, 4, "MISSED")


def test_options_of_an_analysis():
    pfs = BALLI_ANALYSES[0]
    assert outcome(RELAPSE84, "PFS", [replace(pfs, plus_one=True)]) == (90, 0, "PD")
    assert outcome(RELAPSE84, "PFS", [replace(pfs, needs_baseline=True)]) == (0, 5, "NOBASE")
    assert outcome([("BASELINE", -7), *RELAPSE84], "PFS", [replace(pfs, needs_baseline=True)]) == (
        89,
        0,
        "PD",
    )
    windows = (VisitWindow("Week 5", 35, 1, 1), VisitWindow("Week 6", 42, 1, 1))
    assert outcome(RELAPSE84, "PFS", [replace(pfs, visits=windows, missed=1)]) == (89, 0, "PD")
    second = Analysis("DORINF2", "x", "RESPONSE", ("PD",), ("INF2",))
    assert outcome([*CR28, ("SECOND_INFUSION", 60)], "DORINF2", [second]) == (0, 7, "INF2")


def test_the_sentence_names_dates_rule_and_source():
    day = date(2024, 3, 1)
    records = pl.DataFrame(
        {
            "USUBJID": ["003"] * 4,
            "KIND": ["ORIGIN_TREATMENT", "ASSESSMENT", "HSCT", "PROGRESSION"],
            "ADT": [day, day + timedelta(28), day + timedelta(60), day + timedelta(90)],
            "SRCDOM": ["EX", "RS", "PR", "RS"],
            "SRCVAR": ["EXSTDTC", "RSDTC", "PRSTDTC", "RSDTC"],
            "SRCSEQ": [1, 4, 1, 6],
        }
    )
    row = derive(records, BALLI_ANALYSES[:1]).row(0, named=True)
    assert row["SENTENCE"] == (
        "003: PFS censored on 2024-03-29, 28 days after the start on 2024-03-01: last adequate assessment before the "
        "allogeneic transplant in remission on 2024-04-30 (rule HSCT; source RS.RSDTC RSSEQ 4)"
    )
    assert (row["SRCDOM"], row["SRCSEQ"], row["ADT"], row["CNSR"]) == ("RS", 4, day + timedelta(28), 2)
    assert (row["EVNTDESC"], row["CNSDTDSC"]) == (
        "Allogeneic transplant in remission",
        "Last adequate assessment before the transplant",
    )


def test_who_has_no_origin_is_said_not_dropped():
    row = derive(frame({"1": START}), BALLI_ANALYSES, patients=["1", "2"]).filter(
        (pl.col("PARAMCD") == "DOR") & (pl.col("USUBJID") == "2")
    )
    assert row["SENTENCE"].item() == "2: not in DOR, no RESPONSE record"
    assert row["AVAL"].item() is None


def test_the_rule_is_the_cause_of_a_competing_risk():
    patients = {str(i): [*START, *f] for i, f in enumerate([RELAPSE84, HSCT70, MISSED, CR28])}
    out = derive(frame(patients), [a for a in BALLI_ANALYSES if a.paramcd == "DORCOMP"])
    cause = [r if c == 0 else None for r, c in out.select("RULE", "CNSR").iter_rows()]
    assert cumulative_incidence(out["AVAL"], cause).causes == ("DEATH", "HSCT_EVENT", "PD")


facts = st.lists(
    st.tuples(st.sampled_from([k for k in KINDS if k != "LAST_ALIVE"]), st.integers(0, 900)), max_size=9
)


@given(facts, st.randoms(use_true_random=False), st.integers(-400, 400))
def test_order_and_calendar_do_not_matter(extra, random, shift):
    one = derive(frame({"1": [*START, *extra]}))
    moved = [(k, d + shift) for k, d in [*START, *extra]]
    random.shuffle(moved)
    other = derive(frame({"1": moved}))
    same = ["PARAMCD", "AVAL", "CNSR", "RULE"]
    assert one.select(same).equals(other.select(same))


@given(facts)
def test_sensitivity_never_ends_before_primary_and_horizon_holds(extra):
    out = {r["PARAMCD"]: r for r in derive(frame({"1": [*START, *extra]})).iter_rows(named=True)}
    for row in out.values():
        assert row["AVAL"] is None or 0 <= row["AVAL"] <= 730
    assert out["PFSSENS"]["AVAL"] >= out["PFS"]["AVAL"]
    if out["PFS"]["CNSR"] == 0:
        assert (out["PFSSENS"]["AVAL"], out["PFSSENS"]["CNSR"]) == (out["PFS"]["AVAL"], 0)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: derive(frame({"1": [("DEAD", 1)]})), "KIND holds 'DEAD'"),
        (lambda: derive(frame({"1": START}).drop("ADT")), "lacks ADT"),
        (lambda: derive(frame({"1": [("DEATH", None)]})), "a DEATH record has no date"),
        (lambda: derive(frame({"1": [("DEATH", 5), ("LAST_ALIVE", 6)]})), "LAST_ALIVE lies after DEATH"),
        (
            lambda: derive(frame({"1": START}).with_columns(pl.col("ADT").cast(pl.Float64))),
            "Date or whole days",
        ),
        (lambda: Rule("X", "NOTHING", 1, "own", 1, "x", "y"), "kind 'NOTHING'"),
        (lambda: Rule("X", None, 1, "some day", 1, "x", "y"), "date 'some day'"),
        (lambda: Rule("X", None, 0, "origin", 1, "x"), "an event"),
    ],
)
def test_bad_input(call, text):
    with pytest.raises(ValueError, match=text):
        call()
