"""Results against counts made again with plain loops."""

import math

import numpy as np
import polars as pl
import pytest

from escalon.report.ard import SCHEMA, Cells, Rows, combine
from escalon.report.results import derive_ard
from escalon.report.results.escalation import isotonic_fit
from escalon.report.results.groups import ALL_INFUSED, EXPANSION, pooled_group
from escalon.report.results.survival import derive_curves


@pytest.fixture(scope="module")
def ard(adam, state, folder):
    return derive_ard(adam, state, folder.study)


def patients(adam):
    return {row["USUBJID"]: row for row in adam["ADSL"].iter_rows(named=True)}


def test_results_are_long_with_one_statistic_per_row(ard):
    assert ard.columns == list(SCHEMA)
    keys = ["analysis", "group1_level", "group2_level", "variable", "variable_level", "stat_name"]
    assert not ard.select(keys).is_duplicated().any()


def test_missing_statistics_carry_their_reason_and_others_none(ard):
    assert ard.filter(pl.col("stat").is_null())["reason"].null_count() == 0
    assert ard.filter(pl.col("stat").is_not_null())["reason"].count() == 0
    assert not ard["stat"].drop_nulls().is_nan().any()


def test_dlt_counts(ard, state):
    cells = Cells(ard, "dlt escalation")
    seats = [p for p in state.patients.values() if p.part == "escalation" and p.infused_at]
    for level, label in enumerate(("DL1", "DL2", "DL2i", "DL3"), start=1):
        own = [p.dlt_status for p in seats if p.dose_level == level]
        assert cells.get("treated", label, "DLT") == len(own)
        assert cells.get("n", label, "DLT") == own.count("DLT")
        assert cells.get("N", label, "DLT") == own.count("DLT") + own.count("NO_DLT")
    assert cells.get("not evaluable", "DL2i", "DLT") == 1


@pytest.mark.parametrize(
    ("view", "population", "emergent"), [("ld", "LDFL", "LDEMFL"), ("inf", "SAFFL", "TRTEMFL")]
)
def test_overview_counts_patients_once(ard, adam, view, population, emergent):
    cells, people = Cells(ard, f"ae_overview_{view}"), patients(adam)
    events = [e for e in adam["ADAE"].iter_rows(named=True) if e[emergent] == "Y"]
    events = [e for e in events if people[e["USUBJID"]][population] == "Y"]
    rules = {
        "any": lambda e: True,
        "grade3": lambda e: e["ATOXGRN"] >= 3,
        "serious": lambda e: e["ANYSER"] == "Y",
        "related_ucart22": lambda e: e["RELUC"] == "Y",
        "related_lymphodepletion": lambda e: e["RELLD"] == "Y",
        "fatal": lambda e: e["ATOXGRN"] == 5,
    }
    for key, rule in rules.items():
        label = cells.levels(key)[0]
        for group in ("DL2i", "Total"):
            who = {
                e["USUBJID"] for e in events if rule(e) and group in ("Total", people[e["USUBJID"]]["TRT01P"])
            }
            assert cells.get("n", group, key, label) == len(who), (key, group)


def test_terms_count_a_patient_at_the_highest_grade(ard, adam):
    cells = Cells(ard, "ae_terms_ucart22")
    worst = {}
    for event in adam["ADAE"].iter_rows(named=True):
        if event["RELUC"] == "Y" and event["TRTEMFL"] == "Y" and event["SAFFL"] == "Y":
            key = (event["AEBODSYS"], event["AEDECOD"], event["USUBJID"])
            worst[key] = max(worst.get(key, 0), event["ATOXGRN"])
    grades = [g for (s, t, _), g in worst.items() if t == "Cytokine release syndrome"]
    own = ("Total", "Immune system disorders", "Cytokine release syndrome")
    assert cells.get("n", *own) == len(grades)
    assert cells.get("n.grade3+", *own) == sum(g >= 3 for g in grades)
    assert sum(cells.get(f"n.grade{g}", *own) or 0 for g in range(1, 6)) == len(grades)


def test_the_most_frequent_class_comes_first_and_any_event_before_all(ard):
    cells = Cells(ard, "ae_terms")
    assert cells.variables[0] == "Any"
    counts = [cells.get("n", "Total", variable) for variable in cells.variables[1:]]
    assert counts == sorted(counts, reverse=True)


def test_response_by_visit_counts_every_infused_patient(ard, adam, folder):
    cells = Cells(ard, "response")
    infused = {u for u, p in patients(adam).items() if p["SAFFL"] == "Y"}
    rows = [r for r in adam["ADRS"].iter_rows(named=True) if r["PARAMCD"] == "OVRLRESP"]
    ever: set[str] = set()
    for visit in folder.study.response.visits:
        now = {r["USUBJID"] for r in rows if r["AVISIT"] == visit and r["RESPFL"] == "Y"}
        ever |= now
        assert cells.get("n", ALL_INFUSED, "at visit", visit) == len(now)
        assert cells.get("n", ALL_INFUSED, "to date", visit) == len(ever)
        assert cells.get("N", ALL_INFUSED, "at visit", visit) == len(infused)


def test_an_unscheduled_response_counts_to_date_from_its_own_day(adam, state, folder):
    row = adam["ADRS"].filter((pl.col("PARAMCD") == "OVRLRESP") & (pl.col("RESPFL") == "N")).head(1)
    extra = row.with_columns(
        AVISIT=pl.lit("UNSCHEDULED"),
        ARDY=pl.lit(70, row.schema["ARDY"]),
        RESPFL=pl.lit("Y"),
        AVALC=pl.lit("CR"),
    )
    before = Cells(derive_ard(adam, state, folder.study), "response")
    after = Cells(
        derive_ard(adam | {"ADRS": pl.concat([adam["ADRS"], extra])}, state, folder.study), "response"
    )
    gained = [
        (after.get("n", ALL_INFUSED, kind, visit) or 0) - (before.get("n", ALL_INFUSED, kind, visit) or 0)
        for kind in ("at visit", "to date")
        for visit in ("D56", "D84", "M24")
    ]
    assert gained == [0, 0, 0, 0, 1, 1]


def test_the_pooled_group_holds_escalation_and_expansion_patients(ard):
    cells = Cells(ard, "response")
    pooled = pooled_group(cells.groups)
    sizes = {g: cells.get("N", g, "best", "CR") for g in cells.groups}
    assert pooled is not None
    assert sizes[pooled] == sizes["Escalation DL2i"] + sizes[EXPANSION]


def test_survival_medians_are_months(ard, adam):
    cells = Cells(ard, "time to event")
    rows = adam["ADTTE"].filter(pl.col("PARAMCD") == "OS")
    times = sorted(zip(rows["AVAL"], rows["CNSR"], strict=True))
    left, share, median = len(times), 1.0, None
    for days, censored in times:
        share *= 1 - (not censored) / left
        left -= 1
        if share < 0.5 and median is None:
            median = days / 30.4375
    assert cells.get("median", ALL_INFUSED, "OS", "median") == pytest.approx(median, rel=1e-12)
    assert cells.get("events", ALL_INFUSED, "OS") == (rows["CNSR"] == 0).sum()


def test_patients_outside_an_analysis_have_no_time(adam, state, folder):
    empty = adam["ADTTE"].with_columns(AVAL=pl.lit(None, pl.Float64))
    cells = Cells(derive_ard(adam | {"ADTTE": empty}, state, folder.study), "time to event")
    assert cells.get("N", ALL_INFUSED, "PFS") == 0
    assert cells.get("median", ALL_INFUSED, "PFS", "median") is None


def test_parameters_are_summarised_with_their_missing_values(ard, adam):
    own = adam["ADPP"].filter((pl.col("ANALYTE") == "CLLS52") & (pl.col("PARAMCD") == "LAMZHL"))["AVAL"]
    values = [v for v in own if v is not None]
    cells = Cells(
        ard.filter(pl.col("group2_level") == "CLLS52").with_columns(group2_level=None), "parameters"
    )
    assert cells.get("missing", "Total", "LAMZHL") == 1
    geometric = math.exp(sum(map(math.log, values)) / len(values))
    assert cells.get("geo_mean", "Total", "LAMZHL") == pytest.approx(geometric, rel=1e-12)


def test_isotonic_estimates_never_fall_and_skip_levels_without_patients():
    fit = isotonic_fit(np.array([3, 6, 3, 0]), np.array([1, 1, 2, 0]))
    assert fit[3] is None
    weights = [5**2 * 6 / (2 * 3), 8**2 * 9 / (2 * 6)]
    expected = (weights[0] * 2 / 5 + weights[1] * 2 / 8) / sum(weights)
    assert fit[0] == fit[1] == pytest.approx(expected, rel=1e-12)
    assert fit[2] == pytest.approx(3 / 5, rel=1e-12)


def test_curves_start_at_one_and_bands_never_break(adam, state, folder):
    curve, marks, risk = derive_curves(adam, state, folder.study, "PFS", (ALL_INFUSED,), [0, 6])
    assert curve.row(0) == (ALL_INFUSED, 0.0, 1.0, 1.0, 1.0)
    assert curve["low"].null_count() == 0
    assert (curve["low"] <= curve["high"]).all()
    infused = adam["ADSL"].filter(pl.col("SAFFL") == "Y").height
    assert risk["n"].to_list()[0] == infused
    assert marks.height <= infused


def test_an_absent_frame_is_named(adam, state, folder):
    with pytest.raises(ValueError, match="adam lacks ADTTE"):
        derive_ard({k: v for k, v in adam.items() if k != "ADTTE"}, state, folder.study)


def test_rows_turn_nan_into_missing_with_a_reason():
    rows = Rows("x")
    rows.add("v", None, "c", {"p": float("nan"), "n": 3}, "DL1", reason="no patients")
    frame = combine([rows.frame()])
    assert frame["stat"].to_list() == [None, 3.0]
    assert frame["reason"].to_list() == ["no patients", None]


def test_mrd_counts_only_at_an_assessment_in_response(ard, adam):
    rows = [
        r for r in adam["ADRS"].iter_rows(named=True) if r["PARAMCD"] == "OVRLRESP" and r["RESPFL"] == "Y"
    ]
    cells = Cells(ard, "response")
    negative = {r["USUBJID"] for r in rows if r["MRD"] == "NEGATIVE"}
    assert cells.get("n", ALL_INFUSED, "best rate", "MRD") == len(negative)
    assert cells.get("N", ALL_INFUSED, "best rate", "MRD") == len({r["USUBJID"] for r in rows})
