"""The design report: its numbers are those of the design room, its files agree, its page stands alone."""

import csv
import doctest
import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from escalon.cli import app
from escalon.design import EscalationPlan, decision_table, dose_paths, exact_oc
from escalon.design.answers import table_answer
from escalon.design.rules.custom_table import read_table_csv
from escalon.protocol import load_study
from escalon.report import design_content
from escalon.report.design_content import (
    build_content,
    build_rivals,
    derive_moving_dose,
    prob_right,
    right_answer,
)
from escalon.report.design_files import design_answer, render_json, rounded, write_files
from escalon.report.design_paths import build_boxes, render_tree
from escalon.report.design_report import render_design, render_page, render_table_page, write_design
from escalon.report.design_table import render_picture_table, render_table_csv
from escalon.report.design_tables import quantile
from tests.study_files import BALLI, ROOT, balli_files
from tests.unit.report.test_html import read, text_of

RULE = (
    "rule: {kind: !assumption mtpi, target: !assumption 0.30, epsilon_1: !assumption 0.05, "
    "epsilon_2: !assumption 0.05, elimination: !assumption 0.95}"
)
NAMES = ["characteristics.csv", "design.html", "design.json", "paths.csv", "table.csv", "table.html"]


def changed(*pairs):
    """The reference study with texts of its files replaced."""
    files = balli_files()
    for name, old, new in pairs:
        assert old in files[name]
        files[name] = files[name].replace(old, new)
    return load_study(files)


def with_rule(rule, *pairs):
    return changed(("study.yaml", RULE, f"rule: !assumption {{{rule}}}"), *pairs)


@pytest.fixture(scope="module")
def content(folder):
    return build_content(folder)


@pytest.fixture(scope="module")
def texts(content):
    return render_design(content)


@pytest.fixture(scope="module")
def design_page(texts):
    return texts["design.html"]


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


# --- the page ---------------------------------------------------------------------------------------------------


def test_the_same_folder_gives_the_same_bytes_in_another_process(texts, tmp_path):
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from escalon.pipeline import open_study\nfrom escalon.report.design_report import write_design\n"
        "write_design(open_study(Path('studies/balli-01')), Path(sys.argv[1]))\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "out")], check=True, cwd=ROOT, timeout=120)
    written = {file.name: file.read_text(encoding="utf-8") for file in (tmp_path / "out").iterdir()}
    assert sorted(written) == NAMES
    assert written == texts


@pytest.mark.parametrize("name", ["design.html", "table.html"])
def test_pages_load_nothing_and_their_links_arrive(texts, name):
    page = texts[name]
    reader = read(page)
    assert reader.loads == []
    assert not re.search(r"https?:|//[a-z]+\.|@import|url\((?!#)", page)
    assert reader.tags["script"] == reader.tags["link"] == 0
    assert len(reader.ids) == len(set(reader.ids))
    assert {link[1:] for link in reader.links} <= set(reader.ids)
    assert set(re.findall(r"url\(#([^)]+)\)", page)) <= set(reader.ids)


def test_every_figure_is_drawn_has_words_and_is_sound(design_page):
    figures = read(design_page).figures
    assert len(figures) == 9
    for figure in figures:
        assert figure["role"] == "img"
        assert len(figure["aria-label"]) > 40
    for svg in re.findall(r"<svg.*?</svg>", design_page, flags=re.S):
        ElementTree.fromstring(svg.replace("xlink:href", "href"))
        assert "NaN" not in svg


def test_no_python_leaks_into_the_text_and_every_table_has_a_caption(texts):
    for name in ("design.html", "table.html"):
        for trace in (" None", "nan ", "Undefined", "{'", "np.float", "<built-in"):
            assert trace not in text_of(texts[name])
        for table in re.findall(r"<table.*?</table>", texts[name], flags=re.S):
            assert "<caption>" in table


def counted(folder):
    """Assumptions among the values of the escalation block, and all of them."""
    tags = [
        row.tag
        for row in folder.provenance
        if row.file == "study.yaml" and row.path.startswith("escalation.")
    ]
    return tags.count("assumption"), len(tags)


def test_assumptions_are_said_before_any_number(design_page, folder):
    text = text_of(design_page)
    first = text.index("At a glance", text.index("Tags:"))
    some, all_of_them = counted(folder)
    assert some > 5
    assert f"The escalation method is an assumption. {some} of the {all_of_them} values" in text[:first]
    assert "The truths below are invented" in text[:first]
    assert "without simulation error" in text[:first]


@pytest.mark.parametrize(
    "said",
    [
        "below 25% it escalates, from 25% to 35% it stays, above 35% it de-escalates",
        "exceeds the target with more than 95% certainty is closed for good",
        "The escalation ends once the plan would stay at a level that already holds 9 patients.",
        "DL1 1 × 10⁵, DL2 1 × 10⁶, DL2i 2.5 × 10⁶, DL3 5 × 10⁶",
        "The expansion treats 16 further patients",
        "BOIN and i3+3 decide alike at every number of patients this plan can reach.",
        "1,606 possible courses of the escalation end in 456 different counts",
        "prior Beta(1, 1)",
    ],
)
def test_the_page_says(design_page, said):
    assert said in text_of(design_page)


def test_each_sentence_of_the_plan_carries_its_tag(design_page):
    steps = re.findall(r"<li><b>(\w+)</b><span>(.*?)</span></li>", design_page, flags=re.S)
    tags = {head: re.search(r'class="chip (\w+)"', body)[1] for head, body in steps}
    assert tags.pop("Watch") == "registry"
    assert set(tags) == {"Levels", "Start", "Pause", "Decide", "Protect", "Limit", "End", "Select", "Then"}
    assert set(tags.values()) == {"assumption"}


def test_a_registered_method_is_not_called_an_assumption(content):
    folder = changed(("study.yaml", "rule: {kind: !assumption mtpi", "rule: {kind: !registry mtpi"))
    page = text_of(render_page(replace(content, folder=folder), []))
    assert "The escalation method is an assumption" not in page
    some, all_of_them = counted(folder)
    assert f"Parts of this plan are assumptions. {some} of the {all_of_them} values" in page


def test_what_people_wrote_is_text_never_markup(content):
    evil = "<script>alert(1)</script>"
    folder = changed(
        ("scenarios.yaml", "MTD at DL2i, response rises and levels off", evil),
        ("study.yaml", "label: !assumption DL2i", "label: !assumption '<b>x'"),
    )
    page = render_page(replace(content, folder=folder), [])
    read(page)
    assert "<script>" not in page
    assert "<b>x" not in page
    assert "&lt;script&gt;" in page


# --- the decision table -----------------------------------------------------------------------------------------


def cells_of(page):
    """Letters of the picture table by (DLTs, patients), the last row standing for all numbers from it on."""
    table = re.search(r'<table class="decisions">.*?</table>', page, flags=re.S)[0]
    head, body = table.split("</thead>")
    sizes = [int(n) for n in re.findall(r'<th scope="col"[^>]*>(\d+)</th>', head)]
    found = {}
    for row in re.findall(r"<tr>(.*?)</tr>", body, flags=re.S):
        name = re.search(r'<th scope="row">(.*?)</th>', row)[1]
        for n, letter in zip(sizes, re.findall(r"<td[^>]*>(\w*)</td>", row), strict=True):
            found[name, n] = letter
    return sizes, found


PLANS = {
    "mtpi": {"kind": "mtpi", "target": 0.3},
    "boin": {"kind": "boin", "target": 0.25},
    "keyboard": {"kind": "keyboard", "target": 0.2},
    "three_plus_three": {"kind": "three_plus_three"},
}


@pytest.mark.parametrize("kind", PLANS)
def test_the_picture_table_shows_every_decision(kind):
    plan = EscalationPlan.model_validate({"rule": PLANS[kind], "levels": 4, "max_patients": 21})
    sizes, shown = cells_of(render_table_page(plan))
    decisions = decision_table(plan).decisions
    assert sizes == list(decisions)
    closed = next((int(name.split()[0]) for name, _ in shown if "or more" in name), None)
    for n, letters in decisions.items():
        for y, letter in enumerate(letters):
            row = str(y) if closed is None or y < closed else f"{closed} or more"
            assert shown[row, n] == letter
    for (name, n), letter in shown.items():
        assert (letter == "") == (int(name.split()[0]) > n)


def test_rows_are_joined_only_where_every_column_closes_the_level():
    answer = table_answer(
        EscalationPlan.model_validate({"rule": PLANS["mtpi"], "levels": 4, "max_patients": 12})
    )
    text = render_picture_table(answer, 3)
    assert "7 or more" in text
    assert 'title="6 of 12: De-escalate to the level below"' in text
    answer["rows"][-1]["decisions"][12] = "D"
    assert "or more" not in render_picture_table(answer, 3)


def test_the_page_stops_at_what_one_level_can_hold_and_marks_complete_cohorts(design_page, texts):
    assert cells_of(design_page)[0] == list(range(1, 13))
    assert cells_of(texts["table.html"])[0] == list(range(1, 25))
    assert re.findall(r'<th scope="col" class="full">(\d+)</th>', design_page) == ["3", "6", "9", "12"]


@pytest.mark.parametrize("kind", ["mtpi", "boin", "keyboard"])
def test_the_csv_is_read_back_as_a_table_of_the_same_decisions(kind):
    plan = EscalationPlan.model_validate({"rule": PLANS[kind], "levels": 4, "max_patients": 21})
    text = render_table_csv(table_answer(plan))
    assert text.splitlines()[0] == "n," + ",".join(map(str, range(22)))
    assert read_table_csv(text) == decision_table(plan).decisions


def test_limits_are_those_of_the_table(design_page, content):
    table = re.search(
        r'<table class="gt_table"[^>]*><caption>The same as limits.*?</table>', design_page, flags=re.S
    )[0]
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in table.split("<tbody")[1].split("<tr>")[1:]]
    expected = [row for row in content.table["rows"] if row["n"] <= 12]
    for cells, key in ((rows[0], "escalate_le"), (rows[2], "deescalate_ge"), (rows[3], "eliminate_ge")):
        assert cells == ["–" if row[key] is None else str(row[key]) for row in expected]
    assert rows[1][:6] == ["–", "1", "1", "1–2", "1–2", "2–3"]


# --- characteristics --------------------------------------------------------------------------------------------


def test_the_csv_holds_the_exact_characteristics(texts, folder):
    rows = rows_of(texts["characteristics.csv"])
    own = [row for row in rows if row["plan"] == "mTPI (this plan)"]
    labels = ["DL1", "DL2", "DL2i", "DL3"]
    for scenario in folder.scenarios.scenarios:
        found = exact_oc(folder.study.escalation, scenario.prob_tox)
        here = [row for row in own if row["scenario"] == scenario.id]
        for name in ("prob_tox", "prob_select", "mean_n", "mean_dlt"):
            values = {row["level"]: float(row["value"]) for row in here if row["quantity"] == name}
            # Written to 12 significant digits.
            assert [values[label] for label in labels] == pytest.approx(list(getattr(found, name)), rel=1e-11)
        single = {
            row["quantity"]: float(row["value"]) for row in here if not row["level"] and not row["patients"]
        }
        for name in ("prob_none", "mean_total_n", "prob_overdose_60", "prob_overdose_80", "prob_early_stop"):
            assert single[name] == pytest.approx(getattr(found, name), rel=1e-11, abs=1e-15)
        sizes = {int(row["patients"]): float(row["value"]) for row in here if row["patients"]}
        assert sizes == pytest.approx(found.n_distribution, rel=1e-11)
        assert sum(sizes.values()) == pytest.approx(1, abs=1e-10)
    assert {row["method"] for row in rows} == {"exact"}
    assert {row["standard_error"] for row in rows} == {""}


def test_the_page_prints_the_numbers_of_the_default_scenario(design_page, folder):
    found = exact_oc(folder.study.escalation, folder.scenarios.scenario("middle").prob_tox)
    table = re.search(
        r"<caption>Operating characteristics by dose level, exact.*?</table>", design_page, flags=re.S
    )[0]
    row = re.findall(r"<td[^>]*>(.*?)</td>", table.split("<tbody")[1].split("<tr>")[1])
    numbers = [float(cell) for cell in row]
    assert numbers[4:9] == pytest.approx([*(100 * found.prob_select), 100 * found.prob_none], abs=0.05 + 1e-9)
    assert numbers[9:14] == pytest.approx([*found.mean_n, found.mean_total_n], abs=0.05 + 1e-9)
    assert numbers[14:] == pytest.approx([*found.mean_dlt, found.mean_total_dlt], abs=0.005 + 1e-9)


def test_json_holds_everything_and_agrees_with_the_csv(texts, content):
    answer = json.loads(texts["design.json"])
    assert answer["plan_hash"] == content.plan.hash
    assert EscalationPlan.model_validate(answer["plan"]).hash == content.plan.hash
    assert set(answer["characteristics"]) == {"middle", "all-safe", "all-toxic", "steep", "flat"}
    rows = rows_of(texts["characteristics.csv"])
    for compared in answer["comparison"]:
        value = next(
            float(row["value"])
            for row in rows
            if (row["plan"], row["scenario"], row["quantity"])
            == (compared["plan"], compared["scenario"], "prob_right")
        )
        assert compared["prob_right"] == value
    assert len(answer["comparison"]) == 25
    assert answer["absent"] == {}
    for found in answer["joint"].values():
        total = sum(found["prob_complete"]) + sum(found["prob_stop_toxicity"]) + found["prob_none"]
        assert total == pytest.approx(1, abs=1e-9)


TARGET = 0.3


@pytest.mark.parametrize(
    ("prob_tox", "level"),
    [
        ((0.05, 0.12, 0.25, 0.45), 3),
        ((0.03, 0.08, 0.50, 0.70), 2),  # the third lies closer to the target, but far above it
        ((0.45, 0.55, 0.65, 0.75), None),
        ((0.42, 0.55, 0.65, 0.75), 1),  # exactly 1.4 times the target is still bearable
        ((0.10, 0.20, 0.40, 0.60), 2),  # equally far: the lower
        ((0.02, 0.04, 0.07, 0.10), 4),
    ],
)
def test_the_right_answer(prob_tox, level):
    chances = np.array([0.1, 0.2, 0.3, 0.15])
    found = SimpleNamespace(prob_tox=np.array(prob_tox), target=TARGET, prob_select=chances, prob_none=0.25)
    assert right_answer(found) == level
    assert prob_right(found) == (0.25 if level is None else chances[level - 1])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6).map(sorted))
def test_no_bearable_level_is_clearly_closer_than_the_right_one(prob_tox):
    found = SimpleNamespace(prob_tox=np.array(prob_tox), target=TARGET)
    level = right_answer(found)
    bearable = [p for p in prob_tox if p <= 0.42]
    assert (level is None) == (not bearable)
    if level is not None:
        # Distances are compared to 12 decimals.
        assert abs(prob_tox[level - 1] - TARGET) <= min(abs(p - TARGET) for p in bearable) + 2e-12


@given(
    st.dictionaries(st.integers(1, 60), st.floats(0.01, 1), min_size=1, max_size=12), st.floats(0.01, 0.99)
)
def test_a_quantile_is_the_first_size_that_reaches_its_share(weights, q):
    total = sum(weights.values())
    shares = {n: w / total for n, w in weights.items()}
    found = quantile(shares, q)
    below = sum(p for n, p in shares.items() if n < found)
    assert below < q <= below + shares[found] + 1e-9


def test_the_moving_dose_meets_the_target_where_it_says(content):
    moving = content.moving
    at = dict(zip(moving.positions, moving.results, strict=True))
    for level in (1, 2, 3, 4):
        nearest = min(at, key=lambda x, level=level: abs(x - level))
        assert nearest == pytest.approx(level, abs=0.026)
    halfway = next(found for x, found in at.items() if abs(x - 2.5) < 1e-9)
    odds = np.log(halfway.prob_tox / (1 - halfway.prob_tox))
    assert np.diff(odds) == pytest.approx([moving.step] * 3)
    assert odds[1:3].mean() == pytest.approx(np.log(0.3 / 0.7))
    assert halfway.prob_select == pytest.approx(exact_oc(content.plan, halfway.prob_tox).prob_select)
    assert moving.surface.shape == (len(moving.steps), len(moving.positions[::2]))
    assert (moving.surface >= 0).all()
    assert (moving.surface <= 1).all()


def test_a_flat_or_certain_scenario_still_gives_a_moving_dose(content):
    for truth in ((0.2, 0.2, 0.2, 0.2), (0.0, 0.0, 1.0, 1.0)):
        moving = derive_moving_dose(content.enumeration, truth, points=5, slopes=2)
        assert 0.25 <= moving.step < 10
        assert all(np.isfinite(found.mean_total_n) for found in moving.results)


# --- pathways ---------------------------------------------------------------------------------------------------


def test_paths_are_complete_and_the_running_trial_says_the_same(texts, folder):
    plan = folder.study.escalation
    rows = rows_of(texts["paths.csv"])
    ended = sum(
        float(row["probability"]) for row in rows if row["action"] == "stop" and int(row["cohort"]) < 3
    )
    assert ended + sum(float(row["probability"]) for row in rows if row["cohort"] == "3") == pytest.approx(1)
    assert len({row["outcomes"] for row in rows}) == len(rows) > 40
    for row in rows:
        found = plan.recommend(row["outcomes"])
        assert (found.action, found.level, found.mtd) == (
            row["action"],
            int(row["next_level"]) if row["next_level"] else None,
            int(row["mtd"]) if row["mtd"] else None,
        )


def test_boxes_join_only_outcomes_of_the_last_cohort_that_decide_alike(content):
    nodes = content.paths
    boxes = build_boxes(nodes)
    assert [box.dlts for box in boxes] == [(0,), (1,), (2,), (3,)]
    ends, leaves = [], [leaf for node in nodes for leaf in node.leaves()]

    def collect(some):
        for box in some:
            if box.children:
                collect(box.children)
            else:
                ends.append(box)

    collect(boxes)
    assert sum(len(box.dlts) for box in ends) == len(leaves)
    assert sum(box.probability for box in ends) == pytest.approx(1)
    assert max(len(box.dlts) for box in ends) > 1


def test_a_tree_nobody_could_read_is_left_out():
    plan = EscalationPlan.model_validate(
        {"rule": PLANS["mtpi"], "levels": 4, "cohort_size": 6, "max_patients": 60}
    )
    nodes = dose_paths(plan, 4, [0.05, 0.1, 0.2, 0.3])
    assert render_tree(nodes, ["1", "2", "3", "4"], "1", 4, "tree", "A tree") == ""


# --- comparison -------------------------------------------------------------------------------------------------


def test_rivals_have_the_size_of_the_plan(content):
    plan = content.plan
    assert list(content.rivals) == ["3+3", "BOIN", "i3+3", "CRM"]
    for name, rival in content.rivals.items():
        assert rival.levels == plan.levels
        assert rival.max_total == 24
        assert rival.rule.target_rate == plan.rule.target_rate
        kinds = {guard.kind for guard in rival.guards}
        assert kinds == {
            "3+3": set(),
            "CRM": {"no_skipping", "enough_at_dose", "coherent", "too_toxic"},
        }.get(name, {"no_skipping", "enough_at_dose"})
    for row in content.comparison:
        if row.plan in content.rivals:
            expected = exact_oc(content.rivals[row.plan], row.characteristics.prob_tox)
            assert row.characteristics.prob_select == pytest.approx(expected.prob_select)


def test_the_plan_is_not_its_own_rival_and_an_impossible_rival_is_named():
    plan = EscalationPlan.model_validate(
        {"rule": {"kind": "boin", "target": 0.04}, "levels": 4, "max_patients": 24}
    )
    absent = {}
    assert set(build_rivals(plan, absent)) == {"3+3", "CRM"}
    assert list(absent) == ["rival i3+3"]
    assert "interval" in absent["rival i3+3"]


# --- plans of other kinds ---------------------------------------------------------------------------------------


def test_a_simulated_plan_says_so_and_carries_standard_errors(monkeypatch):
    monkeypatch.setattr(design_content, "TRIALS", 200)
    content = build_content(with_rule("kind: tite_boin, target: 0.3"))
    texts = render_design(content)
    text = text_of(texts["design.html"])
    assert "how the plan behaves in them is simulated" in text
    assert "200 simulated trials per scenario" in text
    assert "without simulation error" not in text
    assert "The moving dose: not shown; it is made for plans that decide by DLT counts alone" in text
    own = [row for row in rows_of(texts["characteristics.csv"]) if row["plan"] == "TITE-BOIN (this plan)"]
    assert {row["method"] for row in own} != {"exact"}
    errors = [float(row["standard_error"]) for row in own if row["quantity"] == "prob_select"]
    assert max(errors) > 0


def test_a_model_has_paths_but_no_table():
    content = build_content(with_rule("kind: crm, target: 0.3, skeleton: [0.1, 0.2, 0.3, 0.4]"))
    texts = render_design(content)
    assert sorted(texts) == [name for name in NAMES if not name.startswith("table")]
    assert "Decision table: not shown; rule crm decides from all levels together" in text_of(
        texts["design.html"]
    )
    assert "A one-parameter model" in texts["design.html"]
    assert "CRM" not in content.rivals


def test_a_rule_that_looks_at_response_meets_the_response_of_the_scenarios():
    smaller = [("study.yaml", "max_patients: !assumption 24", "max_patients: !assumption 9")]
    smaller += [
        (
            "study.yaml",
            "title: !registry Dose escalation, patients: !assumption 24",
            "title: !registry Dose escalation, patients: !assumption 9",
        )
    ]
    folder = with_rule("kind: boin12, tox_limit: 0.35, eff_limit: 0.25", *smaller)
    content = build_content(folder)
    texts = render_design(content)
    found = content.characteristics["middle"]
    truth = folder.scenarios.scenario("middle")
    again = exact_oc(folder.study.escalation, truth.prob_tox, truth.prob_response)
    assert found.prob_select == pytest.approx(again.prob_select)
    assert right_answer(found) == again.best_level
    assert sorted(texts) == ["characteristics.csv", "design.html", "design.json"]
    assert "the plan looks at response as well as toxicity" in texts["design.html"]


# --- files and commands -----------------------------------------------------------------------------------------


def test_files_are_replaced_together_or_not_at_all(tmp_path):
    write_files(tmp_path / "new" / "folder", {"a.txt": "1", "b.txt": "2"})
    assert (tmp_path / "new" / "folder" / "a.txt").read_bytes() == b"1"
    with pytest.raises(UnicodeEncodeError):
        write_files(tmp_path / "new" / "folder", {"a.txt": "new", "b.txt": "\ud800"})
    assert sorted(file.name for file in (tmp_path / "new" / "folder").iterdir()) == ["a.txt", "b.txt"]
    assert (tmp_path / "new" / "folder" / "a.txt").read_bytes() == b"1"


def test_nothing_is_written_when_the_content_cannot_be_found(tmp_path, folder, monkeypatch):
    def refuse(*anything):
        raise ValueError("no characteristics")

    monkeypatch.setattr(design_content, "_characteristics", refuse)
    with pytest.raises(ValueError, match="no characteristics"):
        write_design(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_steps_are_told_in_order(content, monkeypatch, tmp_path, folder):
    told = []
    monkeypatch.setattr("escalon.report.design_report.build_content", lambda folder, step: content)
    monkeypatch.setattr("escalon.report.design_report.render_design", lambda content: {"design.html": "x"})
    write_design(folder, tmp_path, told.append)
    assert told == ["Page", "Files"]
    build_content(folder, told.append)
    assert tuple([*told[2:], *told[:2]]) == design_content.STEPS


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_rounded_keeps_twelve_digits(value):
    assert rounded(value) == pytest.approx(value, rel=5e-12, abs=0)
    assert rounded(rounded(value)) == rounded(value)


def escalon(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_writes_the_report_and_names_it(tmp_path, texts, content, monkeypatch):
    monkeypatch.setattr("escalon.report.design_report.build_content", lambda folder, step: content)
    monkeypatch.setattr("escalon.report.design_report.render_design", lambda content: texts)
    result = escalon("design", BALLI, "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert f"{tmp_path}/out/design.html" in result.stdout.replace("\n", "")
    assert {file.name: file.read_text(encoding="utf-8") for file in (tmp_path / "out").iterdir()} == texts
    as_json = escalon("design", BALLI, "--out", tmp_path / "out", "--json")
    assert as_json.stdout == render_json(design_answer(content)) == texts["design.json"]


def test_a_bad_study_folder_ends_with_code_2_and_nothing_written(tmp_path):
    bad = tmp_path / "study"
    for name, text in balli_files().items():
        (bad / name).parent.mkdir(parents=True, exist_ok=True)
        (bad / name).write_text(text.replace("target: !assumption 0.30", "target: !assumption 1.30"))
    for folder, said in ((bad, "target"), (tmp_path / "nowhere", "no study folder")):
        result = escalon("design", folder, "--out", tmp_path / "out")
        assert result.exit_code == 2
        assert said in result.stderr
        assert result.stdout == ""
    assert not (tmp_path / "out").exists()


def test_the_table_command_writes_csv_and_html(tmp_path):
    result = escalon("table", BALLI, "--max-n", 9, "--csv", tmp_path / "t.csv", "--html", tmp_path / "t.html")
    assert result.exit_code == 0
    assert "Decision table" in result.stdout
    assert list(read_table_csv((tmp_path / "t.csv").read_text())) == list(range(1, 10))
    assert cells_of((tmp_path / "t.html").read_text(encoding="utf-8"))[0] == list(range(1, 10))
    plan = tmp_path / "plan.yaml"
    plan.write_text("rule: {kind: crm, target: 0.3, skeleton: [0.1, 0.3]}\nlevels: 2\nmax_patients: 12\n")
    refused = escalon("table", "--plan", plan, "--csv", tmp_path / "none.csv")
    assert refused.exit_code == 2
    assert not (tmp_path / "none.csv").exists()


def test_the_content_can_lack_a_part(content):
    bare = replace(content, table=None, paths=None, absent={"table": "why one", "paths": "why two"})
    texts = render_design(bare)
    assert "paths.csv" not in texts
    assert "Decision table: not shown; why one." in text_of(texts["design.html"])
    assert "Pathways: not shown; why two." in text_of(texts["design.html"])


def test_the_examples_of_the_page_run():
    page = Path(ROOT / "docs" / "methods" / "design-report.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(verbose=False)
    for block in blocks:
        runner.run(parser.get_doctest(block, {}, "design-report", None, 0))
    assert runner.summarize(verbose=False).attempted > 3
    assert runner.failures == 0
