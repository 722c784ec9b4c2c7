"""The authority of the virtual trial: it answers each report it gets as a file, with an acknowledgement file.

The first report on a case comes back rejected; the safety desk sends it again. All others are accepted.
"""

from datetime import datetime
from xml.sax.saxutils import quoteattr

from escalon.conduct.safety.icsr.build import case_number
from escalon.conduct.safety.icsr.codes import ICH
from escalon.conduct.safety.icsr.send import region_of
from escalon.conduct.safety.icsr.write import batch_number
from escalon.conduct.safety.state import Report
from escalon.conduct.state import State
from escalon.protocol import StudyFolder

REJECTED = "The sender is not known here yet; registered now, please send again"
_FILE = """<?xml version="1.0" encoding="UTF-8"?>
<MCCI_IN200101UV01 xmlns="urn:hl7-org:v3">
 <creationTime value="{written}"/>
 <MCCI_IN000002UV01>
  <acknowledgement typeCode="{message}">
   <targetMessage><id extension={case} root="{ich}.3.1"/></targetMessage>
   <acknowledgementDetail><text>{text}</text></acknowledgementDetail>
  </acknowledgement>
 </MCCI_IN000002UV01>
 <acknowledgement typeCode="{whole}">
  <targetBatch><id extension={batch} root="{ich}.3.22"/></targetBatch>
 </acknowledgement>
</MCCI_IN200101UV01>
"""


def answer_to(state: State, folder: StudyFolder, number: int, at: datetime) -> bytes | None:
    """Return the acknowledgement file for report ``number``, written at ``at`` (UTC).

    None where none comes as a file: the report is no message of E2B, or another one left in the same second and the
    batch could not tell them apart.
    """
    sent = {one.number: _batch(state, folder, one) for one in state.safety.reports}
    batch = sent[number]
    if batch is None or list(sent.values()).count(batch) > 1:
        return None
    report = state.safety.reports[number - 1]
    rejected = number == next(other for other, found in sent.items() if found is not None)
    return _FILE.format(
        written=f"{at:%Y%m%d%H%M%S}+0000",
        message="CR" if rejected else "CA",
        whole="AE" if rejected else "AA",
        case=quoteattr(case_number(folder, report.case)),
        batch=quoteattr(batch),
        text=REJECTED if rejected else "Accepted",
        ich=ICH,
    ).encode()


def _batch(state: State, folder: StudyFolder, report: Report) -> str | None:
    rules = folder.conduct.safety
    if not report.case or rules.sender is None:
        return None
    receiver = rules.receivers.get(region_of(state.safety.clocks[report.clock - 1].jurisdiction))
    return batch_number(case_number(folder, report.case), report.at, receiver) if receiver else None
