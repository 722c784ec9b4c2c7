"""Acute graft-versus-host disease: MAGIC organ stages and overall grade.

Conventions: gaps between the printed stages are closed as liver <2, 2 to 3, >3 to 6, >6 to 15, >15 mg/dL and
stool <500, 500 to <1000, 1000 to 1500, >1500 mL/day (assumption). Where volume and episodes are both known
the higher stage counts. The child column holds at 50 kg or less. The overall grade is an assumption until
checked in table 2 of the source.

Source: Harris et al., Biol Blood Marrow Transplant 2016;22:4, doi 10.1016/j.bbmt.2015.09.001.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from escalon.criteria.operators import meets
from escalon.criteria.result import Grade, check_code, check_finite, check_flag, check_whole
from escalon.criteria.tables import load_table

ROMAN = ("0", "I", "II", "III", "IV")


@dataclass(frozen=True, slots=True)
class Stage:
    """Stage of one organ, 0 to 4, or None with the reason; ``clause`` is the row that was met."""

    organ: str
    stage: int | None
    clause: str
    reasons: tuple[str, ...] = ()

    @property
    def grade(self) -> int | None:
        """The stage, under the name every result object carries."""
        return self.stage


def grade_gvhd(
    *, skin: int | None, liver: int | None, upper_gi: int | None, lower_gi: int | None, death: bool = False
) -> Grade:
    """Overall acute GvHD grade from the four organ stages.

    Args:
        skin: 0 to 4. None in any organ means not staged.
        liver: 0 to 4.
        upper_gi: 0 or 1.
        lower_gi: 0 to 4.
        death: accepted for uniformity with other systems; MAGIC has no grade 5, so it is refused.

    Returns:
        Grade 0 to 4; None when an unstaged organ could raise the grade.

    Raises:
        ValueError: for a stage outside the organ's range, or ``death=True``.

    Example:
        >>> grade_gvhd(skin=2, liver=0, upper_gi=0, lower_gi=1).grade
        2
    """
    table = load_table("magic.json")
    if death:
        raise ValueError("death: MAGIC has no grade 5; record the death as a CTCAE grade 5 event")
    stages = {"skin": skin, "liver": liver, "upper_gi": upper_gi, "lower_gi": lower_gi}
    for organ, stage in stages.items():
        check_whole(organ, stage, high=table["stages"][organ])
    reasons = tuple(
        f"{organ} stage {'not known' if stage is None else stage}" for organ, stage in stages.items()
    )
    lowest, clause = _overall(table, {organ: stage or 0 for organ, stage in stages.items()})
    worst = {organ: table["stages"][organ] if stage is None else stage for organ, stage in stages.items()}
    if _overall(table, worst)[0] != lowest:
        return Grade(None, "not gradable", reasons, table["system"], table["version"])
    return Grade(lowest, clause, reasons, table["system"], table["version"])


def _overall(table: Mapping[str, Any], stages: Mapping[str, int]) -> tuple[int, str]:
    for row in table["overall"]["rows"]:
        if any(stages[organ] >= least for test in row["any"] for organ, least in test.items()):
            return row["grade"], f"grade {ROMAN[row['grade']]}: {row['text']}"
    return 0, "grade 0: no organ involved"


def stage_skin(bsa: float | None, *, bullae: bool = False, desquamation_bsa: float = 0.0) -> Stage:
    """Stage the skin from active erythema (percent of body surface), bullae and desquamation (percent).

    Stage 4 asks for erythroderma above 50 %, bullae and desquamation above 5 % together.

    Raises:
        ValueError: for a percentage outside 0 to 100.
    """
    table = load_table("magic.json")
    check_finite("bsa", bsa, high=100.0)
    check_finite("desquamation_bsa", desquamation_bsa, high=100.0)
    check_flag("bullae", bullae)
    if bsa is None:
        return Stage("skin", None, "not staged", ("body surface area is missing",))
    stage, clause = _ladder(table["skin_bsa_percent"], bsa, "% of body surface")
    severe = table["skin_desquamation_percent"]
    if stage == 3 and bullae and meets(desquamation_bsa, severe):
        text = f"erythroderma with bullae and desquamation {severe['op']} {severe['limit']:g} %"
        return Stage("skin", severe["stage"], text, (f"desquamation {desquamation_bsa:g} %", clause))
    return Stage("skin", stage, clause, (f"body surface {bsa:g} %",))


def stage_liver(bilirubin: float | None, *, unit: str = "mg/dL") -> Stage:
    """Stage the liver from total bilirubin in ``mg/dL`` or ``umol/L``, each with its own printed limits.

    Raises:
        ValueError: for a negative value or another unit.
    """
    table = load_table("magic.json")
    check_finite("bilirubin", bilirubin)
    check_code("unit", unit, ("mg/dL", "umol/L"))
    if bilirubin is None:
        return Stage("liver", None, "not staged", ("bilirubin is missing",))
    rows = table["liver_bilirubin_mg_dl" if unit == "mg/dL" else "liver_bilirubin_umol_l"]
    stage, clause = _ladder(rows, bilirubin, unit)
    return Stage("liver", stage, clause, (f"bilirubin {bilirubin:g} {unit}",))


def stage_upper_gi(persistent: bool | None) -> Stage:
    """Stage the upper GI tract: 1 for persistent nausea, vomiting or anorexia, else 0; None: not asked."""
    check_flag("persistent", persistent, unknown=True)
    if persistent is None:
        return Stage("upper_gi", None, "not staged", ("upper GI symptoms not assessed",))
    text = "persistent nausea, vomiting or anorexia" if persistent else "no or intermittent symptoms"
    return Stage("upper_gi", int(persistent), text, ("as recorded",))


def stage_lower_gi(
    *,
    weight: float | None = None,
    volume: float | None = None,
    episodes: float | None = None,
    severe_pain: bool = False,
    bloody_stool: bool = False,
) -> Stage:
    """Stage the lower GI tract from the 3-day mean of stool volume or episodes.

    Args:
        weight: kg; 50 or less uses the child column, None the adult column (named in the reasons).
        volume: mL/day for an adult, mL/kg/day in the child column.
        episodes: episodes per day.
        severe_pain: severe pain with or without ileus (opioid started or raised and performance reduced):
            stage 4.
        bloody_stool: grossly bloody stool of any volume: stage 4.

    Raises:
        ValueError: for a negative number.
    """
    table = load_table("magic.json")
    for name, value in (("weight", weight), ("volume", volume), ("episodes", episodes)):
        check_finite(name, value)
    check_flag("severe_pain", severe_pain)
    check_flag("bloody_stool", bloody_stool)
    if severe_pain or bloody_stool:
        found = [
            name for name, state in (("severe pain", severe_pain), ("bloody stool", bloody_stool)) if state
        ]
        text = "severe pain with or without ileus, or grossly bloody stool"
        return Stage("lower_gi", 4, text, tuple(found))
    child = weight is not None and meets(weight, table["child_weight_kg"])
    column = table["lower_gi"]["child" if child else "adult"]
    reasons = (f"{'child' if child else 'adult'} column" + (", weight not given" if weight is None else ""),)
    met = [
        _ladder(column[name], value, unit)
        for name, value, unit in (
            ("volume", volume, "mL/kg/day" if child else "mL/day"),
            ("episodes", episodes, "episodes/day"),
        )
        if value is not None
    ]
    if not met:
        return Stage("lower_gi", None, "not staged", ("stool volume and episodes are missing",))
    stage, clause = max(met)
    return Stage("lower_gi", stage, clause, reasons)


def _ladder(rows: Sequence[Mapping[str, Any]], value: float, unit: str) -> tuple[int, str]:
    for row in rows:
        if meets(value, row):
            return row["stage"], f"{value:g} {row['op']} {row['limit']:g} {unit}"
    return 0, f"{value:g} {unit} is below stage 1"
