"""The command line answers, refuses bad input with exit code 2, and starts fast enough to be asked often."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from escalon.cli import app
from tests.study_files import BALLI

PLAN = """\
rule: {kind: mtpi, target: 0.30, epsilon_1: 0.05, epsilon_2: 0.05, elimination: 0.95}
levels: 4
cohort_size: 3
max_patients: 24
"""


def escalon(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    return path


def test_next_answers_for_the_first_patients_of_the_study() -> None:
    result = escalon("next", BALLI, "--outcomes", "1NNN 2NN", "--json")
    answer = json.loads(result.stdout)
    assert result.exit_code == 0
    assert answer["action"] == "escalate"
    assert answer["level"] == 3
    assert any("cohort of 3" in reason for reason in answer["reasons"])


def test_a_plan_file_and_a_study_folder_give_the_same_table(plan: Path) -> None:
    by_plan = json.loads(escalon("table", "--plan", plan, "--json").stdout)
    by_study = json.loads(escalon("table", BALLI, "--json").stdout)
    rows = min(len(by_plan["rows"]), len(by_study["rows"]))
    assert rows >= 9
    assert by_plan["rows"][:rows] == by_study["rows"][:rows]


def test_a_plan_may_stand_in_an_escalation_block_and_carry_tags(tmp_path: Path, plan: Path) -> None:
    tagged = tmp_path / "tagged.yaml"
    tagged.write_text("escalation: !assumption\n" + "".join(f"  {line}\n" for line in PLAN.splitlines()))
    outcomes = ("--outcomes", "1NNN 2NTN", "--json")
    assert (
        escalon("next", "--plan", tagged, *outcomes).stdout
        == escalon("next", "--plan", plan, *outcomes).stdout
    )


def test_operating_characteristics_and_mtd(plan: Path) -> None:
    answer = json.loads(escalon("oc", "--plan", plan, "--prob-tox", ".05,.1,.3,.5", "--json").stdout)
    assert sum(answer["prob_select"]) + answer["prob_none"] == pytest.approx(1, abs=1e-12)
    # posterior means .20, .25, 3/11: the third is nearest to .30
    selected = json.loads(escalon("mtd", "--plan", plan, "--n", "3,6,9,0", "--y", "0,1,2,0", "--json").stdout)
    assert selected["level"] == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("next", "--outcomes", "1NZN"), "unknown letter Z"),
        (("next", "--outcomes", "7NNN"), "level"),
        (("oc", "--prob-tox", ".1,.2"), "4"),
        (("oc", "--prob-tox", ".1,.2,.3,1.4"), "1.4"),
        (("oc", "--prob-tox", ".1,a,.3,.4"), "'a' is not a number"),
        (("mtd", "--n", "3,3,0,0", "--y", "4,0,0,0"), "4"),
        (("mtd", "--n", "3,3.5,0,0", "--y", "0,0,0,0"), "3.5"),
    ],
)
def test_bad_input_is_refused_with_exit_code_2(plan: Path, arguments: tuple[str, ...], words: str) -> None:
    command, *rest = arguments
    result = escalon(command, "--plan", plan, *rest)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stdout == ""


def test_a_bad_plan_names_field_and_rule(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN.replace("0.30", "1.30"))
    result = escalon("table", "--plan", path)
    assert result.exit_code == 2
    assert "target" in result.stderr
    assert escalon("table", "--plan", tmp_path / "none.yaml").exit_code == 2
    assert escalon("table").exit_code == 2
    assert escalon("table", BALLI, "--plan", path).exit_code == 2


def test_study_check_prints_a_summary() -> None:
    result = escalon("study", "check", BALLI)
    assert result.exit_code == 0
    assert "NCT04150497" in result.stdout
    summary = json.loads(escalon("study", "check", BALLI, "--json").stdout)
    assert summary["provenance"]["assumption"] > 0


def test_help_imports_nothing_heavy() -> None:
    heavy = "{'numpy', 'scipy', 'numba', 'polars', 'django', 'altair', 'pydantic', 'great_tables', 'yaml'}"
    code = (
        "import sys; from typer.testing import CliRunner; from escalon.cli import app; "
        "CliRunner().invoke(app, ['--help']); "
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


EVENTS = """\
llt_code,llt_term,pt_code,pt_term,hlt_code,hlt_term,hlgt_code,hlgt_term,soc_code,soc_term
1,Made-up fever,2,Made-up pyrexia,3,Temperatures,4,Body,5,General
"""


def test_a_dictionary_of_the_user_is_loaded_and_searched(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(EVENTS)
    version = ("--dictionary-version", "0.1")
    loaded = escalon("dictionary", "load", file, *version, "--into", tmp_path / "kept", "--json")
    assert json.loads(loaded.stdout)["rows"] == 1
    kept = tmp_path / "kept" / "event-0.1.csv"
    found = escalon("dictionary", "find", "MADE-UP FEVER", "--dictionary", kept, *version, "--json")
    assert json.loads(found.stdout)["codes"][0]["pt_code"] == "2"
    assert escalon("dictionary", "find", "unheard of", "--dictionary", kept, *version).exit_code == 2


def test_a_faulty_dictionary_leaves_nothing_behind(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(EVENTS.replace("Made-up fever", ""))
    result = escalon("dictionary", "load", file, "--dictionary-version", "0.1", "--into", tmp_path / "kept")
    assert result.exit_code == 2
    assert "line 2" in result.stderr
    assert not (tmp_path / "kept").exists()


def test_terms_are_searched_and_syndromes_graded() -> None:
    terms = json.loads(escalon("dictionary", "search", "cytokine release", "--json").stdout)["terms"]
    assert terms[0]["term"] == "Cytokine release syndrome"
    graded = escalon("grade", "crs", "temperature=39.1", "vasopressors=1", "oxygen=low_flow_nasal", "--json")
    assert json.loads(graded.stdout)["grade"] == 3
    assert escalon("grade", "icans", "ice=11").exit_code == 2


def test_km_and_nca_answer_from_a_csv(tmp_path: Path) -> None:
    curve = tmp_path / "km.csv"
    curve.write_text("t,e\n1,1\n2,1\n3,1\n4,1\n")
    answer = json.loads(escalon("km", curve, "--time", "t", "--event", "e", "--json").stdout)
    assert answer["groups"][0]["median"]["value"] == 2.5
    profile = tmp_path / "pk.csv"
    profile.write_text("t,c\n0,0\n1,10\n2,5\n3,2.5\n4,1.25\n")
    options = (
        "--time",
        "t",
        "--conc",
        "c",
        "--conc-unit",
        "ug/mL",
        "--dose",
        "20",
        "--route",
        "extravascular",
    )
    rows = json.loads(escalon("nca", profile, *options, "--json").stdout)["subjects"][0]["parameters"]
    half_life = next(row["value"] for row in rows if row["code"] == "LAMZHL")
    assert half_life == pytest.approx(1.0, rel=1e-12)
    assert escalon("km", curve, "--time", "t", "--event", "nothing").exit_code == 2
    assert escalon("km", tmp_path / "none.csv", "--time", "t", "--event", "e").exit_code == 2
