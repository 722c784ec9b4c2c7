"""Cytokine release syndrome by Lee 2014 and by CTCAE v5.0, for comparison with the ASTCT grade of the same findings.

Conventions: both systems read the inspired oxygen fraction (percent), ASTCT reads device and flow, so a
record holds all three; Lee 2014 also reads the vasopressor dose class and organ toxicities. Two vasopressors
under CTCAE give grade 4 (assumption; the investigator confirms).

Sources: Lee et al., Blood 2014;124:188 (PMC7006459 table 2); NCI CTCAE v5.0, 27 Nov 2017.
"""

from dataclasses import dataclass
from typing import Any

from escalon.criteria.operators import meets
from escalon.criteria.plausible import check_temperature
from escalon.criteria.result import Grade, check_finite, check_flag, check_whole
from escalon.criteria.tables import load_table


@dataclass(frozen=True, slots=True, kw_only=True)
class CrsFindings:
    """What both systems read from one day.

    Attributes:
        temperature: degC, or None.
        suppressed_fever: fever hidden by treatment.
        hypotension: present; None takes it from the vasopressors.
        vasopressors: number at once.
        high_dose: any of them at high dose.
        oxygen_fraction: inspired oxygen, percent 21 to 100; None without supplemental oxygen.
        ventilation: mechanical or positive-pressure ventilation.
        organ_toxicity: highest CTCAE grade of an organ toxicity other than transaminases, 0 to 4.
        transaminases: CTCAE grade of raised transaminases, 0 to 4.
        death: CRS was the principal cause of death.
    """

    temperature: float | None = None
    suppressed_fever: bool = False
    hypotension: bool | None = None
    vasopressors: int = 0
    high_dose: bool = False
    oxygen_fraction: float | None = None
    ventilation: bool = False
    organ_toxicity: int = 0
    transaminases: int = 0
    death: bool = False

    def __post_init__(self) -> None:
        check_temperature(self.temperature)
        check_whole("vasopressors", self.vasopressors, high=20)
        check_flag("hypotension", self.hypotension, unknown=True)
        for name in ("suppressed_fever", "high_dose", "ventilation", "death"):
            check_flag(name, getattr(self, name))
        check_finite("oxygen_fraction", self.oxygen_fraction, low=21.0, high=100.0)
        check_whole("organ_toxicity", self.organ_toxicity, high=4)
        check_whole("transaminases", self.transaminases, high=4)

    @property
    def low_pressure(self) -> bool:
        """Hypotension present, with or without a vasopressor."""
        return bool(self.hypotension) or self.vasopressors > 0


def grade_crs_lee_2014(found: CrsFindings) -> Grade:
    """Grade by Lee 2014, where organ toxicity is part of the grade.

    Example:
        >>> grade_crs_lee_2014(CrsFindings(temperature=38.5, vasopressors=1)).grade
        2
    """
    table = load_table("crs_other.json")["lee_2014"]
    organs = max(found.organ_toxicity, min(found.transaminases, table["transaminases_at_most"]["grade"]))
    tests = {
        4: found.ventilation or found.organ_toxicity == 4,
        3: found.vasopressors > 1
        or (found.high_dose and found.vasopressors > 0)
        or _rich_oxygen(found, table)
        or organs == 3,
        2: found.low_pressure or found.oxygen_fraction is not None or organs == 2,
    }
    return _first(found, table, tests)


def grade_crs_ctcae_v5(found: CrsFindings) -> Grade:
    """Grade by CTCAE v5.0, where organ toxicities are graded apart.

    Example:
        >>> grade_crs_ctcae_v5(CrsFindings(temperature=38.5, vasopressors=1)).grade
        3
    """
    table = load_table("crs_other.json")["ctcae_v5"]
    tests = {
        4: found.ventilation or found.vasopressors > 1,
        3: found.vasopressors == 1 or _rich_oxygen(found, table),
        2: found.low_pressure or found.oxygen_fraction is not None,
    }
    return _first(found, table, tests)


def _rich_oxygen(found: CrsFindings, table: dict[str, Any]) -> bool:
    fraction = found.oxygen_fraction
    return fraction is not None and meets(fraction, table["oxygen_fraction"])


def _first(found: CrsFindings, table: dict[str, Any], tests: dict[int, bool]) -> Grade:
    def answer(grade: int | None, clause: str, *reasons: str) -> Grade:
        return Grade(grade, clause, reasons, table["system"], table["version"])

    if found.death:
        return answer(5, "death")
    fever = None if found.temperature is None else meets(found.temperature, table["fever_celsius"])
    if fever is None and not found.suppressed_fever:
        return answer(None, "not gradable", "temperature is missing")
    if not fever and not found.suppressed_fever:
        return answer(0, "no CRS: no fever", f"temperature {found.temperature:g} degC")
    grade = next((grade for grade, met in tests.items() if met), 1 if fever else 0)
    row = table["rows"].get(str(grade))
    return answer(grade, row["text"] if row else "no CRS sign present")
