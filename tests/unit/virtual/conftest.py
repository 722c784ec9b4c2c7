from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from escalon.protocol import StudyFolder, load_study
from escalon.virtual.streams import Streams
from escalon.virtual.trajectory import Trajectory, simulate_patient

STUDY = Path(__file__).parents[3] / "studies" / "balli-01"
INFUSION = datetime(2022, 3, 1, 10, tzinfo=UTC)


@cache
def read_folder() -> StudyFolder:
    files = sorted(STUDY.rglob("*.yaml"))
    return load_study({path.relative_to(STUDY).as_posix(): path.read_text() for path in files})


@cache
def simulated(
    number: int, *, scenario: str | None = None, level: int = 3, seed: int = 1, regimen: str = "FCA"
) -> Trajectory:
    folder = read_folder()
    return simulate_patient(
        Streams(seed),
        folder.study,
        folder.scenarios.scenario(scenario),
        folder.scenarios.patients,
        number=number,
        dose_level=level,
        regimen=next(r for r in folder.study.regimens if r.id == regimen),
        process="P1",
        part="escalation",
    )


@pytest.fixture(scope="session")
def folder() -> StudyFolder:
    return read_folder()


@pytest.fixture(scope="session")
def simulate() -> Callable[..., Trajectory]:
    return simulated
