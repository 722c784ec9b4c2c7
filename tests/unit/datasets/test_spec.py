from dataclasses import replace

import polars as pl
import pytest

from escalon.datasets import check_datasets, check_frame, load_spec
from escalon.datasets.spec import conform

ALL = [(standard, name) for standard in ("sdtm", "adam") for name in load_spec(standard)]


@pytest.mark.parametrize(("standard", "name"), ALL)
def test_every_frame_has_exactly_its_variables_typed_and_in_order(standard, name, sdtm, adam):
    frame = (sdtm if standard == "sdtm" else adam)[name]
    spec = load_spec(standard)[name]
    assert tuple(frame.columns) == spec.columns
    assert frame.schema == pl.Schema(spec.schema)
    assert check_frame(frame, spec, complete=False) == []


def test_the_only_required_values_missing_are_those_of_the_patient_without_forms(sdtm, adam):
    enrolled = {name: frame.filter(~pl.col("USUBJID").str.ends_with("006")) for name, frame in sdtm.items()}
    assert check_datasets(enrolled, load_spec("sdtm"), complete=True) == []
    treated = {name: frame.filter(~pl.col("USUBJID").str.ends_with("006")) for name, frame in adam.items()}
    assert check_datasets(treated, load_spec("adam"), complete=True) == []
    assert any("DM.SEX" in text for text in check_datasets(sdtm, load_spec("sdtm"), complete=True))


@pytest.mark.parametrize("standard", ["sdtm", "adam"])
def test_names_and_labels_fit_the_transport_format(standard):
    variables = [item for spec in load_spec(standard).values() for item in spec.variables]
    assert len(variables) > 250
    assert all(len(item.variable) <= 8 and len(item.label.encode()) <= 40 for item in variables)


def test_variables_of_one_name_have_one_label_and_type_in_adam():
    found: dict[str, set[tuple[str, str]]] = {}
    for spec in load_spec("adam").values():
        for item in spec.variables:
            kind = "number" if item.type in ("integer", "float") else item.type
            found.setdefault(item.variable, set()).add((item.label, kind))
    assert {name: labels for name, labels in found.items() if len(labels) > 1} == {}


def test_conform_refuses_an_unknown_variable_and_a_wrong_type():
    spec = load_spec("sdtm")["SS"]
    with pytest.raises(ValueError, match="SS: NONSENSE is not a variable of the specification"):
        conform([{"USUBJID": "A", "NONSENSE": 1}], spec)
    with pytest.raises(ValueError, match="SS: a value has another type"):
        conform([{"USUBJID": "A", "SSSEQ": "first"}], spec)


def test_check_frame_names_duplicates_and_long_values(sdtm):
    spec = load_spec("sdtm")["SS"]
    twice = pl.concat([sdtm["SS"], sdtm["SS"].head(1)])
    assert check_frame(twice, spec) == ["SS: USUBJID, SSSEQ do not identify one record"]
    short = replace(spec, variables=tuple(replace(item, length=2) for item in spec.variables))
    assert any("a value of 15 bytes; the specification allows 2" in t for t in check_frame(sdtm["SS"], short))
    assert "are not those of the specification" in check_frame(sdtm["SS"].drop("EPOCH"), spec)[0]
