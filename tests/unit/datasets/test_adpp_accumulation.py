"""Accumulation of CLLS52 by hand: administrations of 2 h at 0, 24 and 48 h, linear trapezoids."""

import pytest

from escalon.datasets import build_adam, build_sdtm
from tests.unit.datasets.cases import Builder, make_state, study, treated

# Hour and value; the samples at 23.5 and 47.5 h are pre-dose samples.
COURSE = {3: 1.2, 23.5: 0.6, 27: 1.8, 47.5: 1.0, 51: 2.4, 72: 1.2, 120: 0.8}


def ratios(course: dict[float, float | None], builder: Builder | None = None) -> dict[str, dict]:
    plan = study()
    linear = plan.pharmacokinetics.model_copy(update={"method": "linear"})
    plan = plan.model_copy(update={"pharmacokinetics": linear})
    builder = builder or treated("001")
    for hour, value in course.items():
        builder.sample("CLLS52", hour / 24 - 5, value, blq=value is None)
    state = make_state(builder.built())
    rows = build_adam(build_sdtm(state, plan), state, plan)["ADPP"].iter_rows(named=True)
    return {row["PARAMCD"]: row for row in rows if row["PARAMCD"] in ("ARAUC", "ARCMAX")}


def test_area_and_peak_of_the_last_interval_over_those_of_the_first():
    found = ratios(COURSE)
    first = 3 * 1.2 / 2 + 20.5 * (1.2 + 0.6) / 2 + 0.5 * 0.6
    last = 3 * (1.0 + 2.4) / 2 + 21 * (2.4 + 1.2) / 2
    # Times are kept to the second: relative 1e-5 of an hour's area.
    assert found["ARAUC"]["AVAL"] == pytest.approx(last / first, rel=1e-5)
    assert found["ARCMAX"]["AVAL"] == pytest.approx(2.4 / 1.2)
    assert (found["ARAUC"]["PPSTINT"], found["ARAUC"]["PPENINT"], found["ARAUC"]["AVALU"]) == (
        "PT48H", "PT72H", None,
    )  # fmt: skip
    assert "1 h before a dose" in found["ARAUC"]["PPANMETH"]


@pytest.mark.parametrize(
    ("left_out", "reason"),
    [
        ((3,), "no sample between the first infusion and its trough"),
        ((51,), "no sample between the last infusion and its trough"),
        ((23.5,), "no sample within 1 h before administration 2"),
        ((47.5,), "no sample within 1 h before administration 3"),
        ((72, 120), "no sample after the last dosing interval: it is not covered"),
    ],
)
def test_an_interval_the_samples_do_not_show_is_a_reason(left_out, reason):
    found = ratios({hour: value for hour, value in COURSE.items() if hour not in left_out})
    assert {row["REASON"] for row in found.values()} == {reason}
    assert {row["AVAL"] for row in found.values()} == {None}


def test_doses_that_differ_and_a_single_dose_are_reasons():
    fewer = Builder("001").screening()
    for day, amount in ((-5, 20.0), (-4, 20.0), (-3, 10.0)):
        fewer.dose("CLLS52", day, amount, "mg")
    found = ratios(COURSE, fewer.infusion_given())
    assert {row["REASON"] for row in found.values()} == {"the first and the last dose differ"}
    one = Builder("001").screening().dose("CLLS52", -5, 20.0, "mg").infusion_given()
    assert {row["REASON"] for row in ratios(COURSE, one).values()} == {"one administration"}
