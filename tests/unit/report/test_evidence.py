from dataclasses import replace

from escalon.report.tables.evidence import list_evidence, render_signed

EVIDENCE = {
    "DLT estimate per level": {
        "1": {"n": 3, "dlt": 0, "estimate": 0.2},
        "2": {"n": 9, "dlt": 3, "estimate": 0.36364},
    },
    "late cytopenia and infection": {1: 0, 2: 4},
    "CLLS52 exposure": {"1": {"median Cmax (ug/mL)": None}},
    "data cut-off": "2021-01-09T09:11:00.000000+00:00",
}


def test_evidence_per_level_is_a_table_and_the_rest_a_list(state, folder):
    decided = replace(state, rp2d=replace(state.rp2d, evidence=EVIDENCE))
    text = render_signed(decided, folder.study)
    for shown in (
        "DLT estimate per level",
        ">0.364<",
        ">9<",
        ">4<",
        "Median Cmax (ug/mL)",
        "One value per level",
    ):
        assert shown in text
    assert list_evidence(decided, folder.study) == [("Data cut-off", "9 Jan 2021")]


def test_without_a_decision_there_is_no_evidence(state, folder):
    undecided = replace(state, rp2d=None)
    assert render_signed(undecided, folder.study) == ""
    assert list_evidence(undecided, folder.study) == []


def test_a_mapping_that_is_not_per_level_is_written_out(state, folder):
    decided = replace(state, rp2d=replace(state.rp2d, evidence={"response": {"CR": 3, "CRi": [1, 2]}}))
    assert list_evidence(decided, folder.study) == [("Response", "CR: 3; CRi: 1, 2")]
