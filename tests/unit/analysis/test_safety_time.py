import polars as pl
import pytest
from scipy.stats import poisson

from escalon.analysis.safety_time import deaths, exposure_adjusted, onset_and_resolution

ADSL = pl.DataFrame(
    {
        "USUBJID": ["1", "2", "3", "4"],
        "TRT01A": ["DL1", "DL1", "DL2", "DL2"],
        "SAFFL": ["Y", "Y", "Y", "N"],
        "DAYS": [365.25, 730.5, 365.25, None],
        "LAST": [100, 90, 80, 70],
        "DTHFL": ["Y", "N", "Y", "Y"],
        "DTHCAUS": ["Disease", None, None, "Disease"],
    }
)
ADAE = pl.DataFrame(
    {
        "USUBJID": ["1", "1", "2", "3", "4"],
        "ON": [5, 2, 7, 10, 3],
        "OFF": [6, 9, None, 14, 4],
        "AESIFL": list("YYYNY"),
    }
)


def test_rates_per_patient_year_with_exact_ends():
    table = exposure_adjusted(ADAE, ADSL, "DAYS", levels=["DL1", "DL2", "DL3"])
    assert table.select("group", "n_events", "patient_years", "rate").rows() == [
        ("DL1", 3, 3.0, 1.0), ("DL2", 1, 1.0, 1.0), ("DL3", 0, 0.0, None), ("Total", 4, 4.0, 1.0),
    ]  # fmt: skip
    row = table.row(0, named=True)
    assert poisson.sf(2, 3 * row["low"]) == pytest.approx(0.025)
    assert poisson.cdf(3, 3 * row["high"]) == pytest.approx(0.025)
    none = exposure_adjusted(ADAE, ADSL, "DAYS", where=pl.col("AESIFL") == "?")
    assert (none["low"][0], none["rate"][0]) == (0, 0)
    with pytest.raises(ValueError, match="DAYS is None for 4"):
        exposure_adjusted(ADAE, ADSL, "DAYS", population=None)


def test_onset_and_resolution_of_the_first_event():
    table = onset_and_resolution(ADAE, ADSL, "ON", "OFF", "LAST")
    rows = {r["group"]: r for r in table.iter_rows(named=True)}
    dl1 = rows["DL1"]
    # Patient 1: day 2 to 9; patient 2: from day 7, censored on day 90.
    assert (dl1["n_patients"], dl1["onset_median"], dl1["onset_min"], dl1["n_resolved"]) == (2, 4.5, 2, 1)
    assert (dl1["resolution_median"], rows["DL2"]["resolution_median"]) == (None, 4)
    assert rows["Total"]["resolution_median"] == 7
    nothing = onset_and_resolution(ADAE.clear(), ADSL, "ON", "OFF", "LAST")
    assert nothing["n_patients"].to_list() == [0, 0, 0]
    with pytest.raises(ValueError, match="event of 3 on day 10"):
        onset_and_resolution(ADAE.with_columns(OFF=pl.lit(8)), ADSL, "ON", "OFF", "LAST")


def test_deaths_by_cause():
    assert deaths(ADSL).rows() == [
        ("DL1", None, 1, 2), ("DL2", None, 1, 1), ("Total", None, 2, 3),
        ("DL1", "Disease", 1, 2), ("DL2", "Disease", 0, 1), ("Total", "Disease", 1, 3),
        ("DL1", "Unknown", 0, 2), ("DL2", "Unknown", 1, 1), ("Total", "Unknown", 1, 3),
    ]  # fmt: skip
    assert deaths(ADSL.with_columns(DTHFL=pl.lit("N")))["n_patients"].to_list() == [0, 0, 0]
