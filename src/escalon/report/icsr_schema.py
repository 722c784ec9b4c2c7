"""A case safety report against the user's own copy of the ICH schema files; none is shipped with this software.

The schema files belong to the implementation package of ICH E2B(R3): a folder with ``multicacheschemas`` and
``coreschemas`` beside each other. The entry of a message is the file named after it.
"""

from pathlib import Path
from warnings import catch_warnings, simplefilter
from xml.etree import ElementTree as ET

FOLDER = "multicacheschemas"
SHOWN = 20
"""Faults listed; one wrong level can bring hundreds."""


def check_schema(text: str, schemas: Path) -> tuple[str, ...]:
    """Return what is wrong with the message ``text`` by the schema files in ``schemas``; empty when it is valid.

    Nothing is fetched from a network: every file the schema includes is in the folder.

    Raises:
        ValueError: no schema of this message there, the schema cannot be read, or the extra ``xml`` is not installed.
    """
    try:
        import xmlschema
    except ImportError:
        raise ValueError("--schema needs the package xmlschema: pip install 'escalon[xml]'") from None
    name = ET.fromstring(text).tag.rpartition("}")[2]
    file = _entry(schemas, name)
    try:
        with catch_warnings():
            # A missing part is only a warning there; a message cannot be judged by half a schema.
            simplefilter("error", xmlschema.XMLSchemaIncludeWarning)
            simplefilter("error", xmlschema.XMLSchemaImportWarning)
            schema = xmlschema.XMLSchema10(str(file), allow="local", use_fallback=False)
    except (xmlschema.XMLSchemaException, Warning, ET.ParseError, OSError) as error:
        raise ValueError(f"{file}: not a schema that can be read: {_line(error)}") from None
    faults = [f"{_place(fault.path)}: {_line(fault.reason)}" for fault in schema.iter_errors(text)]
    more = len(faults) - SHOWN
    return (*faults[:SHOWN], f"and {more} more faults") if more > 0 else tuple(faults)


def _entry(schemas: Path, name: str) -> Path:
    tried = (schemas / f"{name}.xsd", schemas / FOLDER / f"{name}.xsd")
    found = next((file for file in tried if file.is_file()), None)
    if found is None:
        raise ValueError(
            f"--schema {schemas}: no {name}.xsd there or in {FOLDER}; right is the folder of the ICH schema files"
        )
    return found


def _place(path: str | None) -> str:
    """The last elements of a path; the whole of it fills the line."""
    parts = (path or "").split("/")
    return "/".join(parts[-4:]).strip("/") or "message"


def _line(said: object) -> str:
    return " ".join(str(said).split())[:300]
