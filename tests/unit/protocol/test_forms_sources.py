"""The source-data agreement: every item knows its source, where that is kept, and whose data it is (DC-3)."""

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from escalon.cli import app
from escalon.protocol import StudyFolder, load_study
from escalon.protocol.faults import StudyFolderError
from escalon.protocol.forms import Form, Group, Item
from escalon.protocol.forms_sources import source_agreement
from tests.study_files import balli_files


def test_an_item_says_what_differs_from_its_form() -> None:
    plain = Item(name="WEIGHT", label="Weight", type="number", required=True, critical=True)
    ours = Item(
        name="BSA", label="Surface", type="number", required=False, source="derived", owner="sponsor",
        found_in="this software", retired="2.0",
    )  # fmt: skip
    inside = Item(name="NOTE", label="Note", type="text", required=False, owner="sponsor")
    form = Form(
        form="VS", title="x", repeats=True, items=(plain, ours), source="imported", found_in="scale",
        groups=(Group(group="ROWS", label="Rows", items=(inside,)),),
    )  # fmt: skip
    rows = source_agreement([form])
    assert [(r.group, r.item, r.source, r.found_in, r.owner, r.critical, r.retired) for r in rows] == [
        ("", "WEIGHT", "imported", "scale", "site", True, ""),
        ("", "BSA", "derived", "this software", "sponsor", False, "2.0"),
        ("ROWS", "NOTE", "imported", "scale", "sponsor", False, ""),
    ]


def test_a_source_or_owner_that_is_none_is_a_fault_with_its_place() -> None:
    files = balli_files()
    text = files["forms/vs.yaml"]
    assert "source: transcribed\nowner: site\n" in text
    files["forms/vs.yaml"] = text.replace("source: transcribed", "source: guessed").replace(
        "owner: site", "owner: patient"
    )
    with pytest.raises(StudyFolderError) as error:
        load_study(files)
    assert [(fault.file, fault.field) for fault in error.value.faults] == [
        ("forms/vs.yaml", "source"),
        ("forms/vs.yaml", "owner"),
    ]


def test_the_agreement_is_printed_as_text_csv_and_json(balli: StudyFolder) -> None:
    folder = str(Path("studies/balli-01"))
    count = sum(len(form.all_items()) for form in balli.forms.values())
    as_csv = list(csv.DictReader(io.StringIO(_run("study", "sources", folder, "--csv"))))
    as_json = json.loads(_run("study", "sources", folder, "--json"))
    lines = _run("study", "sources", folder).splitlines()
    assert len(as_csv) == len(as_json["items"]) == len(lines) == count
    assert as_json["hash"] == balli.hash
    spelled = [
        {**row, "critical": str(row["critical"]), "retired": row["retired"]} for row in as_json["items"]
    ]
    assert as_csv == spelled
    dose = next(row for row in as_csv if (row["form"], row["item"]) == ("EX", "EXDOSE"))
    assert (dose["source"], dose["owner"], dose["critical"]) == ("transcribed", "site", "True")


def _run(*args: str) -> str:
    result = CliRunner().invoke(app, list(args))
    assert result.exit_code == 0, result.output
    return result.output
