"""A refused plan names field, rule and value, and nothing is written."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from escalon.cli import app


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("kind: boin, target: 1", "rule.boin.target: Input should be less than 1; got 1"),
        ("kind: boin, target: .3, p_saf: .5", "p_saf < target < p_tox < 1 is required; got 0.5, 0.3, 0.42"),
        ("kind: crm, target: .25, skeleton: [.1, .3, .2]", "value 3, 0.2, is not above value 2, 0.3"),
    ],
)
def test_field_rule_and_value(tmp_path: Path, rule: str, words: str) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(f"rule: {{{rule}}}\nlevels: 3\nmax_patients: 30\n")
    written = tmp_path / "table.csv"
    result = CliRunner().invoke(app, ["table", "--plan", str(path), "--csv", str(written)])
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Value error" not in result.stderr
    assert not written.exists()
