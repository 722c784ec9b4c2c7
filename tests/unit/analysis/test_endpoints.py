"""Event and censoring rules.

The worked examples of the reference study, day 0 = infusion, lymphodepletion from day -5.
"""

from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalon.analysis.survival import (
    RULES,
    Analysis,
    Rule,
    VisitWindow,
    choose_rules,
    cumulative_incidence,
    join_windows,
    load_analyses,
)
from escalon.analysis.survival import derive_time_to_event as derive
from escalon.analysis.survival.rules import KINDS

VISITS = (
    VisitWindow("D28", 25, 31), VisitWindow("D56", 49, 63), VisitWindow("D84", 77, 91), VisitWindow("M3", 84, 98),
    VisitWindow("M6", 169, 197), VisitWindow("M24", 717, 745),
)  # fmt: skip
SETTINGS = {"horizon_day": 731, "missed": 2, "visits": VISITS}
ANALYSES = load_analyses(**SETTINGS)
PFS = next(a for a in ANALYSES if a.paramcd == "PFS")
START = [("ORIGIN_TREATMENT", -5), ("ORIGIN_INFUSION", 0)]


def frame(patients):
    rows = [(p, k, d) for p, facts in patients.items() for k, d in facts]
    return pl.DataFrame(rows, schema={"USUBJID": pl.String, "KIND": pl.String, "ADT": pl.Int64}, orient="row")


def outcome(facts, paramcd, analyses=ANALYSES):
    out = derive(frame({"1": [*START, *facts]}), analyses)
    row = out.filter(pl.col("PARAMCD") == paramcd).row(0, named=True)
    return row["AVAL"], row["CNSR"], row["RULEID"]


CR28 = [("ASSESSMENT", 28), ("RESPONSE", 28)]
RELAPSE84 = [*CR28, ("ASSESSMENT", 56), ("PROGRESSION", 84)]
HSCT70 = [*CR28, ("ASSESSMENT", 56), ("HSCT", 70), ("PROGRESSION", 200), ("LAST_ALIVE", 210)]
MISSED = [*CR28, ("DEATH", 100)]
CR56 = [("ASSESSMENT", 28), ("ASSESSMENT", 56), ("RESPONSE", 56), ("PROGRESSION", 118)]
MLFS28 = [*CR56, ("RESPONSE", 28)]


@pytest.mark.parametrize(
    ("facts", "paramcd", "expected"),
    [
        (RELAPSE84, "DOR", (56, 0, "PROGRESSION")),
        (RELAPSE84, "PFS", (89, 0, "PROGRESSION")),
        (RELAPSE84, "PFSI", (84, 0, "PROGRESSION")),
        (MLFS28, "DOR", (90, 0, "PROGRESSION")),
        (CR56, "DOR", (62, 0, "PROGRESSION")),
        (HSCT70, "DOR", (28, 2, "TRANSPLANT")),
        (HSCT70, "DORS", (172, 0, "PROGRESSION")),
        (HSCT70, "DORC", (42, 0, "TRANSPLANT_EVENT")),
        (HSCT70, "OS", (215, 1, "LAST_ALIVE")),
        (MISSED, "DOR", (0, 4, "MISSED_VISITS")),
        (MISSED, "DORS", (72, 0, "DEATH")),
        ([("LAST_ALIVE", 40)], "PFS", (0, 6, "NOT_ASSESSED")),
        ([("LAST_ALIVE", 40)], "OSI", (40, 1, "LAST_ALIVE")),
        ([("LAST_ALIVE", 40)], "OS", (45, 1, "LAST_ALIVE")),
        ([("DEATH", 20)], "PFSI", (20, 0, "DEATH")),
        ([("DEATH", 20)], "PFS", (25, 0, "DEATH")),
        ([("DEATH", 20)], "OS", (25, 0, "DEATH")),
        # Further corners.
        ([*CR28, ("ASSESSMENT", 200)], "PFS", (205, 1, "LAST_ASSESSMENT")),
        ([*CR28, ("NEW_THERAPY", 40), ("PROGRESSION", 50)], "PFS", (33, 3, "NEW_THERAPY")),
        ([*CR28, ("NEW_THERAPY", 50), ("PROGRESSION", 50)], "PFS", (55, 0, "PROGRESSION")),
        ([("NEW_THERAPY", 10)], "PFS", (0, 3, "NEW_THERAPY")),
        ([*CR28, ("HSCT", 60), ("NEW_THERAPY", 70)], "DOR", (0, 2, "TRANSPLANT")),
        ([*CR28, ("HSCT", 60), ("NEW_THERAPY", 60)], "DOR", (0, 2, "TRANSPLANT")),
        ([*CR28, ("HSCT", 60), ("DEATH", 300)], "OS", (305, 0, "DEATH")),
        ([*CR28, ("PROGRESSION", 60), ("DEATH", 60)], "PFS", (65, 0, "PROGRESSION")),
        ([], "OS", (0, 1, "LAST_ALIVE")),
    ],
)
def test_worked_examples(facts, paramcd, expected):
    assert outcome(facts, paramcd) == expected


@pytest.mark.parametrize(
    ("facts", "paramcd", "expected"),
    [
        # The time frame ends on day 731 after the infusion whatever the origin: day 736 of treatment.
        ([("LAST_ALIVE", 731)], "OS", (736, 1, "LAST_ALIVE")),
        ([("LAST_ALIVE", 732)], "OS", (736, 5, "HORIZON")),
        ([("LAST_ALIVE", 732)], "OSI", (731, 5, "HORIZON")),
        ([("DEATH", 731)], "OS", (736, 0, "DEATH")),
        ([("DEATH", 732)], "OS", (736, 5, "HORIZON")),
        ([*CR28, ("DEATH", 800)], "DORS", (703, 5, "HORIZON")),
        ([*CR28, ("ASSESSMENT", 790)], "DOR", (703, 5, "HORIZON")),
        # Death after the frame, but the follow-up had broken inside it.
        ([*CR28, ("DEATH", 800)], "DOR", (0, 4, "MISSED_VISITS")),
        # A gap that only breaks after the frame, on day 745, and a therapy after it are not seen.
        ([("ASSESSMENT", 100), ("DEATH", 746)], "PFSI", (731, 5, "HORIZON")),
        ([("ASSESSMENT", 720), ("HSCT", 750)], "PFSI", (720, 1, "LAST_ASSESSMENT")),
        ([("ASSESSMENT", 720), ("HSCT", 731)], "PFSI", (720, 2, "TRANSPLANT")),
        ([("ASSESSMENT", 720), ("HSCT", 732)], "PFSI", (720, 1, "LAST_ASSESSMENT")),
        # A response first seen after the frame.
        ([("ASSESSMENT", 735), ("RESPONSE", 735), ("PROGRESSION", 745)], "DOR", (0, 5, "HORIZON")),
        ([("ASSESSMENT", 735), ("RESPONSE", 735)], "DOR", (0, 1, "LAST_ASSESSMENT")),
    ],
)
def test_time_frame(facts, paramcd, expected):
    assert outcome(facts, paramcd) == expected


@pytest.mark.parametrize(
    ("death", "rule"),
    [
        (98, "DEATH"),  # day 84 and month 3 are one visit, open to day 98
        (99, "MISSED_VISITS"),
        (63, "DEATH"),
        (20, "DEATH"),
    ],
)
def test_a_visit_is_missed_when_its_window_has_closed(death, rule):
    assert outcome([("ASSESSMENT", 28), ("DEATH", death)], "PFSI")[2] == rule


@pytest.mark.parametrize(("day", "rule"), [(48, "MISSED_VISITS"), (49, "DEATH"), (63, "DEATH")])
def test_an_assessment_on_the_first_day_of_a_window_attends_the_visit(day, rule):
    assert outcome([("ASSESSMENT", day), ("DEATH", 99)], "PFSI")[2] == rule


def test_overlapping_windows_are_one_visit():
    joined = join_windows(reversed(VISITS))
    assert [(v.name, v.opens, v.closes) for v in joined[:3]] == [
        ("D28", 25, 31),
        ("D56", 49, 63),
        ("D84/M3", 77, 98),
    ]
    assert join_windows([VisitWindow("A", 1, 3), VisitWindow("B", 4, 6)]) == (
        VisitWindow("A", 1, 3),
        VisitWindow("B", 4, 6),
    )
    inside = [VisitWindow("A", 1, 9), VisitWindow("B", 2, 3), VisitWindow("C", 9, 10)]
    assert join_windows(inside) == (VisitWindow("A/B/C", 1, 10),)


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (("ASSESSMENT", 110), (120, 0, "DEATH")),
        (("ASSESSMENT", 120), (120, 0, "DEATH")),  # adequate on the day of death: no gap
        (("PROGRESSION", 120), (28, 4, "MISSED_VISITS")),  # what finds the progression does not close it
        (("ASSESSMENT", 121), (28, 4, "MISSED_VISITS")),
    ],
)
def test_an_assessment_after_the_gap_ends_it(last, expected):
    assert outcome([("ASSESSMENT", 28), last, ("DEATH", 120)], "PFSI") == expected


@pytest.mark.parametrize(("transplant", "cnsr"), [(64, 2), (98, 2), (99, 4), (120, 4)])
def test_a_gap_counts_from_the_day_it_breaks_the_follow_up(transplant, cnsr):
    # The second missed visit, D84/M3, closes on day 98.
    assert outcome([("ASSESSMENT", 28), ("HSCT", transplant), ("DEATH", 130)], "PFSI")[:2] == (28, cnsr)


def test_missed_visits_count_from_the_start_when_nobody_ever_assessed():
    assert outcome([("DEATH", 100)], "PFSI") == (0, 4, "MISSED_VISITS")


def test_without_infusion_no_visit_is_missed_and_the_frame_starts_at_treatment():
    def row(day):
        out = derive(frame({"1": [("ORIGIN_TREATMENT", -5), ("DEATH", day)]}), [PFS])
        return out.select("AVAL", "CNSR").row(0)

    assert row(500) == (505, 0)
    assert row(726) == (731, 0)
    assert row(727) == (731, 5)


def test_options_of_an_analysis():
    assert outcome(RELAPSE84, "PFS", [replace(PFS, plus_one=True)]) == (90, 0, "PROGRESSION")
    based = replace(PFS, rules=choose_rules("NO_BASELINE", "PROGRESSION", "DEATH", "LAST_ASSESSMENT"))
    assert outcome(RELAPSE84, "PFS", [based]) == (0, 7, "NO_BASELINE")
    assert outcome([("BASELINE", -7), *RELAPSE84], "PFS", [based]) == (89, 0, "PROGRESSION")
    windows = (VisitWindow("Week 5", 34, 36), VisitWindow("Week 6", 41, 43))
    assert outcome(RELAPSE84, "PFS", [replace(PFS, visits=windows, missed=1)]) == (89, 0, "PROGRESSION")
    rules = choose_rules("PROGRESSION", "SECOND_INFUSION", "LAST_ASSESSMENT")
    second = Analysis("DORT", "x", "RESPONSE", rules)
    assert outcome([*CR28, ("SECOND_INFUSION", 60)], "DORT", [second]) == (0, 8, "SECOND_INFUSION")
    assert outcome([*CR28, ("ASSESSMENT", 2000)], "DORT", [second]) == (1972, 1, "LAST_ASSESSMENT")


def test_settings_of_a_study():
    off = load_analyses(**SETTINGS, switched_off=["TRANSPLANT"])
    seen = [*HSCT70, ("ASSESSMENT", 150)]
    assert outcome(seen, "DOR", off) == (172, 0, "PROGRESSION")
    assert outcome(seen, "DOR") == (28, 2, "TRANSPLANT")
    later = [*CR28, ("HSCT", 60), ("NEW_THERAPY", 70), ("DEATH", 75)]
    assert outcome(later, "PFS", off) == (33, 3, "NEW_THERAPY")
    from_infusion = load_analyses(**SETTINGS, origin="ORIGIN_INFUSION")
    assert outcome(RELAPSE84, "PFS", from_infusion) == outcome(RELAPSE84, "PFSI", from_infusion)


def test_one_code_has_one_meaning():
    codes = {}
    for rule in RULES.values():
        codes.setdefault(rule.cnsr, []).append(rule.rule_id)
    shared = {code: ids for code, ids in codes.items() if len(ids) > 1}
    assert shared == {
        0: ["PROGRESSION", "DEATH", "TRANSPLANT_EVENT"],
        1: ["LAST_ASSESSMENT", "LAST_ALIVE"],
    }


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
    row = derive(records, [PFS]).row(0, named=True)
    assert row["SENTENCE"] == (
        "PFS censored on 2024-03-29, 28 days from 2024-03-01: last adequate assessment before allogeneic transplant "
        "on 2024-04-30 (TRANSPLANT, RS.RSDTC RSSEQ 4)"
    )
    assert (row["SRCDOM"], row["SRCSEQ"], row["ADT"], row["CNSR"]) == ("RS", 4, day + timedelta(28), 2)
    assert (row["EVNTDESC"], row["CNSDTDSC"]) == (
        "Allogeneic transplant",
        "Last adequate assessment before the transplant",
    )


@pytest.mark.parametrize(
    ("facts", "paramcd", "because"),
    [
        (RELAPSE84, "PFSI", "PFSI event on day 84, 84 days from day 0: progression or relapse (PROGRESSION)"),
        (
            MISSED,
            "DOR",
            "last adequate assessment before 2 missed visits from D56 on and death from any cause on day 100",
        ),
        ([("DEATH", 100)], "PFS", "no adequate assessment before 3 missed visits from D28 on and death"),
        ([("LAST_ALIVE", 800)], "OS", "end of the time frame, followed to day 800 (HORIZON)"),
        ([("DEATH", 800)], "OS", "end of the time frame, death from any cause only on day 800 (HORIZON)"),
        ([("LAST_ALIVE", 40)], "PFS", "never assessed after the origin (NOT_ASSESSED)"),
        ([("LAST_ALIVE", 40)], "OS", "alive at the data cut (LAST_ALIVE)"),
    ],
)
def test_the_sentence_says_why(facts, paramcd, because):
    out = derive(frame({"1": [*START, *facts]}), ANALYSES).filter(PARAMCD=paramcd)
    assert because in out["SENTENCE"].item()


def test_who_has_no_origin_is_said_not_dropped():
    row = derive(frame({"1": START}), ANALYSES, patients=["1", "2"]).filter(
        (pl.col("PARAMCD") == "DOR") & (pl.col("USUBJID") == "2")
    )
    assert row["SENTENCE"].item() == "not in DOR: no RESPONSE record"
    assert row["AVAL"].item() is None


def test_the_rule_is_the_cause_of_a_competing_risk():
    patients = {str(i): [*START, *f] for i, f in enumerate([RELAPSE84, HSCT70, MISSED, CR28])}
    out = derive(frame(patients), [a for a in ANALYSES if a.paramcd == "DORC"])
    cause = [r if c == 0 else None for r, c in out.select("RULEID", "CNSR").iter_rows()]
    causes = ("DEATH", "PROGRESSION", "TRANSPLANT_EVENT")
    assert cumulative_incidence(out["AVAL"], cause).causes == causes


facts = st.lists(
    st.tuples(st.sampled_from([k for k in KINDS if k != "LAST_ALIVE"]), st.integers(0, 900)), max_size=9
)


@given(facts, st.randoms(use_true_random=False), st.integers(-400, 400))
def test_order_and_calendar_do_not_matter(extra, random, shift):
    one = derive(frame({"1": [*START, *extra]}), ANALYSES)
    moved = [(k, d + shift) for k, d in [*START, *extra]]
    random.shuffle(moved)
    other = derive(frame({"1": moved}), ANALYSES)
    same = ["PARAMCD", "AVAL", "CNSR", "RULEID"]
    assert one.select(same).equals(other.select(same))


@given(facts)
def test_sensitivity_never_ends_before_primary_and_the_time_frame_holds(extra):
    out = {r["PARAMCD"]: r for r in derive(frame({"1": [*START, *extra]}), ANALYSES).iter_rows(named=True)}
    for code, row in out.items():
        assert row["AVAL"] is None or 0 <= row["AVAL"] <= 736
        assert code.startswith("DOR") or row["ADT"] <= 731
        assert len(row["SENTENCE"]) <= 200
    assert out["PFSS"]["AVAL"] >= out["PFS"]["AVAL"]
    if out["PFS"]["CNSR"] == 0:
        assert (out["PFSS"]["AVAL"], out["PFSS"]["CNSR"]) == (out["PFS"]["AVAL"], 0)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: derive(frame({"1": [("DEAD", 1)]}), ANALYSES), "KIND holds 'DEAD'"),
        (lambda: derive(frame({"1": START}).drop("ADT"), ANALYSES), "lacks ADT"),
        (lambda: derive(frame({"1": [("DEATH", None)]}), ANALYSES), "a DEATH record has no date"),
        (
            lambda: derive(frame({"1": [("DEATH", 5), ("LAST_ALIVE", 6)]}), ANALYSES),
            "LAST_ALIVE lies after DEATH",
        ),
        (
            lambda: derive(frame({"1": START}).with_columns(pl.col("ADT").cast(pl.Float64)), ANALYSES),
            "Date or whole days",
        ),
        (lambda: Rule("X", "NOTHING", "last adequate", 1, "x", "y"), "when 'NOTHING'"),
        (lambda: Rule("X", "otherwise", "some day", 1, "x", "y"), "date 'some day'"),
        (lambda: Rule("X", "otherwise", "start", 0, "x"), "an event"),
        (lambda: Rule("X", "HSCT", "own", 0, "x", "y"), "an event"),
        (lambda: Rule("X", "HSCT", "own", 2, "x"), "a censoring"),
        (lambda: choose_rules("DEATH", "DYING"), "rule 'DYING' is not one of"),
        (lambda: load_analyses(switched_off=["HSCT"]), "rule 'HSCT' is not one of"),
        (lambda: load_analyses(origin="study"), "origin 'study' is not one of"),
        (
            lambda: Analysis("X", "x", "RESPONSE", choose_rules("DEATH")),
            "holds otherwise, and it is the last",
        ),
        (
            lambda: Analysis("X", "x", "RESPONSE", choose_rules("LAST_ALIVE", "LAST_ASSESSMENT")),
            "exactly one rule holds otherwise",
        ),
        (lambda: VisitWindow("D28", 31, 25), "visit D28: the window closes on day 25"),
    ],
)
def test_bad_input(call, text):
    with pytest.raises(ValueError, match=text):
        call()


def test_a_visit_with_an_unreadable_marrow_is_not_missed():
    unreadable = [("INADEQUATE", 28), ("INADEQUATE", 56), ("PROGRESSION", 87)]
    assert outcome(unreadable, "PFS") == (92, 0, "PROGRESSION")
    assert outcome([("PROGRESSION", 87)], "PFS")[1] != 0
