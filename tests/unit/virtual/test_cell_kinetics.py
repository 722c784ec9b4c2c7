import math

import numpy as np
import pytest

from escalon.protocol import StudyFolder
from escalon.virtual.cell_kinetics import CellCourse, draw_cell_course
from escalon.virtual.pharmacokinetics import Exposure
from escalon.virtual.streams import Streams
from tests.published import stein_2019


def _typical(rejection: float = 0.0) -> CellCourse:
    days = np.arange(0.0, 400.0, 0.1)
    loss = rejection * np.maximum(days - stein_2019.TYPICAL["tmax"], 0.0)
    return CellCourse(**stein_2019.TYPICAL, deviate=0.0, days=days, rejection=loss)


@pytest.mark.parametrize(("day", "copies"), stein_2019.COPIES.items())
def test_typical_course_of_stein(day: float, copies: float) -> None:
    assert _typical().copies(day)[0] == pytest.approx(copies, abs=0.05)  # one decimal is printed


def test_typical_areas_of_stein() -> None:
    days = np.linspace(0, 84, 84001)
    copies = _typical().copies(days)
    assert np.trapezoid(copies[days <= 28], days[days <= 28]) == pytest.approx(stein_2019.AUC_0_28, rel=1e-4)
    assert np.trapezoid(copies, days) == pytest.approx(stein_2019.AUC_0_84, rel=1e-4)


def test_doubling_time() -> None:
    first, second = _typical().copies([3.0, 4.0])
    assert math.log(2) / math.log(second / first) == pytest.approx(stein_2019.DOUBLING_DAYS, abs=5e-4)


def test_rejection_multiplies_the_published_curve() -> None:
    days = np.array([5.0, 9.3, 20.0, 60.0])
    ratio = _typical(0.2).copies(days) / _typical().copies(days)
    assert ratio == pytest.approx(np.exp(-0.2 * np.maximum(days - 9.3, 0.0)))


def test_population_with_clls52_is_typical_and_seldom_seen_past_six_weeks(simulate: object) -> None:
    with_it = [simulate(n).cells for n in range(1, 61)]  # type: ignore[operator]
    without = [simulate(n, regimen="FC").cells for n in range(1, 61)]  # type: ignore[operator]
    median = math.exp(np.mean(np.log([c.cmax for c in with_it])))
    # four standard errors of the mean of log Cmax over 60 patients, omega^2 0.65
    assert abs(math.log(median / stein_2019.TYPICAL["cmax"])) < 4 * math.sqrt(0.65 / 60)
    assert median > 2.0 * math.exp(np.mean(np.log([c.cmax for c in without])))
    days = np.arange(0.0, 150.0, 1.0)
    last = [days[c.copies(days) > 50.0].max(initial=0.0) for c in with_it]
    assert 28 <= np.median(last) <= 45
    assert np.median([days[c.copies(days) > 50.0].max(initial=0.0) for c in without]) < np.median(last) - 7


def test_more_depletion_more_expansion(folder: StudyFolder, simulate: object) -> None:
    kinetics = folder.scenarios.patients.ucart22
    deep: Exposure = simulate(2).exposure  # type: ignore[operator]
    shallow: Exposure = simulate(2, regimen="FC").exposure  # type: ignore[operator]
    a = draw_cell_course(Streams(1), 2, kinetics, deep, 150.0)
    b = draw_cell_course(Streams(1), 2, kinetics, shallow, 150.0)
    assert (a.tmax, a.alpha, a.deviate) == (b.tmax, b.alpha, b.deviate)
    assert a.cmax > b.cmax
