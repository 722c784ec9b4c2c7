"""Relatedness, seriousness, expectedness, emergence, catalogue and dictionaries."""

from datetime import date
from itertools import product

import pytest

from escalon.criteria import catalogue, clinical, dictionaries, ice, iec_hs, magic, relatedness, seriousness
from escalon.criteria.lab_rules import load_rules


def test_the_sponsor_never_lowers():
    for investigator, sponsor in product(relatedness.SCALE, repeat=2):
        found = relatedness.combine("UCART22", investigator, sponsor)
        assert relatedness.rank(found.combined) == max(
            relatedness.rank(investigator), relatedness.rank(sponsor)
        )
        assert found.related is (relatedness.rank(found.combined) >= 2)
        lowered = relatedness.rank(sponsor) < relatedness.rank(investigator)
        assert ("the sponsor does not lower the investigator's opinion" in found.reasons) is lowered


def test_missing_opinions():
    assert relatedness.combine("UCART22", None, None).related
    assert relatedness.combine("UCART22", None, None).combined is None
    assert not relatedness.combine("UCART22", "UNLIKELY", None).related
    both = relatedness.combine_all({"UCART22": "POSSIBLE"}, {"CLLS52": "UNLIKELY"})
    assert {cause: row.related for cause, row in both.items()} == {"UCART22": True, "CLLS52": False}
    with pytest.raises(ValueError, match="relatedness"):
        relatedness.is_related("maybe")


def test_every_cause_is_judged_apart():
    found = relatedness.combine_all(
        {"UCART22": "POSSIBLE", "CLLS52": "NOT RELATED", "FLUDARABINE": None},
        {"CLLS52": "PROBABLE", "UCART22": "NOT RELATED"},
        causes=relatedness.CAUSES,
    )
    assert list(found) == list(relatedness.CAUSES)
    assert {"UCART22", "CLLS52", "FLUDARABINE", "CYCLOPHOSPHAMIDE", "PROCEDURE", "DISEASE", "OTHER"} <= set(
        found
    )
    ucart, clls = found["UCART22"], found["CLLS52"]
    assert (ucart.investigator, ucart.sponsor, ucart.grade, ucart.related) == (
        "POSSIBLE", "NOT RELATED", "POSSIBLE", True)  # fmt: skip
    assert (clls.investigator, clls.sponsor, clls.grade, clls.related) == (
        "NOT RELATED",
        "PROBABLE",
        "PROBABLE",
        True,
    )
    assert (found["FLUDARABINE"].grade, found["DISEASE"].grade) == (None, None)
    assert ucart.clause != found["DISEASE"].clause
    strict = relatedness.combine_all({"UCART22": "POSSIBLE"}, {}, "PROBABLE")
    assert not strict["UCART22"].related
    with pytest.raises(ValueError, match="relatedness"):
        relatedness.combine_all({"UCART22": "MAYBE"}, {}, causes=relatedness.CAUSES)


def test_not_yet_judged_is_not_known():
    assert seriousness.judge_seriousness(None).holds is None
    assert seriousness.judge_seriousness(None).reasons == ("investigator: not yet judged",)
    assert seriousness.judge_seriousness((), None).response is None
    assert seriousness.judge_seriousness(None, ["DEATH"]).response == "YES"
    assert seriousness.judge_seriousness((), ()).response == "NO"
    with pytest.raises(ValueError, match="investigator: 'DEATH' is one word"):
        seriousness.judge_seriousness("DEATH")
    unknown = seriousness.judge_expectedness("CRS", None, "UCART22", None, [OLD])
    assert (unknown.holds, unknown.reasons) == (None, ("onset and grade not known",))
    with pytest.raises(ValueError, match="first_doses of CLLS52"):
        seriousness.judge_emergence(1.0, {"CLLS52": float("nan")})


def test_either_is_enough_for_serious():
    assert not seriousness.judge_seriousness(()).holds
    found = seriousness.judge_seriousness(["HOSPITALISATION"], ["HOSPITALISATION", "LIFE_THREATENING"])
    assert (found.holds, found.clause) == (True, "LIFE_THREATENING")
    assert found.reasons == ("LIFE_THREATENING: sponsor", "HOSPITALISATION: investigator and sponsor")
    with pytest.raises(ValueError, match="sponsor"):
        seriousness.judge_seriousness((), ["SEVERE"])


OLD = seriousness.ReferenceSafetyInformation("UCART22", "1", date(2024, 1, 1), {"Pyrexia": 2})
NEW = seriousness.ReferenceSafetyInformation("UCART22", "2", date(2024, 7, 1), {"pyrexia": 3, "CRS": 4})


@pytest.mark.parametrize(
    ("term", "grade", "onset", "expected"),
    [
        ("pyrexia", 2, date(2024, 6, 30), True),
        ("pyrexia", 3, date(2024, 6, 30), False),
        ("pyrexia", 3, date(2024, 7, 1), True),
        ("CRS", 4, date(2024, 6, 30), False),
        ("CRS", 4, date(2024, 7, 1), True),
        ("CRS", 5, date(2024, 7, 1), False),
        ("pyrexia", 1, date(2023, 12, 31), False),
    ],
)
def test_expectedness_by_the_reference_of_the_day(term, grade, onset, expected):
    assert seriousness.judge_expectedness(term, grade, "UCART22", onset, [NEW, OLD]).holds is expected
    assert not seriousness.judge_expectedness(term, grade, "CLLS52", onset, [NEW, OLD]).holds


def test_expectedness_refuses():
    with pytest.raises(ValueError, match="same day"):
        seriousness.judge_expectedness("CRS", 1, "UCART22", date(2024, 8, 1), [OLD, OLD])
    with pytest.raises(ValueError, match="grade"):
        seriousness.judge_expectedness("CRS", 0, "UCART22", date(2024, 8, 1), [OLD])


def test_emergence_is_per_product():
    doses = {"CLLS52": -5.0, "UCART22": 0.0, "OTHER": None}

    def emergent(*given):
        return [row.holds for row in seriousness.judge_emergence(given[0], doses, *given[1:]).values()]

    assert emergent(-6.0) == [False, False, False]
    assert emergent(-5.0) == [True, False, False]
    assert emergent(0.0) == [True, True, False]
    assert emergent(-6.0, 3.0) == [True, True, False]
    assert emergent(None) == [True, True, False]


def test_ice_from_its_items():
    full = ice.score_ice(orientation=4, naming=3, command=1, writing=1, attention=1)
    assert (full.score, full.grade) == (10, 10)
    assert ice.score_ice(orientation=0, naming=0, command=0, writing=0, attention=0).score == 0
    open_ = ice.score_ice(orientation=4, naming=None, command=1, writing=1, attention=1)
    assert (open_.score, open_.reasons[0]) == (None, "missing: naming")
    with pytest.raises(ValueError, match="naming"):
        ice.score_ice(orientation=4, naming=4, command=1, writing=1, attention=1)


def test_iec_hs_from_stored_components():
    findings = iec_hs.IecHsFindings(ferritin=12000, fibrinogen=1.0, haemophagocytosis=True, fever=False)
    cutoffs = {"ferritin": {"op": ">", "limit": 10000}, "fibrinogen": {"op": "<", "limit": 1.0}}
    found = iec_hs.grade_iec_hs(diagnosed=True, severity="severe", findings=findings, cutoffs=cutoffs)
    assert (found.grade, found.clause) == (3, "severe, not life-threatening")
    for words in ("ferritin 12000 ug/L, meets > 10000", "fibrinogen 1 g/L, not < 1", "haemophagocytosis present",
                  "fever absent", "not assessed: ast, alt, ldh, triglycerides, cytopenia, splenomegaly"):  # fmt: skip
        assert words in found.reasons
    open_ = iec_hs.grade_iec_hs(diagnosed=None, findings=findings)
    assert (open_.grade, open_.reasons[0]) == (None, "diagnosis is missing")
    assert iec_hs.grade_iec_hs(diagnosed=False, findings=iec_hs.IecHsFindings()).grade == 0
    for call, message in [
        (lambda: iec_hs.IecHsFindings(ferritin=-1), "ferritin"),
        (lambda: iec_hs.IecHsFindings(fever="no"), "fever"),
        (lambda: iec_hs.grade_iec_hs(diagnosed=True, cutoffs={"mood": {"op": ">", "limit": 1}}), "cutoffs"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()


def test_organ_stages_are_results():
    stages = (
        magic.stage_skin(30),
        magic.stage_skin(60, bullae=True, desquamation_bsa=6),
        magic.stage_skin(None),
        magic.stage_liver(4),
        magic.stage_upper_gi(True),
        magic.stage_lower_gi(volume=600),
        magic.stage_lower_gi(bloody_stool=True),
    )
    for stage in stages:
        assert stage.grade == stage.stage
        assert stage.clause
        assert stage.reasons


def test_catalogue_search():
    found = catalogue.search_terms("count decreased")
    assert "Neutrophil count decreased" in [term.term for term in found]
    assert catalogue.search_terms("sepsis")[0].term == "Sepsis"
    assert catalogue.search_terms("other", limit=1000, soc="Cardiac disorders")[0].is_other
    catalogue.check_grade("Sepsis", 3)
    for call, message in [
        (lambda: catalogue.check_grade("Sepsis", 2), "grade"),
        (lambda: catalogue.find_term("Sepsiss"), "near: Sepsis"),
        (lambda: catalogue.search_terms("x", limit=0), "limit"),
        (lambda: catalogue.search_terms("x", soc="Moods"), "soc"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()


def test_catalogue_of_version_6_holds_laboratory_terms_only():
    assert catalogue.find_term("thrombocytopenia", "6.0").grades == (1, 2, 3, 4)
    assert catalogue.find_term("Anemia", "6.0").grades == (1, 2, 3, 4)  # grade 4 is the clinical one
    assert catalogue.find_term("Hyperglycemia", "6.0").grades == (1, 2, 3, 4)  # grades 1 and 2 when fasting
    for term, grade in [("Anemia", 4), ("Anemia", 5), ("Headache", 4), ("No such term", 1)]:
        catalogue.check_grade(term, grade, "6.0")
    assert [term.term for term in catalogue.search_terms("headache", version="6.0")] == []
    for call, message in [
        (lambda: catalogue.check_grade("Alkaline phosphatase increased", 3, "6.0"), "it has 1$"),
        (lambda: catalogue.find_term("Headache", "6.0"), "laboratory term, and no others are held"),
        (lambda: catalogue.find_term("Headache", "4.03"), "version"),
        (lambda: catalogue.check_grade("Headache", 1, "4.03"), "version"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize("version", ["5.0", "6.0"])
def test_laboratory_rules_and_the_catalogue_name_the_same_grades(version):
    rules, named = load_rules(version), {term.term: term for term in catalogue.load_terms(version)}
    shared = set(rules) & set(named)
    assert len(shared) > 35
    for term in shared:
        own = {grade for grade, _ in (*rules[term].grades, *rules[term].clinical)}
        assert own <= set(named[term].grades)
        assert set(named[term].grades) <= own | {5} or any(other.startswith(f"{term} (") for other in rules)


def test_clinical_refusals():
    for call, message in [
        (lambda: clinical.grade_fever(395), "temperature"),
        (lambda: clinical.grade_qtc(5), "value"),
        (lambda: clinical.grade_ejection_fraction(50, 120), "baseline"),
        (lambda: clinical.grade_finding("Headache", "mild"), "term"),
        (lambda: clinical.grade_finding("Sepsis", "mild"), "finding of Sepsis"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()


EVENTS = """llt_code,llt_term,pt_code,pt_term,hlt_code,hlt_term,hlgt_code,hlgt_term,soc_code,soc_term
1,Made-up fever,10,Made-up pyrexia,100,Level,1000,Group,10000,Class
2,"Fever, made up",10,Made-up pyrexia,100,Level,1000,Group,10000,Class
"""
DRUGS = """code,name,atc_code,atc_text
D1,Madeupzumab,L01,antineoplastic
D1,Madeupzumab,L04,immunosuppressant
"""


def test_dictionaries_of_the_user():
    events = dictionaries.load_event_dictionary("\ufeff" + EVENTS, "test 1")
    assert events.find("fever, MADE UP").pt_term == "Made-up pyrexia"
    drugs = dictionaries.load_drug_dictionary(DRUGS, "test 1")
    assert [row.atc_code for row in drugs.find("madeupzumab")] == ["L01", "L04"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: header is missing"),
        ("code,name\n", "line 1: header is code,name"),
        (EVENTS.splitlines()[0], "line 2: the dictionary holds no row"),
        (EVENTS + "3,,10,x,100,x,1000,x,10000,x\n", "line 4: llt_term"),
        (EVENTS + "3,x,10\n", "line 4: number of cells"),
        (EVENTS + "9,made-up FEVER,10,x,100,x,1000,x,10000,x\n", "line 4: 'made-up FEVER' has codes 1 and 9"),
    ],
)
def test_broken_dictionaries_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        dictionaries.load_event_dictionary(text, "1")


def test_dictionary_lookups_refuse():
    events = dictionaries.load_event_dictionary(EVENTS, "1")
    with pytest.raises(ValueError, match="term"):
        events.find("nothing")
    with pytest.raises(ValueError, match="name"):
        dictionaries.load_drug_dictionary(DRUGS, "1").find("nothing")
    with pytest.raises(ValueError, match="version"):
        dictionaries.load_event_dictionary(EVENTS, " ")
