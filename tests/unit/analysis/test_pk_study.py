import math

import polars as pl
import pytest
from scipy.stats import spearmanr

from escalon.analysis.pk import derive_parameters, exposure_response, nca, summarise_parameters
from escalon.analysis.pk.study import rank_correlation

TIMES = [0.0, 2.0, 6.0, 24.0, 48.0, 96.0]
CONC = pl.DataFrame(
    {
        "USUBJID": ["1"] * 6 + ["2"] * 6 + ["3"] * 6,
        "PARAMCD": ["CLLS52"] * 18,
        "TIME": TIMES * 3,
        "AVAL": [0.0, 2.0, 1.6, 1.1, 0.7, 0.3] + [0.0, 3.0, 2.6, 1.9, None, 0.2] + [0.0] * 6,
        "AVALU": ["ug/mL"] * 18,
        "LLOQ": [0.05] * 18,
    }
)
DOSES = pl.DataFrame(
    {"USUBJID": ["1", "2"], "TIME": [0.0, 0.0], "DOSE": [20.0, 20.0], "DURATION": [2.0, 2.0]}
)


def test_every_profile_is_the_single_analysis():
    table = derive_parameters(CONC.sample(fraction=1, shuffle=True, seed=1), DOSES, route="infusion")
    one = nca(TIMES, CONC["AVAL"][:6], dose=20, route="infusion", duration=2, lloq=0.05)
    for code in ("CMAX", "AUCLST", "LAMZHL", "CLO"):
        found = table.filter((pl.col("USUBJID") == "1") & (pl.col("PPTESTCD") == code))
        assert found["PPSTRESN"].item() == pytest.approx(one.value(code))
    assert table.filter(pl.col("PPTESTCD") == "CLO")["PPSTRESU"].to_list() == ["L/h", "L/h"]
    assert table.filter(pl.col("USUBJID") == "3")["PPREASND"].to_list() == ["no dose record"]


def test_summary_says_which_statistics_to_print():
    table = derive_parameters(CONC, DOSES, route="infusion", partial=[(0, 96)], threshold=1.0)
    out = summarise_parameters(table)
    rows = {r["PPTESTCD"]: r for r in out.iter_rows(named=True)}
    assert (rows["CMAX"]["n"], rows["CMAX"]["summary"], rows["TMAX"]["summary"]) == (2, "geometric", "median")
    assert rows["CMAX"]["geo_mean"] == pytest.approx(6**0.5)
    assert (rows["AUCINT"]["START"], rows["AUCINT"]["END"], rows["TAT"]["summary"]) == (0, 96, "median")


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (CONC.with_columns(AVALU=pl.lit(None, dtype=pl.String)), "1 CLLS52: concentration without unit"),
        (
            CONC.with_columns(AVALU=pl.concat_str(pl.lit("u"), pl.col("TIME").cast(pl.String))),
            "never pool assays",
        ),
        (pl.concat([CONC, CONC]), "1 CLLS52: .* two samples at one time"),
        (CONC.drop("AVAL"), "lacks AVAL"),
    ],
)
def test_bad_frames(frame, text):
    with pytest.raises(ValueError, match=text):
        derive_parameters(frame, DOSES, route="infusion")


def test_rank_correlation():
    x, y = [1.0, 2, 3, 4, 5, 6, None, 8], [2.0, 1, 4, 4, 7, 5, 3, None]
    e = rank_correlation(x, y)
    assert e.value == pytest.approx(spearmanr(x[:6], y[:6]).statistic)
    assert e.low < e.value < e.high
    assert rank_correlation([1, 2], [1, 2]).reason == "2 pairs, 4 are needed"
    assert (
        rank_correlation([1, 1, 1, 1], [1, 2, 3, 4]).reason == "one of the two is the same for all patients"
    )
    assert rank_correlation([1, 2, 3, 4], [2, 3, 4, 5]).reason == "perfect order: no interval"


def test_exposure_response_rows():
    patients = pl.DataFrame({"AUC": [1.0, 2, 3, 4, 5], "CMAX": [2.0, 1, 4, 3, None], "RESP": [0, 0, 1, 0, 1]})
    out = exposure_response(patients, ["AUC"], ["CMAX", "RESP"])
    assert out.select("exposure", "outcome", "n").rows() == [("AUC", "CMAX", 4), ("AUC", "RESP", 5)]
    assert out["correlation"][0] == pytest.approx(0.6)


CHOICES = pl.DataFrame(
    {
        "USUBJID": ["1", "1", "1", "2"],
        "PARAMCD": ["CLLS52"] * 4,
        "TIME": [6.0, 24.0, 48.0, 6.0],
        "USE": ["slope", "slope", "slope", "exclude"],
        "REASON": ["last sample doubtful"] * 3 + ["hemolyzed"],
        "USER": ["A. Smith"] * 4,
        "DECIDEDAT": ["2026-11-20"] * 4,
    }
)


def test_choices_of_a_person_are_data_and_leave_their_reason():
    table = derive_parameters(CONC, DOSES, route="infusion", choices=CHOICES)
    upper = table.filter(PPTESTCD="LAMZUL").select("USUBJID", "PPSTRESN").rows()
    assert dict(upper)["1"] == 48.0
    notes = dict(table.select("USUBJID", "NOTE").unique().drop_nulls().rows())
    assert notes["1"] == "terminal slope chosen by A. Smith, 2026-11-20: last sample doubtful"
    assert notes["2"] == "sample at 6 excluded by A. Smith, 2026-11-20: hemolyzed"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"USE": pl.lit("point")}, "row 1: USE is 'point'"),
        ({"REASON": pl.lit(" ")}, "row 1: no REASON"),
        ({"TIME": pl.lit("noon")}, "row 1: TIME is 'noon'"),
        ({"USUBJID": pl.lit("9")}, "9 CLLS52, which has no concentrations"),
        ({"USER": pl.Series(["a", "b", "c", "d"])}, "two reasons or users"),
    ],
)
def test_choices_without_a_reading_are_refused(change, text):
    with pytest.raises(ValueError, match=text):
        derive_parameters(CONC, DOSES, route="infusion", choices=CHOICES.with_columns(**change))


def test_one_concentration_without_unit_is_refused():
    units = pl.Series(["ug/mL"] * 2 + [None] + ["ug/mL"] * 15)
    with pytest.raises(ValueError, match="1 CLLS52: concentration without unit"):
        derive_parameters(CONC.with_columns(AVALU=units), DOSES, route="infusion")


def test_the_interval_of_a_rank_correlation_by_hand():
    """Ranks 1 2 3 4 5 against 2 1 4 3 5: r = 0.8, standard error of atanh sqrt((1 + 0.32) / 2)."""
    e = rank_correlation([1, 2, 3, 4, 5], [20, 10, 40, 30, 50])
    half = 1.959963984540054 * (1.32 / 2) ** 0.5
    expected = [0.8, math.tanh(math.atanh(0.8) - half), math.tanh(math.atanh(0.8) + half)]
    assert [e.value, e.low, e.high] == pytest.approx(expected, rel=1e-12)
