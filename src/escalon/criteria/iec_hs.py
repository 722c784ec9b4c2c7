"""Immune effector cell-associated HLH-like syndrome: the recorded severity to a grade.

Conventions: whether the syndrome is present is the investigator's diagnosis; the cut-offs that support it
(ferritin and the rest) are configuration and none ships. Grades are an assumption until checked in the
source.

Source: Hines et al., Transplant Cell Ther 2023;29:438, doi 10.1016/j.jtct.2023.03.006.
"""

from escalon.criteria.result import Grade, check_code, check_flag
from escalon.criteria.tables import load_table


def grade_iec_hs(*, diagnosed: bool | None, severity: str | None = None, death: bool = False) -> Grade:
    """Grade IEC-HS.

    Args:
        diagnosed: the investigator's diagnosis; None when not assessed.
        severity: ``none_or_mild``, ``intervention``, ``severe`` or ``life_threatening``.
        death: death due to IEC-HS.

    Returns:
        Grade 0 (not diagnosed) to 5, or None when the diagnosis or its severity is missing.

    Raises:
        ValueError: for an unknown severity.

    Example:
        >>> grade_iec_hs(diagnosed=True, severity="severe").grade
        3
    """
    table = load_table("iec_hs.json")
    check_flag("diagnosed", diagnosed, unknown=True)
    check_flag("death", death)
    if severity is not None:
        check_code("severity", severity, tuple(table["severity"]))
    if death:
        return Grade(5, "death due to IEC-HS", (), table["system"], table["version"])
    if diagnosed is False:
        return Grade(0, "not diagnosed", (), table["system"], table["version"])
    if diagnosed is None or severity is None:
        missing = "diagnosis" if diagnosed is None else "severity"
        return Grade(None, "not gradable", (f"{missing} is missing",), table["system"], table["version"])
    row = table["severity"][severity]
    return Grade(row["grade"], row["text"], (f"severity {severity}",), table["system"], table["version"])
