"""Case report forms accept what fits and name what does not."""

from typing import Any

import pytest

from escalon.protocol import StudyFolder
from escalon.protocol.forms import Form, Item

VITALS = {"VSDTC": "2021-03-01T09:00:00+00:00", "WEIGHT": 71.5, "ECOG": 1}


def test_a_complete_form_has_no_problem(balli: StudyFolder) -> None:
    assert balli.forms["VS"].check(VITALS) == []


@pytest.mark.parametrize(
    ("item", "value", "words"),
    [
        ("WEIGHT", None, "required"),
        ("WEIGHT", 12, "outside 25 to 250 kg"),
        ("WEIGHT", "71", "finite number"),
        ("WEIGHT", float("nan"), "finite number"),
        ("WEIGHT", True, "finite number"),
        ("ECOG", 1.5, "whole number"),
        ("ECOG", 6, "outside 0 to 5"),
        ("VSDTC", "2021-03-01T09:00:00", "with zone"),
        ("VSDTC", "1 March 2021", "date and time"),
        ("PULSE", 60, "no such item"),
    ],
)
def test_each_problem_is_named_with_its_item(balli: StudyFolder, item: str, value: Any, words: str) -> None:
    (problem,) = balli.forms["VS"].check({**VITALS, item: value})
    assert problem.startswith(f"VS.{item}")
    assert words in problem


def test_choices_and_yes_no_are_closed_lists(balli: StudyFolder) -> None:
    demographics = {"AGE": 30, "SEX": "F", "RACE": "ASIAN", "ETHNIC": "NOT REPORTED", "COUNTRY": "FRA"}
    assert balli.forms["DM"].check(demographics) == []
    assert "needs one of M, F" in balli.forms["DM"].check({**demographics, "SEX": "X"})[0]
    flag = Item(name="FLAG", label="Flag", type="yes_no", required=True)
    assert flag.check("Y") is None
    assert flag.check(True) == "needs Y or N"


@pytest.mark.parametrize(
    "item",
    [
        {"name": "X", "label": "x", "type": "choice", "required": True},
        {"name": "X", "label": "x", "type": "text", "required": True, "choices": ["a"]},
        {"name": "X", "label": "x", "type": "text", "required": True, "range": [0, 1]},
        {"name": "X", "label": "x", "type": "number", "required": True, "range": [1, 0]},
    ],
)
def test_an_inconsistent_item_is_refused(item: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="item X"):
        Item.model_validate(item)


def test_an_item_name_stands_once_in_a_form() -> None:
    item = {"name": "X", "label": "x", "type": "text", "required": True}
    with pytest.raises(ValueError, match="twice"):
        Form.model_validate({"form": "XX", "title": "x", "repeats": True, "items": [item, item]})
