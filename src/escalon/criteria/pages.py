"""One page of documentation per grading system, written from the very tables that grade. Markdown text, no files."""

from collections.abc import Iterable, Sequence
from typing import Any

from escalon.criteria import clinical
from escalon.criteria.catalogue import load_terms, system_organ_classes
from escalon.criteria.dlt_definition import CytopeniaClause, GradedClause, load_default_definition
from escalon.criteria.lab_rules import Rule, load_rules
from escalon.criteria.leukemia_sets import load_criteria_sets
from escalon.criteria.magic import ROMAN
from escalon.criteria.tables import find_source, load_table


def render_pages() -> dict[str, str]:
    """All pages by file name, for ``docs/criteria/``."""
    pages = {
        "ctcae-laboratory-v5.md": _laboratory("5.0"),
        "ctcae-laboratory-v6.md": _laboratory("6.0"),
        "ctcae-clinical.md": _clinical(),
        "ctcae-catalogue.md": _catalogue(),
        "crs.md": _crs(),
        "icans.md": _icans(),
        "gvhd-magic.md": _magic(),
        "icaht.md": _icaht(),
        "iec-hs.md": _iec_hs(),
        "leukemia-response.md": _response(),
        "dlt.md": _dlt(),
    }
    index = ["# Grading and response criteria", "", "Each page is written from the table that grades.", ""]
    index += [f"- [{text.splitlines()[0].removeprefix('# ')}]({name})" for name, text in pages.items()]
    return {"index.md": "\n".join(index) + "\n"} | pages


def _page(title: str, source: str, tag: str, *blocks: Iterable[str]) -> str:
    lines = [f"# {title}", "", f"Source: {source}.", f"Tag: {tag}.", ""]
    for block in blocks:
        lines += [*block, ""]
    return "\n".join(lines).rstrip() + "\n"


def _grid(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    def line(cells: Sequence[Any]) -> str:
        return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"

    return [line(head), line(["---"] * len(head)), *(line(row) for row in rows)]


def _laboratory(version: str) -> str:
    rules = load_rules(version)
    first = next(iter(rules.values()))
    rows = [
        (rule.term, rule.unit, *(_cell(rule, grade) for grade in (1, 2, 3, 4))) for rule in rules.values()
    ]
    notes = [f"- {rule.term}: {rule.note}" for rule in rules.values() if rule.note]
    how = [
        "The worst grade is tried first. A missing limit that decides gives no grade. LLN and ULN are the laboratory's",
        "limits. Qualifiers (symptoms, treatment) that are not recorded count at their worst.",
    ]
    head = ("Term", "Unit", "Grade 1", "Grade 2", "Grade 3", "Grade 4")
    source = find_source(first.source)
    return _page(f"CTCAE {version}, laboratory terms", source.text, source.tag, how, _grid(head, rows), notes)


def _cell(rule: Rule, grade: int) -> str:
    found = [
        alternative.text(rule.unit) for step, any_ in rule.grades if step == grade for alternative in any_
    ]
    found += [f"clinical: {text}" for step, text in rule.clinical if step == grade]
    return "; or ".join(found) or "-"


def _clinical() -> str:
    table = load_table("ctcae_v5_clinical.json")
    rows = [
        (term, row["grade"], row["text"], f"`{code}`", row["source"])
        for term in clinical.clinical_terms()
        for code, row in table["terms"][term].items()
    ]
    ladders = [
        (name.replace("_", " "), row["grade"], f"{row['op']} {row['limit']:g}")
        for name in (
            "fever_celsius",
            "ejection_fraction_percent",
            "ejection_fraction_drop",
            "qtc_ms",
            "qtc_change_ms",
        )
        for row in table[name]
    ]
    return _page(
        "CTCAE 5.0, clinical terms of this kind of study",
        table["source"],
        table["tag"],
        _grid(("Measurement", "Grade", "Limit"), ladders),
        _grid(("Term", "Grade", "Finding", "Code", "Source"), rows),
        [f"- assumption: {text}" for text in table["assumptions"]],
    )


def _catalogue() -> str:
    terms = load_terms()
    rows = [
        (
            soc,
            sum(term.soc == soc for term in terms),
            sum(term.soc == soc and 5 in term.grades for term in terms),
        )
        for soc in system_organ_classes()
    ]
    return _page(
        "CTCAE 5.0, term catalogue",
        "NCI CTCAE v5.0, 27 Nov 2017",
        "publication",
        [f"{len(terms)} terms in {len(rows)} system organ classes. No MedDRA code is shipped."],
        _grid(("System organ class", "Terms", "Terms with grade 5"), rows),
    )


def _crs() -> str:
    table = load_table("astct.json")["crs"]
    rows = [
        (part, row["grade"], row["text"], f"`{code}`")
        for part in ("hypotension", "oxygen")
        for code, row in table[part].items()
    ]
    older = []
    for name in ("lee_2014", "ctcae_v5"):
        other = load_table("crs_other.json")[name]
        older += [
            (f"{other['system']} {other['version']}", row["grade"], row["text"], row["source"])
            for row in other["rows"].values()
        ]
    fever = table["fever_celsius"]
    how = [
        f"Fever is {fever['op']} {fever['limit']:g} degC with no other cause; it is no longer asked for once an",
        "antipyretic or anticytokine was given. The grade is the worse of hypotension and hypoxia; grade 5 is death.",
    ]
    return _page(
        "Cytokine release syndrome, ASTCT",
        table["source"],
        table["tag"],
        how,
        _grid(("Component", "Grade", "Finding", "Code"), rows),
        [f"- assumption: {text}" for text in table["assumptions"]],
        ["For comparison, on the same findings:"],
        _grid(("System", "Grade", "Rule", "Source"), older),
    )


def _icans() -> str:
    table = load_table("astct.json")["icans"]
    rows = [("ICE", row["grade"], f"{row['low']} to {row['high']} points", "") for row in table["ice"]]
    rows += [
        (part, row["grade"], row["text"], f"`{code}`")
        for part in ("consciousness", "seizure", "motor", "edema")
        for code, row in table[part].items()
    ]
    return _page(
        "ICANS, ASTCT",
        table["source"],
        table["tag"],
        ["The grade is the worst domain without another cause."],
        _grid(("Domain", "Grade", "Finding", "Code"), rows),
        [f"- assumption: {text}" for text in table["assumptions"]],
    )


def _magic() -> str:
    table = load_table("magic.json")
    overall = [(ROMAN[row["grade"]], row["text"]) for row in table["overall"]["rows"]]
    severe = table["skin_desquamation_percent"]
    rows = [
        ("skin, % of body surface", row["stage"], f"{row['op']} {row['limit']:g}")
        for row in table["skin_bsa_percent"]
    ]
    rows.insert(
        0, ("skin, with bullae", severe["stage"], f"desquamation {severe['op']} {severe['limit']:g} %")
    )
    for unit in ("mg_dl", "umol_l"):
        ladder = table[f"liver_bilirubin_{unit}"]
        rows += [
            (f"liver, bilirubin {unit.replace('_', '/')}", row["stage"], f"{row['op']} {row['limit']:g}")
            for row in ladder
        ]
    for column, measures in table["lower_gi"].items():
        for measure, ladder in measures.items():
            rows += [
                (f"lower GI, {column}, {measure}", row["stage"], f"{row['op']} {row['limit']:g}")
                for row in ladder
            ]
    rows.append(("lower GI", 4, "severe pain with or without ileus, or grossly bloody stool"))
    rows.append(("upper GI", 1, "persistent nausea, vomiting or anorexia"))
    return _page(
        "Acute GvHD, MAGIC",
        table["source"],
        f"{table['tag']} for the stages, {table['overall']['tag']} for the overall grade",
        _grid(("Organ", "Stage", "Rule"), rows),
        _grid(("Overall grade", "Rule"), overall),
    )


def _icaht() -> str:
    blocks = []
    for table in load_table("icaht.json").values():
        rows = [
            (period, row["grade"], row["text"])
            for period in ("early", "late")
            for row in table[period]["rows"]
        ]
        blocks += [[f"## {table['system']}", "", f"Source: {table['source']}. Tag: {table['tag']}."]]
        blocks += [_grid(("Period", "Grade", f"{table['quantity']}"), rows)]
    return _page(
        "Haematotoxicity, ICAHT and T-ICAHT", "given with each table", "given with each table", *blocks
    )


def _iec_hs() -> str:
    table = load_table("iec_hs.json")
    rows = [(row["grade"], row["text"], f"`{code}`") for code, row in table["severity"].items()]
    return _page("IEC-HS", table["source"], table["tag"], _grid(("Grade", "Severity", "Code"), rows))


def _response() -> str:
    sets = list(load_criteria_sets().values())
    fields = [name for name in type(sets[0]).model_fields if name != "name"]
    rows = [(name.replace("_", " "), *(_shown(getattr(one, name)) for one in sets)) for name in fields]
    return _page(
        "Leukemia response",
        "given with each set",
        "given with each set",
        [
            "Blasts in percent, counts in 10^9/L, MRD as a fraction. A study may change single settings or add a set."
        ],
        _grid(("Setting", *(one.name for one in sets)), rows),
    )


def _shown(value: Any) -> str:
    if hasattr(value, "text"):
        return str(value.text())
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _dlt() -> str:
    table = load_table("dlt_default.json")
    definition = load_default_definition()
    rows = []
    for clause in definition.clauses:
        detail = ""
        if isinstance(clause, GradedClause) and clause.exempt:
            detail = "exempt: " + "; ".join(rule.text() for rule in clause.exempt)
        if isinstance(clause, CytopeniaClause):
            detail = (
                f"cellularity below {clause.max_cellularity:g} %, blasts below {clause.leukemia_blasts:g} %"
            )
        rows.append((clause.id, clause.text, detail))
    how = [
        f"Window: first infusion to day {definition.window_days}, both days included. Attribution: at least",
        f"{definition.attribution.minimum} to {', '.join(definition.attribution.products)}. Evaluable: at least",
        f"{100 * definition.min_dose_fraction:g} % of the dose, and a DLT or a completed window with its assessments.",
        "Never: " + "; ".join(rule.text() for rule in definition.never) + ".",
    ]
    return _page(
        "Dose-limiting toxicity, default definition",
        table["source"],
        table["tag"],
        how,
        _grid(("Clause", "Rule", "Detail"), rows),
    )
