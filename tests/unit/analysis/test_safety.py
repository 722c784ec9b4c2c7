import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalon.analysis.response import proportion
from escalon.analysis.safety import AESI_SETS, dlt_rates, incidence, max_grade, overview

ADSL = pl.DataFrame(
    {
        "USUBJID": ["1", "2", "3", "4"],
        "TRT01A": ["DL1", "DL1", "DL2", "DL2"],
        "SAFFL": ["Y", "Y", "Y", "N"],
        "DLTSTAT": ["NO_DLT", "DLT", "PENDING", "NOT_EVALUABLE"],
    }
)
ADAE = pl.DataFrame(
    {
        "USUBJID": ["1", "1", "1", "2", "3", "3", "4", "99"],
        "AEBODSYS": ["Blood", "Blood", "Heart", "Heart", "Heart", "Skin", "Skin", "Skin"],
        "AEDECOD": ["Anaemia", "Anaemia", "Shock", "Shock", "Arrest", "Rash", "Rash", "Rash"],
        "ATOXGRN": [1, 3, 2, 4, 5, 1, 2, 2],
        "AESER": ["N", "Y", "N", "Y", "Y", None, "Y", "Y"],
        "RELUC": ["N", "N", "N", "Y", "Y", "N", "N", "Y"],
        "RELLD": ["N", "Y", "N", "N", "Y", "N", "N", "Y"],
    }
)


def cell(table, **keys):
    found = table.filter(*[(pl.col(k).is_null() if v is None else pl.col(k) == v) for k, v in keys.items()])
    assert found.height == 1, keys
    return found.row(0, named=True)


def test_a_patient_counts_once_per_row_and_denominators_come_from_adsl():
    table = incidence(
        ADAE, ADSL, rows=("AEBODSYS", "AEDECOD"), population="SAFFL", levels=["DL1", "DL2", "DL3"]
    )
    any_dl1 = cell(table, group="DL1", depth=0)
    assert (any_dl1["n_patients"], any_dl1["n_events"], any_dl1["n_population"]) == (2, 4, 2)
    anaemia = cell(table, group="DL1", AEDECOD="Anaemia")
    assert (anaemia["n_patients"], anaemia["n_events"], anaemia["fraction"]) == (1, 2, 0.5)
    exact = proportion(1, 2)
    assert (anaemia["low"], anaemia["high"]) == (exact.low, exact.high)
    heart = cell(table, group="Total", AEBODSYS="Heart", depth=1)
    assert (heart["n_patients"], heart["n_population"]) == (3, 3)
    # Patient 4 is outside the population and patient 99 outside the study.
    rash = cell(table, group="DL2", AEDECOD="Rash")
    assert (rash["n_patients"], rash["n_population"]) == (1, 1)
    empty = cell(table, group="DL3", AEDECOD="Rash")
    assert (empty["n_patients"], empty["n_population"], empty["fraction"], empty["low"]) == (0, 0, None, None)


def test_order_all_then_frequent_classes_then_their_terms():
    table = incidence(ADAE, ADSL, rows=("AEBODSYS", "AEDECOD"), population="SAFFL", total="Total")
    rows = table.filter(pl.col("group") == "Total").select("AEBODSYS", "AEDECOD").rows()
    assert rows == [
        (None, None),
        ("Heart", None),
        ("Heart", "Shock"),
        ("Heart", "Arrest"),
        ("Blood", None),
        ("Blood", "Anaemia"),
        ("Skin", None),
        ("Skin", "Rash"),
    ]
    assert table["group"].to_list()[:3] == ["DL1", "DL2", "Total"]


def test_overview_counts_relation_to_each_product_apart():
    table = overview(ADAE, ADSL, population="SAFFL")
    counts = {
        r["event_set"]: r["n_patients"]
        for r in table.filter(pl.col("group") == "Total").iter_rows(named=True)
    }
    assert counts == {
        "any": 3,
        "serious": 3,
        "grade3": 3,
        "fatal": 1,
        "related_ucart22": 2,
        "related_lymphodepletion": 2,
        "serious_related_ucart22": 2,
        "serious_related_lymphodepletion": 2,
    }


def test_events_of_special_interest():
    category = pl.Series("AESICAT", ["CRS", "CRS", None, "ICANS", "INFECTION", None, "CYTOPENIA", "GVHD"])
    flag = pl.when(pl.col("AESICAT").is_null()).then(pl.lit("N")).otherwise(pl.lit("Y"))
    adae = ADAE.with_columns(category).with_columns(AESIFL=flag)
    table = overview(adae, ADSL, sets=AESI_SETS).filter(group="Total")
    assert dict(table.select("event_set", "n_events").iter_rows()) == {
        "aesi": 5, "aesi_serious": 4, "crs": 2, "crs_grade3": 1, "icans": 1,
        "icans_grade3": 1, "gvhd": 0, "cytopenia": 1, "infection": 1, "infection_grade3": 1,
    }  # fmt: skip
    assert dict(table.select("event_set", "n_patients").iter_rows())["crs"] == 1
    with pytest.raises(ValueError, match="adae lacks AESIFL"):
        overview(ADAE, ADSL, sets=AESI_SETS)


def test_max_grade_counts_each_patient_at_the_worst():
    table = max_grade(ADAE, ADSL, rows=("AEBODSYS",), population="SAFFL")
    whole = table.filter((pl.col("group") == "Total") & (pl.col("depth") == 0))
    assert whole["grade"].to_list() == [1, 2, 3, 4, 5]
    assert whole["n_patients"].to_list() == [0, 0, 1, 1, 1]
    heart = table.filter((pl.col("group") == "DL1") & (pl.col("AEBODSYS") == "Heart"))
    assert heart["n_patients"].to_list() == [0, 1, 0, 1, 0]


def test_no_events_at_all_keeps_denominators():
    table = incidence(ADAE.clear(), ADSL, rows=("AEBODSYS",))
    assert table.select("group", "n_patients", "n_population").rows() == [
        ("DL1", 0, 2),
        ("DL2", 0, 2),
        ("Total", 0, 4),
    ]
    assert max_grade(ADAE.clear(), ADSL)["n_patients"].sum() == 0


def test_no_patients_at_all():
    table = incidence(ADAE, ADSL.clear(), levels=["DL1"])
    assert table.select("group", "n_population", "fraction").rows() == [("DL1", 0, None), ("Total", 0, None)]


@given(st.lists(st.tuples(st.sampled_from("1234"), st.sampled_from("ABC"), st.integers(1, 5)), max_size=20))
def test_rows_and_grades_add_up(events):
    schema = {"USUBJID": pl.String, "AEBODSYS": pl.String, "ATOXGRN": pl.Int64}
    adae = pl.DataFrame(events, schema=schema, orient="row")
    table = incidence(adae, ADSL, rows=("AEBODSYS",)).filter(pl.col("group") == "Total")
    by_class = table.filter(pl.col("depth") == 1)
    assert by_class["n_events"].sum() == table.row(0, named=True)["n_events"] == len(events)
    assert table["n_patients"][0] == len({e[0] for e in events})
    graded = max_grade(adae, ADSL).filter(pl.col("group") == "Total")
    assert graded["n_patients"].sum() == table["n_patients"][0]


def test_dlt_rates_by_level_with_empty_level():
    table = dlt_rates(ADSL, levels=["DL1", "DL2", "DL3"])
    assert table.select(
        "group", "n_treated", "n_evaluable", "n_dlt", "n_pending", "n_not_evaluable"
    ).rows() == [
        ("DL1", 2, 2, 1, 0, 0),
        ("DL2", 2, 0, 0, 1, 1),
        ("DL3", 0, 0, 0, 0, 0),
        ("Total", 4, 2, 1, 1, 1),
    ]
    assert table["rate"].to_list() == [0.5, None, None, 0.5]
    assert table["posterior_mean"].to_list() == [0.5, 0.5, 0.5, 0.5]
    assert table["posterior_low"][1] == pytest.approx(0.025)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: incidence(ADAE.drop("USUBJID"), ADSL), "adae lacks USUBJID"),
        (lambda: incidence(ADAE, ADSL.drop("TRT01A")), "adsl lacks TRT01A"),
        (lambda: incidence(ADAE, pl.concat([ADSL, ADSL])), "more than one row for 1"),
        (lambda: incidence(ADAE, ADSL, levels=["DL1"]), "DL2, which levels does not name"),
        (
            lambda: incidence(ADAE, ADSL.with_columns(TRT01A=pl.lit(None, dtype=pl.String))),
            "missing for 4 patients",
        ),
        (
            lambda: max_grade(ADAE.with_columns(ATOXGRN=pl.lit(None, dtype=pl.Int64)), ADSL),
            "missing in 8 rows",
        ),
        (lambda: dlt_rates(ADSL.with_columns(DLTSTAT=pl.lit("MAYBE"))), "DLTSTAT holds MAYBE"),
        (lambda: overview(ADAE.drop("RELUC"), ADSL), "adae lacks RELUC"),
    ],
)
def test_bad_frames(call, text):
    with pytest.raises(ValueError, match=text):
        call()
