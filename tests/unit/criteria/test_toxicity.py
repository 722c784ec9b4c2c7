"""CRS, ICANS, GvHD, ICAHT, IEC-HS: totality, missing input, refusals."""

import itertools

import pytest

from escalon.criteria import astct, crs_other, icaht, iec_hs, magic

OXYGEN = (
    "none",
    "low_flow_nasal",
    "blow_by",
    "high_flow_nasal",
    "facemask",
    "nonrebreather",
    "venturi",
    "cpap",
)


def test_every_combination_of_crs_findings_has_one_grade():
    for temperature, pressors, vasopressin, low, oxygen, hidden, attributed in itertools.product(
        (36.0, 37.9, 38.0, 41.0),
        (0, 1, 2, 3),
        (False, True),
        (None, False, True),
        OXYGEN,
        (False, True),
        (False, True),
    ):
        found = astct.grade_crs(
            temperature=temperature,
            vasopressors=pressors,
            vasopressin=vasopressin,
            hypotension=low,
            oxygen=oxygen,
            suppressed_fever=hidden,
            fever_attributed=attributed,
        )
        assert found.grade in (0, 1, 2, 3, 4)
        if not attributed or (temperature < 38.0 and not hidden):
            assert found.grade == 0


def test_crs_grade_rises_with_each_component():
    grades = [astct.grade_crs(temperature=39.0, vasopressors=n).grade for n in range(4)]
    assert grades == sorted(grades)
    grades = [astct.grade_crs(temperature=39.0, oxygen=code).grade for code in OXYGEN]
    assert grades == sorted(grades)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ({"temperature": None}, "temperature is missing"),
        ({"temperature": 39.0, "oxygen": "not_assessed"}, "oxygen not assessed"),
        ({"temperature": 39.0, "oxygen": "nasal_cannula"}, "oxygen not assessed"),
        ({"temperature": 39.0, "vasopressors": None}, "hypotension not assessed"),
        ({"temperature": 39.0, "vasopressors": None, "vasopressin": True}, "hypotension not assessed"),
        ({"temperature": 39.0, "hypotension": "not_assessed"}, "hypotension not assessed"),
        ({"temperature": 39.0, "vasopressors": 1, "oxygen": "not_assessed"}, "oxygen not assessed"),
    ],
)
def test_crs_missing_component(found, reason):
    result = astct.grade_crs(**found)
    assert result.grade is None
    assert reason in result.reasons


def test_what_is_missing_cannot_lower_the_worst_grade():
    assert astct.grade_crs(temperature=39.0, vasopressors=2, oxygen="not_assessed").grade == 4
    assert astct.grade_icans(ice=None, seizure="brief").grade == 3
    assert astct.grade_icans(ice=None, consciousness="unarousable").grade == 4
    assert magic.grade_gvhd(skin=None, liver=4, upper_gi=None, lower_gi=None).grade == 4


def test_hypotension_not_assessed_counts_only_where_it_could_matter():
    unknown = {"temperature": 39.0, "hypotension": "not_assessed"}
    low_flow = astct.grade_crs(
        **unknown, oxygen="low_flow_nasal"
    )  # without a vasopressor it is grade 2 at most
    assert (low_flow.grade, low_flow.reasons[-1]) == (2, "hypotension not assessed")
    assert astct.grade_crs(**unknown, vasopressors=1).grade == 3
    assert astct.grade_crs(temperature=37.0, hypotension="not_assessed").grade == 0
    assert astct.grade_crs(temperature=37.0, hypotension="not_assessed", suppressed_fever=True).grade is None


def test_a_seizure_of_five_minutes_is_not_prolonged():
    assert astct.grade_icans(ice=9, seizure="brief", seizure_minutes=5).grade == 3
    assert astct.grade_icans(ice=9, seizure="brief", seizure_minutes=5.1).grade == 4


def test_vasopressin_alone_is_one_vasopressor():
    assert astct.grade_crs(temperature=39.0, vasopressin=True).grade == 3


def test_hidden_fever_without_other_sign_is_not_crs():
    assert astct.grade_crs(temperature=36.8, suppressed_fever=True).grade == 0
    assert astct.grade_crs(temperature=None, suppressed_fever=True, hypotension=True).grade == 2


def test_ice_is_total_and_monotone():
    grades = [astct.grade_icans(ice=ice).grade for ice in range(11)]
    assert grades == [3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 0]


def test_icans_domain_with_another_cause():
    both = astct.grade_icans(ice=4, seizure="brief", not_attributable=("seizure",))
    assert both.grade == 2
    assert "seizure has another cause and is not counted" in both.reasons
    assert astct.grade_icans(ice=None, not_attributable=("ice",)).grade == 0


def test_icans_missing_domains():
    assert astct.grade_icans(ice=None).grade is None
    assert astct.grade_icans(ice=9, edema="not_assessed").grade is None
    assert astct.grade_icans(ice=9, death=True).grade == 5


def test_gvhd_missing_organ_that_matters():
    assert magic.grade_gvhd(skin=1, liver=None, upper_gi=0, lower_gi=0).grade is None
    assert magic.grade_gvhd(skin=None, liver=2, upper_gi=None, lower_gi=0).grade is None
    assert magic.stage_skin(None).stage is None
    assert magic.stage_liver(None).stage is None
    assert magic.stage_upper_gi(None).stage is None
    assert magic.stage_lower_gi().stage is None


def test_higher_stage_of_volume_and_episodes():
    assert magic.stage_lower_gi(weight=70, volume=600, episodes=8).stage == 3
    assert magic.stage_lower_gi(weight=50, volume=25).stage == 2
    assert magic.stage_lower_gi(weight=50.1, volume=25).stage == 0
    assert magic.stage_lower_gi(volume=0, bloody_stool=True).stage == 4


def test_iec_hs():
    assert [
        iec_hs.grade_iec_hs(diagnosed=True, severity=s).grade for s in ("none_or_mild", "life_threatening")
    ] == [1, 4]
    assert iec_hs.grade_iec_hs(diagnosed=False).grade == 0
    assert iec_hs.grade_iec_hs(diagnosed=None).grade is None
    assert iec_hs.grade_iec_hs(diagnosed=True).grade is None
    assert iec_hs.grade_iec_hs(diagnosed=True, death=True).grade == 5


def test_older_crs_systems_at_their_ends():
    calm = crs_other.CrsFindings(temperature=37.0)
    assert crs_other.grade_crs_lee_2014(calm).grade == 0
    assert crs_other.grade_crs_ctcae_v5(crs_other.CrsFindings()).grade is None
    assert crs_other.grade_crs_ctcae_v5(crs_other.CrsFindings(temperature=38.0, vasopressors=2)).grade == 4
    assert crs_other.grade_crs_lee_2014(crs_other.CrsFindings(temperature=38.0, organ_toxicity=4)).grade == 4
    assert crs_other.grade_crs_lee_2014(crs_other.CrsFindings(death=True)).grade == 5
    rich = crs_other.CrsFindings(temperature=38.0, oxygen_fraction=40)
    assert (crs_other.grade_crs_lee_2014(rich).grade, crs_other.grade_crs_ctcae_v5(rich).grade) == (3, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: astct.grade_icans(ice=11), "ice"),
        (lambda: astct.grade_icans(ice=-1), "ice"),
        (lambda: astct.grade_icans(ice=7.5), "ice"),
        (lambda: astct.grade_icans(ice=9, seizure="long"), "seizure"),
        (lambda: astct.grade_icans(ice=9, not_attributable=("mood",)), "not_attributable"),
        (lambda: astct.grade_crs(temperature=385), "temperature"),
        (lambda: astct.grade_crs(temperature=39, vasopressors=-1), "vasopressors"),
        (lambda: astct.grade_crs(temperature=39, oxygen="tent"), "oxygen"),
        (lambda: magic.grade_gvhd(skin=5, liver=0, upper_gi=0, lower_gi=0), "skin"),
        (lambda: magic.grade_gvhd(skin=0, liver=0, upper_gi=2, lower_gi=0), "upper_gi"),
        (lambda: magic.grade_gvhd(skin=1.5, liver=0, upper_gi=0, lower_gi=0), "skin"),
        (lambda: magic.grade_gvhd(skin=0, liver=0, upper_gi=0, lower_gi=0, death=True), "death"),
        (lambda: magic.stage_skin(101), "bsa"),
        (lambda: magic.stage_liver(2.0, unit="mg"), "unit"),
        (lambda: icaht.grade_icaht([1, 2], [0.1], "early"), "days"),
        (lambda: icaht.grade_icaht([1], [-0.1], "early"), "count"),
        (lambda: icaht.grade_icaht([1], [0.1], "middle"), "period"),
        (lambda: iec_hs.grade_iec_hs(diagnosed=True, severity="bad"), "severity"),
        (lambda: crs_other.CrsFindings(oxygen_fraction=0.4), "oxygen_fraction"),
    ],
)
def test_refusals_name_the_field(call, message):
    with pytest.raises(ValueError, match=message):
        call()
