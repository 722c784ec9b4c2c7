"""`escalon study diff` prints what an amendment changes and refuses what would destroy data."""

import json
from pathlib import Path

from typer.testing import CliRunner

from escalon.cli import app
from tests.study_files import BALLI, balli_files, write_folder


def diff(tmp_path: Path, before: str, after: str, *options: str) -> tuple[int, str]:
    files = balli_files()
    files["forms/vs.yaml"] = files["forms/vs.yaml"].replace(before, after)
    new = write_folder(files, tmp_path / "new")
    result = CliRunner().invoke(app, ["study", "diff", str(BALLI), str(new), *options])
    return result.exit_code, result.output


def test_a_change_is_listed_with_before_and_after(tmp_path: Path) -> None:
    code, text = diff(tmp_path, "range: [25, 250]", "range: [20, 250]", "--json")
    assert code == 0
    assert json.loads(text) == {
        "changes": [
            {
                "area": "item",
                "where": "VS.WEIGHT.range",
                "change": "changed",
                "before": [25.0, 250.0],
                "after": [20.0, 250.0],
            }
        ],
        "refused_because": [],
    }


def test_what_cannot_be_adopted_is_said_with_exit_code_1(tmp_path: Path) -> None:
    code, text = diff(tmp_path, "Height, type: number", "Height, type: integer")
    assert code == 1
    assert "Cannot be adopted: item VS.HEIGHT changes its type" in text.replace("\n", " ")


def test_no_difference_is_said(tmp_path: Path) -> None:
    assert diff(tmp_path, "x-not-there", "") == (0, "The two versions say the same.\n")
