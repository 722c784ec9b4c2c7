"""A further infusion in the database: one row a number, tied to its clearance, not before its time."""

from datetime import timedelta

import pytest

from escalon.conduct import commands as c
from escalon.conduct.slots import commands as slots
from escalon.store.execute import LedgerWriter
from escalon.store.rebuild import rebuild
from escalon.store.verify import verify_ledger
from tests.act import COORDINATOR, Desk
from tests.databases import ask
from tests.unit.conduct.test_slots_exposures import approve, cells, observed, redosing
from tests.unit.store.test_projections import EARLY, LATE, REFUSED, tables

ROW = "INSERT INTO further_infusion VALUES ('S', '001', ?, ?, ?, 'P1', 1, ?, ?, ?, 1)"


def again(url: str, exposure: int = 2, **changes: object) -> None:
    said = {"level": 2, "regimen": "FC", "cleared": 2, "at": LATE, "earliest": EARLY, **changes}
    ask(url, ROW, exposure, *said.values())


def test_the_database_refuses_a_further_infusion_that_is_not_cleared_too_early_or_told_twice(
    url: str,
) -> None:
    tables(url)
    with pytest.raises(Exception, match=REFUSED):
        again(url)
    ask(url, "INSERT INTO clearance VALUES ('S', 1, 'FC', 'P1', 2, 1, 0, 1)")
    again(url)
    for wrong in (
        {"exposure": 3, "level": 3, "at": "2020-03-06T09:00:00.000000+00:00"},
        {"exposure": 3, "level": 3, "cleared": 3, "at": "2020-03-06T09:00:00.000000+00:00"},
        {"exposure": 3, "regimen": "FCA", "at": "2020-03-06T09:00:00.000000+00:00"},
        {"exposure": 1, "at": "2020-03-06T09:00:00.000000+00:00"},
        {"exposure": 3, "at": EARLY, "earliest": LATE},
        {"exposure": 3, "at": "2020-03-06"},
        {"exposure": 2, "at": "2020-03-06T09:00:00.000000+00:00"},
        {"exposure": 3},
    ):
        with pytest.raises(Exception, match=r"(?i)further_infusion|dose lock|foreign key|unique"):
            again(url, **wrong)  # type: ignore[arg-type]
    with pytest.raises(Exception, match="further_infusion_not_early"):
        ask(url, "UPDATE further_infusion SET earliest_at = ?", "2021-01-01T00:00:00.000000+00:00")
    ask(url, "UPDATE clearance SET revoked = 1")
    with pytest.raises(Exception, match="dose lock"):
        again(url, 3, at="2020-03-06T09:00:00.000000+00:00")
    assert ask(url, "SELECT exposure, dose_level FROM further_infusion") == [(2, 2)]


def redosed() -> Desk:
    """001 judged and infused again, then the moment of the further infusion corrected."""
    desk = observed(redosing())
    approve(desk)
    desk.must(COORDINATOR, cells(desk, EXLOT="L-2"))
    desk.now += timedelta(days=2)
    desk.must(COORDINATOR, cells(desk, moment=desk.now - timedelta(days=1), EXLOT="L-3"))
    return desk


def written(url: str, desk: Desk, until: type[c.Command] | None = None) -> int:
    """Write what the desk was sent, up to the first command of a type; return how many acts that were."""
    acts = desk.sent
    if until is not None:
        acts = acts[: next(place for place, one in enumerate(acts) if isinstance(one.command, until))]
    with LedgerWriter(url, desk.folder) as writer, writer.batch():
        for signed in acts:
            assert not isinstance(writer.execute(signed), c.Refused)
    return len(acts)


def test_a_further_infusion_becomes_a_row_that_a_correction_leaves_as_it_was_recorded(url: str) -> None:
    desk = redosed()
    written(url, desk)
    given = next(one.event for one in desk.facts if type(one.event).__name__ == "ReinfusionPermitted")
    ((patient, exposure, level, cleared, infused_at, earliest),) = ask(
        url,
        "SELECT patient, exposure, dose_level, cleared_level, infused_at, earliest_at FROM further_infusion",
    )
    assert (patient, exposure, level, cleared) == ("001", 2, 1, 1)
    assert infused_at == given.infused_at.isoformat(timespec="microseconds")  # type: ignore[attr-defined]
    assert earliest <= infused_at
    assert rebuild(url, check=True) == ()
    assert all(one.holds for one in verify_ledger(url))
    ask(url, "UPDATE further_infusion SET infused_at = ?", "2030-01-01T00:00:00.000000+00:00")
    assert {one.table for one in rebuild(url, check=True)} >= {"further_infusion"}
    rebuild(url, check=False)
    assert ask(url, "SELECT infused_at FROM further_infusion") == [(infused_at,)]
    if url.startswith("postgresql"):
        ask(url, "DELETE FROM further_infusion")
        assert any("delete by role" in one.what for one in rebuild(url, check=True))


def test_a_ledger_without_the_table_is_migrated_and_goes_on(url: str) -> None:
    desk = redosed()
    done = written(url, desk, until=slots.ApproveRedosing)
    ask(url, "DROP TABLE further_infusion")
    if url.startswith("postgresql"):
        ask(url, "DROP FUNCTION further_infusion_lock()")
    ask(url, "DELETE FROM django_migrations WHERE name = '0007_further_infusion'")
    with LedgerWriter(url, desk.folder) as writer:
        for signed in desk.sent[done:]:
            assert not isinstance(writer.execute(signed), c.Refused)
    assert ask(url, "SELECT patient, exposure FROM further_infusion") == [("001", 2)]
    assert rebuild(url, check=True) == ()
    with pytest.raises(Exception, match="dose lock"):
        ask(url, "UPDATE further_infusion SET regimen = 'unknown'")
