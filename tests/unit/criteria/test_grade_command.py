"""`escalon grade` from words and files: what it prints, what it refuses."""

import json

import pytest
from typer.testing import CliRunner

from escalon.cli import app
from escalon.criteria.answers_files import read_fields

COURSE = """day,bm_blasts,pb_blasts,emd,anc,platelets,cells_counted,mrd,mrd_sensitivity,mrd_method,gcsf_days
-7,60,1.0,absent,1.1,30,200,,,,
28,2,0,absent,1.5,150,300,5e-5,1e-5,FLOW CYTOMETRY,2;25
56,,0,absent,1.4,140,,,,,
84,1,0,absent,1.4,140,300,0,1e-5,NGS,
"""


def escalon(*arguments):
    return CliRunner().invoke(app, ["grade", *map(str, arguments)])


@pytest.fixture
def course(tmp_path):
    path = tmp_path / "course.csv"
    path.write_text(COURSE)
    return path


def test_best_response_from_a_csv_file(course):
    answer = json.loads(escalon("best-overall", "--file", course, "--json").stdout)
    assert [row["response"] for row in answer["responses"]] == ["CRi", "NE", "CR"]
    assert (answer["response"], answer["first_day"], answer["confirmed_day"]) == ("CR", 84, 84)
    assert answer["responses"][0]["mrd"]["method"] == "FLOW CYTOMETRY"


def test_a_json_file_gives_the_same(course, tmp_path):
    rows = read_fields("best-overall", course.name, COURSE)["assessments"]
    for content in (rows, {"assessments": rows[1:], "baseline": rows[0]}):
        path = tmp_path / "course.json"
        path.write_text(json.dumps(content))
        by_json = escalon("best-overall", "--file", path, "--json").stdout
        assert by_json == escalon("best-overall", "--file", course, "--json").stdout


def test_settings_beside_a_file(course):
    loose = escalon("best-overall", "--file", course, "confirm_days=80", "--json")
    assert json.loads(loose.stdout)["responder"] is False
    twice = escalon("best-overall", "--file", course, "assessments=[]")
    assert (twice.exit_code, "assessments: given twice" in twice.output) == (2, True)


def test_print_shows_course_clause_and_reasons(course):
    printed = escalon("best-overall", "--file", course).stdout
    for words in (
        "best-overall: CR",
        "NEGATIVE",
        "marrow blasts missing",
        "confirmed day 84",
        "counts as responder",
    ):
        assert words in printed


def test_a_series_of_counts_from_a_file(tmp_path):
    path = tmp_path / "counts.csv"
    path.write_text("day,anc\n0,2.0\n5,0.4\n12,1.0\n40,1.2\n")
    assert json.loads(escalon("icaht", "--file", path, "period=early", "--json").stdout)["grade"] == 2
    path.write_text("day,count\n0,2.0\n5,0.4\n12,1.0\n40,1.2\n")
    printed = escalon("icaht-series", "--file", path).stdout
    assert "icaht-series, early: 2" in printed
    assert "icaht-series, late: 1" in printed


def test_proposals_are_printed_with_rows_and_reasons():
    record = {"patient": "1", "infusion_day": 0, "events": [
        {"id": "AE1", "term": "CRS", "category": "CRS", "start_day": 3, "grade": 3}]}  # fmt: skip
    printed = escalon("dlt-proposals", f"record={json.dumps(record)}", "as_of_day=5").stdout
    assert "near miss, still open" in printed
    assert "rows AE1" in printed
    assert "read: 0 events" in escalon("dlt-proposals", 'record={"patient": "1", "infusion_day": 0}').stdout


def test_ungradable_says_so():
    printed = escalon("crs", "temperature=39", "hypotension=not_assessed").stdout
    assert "crs: not gradable" in printed
    assert "hypotension not assessed" in printed


def test_list_of_systems():
    assert "best-overall: assessments [criteria]" in escalon("--list").stdout
    one = json.loads(escalon("gvhd", "--list", "--json").stdout)["systems"]
    assert one == {"gvhd": {"skin": True, "liver": True, "upper_gi": True, "lower_gi": True, "death": False}}
    assert escalon("mood", "--list").exit_code == 2
    assert escalon().exit_code == 2


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "", "a.csv line 1: header is missing"),
        ("a.csv", "day,bm_blasts\n28\n", "a.csv line 2: number of cells"),
        ("a.csv", "day,bm_blasts\n28,2,3\n", "a.csv line 2: number of cells"),
        ("a.csv", "day,bm_blasts\n", "a.csv: holds no rows"),
        ("a.csv", "day,bm_blasts\n28,140\n", "bm_blasts: 140 is out of range"),
        ("a.json", "{", "a.json line 1: not JSON"),
        ("a.json", "3", "a.json: holds int"),
        ("a.txt", "x", "a.txt: give a file that ends in"),
    ],
)
def test_broken_files_are_refused(tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)
    result = escalon("best-overall", "--file", path)
    assert result.exit_code == 2
    assert message in result.output


def test_files_that_do_not_fit_the_system(tmp_path):
    path = tmp_path / "counts.csv"
    path.write_text("day,anc\n0,\n")
    result = escalon("icaht", "--file", path, "period=early")
    assert (result.exit_code, "row 1: anc is missing" in result.output) == (2, True)
    assert escalon("crs", "--file", path).exit_code == 2
    assert escalon("icaht", "--file", tmp_path / "none.csv", "period=early").exit_code == 2
    path.write_bytes(b"\xff\xfe")
    assert escalon("icaht", "--file", path, "period=early").exit_code == 2
