"""A case as an E2B(R3) message: the same bytes for the same facts, and no message without a required element."""

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from xml.etree import ElementTree as ET

import pytest

from escalon.conduct import commands as c
from escalon.conduct.safety import commands as sc
from escalon.conduct.safety.clocks import tasks
from escalon.conduct.safety.icsr.acknowledge import acknowledge, read_acknowledgement
from escalon.conduct.safety.icsr.build import build_icsr, case_number
from escalon.conduct.safety.icsr.case import Attachment
from escalon.conduct.safety.icsr.check import Rule, _find, check_message, load_rules
from escalon.conduct.safety.icsr.send import write_report
from escalon.conduct.safety.icsr.write import NOT_SUBMITTABLE, batch_number, render_icsr
from escalon.criteria.dictionaries import EventDictionary, load_event_dictionary
from escalon.protocol import StudyFolder
from tests.act import COORDINATOR, SAFETY_OFFICER, Desk
from tests.unit.conduct.test_safety import HASH, assess, with_event

HL7 = {"": "urn:hl7-org:v3"}
ROW = "99900001,Pneumonitis,99900002,Pneumonitis,99900003,hlt,99900004,hlgt,99900005,soc"
HEADER = "llt_code,llt_term,pt_code,pt_term,hlt_code,hlt_term,hlgt_code,hlgt_term,soc_code,soc_term"


@pytest.fixture(scope="module")
def dictionary() -> EventDictionary:
    """A dictionary with one invented row."""
    return load_event_dictionary(f"{HEADER}\n{ROW}\n", "27.1")


@pytest.fixture(scope="module")
def fatal(balli: StudyFolder) -> Desk:
    """A fatal SUSAR, assessed: investigator PROBABLE, sponsor POSSIBLE."""
    ended = {"AEOUT": "FATAL", "AESDTH": "Y", "AETOXGR": 5, "AEENDTC": "2020-02-14T10:00:00+00:00"}
    desk = with_event(balli, **ended)
    who = {"AGE": 34, "SEX": "F", "RACE": "WHITE", "ETHNIC": "NOT REPORTED", "COUNTRY": "USA"}
    desk.must(COORDINATOR, c.RecordForm("001", "DM", "DM", who))
    assess(desk, "POSSIBLE")
    return desk


def written(desk: Desk, region: str, dictionary: EventDictionary | None = None) -> str:
    return write_report(desk.state, desk.folder, 1, desk.now, region, dictionary=dictionary).text


def values(text: str, path: str, at: str) -> list[str | None]:
    return [one.get(at) if at else one.text for one in ET.fromstring(text).findall(path, HL7)]


@pytest.mark.parametrize("region", ["EU", "US"])
def test_a_message_is_the_same_bytes_each_time_and_keeps_all_rules(
    fatal: Desk, dictionary: EventDictionary, region: str
) -> None:
    text = written(fatal, region, dictionary)
    assert text == written(fatal, region, dictionary)
    assert check_message(text, region, submittable=True) == ()
    assert NOT_SUBMITTABLE not in text


@pytest.mark.parametrize(
    ("region", "rule"),
    [
        pytest.param("US" if rule.region == "US" else "EU", rule, id=rule.id)
        for rule in load_rules()
        if rule.id not in ("C.1.11.2", "ONE.meddra", "E.i.1")
    ],
)
def test_every_rule_speaks_when_its_element_is_emptied(
    fatal: Desk, dictionary: EventDictionary, region: str, rule: Rule
) -> None:
    root = ET.fromstring(written(fatal, region, dictionary))
    places = _find(root, rule.each) if rule.each else [root]
    found = [one for place in places for one in ([place] if rule.path == "." else _find(place, rule.path))]
    assert found, "the valid message has the element"
    for one in found:
        one.attrib.pop(rule.at[1:], None)
        one.attrib.pop("nullFlavor", None)
        if rule.at == "text":
            one.text = None
    faults = check_message(ET.tostring(root, encoding="unicode"), region, submittable=True)
    assert rule.id in [fault.rule for fault in faults]


def test_a_missing_branch_is_told_by_the_name_of_its_element(
    fatal: Desk, dictionary: EventDictionary
) -> None:
    text = written(fatal, "EU", dictionary)
    without = re.sub(r"<priorityNumber[^>]*>", "", text)
    assert [str(one) for one in check_message(without, "EU", submittable=True)] == [
        "C.2.r.5 (one primary source: missing)"
    ]
    lying = re.sub(
        r'(displayName="otherCaseIds" />\s*)<value [^>]*>', r'\1<value xsi:type="BL" value="false" />', text
    )
    (fault,) = check_message(lying, "EU", submittable=True)
    assert (fault.element, "'false' is not allowed" in fault.text) == ("C.1.9.1", True)


def test_two_versions_of_the_dictionary_in_one_report_are_refused(
    fatal: Desk, dictionary: EventDictionary
) -> None:
    text = written(fatal, "EU", dictionary)
    coded = 'codeSystem="2.16.840.1.113883.6.163" nullFlavor="NI"'
    assert coded in text
    mixed = text.replace(coded, 'codeSystem="2.16.840.1.113883.6.163" code="1" codeSystemVersion="26.0"', 1)
    assert "ONE.meddra" in [one.rule for one in check_message(mixed, "EU", submittable=True)]


def test_an_event_needs_a_word(fatal: Desk, dictionary: EventDictionary) -> None:
    text = written(fatal, "EU", dictionary)
    assert ">Pneumonitis<" in text
    faults = check_message(text.replace(">Pneumonitis<", "><"), "EU", submittable=True)
    assert [one.rule for one in faults] == ["E.i.1"]


def test_a_nullification_needs_its_reason(fatal: Desk, dictionary: EventDictionary) -> None:
    mark = (
        '<subjectOf2 typeCode="SUBJ"><investigationCharacteristic classCode="OBS" moodCode="EVN"><code code="3" '
        'codeSystem="2.16.840.1.113883.3.989.2.1.1.23" /></investigationCharacteristic></subjectOf2>'
    )
    text = written(fatal, "EU", dictionary).replace("</investigationEvent>", f"{mark}</investigationEvent>")
    assert [one.rule for one in check_message(text, "EU", submittable=True)] == ["C.1.11.2"]


def test_without_a_licensed_dictionary_the_file_says_that_it_cannot_be_sent(fatal: Desk) -> None:
    report = write_report(fatal.state, fatal.folder, 1, fatal.now, "EU")
    assert not report.submittable
    assert f"<!-- {NOT_SUBMITTABLE} -->" in report.text
    assert f"<text>[{NOT_SUBMITTABLE}] Pneumonitis on day 2." in report.text
    assert {one.element for one in check_message(report.text, "EU", submittable=True)} == {
        "E.i.2.1a",
        "E.i.2.1b",
    }


def test_the_case_says_what_was_recorded(fatal: Desk) -> None:
    text = written(fatal, "EU")
    assert values(text, ".//player1/name", "nullFlavor") == ["MSK"]
    assert values(text, ".//player1/asIdentifiedEntity/id", "extension") == ["BALLI-01-001"]
    assert values(text, ".//player1/deceasedTime", "value") == ["20200214"]
    assert values(text, ".//lotNumberText", "") == []
    criteria = ".//code[@displayName='{}']/../value"
    assert values(text, criteria.format("resultsInDeath"), "value") == ["true"]
    assert values(text, criteria.format("congenitalAnomalyBirthDefect"), "nullFlavor") == ["NI"]
    assert values(text, criteria.format("outcome"), "code") == ["5"]
    assert "false" not in values(text, criteria.format("otherCaseIds"), "value")


@pytest.mark.parametrize("region", ["EU", "US"])
def test_times_have_the_parts_their_type_asks_for(fatal: Desk, region: str) -> None:
    """The schema of HL7 version 3: an expression of times (SXPR_TS) has two parts or more, an interval its ends."""
    kind = "{http://www.w3.org/2001/XMLSchema-instance}type"
    times = [
        one
        for one in ET.fromstring(written(fatal, region)).iter("{urn:hl7-org:v3}effectiveTime")
        if one.get(kind)
    ]
    parts = {(one.get(kind), len(one.findall("comp", HL7)), len(one.findall("low", HL7))) for one in times}
    assert parts == {("SXPR_TS", 2, 0), ("IVL_TS", 0, 1)}


def test_each_region_gets_the_opinions_in_its_own_way(fatal: Desk) -> None:
    opinions = ".//component/causalityAssessment/code[@code='39']/../{}"
    eu, us = written(fatal, "EU"), written(fatal, "US")
    source, result = "author/assignedEntity/code/originalText", "value"
    told = list(
        zip(
            values(eu, opinions.format(source), ""),
            values(eu, opinions.format(result), ""),
            strict=True,
        )
    )
    assert told[:2] == [("Investigator", "Probable"), ("Sponsor", "Possible")]
    assert set(values(us, opinions.format(source), "")) == {"Sponsor"}
    assert values(us, opinions.format(result), "")[0] == "Suspected"
    assert "UCART22: investigator probable, sponsor possible" in us
    assert values(us, ".//code[@code='C54588']/../value", "code") == ["6"]


def test_an_attachment_goes_uncompressed_in_base64(fatal: Desk) -> None:
    letter = Attachment("Letter", "text/plain", b"seen")
    icsr = build_icsr(fatal.state, fatal.folder, 1, fatal.now, "EU", attachments=(letter,))
    text = render_icsr(icsr, "EU")
    assert values(text, ".//document/text", "") == ["c2Vlbg=="]
    assert values(text, ".//code[@displayName='additionalDocumentsAvailable']/../value", "value") == ["true"]


def test_what_cannot_be_written_is_told(fatal: Desk, dictionary: EventDictionary) -> None:
    with pytest.raises(ValueError, match="case 2: there is none; 1 were opened"):
        write_report(fatal.state, fatal.folder, 2, fatal.now, "EU")
    with pytest.raises(ValueError, match=r"region UK: safety.receivers .* EU, US"):
        write_report(fatal.state, fatal.folder, 1, fatal.now, "UK")
    letter = Attachment("\x01", "text/plain", b"")
    icsr = build_icsr(fatal.state, fatal.folder, 1, fatal.now, "EU", attachments=(letter,))
    with pytest.raises(ValueError, match=r"U\+0001 cannot stand in an XML file"):
        render_icsr(icsr, "EU")
    other = load_event_dictionary(f"{HEADER}\n{ROW.replace('Pneumonitis', 'Fever')}\n", "27.1")
    with pytest.raises(ValueError, match="'Pneumonitis' is not a lowest level term"):
        written(fatal, "EU", other)


ACK = """<?xml version="1.0" encoding="UTF-8"?>
<MCCI_IN200101UV01 xmlns="urn:hl7-org:v3"><creationTime value="20200203040506.12+0000"/>
<MCCI_IN000002UV01><acknowledgement typeCode="{message}">
<targetMessage><id extension="{case}" root="2.16.840.1.113883.3.989.2.1.3.1"/></targetMessage>
<acknowledgementDetail><text>rule 12</text></acknowledgementDetail></acknowledgement></MCCI_IN000002UV01>
<acknowledgement typeCode="{whole}"><targetBatch>
<id extension="{batch}" root="2.16.840.1.113883.3.989.2.1.3.22"/></targetBatch></acknowledgement>
</MCCI_IN200101UV01>"""


def ack(**parts: str) -> bytes:
    """An acknowledgement file."""
    return ACK.format(**parts).encode()


@pytest.fixture
def reported(balli: StudyFolder) -> tuple[Desk, dict[str, str]]:
    """A desk with a report sent, and what an acknowledgement of it names."""
    desk = with_event(balli)
    assess(desk, "POSSIBLE")
    clock = next(one for one in tasks(desk.state) if one.jurisdiction == "EU")
    text = written(desk, "EU")
    desk.must(
        SAFETY_OFFICER,
        sc.SubmitReport(clock.number, "EudraVigilance", sha256(text.encode()).hexdigest()),
    )
    case = case_number(balli, 1)
    batch = batch_number(case, desk.now, balli.conduct.safety.receivers["EU"])
    assert batch in text
    return desk, {"case": case, "batch": batch}


def test_a_rejecting_acknowledgement_opens_the_task_again(reported: tuple[Desk, dict[str, str]]) -> None:
    desk, names = reported
    open_before = len(tasks(desk.state))
    command = acknowledge(desk.state, desk.folder, ack(message="CR", whole="AE", **names))
    answered = datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC)
    pinned = sha256(ack(message="CR", whole="AE", **names)).hexdigest()
    assert command == sc.AcknowledgeReport(1, False, "rule 12", answered, pinned)
    desk.must(SAFETY_OFFICER, command, days=1)
    assert len(tasks(desk.state)) == open_before + 1


def test_an_accepting_acknowledgement_names_its_report(reported: tuple[Desk, dict[str, str]]) -> None:
    desk, names = reported
    command = acknowledge(desk.state, desk.folder, ack(message="CA", whole="AA", **names))
    assert (command.report, command.accepted) == (1, True)
    (answer,) = read_acknowledgement(ACK.format(message="CA", whole="AR", **names))
    assert (answer.accepted, answer.detail) == (False, "batch rejected")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": "other"}, "ACK.A.1: no report was sent in batch other"),
        ({"case": "FR-X-1"}, "ACK.B.r.1: batch .* carries case"),
        ({"message": "??"}, "ACK.B.r.6: '\\?\\?' is no code; right is CA, CR"),
        ({"whole": "ZZ"}, "ACK.A.4: 'ZZ' is no code; right is AA, AE, AR"),
        ({"batch": ""}, "ACK.A.1: the number of what is acknowledged is missing"),
    ],
)
def test_an_acknowledgement_that_fits_no_report_is_refused(
    reported: tuple[Desk, dict[str, str]], changes: dict[str, str], message: str
) -> None:
    desk, names = reported
    with pytest.raises(ValueError, match=message):
        acknowledge(desk.state, desk.folder, ack(**{"message": "CA", "whole": "AA", **names, **changes}))


def test_an_acknowledgement_of_several_reports_or_of_none_is_refused(
    reported: tuple[Desk, dict[str, str]],
) -> None:
    desk, names = reported
    content = ack(message="CA", whole="AA", **names)
    answer = re.search(rb"<MCCI_IN000002UV01>.*</MCCI_IN000002UV01>", content, re.DOTALL)
    assert answer is not None
    with pytest.raises(ValueError, match=r"the file answers 2 reports in batch .*; it carries one"):
        acknowledge(desk.state, desk.folder, content.replace(answer[0], answer[0] * 2))
    with pytest.raises(ValueError, match=r"ACK.B.r: the file answers no report"):
        acknowledge(desk.state, desk.folder, content.replace(answer[0], b""))
    with pytest.raises(ValueError, match=r"not in UTF-8"):
        acknowledge(desk.state, desk.folder, "ü".encode("latin-1"))
    no_day = content.replace(b"20200203", b"20201399")
    with pytest.raises(ValueError, match=r"ACK.M.4: 2020139904.* is no moment"):
        acknowledge(desk.state, desk.folder, no_day)
    assert acknowledge(desk.state, desk.folder, content.replace(b"+0000", b"")).answered_at is None


def test_reports_of_one_second_are_not_told_apart_by_a_guess(balli: StudyFolder) -> None:
    desk = with_event(balli)
    assess(desk, "POSSIBLE")
    first = next(one for one in tasks(desk.state) if one.jurisdiction == "EU")
    desk.must(SAFETY_OFFICER, sc.SubmitReport(first.number, "EudraVigilance", HASH))
    second = next(one for one in tasks(desk.state) if one.jurisdiction == "EU")
    desk.must(SAFETY_OFFICER, sc.SubmitReport(second.number, "EudraVigilance", HASH))
    case = case_number(balli, 1)
    batch = batch_number(case, desk.now, balli.conduct.safety.receivers["EU"])
    with pytest.raises(ValueError, match=r"reports 1 and 2 went out in the same second"):
        acknowledge(desk.state, balli, ack(message="CA", whole="AA", case=case, batch=batch))


@pytest.mark.parametrize("text", ["", "<a/>", "<!DOCTYPE a><a/>"])
def test_a_file_that_is_no_acknowledgement_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="acknowledgement: "):
        read_acknowledgement(text)


def test_the_hash_of_another_file_is_not_that_of_the_report(reported: tuple[Desk, dict[str, str]]) -> None:
    desk, _ = reported
    kept = desk.state.safety.reports[0]
    again = write_report(desk.state, desk.folder, 1, kept.at, "EU", purpose="susar_fatal")
    assert kept.content_hash == again.hash != HASH
    assert write_report(desk.state, desk.folder, 1, kept.at + timedelta(seconds=1), "EU").hash != again.hash


def test_a_report_on_a_matter_is_never_what_an_acknowledgement_answers(balli: StudyFolder) -> None:
    desk = with_event(balli)
    desk.must(SAFETY_OFFICER, sc.RecordMatter("dsur", "yearly", desk.now))
    clock = next(one for one in tasks(desk.state) if one.jurisdiction == "EU")
    desk.must(SAFETY_OFFICER, sc.SubmitReport(clock.number, "CTIS", HASH))
    case = case_number(balli, 0)
    batch = batch_number(case, desk.now, balli.conduct.safety.receivers["EU"])
    with pytest.raises(ValueError, match=r"no report was sent in batch"):
        acknowledge(desk.state, balli, ack(message="CA", whole="AA", case=case, batch=batch))
