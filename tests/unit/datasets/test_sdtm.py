from datetime import datetime

import polars as pl
import pytest

from escalon.conduct.state import State
from escalon.datasets import build_sdtm, load_spec
from escalon.datasets.sdtm.pc import planned_day
from escalon.datasets.sdtm.subject import render_iso, render_number
from tests.unit.datasets.cases import Builder, day_text, edge_state, make_state, moment, study, treated

ONE = "BALLI-01-01-001"


def own(frame: pl.DataFrame, patient: str) -> pl.DataFrame:
    return frame.filter(pl.col("USUBJID") == f"BALLI-01-01-{patient}")


@pytest.mark.parametrize("name", [n for n, s in load_spec("sdtm").items() if f"{n}SEQ" in s.columns])
def test_sequence_numbers_run_from_one_without_gaps(name, sdtm):
    for (_,), rows in sdtm[name].group_by("USUBJID"):
        assert sorted(rows[f"{name}SEQ"]) == list(range(1, rows.height + 1))


def test_study_days_have_no_day_zero_and_start_at_the_first_dose(sdtm):
    ex = own(sdtm["EX"], "001")
    assert ex["EXSTDTC"].min() == render_iso(moment(-5))
    assert sorted(set(ex["EXSTDY"])) == [1, 2, 3, 6]
    for name in ("EX", "AE", "LB", "VS", "RS", "PC", "DS", "CM", "PR", "SS"):
        days = [c for c in sdtm[name].columns if c.endswith("DY")]
        assert not any((sdtm[name][c] == 0).any() for c in days), name


def test_day_before_the_first_dose_is_minus_one():
    patient = treated("001").labs(-6, NEUT=1.0).labs(-5, NEUT=1.0).built()
    lb = build_sdtm(make_state(patient), study())["LB"].filter(LBTESTCD="NEUT", LBCAT="HEMATOLOGY")
    assert lb["LBDY"].to_list() == [-9, -1, 1]


def test_epochs_follow_the_treatment(sdtm):
    events = own(sdtm["AE"], "001").sort("AESTDTC")
    assert events["EPOCH"].to_list() == ["SCREENING", "LYMPHODEPLETION", "TREATMENT"]
    responses = own(sdtm["RS"], "001").filter(RSTESTCD="OVRLRESP")
    # Day 28 is the last day of the DLT window, so still treatment.
    assert responses["EPOCH"].to_list() == ["SCREENING", "TREATMENT", "FOLLOW-UP"]


def test_a_patient_never_dosed_has_no_study_days_and_only_screening(sdtm):
    ds = own(sdtm["DS"], "006")
    assert ds.select("DSDECOD", "DSSTDY", "EPOCH", "DSSPID").rows() == [
        ("INFORMED CONSENT OBTAINED", None, "SCREENING", "ENROLMENT")
    ]


def test_dm_tells_arm_death_and_what_is_not_assigned(sdtm):
    dm = {row["SUBJID"]: row for row in sdtm["DM"].iter_rows(named=True)}
    assert (dm["001"]["ARMCD"], dm["001"]["ACTARMCD"], dm["001"]["DTHDTC"]) == (
        "DL1-FCA",
        "DL1-FCA",
        day_text(150),
    )
    assert (dm["005"]["ARM"], dm["005"]["DTHFL"]) == ("UCART22 DL2i after FC", None)
    assert (dm["006"]["ARMNRS"], dm["006"]["ARMCD"]) == ("NOT ASSIGNED", None)
    assert dm["001"]["RFSTDTC"] == dm["001"]["RFXSTDTC"] == render_iso(moment(-5))


def test_trial_facts_stand_in_suppdm(sdtm):
    found = dict(own(sdtm["SUPPDM"], "001").select("QNAM", "QVAL").rows())
    assert found["DLTSTAT"] == "DLT"
    assert found["DLTCLS"] == "2"
    assert found["PART"] == "ESCALATION"
    assert found["DOSEFR"] == "1"
    assert dict(own(sdtm["SUPPDM"], "002").select("QNAM", "QVAL").rows())["RELEASED"] == "infection"


def test_death_falls_back_to_survival_status_and_fatal_event():
    told = treated("001").add("SS", None, SSDTC=day_text(9), SSORRES="DEAD").built()
    fatal = treated("002").event(3, 5, AEOUT="FATAL", AEENDTC=moment(7)).built()
    dm = build_sdtm(make_state(told, fatal), study())["DM"]
    assert dm["DTHDTC"].to_list() == [day_text(9), day_text(7)]


def test_supplemental_records_point_to_existing_parents(sdtm):
    for name, frame in sdtm.items():
        if not name.startswith("SUPP"):
            continue
        domain = name[4:]
        key = pl.lit("") if domain == "DM" else pl.col(f"{domain}SEQ").cast(pl.String)
        parents = set(sdtm[domain].select("USUBJID", key.alias("key")).rows())
        assert frame.height > 0
        assert set(frame.select("USUBJID", "IDVARVAL").rows()) <= parents


def test_last_observation_before_exposure_is_one_per_test(sdtm):
    flagged = sdtm["LB"].filter(LBLOBXFL="Y")
    assert not flagged.select("USUBJID", "LBTESTCD", "LBCAT", "LBSPEC").is_duplicated().any()
    assert flagged.filter(pl.col("LBDY") > 1).height == 0
    assert flagged.height > 20


def test_reference_limits_follow_the_sex(sdtm):
    hemoglobin = own(sdtm["LB"], "001").filter(LBTESTCD="HGB")
    assert set(hemoglobin["LBSTNRLO"]) == {120.0}
    assert set(hemoglobin["LBNRIND"]) == {"LOW"}
    unknown = Builder("009").labs(-14, HGB=130.0, ALT=41.0).built()
    lb = build_sdtm(make_state(unknown), study())["LB"].sort("LBTESTCD")
    assert lb.select("LBTESTCD", "LBSTNRLO", "LBSTNRHI", "LBNRIND").rows() == [
        ("ALT", None, 40.0, "HIGH"),
        ("HGB", None, None, None),
    ]


def test_marrow_results_are_linked_to_their_assessment(sdtm):
    lb, rs = own(sdtm["LB"], "001"), own(sdtm["RS"], "001")
    linked = lb.filter(LBCAT="DISEASE ASSESSMENT", LBLNKGRP="RS-002")
    assert dict(linked.select("LBTESTCD", "LBSTRESN").rows())["MRD"] == 0.00005
    assert linked.filter(LBTESTCD="MRD")["LBLLOD"][0] == "0.00001"
    assert set(linked["LBLNKGRP"]) <= set(rs["RSLNKGRP"].drop_nulls())
    assert sdtm["RELREC"].select("RDOMAIN", "IDVAR").rows() == [("LB", "LBLNKGRP"), ("RS", "RSLNKGRP")]


def test_mrd_words_are_kept_when_there_is_no_fraction():
    patient = treated("001").marrow(28, MRDRES="NOT DETECTED", MRDVAL=0.0, MRDSENS=1e-4)
    patient.marrow(56, MRDRES="NOT DONE").marrow(84, MRDRES="DETECTED")
    lb = build_sdtm(make_state(patient.built()), study())["LB"].filter(LBTESTCD="MRD")
    rows = lb.select("LBSTRESC", "LBSTRESN", "LBSTAT", "LBLLOD").rows()
    assert rows == [
        ("NOT DETECTED", None, None, "0.0001"),
        (None, None, "NOT DONE", None),
        ("DETECTED", None, None, None),
    ]


def test_an_assessment_without_investigator_response_is_not_done(sdtm):
    rows = own(sdtm["RS"], "004").filter(RSTESTCD="OVRLRESP")
    assert set(rows["RSSTAT"]) == {"NOT DONE"}
    assert rows["RSSTRESC"].null_count() == rows.height


def test_concentrations_count_from_their_own_product(sdtm):
    pc = own(sdtm["PC"], "001")
    drug, cells = pc.filter(PCTESTCD="CLLS52"), pc.filter(PCTESTCD="UCART22")
    assert set(drug["PCRFTDTC"]) == {render_iso(moment(-5))}
    assert set(cells["PCRFTDTC"]) == {render_iso(moment(0))}
    assert drug.filter(PCTPTNUM=-4.9)["PCELTM"][0] == "PT2H24M"
    assert cells.filter(PCTPTNUM=7.0)["PCELTM"][0] == "PT168H"
    blq = drug.filter(PCSTRESC="BLQ")
    assert blq.height == 3
    assert blq["PCSTRESN"].null_count() == 3
    assert own(sdtm["PC"], "005").filter(PCSTAT="NOT DONE").height == 1


def test_planned_day_reads_the_time_point():
    assert planned_day("Day -4.9 pre-dose") == -4.9
    assert planned_day("END OF INFUSION") is None


def test_iso_is_utc_and_needs_a_zone():
    assert render_iso("2021-03-04T00:30:00+02:00") == "2021-03-03T22:30:00"
    with pytest.raises(ValueError, match="needs its zone"):
        render_iso("2021-03-04T00:30:00")
    with pytest.raises(ValueError, match="month"):
        render_iso("2021-13-04")


@pytest.mark.parametrize(
    ("value", "text"), [(5.0, "5"), (0.1, "0.1"), (1e-5, "0.00001"), (250, "250"), (1e6, "1000000")]
)
def test_numbers_print_short_and_read_back(value, text):
    assert render_number(value) == text
    assert float(text) == value


def test_records_in_another_order_give_the_same_data_sets(sdtm):
    state = edge_state()
    turned = {}
    for key in reversed(state.patients):
        patient = state.patients[key]
        records = dict(reversed(patient.records.items()))
        turned[key] = type(patient)(
            **{s: getattr(patient, s) for s in patient.__slots__} | {"records": records}
        )
    again = build_sdtm(State(study_id="BALLI-01", patients=turned), study())
    assert all(again[name].equals(frame) for name, frame in sdtm.items())


def test_a_study_without_patients_has_empty_data_sets():
    frames = build_sdtm(State(study_id="BALLI-01", at=datetime(2021, 1, 1)), study())
    assert {frame.height for frame in frames.values()} == {0}


def test_a_result_of_the_minute_or_the_day_of_the_first_dose_is_baseline():
    patient = treated("001").labs(-5, NEUT=1.0).labs(-4.99, NEUT=0.9).marrow(-5, BMBLAST=44.0).built()
    lb = build_sdtm(make_state(patient), study())["LB"].filter(LBLOBXFL="Y")
    found = {(row["LBTESTCD"], row["LBCAT"]): row["LBSTRESN"] for row in lb.iter_rows(named=True)}
    assert found["NEUT", "HEMATOLOGY"] == 1.0
    assert found["BMBLAST", "DISEASE ASSESSMENT"] == 44.0


def test_disposition_tells_the_death_before_the_survival_status():
    patient = treated("001").add("SS", None, SSDTC=day_text(11), SSORRES="DEAD")
    patient.add("DS", None, DSDECOD="DEATH", DSSTDTC=day_text(10), DTHCAUS="OTHER")
    assert build_sdtm(make_state(patient.built()), study())["DM"]["DTHDTC"].to_list() == [day_text(10)]
