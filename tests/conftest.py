from pathlib import Path

import pytest

from escalon.pipeline import open_study
from escalon.protocol import StudyFolder
from tests.study_files import BALLI


@pytest.fixture(scope="session")
def balli() -> StudyFolder:
    return open_study(BALLI)


@pytest.fixture
def ledger_path(tmp_path: Path) -> str:
    return str(tmp_path / "ledger.db")
