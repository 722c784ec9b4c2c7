from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalon.datasets import load_spec
from escalon.datasets.spec import DatasetSpec, Variable
from escalon.datasets.xpt import check_transport, render_xpt, write_xpt

MOMENT = datetime(2024, 3, 1, 12, 30, 5, tzinfo=UTC)


def make_spec(**types: str) -> DatasetSpec:
    items = [
        Variable("ADXX", n, k, f"Label of {k}", t, 200, "Perm", "Derived")
        for n, (k, t) in enumerate(types.items(), 1)
    ]
    return DatasetSpec("adam", "ADXX", "Example Data", "BDS", (items[0].variable,), tuple(items))


def read(data: bytes, path):
    path.write_bytes(data)
    return pyreadstat.read_xport(str(path), output_format="polars", disable_datetime_conversion=True)


def test_round_trip_keeps_values_labels_formats_and_name(tmp_path):
    spec = make_spec(USUBJID="text", AVAL="float", SEQ="integer", ADT="date", ADTM="datetime")
    moment = datetime(2021, 3, 10, 11, 30, 15, tzinfo=UTC)
    frame = pl.DataFrame(
        {
            "USUBJID": ["A-1", None, "A-333"],
            "AVAL": [0.1, None, -2.5e30],
            "SEQ": [1, None, 3],
            "ADT": [date(2021, 3, 10), None, date(1959, 12, 31)],
            "ADTM": [moment, None, moment - timedelta(days=30000)],
        },
        schema=spec.schema,
    )
    back, meta = read(render_xpt(frame, spec, MOMENT), tmp_path / "a.xpt")
    assert back["USUBJID"].to_list() == ["A-1", "", "A-333"]
    assert back["AVAL"].to_list() == [0.1, None, -2.5e30]
    assert back["SEQ"].to_list() == [1.0, None, 3.0]
    assert back["ADT"].to_list() == [22349.0, None, -1.0]
    assert back["ADTM"].to_list()[0] == 22349 * 86400 + 11 * 3600 + 30 * 60 + 15
    assert meta.column_names_to_labels == {i.variable: i.label for i in spec.variables}
    assert meta.original_variable_types["ADT"] == "DATE9"
    assert meta.original_variable_types["ADTM"] == "DATETIME20"
    assert (meta.table_name, meta.file_label) == ("ADXX", "Example Data")


def test_sas_date_is_read_back_as_the_same_date(tmp_path):
    spec = make_spec(USUBJID="text", ADT="date")
    frame = pl.DataFrame({"USUBJID": ["A"], "ADT": [date(2024, 2, 29)]}, schema=spec.schema)
    write_xpt(frame, tmp_path / "a.xpt", spec, MOMENT)
    back, _ = pyreadstat.read_xport(str(tmp_path / "a.xpt"), output_format="polars")
    assert back["ADT"].to_list() == [date(2024, 2, 29)]


def test_character_length_is_that_of_the_longest_value(tmp_path):
    spec = make_spec(USUBJID="text", EMPTY="text")
    frame = pl.DataFrame({"USUBJID": ["A", "ABCDE"], "EMPTY": [None, None]}, schema=spec.schema)
    _, meta = read(render_xpt(frame, spec, MOMENT), tmp_path / "a.xpt")
    assert meta.variable_storage_width["USUBJID"] == 5
    assert meta.variable_storage_width["EMPTY"] == 1


@pytest.mark.parametrize("standard", ["sdtm", "adam"])
def test_every_data_set_survives_the_round_trip(standard, sdtm, adam, tmp_path):
    for name, frame in (sdtm if standard == "sdtm" else adam).items():
        spec = load_spec(standard)[name]
        back, meta = read(render_xpt(frame, spec, MOMENT), tmp_path / "a.xpt")
        assert tuple(back.columns) == spec.columns
        assert meta.column_labels == [item.label for item in spec.variables]
        for item in spec.variables:
            if item.type == "text":
                assert back[item.variable].to_list() == frame[item.variable].fill_null("").to_list()
            elif item.type in ("integer", "float"):
                assert back[item.variable].to_list() == frame[item.variable].cast(pl.Float64).to_list()
        assert back.height == frame.height


def test_header_times_are_those_of_the_cut_and_bytes_repeat():
    spec = make_spec(USUBJID="text", AVAL="float")
    frame = pl.DataFrame({"USUBJID": ["A"], "AVAL": [1.0]}, schema=spec.schema)
    data = render_xpt(frame, spec, MOMENT)
    assert data == render_xpt(frame, spec, MOMENT)
    assert data.count(b"01MAR24:12:30:05") == 4
    assert data != render_xpt(frame, spec, MOMENT + timedelta(seconds=1))
    assert len(data) % 80 == 0


def test_empty_data_set_has_its_variables(tmp_path):
    spec = make_spec(USUBJID="text", AVAL="float", ADT="date")
    back, meta = read(render_xpt(pl.DataFrame(schema=spec.schema), spec, MOMENT), tmp_path / "a.xpt")
    assert back.height == 0
    assert meta.column_names == ["USUBJID", "AVAL", "ADT"]


@pytest.mark.parametrize(
    ("name", "values", "kind", "message"),
    [
        ("USUBJID", ["A" * 201], "text", "a value of 201 bytes; a character value has at most 200 bytes"),
        ("USUBJID", ["é" * 101], "text", "only printable ASCII"),
        ("USUBJID", ["Sjögren"], "text", "ADXX.USUBJID: 'Sjögren'; only printable ASCII is allowed"),
        ("USUBJID", ["two\nlines"], "text", "only printable ASCII"),
        ("AVAL", [float("inf")], "float", "ADXX.AVAL: inf; a number is finite"),
        ("AVAL", [float("nan")], "float", "ADXX.AVAL: nan; a number is finite"),
        ("AVAL", [2.0**249], "float", "ADXX.AVAL: 9.0462"),
        ("AVAL", [-1e-79], "float", "ADXX.AVAL: -1e-79"),
        ("SEQ", [2**53 + 1], "integer", "whole numbers are exact up to 2\\*\\*53"),
        ("TOOLONGNAME", ["A"], "text", "ADXX.TOOLONGNAME: a variable name has 1 to 8"),
        ("lower", ["A"], "text", "ADXX.lower: a variable name has 1 to 8"),
        ("1ST", ["A"], "text", "a letter first"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(name, values, kind, message):
    spec = make_spec(**{name: kind})
    frame = pl.DataFrame({name: values}, schema=spec.schema)
    with pytest.raises(ValueError, match=message):
        render_xpt(frame, spec, MOMENT)


def test_labels_are_measured_in_bytes():
    spec = make_spec(USUBJID="text")
    frame = pl.DataFrame({"USUBJID": ["A"]})
    long = replace(spec, variables=(replace(spec.variables[0], label="x" * 41),))
    accent = replace(spec, variables=(replace(spec.variables[0], label="Décès"),))
    assert "1 to 40 bytes of ASCII" in check_transport(frame, long)[0]
    assert "1 to 40 bytes of ASCII" in check_transport(frame, accent)[0]
    assert "label of 41 bytes" in check_transport(frame, replace(spec, label="y" * 41))[0]
    assert "data set name 'TOOLONGNAME'" in check_transport(frame, replace(spec, name="TOOLONGNAME"))[0]


def test_two_hundred_bytes_exactly_pass(tmp_path):
    spec = make_spec(USUBJID="text")
    frame = pl.DataFrame({"USUBJID": ["A" * 200]})
    back, _ = read(render_xpt(frame, spec, MOMENT), tmp_path / "a.xpt")
    assert back["USUBJID"][0] == "A" * 200


POSITIVE = st.floats(min_value=16.0**-65, max_value=2.0**249, exclude_max=True)
NUMBERS = POSITIVE | POSITIVE.map(lambda value: -value) | st.just(0.0)
TEXT = st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=200)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXT, NUMBERS | st.none()), min_size=1, max_size=20))
def test_any_ascii_and_any_number_in_range_come_back_exactly(tmp_path_factory, rows):
    spec = make_spec(USUBJID="text", AVAL="float")
    # A first letter keeps a row from being all blanks, which the format cannot tell from padding.
    frame = pl.DataFrame(
        {"USUBJID": ["R" + t[:199] for t, _ in rows], "AVAL": [v for _, v in rows]}, schema=spec.schema
    )
    back, _ = read(render_xpt(frame, spec, MOMENT), tmp_path_factory.mktemp("xpt") / "a.xpt")
    assert back["USUBJID"].to_list() == frame["USUBJID"].to_list()
    assert back["AVAL"].to_list() == frame["AVAL"].to_list()
