import polars as pl
import pytest

from escalon.datasets import build_adam, build_sdtm
from tests.unit.datasets.cases import edge_state, study


@pytest.fixture(scope="session")
def sdtm() -> dict[str, pl.DataFrame]:
    return build_sdtm(edge_state(), study())


@pytest.fixture(scope="session")
def adam(sdtm) -> dict[str, pl.DataFrame]:
    return build_adam(sdtm, edge_state(), study())
