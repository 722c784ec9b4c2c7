import os
from pathlib import Path

import pytest
from hypothesis import settings

from escalon.pipeline import open_study
from escalon.protocol import StudyFolder
from tests.study_files import BALLI

# A busy machine is no failure: tests state what is right, the benchmarks how fast.
settings.register_profile("escalon", deadline=None)
settings.load_profile("escalon")
# Tables fit the terminal; what tests look for in them must not hang on where the tests are run.
os.environ["COLUMNS"] = "200"


@pytest.fixture(scope="session")
def balli() -> StudyFolder:
    return open_study(BALLI)


@pytest.fixture
def ledger_path(tmp_path: Path) -> str:
    return str(tmp_path / "ledger.db")
