"""Plain answers for the terminal: one name and its fields in, a JSON-able mapping out.

``answer("crs", {"temperature": 39.1, "vasopressors": 1})`` gives what ``escalon grade crs temperature=39.1
vasopressors=1`` prints. Field names are the parameter names of the functions they call.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from inspect import Parameter, signature
from typing import Any

from pydantic import ValidationError

from escalon.criteria.answers_calls import SYSTEMS
from escalon.criteria.result import check_code


def systems() -> tuple[str, ...]:
    """The names ``answer`` knows."""
    return tuple(SYSTEMS)


def field_names(system: str) -> dict[str, bool]:
    """Fields of a system, each with whether it must be given.

    Raises:
        ValueError: for an unknown system.
    """
    check_code("system", system, systems())
    names = {
        name: row.default is Parameter.empty for name, row in signature(SYSTEMS[system][1]).parameters.items()
    }
    return names | ({"criteria": False} if system == "response" else {})


def answer(system: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Grade or classify by name.

    Args:
        system: one of ``systems()``.
        fields: values by field name, as in ``field_names(system)``.

    Returns:
        A mapping of plain values with ``grade``, ``clause`` and ``reasons``, and what else the result holds; for
        a system that answers for several causes, products, periods or days, ``results`` by name.

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
        result = SYSTEMS[system][0](**fields)
    except ValidationError as error:
        raise ValueError(_fault(system, error)) from error
    except (AttributeError, TypeError) as error:
        raise ValueError(f"{system}: a field has the wrong kind of value ({error})") from error
    return {"asked": system, **_result(result)}


def _result(result: Any) -> dict[str, Any]:
    """Plain values of one result; of several by name, under ``results``; of proposals, under ``proposals``."""
    if isinstance(result, Mapping):
        return {"results": {name: _result(part) for name, part in result.items()}}
    plain = {"proposals": _plain(result)} if isinstance(result, tuple) else _plain(result)
    shown = {name: _plain(getattr(result, name)) for name in ("grade", "clause", "reasons")}
    return shown | plain


def _fault(system: str, error: ValidationError) -> str:
    """The first fault pydantic found, with its place."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{system}: {place}: {first['msg']}"


def _check_flags(system: str, fields: Mapping[str, Any]) -> None:
    for name, row in signature(SYSTEMS[system][1]).parameters.items():
        if (
            row.annotation in (bool, bool | None)
            and name in fields
            and fields[name] not in (True, False, None)
        ):
            raise ValueError(f"{name}: {fields[name]!r} is neither true nor false")


def answer_text(system: str, pairs: Sequence[str], given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Grade or classify from ``name=value`` words, as typed in a terminal.

    Values are read as JSON where they are JSON (numbers, true, false, null, lists), ``none`` as missing, else
    as text.

    Args:
        system: one of ``systems()``.
        pairs: the words.
        given: fields from elsewhere, such as a file; a field may come from one place only.

    Raises:
        ValueError: for a word without ``=``, a field given twice, and as ``answer``.

    Example:
        >>> answer_text("crs", ["temperature=39.1", "vasopressors=1", "oxygen=low_flow_nasal"])["grade"]
        3
    """
    fields: dict[str, Any] = dict(given or {})
    for pair in pairs:
        name, sign, text = pair.partition("=")
        if not sign or not name:
            raise ValueError(f"{pair!r}: write name=value")
        if name in fields:
            raise ValueError(f"{name}: given twice")
        fields[name] = text if name in _texts(system) else read_value(text)
    return answer(system, fields)


def _texts(system: str) -> frozenset[str]:
    """Fields of a system that hold words, such as a version: 5.0 stays "5.0"."""
    check_code("system", system, systems())
    parameters = signature(SYSTEMS[system][1]).parameters
    return frozenset(name for name, row in parameters.items() if row.annotation in (str, "str"))


def read_value(text: str) -> Any:
    """One typed word as a value: JSON where it is JSON, ``none`` or nothing as missing, else text."""
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
