"""What the sponsor makes of a serious adverse event: a relation for every product, with its reasons."""

from escalon.conduct.opinions import judge_relations
from escalon.conduct.safety.commands import AssessCase
from escalon.conduct.safety.state import Case
from escalon.conduct.state import Patient
from escalon.virtual.streams import Streams

_LESS = {"PROBABLE": "POSSIBLE", "POSSIBLE": "UNLIKELY"}


def assess_case(streams: Streams, case: Case, patient: Patient, differs: float) -> AssessCase:
    """Return the sponsor's assessment of a case.

    Mostly the sponsor agrees with the investigator. With probability ``differs`` it sees one step less of UCART22 in
    the event, which changes nothing, and possibly fludarabine and cyclophosphamide, which counts.
    """
    values = patient.records[case.record].values
    found = {
        cause: relation.investigator
        for cause, relation in judge_relations(values).items()
        if relation.investigator is not None
    }
    narrative = f"{values['AETERM']}, grade {values['AETOXGR']}, onset {values['AESTDTC'][:10]}."
    if streams.generator(case.patient, f"sponsor {case.record}").random() < differs:
        found["UCART22"] = _LESS.get(found["UCART22"], found["UCART22"])
        found |= dict.fromkeys(("FLUDARABINE", "CYCLOPHOSPHAMIDE"), "POSSIBLE")
        narrative += " The time course also fits the lymphodepletion."
    return AssessCase(case.number, found, narrative)
