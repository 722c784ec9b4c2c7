"""From the state to the internal case: the adverse event record is the safety case, entered once (SF-12)."""

from datetime import datetime
from typing import Any

from escalon.conduct.opinions import PRODUCTS
from escalon.conduct.safety.icsr.case import (
    Attachment,
    Dose,
    Header,
    Icsr,
    PatientData,
    ProductUse,
    Reaction,
    Reporter,
    Trial,
)
from escalon.conduct.safety.icsr.codes import code_of
from escalon.conduct.safety.reading import investigator_causality
from escalon.conduct.safety.state import Case, Coding
from escalon.conduct.state import Patient, State
from escalon.criteria.dictionaries import EventDictionary
from escalon.criteria.relatedness import combine
from escalon.protocol import StudyFolder

SHORT = ("susar_fatal", "upgrade")
"""Purposes of reports due in seven days."""


def find_case(state: State, number: int) -> Case:
    """Return case ``number``; ValueError when there is none."""
    cases = state.safety.cases
    if not 1 <= number <= len(cases):
        raise ValueError(f"case {number}: there is none; {len(cases)} were opened")
    return cases[number - 1]


def build_icsr(
    state: State,
    folder: StudyFolder,
    number: int,
    created: datetime,
    region: str,
    *,
    purpose: str | None = None,
    dictionary: EventDictionary | None = None,
    attachments: tuple[Attachment, ...] = (),
) -> Icsr:
    """Return case ``number`` as ``state`` has it.

    Args:
        state: the fold of everything the report may know.
        folder: the study, with the sender.
        number: of the case.
        created: moment of creation of the report (UTC).
        region: jurisdiction of the receiver.
        purpose: of the clock the report is sent under; None: what the case calls for.
        dictionary: the study's licensed event dictionary; None: the report carries the code the event has, if any.
        attachments: documents to send along.

    Raises:
        ValueError: no such case, no sender or receiver, or the event is not in the dictionary.
    """
    case, rules = find_case(state, number), folder.conduct.safety
    if rules.sender is None:
        raise ValueError("safety.sender is missing in conduct.yaml: a report needs its sender (E2B(R3) C.3)")
    if region not in rules.receivers:
        raise ValueError(
            f"region {region}: safety.receivers in conduct.yaml names {', '.join(sorted(rules.receivers))}"
        )
    patient = state.patients[case.patient]
    values = patient.records[case.record].values
    identity = folder.study.identity
    site = state.people.sites.get(patient.site)
    country = code_of("country", site.country if site else None) or ""
    header = Header(
        case_number(folder, case.number),
        case.version,
        created,
        case.sponsor_aware_at,
        case.updated_at,
        _timeliness(case, purpose),
        rules.receivers[region],
    )
    products = _products(case, patient, values, folder)
    return Icsr(
        header,
        Reporter(site.name if site else "", country),
        rules.sender,
        Trial(identity.study_id, identity.brief_title, rules.numbers),
        _patient(patient, identity.study_id),
        (_reaction(case, values, country, dictionary, state.safety.coding_of(case.patient, case.record)),),
        products,
        _narrative(case, products),
        attachments,
    )


def case_number(folder: StudyFolder, number: int) -> str:
    """Return the case id of case ``number`` (C.1.1 and C.1.8.1); the same in every report on it."""
    sender = folder.conduct.safety.sender
    prefix = sender.case_prefix if sender else ""
    return f"{prefix}-{folder.study.identity.study_id}-{number:04d}"


def _timeliness(case: Case, purpose: str | None) -> str:
    if not case.susar:
        return "not expedited"
    short = purpose in SHORT if purpose is not None else case.fatal
    return "7-day" if short else "15-day"


def _patient(patient: Patient, study_id: str) -> PatientData:
    demographics = _latest(patient, "DM")
    history = _latest(patient, "MH")
    died = [row.values["DSSTDTC"] for row in patient.forms("DS") if row.values.get("DSDECOD") == "DEATH"]
    fatal = [row.values for row in patient.forms("AE") if row.values.get("AESDTH") == "Y"]
    died += [values.get("AEENDTC") or values["AESTDTC"] for values in fatal]
    return PatientData(
        f"{study_id}-{patient.patient}",
        demographics.get("AGE"),
        demographics.get("SEX"),
        _latest(patient, "VS").get("WEIGHT"),
        demographics.get("RACE"),
        demographics.get("ETHNIC"),
        _history(history),
        died[0][:10] if died else None,
    )


def _latest(patient: Patient, form: str) -> dict[str, Any]:
    records = patient.forms(form)
    return records[-1].values if records else {}


def _history(values: dict[str, Any]) -> str | None:
    if not values.get("MHTERM"):
        return None
    said = [str(values["MHTERM"])]
    if values.get("PRIORLIN") is not None:
        said.append(f"{values['PRIORLIN']} lines of therapy before the study")
    if values.get("PRIORSCT") == "Y":
        said.append("allogeneic transplant before the study")
    if values.get("PRIORCD19") == "Y":
        said.append("CD19-directed therapy before the study")
    return "; ".join(said)


def _reaction(
    case: Case,
    values: dict[str, Any],
    country: str,
    dictionary: EventDictionary | None,
    coding: Coding | None,
) -> Reaction:
    """The event with its code: of the dictionary given, else the one it has for the word recorded now."""
    if dictionary is not None:
        code, version = dictionary.find(case.term).llt_code, dictionary.version
    elif coding is not None and coding.term == case.term:
        code, version = coding.llt_code, coding.version
    else:
        code, version = None, None
    return Reaction(
        values["AETERM"],
        case.term,
        code,
        version,
        values["AESTDTC"],
        values.get("AEENDTC"),
        case.serious,
        values["AEOUT"],
        country,
    )


def _products(
    case: Case, patient: Patient, values: dict[str, Any], folder: StudyFolder
) -> tuple[ProductUse, ...]:
    """Products given up to the onset, in the order of the study; one given on the day of onset counts."""
    investigator = investigator_causality(values)
    found = []
    for product in folder.study.products:
        doses = tuple(
            _dose(row.values)
            for row in patient.forms("EX")
            if row.values["EXTRT"] == product.name and row.values["EXSTDTC"][:10] <= values["AESTDTC"][:10]
        )
        if not doses:
            continue
        name = product.name
        opinion = combine(name, investigator.get(name), case.causality.get(name))
        known = opinion.combined is not None and opinion.related
        found.append(
            ProductUse(
                name,
                "suspect" if known and name in PRODUCTS.values() else "concomitant",
                doses,
                opinion.investigator,
                opinion.sponsor,
                known,
                folder.study.identity.condition,
            )
        )
    return tuple(found)


def _dose(values: dict[str, Any]) -> Dose:
    parts = [f"{values['EXDOSE']:g} {values['EXDOSU']} given of {values['EXPDOSE']:g} planned"]
    if values.get("EXPROC"):
        parts.append(f"process {values['EXPROC']}")
    return Dose(
        values["EXDOSE"],
        values["EXDOSU"],
        values["EXSTDTC"],
        values["EXENDTC"],
        values.get("EXROUTE"),
        values.get("EXLOT"),
        ", ".join(parts),
    )


def _narrative(case: Case, products: tuple[ProductUse, ...]) -> str:
    """The sponsor's narrative with both opinions in words, as FDA wants the investigator's there."""
    opinions = [
        f"{use.name}: investigator {(use.investigator or 'not given').lower()}, "
        f"sponsor {(use.sponsor or 'not given').lower()}"
        for use in products
    ]
    if not case.narrative.strip():
        return ""
    return f"{case.narrative.strip().rstrip('.')}. Causality. {'; '.join(opinions)}."
