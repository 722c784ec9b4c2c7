"""Codes of the licensed event dictionary: what a version changes, and the commands that carry it out (SF-14).

The dictionary itself is the sponsor's file and never part of the ledger; the codes given to events are facts.
"""

import re
from dataclasses import dataclass

from escalon.conduct.act import Outcome, Refused, Signed
from escalon.conduct.safety import commands as c
from escalon.conduct.safety import events as ev
from escalon.conduct.safety.state import Coding
from escalon.conduct.state import State
from escalon.criteria.dictionaries import EventCode, EventDictionary
from escalon.protocol import StudyFolder

_CODE = re.compile(r"\d{8}")
OPEN = ("retired", "not found")
"""Standings in which a person has to choose a term."""


@dataclass(frozen=True, slots=True)
class Impact:
    """What a version of the dictionary means for one event.

    ``standing``: ``new``, ``same``, ``PT``, ``SOC`` or ``PT, SOC`` changed, ``term`` (the record says another word
    now), ``retired`` or ``not found``. ``after`` is None in the last two.
    """

    patient: str
    record: str
    term: str
    standing: str
    before: Coding | None
    after: EventCode | None

    def code(self) -> c.TermCode:
        """The code to record; ValueError without one."""
        if self.after is None:
            raise ValueError(f"patient {self.patient}, {self.record}: {self.term!r} has no current term")
        found = self.after
        return c.TermCode(
            self.patient,
            self.record,
            self.term,
            found.llt_code,
            found.llt_term,
            found.pt_code,
            found.pt_term,
            found.soc_code,
            found.soc_term,
        )


def impact(
    state: State, dictionary: EventDictionary, choices: dict[tuple[str, str], str] | None = None
) -> tuple[Impact, ...]:
    """Return what ``dictionary`` means for every event record, in the order of patients and records.

    Args:
        state: the events and the codes they have.
        dictionary: a version of the study's dictionary.
        choices: lowest level term a person chose, by patient and record.

    Raises:
        ValueError: a choice is for no event, or names a term that is not current.
    """
    chosen = dict(choices or {})
    by_code = {row.llt_code: row for row in dictionary.terms.values()}
    found = []
    for (patient, record), term in sorted(_terms(state).items()):
        before = state.safety.coding_of(patient, record)
        choice = chosen.pop((patient, record), None)
        after = dictionary.find(choice) if choice is not None else None
        if after is not None and not after.current:
            raise ValueError(f"choice for patient {patient}, {record}: {choice!r} is retired")
        if after is None and before is not None and before.term == term:
            after = by_code.get(before.llt_code)
        elif after is None:
            after = dictionary.terms.get(term.strip().lower())
        standing = _standing(term, before, after)
        usable = after if standing not in OPEN else None
        found.append(Impact(patient, record, term, standing, before, usable))
    if chosen:
        patient, record = sorted(chosen)[0]
        raise ValueError(f"choice for patient {patient}, {record}: there is no such event")
    return tuple(found)


def _terms(state: State) -> dict[tuple[str, str], str]:
    return {
        (patient.patient, record.record): record.values["AEDECOD"]
        for patient in state.patients.values()
        for record in patient.forms("AE")
    }


def _standing(term: str, before: Coding | None, after: EventCode | None) -> str:
    if after is None:
        return "not found"
    if not after.current:
        return "retired"
    if before is None:
        return "new"
    if before.term != term:
        return "term"
    changed = [
        name
        for name, old, new in (
            ("LLT", before.llt_code, after.llt_code),
            ("PT", (before.pt_code, before.pt_term), (after.pt_code, after.pt_term)),
            ("SOC", before.soc_code, after.soc_code),
        )
        if old != new
    ]
    return ", ".join(changed) or "same"


def code_terms(state: State, signed: Signed, command: c.CodeTerms, folder: StudyFolder) -> Outcome:
    """Record the codes of events; one version of the dictionary is in use at a time."""
    if not command.version.strip() or not command.codes:
        return Refused("SF-14 codes", "name the version of the dictionary and at least one event")
    terms, seen = _terms(state), set[tuple[str, str]]()
    for code in command.codes:
        key = (code.patient, code.record)
        fault = _fault(code, terms.get(key), key in seen)
        if fault is not None:
            return Refused("SF-14 codes", f"patient {code.patient}, {code.record}: {fault}")
        seen.add(key)
    left = [
        key
        for key in terms
        if key not in seen
        and (found := state.safety.coding_of(*key)) is not None
        and found.version != command.version
    ]
    if left:
        where = f"patient {left[0][0]}, {left[0][1]}"
        return Refused(
            "SF-14 version",
            f"{where} would stay on another version than {command.version}; all coded events change together",
        )
    if not command.reason.strip() and any(state.safety.coding_of(*key) is not None for key in seen):
        return Refused("SF-14 reason", "say why codes that events have already are changed")
    return tuple(
        ev.TermCoded(
            one.patient,
            one.record,
            one.term,
            one.llt_code,
            one.llt_term,
            one.pt_code,
            one.pt_term,
            one.soc_code,
            one.soc_term,
            command.version,
            command.reason,
        )
        for one in command.codes
    )


def _fault(code: c.TermCode, term: str | None, twice: bool) -> str | None:
    if term is None:
        return "there is no such adverse event"
    if twice:
        return "it is coded twice in one act"
    if code.term != term:
        return f"the record says {term!r}, not {code.term!r}"
    wrong = next(
        (one for one in (code.llt_code, code.pt_code, code.soc_code) if not _CODE.fullmatch(one)), None
    )
    if wrong is not None:
        return f"{wrong!r} is no code of 8 digits"
    if not all(name.strip() for name in (code.llt_term, code.pt_term, code.soc_term)):
        return "a code needs its term"
    return None
