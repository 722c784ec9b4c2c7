"""From the texts of a study folder to typed objects; every fault is found before anything is used."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from escalon.protocol.checks import cross_checks
from escalon.protocol.conduct import ConductRules
from escalon.protocol.conduct.critical import check_critical
from escalon.protocol.conduct.import_checks import check_imports
from escalon.protocol.conduct.safety import check_hold_scopes
from escalon.protocol.faults import Fault, StudyFolderError
from escalon.protocol.forms import Form
from escalon.protocol.forms_folder import CODELIST_FILE, CodeLists, check_forms, with_choices
from escalon.protocol.pk_choices import PK_CHOICES_FILE, PkChoices, check_choices
from escalon.protocol.provenance import Provenance
from escalon.protocol.scenarios import Scenarios, check_scenarios
from escalon.protocol.study import Study
from escalon.protocol.tagged_yaml import Document, Path, dotted, parse

M = TypeVar("M", bound=BaseModel)
STUDY_FILE, SCENARIO_FILE, FORM_FOLDER = "study.yaml", "scenarios.yaml", "forms/"
CONDUCT_FILE = "conduct.yaml"
REQUIRED_FORMS = ("DM", "EX", "AE", "LB", "RS", "PC", "DS")


@dataclass(frozen=True, slots=True)
class StudyFolder:
    """A study folder, read and checked.

    Attributes:
        study: the study.
        forms: case report forms by name.
        scenarios: true toxicity scenarios and virtual-patient assumptions.
        conduct: how the trial is run; the platform's defaults for what ``conduct.yaml`` does not say.
        provenance: one row for every value of every file.
        hash: SHA-256 over the content of all files that say what the trial is, tags included; comments and layout
            do not count.
        texts: these files themselves, by name; enough to load this version again.
        earlier: earlier versions of the study by hash, for patients who consented to one of them.
        pk_choices: samples a person chose or took out, made after the data were seen; not under ``hash``.
    """

    study: Study
    forms: dict[str, Form]
    scenarios: Scenarios
    conduct: ConductRules
    provenance: tuple[Provenance, ...]
    hash: str
    texts: Mapping[str, str] = field(default_factory=dict)
    earlier: "Mapping[str, StudyFolder]" = field(default_factory=dict)
    pk_choices: PkChoices = field(default_factory=PkChoices)


def load_study(files: Mapping[str, str]) -> StudyFolder:
    """Load a study folder given as file name to text (``study.yaml``, ``scenarios.yaml``, ``forms/ae.yaml`` ...).

    Raises:
        StudyFolderError: with one fault for each thing that is wrong.
    """
    faults = [
        Fault(name, None, "", "", "the study folder needs this file; it is missing")
        for name in (STUDY_FILE, SCENARIO_FILE)
        if name not in files
    ]
    faults += [
        Fault(
            f"{FORM_FOLDER}{form.lower()}.yaml",
            None,
            "",
            "",
            "the study folder needs this form; it is missing",
        )
        for form in REQUIRED_FORMS
        if f"{FORM_FOLDER}{form.lower()}.yaml" not in files
    ]
    documents = {name: parse(name, text) for name, text in sorted(files.items())}
    for document in documents.values():
        faults += document.faults
    sections = _sections(documents.get(STUDY_FILE), faults)
    forms = _joined_forms(documents, sections, _forms(documents, faults), faults)
    scenarios = _scenarios(documents.get(SCENARIO_FILE), sections, faults)
    conduct = _conduct(documents.get(CONDUCT_FILE), sections, forms, faults)
    choices = _pk_choices(documents.get(PK_CHOICES_FILE), sections, faults)
    for document in documents.values():
        faults += _untagged(document, faults)
    faults += _unknown_sources(documents, sections)
    faults += _unknown_forms(documents, sections)
    if faults or scenarios is None or conduct is None:
        raise StudyFolderError(_in_order(faults))
    provenance = tuple(row for document in documents.values() for row in document.provenance)
    trial = {name: document for name, document in documents.items() if name != PK_CHOICES_FILE}
    texts = {name: files[name] for name in trial}
    study = Study(**sections)
    return StudyFolder(study, forms, scenarios, conduct, provenance, _hash(trial), texts, pk_choices=choices)


def _in_order(faults: list[Fault]) -> list[Fault]:
    return sorted(dict.fromkeys(faults), key=lambda fault: (fault.file, fault.line or 0, fault.field))


def _untagged(document: Document, found: list[Fault]) -> list[Fault]:
    """Values without provenance; a field that is unknown anyway is one fault, not two."""
    rule = (
        "every value carries its provenance: put !registry, !publication, !derived or !assumption before it"
    )
    unknown = {f.field for f in found if f.file == document.file and f.rule.startswith("unknown ")}
    return [
        document.fault(path, rule, document.value(path))
        for path in document.untagged
        if not any(dotted(path[:length]) in unknown for length in range(1, len(path) + 1))
    ]


def _sections(document: Document | None, faults: list[Fault]) -> dict[str, Any]:
    """Validate each section of study.yaml on its own, so that one fault does not hide another."""
    sections: dict[str, Any] = {}
    if document is None or document.data is None:
        return sections
    if not isinstance(document.data, dict):
        faults.append(document.fault((), "a study is a list of named sections"))
        return sections
    for name in document.data:
        if name not in Study.model_fields:
            known = ", ".join(Study.model_fields)
            faults.append(document.fault((name,), f"unknown section; a study has {known}"))
    for name, section in Study.model_fields.items():
        if name not in document.data:
            faults.append(document.fault((), f"the section `{name}` is missing"))
            continue
        adapter: TypeAdapter[Any] = TypeAdapter(section.rebuild_annotation())
        try:
            sections[name] = adapter.validate_python(document.data[name])
        except ValidationError as error:
            faults += [_fault(document, (name,), detail) for detail in error.errors()]
    faults += [document.fault(path, rule, document.value(path)) for path, rule in cross_checks(sections)]
    return sections


def _forms(documents: Mapping[str, Document], faults: list[Fault]) -> dict[str, Form]:
    forms: dict[str, Form] = {}
    for name, document in documents.items():
        if not name.startswith(FORM_FOLDER) or document.data is None:
            continue
        form = _validate(Form, document, faults)
        if form is None:
            continue
        if name != f"{FORM_FOLDER}{form.form.lower()}.yaml":
            rule = f"the form {form.form} belongs into {FORM_FOLDER}{form.form.lower()}.yaml"
            faults.append(document.fault(("form",), rule, form.form))
        forms[form.form] = form
    return forms


def _joined_forms(
    documents: Mapping[str, Document],
    sections: Mapping[str, Any],
    forms: Mapping[str, Form],
    faults: list[Fault],
) -> dict[str, Form]:
    """Fill in the code lists and check what forms say of each other and of the study."""
    file = documents.get(CODELIST_FILE)
    lists = None if file is None or file.data is None else _validate(CodeLists, file, faults)
    lists = lists or CodeLists(codelists=())
    filled = with_choices(forms, lists)
    visits = frozenset(visit.id for visit in sections.get("visits", ()))
    versions = frozenset(amendment.version for amendment in sections.get("amendments", ()))
    for form, path, rule in check_forms(filled, lists, visits, versions):
        document = documents.get(f"{FORM_FOLDER}{form.lower()}.yaml")
        if document is not None:  # a form in a file of another name is a fault already
            faults.append(document.fault(path, rule, document.value(path)))
    return filled


def _scenarios(
    document: Document | None, sections: Mapping[str, Any], faults: list[Fault]
) -> Scenarios | None:
    if document is None or document.data is None:
        return None
    scenarios = _validate(Scenarios, document, faults)
    if scenarios is not None and "dose_levels" in sections:
        for path, value, rule in check_scenarios(scenarios, len(sections["dose_levels"])):
            steps = tuple(int(step) if step.isdigit() else step for step in path.split("."))
            faults.append(document.fault(steps, rule, value))
    return scenarios


def _conduct(
    document: Document | None, sections: Mapping[str, Any], forms: Mapping[str, Form], faults: list[Fault]
) -> ConductRules | None:
    if document is None:
        return ConductRules()
    rules = None if document.data is None else _validate(ConductRules, document, faults)
    if rules is None:
        return None
    found: list[tuple[Path, str]] = []
    # What misses a faulty form is no fault of its own.
    if not any(fault.file.startswith(FORM_FOLDER) for fault in faults):
        found += check_imports(rules.capture.imports, forms)
        found += check_critical(rules.capture.critical, forms)
    if "stopping_rules" in sections:
        found += check_hold_scopes(rules.safety, [rule.id for rule in sections["stopping_rules"]])
    for path, rule in found:
        faults.append(document.fault(path, rule, document.value(path)))
    return rules


def _pk_choices(document: Document | None, sections: Mapping[str, Any], faults: list[Fault]) -> PkChoices:
    """The choices of ``pk_choices.yaml``; none without the file."""
    found = None if document is None or document.data is None else _validate(PkChoices, document, faults)
    if document is None or found is None:
        return PkChoices()
    if "pharmacokinetics" in sections and "cell_kinetics" in sections:
        drug, cells = sections["pharmacokinetics"].analyte, sections["cell_kinetics"].analyte
        for path, rule in check_choices(found, drug, cells):
            faults.append(document.fault(path, rule, document.value(path)))
    return found


def _validate(model: type[M], document: Document, faults: list[Fault]) -> M | None:
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        faults += [_fault(document, (), detail) for detail in error.errors()]
        return None


def _fault(document: Document, section: Path, detail: ErrorDetails) -> Fault:
    """Turn one pydantic error into a fault; union members in its location are no steps of the file."""
    path: Path = section
    for step in detail["loc"]:
        if _has(document.value(path), step) or (detail["type"] == "missing" and step == detail["loc"][-1]):
            path = (*path, step)
    rule = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        rule = "unknown field; remove it or correct its name"
    if detail["type"] == "missing":
        return document.fault(path, "the field is missing")
    return document.fault(path, rule, document.value(path))


def _has(container: Any, step: str | int) -> bool:
    if isinstance(container, dict):
        return step in container
    return isinstance(container, list) and isinstance(step, int) and step < len(container)


def _unknown_sources(documents: Mapping[str, Document], sections: Mapping[str, Any]) -> list[Fault]:
    known = sections.get("sources")
    if known is None:
        return []
    faults = []
    for document in documents.values():
        for row in document.provenance:
            if row.source is not None and row.source not in known:
                rule = f"the source `{row.source}` is not in the study's `sources`; add its citation there"
                faults.append(Fault(row.file, row.line, row.path, row.value, rule))
            elif row.source is None and row.tag == "publication":
                rule = "a publication names its source: !publication/KEY with KEY in the study's `sources`"
                faults.append(Fault(row.file, row.line, row.path, row.value, rule))
    return faults


def _unknown_forms(documents: Mapping[str, Document], sections: Mapping[str, Any]) -> list[Fault]:
    return [
        documents[STUDY_FILE].fault(("visits", i, "forms", j), "no such form in forms/", form)
        for i, visit in enumerate(sections.get("visits", ()))
        for j, form in enumerate(visit.forms)
        if f"{FORM_FOLDER}{form.lower()}.yaml" not in documents
    ]


def folder_hash(texts: Mapping[str, str]) -> str:
    """Return the hash of the folder with these texts (``StudyFolder.texts``), whether or not this software reads it."""
    return _hash({name: parse(name, text) for name, text in sorted(texts.items())})


def _hash(documents: Mapping[str, Document]) -> str:
    content = {
        name: [document.data, [(row.path, row.tag, row.source) for row in document.provenance]]
        for name, document in documents.items()
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()
