"""Immune effector cell-associated HLH-like syndrome: stored components and the recorded severity to a grade.

Conventions: whether the syndrome is present is the investigator's diagnosis; the components are stored and shown
with it, and the cut-offs that support it are configuration of a study: none ships. Grades are an assumption until
checked in the source.

Source: Hines et al., Transplant Cell Ther 2023;29:438, doi 10.1016/j.jtct.2023.03.006.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from escalon.criteria.operators import meets
from escalon.criteria.result import Grade, check_code, check_finite, check_flag
from escalon.criteria.tables import load_table


@dataclass(frozen=True, slots=True, kw_only=True)
class IecHsFindings:
    """The components of one day; None is not measured or not looked for.

    Attributes:
        ferritin: ug/L.
        ast: U/L. Likewise ``alt`` and ``ldh``.
        fibrinogen: g/L.
        triglycerides: mmol/L.
        haemophagocytosis: seen in marrow or other tissue.
        cytopenia: new, worse or refractory.
        splenomegaly: enlarged spleen.
        fever: new or persistent.
    """

    ferritin: float | None = None
    ast: float | None = None
    alt: float | None = None
    ldh: float | None = None
    fibrinogen: float | None = None
    triglycerides: float | None = None
    haemophagocytosis: bool | None = None
    cytopenia: bool | None = None
    splenomegaly: bool | None = None
    fever: bool | None = None

    def __post_init__(self) -> None:
        table = load_table("iec_hs.json")
        for name in table["measurements"]:
            check_finite(name, getattr(self, name))
        for name in table["signs"]:
            check_flag(name, getattr(self, name), unknown=True)

    def texts(self, cutoffs: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
        """Every component in words, measurements with the study's cut-off where there is one."""
        table = load_table("iec_hs.json")
        found, absent = [], []
        for name, row in table["measurements"].items():
            value = getattr(self, name)
            if value is None:
                absent.append(name)
                continue
            limit = cutoffs.get(name)
            held = (
                ""
                if limit is None
                else f", {'meets' if meets(value, limit) else 'not'} {limit['op']} {limit['limit']:g}"
            )
            found.append(f"{name} {value:g} {row['unit']}{held}")
        for name in table["signs"]:
            state = getattr(self, name)
            if state is None:
                absent.append(name)
            else:
                found.append(f"{name} {'present' if state else 'absent'}")
        return (*found, *((f"not assessed: {', '.join(absent)}",) if absent else ()))


def grade_iec_hs(
    *,
    diagnosed: bool | None,
    severity: str | None = None,
    death: bool = False,
    findings: IecHsFindings | None = None,
    cutoffs: Mapping[str, Mapping[str, Any]] | None = None,
) -> Grade:
    """Grade IEC-HS.

    Args:
        diagnosed: the investigator's diagnosis; None when not assessed.
        severity: ``none_or_mild``, ``intervention``, ``severe`` or ``life_threatening``.
        death: death due to IEC-HS.
        findings: stored components, shown among the reasons; they do not make the diagnosis.
        cutoffs: the study's cut-offs by measurement, such as ``{"ferritin": {"op": ">", "limit": 10000}}``.

    Returns:
        Grade 0 (not diagnosed) to 5, or None when the diagnosis or its severity is missing.

    Raises:
        ValueError: for an unknown severity, or a cut-off for something that is not measured.

    Example:
        >>> grade_iec_hs(diagnosed=True, severity="severe").grade
        3
    """
    table = load_table("iec_hs.json")
    check_flag("diagnosed", diagnosed, unknown=True)
    check_flag("death", death)
    if severity is not None:
        check_code("severity", severity, tuple(table["severity"]))
    for name in cutoffs or {}:
        check_code("cutoffs", name, tuple(table["measurements"]))
    shown = () if findings is None else findings.texts(cutoffs or {})
    if death:
        return _result(table, 5, "death due to IEC-HS", shown)
    if diagnosed is False:
        return _result(table, 0, "not diagnosed", shown)
    if diagnosed is None or severity is None:
        missing = "diagnosis" if diagnosed is None else "severity"
        return _result(table, None, "not gradable", (f"{missing} is missing", *shown))
    row = table["severity"][severity]
    return _result(table, row["grade"], row["text"], (f"severity {severity}", *shown))


def _result(table: Mapping[str, Any], grade: int | None, clause: str, reasons: tuple[str, ...]) -> Grade:
    return Grade(grade, clause, reasons, table["system"], table["version"])
