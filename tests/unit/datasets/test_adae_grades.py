"""Derived grades, both views of cause, expectedness and emergence per product in ADAE; hematotoxicity in ADICAHT."""

from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest

from escalon.conduct.safety.state import Case, Safety
from escalon.datasets import build_adam, build_sdtm
from tests.unit.datasets.cases import Builder, make_state, study, treated

CRS = {"AECAT": "CRS", "AEGRSYS": "ASTCT 2019", "AEDECOD": "Cytokine release syndrome"}
FINDINGS = {"CRSTEMP": 39.4, "CRSATTR": "Y", "CRSHYPO": "Y", "CRSPRESS": 1, "CRSVASO": "N", "CRSOXY": "NONE"}
ALT = {"AECAT": "LABORATORY", "AEDECOD": "Alanine aminotransferase increased"}
SEEN = datetime(2021, 4, 1, tzinfo=UTC)


def derive(*builders: Builder, cases: tuple[Case, ...] = ()) -> dict[str, pl.DataFrame]:
    state = replace(make_state(*(b.built() for b in builders)), safety=Safety(cases=cases))
    return build_adam(build_sdtm(state, study()), state, study())


def event(*builders: Builder, cases: tuple[Case, ...] = ()) -> dict[str, object]:
    return derive(*builders, cases=cases)["ADAE"].row(0, named=True)


def test_a_grade_lower_than_its_components_is_shown_and_not_changed():
    row = event(treated("001").event(3, 2, **CRS, **FINDINGS))
    assert (row["ATOXGRN"], row["ADRVGR"], row["AWORSTGR"], row["ADRVAGFL"]) == (2, 3, 3, "N")
    assert row["ADRVSYS"] == "ASTCT CRS 2019"
    assert row["ADRVCLS"] == "one vasopressor, with or without vasopressin"
    assert "temperature 39.4" in str(row["ADRVRS"])


def test_a_missing_component_gives_no_grade_and_says_which():
    row = event(treated("001").event(3, 2, **CRS, **{k: v for k, v in FINDINGS.items() if k != "CRSPRESS"}))
    assert (row["ADRVGR"], row["ADRVAGFL"], row["AWORSTGR"]) == (None, None, 2)
    assert "hypotension not assessed" in str(row["ADRVRS"])


def test_gvhd_and_iec_hs_are_derived_and_judgement_is_not():
    gvhd = {"AECAT": "GVHD", "AEGRSYS": "MAGIC 2016", "AEDECOD": "Graft versus host disease"}
    stages = {"GVSKIN": 3, "GVLIVER": 0, "GVUGI": 0, "GVLGI": 0}
    assert event(treated("001").event(20, 2, **gvhd, **stages))["ADRVAGFL"] == "Y"
    hlh = {
        "AECAT": "IEC-HS",
        "AEGRSYS": "IEC-HS 2023",
        "AEDECOD": "IEC-HS",
        "HSDIAG": "Y",
        "HSSEVER": "SEVERE",
    }
    assert event(treated("001").event(9, 3, **hlh))["ADRVGR"] == 3
    nausea = event(treated("001").event(2, 2))
    assert (nausea["ADRVGR"], nausea["ADRVSYS"], nausea["ADRVAGFL"]) == (None, None, None)


def test_a_laboratory_term_takes_the_worst_result_taken_during_the_event():
    ended = {"AEENDTC": treated("001").at(12), "AEOUT": "RECOVERED/RESOLVED"}
    builder = treated("001").event(5, 2, **ALT, **ended)
    builder.labs(4, None, ALT=900.0).labs(6, None, ALT=130.0).labs(10, None, ALT=250.0).labs(
        13, None, ALT=900.0
    )
    row = event(builder)
    assert (row["ADRVGR"], row["ADRVAGFL"]) == (3, "N")  # 250 is above 5 x 40, and 900 lies outside the event
    assert row["ADRVCLS"] == "worst of 2 results: 250 U/L on 2021-03-20"
    without = event(treated("001").event(5, 2, **ALT, **ended))
    assert without["ADRVRS"] == "no result of this test was taken during the event"


def case(builder: Builder, causality: dict[str, str], serious: tuple[str, ...] = ()) -> Case:
    record = next(key for key, one in builder.records.items() if one.form == "AE")
    patient = builder.patient.patient
    return Case(
        1, patient, record, "", "", serious, False, SEEN, SEEN, SEEN, causality=causality, determined_at=SEEN
    )  # fmt: skip


@pytest.mark.parametrize(
    ("own", "sponsor", "related", "differ"),
    [
        ("PROBABLE", "UNLIKELY", "Y", "Y"),
        ("UNLIKELY", "POSSIBLE", "Y", "Y"),
        ("UNLIKELY", "UNLIKELY", "N", "N"),
    ],
)
def test_both_views_stand_side_by_side_and_the_higher_counts(own, sponsor, related, differ):
    builder = treated("001").event(3, 2, AERELUC=own, AERELPR="UNLIKELY")
    row = event(builder, cases=(case(builder, {"UCART22": sponsor}),))
    assert (row["AEREL"], row["SRELUC"], row["RELUC"], row["RELDIFFL"]) == (own, sponsor, related, differ)
    assert (row["RELPR"], row["RELCM"], row["SRELCL"]) == ("N", None, None)


def test_either_view_makes_an_event_serious_and_a_susar_needs_one_unexpected_product():
    builder = treated("001").event(3, 3, AERELUC="POSSIBLE")
    alone = event(builder)
    assert (alone["ANYSER"], alone["SUSARFL"], alone["EXPUC"], alone["RELDIFFL"]) == ("N", "N", "N", None)
    both = event(builder, cases=(case(builder, {"UCART22": "POSSIBLE"}, ("IMPORTANT_MEDICAL_EVENT",)),))
    assert (both["AESER"], both["ANYSER"], both["SUSARFL"]) == ("N", "Y", "Y")
    assert both["EXPUCRS"] == "unexpected: Nausea is not listed; UCART22 reference 1 of 2019-10-14"
    expected = event(treated("001").event(3, 2, AERELUC="POSSIBLE", AESER="Y", AESHOSP="Y", **CRS))
    assert (expected["EXPUC"], expected["SUSARFL"]) == ("Y", "N")


def test_emergence_is_relative_to_the_first_dose_of_each_product():
    names = ("TRTEMUC", "TRTEMCL", "TRTEMFLU", "TRTEMCY", "TRTEMFL", "LDEMFL")

    def flags(builder: Builder) -> str:
        row = event(builder)
        return "".join(str(row[name]) for name in names)

    assert flags(treated("001").event(3, 2)) == "YYYYYY"
    assert flags(treated("001").event(-4, 2)) == "NYYYNY"
    assert flags(treated("001").event(-6, 2)) == "NNNNNN"
    assert flags(treated("001", regimen="FC").event(3, 2)) == "YNYYYY"
    builder = treated("001")
    assert flags(builder.event(-4, 3, AEGRDTC=builder.at(1))) == "YYYYYY"  # worse after the infusion


def icaht(builder: Builder) -> dict[str, dict[str, object]]:
    return {row["PARAMCD"]: row for row in derive(builder)["ADICAHT"].iter_rows(named=True)}


def counts(builder: Builder, values: dict[int, tuple[float, float]]) -> Builder:
    for day, (neutrophils, platelets) in values.items():
        builder.labs(day, None, NEUT=neutrophils, PLAT=platelets)
    return builder


def test_hematotoxicity_from_the_series_of_counts():
    series = {0: (1.0, 80), 4: (0.3, 40), 18: (0.8, 60), 30: (1.2, 90), 45: (0.4, 15), 60: (2.0, 150)}
    rows = icaht(counts(treated("001"), series).alive(60))
    assert {code: row["AVAL"] for code, row in rows.items()} == {
        "ICAHTE": 3.0,  # 14 days at 0.5 or lower
        "ICAHTL": 3.0,
        "TICAHTE": 2.0,
        "TICAHTL": 4.0,
    }
    assert rows["ICAHTL"]["NTEST"] == 2
    assert all(row["GRDSYS"] and row["CLAUSE"] for row in rows.values())


def test_counting_stops_with_progression_and_what_is_not_known_is_no_grade_0():
    series = {0: (1.0, 80), 10: (0.9, 70), 20: (0.9, 70), 30: (0.9, 70), 45: (0.05, 9), 50: (0.05, 9)}
    rows = icaht(counts(treated("001").marrow(40, None, BMBLAST=80.0, RSORRES="PD"), series).alive(60))
    assert (rows["ICAHTL"]["STOPDY"], rows["ICAHTL"]["STOPRS"]) == (40, "progression or relapse")
    assert rows["ICAHTE"]["AVAL"] == 0.0
    assert rows["ICAHTL"]["AVALC"] == "NOT GRADABLE"
    assert "tests in the late period" in str(rows["ICAHTL"]["REASON"])
