"""`escalon roles` prints the table obeyed; `escalon access` says who had which rights on a day."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from escalon.cli import app
from escalon.conduct.act import Refused, Signed
from escalon.conduct.people.commands import RevokeRole
from escalon.conduct.roles import ALLOWED, roles_page
from escalon.protocol import StudyFolder
from escalon.store.execute import LedgerWriter
from tests.act import ADMINISTRATOR, COORDINATOR, STAFF, T0, opening


@pytest.fixture
def ledger(tmp_path: Path, balli: StudyFolder) -> str:
    """Everybody on T0; the coordinator of site 01 until noon of the day after."""
    url = str(tmp_path / "ledger.db")
    noon = (T0 + timedelta(days=1)).replace(hour=12)
    with LedgerWriter(url, balli) as writer:
        for actor, command in opening(balli):
            assert not isinstance(writer.execute(Signed(command, actor, T0)), Refused)
        gone = RevokeRole(COORDINATOR.id, "coordinator", "01", "left the site")
        assert not isinstance(writer.execute(Signed(gone, ADMINISTRATOR, noon)), Refused)
    return url


def run(*args: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(args))
    assert result.exit_code == code, result.output
    return result.output


def test_roles_as_text_page_and_json() -> None:
    shown = run("roles")
    assert all(command.__name__ in shown for command in ALLOWED)
    (line,) = [line for line in shown.splitlines() if " ConfirmSlot " in line]
    assert "Sign off consent" in line
    assert "investigator" in line
    assert run("roles", "--markdown") == roles_page()
    acts = {row["act"]: row["roles"] for row in json.loads(run("roles", "--json"))["acts"]}
    assert acts == {command.__name__: list(roles) for command, roles in ALLOWED.items()}


def test_access_lists_everybody_with_a_right_on_the_day(ledger: str) -> None:
    day, next_day, later = (f"{T0 + timedelta(days=days):%Y-%m-%d}" for days in (0, 1, 2))
    everybody = len(STAFF) + 2  # the sponsor and the administrator
    for on, count in ((day, everybody), (next_day, everybody), (later, everybody - 1)):
        assert len(json.loads(run("access", ledger, "--on", on, "--json"))["rights"]) == count
    assert "left the site" in run("access", ledger, "--on", next_day)
    assert run("access", ledger, "--on", "2019-12-31").startswith("0 rights of 0 persons")
    before = json.loads(run("access", ledger, "--on", f"{next_day}T11:59Z", "--json"))["rights"]
    after = json.loads(run("access", ledger, "--on", f"{next_day}T12:00Z", "--json"))["rights"]
    assert len(before) - len(after) == 1


@pytest.mark.parametrize("on", ["yesterday", "2020-13-01", "2020-01-06T10:00"])
def test_a_day_that_is_none_is_refused_with_what_would_be_right(ledger: str, on: str) -> None:
    assert "2026-05-04" in run("access", ledger, "--on", on, code=2)
