"""What the analysis room answers is in the report, and agrees with plain counts."""

from collections import Counter

import polars as pl
import pytest

from escalon.report.ard import Cells
from escalon.report.pictures.course import picture_spider, picture_waterfall
from escalon.report.pictures.incidence import picture_incidence, picture_special
from escalon.report.results import derive_ard
from escalon.report.results.competing import derive_incidence_curves
from escalon.report.results.groups import ALL_INFUSED, derive_people
from escalon.report.results.marrow import derive_marrow
from escalon.report.results.relations import derive_exposed
from escalon.report.tables.efficacy import render_competing
from escalon.report.tables.events_in_time import render_deaths, render_onset, render_rates
from escalon.report.tables.exposure import render_relations
from escalon.report.tables.reasons import render_exclusions, render_sentences


@pytest.fixture(scope="module")
def ard(adam, state, folder):
    return derive_ard(adam, state, folder.study)


def test_marrow_blasts_come_with_the_day_from_the_infusion(adam):
    people = derive_people(adam).filter(pl.col("SAFFL") == "Y")
    every = derive_marrow(people, adam)
    rows = every.drop_nulls("AVAL")
    own = rows.filter(pl.col("USUBJID").str.ends_with("-001"))
    assert own.rows() == [
        (own["USUBJID"][0], day, blasts) for day, blasts in ((-7, 21), (28, 1.05), (56, 10.5))
    ]
    assert rows["USUBJID"].n_unique() == people.height - 1
    # An assessment without a count stands with its day.
    assessed = adam["ADRS"].filter((pl.col("PARAMCD") == "OVRLRESP") & (pl.col("SAFFL") == "Y"))
    assert set(assessed.select("USUBJID", "ARDY").rows()) <= set(every.select("USUBJID", "ADY").rows())
    assert every.height == every.unique(["USUBJID", "ADY"]).height


def test_waterfall_and_spider_name_who_is_missing(adam, state, folder):
    waterfall = picture_waterfall(adam, state, folder.study)
    assert "no assessment (1 patient); no baseline value (1 patient)" in waterfall.caption
    infused = adam["ADSL"].filter(pl.col("SAFFL") == "Y")
    drawn = [
        f"{row['SUBJID']}  " for row in infused.iter_rows(named=True) if row["SUBJID"] not in ("003", "004")
    ]
    assert all(name.strip() in waterfall.svg for name in drawn)
    assert picture_spider(adam, state, folder.study).svg


def test_incidences_add_up_to_the_share_with_an_event(adam, state, folder, ard):
    rows = adam["ADTTE"].filter((pl.col("PARAMCD") == "DORC") & (pl.col("SAFFL") == "Y"))
    cells = Cells(ard, "competing")
    counts = Counter(rule for rule, cnsr in rows.select("RULEID", "CNSR").iter_rows() if cnsr == 0)
    assert counts["TRANSPLANT_EVENT"] > 0
    for cause in ("PROGRESSION", "TRANSPLANT_EVENT"):
        assert cells.get("n", ALL_INFUSED, cause) == counts[cause]
        assert cells.get("N", ALL_INFUSED, cause) == rows.height
    curve, n = derive_incidence_curves(adam, state, folder.study, ALL_INFUSED)
    assert n == rows.height
    share = 1.0
    for days in sorted(set(rows.filter(CNSR=0)["AVAL"].to_list())):
        share *= 1 - rows.filter(AVAL=days, CNSR=0).height / rows.filter(pl.col("AVAL") >= days).height
    ends = curve.group_by("cause").agg(pl.col("incidence").max())
    assert ends["incidence"].sum() == pytest.approx(1 - share, abs=1e-12)
    assert "Relapse or progression" in picture_incidence(adam, state, folder.study).svg
    assert "Allogeneic transplant in response" in render_competing(ard)


def test_rates_count_every_event_over_the_days_observed(ard, adam):
    people = {row["USUBJID"]: row for row in adam["ADSL"].iter_rows(named=True) if row["SAFFL"] == "Y"}
    days = sum((max(p["LSTALVDT"], p["EOSDT"]) - p["INFDT"]).days + 1 for p in people.values())
    events = [e for e in adam["ADAE"].iter_rows(named=True) if e["TRTEMFL"] == "Y" and e["USUBJID"] in people]
    cells = Cells(ard, "events in time")
    assert cells.get("years", "Total", "any", "rate") == pytest.approx(days / 365.25, rel=1e-12)
    assert cells.get("rate", "Total", "any", "rate") == pytest.approx(
        len(events) / (days / 365.25), rel=1e-12
    )
    crs = {e["USUBJID"] for e in events if e["AESICAT"] == "CRS"}
    assert cells.get("n", "Total", "CRS", "onset") == len(crs)
    onsets = sorted(
        (e["ASTDT"] - people[e["USUBJID"]]["INFDT"]).days for e in events if e["AESICAT"] == "CRS"
    )
    assert cells.get("min", "Total", "CRS", "onset") == onsets[0]
    assert "Cytokine release syndrome" in render_rates(ard)
    assert "Days to resolution" in render_onset(ard)


def test_deaths_by_cause(ard, adam):
    dead = adam["ADSL"].filter((pl.col("SAFFL") == "Y") & (pl.col("DTHFL") == "Y")).height
    assert Cells(ard, "deaths").get("n", "Total", "death", "Any cause") == dead > 0
    assert "Disease progression" in render_deaths(ard)


def test_special_events_are_drawn_by_level(ard):
    picture = picture_special(ard)
    assert "Cytokine release syndrome" in picture.svg
    assert "DL1 (n = 3)" in picture.svg


def test_exposure_is_related_to_lymphocytes_expansion_and_response(ard, adam, folder):
    exposed = derive_exposed(adam, folder.study)
    assert exposed.columns == [
        "USUBJID",
        "AUC0_28",
        "AUC0_56",
        "CDAY0",
        "TAT",
        "LYMAUC",
        "CMAX",
        "CELLAUC",
        "RESPONSE",
    ]
    pair = exposed.select("AUC0_28", "CMAX").drop_nulls()
    ranks = pair.select(pl.all().rank())
    cells = Cells(ard, "relations")
    assert cells.get("rho", "AUC0_28", "CMAX") == pytest.approx(
        ranks.select(pl.corr("AUC0_28", "CMAX")).item(), rel=1e-12
    )
    assert cells.get("n", "AUC0_28", "CMAX") == pair.height
    assert "Lymphocytes, area" in render_relations(ard, "CLLS52")


def test_lymphocyte_area_needs_counts_to_day_28(adam, folder):
    last = adam["ADLB"].filter(PARAMCD="LYM").group_by("USUBJID").agg(pl.col("ARDY").max()).rows()
    until = dict(last)
    found = derive_exposed(adam, folder.study).select("USUBJID", "LYMAUC").rows()
    assert {u for u, area in found if area is None} == {u for u, _ in found if until[u] < 28} != set()


def test_every_exclusion_and_every_day_has_its_reason(adam):
    table = render_exclusions(adam)
    outside = adam["ADSL"].filter(pl.col("PKFL") != "Y")
    assert "no CLLS52 dose" in table
    assert ", ".join(sorted(outside["SUBJID"].to_list())) in table
    listing = render_sentences(adam)
    shown = adam["ADTTE"].filter(pl.col("AVAL").is_not_null())
    assert listing.count("(RULE, RS.RSDTC RSSEQ 1)") == shown.height
