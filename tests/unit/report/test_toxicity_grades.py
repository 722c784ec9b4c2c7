"""Recorded and derived grades side by side in the report, and hematotoxicity by grade."""

import polars as pl
import pytest

from escalon.report.results.toxicity_grades import derive_grades
from escalon.report.tables.toxicity_grades import (
    render_agreement,
    render_disagreements,
    render_hematotoxicity,
)


@pytest.fixture(scope="module")
def ard(adam, state, folder):
    return derive_grades(adam, state, folder.study)


def stats(ard: pl.DataFrame, analysis: str, variable: str, level: str | None = None) -> dict[str, float]:
    rows = ard.filter(pl.col("analysis") == analysis, pl.col("variable") == variable)
    if level is not None:
        rows = rows.filter(pl.col("variable_level") == level)
    return dict(rows.select("stat_name", "stat").iter_rows())


def test_every_event_with_a_system_is_equal_higher_lower_or_not_gradable(ard, adam):
    for kind in ("CRS", "ICANS"):
        found = stats(ard, "grade agreement", kind)
        own = adam["ADAE"].filter(pl.col("AECAT") == kind)
        parts = ("n.equal", "n.higher", "n.lower", "n.not_gradable")
        assert found["events"] == own.height == sum(found[part] for part in parts)
    crs = adam["ADAE"].filter(pl.col("AECAT") == "CRS")
    assert stats(ard, "grade agreement", "CRS")["n.higher"] == (crs["ATOXGRN"] == 2).sum() > 0


def test_syndromes_are_counted_by_recorded_and_by_derived_grade(ard):
    recorded, derived = (stats(ard, "syndromes derived", "CRS", way) for way in ("recorded", "derived"))
    assert recorded["n"] == derived["n"]
    assert derived["n.grade2"] == 0 < recorded["n.grade2"]
    assert derived["n.grade3"] == recorded["n.grade2"] + recorded["n.grade3"]


def test_every_difference_is_listed_with_its_clause_or_reason(adam, ard):
    text = render_disagreements(adam["ADAE"])
    differ = adam["ADAE"].filter(pl.col("ADRVSYS").is_not_null(), pl.col("ADRVAGFL").fill_null("N") == "N")
    assert text.count("Cytokine release syndrome") == differ.filter(pl.col("AECAT") == "CRS").height
    assert "one vasopressor, with or without vasopressin" in text
    assert "the worse counts" in render_agreement(ard).replace("\n", " ")


def test_hematotoxicity_counts_every_infused_patient_once(ard, adam):
    infused = adam["ADSL"].filter(pl.col("SAFFL") == "Y").height
    for code in ("ICAHTE", "TICAHTL"):
        found = stats(ard, "hematotoxicity", code)
        assert found["N"] == infused
        assert sum(found[f"n.grade{grade}"] for grade in range(5)) + found["n.not_gradable"] == infused
    assert stats(ard, "hematotoxicity", "TICAHTL")["n.not_gradable"] > 0
    assert "Not gradable" in render_hematotoxicity(ard)
