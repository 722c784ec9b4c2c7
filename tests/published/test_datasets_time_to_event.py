"""The six worked examples of the study's time-to-event definitions (reference figures of BALLI-01, section 11).

Days count from the infusion, day 0; lymphodepletion starts on day -5. The figures follow from the registered
definitions (NCT04150497: first day of study treatment; first of progression and death from any cause) and the
censoring assumptions of the platform.
"""

import pytest

from escalon.datasets import build_adam, build_sdtm
from tests.unit.datasets.cases import make_state, study, treated


def derive(builder, numerator=None) -> dict[str, tuple[float, int]]:
    plan = study()
    if numerator:
        plan = plan.model_copy(update={"response": plan.response.model_copy(update={"numerator": numerator})})
    state = make_state(builder.built())
    frame = build_adam(build_sdtm(state, plan), state, plan)["ADTTE"]
    return {row["PARAMCD"]: (row["AVAL"], min(row["CNSR"], 1)) for row in frame.iter_rows(named=True)}


EVENT, CENSORED = 0, 1


def test_complete_remission_day_28_relapse_day_84():
    found = derive(treated("001").marrow(28).marrow(84, BMBLAST=40.0))
    assert found["DOR"] == (56.0, EVENT)
    assert found["PFS"] == (89.0, EVENT)
    assert found["PFSI"] == (84.0, EVENT)


@pytest.mark.parametrize(("numerator", "days"), [(None, 90.0), (("CR", "CRi"), 62.0)])
def test_mlfs_day_28_remission_day_56_relapse_day_118(numerator, days):
    builder = treated("001").marrow(28, NEUT=0.2, PLAT=20.0).marrow(56).marrow(118, BMBLAST=40.0)
    assert derive(builder, numerator)["DOR"] == (days, EVENT)


def test_transplant_day_70_after_day_56_relapse_day_200():
    builder = treated("001").marrow(28).marrow(56).transplant(70).marrow(200, BMBLAST=40.0).alive(300)
    found = derive(builder)
    assert found["DOR"] == (28.0, CENSORED)
    assert found["DORS"] == (172.0, EVENT)
    assert found["OS"] == (305.0, CENSORED)


def test_two_missed_assessments_then_death_day_100():
    found = derive(treated("001").marrow(28).death(100))
    assert found["DOR"] == (0.0, CENSORED)
    assert found["DORS"] == (72.0, EVENT)


def test_never_assessed_alive_day_40():
    found = derive(treated("001").alive(40))
    assert found["PFS"] == (0.0, CENSORED)
    assert found["OSI"] == (40.0, CENSORED)
    assert found["OS"] == (45.0, CENSORED)


def test_death_day_20_before_any_assessment():
    found = derive(treated("001").death(20))
    assert (found["PFSI"], found["OSI"]) == ((20.0, EVENT), (20.0, EVENT))
    assert (found["PFS"], found["OS"]) == ((25.0, EVENT), (25.0, EVENT))
