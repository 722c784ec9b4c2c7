"""Choices of a person in a profile, from the study folder to ADPP."""

import math

import pytest

from escalon.datasets import build_adam, build_sdtm
from escalon.protocol.pk_choices import PkChoice, PkChoices
from tests.unit.datasets.cases import edge_state, study

MADE = {
    "reason": "last points at the limit",
    "user": "A. Pharmacologist",
    "decided_at": "2026-11-20T09:00+01:00",
}


def choice(use: str, *hours: float, patient: str = "001", analyte: str = "CLLS52") -> PkChoice:
    return PkChoice(patient=patient, analyte=analyte, use=use, hours=hours, **MADE)


def adpp(*choices: PkChoice) -> dict[tuple[str, str], dict]:
    state = edge_state()
    frame = build_adam(build_sdtm(state, study()), state, study(), PkChoices(choices=choices))["ADPP"]
    return {(row["ANALYTE"], row["PARAMCD"]): row for row in frame.filter(SUBJID="001").iter_rows(named=True)}


def test_a_chosen_slope_is_fitted_and_told():
    # Samples on days 0, 7 and 14 after the infusion, 120 h after the first dose: 1.1, 0.5, 0.2.
    row = adpp(choice("slope", 120, 288, 456))["CLLS52", "LAMZ"]
    # Equal steps of 168 h: the slope is the difference of the outer logs over twice the step.
    assert row["AVAL"] == pytest.approx(math.log(1.1 / 0.2) / 336, rel=1e-12)
    assert row["CHOICE"] == "terminal slope on 120, 288, 456 h (last points at the limit)"
    assert (row["CHOICEBY"], row["CHOICEDT"]) == ("A. Pharmacologist", "2026-11-20T08:00:00Z")


def test_a_sample_taken_out_no_longer_counts_and_the_other_analyte_is_untouched():
    before, after = adpp(), adpp(choice("exclude", 50.4))
    assert (before["CLLS52", "CMAX"]["AVAL"], after["CLLS52", "CMAX"]["AVAL"]) == (2.6, 2.1)
    assert before["CLLS52", "CMAX"]["CHOICE"] is None
    assert after["CLLS52", "CMAX"]["CHOICE"] == "taken out: 50.4 h (last points at the limit)"
    assert after["UCART22", "CMAX"] == before["UCART22", "CMAX"]


def test_cells_can_lose_a_sample_and_day_zero_its_own():
    found = adpp(choice("exclude", 240, analyte="UCART22"), choice("exclude", 120))
    assert found["UCART22", "CMAX"]["AVAL"] == 9000.0
    assert found["CLLS52", "CDAY0"]["REASON"] == "no sample within 12 h of the infusion"


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (choice("exclude", 51), "choices.0: BALLI-01-01-001 has no CLLS52 sample at 51 h; the nearest is at 50.40 h"),
        (choice("exclude", 0, patient="099"), "choices.0: patient 099 has no CLLS52 profile"),
        (choice("slope", 288, 456, 1128), "the sample at 1128.00 h is below quantification"),
        (
            choice("exclude", 0, 2.4, 26.4, 50.4, 120, 288, 456, 792, 1128, 1464),
            "every CLLS52 sample of the patient is excluded",
        ),
    ],
)  # fmt: skip
def test_a_choice_that_fits_no_sample_is_an_error_that_names_it(made, said):
    with pytest.raises(ValueError, match=r"^pk_choices\.yaml: ") as error:
        adpp(made)
    assert said in str(error.value)
