"""Study, patient, events, products and causality of an E2B(R3) message (C.5, D, E, G)."""

from datetime import date
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree as ET

from escalon.conduct.safety.icsr.case import Dose, Icsr, ProductUse, Reaction, Trial
from escalon.conduct.safety.icsr.codes import COUNTRY, FDA, ICH, MEDDRA, NCI, SEX, code_of, read_table
from escalon.conduct.safety.icsr.markup import TYPE, act, coded, element, flag, identifier, stamp, term, value

METHOD = "Global introspection"


def add_assessment(assessment: ET.Element, icsr: Icsr, fda: bool) -> None:
    """Fill the assessment of the adverse event."""
    role = act(assessment, "subject1/primaryRole", "SBJ INVSBJ")
    _person(role, icsr)
    _trial(act(role, "subjectOf1/researchStudy", "SBJ CLNTRL.EVN"), icsr.trial, fda)
    _about(role, icsr, fda)
    for index, reaction in enumerate(icsr.reactions):
        _reaction(role, reaction, _uid(icsr, f"reaction-{index}"), fda)
    drugs = act(role, "subjectOf2/organizer", "SBJ CATEGORY.EVN")
    term(drugs, "4", "drugInformation", f"{ICH}.1.20")
    for product in icsr.products:
        _product(drugs, product, _uid(icsr, product.name))
    _causality(assessment, icsr, fda)


def _uid(icsr: Icsr, what: str) -> str:
    """A reference inside the message, the same each time it is written."""
    return str(uuid5(NAMESPACE_URL, f"{icsr.header.number}/{what}"))


def _person(role: ET.Element, icsr: Icsr) -> None:
    patient = icsr.patient
    person = act(role, "player1", "PSN:INSTANCE")
    element(person, "name", nullFlavor="MSK")
    sex = code_of("sex", patient.sex)
    if sex:
        element(person, "administrativeGenderCode", code=sex, codeSystem=SEX)
    else:
        element(person, "administrativeGenderCode", nullFlavor="UNK")
    if patient.died_on:
        element(person, "deceasedTime", value=stamp(patient.died_on))
    number = act(person, "asIdentifiedEntity", "IDENT")
    identifier(number, patient.subject, f"{ICH}.3.10")
    term(number, "4", "investigation", f"{ICH}.1.4")


def _trial(study: ET.Element, trial: Trial, fda: bool) -> None:
    identifier(study, trial.sponsor_number, f"{ICH}.3.5")
    term(study, "1", "clinicalTrials", f"{ICH}.1.8")
    short = trial.numbers.abbreviated_name or trial.title
    element(study, "title", f"{trial.sponsor_number}${short}" if fda else trial.title)
    if trial.numbers.eu_trial:
        registration = _registration(study, trial.numbers.eu_trial, f"{ICH}.3.6")
        place = act(
            registration,
            "author/territorialAuthority/governingPlace",
            "AUT TERR COUNTRY:INSTANCE",
        )
        coded(place, "EU", COUNTRY)
    if fda:
        _registration(study, trial.numbers.ind or None, f"{FDA}.2.1")
        for number in trial.numbers.cross_reported_inds:
            _registration(study, number, f"{FDA}.2.3")
        if not trial.numbers.cross_reported_inds:
            _registration(study, None, f"{FDA}.2.3", "NA")


def _registration(study: ET.Element, number: str | None, root: str, null: str | None = None) -> ET.Element:
    registration = act(study, "authorization/studyRegistration", "AUTH ACT.EVN")
    identifier(registration, number, root, null)
    return registration


def _about(role: ET.Element, icsr: Icsr, fda: bool) -> None:
    """Age, weight, race and ethnicity, history, autopsy."""
    patient = icsr.patient
    if patient.age is not None:
        value(_observation(role, "3", "age"), "PQ", value=str(patient.age), unit="a")
    if patient.weight is not None:
        value(_observation(role, "7", "bodyWeight"), "PQ", value=f"{patient.weight:g}", unit="kg")
    if fda:
        for table, code, name, said in (
            ("race", "C17049", "Race", patient.race),
            ("ethnicity", "C16564", "Ethnic Group", patient.ethnicity),
        ):
            found = code_of(table, said)
            system = NCI if found else None
            null = None if found else "NI"
            value(_observation(role, code, name, NCI), "CE", code=found, codeSystem=system, nullFlavor=null)
    history = act(role, "subjectOf2/organizer", "SBJ CATEGORY.EVN")
    term(history, "1", "relevantMedicalHistoryAndConcurrentConditions", f"{ICH}.1.20")
    text = act(history, "component/observation", "COMP OBS.EVN")
    term(text, "18", "historyAndConcurrentConditionText")
    value(text, "ED", patient.history, nullFlavor=None if patient.history else "UNK")
    if patient.died_on:
        flag(_observation(role, "5", "autopsy"), None, "UNK")


def _observation(role: ET.Element, code: str, name: str, table: str = f"{ICH}.1.19") -> ET.Element:
    found = act(role, "subjectOf2/observation", "SBJ OBS.EVN")
    term(found, code, name, table)
    return found


def _reaction(role: ET.Element, reaction: Reaction, uid: str, fda: bool) -> None:
    event = act(role, "subjectOf2/observation", "SBJ OBS.EVN")
    identifier(event, None, uid)
    term(event, "29", "reaction")
    _period(event, reaction)
    code = value(
        event,
        "CE",
        code=reaction.code,
        codeSystem=MEDDRA,
        codeSystemVersion=reaction.version if reaction.code else None,
        nullFlavor=None if reaction.code else "NI",
    )
    element(code, "originalText", reaction.verbatim, language="eng")
    if reaction.country:
        path = "location/locatedEntity/locatedPlace"
        coded(act(event, path, "LOC LOCE COUNTRY:INSTANCE"), reaction.country, COUNTRY)
    element(_detail(event, "30", "reactionForTranslation"), "value", reaction.term, **{TYPE: "ED"})
    for criterion, (number, name) in read_table("codes")["serious"].items():
        flag(_detail(event, number, name), True if criterion in reaction.serious else None)
    if fda:
        flag(_detail(event, "7", "requiredIntervention", f"{FDA}.3"), None)
    outcome = code_of("outcome", reaction.outcome)
    value(_detail(event, "27", "outcome"), "CE", code=outcome, codeSystem=f"{ICH}.1.11")


def _period(event: ET.Element, reaction: Reaction) -> None:
    if reaction.end is None:
        begun = element(event, "effectiveTime", **{TYPE: "IVL_TS"})
        element(begun, "low", value=stamp(reaction.onset))
        return
    period = element(event, "effectiveTime", **{TYPE: "SXPR_TS"})
    both = element(period, "comp", **{TYPE: "IVL_TS"})
    element(both, "low", value=stamp(reaction.onset))
    element(both, "high", value=stamp(reaction.end))
    days = (date.fromisoformat(reaction.end[:10]) - date.fromisoformat(reaction.onset[:10])).days + 1
    duration = element(period, "comp", **{TYPE: "IVL_TS"}, operator="A")
    element(duration, "width", value=str(days), unit="d")


def _detail(event: ET.Element, code: str, name: str, table: str = f"{ICH}.1.19") -> ET.Element:
    found = act(event, "outboundRelationship2/observation", "PERT OBS.EVN")
    term(found, code, name, table)
    return found


def _product(drugs: ET.Element, product: ProductUse, uid: str) -> None:
    use = act(drugs, "component/substanceAdministration", "COMP SBADM.EVN")
    identifier(use, None, uid)
    kind = act(use, "consumable/instanceOfKind/kindOfProduct", "CSM INST MMAT:KIND")
    element(kind, "name", product.name)
    substance = act(kind, "ingredient/ingredientSubstance", "ACTI MMAT:KIND")
    element(substance, "name", product.name)
    for dose in product.doses:
        _dose(use, dose)
    reason = act(use, "inboundRelationship/observation", "RSON OBS.EVN")
    term(reason, "19", "indication")
    indication = value(reason, "CE", codeSystem=MEDDRA, nullFlavor="NI")
    element(indication, "originalText", product.indication)
    coded(act(reason, "performer/assignedEntity", "PRF ASSIGNED"), "3", f"{ICH}.1.21")
    # Every administration listed lies before the event: no action on the product was left to take.
    action = act(use, "inboundRelationship/act", "CAUS ACT.EVN")
    coded(action, code_of("action", "not applicable") or "", f"{ICH}.1.15")


def _dose(use: ET.Element, dose: Dose) -> None:
    given = act(use, "outboundRelationship2/substanceAdministration", "COMP SBADM.EVN")
    element(given, "text", dose.text)
    # An expression of times (SXPR_TS) needs two parts by the schema; start and end alone are one interval.
    period = element(given, "effectiveTime", **{TYPE: "IVL_TS"})
    element(period, "low", value=stamp(dose.start))
    element(period, "high", value=stamp(dose.end))
    route = code_of("route", dose.route)
    if route:
        element(element(given, "routeCode"), "originalText", route)
    element(given, "doseQuantity", value=_amount(dose.amount), unit=code_of("unit", dose.unit))
    if dose.lot:
        instance = act(given, "consumable/instanceOfKind/productInstanceInstance", "CSM INST MMAT:INSTANCE")
        element(instance, "lotNumberText", dose.lot)


def _amount(amount: float) -> str:
    """Write a dose in at most eight characters.

    >>> _amount(998231.55), _amount(29.5), _amount(1.0e6)
    ('998231.6', '29.5', '1000000')
    """
    for digits in range(6, -1, -1):
        text = f"{amount:.{digits}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        if len(text) <= 8:
            return text
    raise ValueError(f"dose: {amount} has more than eight digits (G.k.4.r.1a)")


def _causality(assessment: ET.Element, icsr: Icsr, fda: bool) -> None:
    for product in icsr.products:
        role = act(assessment, "component/causalityAssessment", "COMP OBS.EVN")
        term(role, "20", "interventionCharacterization")
        value(role, "CE", code=code_of("role", product.role), codeSystem=f"{ICH}.1.13")
        _refer(role, "subject2/productUseReference", "SUBJ SBADM.EVN", _uid(icsr, product.name))
    for index in range(len(icsr.reactions)):
        for product in icsr.products:
            for source, method, result in _opinions(product, fda):
                found = act(assessment, "component/causalityAssessment", "COMP OBS.EVN")
                term(found, "39", "causality")
                value(found, "ST", result)
                element(element(found, "methodCode"), "originalText", method)
                author = act(found, "author/assignedEntity", "AUT ASSIGNED")
                element(element(author, "code"), "originalText", source)
                event, use = _uid(icsr, f"reaction-{index}"), _uid(icsr, product.name)
                _refer(found, "subject1/adverseEffectReference", "SUBJ OBS.EVN", event)
                _refer(found, "subject2/productUseReference", "SUBJ SBADM.EVN", use)


def _refer(parent: ET.Element, path: str, codes: str, uid: str) -> None:
    identifier(act(parent, path, codes), None, uid)


def _opinions(product: ProductUse, fda: bool) -> tuple[tuple[str, str, str], ...]:
    """Both opinions as repeats; for FDA one of the sponsor, which never lowers the investigator's (SF-6)."""
    if fda:
        return (("Sponsor", "FDA", "Suspected" if product.related else "Not Suspected"),)
    given = (("Investigator", product.investigator), ("Sponsor", product.sponsor))
    return tuple((source, METHOD, said.capitalize()) for source, said in given if said is not None)
