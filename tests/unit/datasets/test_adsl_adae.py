from datetime import date, timedelta

import polars as pl
import pytest

from escalon.conduct.events import DltStatus
from escalon.datasets import build_adam, build_sdtm
from tests.unit.datasets.cases import INFUSION, edge_state, make_state, moment, study, treated

D0 = INFUSION.date()


def derive(*builders):
    state = make_state(*(builder.built() for builder in builders))
    return build_adam(build_sdtm(state, study()), state, study())


@pytest.fixture(scope="module")
def people(adam):
    return {row["SUBJID"]: row for row in adam["ADSL"].iter_rows(named=True)}


def test_populations_with_the_reason_of_each_exclusion(people):
    flags = ("ENRLFL", "LDFL", "SAFFL", "DLTEVLFL", "RSPEVLFL", "PKFL", "CKFL")
    found = {patient: "".join(row[flag] for flag in flags) for patient, row in people.items()}
    assert found == {
        "001": "YYYYYYY",
        "002": "YYNNNNN",
        "003": "YYYNYNN",
        "004": "YYYYYNN",
        "005": "YYYYYNY",
        "006": "YNNNNNN",
    }
    assert people["002"]["SAFRS"] == people["002"]["DLTEVLRS"] == "no UCART22 infusion"
    assert people["003"]["DLTEVLRS"] == "DLT window not evaluable or still open"
    assert people["005"]["PKRS"] == "no CLLS52 dose"
    assert people["004"]["PKRS"] == "no usable CLLS52 concentration"
    assert people["001"]["SAFRS"] is None


def test_dose_level_label_regimen_and_dates(people):
    one, two = people["001"], people["002"]
    assert (one["TRT01P"], one["TRT01A"], one["TRT01AN"], one["LDREGI"], one["DOSEFR"]) == (
        "DL1",
        "DL1",
        1,
        "FCA",
        1.0,
    )
    assert (two["TRT01P"], two["TRT01A"], two["INFDT"]) == ("DL1", None, None)
    assert one["TRTSDT"] == one["LDSDT"] == one["CLLSDT"] == D0 - timedelta(days=5)
    assert one["INFDT"] == D0
    assert people["005"]["CLLSDT"] is None


def test_baseline_is_what_was_seen_before_the_first_dose(people):
    one = people["001"]
    assert (one["WEIGHTBL"], one["HEIGHTBL"], one["ECOGBL"], one["BLASTBL"]) == (71.5, 168.0, 1, 60.0)
    assert (one["PRIORLIN"], one["PRIORSCT"], one["PRIORCD"], one["CD22PCT"]) == (3, "Y", "N", 92.5)


def test_dlt_status_comes_from_the_adjudication(people):
    assert (people["001"]["DLTSTAT"], people["001"]["DLTFL"], people["001"]["DLTCLS"]) == ("DLT", "Y", "2")
    assert (people["004"]["DLTSTAT"], people["004"]["DLTFL"]) == ("NO_DLT", "N")
    assert (people["003"]["DLTSTAT"], people["003"]["DLTFL"]) == ("NOT_EVALUABLE", None)


def test_death_transplant_therapy_and_end_of_study(people):
    assert (people["001"]["EOSSTT"], people["001"]["DCSREAS"]) == ("DISCONTINUED", "DEATH")
    assert people["001"]["DTHDT"] == D0 + timedelta(days=150)
    assert people["001"]["DTHCAUS"] == "DISEASE PROGRESSION"
    assert people["001"]["NEWTRTDT"] == D0 + timedelta(days=90)
    assert people["004"]["SCTDT"] == D0 + timedelta(days=70)
    assert (people["004"]["EOSSTT"], people["004"]["LSTALVDT"]) == ("ONGOING", D0 + timedelta(days=400))
    assert people["006"]["LSTALVDT"] == D0 - timedelta(days=15)


def test_last_alive_is_never_after_death(adam):
    dead = adam["ADSL"].filter(DTHFL="Y")
    assert dead.height == 3
    assert (dead["LSTALVDT"] <= dead["DTHDT"]).all()


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (["COMPLETED"], ("COMPLETED", None)),
        (["LOST TO FOLLOW-UP"], ("DISCONTINUED", "LOST TO FOLLOW-UP")),
        (["NOT INFUSED", "WITHDRAWAL BY SUBJECT"], ("DISCONTINUED", "WITHDRAWAL BY SUBJECT")),
        (["NOT INFUSED"], ("DISCONTINUED", "NOT INFUSED")),
        ([], ("ONGOING", None)),
    ],
)
def test_end_of_study_status(terms, expected):
    builder = treated("001")
    for place, term in enumerate(terms):
        builder.add("DS", None, DSDECOD=term, DSSTDTC=builder.day(100 + place))
    row = derive(builder)["ADSL"].row(0, named=True)
    assert (row["EOSSTT"], row["DCSREAS"]) == expected


def test_early_death_is_response_evaluable_and_late_death_unassessed_is_not():
    # Two response visits may be missed: the second, Day 56, closes on day 63.
    early, late = treated("001").death(63), treated("002").death(64)
    found = derive(early, late)["ADSL"]["RSPEVLFL"].to_list()
    assert found == ["Y", "N"]


def test_pending_patients_are_not_dlt_evaluable():
    row = derive(treated("001", dlt_status=DltStatus.PENDING))["ADSL"].row(0, named=True)
    assert (row["DLTEVLFL"], row["DLTSTAT"], row["DLTFL"]) == ("N", "PENDING", None)


def test_frames_of_another_cut_are_refused(sdtm):
    other = make_state(*(p for p in edge_state().patients.values() if p.patient != "006"))
    with pytest.raises(ValueError, match="differ in patients 006"):
        build_adam(sdtm, other, study())


def test_adae_emergence_relation_and_days(adam):
    rows = adam["ADAE"].filter(SUBJID="001").sort("ASTDT")
    columns = ("ATOXGRN", "LDEMFL", "TRTEMFL", "RELUC", "RELLD", "ARDY", "ANYSER", "AESICAT")
    assert rows.select(columns).rows() == [
        (1, "N", "N", "N", "N", -10, "N", None),
        (2, "Y", "N", "N", "Y", -4, "N", None),
        (3, "Y", "Y", "Y", "N", 2, "Y", "CRS"),
    ]
    crs = rows.row(2, named=True)
    assert (crs["AEDUR"], crs["AEGRSYS"], crs["RELCY"]) == (7.0, "ASTCT 2019", "N")
    assert adam["ADAE"].filter(SUBJID="002").select("RELCL", "RELLD", "SAFFL", "LDFL").rows() == [
        ("Y", "Y", "N", "Y")
    ]


@pytest.mark.parametrize(("minutes", "flag"), [(-1, "N"), (0, "Y"), (1, "Y")])
def test_onset_is_compared_to_the_minute_of_the_infusion(minutes, flag):
    builder = treated("001").event(0, 2, AESTDTC=moment(minutes / 1440))
    assert derive(builder)["ADAE"]["TRTEMFL"].to_list() == [flag]


def test_every_source_of_an_event_exists(sdtm, adam):
    parents = set(sdtm["AE"].select("USUBJID", "AESEQ").rows())
    assert set(adam["ADAE"].select("USUBJID", "SRCSEQ").rows()) == parents


def test_subject_keys_agree_with_adsl_everywhere(adam):
    keys = ["USUBJID", "PART", "COHORT", "DOSELVL", "TRT01A", "LDREGI", "PROCESS", "SAFFL", "LDFL"]
    known = set(adam["ADSL"].select(keys).rows())
    for name in ("ADAE", "ADRS", "ADTTE", "ADPC", "ADPP", "ADLB"):
        assert set(adam[name].select(keys).rows()) <= known, name
        assert adam[name].height > 0


def test_one_parameter_code_has_one_name_and_one_unit(adam):
    for name in ("ADRS", "ADTTE", "ADPC", "ADPP", "ADLB"):
        frame = adam[name]
        assert frame.group_by("PARAMCD").agg(pl.col("PARAM").n_unique())["PARAM"].max() == 1, name
        if "AVALU" in frame.columns:
            by = ["PARAMCD", "ANALYTE"] if name == "ADPP" else ["PARAMCD"]
            units = frame.group_by(by).agg(pl.col("AVALU").drop_nulls().n_unique())
            assert units["AVALU"].max() == 1, name


def test_ages_of_a_patient_without_forms_are_missing_not_invented(people):
    assert people["006"]["AGE"] is None
    assert people["006"]["ICDT"] == date(2021, 2, 23)


def test_a_record_dated_after_the_death_shows_no_life():
    row = derive(treated("001").alive(20).labs(30, NEUT=1.0).death(25))["ADSL"].row(0, named=True)
    assert row["LSTALVDT"] == D0 + timedelta(days=20)


def test_a_cell_sample_before_the_infusion_is_no_post_infusion_sample():
    before, after = (
        treated("001").sample("UCART22", -1, None, blq=True),
        treated("002").sample("UCART22", 1, 60.0),
    )
    adsl = derive(before, after)["ADSL"]
    assert adsl.select("NCKCONC", "CKFL").rows() == [(0, "N"), (1, "Y")]
