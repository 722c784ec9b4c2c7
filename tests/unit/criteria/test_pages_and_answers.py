"""Documentation pages and plain answers say what the tables say."""

import doctest
import importlib
import json
import pkgutil
from pathlib import Path

import pytest

import escalon.criteria
from escalon.criteria import answers, ctcae
from escalon.criteria.pages import render_pages

DOCS = Path(__file__).parents[3] / "docs" / "criteria"


def test_pages_are_up_to_date():
    pages = render_pages()
    assert {path.name for path in DOCS.glob("*.md")} == set(pages)
    for name, text in pages.items():
        assert (DOCS / name).read_text(encoding="utf-8") == text, f"{name}: run python docs/criteria/build.py"


def test_laboratory_pages_name_every_term():
    pages = render_pages()
    for version in ("5.0", "6.0"):
        text = pages[f"ctcae-laboratory-v{version[0]}.md"]
        assert all(f"| {term} |" in text for term in ctcae.terms(version))


@pytest.mark.parametrize("name", [info.name for info in pkgutil.iter_modules(escalon.criteria.__path__)])
def test_examples_in_the_docstrings_hold(name):
    module = importlib.import_module(f"escalon.criteria.{name}")
    assert module.__doc__
    assert doctest.testmod(module).failed == 0


ASKED = [
    ("lab", ["term=Neutrophil count decreased", "value=0.4", "unit=10*9/L", "lln=1.8"], "grade", 4),
    ("crs", ["temperature=39.1", "vasopressors=1", "vasopressin=no", "oxygen=low_flow_nasal"], "grade", 3),
    ("crs", ["temperature=none"], "grade", None),
    ("icans", ["ice=4", "consciousness=awakens_to_voice", "seizure=none"], "grade", 2),
    ("icans", ["ice=4", 'not_attributable=["ice"]'], "grade", 0),
    ("crs-lee-2014", ["temperature=38.5", "vasopressors=1"], "grade", 2),
    ("crs-ctcae", ["temperature=38.5", "vasopressors=1"], "grade", 3),
    ("gvhd", ["skin=2", "liver=0", "upper_gi=0", "lower_gi=1"], "grade", 2),
    ("gvhd-skin", ["bsa=51"], "stage", 3),
    ("gvhd-liver", ["bilirubin=2.0"], "stage", 1),
    ("gvhd-lower-gi", ["volume=1000"], "stage", 2),
    ("icaht", ["days=[45]", "anc=[0.5]", "period=late"], "grade", 3),
    ("t-icaht", ["days=[31, 50]", "platelets=[60, 60]", "period=late"], "grade", 1),
    ("iec-hs", ["diagnosed=yes", "severity=severe"], "grade", 3),
    ("fever", ["temperature=39.5"], "grade", 2),
    ("febrile-neutropenia", ["anc=0.9", "temperature=38.4"], "grade", 3),
    ("ejection-fraction", ["value=52", "baseline=72"], "grade", 3),
    ("qtc", ["value=470", "baseline=405"], "grade", 3),
    ("finding", ["term=Sepsis", "finding=positive_culture"], "grade", 3),
    ("response", ["bm_blasts=4.9", "pb_blasts=0", "emd=absent", "anc=1.0", "platelets=150", "criteria=cibmtr_2010"],
     "response", "CR"),
    ("cns", ["csf_wbc=3", "csf_rbc=2", "blasts=true"], "status", "CNS2a"),
    ("mrd", ["value=5e-5", "sensitivity=1e-5"], "trial", "NEGATIVE"),
]  # fmt: skip


@pytest.mark.parametrize(("system", "words", "key", "expected"), ASKED)
def test_answers(system, words, key, expected):
    found = answers.answer_text(system, words)
    assert found[key] == expected
    assert found["clause"]
    assert json.loads(json.dumps(found)) == found


def test_every_system_is_asked():
    assert {row[0] for row in ASKED} | {"dlt"} == set(answers.systems())
    assert answers.field_names("crs")["temperature"] is True
    assert answers.field_names("response")["criteria"] is False


def test_dlt_answer():
    event = {"id": "AE1", "term": "CRS", "category": "CRS", "start_day": 3, "grade": 4}
    found = answers.answer(
        "dlt", {"record": {"patient": "001", "infusion_day": 0, "events": [event]}, "as_of_day": 10}
    )
    assert (found["status"], found["clause"], found["proposals"][0]["evidence"]) == ("DLT", "2", ["AE1"])
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("system", "words", "message"),
    [
        ("mood", [], "system"),
        ("crs", ["temperature"], "name=value"),
        ("crs", ["temperature=39", "temperature=38"], "given twice"),
        ("crs", ["temp=39"], "field of crs"),
        ("crs", [], "temperature missing"),
        ("crs", ["temperature=hot"], "not a number"),
        ("crs", ["temperature=39", "vasopressin=maybe"], "neither true nor false"),
        ("icans", ["ice=11"], "ice"),
        ("lab", ["term=Anemia", "value=-1"], "value"),
        ("response", ["bm_blasts=140"], "bm_blasts"),
    ],
)
def test_answers_refuse(system, words, message):
    with pytest.raises(ValueError, match=message):
        answers.answer_text(system, words)
