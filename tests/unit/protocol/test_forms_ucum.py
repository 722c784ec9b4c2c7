"""Conversion of UCUM units: stated factors of laboratory practice, and laws that hold for every unit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalon.protocol.forms_ucum import ucum_factor

UNITS = st.sampled_from(
    ["g/L", "mg/dL", "ng/mL", "10*9/L", "/uL", "10*3/uL", "U/L", "ukat/L", "mmol/L", "umol/L", "meq/L", "mm[Hg]", "kPa",
     "kg", "[lb_av]", "min", "h", "d", "a", "h/(ng.mL)", "Cel", "[degF]", "%", "{copies}/ug", "[IU]/L", "m2", "cm"]
)  # fmt: skip


@pytest.mark.parametrize(
    ("unit", "into", "factor"),
    [
        ("/uL", "10*9/L", 0.001),
        ("10*3/uL", "10*9/L", 1),
        ("10*6/uL", "10*12/L", 1),
        ("g/dL", "g/L", 10),
        ("mg/dL", "g/L", 0.01),
        ("ng/mL", "ug/L", 1),
        ("mmol/L", "umol/L", 1000),
        ("U/L", "ukat/L", 1 / 60),  # 1 kat is 60,000,000 U
        ("meq/L", "mmol/L", 1),
        ("mm[Hg]", "kPa", 0.133322),
        ("[lb_av]", "kg", 0.45359237),
        ("[in_i]", "cm", 2.54),
        ("{copies}/ug", "{copies}/mg", 1000),
        ("h/(ng.mL)", "min/(ng.mL)", 60),
        ("/(h.L)", "/(min.L)", 1 / 60),
        ("m2", "cm2", 10000),
        ("wk", "d", 7),
        ("%", "1", 0.01),
        ("cal", "J", 4.184),
        ("mg/dL", "umol/L", None),
        ("K", "Cel", None),
        ("[degF]", "Cel", None),
        ("Cel", "Cel", 1),
        ("g", "kat", None),
        ("[IU]/L", "U/L", None),
        ("10^9/L", "litre", None),
        ("km", "mmol", None),
    ],
)
def test_factors_of_practice(unit: str, into: str, factor: float | None) -> None:
    assert ucum_factor(unit, into) == (None if factor is None else pytest.approx(factor, rel=1e-15))


@given(UNITS, UNITS, UNITS)
def test_a_conversion_and_its_way_back_cancel_and_conversions_chain(one: str, two: str, three: str) -> None:
    there, back = ucum_factor(one, two), ucum_factor(two, one)
    assert (there is None) == (back is None)
    if there is None or back is None:
        return
    assert there * back == pytest.approx(1, rel=1e-14)
    on = ucum_factor(two, three)
    assert (on is None) == (ucum_factor(one, three) is None)
    if on is not None:
        assert there * on == pytest.approx(ucum_factor(one, three), rel=1e-14)
