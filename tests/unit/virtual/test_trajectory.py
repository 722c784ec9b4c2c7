from collections import Counter
from datetime import date, datetime, timedelta

import numpy as np
import pytest

from escalon.conduct.adverse_event_checks import wrong_event
from escalon.conduct.derived_grades import derive_grade, grade_panels
from escalon.conduct.dlt_record import assess_dlt
from escalon.conduct.events import DltStatus
from escalon.conduct.state import Patient, Record
from escalon.protocol import StudyFolder
from escalon.virtual.streams import Streams
from escalon.virtual.trajectory import Act, Trajectory, simulate_patient
from tests.unit.virtual.conftest import INFUSION, simulated

COHORT = [(n, "middle", "FCA") for n in range(1, 61)] + [(n, "all-toxic", "FC") for n in range(61, 121)]


def _all() -> list[Trajectory]:
    return [simulated(n, scenario=scenario, regimen=regimen) for n, scenario, regimen in COHORT]


def _acts(trajectory: Trajectory) -> list[Act]:
    return [act for _, act in trajectory.acts(INFUSION)]


def _as_recorded(trajectory: Trajectory, until: datetime) -> Patient:
    records = {}
    for seq, (moment, act) in enumerate(trajectory.acts(INFUSION)):
        if moment <= until:
            records[act.record] = Record("001", act.form, act.record, 1, act.visit, act.values, moment, seq)
    given = trajectory.infused
    return Patient(
        "001", "01", "escalation", 1, "2022-02-10", None, INFUSION, 3, "FCA", "P1",
        infused_at=INFUSION if given else None, dose_fraction=trajectory.dose_fraction if given else None,
        records=records,
    )  # fmt: skip


def test_every_entry_is_an_acceptable_form(folder: StudyFolder) -> None:
    problems = [
        problem
        for trajectory in _all()
        for act in _acts(trajectory)
        for problem in folder.forms[act.form].check(act.values)
    ]
    assert problems == []
    forms = Counter(act.form for trajectory in _all() for act in _acts(trajectory))
    assert set(forms) == set(folder.forms)


def test_every_dlt_is_one_by_the_criteria_and_nothing_else_is(folder: StudyFolder) -> None:
    settled = INFUSION + timedelta(days=44)
    seen = Counter()
    for trajectory in _all():
        proposal = assess_dlt(_as_recorded(trajectory, settled), folder, settled)
        assert (proposal.status is DltStatus.DLT) == (trajectory.dlt_kind is not None), proposal
        assert proposal.status is not DltStatus.PENDING
        seen[trajectory.dlt_kind] += 1
    assert len(seen) >= 8  # most kinds of event really occurred


@pytest.mark.parametrize("level", [1, 4])
def test_dlt_frequency_is_the_scenario_s(folder: StudyFolder, level: int) -> None:
    from escalon.virtual.dose_limiting import draw_dlt_kind

    prob = folder.scenarios.scenario().prob_tox[level - 1]
    limits, n = folder.scenarios.patients.dose_limiting, 4000
    count = sum(draw_dlt_kind(Streams(3), i, limits, prob, True) is not None for i in range(n))
    assert abs(count / n - prob) < 4 * np.sqrt(prob * (1 - prob) / n)  # four standard errors


def test_dlt_frequency_end_to_end(folder: StudyFolder) -> None:
    infused = [t for t, c in zip(_all(), COHORT, strict=True) if t.infused and c[1] == "all-toxic"]
    prob = folder.scenarios.scenario("all-toxic").prob_tox[2]
    share = sum(t.dlt_kind is not None for t in infused) / len(infused)
    assert abs(share - prob) < 4 * np.sqrt(prob * (1 - prob) / len(infused))


def test_grades_agree_with_the_recorded_components() -> None:
    """Save for the CRS that a site records one grade lower than its own findings."""
    checked, lower = Counter(), 0
    for trajectory in _all():
        meant_lower = {event.onset for event in trajectory.events if event.recorded is not None}
        for act in (act for act in _acts(trajectory) if act.form == "AE"):
            v, found = act.values, derive_grade(act.values)
            if found is None:
                continue
            low = bool(meant_lower) and v["AECAT"] == "CRS" and found.grade == 2 and v["AETOXGR"] == 1
            assert found.grade == v["AETOXGR"] + low, v
            checked[v["AECAT"]] += 1
            lower += low
    assert min(checked[c] for c in ("CRS", "ICANS", "GVHD", "IEC-HS")) >= 4
    assert 0 < lower < 0.3 * checked["CRS"]


def test_no_entry_speaks_against_itself_or_the_study(folder: StudyFolder) -> None:
    events = [act.values for t in _all() for act in _acts(t) if act.form == "AE"]
    assert [wrong for values in events if (wrong := wrong_event(values, folder))] == []


def test_a_cytopenia_has_the_grade_of_the_worst_result_taken_during_it(folder: StudyFolder) -> None:
    seen = Counter()
    for trajectory in _all():
        patient = _as_recorded(trajectory, INFUSION + timedelta(days=800))
        for record in (r for r in patient.forms("AE") if r.values["AECAT"] == "CYTOPENIA"):
            v = record.values
            end = datetime.fromisoformat(v["AEENDTC"]) if "AEENDTC" in v else None
            start = datetime.fromisoformat(v["AESTDTC"])
            panels = grade_panels(patient, folder.study, v["AEDECOD"], start, end)
            assert panels is not None
            worst = max((p.grade.grade or 0 for p in panels), default=None)
            seen[worst == v["AETOXGR"]] += 1
    assert seen[True] > 0.95 * seen.total()  # a patient may leave before the result is entered


def test_liver_enzymes_rise_together(folder: StudyFolder) -> None:
    share = folder.scenarios.patients.laboratory.ast_with_alt
    found = [one.laboratory for one in _all() if any(b.parameter == "ALT" for b in one.laboratory.bumps)]
    assert found
    for lab in found:
        days = np.arange(0.0, 60.0, 0.5)
        rises = {name: lab.values(name, days) - lab.start[name] for name in ("ALT", "AST", "ALP")}
        assert rises["ALT"].max() > 0
        np.testing.assert_allclose(rises["AST"], share * rises["ALT"], atol=1e-9)  # sums of doubles
        assert not rises["ALP"].any()


def test_entries_are_in_order_and_nothing_is_known_too_early() -> None:
    for trajectory in _all():
        moments = [moment for moment, _ in trajectory.acts(INFUSION)]
        assert moments == sorted(moments)
        known: set[str] = set()
        for moment, act in trajectory.acts(INFUSION):
            assert act.amends == (act.record in known) == (act.reason is not None)
            known.add(act.record)
            for name, value in act.values.items():
                if name.endswith("DTC"):
                    assert value[:10] <= moment.date().isoformat(), (act.record, name)
                if name.endswith("DTC") and len(value) > 10:
                    assert datetime.fromisoformat(value) <= moment, (act.record, name)


def test_nothing_happens_after_death_or_departure() -> None:
    ends = Counter()
    for trajectory in _all():
        acts = _acts(trajectory)
        last = next(act for act in acts if act.record == "DS-END")
        assert acts[-1] is last
        ends[last.values["DSDECOD"]] += 1
        if last.values["DSDECOD"] == "DEATH":
            assert last.values["DTHCAUS"]
            statuses = [act.values["SSORRES"] for act in acts if act.form == "SS"]
            assert statuses.count("DEAD") == 1
            assert statuses[-1] == "DEAD"
        fatal = [act for act in acts if act.form == "AE" and act.values["AESDTH"] == "Y"]
        died_of_event = last.values.get("DTHCAUS") == "ADVERSE EVENT"
        assert len(fatal) == int(died_of_event)
    assert {"DEATH", "COMPLETED", "NOT INFUSED"} <= set(ends)


def test_not_infused_has_lymphodepletion_only() -> None:
    left = [t for t in _all() if not t.infused]
    assert left
    for trajectory in left:
        acts = _acts(trajectory)
        treatments = {act.values["EXTRT"] for act in acts if act.form == "EX"}
        assert "UCART22" not in treatments
        assert "FLUDARABINE" in treatments
        assert acts[-1].values["DSDECOD"] == "NOT INFUSED"
        assert trajectory.dlt_kind is None
        assert max(act.day for act in acts) < 0


def test_clls52_samples_only_with_clls52() -> None:
    for trajectory, (_, _, regimen) in zip(_all(), COHORT, strict=True):
        analytes = {act.values["PCTEST"] for act in _acts(trajectory) if act.form == "PC"}
        assert ("CLLS52" in analytes) == (regimen == "FCA")


def test_a_value_below_quantification_is_not_printed() -> None:
    samples = [act.values for t in _all() for act in _acts(t) if act.form == "PC"]
    assert any(v["PCBLQ"] == "Y" for v in samples)
    for v in samples:
        assert ("PCORRES" in v) == (v["PCBLQ"] == "N")
        assert v.get("PCORRES", v["PCLLOQ"]) >= v["PCLLOQ"]


def test_response_follows_the_scenario_and_the_criteria(folder: StudyFolder) -> None:
    """Frequency of response at DL2i, and the investigator calls what the truth is."""
    first = [t for t, c in zip(_all(), COHORT, strict=True) if c[1] == "middle" and t.infused]
    prob = folder.scenarios.scenario().prob_response[2]
    share = sum(t.disease.remission for t in first) / len(first)
    assert abs(share - prob) < 4 * np.sqrt(prob * (1 - prob) / len(first))
    called = Counter()
    for t in first:
        for act in _acts(t):
            if act.form == "RS" and act.visit == "D28":
                remission = act.values["RSORRES"] in ("CR", "CRi", "MLFS", "NE_APLASTIC")
                called[remission == t.disease.remission] += 1
    assert called[False] == 0
    assert called[True] > 30


def test_day_84_and_month_3_mostly_share_one_marrow() -> None:
    counts = Counter()
    for trajectory in _all():
        visits = {act.visit for act in _acts(trajectory) if act.form == "RS"}
        if trajectory.disease.assessed_until > 100 and visits & {"D84", "M3"}:
            counts[len(visits & {"D84", "M3"})] += 1
    assert counts[1] > counts[2]


def test_one_patient_does_not_depend_on_another(folder: StudyFolder) -> None:
    again = simulate_patient(
        Streams(1),
        folder.study,
        folder.scenarios.scenario("middle"),
        folder.scenarios.patients,
        number=7,
        dose_level=3,
        regimen=folder.study.regimens[1],
        process="P1",
        part="expansion",
    )
    assert again.acts(INFUSION) == simulated(7, scenario="middle").acts(INFUSION)
    other = simulated(7, scenario="middle", seed=2)
    assert other.patient != again.patient


def test_kinetics_of_a_patient_do_not_depend_on_the_dose_level() -> None:
    low, high = simulated(9, level=1), simulated(9, level=4)
    assert low.patient == high.patient
    assert low.cells.cmax == high.cells.cmax
    assert np.array_equal(low.exposure.states, high.exposure.states)


def test_dates_move_with_the_infusion_and_consent_is_given() -> None:
    trajectory = simulated(5)
    early = trajectory.acts(INFUSION, date(2022, 1, 20))
    late = trajectory.acts(INFUSION + timedelta(days=10), date(2022, 1, 20))
    assert {b - a for (a, _), (b, _) in zip(early, late, strict=True)} == {timedelta(days=10)}
    consent = next(act for _, act in early if act.record == "DS-CONSENT")
    assert consent.values["DSSTDTC"] == "2022-01-20"


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        simulated(5).acts(datetime(2022, 3, 1, 10))


def test_a_level_without_probability_is_refused() -> None:
    with pytest.raises(ValueError, match="levels 1 to 4"):
        simulated(5, level=5)
