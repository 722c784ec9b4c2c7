"""An internal case as an E2B(R3) message: a batch of one ICSR, the same bytes for the same case."""

import base64
from datetime import datetime
from xml.etree import ElementTree as ET

from escalon.conduct.safety.icsr.case import Icsr
from escalon.conduct.safety.icsr.codes import COUNTRY, FDA, ICH, NCI, read_table
from escalon.conduct.safety.icsr.markup import (
    act,
    coded,
    device,
    element,
    flag,
    identifier,
    moment,
    term,
    value,
)
from escalon.conduct.safety.icsr.write_assessment import add_assessment
from escalon.protocol.conduct.safety_reports import Receiver

NOT_SUBMITTABLE = "NOT SUBMITTABLE: events carry no MedDRA code; load a licensed dictionary of one version."


def render_icsr(icsr: Icsr, region: str) -> str:
    """Return the message as text (UTF-8 when written), with the additions of FDA for region ``US``.

    Raises:
        ValueError: a text holds a character that XML cannot hold.
    """
    root = ET.Element(
        "MCCI_IN200100UV01",
        {
            "xmlns": "urn:hl7-org:v3",
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "ITSVersion": "XML_1.0",
        },
    )
    header, fda = icsr.header, region == "US"
    created = moment(header.created)
    identifier(root, batch_number(header.number, header.created, header.receiver), f"{ICH}.3.22")
    element(root, "creationTime", value=created)
    element(root, "responseModeCode", code="D")
    element(root, "interactionId", extension="MCCI_IN200100UV01", root="2.16.840.1.113883.1.6")
    element(root, "name", code="1", codeSystem=f"{ICH}.1.1", displayName="ichicsr")
    _message(root, icsr, fda)
    device(root, "receiver", header.receiver.batch, 14)
    device(root, "sender", icsr.sender.identifier, 13)
    ET.indent(root, " ")
    text = ET.tostring(root, encoding="unicode")
    note = "" if icsr.submittable else f"<!-- {NOT_SUBMITTABLE} -->\n"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{note}{text}\n'


def batch_number(number: str, created: datetime, receiver: Receiver) -> str:
    """Return N.1.2: one batch for each report, so that an acknowledgement finds the report it answers."""
    return f"{number}-{moment(created)[:14]}-{receiver.message}"


def _message(root: ET.Element, icsr: Icsr, fda: bool) -> None:
    message = element(root, "PORR_IN049016UV")
    created = moment(icsr.header.created)
    identifier(message, icsr.header.number, f"{ICH}.3.1")
    element(message, "creationTime", value=created)
    element(message, "interactionId", extension="PORR_IN049016UV", root="2.16.840.1.113883.1.6")
    element(message, "processingCode", code="P")
    element(message, "processingModeCode", code="T")
    element(message, "acceptAckCode", code="AL")
    device(message, "receiver", icsr.header.receiver.message, 12)
    device(message, "sender", icsr.sender.identifier, 11)
    process = act(message, "controlActProcess", "CACT.EVN")
    coded(process, "PORR_TE049016UV", "2.16.840.1.113883.1.18")
    element(process, "effectiveTime", value=created)
    _report(act(process, "subject/investigationEvent", "SUBJ INVSTG.EVN"), icsr, fda)


def _report(report: ET.Element, icsr: Icsr, fda: bool) -> None:
    header = icsr.header
    identifier(report, header.number, f"{ICH}.3.1")
    identifier(report, header.number, f"{ICH}.3.2")
    coded(report, "PAT_ADV_EVNT", "2.16.840.1.113883.5.4")
    note = "" if icsr.submittable else f"[{NOT_SUBMITTABLE}] "
    element(report, "text", f"{note}{icsr.narrative}" if icsr.narrative else None)
    element(report, "statusCode", code="active")
    element(element(report, "effectiveTime"), "low", value=moment(header.first_received))
    element(report, "availabilityTime", value=moment(header.latest))
    for attachment in icsr.attachments:
        document = act(report, "reference/document", "REFR DOC.EVN")
        term(document, "1", "documentsHeldBySender", f"{ICH}.1.27")
        element(document, "title", attachment.name)
        content = base64.b64encode(attachment.content).decode("ascii")
        element(document, "text", content, mediaType=attachment.media_type, representation="B64")
    add_assessment(act(report, "component/adverseEventAssessment", "COMP INVSTG.EVN"), icsr, fda)
    _remarks(report, icsr, fda)
    _first_sender(report)
    _reporter(report, icsr, fda)
    _sender(report, icsr)
    _characteristics(report)


def _remarks(report: ET.Element, icsr: Icsr, fda: bool) -> None:
    """C.1.6.1, C.1.7 and the elements FDA adds to them."""
    flag(_remark(report, "1", "additionalDocumentsAvailable"), bool(icsr.attachments))
    flag(_remark(report, "23", "localCriteriaForExpedited"), icsr.header.timeliness != "not expedited")
    if fda:
        code, name = read_table("codes")["expedited"][icsr.header.timeliness]
        kind = _remark(report, "C54588", "localCriteriaReportType", NCI)
        value(kind, "CE", code=code, codeSystem=f"{FDA}.1.1", displayName=name)
        flag(_remark(report, "C156384", "Combination Product Report Indicator", NCI), False)


def _remark(report: ET.Element, code: str, name: str, table: str = f"{ICH}.1.19") -> ET.Element:
    event = act(report, "component/observationEvent", "COMP OBS.EVN")
    term(event, code, name, table)
    return event


def _first_sender(report: ET.Element) -> None:
    """C.1.8.2: the sponsor is no regulator."""
    first = act(report, "outboundRelationship/relatedInvestigation", "SPRT INVSTG.EVN")
    term(first, "1", "initialReport", f"{ICH}.1.22")
    author = act(first, "subjectOf2/controlActEvent/author/assignedEntity", "SUBJ CACT.EVN AUT ASSIGNED")
    coded(author, "2", f"{ICH}.1.3", "other")


def _reporter(report: ET.Element, icsr: Icsr, fda: bool) -> None:
    source = element(report, "outboundRelationship", typeCode="SPRT")
    element(source, "priorityNumber", value="1")
    related = act(source, "relatedInvestigation", "INVSTG.EVN")
    term(related, "2", "sourceReport", f"{ICH}.1.22")
    author = act(related, "subjectOf2/controlActEvent/author/assignedEntity", "SUBJ CACT.EVN AUT ASSIGNED")
    if fda:
        element(author, "telecom", value="mailto:", nullFlavor="MSK")
    person = act(author, "assignedPerson", "PSN:INSTANCE")
    name = element(person, "name")
    element(name, "given", nullFlavor="MSK")
    element(name, "family", nullFlavor="MSK")
    coded(act(person, "asQualifiedEntity", "QUAL"), icsr.reporter.qualification, f"{ICH}.1.6")
    _located(person, icsr.reporter.country)
    if icsr.reporter.organisation:
        outer = act(author, "representedOrganization", "ORG:INSTANCE")
        inner = act(outer, "assignedEntity/representedOrganization", "ASSIGNED ORG:INSTANCE")
        element(inner, "name", icsr.reporter.organisation)


def _located(person: ET.Element, country: str) -> None:
    place = act(person, "asLocatedEntity/location", "LOCE COUNTRY:INSTANCE")
    if country:
        coded(place, country, COUNTRY)


def _sender(report: ET.Element, icsr: Icsr) -> None:
    sender = icsr.sender
    author = act(report, "subjectOf1/controlActEvent/author/assignedEntity", "SUBJ CACT.EVN AUT ASSIGNED")
    coded(author, "1", f"{ICH}.1.7")
    address = element(author, "addr")
    for tag, text in (
        ("streetAddressLine", sender.street),
        ("city", sender.city),
        ("state", sender.state),
        ("postalCode", sender.postcode),
    ):
        if text:
            element(address, tag, text)
    for kind, text in (("tel", sender.telephone), ("fax", sender.fax), ("mailto", sender.email)):
        if text:
            element(author, "telecom", value=f"{kind}:{text}")
    person = act(author, "assignedPerson", "PSN:INSTANCE")
    name = element(person, "name")
    for tag, text in (("prefix", sender.title), ("given", sender.given), ("family", sender.family)):
        if text:
            element(name, tag, text)
    _located(person, sender.country)
    department = act(author, "representedOrganization", "ORG:INSTANCE")
    if sender.department:
        element(department, "name", sender.department)
    company = act(department, "assignedEntity/representedOrganization", "ASSIGNED ORG:INSTANCE")
    element(company, "name", sender.organisation)


def _characteristics(report: ET.Element) -> None:
    """C.1.3: a report from a study; C.1.9.1: no other identifiers are known, which is never ``false``."""
    kind = act(report, "subjectOf2/investigationCharacteristic", "SUBJ OBS.EVN")
    term(kind, "1", "ichReportType", f"{ICH}.1.23")
    value(kind, "CE", code="2", codeSystem=f"{ICH}.1.2", displayName="Report from study")
    others = act(report, "subjectOf2/investigationCharacteristic", "SUBJ OBS.EVN")
    term(others, "2", "otherCaseIds", f"{ICH}.1.23")
    flag(others, None)
