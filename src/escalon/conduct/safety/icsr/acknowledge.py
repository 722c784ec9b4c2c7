"""Acknowledgement files of authorities (E2B(R3) ACK, MCCI_IN200101UV01): which report they answer and how."""

from dataclasses import dataclass
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
BATCH = {"AA": True, "AE": None, "AR": False}
"""Transmission code (ACK.A.4): all accepted, some not, the batch rejected."""
MESSAGE = {"CA": True, "CR": False}
"""Code of one report (ACK.B.r.6)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an authority says about one report of a batch."""

    batch: str
    case: str
    accepted: bool
    detail: str


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
    said = _known(whole, BATCH, "ACK.A.4")
    if said is False:
        return (Answer(batch, "", False, _detail(whole, "batch rejected")),)
    answers = []
    for message in root.findall("MCCI_IN000002UV01/acknowledgement", _NAMES):
        case = _extension(message, f"targetMessage/id[@root='{ICH}.3.1']", "ACK.B.r.1")
        accepted = bool(_known(message, MESSAGE, "ACK.B.r.6"))
        answers.append(
            Answer(batch, case, accepted, _detail(message, "accepted" if accepted else "rejected"))
        )
    if not answers:
        raise ValueError("ACK.B.r: the file answers no report")
    return tuple(answers)


def acknowledge(state: State, folder: StudyFolder, text: str) -> tuple[AcknowledgeReport, ...]:
    """Return the commands that record what the file says.

    Raises:
        ValueError: the file is no acknowledgement, or answers a report that was not sent.
    """
    commands = []
    for answer in read_acknowledgement(text):
        sent = [report for report in state.safety.reports if _batch_of(report, state, folder) == answer.batch]
        if not sent:
            raise ValueError(f"ACK.A.1: no report was sent in batch {answer.batch}")
        number = case_number(folder, sent[0].case)
        # Some authorities write the number of the message before that of the case.
        if answer.case and number not in answer.case.split():
            raise ValueError(f"ACK.B.r.1: batch {answer.batch} carries case {number}, not {answer.case}")
        commands.append(AcknowledgeReport(sent[0].number, answer.accepted, answer.detail))
    return tuple(commands)


def _batch_of(report: Report, state: State, folder: StudyFolder) -> str | None:
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
