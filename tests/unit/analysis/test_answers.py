import json

import polars as pl
import pytest

from escalon.analysis.answers import km_answer, nca_answer
from escalon.analysis.pk import nca
from escalon.analysis.survival import kaplan_meier, log_rank

TTE = pl.DataFrame(
    {"T": ["1", "2", "3", "4", "5"], "E": ["1", "0", "1", "true", "FALSE"], "ARM": list("aabbb")}
)


def test_km_answer_is_the_analysis_and_is_json():
    answer = km_answer(TTE, "T", "E", at=[2, 9], horizon=3)
    km = kaplan_meier([1, 2, 3, 4, 5], [True, False, True, True, False])
    only = answer["groups"][0]
    assert only["median"] == km.median.as_dict()
    assert only["curve"]["survival"] == km.survival.tolist()
    assert only["at"][1]["reason"] == "no patient followed as far"
    assert answer["log_rank"] is None
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer


def test_km_answer_by_group():
    answer = km_answer(TTE, "T", "E", group="ARM")
    assert [(g["group"], g["n"], g["events"]) for g in answer["groups"]] == [("a", 2, 1), ("b", 3, 2)]
    test = log_rank([1, 2, 3, 4, 5], [True, False, True, True, False], list("aabbb"))
    assert answer["log_rank"]["chi2"] == test.chi2


def test_km_answer_reads_cnsr():
    frame = TTE.with_columns(E=pl.Series([0.0, 1.0, 0.0, 0.0, 3.0]))
    assert km_answer(frame, "T", "E", cnsr=True)["groups"][0]["events"] == 3


PROFILE = pl.DataFrame(
    {
        "id": ["1"] * 5 + ["2"] * 3,
        "h": [0, 1, 2, 3, 4, 0, 1, 2],
        "c": ["<0.1", "4", "2", "1", "0.5", "BLQ", "", "3"],
    }
)


def test_nca_answer():
    answer = nca_answer(PROFILE, "h", "c", "ug/mL", subject="id", dose=10, method="linear")
    one, two = answer["subjects"]
    expected = nca([0, 1, 2, 3, 4], [0, 4, 2, 1, 0.5], dose=10, method="linear")
    values = {p["code"]: p for p in one["parameters"]}
    assert values["AUCLST"]["value"] == expected.value("AUCLST")
    assert (values["CLFO"]["unit"], values["CMAX"]["unit"]) == ("L/h", "ug/mL")
    assert (two["n_blq"], two["n_missing"]) == (1, 1)
    assert "linear trapezoid" in answer["method"]
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: km_answer(TTE, "T", "X"), "the file lacks X"),
        (lambda: km_answer(TTE.with_columns(E=pl.lit("2")), "T", "E"), "E, row 1: '2' is not 1/0"),
        (
            lambda: km_answer(TTE.with_columns(E=pl.lit("x")), "T", "E", cnsr=True),
            "E, row 1: 'x' is not a CNSR",
        ),
        (lambda: km_answer(TTE.with_columns(T=pl.lit("?")), "T", "E"), "T, row 1: '\\?' is not a number"),
        (lambda: km_answer(TTE.with_columns(ARM=pl.lit(" ")), "T", "E", group="ARM"), "ARM, row 1: no value"),
        (lambda: nca_answer(PROFILE, "h", "c", ""), "concentration without unit"),
        (lambda: nca_answer(PROFILE, "h", "c", "ug/mL"), "the profile all: time\\[5\\] is 0 after 4"),
        (
            lambda: nca_answer(PROFILE.with_columns(c=pl.lit("low")), "h", "c", "ug/mL", "id"),
            "'low' is not a conc",
        ),
    ],
)
def test_bad_files(call, text):
    with pytest.raises(ValueError, match=text):
        call()


def test_choices_reach_their_subject_and_no_rows_are_refused():
    frame = pl.DataFrame({"id": ["a"] * 5, "h": ["0", "2", "4", "8", "12"], "c": ["0", "4", "3", "1", "0.4"]})
    choices = pl.DataFrame({"id": ["a"], "TIME": ["4"], "USE": ["exclude"], "REASON": ["hemolyzed"]})
    answer = nca_answer(frame, "h", "c", "ug/mL", "id", choices=choices)
    assert answer["subjects"][0]["notes"] == ["sample at 4 excluded: hemolyzed"]
    with pytest.raises(ValueError, match="choices name b, who is not in the file"):
        nca_answer(frame, "h", "c", "ug/mL", "id", choices=choices.with_columns(id=pl.lit("b")))
    with pytest.raises(ValueError, match="header and no rows"):
        km_answer(frame.clear(), "h", "c")
