"""The casebook shows every value with its whole history, whatever it says, and says what was changed, void or gone."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalon.conduct import commands as c
from escalon.conduct.capture import commands as capture
from escalon.conduct.capture.audit import record_trail
from escalon.conduct.people.signatures import casebook_content, casebook_ref, form_content, form_ref
from escalon.conduct.redaction.commands import ConfirmRedaction, RedactValue
from escalon.conduct.redaction.marker import Redacted
from escalon.protocol import StudyFolder, load_study
from escalon.report.casebook.book import build_casebook
from escalon.report.casebook.page import Ledger, read_ledger, render_casebook
from escalon.report.casebook.shown import Question, plain, show_value
from escalon.report.casebook.stamp import local_time
from escalon.store.execute import LedgerWriter
from escalon.store.source import Source, read_source
from tests import act
from tests.study_files import balli_files

HOSTILE = (
    """<script>alert("x")</script> & 'q' </details> \N{DNA DOUBLE HELIX} """
    "\N{HEBREW LETTER SHIN}\N{HEBREW LETTER LAMED}"
)
SECRET = "Mrs Jane Doe"
VOID_TAGS = frozenset(("meta", "br", "input", "line", "path", "rect"))


@pytest.fixture(scope="module")
def folder() -> StudyFolder:
    """BALLI-01 with a retired item and a partial date among the vital signs."""
    files = balli_files()
    items = (
        "  - {name: PULSE, label: Pulse, type: integer, required: false}\n"
        "  - {name: FEVDAT, label: First fever, type: partial_date, required: false}\n"
        "checks:"
    )
    return load_study({**files, "forms/vs.yaml": files["forms/vs.yaml"].replace("checks:", items)})


@pytest.fixture(scope="module")
def amended(folder: StudyFolder) -> StudyFolder:
    """The same after pulse was retired."""
    text = folder.texts["forms/vs.yaml"]
    retired = text.replace(
        "type: integer, required: false}\n  - {name: FEV",
        'type: integer, required: false, retired: "2"}\n  - {name: FEV',
    )
    assert retired != text
    return load_study({**folder.texts, "forms/vs.yaml": retired})


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, folder: StudyFolder, amended: StudyFolder) -> str:
    """A ledger: a cohort observed, then of 002 a casebook signed, changed, queried, verified and redacted."""
    desk = act.opened(folder)
    act.observe_cohort(desk, ["001", "002", "003"], dlts=("002",))
    vital = {"VSDTC": desk.now.isoformat(), "WEIGHT": 70.5, "PULSE": 71, "FEVDAT": "2020-02"}
    desk.must(act.COORDINATOR, c.RecordForm("002", "VS", "VS-1", vital, "D28"))
    panel = {**act.panel(desk), "HGB": {"missing": "ND", "reason": "tube broke"}}
    desk.must(act.COORDINATOR, c.RecordForm("002", "LB", "LB-X", panel))
    event = act.adverse_event(
        desk, AETERM=SECRET, AECAT="GENERAL", AETOXGR=1, AESER="N", AESLIFE="N", AESHOSP="N"
    )
    desk.must(act.COORDINATOR, c.RecordForm("002", "AE", "AE-9", event))
    content = casebook_content(desk.state, "002")
    act.give(desk, act.INVESTIGATOR, casebook_ref("002"), content, "responsibility")
    content = form_content(desk.state, "002", "AE-1")
    act.give(desk, act.INVESTIGATOR, form_ref("002", "AE-1"), content, "responsibility")
    desk.now += timedelta(hours=1)
    desk.must(act.CRA, capture.VerifySource("002", "AE-9"))
    desk.must(act.CRA, capture.OpenQuery("002", "AE-9", "AETOXGR", f"why {HOSTILE}"))
    changed = {**event, "AETERM": HOSTILE, "AETOXGR": 2}
    desk.must(act.COORDINATOR, c.RecordForm("002", "AE", "AE-9", changed, reason=f"misread {HOSTILE}"))
    first = act.adverse_event(desk, AESTDTC=desk.state.patients["002"].records["AE-1"].entered["AESTDTC"])
    corrected = {**first, "AETERM": "Pneumonitis, both lungs"}
    desk.must(act.COORDINATOR, c.RecordForm("002", "AE", "AE-1", corrected, reason="read again"))
    target = next(f.seq for f in desk.facts if getattr(f.event, "record", "") == "AE-9")
    url = str(tmp_path_factory.mktemp("casebook") / "ledger.db")
    with LedgerWriter(url, folder) as writer:
        for signed in desk.sent:
            assert not isinstance(writer.execute(signed), c.Refused)
        for actor, command in (
            (act.DATA_MANAGER, RedactValue(target, ("values.AETERM",), "a name")),
            (act.MONITOR, ConfirmRedaction(1)),
        ):
            assert not isinstance(writer.execute(c.Signed(command, actor, desk.now)), c.Refused)
    with LedgerWriter(url, amended) as writer:
        amend = c.Signed(capture.AmendStudy(amended.hash, "no pulse"), act.SPONSOR, desk.now)
        assert not isinstance(writer.execute(amend), c.Refused)
    return url


@pytest.fixture(scope="module")
def source(path: str) -> Source:
    return read_source(path)


@pytest.fixture(scope="module")
def ledger(source: Source) -> Ledger:
    return read_ledger(source.study_id, source.entries)


@pytest.fixture(scope="module")
def page(ledger: Ledger, source: Source) -> str:
    return render_casebook(ledger, "002", source.folder())


class Outline(HTMLParser):
    """Checks that every element is closed in its turn; collects ids, links, headings and text by element."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.outside: list[str] = []
        self.headings: list[tuple[int, str]] = []
        self.scripts = 0
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.scripts += tag in ("script", "link", "img", "iframe", "object") or any(
            n.startswith("on") for n in said
        )
        if said.get("id"):
            self.ids.append(str(said["id"]))
        if tag == "a":
            self.links.append(str(said["href"]))
        self.outside += [str(said[name]) for name in ("src", "xlink:href") if name in said]
        if tag not in VOID_TAGS:
            self.open.append(tag)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        return None

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another element, line {self.getpos()}"

    def handle_data(self, data: str) -> None:
        if self.open and re.fullmatch(r"h[1-6]", self.open[-1]):
            level, text = self.headings[-1]
            self.headings[-1] = (level, text + data)


def item_of(page: str, record: str, label: str) -> str:
    """The text of one item of a record, as it stands on the page."""
    article = next(
        part for part in page.split("<article")[1:] if f'<span class="soft">{record}</span>' in part
    )
    return next(part for part in article.split('<div class="item')[1:] if f"<dt>{label} " in part)


def words(html: str) -> str:
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", html).split())).replace(" ,", ",")


def test_the_page_is_valid_standalone_and_every_link_has_its_place(page: str) -> None:
    outline = Outline(page)
    assert len(outline.ids) == len(set(outline.ids))
    assert {link.removeprefix("#") for link in outline.links} <= set(outline.ids)
    assert all(link.startswith("#") for link in outline.links)
    assert outline.outside == []
    assert outline.scripts == 0
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_the_structure_of_the_page(page: str) -> None:
    headings = Outline(page).headings
    assert [text for level, text in headings if level == 1] == ["BALLI-01, patient 002"]
    assert [text for level, text in headings if level == 2] == [
        "Course",
        "Values changed after first entry",
        "Queries",
        "Signatures",
        "Enrolment, judgement, freeze and lock",
        "Redactions",
        "Records",
        "Provenance",
    ]
    assert [text for level, text in headings if level == 3] == ["Day 28", "Unscheduled"]
    assert all(after <= before + 1 for (before, _), (after, _) in pairwise(headings))


def test_a_changed_item_shows_both_values_who_when_where_and_why(page: str) -> None:
    text = words(item_of(page, "AE-9", "Worst grade"))
    assert re.search(r"2 changed in version 2 after signature \d+ of Investigator", text)
    assert "1 first entry Coordinator, coordinator Test, site 01" in text
    assert "1 → became 2 version 2" in text
    assert re.search(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC \d{4}-\d\d-\d\d \d\d:\d\d:\d\d -0[45]00 America/New_York", text
    )
    assert "Reason: misread <script>" in text
    assert re.search(r"event \d+; by form.*; study version [0-9a-f]{12}, escalon", text)
    assert "source verified, version 1" in text
    assert "source verification fell with the change, version 2" in text
    assert "Query" in text
    assert "opened" in text


def test_hostile_text_is_text_and_keeps_its_direction(page: str) -> None:
    assert "<script" not in page
    shown = "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt; &amp; &#39;q&#39; &lt;/details&gt; \N{DNA DOUBLE HELIX}"
    assert f'<bdi class="v">{shown}' in page


def test_a_redacted_value_reads_redacted_and_is_found_nowhere(page: str) -> None:
    assert SECRET not in page
    item = item_of(page, "AE-9", "Reported term")
    assert '<span class="gone">redacted</span> <span class="note">redaction 1</span>' in item
    assert "an earlier word redacted" in item
    section = words(page[page.index('id="redactions"') : page.index('id="records"')])
    assert "values.AETERM" in section
    assert "requested by dm, data manager Monitor, medical monitor" in section


def test_a_signature_is_shown_with_name_moment_meaning_and_what_voided_it(page: str) -> None:
    text = words(page[page.index('id="signatures"') : page.index('id="closures"')])
    assert re.search(
        r"Investigator, investigator Test, site 01 \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC .* responsibility", text
    )
    assert re.search(r"void since .* UTC: AE-9 was changed to version 2 by Coordinator, coordinator", text)
    assert " valid" not in text


def test_a_change_after_an_adjudication_is_flagged_and_one_before_is_not(page: str) -> None:
    late = item_of(page, "AE-1", "Reported term")
    assert "after the adjudication as DLT" in late
    assert "after the adjudication" not in item_of(page, "AE-9", "Worst grade")


def test_a_signature_flags_changes_of_what_it_covers_only(page: str) -> None:
    """The casebook was signed first, then the form AE-1: each change names the last signature that covers it."""
    numbers = re.findall(
        r"<tr><td>(\d+)</td>", page[page.index('id="signatures"') : page.index('id="closures"')]
    )
    whole, form = numbers[-2:]
    assert f"after signature {form} of Investigator" in item_of(page, "AE-1", "Reported term")
    assert f"after signature {whole} of Investigator" in item_of(page, "AE-9", "Worst grade")


def test_a_verification_stands_where_nothing_changed_and_falls_where_it_did(page: str) -> None:
    same, changed = (words(item_of(page, "AE-9", one)) for one in ("Category", "Worst grade"))
    assert "source verified, version 1 stands" in same
    assert "GENERAL verified" in same
    assert "stands" not in changed
    assert '<span class="tick">' not in item_of(page, "AE-9", "Worst grade")


def test_missing_partial_and_retired_are_told_apart(page: str) -> None:
    assert 'ND</span> <bdi class="note">not done: tube broke' in item_of(page, "LB-X", "Hemoglobin")
    assert "2020-02 day unknown" in words(item_of(page, "VS-1", "First fever"))
    assert "71" in words(item_of(page, "VS-1", "Pulse"))
    assert "70.5 kg" in words(item_of(page, "VS-1", "Weight"))


def test_a_retired_item_keeps_its_value_and_says_so(
    ledger: Ledger, source: Source, amended: StudyFolder
) -> None:
    """Patient 002 reconsented: the form asks for the pulse no longer; what was answered stays."""
    state = ledger.gathered.state
    versions = {**state.capture.versions, "002": amended.hash}
    moved = replace(
        ledger.gathered,
        state=replace(state, capture=replace(state.capture, versions=versions)),
        stamps={seq: replace(one, study=amended.hash) for seq, one in ledger.gathered.stamps.items()},
    )
    page = render_casebook(replace(ledger, gathered=moved), "002", source.folder())
    assert "71 retired since 2" in words(item_of(page, "VS-1", "Pulse"))


def test_as_of_shows_what_stood_then_and_nothing_after(source: Source, page: str) -> None:
    before = max(e.at for e in source.entries if e.kind == "SignatureGiven")
    then = read_ledger(source.study_id, source.entries, datetime.fromisoformat(before))
    text = render_casebook(then, "002", source.folder())
    assert "the ledger goes on to event" in text
    assert 'chip open">void' not in text
    assert "No value was changed after its first entry." in text
    assert SECRET not in text
    section = words(text[text.index('id="redactions"') : text.index('id="records"')])
    assert "values.AETERM" in section
    assert "after the moment shown" in section
    assert then.gathered.ledger_seq == len(source.entries) > then.gathered.seq
    with pytest.raises(ValueError, match="the first event is of"):
        read_ledger(source.study_id, source.entries, datetime(1999, 1, 1, tzinfo=UTC))


def test_every_step_of_every_trail_is_on_the_page(ledger: Ledger, source: Source) -> None:
    """Against the trail that conduct gives: the same versions in the same order, item by item."""
    state = ledger.gathered.state
    for patient in state.patients:
        book = build_casebook(ledger.gathered, patient, source.folder())
        for record in book.records:
            trail = record_trail(state, patient, record.record)
            shown = {item.question.name: [step.version for step in item.steps] for item in record.items}
            answered = {
                name: [change.version for change in changes]
                for name, changes in trail.items()
                if any(change.new.kind not in ("absent", "null") for change in changes)
            }
            assert shown == answered


def test_a_broken_chain_is_said_on_the_page(source: Source) -> None:
    entries = list(source.entries)
    entries[40] = entries[40]._replace(actor_name="Somebody else")
    page = render_casebook(read_ledger("BALLI-01", entries), "001", source.folder())
    assert "The ledger does not verify." in page
    Outline(page)


def test_an_unknown_patient_is_named_with_those_there(ledger: Ledger, source: Source) -> None:
    with pytest.raises(KeyError, match=r"no patient 9.*enrolled: 001, 002, 003"):
        render_casebook(ledger, "9", source.folder())


def test_the_course_has_every_event_and_survives_dates_it_cannot_draw(ledger: Ledger, source: Source) -> None:
    page = render_casebook(ledger, "002", source.folder())
    svg = page[page.index("<svg") : page.index("</svg>")]
    for piece in (
        "infusion 1, level 1",
        "G4 Pneumonitis, serious",
        "G2 Pneumonitis",
        "DLT (clause",
        "consent",
    ):
        assert piece in svg, piece
    assert 'class="window-DLT"' in svg


@given(
    st.recursive(
        st.none()
        | st.text()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.builds(Redacted, st.integers(1, 9)),
        lambda inner: st.lists(st.dictionaries(st.sampled_from(["A", "B"]), inner, max_size=2), max_size=2),
    )
)
def test_any_value_has_a_text(value: object) -> None:
    shown = show_value(value, Question("X", "x"))
    assert shown.kind in ("open", "empty", "redacted", "value", "rows")
    if isinstance(value, str) and value and not isinstance(value, Redacted):
        assert shown.text.replace(" ", "T") == value.replace(" ", "T")


@given(st.integers(-(10**14), 10**14))
def test_whole_numbers_lose_nothing(number: int) -> None:
    assert int(plain(float(number))) == number


def test_a_zone_this_computer_does_not_know_is_said() -> None:
    assert local_time(datetime(2021, 1, 1, tzinfo=UTC), "Mars/Olympus").startswith("Mars/Olympus: ")
    assert local_time(datetime(2021, 1, 1, tzinfo=UTC), "UTC") == ""


def test_the_command_writes_pages_and_refuses_in_words(path: str, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from escalon.cli import app

    run = CliRunner().invoke
    one = run(app, ["casebook", path, "--patient", "002", "--out", str(tmp_path / "p.html")])
    assert one.exit_code == 0, one.output
    assert "patient 002, event" in one.output
    every = run(app, ["casebook", path, "--all", "--out", str(tmp_path / "all")])
    assert every.exit_code == 0, every.output
    assert sorted(file.name for file in (tmp_path / "all").iterdir()) == [
        f"casebook-00{n}.html" for n in (1, 2, 3)
    ]
    assert (tmp_path / "all" / "casebook-002.html").read_text() == (tmp_path / "p.html").read_text()
    for arguments, said in (
        (["--patient", "9"], "no patient 9"),
        ([], "either --patient NUMBER or --all"),
        (["--all"], "needs --out"),
        (["--patient", "002", "--as-of", "yesterday"], "no moment"),
        (["--patient", "002", "--as-of", "2021-01-01T00:00:00"], "needs its zone"),
    ):
        refused = run(app, ["casebook", path, *arguments])
        assert refused.exit_code == 2
        assert said in refused.output
