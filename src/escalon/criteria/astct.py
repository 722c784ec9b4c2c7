"""Cytokine release syndrome and ICANS by the ASTCT consensus.

Conventions: components are stored, grades derived. Fever is 38.0 degC or more with no other cause; once an
antipyretic or anticytokine (tocilizumab, steroid) has been given it is no longer asked for. A finding passed
as ``None`` was looked for and not there; ``"not_assessed"`` says that nobody looked. Grade 5 is set only by a
death.

Source: Lee et al., Biol Blood Marrow Transplant 2019;25:625, doi 10.1016/j.bbmt.2018.12.758.
"""

from collections.abc import Collection, Mapping
from typing import Any

from escalon.criteria.operators import meets
from escalon.criteria.plausible import check_temperature
from escalon.criteria.result import Grade, check_code, check_finite, check_flag, check_whole
from escalon.criteria.tables import load_table

NOT_ASSESSED = "not_assessed"
ICANS_DOMAINS = ("ice", "consciousness", "seizure", "motor", "edema")


def grade_crs(
    *,
    temperature: float | None,
    fever_attributed: bool | None = True,
    vasopressors: int | None = 0,
    vasopressin: bool = False,
    hypotension: bool | str | None = None,
    oxygen: str | None = None,
    oxygen_flow: float | None = None,
    suppressed_fever: bool = False,
    death: bool = False,
) -> Grade:
    """Grade cytokine release syndrome from its components.

    Args:
        temperature: degC, 25 to 45; None when not measured.
        fever_attributed: True when the fever has no other cause; False makes it no CRS; None is not known.
        vasopressors: number of vasopressors at once, vasopressin not counted; None when not known.
        vasopressin: True when vasopressin runs; alone it counts as one vasopressor (assumption).
        hypotension: True when present; None takes it from the vasopressors; ``not_assessed`` is unknown,
            unless a vasopressor runs.
        oxygen: ``none``, ``low_flow_nasal``, ``high_flow_nasal``, ``nasal_cannula`` (with ``oxygen_flow``),
            ``blow_by``, ``facemask``, ``nonrebreather``, ``venturi``, ``cpap``, ``bipap``, ``ventilation``;
            None is no oxygen and ``not_assessed`` is unknown.
        oxygen_flow: L/min through the nasal cannula; 6 or less is low flow.
        suppressed_fever: True once an antipyretic or anticytokine has been given for this episode.
        death: True when CRS was the principal cause of death (grade 5).

    Returns:
        Grade 0 (no CRS) to 5, or None with the missing component named.

    Raises:
        ValueError: for a temperature, flow or vasopressor count out of range, or an unknown oxygen code.

    Example:
        >>> grade_crs(temperature=39.1, vasopressors=1, oxygen="low_flow_nasal").grade
        3
    """
    table = load_table("astct.json")["crs"]
    check_temperature(temperature)
    check_whole("vasopressors", vasopressors, high=20)
    check_finite("oxygen_flow", oxygen_flow)
    check_flag("fever_attributed", fever_attributed, unknown=True)
    if hypotension != NOT_ASSESSED:
        check_flag("hypotension", hypotension, unknown=True)
    for name, flag in (
        ("vasopressin", vasopressin),
        ("suppressed_fever", suppressed_fever),
        ("death", death),
    ):
        check_flag(name, flag)
    device = _oxygen_code(oxygen, oxygen_flow, table)
    if death:
        return _result(table, table["death"]["grade"], table["death"]["text"], ("as recorded",))
    if fever_attributed is None:
        return _result(table, None, "not gradable", ("whether the fever has another cause is not known",))
    if not fever_attributed:
        return _result(table, 0, "no CRS: the fever has another cause", ())
    fever = None if temperature is None else meets(temperature, table["fever_celsius"])
    if fever is None and not suppressed_fever:
        return _result(table, None, "not gradable", ("temperature is missing",))
    if not fever and not suppressed_fever:
        return _result(
            table,
            0,
            "no CRS: no fever and no treatment that hides it",
            (f"temperature {temperature:g} degC",),
        )
    blood = _hypotension_codes(hypotension, vasopressors, vasopressin)
    return _worse_component(table, bool(fever), temperature, blood, device)


def _worse_component(
    table: Mapping[str, Any], fever: bool, temperature: float | None, blood: tuple[str, ...], device: str
) -> Grade:
    devices = tuple(table["oxygen"]) if device == NOT_ASSESSED else (device,)
    possible = {
        "hypotension": [table["hypotension"][code] for code in blood],
        "oxygen": [table["oxygen"][code] for code in devices],
    }
    known = {name: rows[0] for name, rows in possible.items() if len(rows) == 1}
    missing = tuple(f"{name} not assessed" for name in possible if name not in known)
    reasons = (
        "fever no longer required after treatment" if not fever else f"temperature {temperature:g} degC",
    )
    reasons += tuple(row["text"] for row in known.values())
    top: Mapping[str, Any] = max(
        known.values(), key=lambda row: row["grade"], default={"grade": 0, "text": ""}
    )
    if any(row["grade"] > top["grade"] for rows in possible.values() for row in rows):
        return _result(table, None, "not gradable", missing + reasons)
    if top["grade"] <= 1 and not fever:
        return _result(table, 0, "no CRS sign present: no fever, hypotension or hypoxia", reasons)
    clause = "fever only" if top["grade"] == 1 else top["text"]
    return _result(table, top["grade"], clause, reasons + missing)


def _hypotension_codes(
    hypotension: bool | str | None, vasopressors: int | None, vasopressin: bool
) -> tuple[str, ...]:
    """Every row of the table that the recorded facts leave possible; one when they are complete."""
    if vasopressors is None:  # how many is not known; vasopressin shows that there is at least one
        low = ("one_vasopressor",) if vasopressin else ("none", "no_vasopressor", "one_vasopressor")
        return (*low, "several_vasopressors")
    count = max(vasopressors, 1) if vasopressin else vasopressors
    if count >= 2:
        return ("several_vasopressors",)
    if count == 1:
        return ("one_vasopressor",)
    if hypotension == NOT_ASSESSED:
        return ("none", "no_vasopressor")
    return ("no_vasopressor",) if hypotension else ("none",)


def _oxygen_code(oxygen: str | None, flow: float | None, table: Mapping[str, Any]) -> str:
    code = "none" if oxygen is None else oxygen
    check_code("oxygen", code, (*table["oxygen"], "nasal_cannula", NOT_ASSESSED))
    if code != "nasal_cannula":
        return code
    if flow is None:
        return NOT_ASSESSED
    return "low_flow_nasal" if meets(flow, table["low_flow_l_per_min"]) else "high_flow_nasal"


def grade_icans(
    *,
    ice: int | None,
    consciousness: str | None = None,
    seizure: str | None = None,
    motor: str | None = None,
    edema: str | None = None,
    seizure_minutes: float | None = None,
    not_attributable: Collection[str] = (),
    death: bool = False,
) -> Grade:
    """Grade immune effector cell-associated neurotoxicity: the worst domain that has no other cause.

    Args:
        ice: ICE score, 0 to 10; None when not done (an unarousable patient needs none).
        consciousness: ``alert``, ``awakens_spontaneously``, ``awakens_to_voice``, ``awakens_to_touch``,
            ``unarousable``.
        seizure: ``none``, ``brief``, ``nonconvulsive``, ``prolonged``, ``repetitive``.
        motor: ``none``, ``tremor``, ``myoclonus`` (both CTCAE only), ``focal_weakness``, ``hemiparesis``,
            ``paraparesis``.
        edema: ``none``, ``focal``, ``diffuse``, ``posturing``, ``sixth_nerve_palsy``, ``papilledema``,
            ``cushing_triad``, ``hemorrhage`` (CTCAE only). In every domain None is "none" and
            ``not_assessed`` is unknown.
        seizure_minutes: minutes; above 5 the seizure is prolonged.
        not_attributable: domains with another cause, out of ``ice consciousness seizure motor edema``.
        death: True when ICANS was the cause of death (grade 5, assumption).

    Returns:
        Grade 0 (no ICANS) to 5, or None with the missing domain named when it could have raised the grade.

    Raises:
        ValueError: for an ICE score outside 0 to 10 or an unknown code.

    Example:
        >>> grade_icans(ice=4, consciousness="awakens_to_voice").grade
        2
    """
    table = load_table("astct.json")["icans"]
    check_whole("ice", ice, high=10)
    check_flag("death", death)
    check_finite("seizure_minutes", seizure_minutes)
    for domain in not_attributable:
        check_code("not_attributable", domain, ICANS_DOMAINS)
    if death:
        return _result(table, table["death"]["grade"], table["death"]["text"], ("as recorded",))
    codes = {"consciousness": consciousness, "seizure": seizure, "motor": motor, "edema": edema}
    found = {name: _domain(table, name, "none" if code is None else code) for name, code in codes.items()}
    if seizure_minutes is not None and meets(seizure_minutes, table["prolonged_seizure_minutes"]):
        found["seizure"] = _domain(table, "seizure", "prolonged")
    found["ice"] = _ice(table, ice)
    return _worst_domain(table, found, not_attributable)


def _domain(table: Mapping[str, Any], name: str, code: str) -> tuple[int | None, str]:
    plain = "alert" if name == "consciousness" and code == "none" else code
    check_code(name, plain, (*table[name], NOT_ASSESSED))
    if plain == NOT_ASSESSED:
        return None, f"{name} not assessed"
    row = table[name][plain]
    return row["grade"], row["text"]


def _ice(table: Mapping[str, Any], ice: int | None) -> tuple[int | None, str]:
    if ice is None:
        return None, "ICE score not done"
    grade = next(row["grade"] for row in table["ice"] if row["low"] <= ice <= row["high"])
    return grade, f"ICE {int(ice)}"


_HIGHEST = {"ice": 3, "consciousness": 4, "seizure": 4, "motor": 4, "edema": 4}


def _worst_domain(
    table: Mapping[str, Any], found: Mapping[str, tuple[int | None, str]], excluded: Collection[str]
) -> Grade:
    counted = {name: found[name] for name in ICANS_DOMAINS if name not in excluded}
    reasons = tuple(
        f"{name} has another cause and is not counted" for name in ICANS_DOMAINS if name in excluded
    )
    grades = {name: grade for name, (grade, _) in counted.items() if grade is not None}
    top = max(grades.values(), default=0)
    open_domains = tuple(
        text for name, (grade, text) in counted.items() if grade is None and _HIGHEST[name] > top
    )
    if open_domains:
        return _result(table, None, "not gradable", open_domains + reasons)
    texts = tuple(text for name, (grade, text) in counted.items() if grade == top and top > 0)
    if top == 0:
        return _result(table, 0, "no ICANS: no domain reaches grade 1", reasons)
    return _result(table, top, f"worst domain: {texts[0]}", texts + reasons)


def _result(table: Mapping[str, Any], grade: int | None, clause: str, reasons: tuple[str, ...]) -> Grade:
    return Grade(grade, clause, reasons, table["system"], table["version"])
