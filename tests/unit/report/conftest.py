from pathlib import Path

import pytest

from escalon.pipeline import open_study
from escalon.report.html import render_html
from escalon.report.run_info import RunInfo
from tests.unit.report.example import make_state
from tests.unit.report.example_adam import make_adam

INFO = RunInfo("escalon 0.1.0", "c0ffee" * 10 + "abcd", seed=1, scenario="plateau")


@pytest.fixture(scope="session")
def folder():
    return open_study(Path(__file__).parents[3] / "studies" / "balli-01")


@pytest.fixture(scope="session")
def adam():
    return make_adam()


@pytest.fixture(scope="session")
def state(folder):
    return make_state(folder.hash)


@pytest.fixture(scope="session")
def page(adam, state, folder):
    return render_html(adam, state, folder, None, INFO)
