"""Documentation pages and plain answers say what the tables say."""

import doctest
import importlib
import json
import pkgutil
import re
from pathlib import Path

import pytest

import escalon.criteria
from escalon.criteria import answers, ctcae, relatedness, tables
from escalon.criteria.pages import render_pages

DATA = Path(escalon.criteria.__file__).parent / "data"
DOCS = Path(__file__).parents[3] / "docs" / "criteria"


def test_pages_are_up_to_date():
    pages = render_pages()
    assert {path.name for path in DOCS.glob("*.md")} == set(pages)
    for name, text in pages.items():
        assert (DOCS / name).read_text(encoding="utf-8") == text, f"{name}: run python docs/criteria/build.py"


def rows_of(value, place):
    """Every mapping of a table that holds a threshold, a grade, a stage or a value, with its place."""
    if isinstance(value, dict):
        if {"op", "grade", "stage", "value", "molar_mass", "points", "day"} & set(value):
            yield place, value
            return
        for name, part in value.items():
            yield from rows_of(part, f"{place}.{name}")
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from rows_of(part, f"{place}[{number}]")


def test_every_row_of_every_table_names_a_source_that_exists():
    seen = 0
    for path in DATA.glob("*.json"):
        table = tables.load_table(path.name)
        laboratory = path.name.endswith("_lab.json")
        rows = (
            ((rule["term"], rule) for rule in table["rules"])
            if laboratory
            else rows_of(table.get("definition", {}).get("clauses", table), path.name)
        )
        for place, row in rows:
            assert tables.find_source(row["source"]).text, f"{path.name}: {place}"
            seen += 1
    assert seen > 250


def test_no_source_is_left_over():
    texts = "".join(
        path.read_text(encoding="utf-8") for path in DATA.glob("*.json") if path.name != "sources.json"
    )
    unused = [key for key in tables.load_table("sources.json") if f'"{key}"' not in texts]
    assert unused == []
    with pytest.raises(ValueError, match="source"):
        tables.find_source("hearsay")


def test_pages_cite_what_they_name():
    for name, text in render_pages().items():
        named = set(re.findall(r"\| `([a-z0-9-]+)` \|$", text, flags=re.MULTILINE))
        cited = set(re.findall(r"^- `([a-z0-9-]+)` \(", text, flags=re.MULTILINE))
        assert named <= cited, name


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
    ("ice", ["orientation=4", "naming=3", "command=1", "writing=0", "attention=none"], "grade", None),
    ("gvhd-upper-gi", ["persistent=yes"], "stage", 1),
    ("best-overall", ['assessments=[{"day": 28, "bm_blasts": 2, "pb_blasts": 0, "emd": "absent", "anc": 2,'
                      ' "platelets": 150}]', "criteria=nccn"], "response", "CR"),
    ("cns-response", ["now=CNS1", "baseline=CNS2"], "response", "REMISSION"),
    ("extramedullary", ["burden=40", "baseline_burden=100"], "response", "PR"),
    ("dlt-proposals", ['record={"patient": "1", "infusion_day": 0}'], "grade", "none"),
    ("seriousness", ['investigator=[]', 'sponsor=["DEATH"]'], "grade", "YES"),
    ("expectedness", ["term=CRS", "grade=2", "product=UCART22", "onset=2024-08-01",
      'references=[{"product": "UCART22", "version": "1", "valid_from": "2024-08-01", "expected": {"crs": 2}}]'],
     "grade", "YES"),
]  # fmt: skip


@pytest.mark.parametrize(("system", "words", "key", "expected"), ASKED)
def test_answers(system, words, key, expected):
    found = answers.answer_text(system, words)
    assert found[key] == expected
    assert found["clause"]
    assert json.loads(json.dumps(found)) == found


SEVERAL = [
    ("icaht-series", ["days=[0, 31, 40]", "counts=[0.4, 1.2, 2.0]"], {"early": 4, "late": 1}),
    ("visits", ["days=[28, 40, 88]"], {"day 28": "D28", "day 40": "unscheduled", "day 88": "M3"}),
    ("visits", ["days=[5]", 'visits=[{"id": "D5", "day": 5, "low": 4, "high": 6}]'], {"day 5": "D5"}),
    ("emergence", ["onset_day=-2", 'first_doses={"CLLS52": -5, "UCART22": 0}'], {"CLLS52": "YES", "UCART22": "NO"}),
]  # fmt: skip


@pytest.mark.parametrize(("system", "words", "expected"), SEVERAL)
def test_answers_for_several(system, words, expected):
    found = answers.answer_text(system, words)["results"]
    assert {name: part["grade"] for name, part in found.items()} == expected
    assert all(part["clause"] and part["reasons"] for part in found.values())


def test_relatedness_answers_for_every_cause():
    words = ['investigator={"UCART22": "PROBABLE", "DISEASE": "UNLIKELY"}', 'sponsor={"UCART22": "UNLIKELY"}']
    found = answers.answer_text("relatedness", words)["results"]
    assert set(found) == set(relatedness.CAUSES)
    assert (found["UCART22"]["grade"], found["UCART22"]["related"]) == ("PROBABLE", True)
    assert (found["DISEASE"]["grade"], found["DISEASE"]["related"]) == ("UNLIKELY", False)
    assert (found["CLLS52"]["grade"], found["CLLS52"]["related"]) == (None, True)


def test_every_system_is_asked():
    asked = {row[0] for row in (*ASKED, *SEVERAL)} | {"dlt", "relatedness"}
    assert asked == set(answers.systems())
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
        ("best-overall", ['assessments=[{"bm_blasts": 2}]'], "day"),
        ("best-overall", ['assessments=[{"day": 2, "bm_blast": 2}]'], "bm_blast"),
        ("best-overall", ['assessments=[{"day": -2}]', 'baseline={"day": -2}'], "baseline"),
        ("best-overall", ["assessments=[]", "confirm_days=0"], "confirm_days"),
        ("dlt", ['record={"patient": "1"}', "as_of_day=3"], "infusion_day"),
        ("expectedness", ["term=CRS", "grade=2", "product=X", "onset=soon", "references=[]"], "expectedness"),
        ("relatedness", ["investigator=POSSIBLE"], "relatedness: a field has the wrong kind"),
        ("ice", ["orientation=5", "naming=3", "command=1", "writing=0", "attention=1"], "orientation"),
    ],
)
def test_answers_refuse(system, words, message):
    with pytest.raises(ValueError, match=message):
        answers.answer_text(system, words)
