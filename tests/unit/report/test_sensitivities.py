"""Groupings, intervals and comparisons beside the main tables agree with plain counts and known values."""

import pytest
from scipy.stats import beta

from escalon.protocol.pk_choices import PkChoice, PkChoices
from escalon.report.ard import Cells
from escalon.report.results import derive_ard
from escalon.report.results.groups import ALL_INFUSED
from escalon.report.tables.efficacy import render_intervals, render_level_comparison
from escalon.report.tables.escalation import render_dlt
from escalon.report.tables.exposure import render_choices, render_parameters
from escalon.report.tables.safety import render_groupings


@pytest.fixture(scope="module")
def ard(adam, state, folder):
    return derive_ard(adam, state, folder.study)


@pytest.mark.parametrize("column", ["LDREGI", "PROCESS"])
def test_events_by_regimen_and_process_are_those_of_the_patients_in_it(ard, adam, folder, column):
    people = {row["USUBJID"]: row for row in adam["ADSL"].iter_rows(named=True) if row["SAFFL"] == "Y"}
    events = [e for e in adam["ADAE"].iter_rows(named=True) if e["TRTEMFL"] == "Y" and e["USUBJID"] in people]
    cells = Cells(ard, f"ae_overview_inf_{column}")
    groups = sorted({row[column] for row in people.values()})
    assert cells.groups == [*groups, "Total"]
    for group in groups:
        size = sum(row[column] == group for row in people.values())
        serious = {
            e["USUBJID"] for e in events if e["ANYSER"] == "Y" and people[e["USUBJID"]][column] == group
        }
        assert cells.get("N", group, "serious", "Serious adverse event") == size
        assert cells.get("n", group, "serious", "Serious adverse event") == len(serious)
    grading = folder.study.grading.model_copy(update={"ctcae": "6.0", "crs": "Lee 2014"})
    shown = render_groupings(ard, grading)
    assert all(f"{group} (N = " in shown for group in groups)
    assert "CTCAE 6.0; CRS by Lee 2014" in shown
    assert "CTCAE 5.0" not in shown


def test_posterior_of_the_dlt_rate_is_beta_of_the_counts(ard, folder):
    cells = Cells(ard, "dlt escalation")
    y, n = cells.get("n", "DL2i", "DLT"), cells.get("N", "DL2i", "DLT")
    expected = beta(1 + y, 1 + n - y)
    assert cells.get("posterior mean", "DL2i", "DLT") == pytest.approx(expected.mean(), rel=1e-12)
    # Two routines invert the same incomplete beta function.
    assert cells.get("posterior low", "DL2i", "DLT") == pytest.approx(expected.ppf(0.025), rel=1e-9)
    assert cells.get("posterior high", "DL2i", "DLT") == pytest.approx(expected.ppf(0.975), rel=1e-9)
    assert f"{100 * (1 + y) / (2 + n):.1f} (" in render_dlt(ard, folder.study)


def test_wilson_and_jeffreys_stand_beside_the_exact_interval(ard, folder):
    cells = Cells(ard, "response")
    x, n = cells.get("n", ALL_INFUSED, "best rate", "ORR"), cells.get("N", ALL_INFUSED, "best rate", "ORR")
    z, p = 1.959963984540054, x / n
    half = z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    low = (p + z * z / (2 * n) - half) / (1 + z * z / n)
    assert cells.get("wilson low", ALL_INFUSED, "best rate", "ORR") == pytest.approx(low, rel=1e-9)
    jeffreys = beta(x + 0.5, n - x + 0.5).ppf(0.975)
    assert cells.get("jeffreys high", ALL_INFUSED, "best rate", "ORR") == pytest.approx(jeffreys, rel=1e-9)
    shown = render_intervals(ard, folder.study)
    assert f"{100 * low:.1f}, " in shown
    assert shown.count("Day 28") == 4


def test_dose_levels_are_compared_in_order_and_with_the_caveat(ard, adam, folder):
    cells = Cells(ard, "level comparison")
    infused = adam["ADSL"].filter(SAFFL="Y")
    for label in ("DL1", "DL2i"):
        assert cells.get("N", label, "OS") == infused.filter(TRT01A=label).height
        mean = cells.get("mean", label, "OS", "6")
        assert mean is None or 0 < mean <= 6
    assert cells.get("df", "Total", "OS") == infused["TRT01A"].n_unique() - 1
    shown = render_level_comparison(ard, folder.study)
    assert "not at random" in shown
    last = shown[shown.index("Overall survival") :]
    assert last.index("DL1") < last.index("DL2i") < last.index("DL3")


def test_a_missing_parameter_says_why(ard):
    shown = render_parameters(ard, "CLLS52", "t", "c", [])
    assert "Fewer than 3 points (1)" in shown


def test_choices_of_a_person_are_printed_and_their_absence_is_told():
    one = PkChoice(
        patient="003", analyte="CLLS52", use="slope", hours=(288, 456.02, 792), reason="<late> samples",
        user="A. Pharmacologist", decided_at="2026-11-20T09:00Z",
    )  # fmt: skip
    shown = render_choices(PkChoices(choices=(one,)))
    for said in (
        "003",
        "terminal slope",
        "288, 456.02, 792",
        "&lt;late&gt; samples",
        "A. Pharmacologist",
        "20 Nov 2026",
    ):
        assert said in shown
    assert "every profile follows the rules" in render_choices(PkChoices())
