"""A fresh ledger on each database: SQLite always, PostgreSQL when ESCALON_TEST_DATABASE_URL names a server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import fresh_url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with fresh_url(request.param, tmp_path) as made:
        yield made
