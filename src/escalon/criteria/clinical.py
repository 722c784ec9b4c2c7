"""CTCAE v5.0 grades of the clinical terms this kind of study meets most: fever, heart, infections, infusion reactions.

Conventions: printed gaps are closed upwards (assumption). Where a change from baseline is part of the rule
and the baseline is missing, the value alone gives the grade, with a note; it never gives grade 0.

Source: NCI CTCAE v5.0, 27 Nov 2017.
"""

from collections.abc import Sequence
from typing import Any

from escalon.criteria.operators import meets
from escalon.criteria.plausible import check_temperature
from escalon.criteria.result import Grade, check_code, check_finite, check_flag
from escalon.criteria.tables import load_table


def _table() -> dict[str, Any]:
    return load_table("ctcae_v5_clinical.json")


def _result(grade: int | None, clause: str, *reasons: str) -> Grade:
    return Grade(grade, clause, reasons, "CTCAE", "5.0")


def grade_fever(temperature: float | None, *, hours_above_40: float | None = None) -> Grade:
    """Grade fever from the temperature (degC) and, above 40.0, its duration (hours).

    Raises:
        ValueError: for a temperature outside 25 to 45 or a negative duration.

    Example:
        >>> grade_fever(40.0).grade
        2
    """
    table = _table()
    check_temperature(temperature)
    check_finite("hours_above_40", hours_above_40)
    if temperature is None:
        return _result(None, "not gradable", "temperature is missing")
    shown = f"temperature {temperature:g} degC"
    if meets(temperature, table["fever_high"]):
        if hours_above_40 is None:
            return _result(None, "not gradable", "above 40.0 the hours decide between grades 3 and 4", shown)
        long = meets(hours_above_40, table["fever_high_hours"])
        return _result(4 if long else 3, f"above 40.0 for {hours_above_40:g} h", shown)
    return _ladder(table["fever_celsius"], temperature, "degC", (shown,))


def grade_febrile_neutropenia(
    *,
    anc: float | None,
    temperature: float | None,
    minutes_at_38: float = 0.0,
    life_threatening: bool = False,
) -> Grade:
    """Grade febrile neutropenia.

    Args:
        anc: neutrophils, 10^9/L.
        temperature: highest single reading, degC.
        minutes_at_38: minutes at 38.0 degC or more; 0 for a single reading.
        life_threatening: recorded as such (grade 4).

    Returns:
        0, 3 or 4; None when a value is missing.
    """
    rule = _table()["febrile_neutropenia"]
    check_finite("anc", anc)
    check_temperature(temperature)
    check_finite("minutes_at_38", minutes_at_38)
    check_flag("life_threatening", life_threatening)
    if anc is None or temperature is None:
        return _result(None, "not gradable", f"{'anc' if anc is None else 'temperature'} is missing")
    shown = (
        f"ANC {anc:g} x10^9/L",
        f"temperature {temperature:g} degC",
        f"{minutes_at_38:g} min at 38.0 or more",
    )
    sustained = meets(temperature, rule["sustained"]) and meets(minutes_at_38, rule["sustained_minutes"])
    hot = meets(temperature, rule["single"]) or sustained
    if not (meets(anc, rule["anc"]) and hot):
        return _result(0, "no febrile neutropenia", *shown)
    if life_threatening:
        return _result(4, "febrile neutropenia, life-threatening", *shown)
    limits = (
        f"{rule[name]['op']} {rule[name]['limit']:g}"
        for name in ("anc", "single", "sustained", "sustained_minutes")
    )
    return _result(3, "ANC {} with one reading {}, or {} for {} min".format(*limits), *shown)


def grade_ejection_fraction(value: float | None, baseline: float | None = None) -> Grade:
    """Grade a decreased ejection fraction from its value and its drop, both in percentage points.

    Raises:
        ValueError: for a percentage outside 0 to 100.
    """
    table = _table()
    check_finite("value", value, high=100.0)
    check_finite("baseline", baseline, high=100.0)
    drop = None if value is None or baseline is None else baseline - value
    return _worse(
        table["ejection_fraction_percent"],
        value,
        "%",
        table["ejection_fraction_drop"],
        drop,
        "points of drop",
    )


def grade_qtc(value: float | None, baseline: float | None = None, *, torsade: bool = False) -> Grade:
    """Grade a prolonged QTc from its value and its change from baseline, in milliseconds; torsade is grade 4.

    Raises:
        ValueError: for a value outside 100 to 1000.
    """
    table = _table()
    check_finite("value", value, low=100.0, high=1000.0)
    check_finite("baseline", baseline, low=100.0, high=1000.0)
    check_flag("torsade", torsade)
    if torsade:
        return _result(4, "torsade de pointes")
    change = None if value is None or baseline is None else value - baseline
    return _worse(table["qtc_ms"], value, "ms", table["qtc_change_ms"], change, "ms of change")


def grade_finding(term: str, finding: str | None) -> Grade:
    """Grade a clinical term from a coded finding, for example ``Sepsis`` and ``positive_culture``.

    Args:
        term: one of ``clinical_terms()``.
        finding: a code of ``clinical_findings(term)``, ``absent`` for grade 0, or None when not recorded.

    Raises:
        ValueError: for an unknown term or finding.
    """
    check_code("term", term, clinical_terms())
    if finding is None:
        return _result(None, "not gradable", f"no finding recorded for {term}")
    rows = _table()["terms"][term]
    check_code(f"finding of {term}", finding, ("absent", *rows))
    if finding == "absent":
        return _result(0, f"{term} absent")
    row = rows[finding]
    return _result(row["grade"], f"{term}: {row['text']}", f"finding {finding}")


def clinical_terms() -> tuple[str, ...]:
    """The terms that ``grade_finding`` knows."""
    return tuple(_table()["terms"])


def clinical_findings(term: str) -> dict[str, str]:
    """Codes and words of the findings of one term.

    Raises:
        ValueError: for an unknown term.
    """
    check_code("term", term, clinical_terms())
    return {code: row["text"] for code, row in _table()["terms"][term].items()}


def _ladder(rows: Sequence[dict[str, Any]], value: float, unit: str, reasons: tuple[str, ...]) -> Grade:
    for row in rows:
        if meets(value, row):
            return _result(row["grade"], f"{value:g} {unit} {row['op']} {row['limit']:g}", *reasons)
    return _result(0, "no grade 1 to 4 rule is met", *reasons)


def _worse(
    rows: Sequence[dict[str, Any]],
    value: float | None,
    unit: str,
    change_rows: Sequence[dict[str, Any]],
    change: float | None,
    change_unit: str,
) -> Grade:
    if value is None:
        return _result(None, "not gradable", "value is missing")
    by_value = _ladder(rows, value, unit, (f"value {value:g} {unit}",))
    if change is None:
        if not by_value.grade:
            return _result(
                None, "not gradable", "baseline is missing: the change could give a grade", *by_value.reasons
            )
        return _result(
            by_value.grade, by_value.clause, *by_value.reasons, "baseline missing: change not assessed"
        )
    by_change = _ladder(change_rows, change, change_unit, by_value.reasons)
    return max((by_value, by_change), key=lambda found: found.grade or 0)
