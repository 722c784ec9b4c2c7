"""The page: complete, self-contained, the same bytes, honest about what it is."""

import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest

from escalon.conduct.state import Hold
from escalon.report.html import render_html
from tests.unit.report.conftest import INFO

VOID = {"meta", "br", "img", "hr", "input", "link", "path", "line", "rect", "stop", "use", "col"}


class Reader(HTMLParser):
    """Checks nesting and collects ids, links, captions and what loads from elsewhere."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.links, self.loads, self.tags = [], [], [], [], Counter()
        self.figures = []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags[tag] += 1
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "a":
            self.links.append(found["href"])
        self.loads += [found[k] for k in ("src", "srcset", "data", "xlink:href") if k in found]
        if tag == "svg":
            self.figures.append(found)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def read(page):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


def text_of(page):
    body = re.sub(r"<(style|svg)\b.*?</\1>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_the_same_input_gives_the_same_bytes_in_another_process(page, tmp_path):
    code = (
        "from pathlib import Path; import sys\n"
        "from escalon.pipeline import open_study\n"
        "from escalon.report.html import render_html\n"
        "from tests.unit.report.conftest import INFO\n"
        "from tests.unit.report.example import make_state\n"
        "from tests.unit.report.example_adam import make_adam\n"
        "folder = open_study(Path('studies/balli-01'))\n"
        "page = render_html(make_adam(), make_state(folder.hash), folder, None, INFO)\n"
        "Path(sys.argv[1]).write_text(page, encoding='utf-8')\n"
    )
    target = tmp_path / "again.html"
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", code, str(target)], check=True, cwd=root, timeout=120)
    assert target.read_text(encoding="utf-8") == page


def test_rows_in_another_order_give_the_same_page(page, adam, state, folder):
    shuffled = {name: frame.sample(fraction=1.0, shuffle=True, seed=7) for name, frame in adam.items()}
    assert render_html(shuffled, state, folder, None, INFO) == page


def test_nothing_is_loaded_from_a_network(page):
    reader = read(page)
    assert reader.loads == []
    assert all(link.startswith("#") for link in reader.links)
    assert not re.search(r"https?:|//[a-z]+\.|@import|url\((?!#)", page)
    assert reader.tags["script"] == reader.tags["link"] == 0


def test_ids_are_unique_and_every_link_arrives(page):
    reader = read(page)
    assert [i for i, n in Counter(reader.ids).items() if n > 1] == []
    assert {link[1:] for link in reader.links} <= set(reader.ids)
    assert set(re.findall(r"url\(#([^)]+)\)", page)) <= set(reader.ids)


def test_the_first_page_says_simulated_and_assumptions_before_any_result(page):
    text = text_of(page)
    first = text.index("Study synopsis", text.index("Simulated run"))
    assert "no patient in this document is real" in text[:first]
    assert "This document rests on assumptions" in text[:first]
    assert text.index("Simulated run") < text.index("Key results at a glance")


def test_every_table_has_a_caption_and_headings(page):
    for table in re.findall(r"<table.*?</table>", page, flags=re.S):
        assert "<caption>" in table
        assert re.search(r'<th [^>]*scope="col(?:group)?"', table)


def test_every_figure_is_drawn_and_has_words(page):
    figures = read(page).figures
    assert len(figures) == 16
    for figure in figures:
        assert figure["role"] == "img"
        assert len(figure["aria-label"]) > 40
    assert "NaN" not in page
    for svg in re.findall(r"<svg.*?</svg>", page, flags=re.S):
        ElementTree.fromstring(svg.replace("xlink:href", "href"))


def test_no_python_leaks_into_the_text(page):
    text = text_of(page)
    for trace in (" None ", " nan ", "Undefined", "{'", "datetime.", "DltStatus", "<built-in"):
        assert trace not in text


@pytest.mark.parametrize(
    "said",
    [
        "NCT04150497",
        "Registered versions",
        "Escalation history",
        "Recommendation of the rule and decision of the committee",
        "One DLT among three: three more patients before going on.",
        "Operating characteristics of the escalation plan, exact",
        "Maximum tolerated dose",
        "RP2D: DL2i",
        "Signed 12 Feb 2021 by Chair, Statistician",
        "Populations and disposition",
        "Related to UCART22",
        "Related to lymphodepletion",
        "Serious adverse events, listing",
        "Investigator-assessed overall response by visit",
        "Patients at risk",
        "Duration of response, PFS and OS",
        "CLLS52 parameters",
        "c0ffee",
        "seed 1",
    ],
)
def test_the_report_answers(page, said):
    assert said in page


def test_every_value_of_the_study_folder_is_listed_with_its_tag(page, folder):
    listing = page[page.index('<section id="provenance">') :]
    rows = re.findall(r"<tr><td><code>([^<]*)</code></td>", listing)
    assert Counter(rows) == Counter(row.path for row in folder.provenance)
    for tag in ("registry", "publication", "derived", "assumption"):
        count = sum(row.tag == tag for row in folder.provenance)
        assert f'<span class="chip {tag}">{tag}</span> {count} values' in listing


def test_what_people_wrote_is_text_never_markup_and_holds_are_told(adam, state, folder):
    evil = "<script>alert(1)</script>"
    decisions = (replace(state.decisions[0], reason=evil), *state.decisions[1:])
    hold = Hold(1, "related-death", "a related death within 30 days", state.opened_at)
    rp2d = replace(state.rp2d, reason=evil, evidence={"note": evil})
    spoiled = replace(state, decisions=decisions, rp2d=rp2d, holds=(hold,))
    events = adam["ADAE"].with_columns(AEDECOD=pl.lit(evil), ANYSER=pl.lit("Y"))
    page = render_html(adam | {"ADAE": events}, spoiled, folder, None, INFO)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "A related death within 30 days. Not lifted." in page


def test_a_real_trial_that_has_just_begun_can_be_read_and_is_not_called_simulated(adam, state, folder):
    few = adam["ADSL"].head(2)["USUBJID"].to_list()
    early = {name: frame.filter(pl.col("USUBJID").is_in(few)).clear(0) for name, frame in adam.items()}
    early["ADSL"] = adam["ADSL"].head(2)
    people = dict(list(state.patients.items())[:2])
    young = replace(
        state,
        patients=people,
        cohorts=state.cohorts[:1],
        recommendations=(),
        decisions=state.decisions[:1],
        mtd=None,
        rp2d=None,
        closed_at=None,
    )
    real = replace(INFO, simulated=False, seed=None, scenario=None)
    page = render_html(early, young, folder, None, real)
    read(page)
    assert "imulated run" not in text_of(page)
    assert "This document rests on assumptions" in page
    for said in (
        "not decided yet",
        "not estimated yet",
        "No recommended phase 2 dose has been decided",
        "no data to draw",
    ):
        assert said in page
