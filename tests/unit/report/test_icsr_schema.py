"""A message against schema files of the user's own; the schema here is a small one written for this test."""

from pathlib import Path

import pytest

from escalon.report.icsr_schema import SHOWN, check_schema

START = (
    '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:hl7-org:v3" '
    'targetNamespace="urn:hl7-org:v3" elementFormDefault="qualified">'
)
ENTRY = (
    f'{START}<xs:include schemaLocation="{{types}}"/><xs:element name="MCCI_IN200100UV01"><xs:complexType>'
    '<xs:sequence><xs:element name="id" type="II" maxOccurs="unbounded"/></xs:sequence></xs:complexType></xs:element>'
    "</xs:schema>"
)
TYPES = f'{START}<xs:complexType name="II"><xs:attribute name="root" use="required"/></xs:complexType></xs:schema>'
MESSAGE = '<MCCI_IN200100UV01 xmlns="urn:hl7-org:v3">{}</MCCI_IN200100UV01>'


@pytest.fixture
def schemas(tmp_path: Path) -> Path:
    """A message is a list of identifiers; two files, laid out as those of ICH are."""
    write(tmp_path / "multicacheschemas", ENTRY.format(types="../coreschemas/types.xsd"))
    write(tmp_path / "coreschemas", TYPES, "types.xsd")
    return tmp_path


def write(folder: Path, text: str, name: str = "MCCI_IN200100UV01.xsd") -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def test_a_valid_message_has_no_fault_and_an_invalid_one_is_told_by_its_place(schemas: Path) -> None:
    assert check_schema(MESSAGE.format('<id root="1"/><id root="2"/>'), schemas) == ()
    assert check_schema(MESSAGE.format('<id root="1"/>'), schemas / "multicacheschemas") == ()
    (fault,) = check_schema(MESSAGE.format('<id root="1"/><id/>'), schemas)
    assert fault.startswith("MCCI_IN200100UV01/id[2]: ")
    assert "root" in fault


def test_of_many_faults_the_first_are_listed(schemas: Path) -> None:
    faults = check_schema(MESSAGE.format("<id/>" * (SHOWN + 7)), schemas)
    assert (len(faults), faults[-1]) == (SHOWN + 1, "and 7 more faults")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("<html>", "not a schema that can be read"),
        (ENTRY.format(types="missing.xsd"), "not a schema that can be read: .*missing.xsd"),
        (ENTRY.format(types="http://example.org/types.xsd"), "not a schema that can be read: .*remote"),
    ],
    ids=["no schema", "a part is missing", "a part is elsewhere"],
)
def test_half_a_schema_judges_nothing(tmp_path: Path, entry: str, said: str) -> None:
    write(tmp_path, entry)
    with pytest.raises(ValueError, match=said):
        check_schema(MESSAGE.format('<id root="1"/>'), tmp_path)


def test_a_folder_without_the_message_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no MCCI_IN200100UV01.xsd there or in multicacheschemas"):
        check_schema(MESSAGE.format(""), tmp_path)
