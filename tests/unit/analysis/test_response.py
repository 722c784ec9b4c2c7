import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalon.analysis.response import (
    mrd_rates,
    proportion,
    response_by_visit,
    response_categories,
    response_rates,
)
from escalon.analysis.response_figures import spider_rows, swimmer_rows, waterfall_rows

ADSL = pl.DataFrame(
    {"USUBJID": ["1", "2", "3", "4"], "TRT01A": ["DL1", "DL1", "DL2", "DL2"], "SAFFL": ["Y", "Y", "Y", "N"]}
)
ADRS = pl.DataFrame(
    [
        ("1", "D28", "CRi", 1), ("1", "D56", "CR", 2), ("1", "D84", "RELAPSE", 3),
        ("2", "D28", "NE", 1), ("2", "D56", "NR", 2),
        ("3", "D56", "MLFS", 1), ("4", "D28", "CR", 1), ("1", "UNSCHEDULED", "CR", 9),
    ],
    schema=["USUBJID", "AVISIT", "AVALC", "SRCSEQ"],
    orient="row",
)  # fmt: skip
VISITS = ["D28", "D56", "D84"]


def counts(table, group="Total"):
    columns = ("n_due", "n_assessed", "n_not_evaluable", "n_missing", "n_responders")
    return table.filter(pl.col("group") == group).select(columns).rows()


def test_at_the_visit():
    table = response_by_visit(ADRS, ADSL, VISITS, levels=["DL1", "DL2", "DL3"])
    assert counts(table) == [(3, 2, 1, 1, 1), (3, 3, 0, 0, 2), (3, 1, 0, 2, 0)]
    assert counts(table, "DL3") == [(0, 0, 0, 0, 0)] * 3
    row = table.filter((pl.col("group") == "Total") & (pl.col("AVISIT") == "D56")).row(0, named=True)
    exact = proportion(2, 3)
    assert (row["fraction"], row["low"], row["high"]) == (2 / 3, exact.low, exact.high)


def test_to_date_keeps_a_response_that_was_lost():
    table = response_by_visit(ADRS, ADSL, VISITS, to_date=True)
    assert counts(table) == [(3, 2, 1, 1, 1), (3, 3, 0, 0, 2), (3, 3, 0, 0, 2)]


def test_a_flag_says_which_responses_count():
    flagged = ADRS.with_columns(RESPFL=pl.when(pl.col("AVALC") == "CRi").then(pl.lit("Y")))
    table = response_by_visit(flagged, ADSL, VISITS, to_date=True, flag="RESPFL")
    assert table.filter(group="Total")["n_responders"].to_list() == [1, 1, 1]
    assert response_by_visit(flagged, ADSL, VISITS, flag="RESPFL")["n_responders"].sum() == 2
    with pytest.raises(ValueError, match="adrs lacks RESPFL"):
        response_by_visit(ADRS, ADSL, VISITS, flag="RESPFL")


def test_an_unscheduled_response_counts_to_date_from_its_day_on():
    def found(day):
        adrs = pl.DataFrame(
            {"USUBJID": ["2"], "AVISIT": ["UNSCHEDULED"], "AVALC": ["CR"], "ARDY": [day], "SRCSEQ": [1]}
        )
        days = {"D28": 31, "D56": 63, "D84": 91}
        table = response_by_visit(adrs, ADSL, VISITS, to_date=True, closes=days).filter(group="Total")
        at_visit = response_by_visit(adrs, ADSL, VISITS, closes=days)
        assert at_visit["n_responders"].sum() == 0
        return table["n_responders"].to_list(), table["n_missing"].to_list()

    assert found(31) == ([1, 1, 1], [2, 2, 2])
    assert found(32) == ([0, 1, 1], [3, 2, 2])
    assert found(91) == ([0, 0, 1], [3, 3, 2])
    assert found(92) == ([0, 0, 0], [3, 3, 3])


def test_a_visit_not_yet_due_is_in_no_denominator():
    due = pl.DataFrame({"USUBJID": ["1", "2", "1"], "AVISIT": ["D28", "D28", "D56"]})
    assert counts(response_by_visit(ADRS, ADSL, VISITS, due=due)) == [
        (2, 2, 1, 0, 1),
        (1, 1, 0, 0, 1),
        (0, 0, 0, 0, 0),
    ]


def test_one_marrow_never_counts_twice():
    shared = ADRS.with_columns(SRCSEQ=pl.lit(7))
    with pytest.raises(ValueError, match="counts record 7 of 1 at two visits"):
        response_by_visit(shared, ADSL, VISITS)
    with pytest.raises(ValueError, match="two rows for 1 at D28"):
        response_by_visit(pl.concat([ADRS, ADRS]), ADSL, VISITS)


BEST = pl.DataFrame(
    {"USUBJID": ["1", "2", "4"], "AVALC": ["CR", "NR", "CR"], "MRD": ["NEGATIVE", None, "POSITIVE"]}
)


def test_best_overall_counts_everybody():
    table = response_rates(BEST, ADSL)
    assert table.select("group", "n_population", "n_responders", "n_without").rows() == [
        ("DL1", 2, 1, 0), ("DL2", 1, 0, 1), ("Total", 3, 1, 1),
    ]  # fmt: skip
    cr_only = response_rates(BEST, ADSL, responders=("CRh",))
    assert cr_only["n_responders"].to_list() == [0, 0, 0]
    assert mrd_rates(BEST, ADSL, population=None).select("n_responders", "n_mrd_known", "n_mrd_negative").rows() == [
        (1, 1, 1), (1, 1, 0), (2, 2, 1),
    ]  # fmt: skip
    table = response_categories(BEST, ADSL, ["CR", "NR"])
    assert table.filter(pl.col("group") == "Total")["n_patients"].to_list() == [1, 1, 1]
    with pytest.raises(ValueError, match="'NR', which categories"):
        response_categories(BEST, ADSL, ["CR"])
    with pytest.raises(ValueError, match="more than one row for 1"):
        response_rates(pl.concat([BEST, BEST]), ADSL)


statuses = st.sampled_from(["CR", "CRi", "MLFS", "NR", "NE", "RELAPSE", None])


@given(st.dictionaries(st.tuples(st.sampled_from("1234"), st.sampled_from(VISITS)), statuses))
def test_counts_add_up_and_best_to_date_never_falls(data):
    schema = {"USUBJID": pl.String, "AVISIT": pl.String, "AVALC": pl.String}
    adrs = pl.DataFrame([(u, v, s) for (u, v), s in data.items()], schema=schema, orient="row")
    at, to_date = (response_by_visit(adrs, ADSL, VISITS, population=None, to_date=d) for d in (False, True))
    for table in (at, to_date):
        assert (table["n_assessed"] + table["n_missing"] == table["n_due"]).all()
        assert (table["n_responders"] + table["n_not_evaluable"] <= table["n_assessed"]).all()
    total = to_date.filter(pl.col("group") == "Total")["n_responders"].to_list()
    assert total == sorted(total)
    assert (to_date["n_responders"] >= at["n_responders"]).all()


BLASTS = pl.DataFrame(
    [("1", -20, 80.0), ("1", -3, 50.0), ("1", 28, 5.0), ("1", 56, 20.0), ("2", -1, 0.0), ("2", 28, 0.0), ("3", 28, 4.0),
     ("4", -2, 60.0), ("4", 28, 90.0), ("5", -2, 60.0)],
    schema=["USUBJID", "ADY", "AVAL"], orient="row",
)  # fmt: skip


def test_spider_and_waterfall():
    spider = spider_rows(BLASTS)
    assert spider.filter(pl.col("USUBJID") == "1")["PCHG"].to_list() == [0.0, -90.0, -60.0]
    assert waterfall_rows(BLASTS).rows() == [
        ("4", 50.0, None), ("1", -90.0, None), ("2", None, "the baseline is 0"), ("3", None, "no baseline value"),
        ("5", None, "no value after the infusion"),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="percentage from 0 to 100"):
        spider_rows(BLASTS.with_columns(AVAL=pl.lit(101.0)))


def test_swimmer_joins_equal_statuses_and_keeps_a_final_one():
    adsl = pl.DataFrame({"USUBJID": ["1"]})
    days = {"ADY": [28, 56, 60, 84, 91], "AVALC": ["CR", "CR", None, "PD", "CR"]}
    seen = pl.DataFrame({"USUBJID": ["1"] * 5} | days)
    ends = pl.DataFrame({"USUBJID": ["1"], "ADY": [91], "DEATH": ["N"]})
    assert swimmer_rows(adsl, seen, ends, final=["PD"]).rows() == [
        ("1", 0.0, 28.0, None, None), ("1", 28.0, 60.0, "CR", None),
        ("1", 60.0, 84.0, None, None), ("1", 84.0, 91.0, "PD", "N"),
    ]  # fmt: skip
    assert swimmer_rows(adsl, seen, ends).rows()[-1] == ("1", 91.0, 91.0, "CR", "N")


def test_swimmer():
    adsl = pl.DataFrame({"USUBJID": ["2", "1"]})
    seen = pl.DataFrame({"USUBJID": ["1", "1"], "ADY": [56, 28], "AVALC": ["CR", "CRi"]})
    ends = pl.DataFrame({"USUBJID": ["1", "2"], "ADY": [100, 10], "DEATH": ["Y", "N"]})
    assert swimmer_rows(adsl, seen, ends).rows() == [
        ("2", 0.0, 10.0, None, "N"),
        ("1", 0.0, 28.0, None, None), ("1", 28.0, 56.0, "CRi", None), ("1", 56.0, 100.0, "CR", "Y"),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="no row for 2"):
        swimmer_rows(adsl, seen, ends.head(1))
    with pytest.raises(ValueError, match="lies after the end"):
        swimmer_rows(adsl, seen, ends.with_columns(ADY=pl.lit(30)))
