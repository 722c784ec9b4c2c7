"""Plain answers for the terminal: one name and its fields in, a JSON-able mapping out.

``answer("crs", {"temperature": 39.1, "vasopressors": 1})`` gives what ``escalon grade crs temperature=39.1
vasopressors=1`` prints. Field names are the parameter names of the functions they call.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from inspect import Parameter, signature
from typing import Any

from pydantic import TypeAdapter

from escalon.criteria import astct, clinical, crs_other, ctcae, dlt, icaht, iec_hs, leukemia_response, magic
from escalon.criteria.result import check_code

_RECORD: TypeAdapter[dlt.PatientRecord] = TypeAdapter(dlt.PatientRecord)


def _crs_lee_2014(**fields: Any) -> Any:
    return crs_other.grade_crs_lee_2014(crs_other.CrsFindings(**fields))


def _crs_ctcae(**fields: Any) -> Any:
    return crs_other.grade_crs_ctcae_v5(crs_other.CrsFindings(**fields))


def _response(criteria: str = "platform", **fields: Any) -> Any:
    return leukemia_response.classify(leukemia_response.Assessment(**fields), criteria)


def _dlt(record: Mapping[str, Any], as_of_day: float, definition: Mapping[str, Any] | None = None) -> Any:
    rules = (
        dlt.load_default_definition() if definition is None else dlt.DltDefinition.model_validate(definition)
    )
    return dlt.evaluability(_RECORD.validate_python(record), rules, as_of_day)


_SYSTEMS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "lab": (ctcae.grade_lab, ctcae.grade_lab),
    "crs": (astct.grade_crs, astct.grade_crs),
    "icans": (astct.grade_icans, astct.grade_icans),
    "crs-lee-2014": (_crs_lee_2014, crs_other.CrsFindings),
    "crs-ctcae": (_crs_ctcae, crs_other.CrsFindings),
    "gvhd": (magic.grade_gvhd, magic.grade_gvhd),
    "gvhd-skin": (magic.stage_skin, magic.stage_skin),
    "gvhd-liver": (magic.stage_liver, magic.stage_liver),
    "gvhd-lower-gi": (magic.stage_lower_gi, magic.stage_lower_gi),
    "icaht": (icaht.grade_icaht, icaht.grade_icaht),
    "t-icaht": (icaht.grade_t_icaht, icaht.grade_t_icaht),
    "iec-hs": (iec_hs.grade_iec_hs, iec_hs.grade_iec_hs),
    "fever": (clinical.grade_fever, clinical.grade_fever),
    "febrile-neutropenia": (clinical.grade_febrile_neutropenia, clinical.grade_febrile_neutropenia),
    "ejection-fraction": (clinical.grade_ejection_fraction, clinical.grade_ejection_fraction),
    "qtc": (clinical.grade_qtc, clinical.grade_qtc),
    "finding": (clinical.grade_finding, clinical.grade_finding),
    "response": (_response, leukemia_response.Assessment),
    "cns": (leukemia_response.cns_status, leukemia_response.cns_status),
    "mrd": (leukemia_response.mrd_label, leukemia_response.mrd_label),
    "dlt": (_dlt, _dlt),
}


def systems() -> tuple[str, ...]:
    """The names ``answer`` knows."""
    return tuple(_SYSTEMS)


def field_names(system: str) -> dict[str, bool]:
    """Fields of a system, each with whether it must be given.

    Raises:
        ValueError: for an unknown system.
    """
    check_code("system", system, systems())
    names = {
        name: row.default is Parameter.empty
        for name, row in signature(_SYSTEMS[system][1]).parameters.items()
    }
    return names | ({"criteria": False} if system == "response" else {})


def answer(system: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Grade or classify by name.

    Args:
        system: one of ``systems()``.
        fields: values by field name, as in ``field_names(system)``.

    Returns:
        A mapping of plain values with ``clause`` and ``reasons``, and ``grade``, ``response``, ``stage`` or
        ``status``.

    Raises:
        ValueError: for an unknown system or field, a missing field, or a value the system refuses.

    Example:
        >>> answer("icans", {"ice": 4, "consciousness": "awakens_to_voice"})["grade"]
        2
    """
    names = field_names(system)
    for name in fields:
        check_code(f"field of {system}", name, tuple(names))
    missing = [name for name, needed in names.items() if needed and name not in fields]
    _check_flags(system, fields)
    if missing:
        raise ValueError(f"field of {system}: {', '.join(missing)} missing; write none where it was not done")
    try:
        result = _SYSTEMS[system][0](**fields)
    except TypeError as error:
        raise ValueError(f"{system}: a field has the wrong kind of value ({error})") from error
    return {"asked": system, **_plain(result)}


def _check_flags(system: str, fields: Mapping[str, Any]) -> None:
    for name, row in signature(_SYSTEMS[system][1]).parameters.items():
        if (
            row.annotation in (bool, bool | None)
            and name in fields
            and fields[name] not in (True, False, None)
        ):
            raise ValueError(f"{name}: {fields[name]!r} is neither true nor false")


def answer_text(system: str, pairs: Sequence[str]) -> dict[str, Any]:
    """Grade or classify from ``name=value`` words, as typed in a terminal.

    Values are read as JSON where they are JSON (numbers, true, false, null, lists), ``none`` as missing, else
    as text.

    Raises:
        ValueError: for a word without ``=``, a field given twice, and as ``answer``.

    Example:
        >>> answer_text("crs", ["temperature=39.1", "vasopressors=1", "oxygen=low_flow_nasal"])["grade"]
        3
    """
    fields: dict[str, Any] = {}
    for pair in pairs:
        name, sign, text = pair.partition("=")
        if not sign or not name:
            raise ValueError(f"{pair!r}: write name=value")
        if name in fields:
            raise ValueError(f"{name}: given twice")
        fields[name] = text if name in _texts(system) else _read(text)
    return answer(system, fields)


def _texts(system: str) -> frozenset[str]:
    """Fields of a system that hold words, such as a version: 5.0 stays "5.0"."""
    check_code("system", system, systems())
    parameters = signature(_SYSTEMS[system][1]).parameters
    return frozenset(name for name, row in parameters.items() if row.annotation in (str, "str"))


def _read(text: str) -> Any:
    words = {"none": None, "": None, "true": True, "yes": True, "false": False, "no": False}
    if text.lower() in words:
        return words[text.lower()]
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return text
    return text if isinstance(value, float) and value != value else value


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(part) for name, part in asdict(value).items()}
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return value
