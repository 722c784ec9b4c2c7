import math

import polars as pl
import pytest

from escalon.datasets import build_adam, build_sdtm
from escalon.datasets.adam.adpp import _six_digits
from tests.unit.datasets.cases import Builder, make_state, moment, study, treated


def derive(builder, rules=None):
    state, plan = make_state(builder.built()), rules or study()
    return build_adam(build_sdtm(state, plan), state, plan)


def parameters(frame: pl.DataFrame, analyte: str = "CLLS52") -> dict[str, dict]:
    return {row["PARAMCD"]: row for row in frame.filter(ANALYTE=analyte).iter_rows(named=True)}


def test_times_count_from_the_own_product(adam):
    own = adam["ADPC"].filter(SUBJID="001")
    drug = own.filter(PARAMCD="CLLS52").sort("ADTM")
    assert drug["ARRLT"][0] == 0.0
    assert drug["ARRLT"].to_list()[1] == pytest.approx(2.4)
    assert drug["NFRLT"].to_list()[-1] == pytest.approx(61 * 24)
    assert drug["ARDY"].to_list()[0] == pytest.approx(-5.0)
    cells = own.filter(PARAMCD="UCART22").sort("ADTM")
    assert cells["ARRLT"].to_list()[:2] == pytest.approx([24.0, 72.0])


def test_values_below_quantification_have_no_number(adam):
    own = adam["ADPC"].filter(SUBJID="001", PARAMCD="CLLS52").sort("ADTM")
    assert own["BLQFL"].to_list() == ["Y"] + ["N"] * 7 + ["Y", "Y"]
    assert own.filter(BLQFL="Y")["AVAL"].null_count() == 3
    assert set(own["LLOQ"]) == {0.05}
    missing = adam["ADPC"].filter(SUBJID="005", PCTPT="Day 14")
    assert missing.select("AVAL", "AVALC", "BLQFL", "ANL01FL").rows() == [(None, None, None, "N")]


def test_second_sample_of_one_moment_is_not_used():
    frame = derive(treated("001").sample("CLLS52", 0, 1.5).sample("CLLS52", 0, 9.9))["ADPC"]
    assert frame.sort("SRCSEQ").select("AVAL", "ANL01FL").rows() == [(1.5, "Y"), (9.9, "N")]


def test_parameters_by_hand():
    # Linear trapezoids on 0, 24, 48, 72 h: triangle, then two trapezoids; infusions of 2 h each day.
    plan = study()
    rules = plan.model_copy(
        update={"pharmacokinetics": plan.pharmacokinetics.model_copy(update={"method": "linear"})}
    )
    builder = treated("001")
    for day, value in ((-5, 0.0), (-4, 1.0), (-3, 2.0), (-2, 0.5)):
        builder.sample("CLLS52", day, value or None, blq=not value)
    found = parameters(derive(builder, rules)["ADPP"])
    assert (found["CMAX"]["AVAL"], found["CMAX"]["AVALU"]) == (2.0, "ug/mL")
    assert (found["TMAX"]["AVAL"], found["TMAX"]["AVALU"]) == (48.0, "h")
    assert found["AUCLST"]["AVAL"] == pytest.approx(12.0 + 36.0 + 30.0)
    assert found["CLST"]["AVAL"] == 0.5
    # Above 0.16 from 3.84 h on, to the last sample.
    assert found["TAT"]["AVAL"] == pytest.approx(72.0 - 0.16 * 24)
    assert found["LAMZ"]["AVAL"] is None
    assert found["LAMZ"]["AVALC"] == "NC"
    assert found["LAMZ"]["REASON"]
    assert found["CDAY0"]["REASON"] == "no sample within 12 h of the infusion"


def test_printed_values_have_six_significant_digits_and_no_power_of_ten(adam):
    for value, text in adam["ADPP"].drop_nulls("AVAL").select("AVAL", "AVALC").iter_rows():
        assert float(text) == float(f"{value:.6g}")
        assert "e" not in text
        assert len(text.lstrip("-0.").replace(".", "").rstrip("0")) <= 6
    texts = [_six_digits(x) for x in (1234567.0, 0.000012345678, 2 / 3, 20.0, 1.5e9)]
    assert texts == ["1234570", "0.0000123457", "0.666667", "20", "1500000000"]


def test_partial_areas_end_on_days_after_the_infusion(adam):
    found = parameters(adam["ADPP"].filter(SUBJID="001"))
    assert (found["AUC0_28"]["PPSTINT"], found["AUC0_28"]["PPENINT"]) == ("PT0H", f"PT{(28 + 5) * 24}H")
    assert found["AUC0_56"]["PPENINT"] == f"PT{(56 + 5) * 24}H"
    assert found["AUC0_28"]["AVAL"] == pytest.approx(found["AUCLST"]["AVAL"])
    assert "lin-up log-down" in found["AUCLST"]["PPANMETH"]


def test_day_zero_concentration_and_the_source_of_the_peak(sdtm, adam):
    found = parameters(adam["ADPP"].filter(SUBJID="001"))
    assert (found["CDAY0"]["AVAL"], found["CDAY0"]["AVALU"]) == (1.1, "ug/mL")
    for code in ("CMAX", "CLST", "CDAY0"):
        source = sdtm["PC"].filter(USUBJID="BALLI-01-01-001", PCSEQ=found[code]["SRCSEQ"])
        assert source["PCSTRESN"].to_list() == [found[code]["AVAL"]]


def test_day_zero_below_quantification_says_so():
    found = parameters(
        derive(treated("001").sample("CLLS52", -3, 1.0).sample("CLLS52", 0.1, None, blq=True))["ADPP"]
    )
    assert (found["CDAY0"]["AVAL"], found["CDAY0"]["AVALC"]) == (None, "BLQ")


def test_a_patient_never_infused_has_parameters_but_no_day_of_the_infusion():
    builder = Builder("001", infused=False).screening().lymphodepletion()
    for day, value in ((-4.9, 1.0), (-3.9, 2.0), (-2.9, 3.0), (-1, 1.0)):
        builder.sample("CLLS52", day, value)
    found = parameters(derive(builder)["ADPP"])
    assert found["CMAX"]["AVAL"] == 3.0
    assert found["AUC0_28"]["REASON"] == "not infused: the day is not defined"
    assert found["CDAY0"]["AVALC"] == "NC"


def test_all_below_quantification_is_not_calculated():
    found = parameters(derive(treated("001").sample("CLLS52", -4, None, blq=True))["ADPP"])
    assert {row["AVALC"] for row in found.values()} == {"NC"}
    assert all(row["REASON"] for row in found.values())


def test_an_infusion_without_length_is_a_reason_not_a_crash():
    builder = treated("001").sample("CLLS52", -3, 1.0)
    known = {"EXTRT": "CLLS52", "EXDOSE": 20.0, "EXPDOSE": 20.0, "EXDOSU": "mg", "EXROUTE": "INTRAVENOUS"}
    builder.add("EX", "LD", EXSTDTC=moment(-2), EXENDTC=moment(-2), **known)
    found = parameters(derive(builder)["ADPP"])
    assert {row["REASON"] for row in found.values()} == {
        "an infusion has no length: its end is not after its start"
    }


def test_clearance_uses_the_whole_dose(adam):
    found = parameters(adam["ADPP"].filter(SUBJID="001"))
    assert found["CLO"]["AVAL"] == pytest.approx(60.0 / found["AUCIFO"]["AVAL"])
    assert found["CLO"]["AVALU"] == "L/h"
    assert found["LAMZHL"]["AVAL"] == pytest.approx(math.log(2) / found["LAMZ"]["AVAL"])


def test_cells_peak_and_persistence(adam):
    found = parameters(adam["ADPP"].filter(SUBJID="001"), "UCART22")
    assert (found["CMAX"]["AVAL"], found["TMAX"]["AVAL"], found["TMAX"]["AVALU"]) == (20000.0, 10.0, "day")
    assert (found["PERSDAYS"]["AVAL"], found["PERSDAYS"]["REASON"]) == (42.0, None)
    assert found["TLST"]["AVAL"] == 28.0
    never = parameters(adam["ADPP"].filter(SUBJID="005"), "UCART22")
    assert (never["PERSDAYS"]["AVAL"], never["PERSDAYS"]["REASON"]) == (None, "never quantifiable")
    assert never["CMAX"]["AVALU"] == "copies/ug DNA"
    still = derive(treated("001").sample("UCART22", 7, 900.0).sample("UCART22", 28, 90.0))["ADPP"]
    assert parameters(still, "UCART22")["PERSDAYS"]["REASON"].startswith("censored")


def test_day_zero_takes_the_nearest_sample():
    builder = (
        treated("001").sample("CLLS52", -0.3, 1.3).sample("CLLS52", 0.05, 1.1).sample("CLLS52", 0.4, 0.9)
    )
    assert parameters(derive(builder)["ADPP"])["CDAY0"]["AVAL"] == 1.1
