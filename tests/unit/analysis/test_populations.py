from datetime import date

import polars as pl
import pytest

from escalon.analysis.populations import BALLI_POPULATIONS, Criterion, Population, derive_populations

ADSL = pl.DataFrame(
    {
        "USUBJID": ["1", "2", "3"],
        "ENRLDT": [date(2024, 1, 1)] * 3,
        "LDSTDT": [date(2024, 1, 5), date(2024, 1, 5), None],
        "CARTDT": [date(2024, 1, 10), None, None],
        "DLTSTAT": ["NO_DLT", None, None],
        "BLDISFL": ["Y", "Y", None],
        "RSPASSFL": ["N", None, None],
        "CLLSDT": [date(2024, 1, 5), date(2024, 1, 5), None],
        "NPKCONC": [0, 4, None],
        "NCKCONC": [3, 0, None],
    }
)


def test_flags_and_first_reason():
    out = derive_populations(ADSL)
    assert out["SAFFL"].to_list() == ["Y", "N", "N"]
    assert out["SAFRS"].to_list() == [None, "no UCART22 infusion", "no lymphodepletion dose"]
    assert out["DLTEVLFL"].to_list() == ["Y", "N", "N"]
    assert out["RSPEVLRS"][0] == "no adequate assessment, early progression or death after infusion"
    assert out["PKFL"].to_list() == ["N", "Y", "N"]
    assert out["PKRS"].to_list() == ["no usable CLLS52 concentration", None, "no CLLS52 dose"]


def test_names_fit_transport_files():
    for p in BALLI_POPULATIONS:
        assert len(p.flag) <= 8
        assert p.flag.endswith("FL")


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("==", 4, "NYN"),
        ("!=", 4, "YNN"),
        (">", 0, "NYN"),
        ("<", 4, "YNN"),
        (">=", 0, "YYN"),
        ("<=", 0, "YNN"),
        ("in", (0, 9), "YNN"),
        ("present", None, "YYN"),
        ("absent", None, "NNY"),
    ],
)
def test_operators_treat_missing_as_not_met(operator, value, expected):
    population = Population("x", "XFL", (Criterion("NPKCONC", operator, value, "no"),))
    assert "".join(derive_populations(ADSL, [population])["XFL"]) == expected


def test_a_population_without_criteria_is_everybody():
    assert derive_populations(ADSL, [Population("all", "ALLFL", ())])["ALLFL"].to_list() == ["Y", "Y", "Y"]


def test_bad_definitions():
    with pytest.raises(ValueError, match="adsl lacks CARTDT"):
        derive_populations(ADSL.drop("CARTDT"))
    with pytest.raises(ValueError, match="operator '~'"):
        Criterion("A", "~", 1, "no")
