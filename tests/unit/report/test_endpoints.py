import json

import polars as pl
import pytest

from escalon.analysis.response import proportion
from escalon.report.endpoints import build_endpoints


@pytest.fixture(scope="module")
def endpoints(adam, state, folder):
    return build_endpoints(adam, state, folder.study)


def test_the_registered_keys_are_there(endpoints):
    keys = {"mtd_level", "rp2d_level", "n_treated", "n_dlt_evaluable", "n_dlt", "orr_by_visit"}
    keys |= {"dor", "pfs", "os", "clls52", "ae"}
    assert keys <= set(endpoints)
    assert {"cmax", "auc"} <= set(endpoints["clls52"])
    events = {"n_patients_any", "n_patients_serious", "related_ucart22", "related_lymphodepletion"}
    assert events <= set(endpoints["ae"])


def test_eleven_visits_each_once(endpoints):
    visits = [row["visit"] for row in endpoints["orr_by_visit"]]
    assert visits == ["D28", "D56", "D84", "M3", "M6", "M9", "M12", "M15", "M18", "M21", "M24"]


def test_plain_json_without_nan(endpoints):
    text = json.dumps(endpoints, allow_nan=False, sort_keys=True)
    assert json.loads(text) == endpoints


def test_numbers_agree_with_state_and_frames(endpoints, adam, state):
    infused = adam["ADSL"].filter(pl.col("SAFFL") == "Y")
    assert endpoints["n_treated"] == infused.height
    assert endpoints["n_dlt_evaluable"] == infused["DLTSTAT"].is_in(["DLT", "NO_DLT"]).sum()
    assert endpoints["n_dlt"] == (infused["DLTSTAT"] == "DLT").sum()
    assert endpoints["escalation"]["n_dlt"] == sum(state.mtd.y)
    assert [level["n_dlt_evaluable"] for level in endpoints["escalation"]["by_level"]] == list(state.mtd.n)
    assert (endpoints["mtd_level"], endpoints["mtd_label"]) == (3, "DL2i")


def test_rates_have_exact_intervals(endpoints):
    for row in endpoints["orr_by_visit"]:
        exact = proportion(row["responders"], row["n"])
        assert (row["rate"], row["low"], row["high"]) == (exact.value, exact.low, exact.high)
        assert row["to_date"]["responders"] >= row["responders"]


def test_response_to_date_never_falls(endpoints):
    to_date = [row["to_date"]["responders"] for row in endpoints["orr_by_visit"]]
    assert to_date == sorted(to_date)
    assert to_date[-1] == endpoints["best_response"]["orr"]["responders"]


def test_units_are_printed_with_exposure(endpoints, adam):
    own = adam["ADPP"].filter((pl.col("ANALYTE") == "CLLS52") & (pl.col("PARAMCD") == "CMAX"))
    cmax = endpoints["clls52"]["cmax"]
    assert (cmax["unit"], cmax["n"], cmax["min"]) == ("ug/mL", own.height, own["AVAL"].min())
    assert cmax["median"] == pytest.approx(own["AVAL"].median(), rel=1e-12)


def test_the_same_input_gives_the_same_answer(endpoints, adam, state, folder):
    shuffled = {name: frame.sample(fraction=1.0, shuffle=True, seed=3) for name, frame in adam.items()}
    assert build_endpoints(shuffled, state, folder.study) == endpoints
