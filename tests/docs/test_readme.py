"""What the README shows is what the program prints."""

import re
import shlex

import pytest
from typer.testing import CliRunner

from escalon.cli import app
from tests.study_files import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def words(text: str) -> str:
    return " ".join(text.split())


def test_the_recommendation_shown_is_the_recommendation_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    block = re.search(r"```\n\$ escalon (next .*?)\n(.*?)```", README, re.DOTALL)
    assert block is not None
    result = CliRunner().invoke(app, shlex.split(block[1]))
    assert result.exit_code == 0
    assert words(block[2]) in words(result.stdout)


def test_the_study_file_says_what_the_readme_quotes() -> None:
    study = (ROOT / "studies" / "balli-01" / "study.yaml").read_text(encoding="utf-8")
    block = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert block is not None
    for line in block[1].strip().splitlines():
        assert words(line) in words(study)


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`escalon ([a-z]+)", README))))
def test_every_command_named_exists(command: str) -> None:
    assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:docs|studies)/[\w./-]+)`", README))))
def test_every_path_named_exists(path: str) -> None:
    assert (ROOT / path).exists()
