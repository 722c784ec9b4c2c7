"""Acknowledgement files of authorities (E2B(R3) ACK, MCCI_IN200101UV01): which report they answer and how."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from xml.etree import ElementTree as ET

from escalon.conduct.safety.commands import AcknowledgeReport
from escalon.conduct.safety.icsr.build import case_number
from escalon.conduct.safety.icsr.codes import ICH
from escalon.conduct.safety.icsr.send import region_of
from escalon.conduct.safety.icsr.write import batch_number
from escalon.conduct.safety.state import Report
from escalon.conduct.state import State
from escalon.protocol import StudyFolder

_NAMES = {"": "urn:hl7-org:v3"}
_MOMENT = re.compile(r"(\d{14})(?:\.\d+)?([+-]\d{4})")
BATCH = {"AA": True, "AE": None, "AR": False}
"""Transmission code (ACK.A.4): all accepted, some not, the batch rejected."""
MESSAGE = {"CA": True, "CR": False}
"""Code of one report (ACK.B.r.6)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an authority says about one report of a batch; ``at``: when it wrote so (ACK.M.4), None: not said."""

    batch: str
    case: str
    accepted: bool
    detail: str
    at: datetime | None = None


def read_acknowledgement(text: str) -> tuple[Answer, ...]:
    """Return the answers of an acknowledgement file.

    Raises:
        ValueError: the text is no acknowledgement, or a code in it is not known.
    """
    if "<!DOCTYPE" in text:
        raise ValueError("acknowledgement: a document type is not read; the message needs none")
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise ValueError(f"acknowledgement: no XML: {error}") from None
    if root.tag != "{urn:hl7-org:v3}MCCI_IN200101UV01":
        raise ValueError("acknowledgement: the file is no MCCI_IN200101UV01 message of HL7 version 3")
    whole = root.find("acknowledgement", _NAMES)
    if whole is None:
        raise ValueError("ACK.A.4: the transmission acknowledgement is missing")
    batch = _extension(whole, f"targetBatch/id[@root='{ICH}.3.22']", "ACK.A.1")
    said, at = _known(whole, BATCH, "ACK.A.4"), _written(root)
    if said is False:
        return (Answer(batch, "", False, _detail(whole, "batch rejected"), at),)
    answers = []
    for message in root.findall("MCCI_IN000002UV01/acknowledgement", _NAMES):
        case = _extension(message, f"targetMessage/id[@root='{ICH}.3.1']", "ACK.B.r.1")
        accepted = bool(_known(message, MESSAGE, "ACK.B.r.6"))
        answers.append(
            Answer(batch, case, accepted, _detail(message, "accepted" if accepted else "rejected"), at)
        )
    if not answers:
        raise ValueError("ACK.B.r: the file answers no report")
    return tuple(answers)


def acknowledge(state: State, folder: StudyFolder, content: bytes) -> AcknowledgeReport:
    """Return the command that records what the file says; a batch carries one report.

    Raises:
        ValueError: the file is no acknowledgement, or answers a report that was not sent, or answers it twice.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("acknowledgement: the file is not in UTF-8") from None
    answer, *others = read_acknowledgement(text)
    if others:
        raise ValueError(
            f"ACK.B.r: the file answers {1 + len(others)} reports in batch {answer.batch}; it carries one"
        )
    sent = [report for report in state.safety.reports if _batch_of(report, state, folder) == answer.batch]
    if not sent:
        raise ValueError(f"ACK.A.1: no report was sent in batch {answer.batch}")
    if len(sent) > 1:
        numbers = " and ".join(str(report.number) for report in sent)
        raise ValueError(
            f"ACK.A.1: reports {numbers} went out in the same second; batch {answer.batch} cannot tell them apart"
        )
    number = case_number(folder, sent[0].case)
    # Some authorities write the number of the message before that of the case.
    if answer.case and number not in answer.case.split():
        raise ValueError(f"ACK.B.r.1: batch {answer.batch} carries case {number}, not {answer.case}")
    return AcknowledgeReport(
        sent[0].number, answer.accepted, answer.detail, answer.at, sha256(content).hexdigest()
    )


def _written(root: ET.Element) -> datetime | None:
    """When the authority wrote the file (ACK.M.4); None when it does not say, or says no offset."""
    found = root.find("creationTime", _NAMES)
    value = found.get("value", "") if found is not None else ""
    match = _MOMENT.fullmatch(value)
    if match is None:
        return None
    try:
        return datetime.strptime("".join(match.groups()), "%Y%m%d%H%M%S%z").astimezone(UTC)
    except ValueError:
        raise ValueError(f"ACK.M.4: {value} is no moment; right is YYYYMMDDhhmmss+zzzz") from None


def _batch_of(report: Report, state: State, folder: StudyFolder) -> str | None:
    if not report.case:
        return None  # a report on a matter is no E2B message
    region = region_of(state.safety.clocks[report.clock - 1].jurisdiction)
    receiver = folder.conduct.safety.receivers.get(region)
    return batch_number(case_number(folder, report.case), report.at, receiver) if receiver else None


def _extension(place: ET.Element, path: str, name: str) -> str:
    found = place.find(path, _NAMES)
    if found is None or not found.get("extension"):
        raise ValueError(f"{name}: the number of what is acknowledged is missing")
    return found.get("extension", "")


def _known(place: ET.Element, codes: dict[str, bool | None] | dict[str, bool], name: str) -> bool | None:
    code = place.get("typeCode", "")
    if code not in codes:
        raise ValueError(f"{name}: {code!r} is no code; right is {', '.join(codes)}")
    return codes[code]


def _detail(place: ET.Element, otherwise: str) -> str:
    texts = [(one.text or "").strip() for one in place.findall("acknowledgementDetail/text", _NAMES)]
    return "; ".join(text for text in texts if text) or otherwise
