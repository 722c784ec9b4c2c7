"""Transfer files of the virtual laboratory: read by the mapping, they say what the panel said; others are typed."""

from typing import Any

import pytest

from escalon.conduct.capture.import_rows import read_file
from escalon.protocol import StudyFolder, load_study
from escalon.virtual.acts import Act
from escalon.virtual.transfer import mapping_for, transfer_file
from tests.study_files import balli_files

PANEL: dict[str, Any] = {
    "LBDTC": "2020-01-07T08:00:00+00:00",
    "NEUT": 1.23,
    "PLAT": 90.0,
    "CREAT": 71.0,
    "WBC": 2.05,
}


def panel(**changes: Any) -> Act:
    values = {name: value for name, value in {**PANEL, **changes}.items() if value is not ...}
    return Act(28.0, "LB", "LB-D28", values, "D28")


def test_a_file_brings_what_the_panel_said(balli: StudyFolder) -> None:
    act = panel(HGB=None)
    mapping = mapping_for(balli, act)
    assert mapping is not None
    name, text = transfer_file("001", act, mapping, balli.forms["LB"])
    assert name == "001-LB-D28.csv"
    assert text.splitlines()[1] == "2020-01-07T08:00:00+00:00,001,D28,D28,NEUT,1.23,10^9/L"
    (entry,) = read_file(text, mapping, balli.forms["LB"]).entries
    command = entry.command(balli.forms["LB"])
    assert (command.patient, command.record, command.visit) == ("001", "LB-D28", "D28")
    assert command.values == PANEL
    assert entry.problems == []


def test_what_is_not_imported_or_not_in_the_mapping_is_typed(balli: StudyFolder) -> None:
    assert mapping_for(balli, Act(0.0, "VS", "VS-D0", {"WEIGHT": 70})) is None
    assert mapping_for(balli, panel(PULSE=60)) is None
    assert mapping_for(balli, Act(28.0, "LB", "D28", PANEL)) is None
    files = balli_files()
    files["forms/lb.yaml"] = files["forms/lb.yaml"].replace("source: imported", "source: transcribed")
    assert mapping_for(load_study(files), panel()) is None


def test_a_wide_mapping_is_not_written(balli: StudyFolder) -> None:
    wide = next(one for one in balli.conduct.capture.imports if one.long is None)
    with pytest.raises(ValueError, match="has no long layout"):
        transfer_file("001", panel(), wide, balli.forms["LB"])
