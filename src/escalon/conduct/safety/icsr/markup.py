"""Small building blocks of an HL7 version 3 message."""

import re
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from escalon.conduct.safety.icsr.codes import ICH, TERMS

_FORBIDDEN = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
TYPE = "xsi:type"


def element(parent: ET.Element, tag: str, text: str | None = None, **attributes: str | None) -> ET.Element:
    """Add ``tag`` to ``parent``; an attribute that is None is left out.

    Raises:
        ValueError: for a character that XML cannot hold.
    """
    given = {name: value for name, value in attributes.items() if value is not None}
    for value in (text or "", *given.values()):
        found = _FORBIDDEN.search(value)
        if found:
            raise ValueError(f"{tag}: character U+{ord(found[0]):04X} cannot stand in an XML file")
    added = ET.SubElement(parent, tag, given)
    added.text = text
    return added


def act(parent: ET.Element, path: str, codes: str) -> ET.Element:
    """Add nested elements, ``a/b``, with the structural attributes ``codes`` in the same order.

    A structural code is written as ``SUBJ`` (typeCode of a relation), ``OBS.EVN`` (classCode and moodCode of an act)
    or ``PSN:INSTANCE`` (classCode and determinerCode of an entity); ``-`` is none.
    """
    for tag, code in zip(path.split("/"), codes.split(), strict=True):
        if code == "-":
            parent = element(parent, tag)
        elif "." in code:
            kind, mood = code.split(".")
            parent = element(parent, tag, classCode=kind, moodCode=mood)
        elif ":" in code:
            kind, determiner = code.split(":")
            parent = element(parent, tag, classCode=kind, determinerCode=determiner)
        elif tag in _ROLES:
            parent = element(parent, tag, classCode=code)
        else:
            parent = element(parent, tag, typeCode=code)
    return parent


_ROLES = frozenset(
    (
        "assignedEntity",
        "primaryRole",
        "asQualifiedEntity",
        "asLocatedEntity",
        "asIdentifiedEntity",
        "locatedEntity",
        "instanceOfKind",
        "ingredient",
        "territorialAuthority",
    )
)


def identifier(parent: ET.Element, extension: str | None, root: str, null: str | None = None) -> ET.Element:
    """Add an ``id``."""
    return element(parent, "id", extension=extension, root=root, nullFlavor=null)


def coded(parent: ET.Element, code: str, system: str, name: str | None = None) -> ET.Element:
    """Add a ``code``."""
    return element(parent, "code", code=code, codeSystem=system, displayName=name)


def term(parent: ET.Element, code: str, name: str, table: str = TERMS) -> ET.Element:
    """Add a ``code`` of the list of observations."""
    return coded(parent, code, table, name)


def value(parent: ET.Element, kind: str, text: str | None = None, **attributes: str | None) -> ET.Element:
    """Add a ``value`` of the HL7 type ``kind``."""
    return element(parent, "value", text, **{TYPE: kind}, **attributes)


def flag(parent: ET.Element, yes: bool | None, null: str = "NI") -> ET.Element:
    """Add a Boolean ``value``; None is the null flavor ``null``."""
    if yes is None:
        return value(parent, "BL", nullFlavor=null)
    return value(parent, "BL", value="true" if yes else "false")


def moment(at: datetime) -> str:
    """Write a moment to the second with its offset.

    >>> moment(datetime(2020, 1, 6, 9, tzinfo=UTC))
    '20200106090000+0000'
    """
    return at.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000")


def stamp(text: str) -> str:
    """Write ISO text as E2B does: a date to the day, a moment to the second with its offset.

    >>> stamp("2020-01-06"), stamp("2020-01-06T09:00:00+00:00"), stamp("2020-01")
    ('20200106', '20200106090000+0000', '202001')
    """
    if "T" not in text:
        return text.replace("-", "")
    at = datetime.fromisoformat(text)
    return moment(at) if at.tzinfo else at.strftime("%Y%m%d%H%M%S")


def device(parent: ET.Element, role: str, extension: str, number: int) -> None:
    """Add the sender or receiver of a batch or message; ``number`` is the last part of its identifier's root."""
    kind = "RCV" if role == "receiver" else "SND"
    holder = act(parent, f"{role}/device", f"{kind} DEV:INSTANCE")
    identifier(holder, extension, f"{ICH}.3.{number}")
