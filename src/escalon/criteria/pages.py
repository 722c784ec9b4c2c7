"""One page of documentation per grading system, written from the very tables that grade. Markdown text, no files."""

from escalon.criteria import clinical
from escalon.criteria.catalogue import load_terms, system_organ_classes
from escalon.criteria.lab_rules import Rule, load_rules
from escalon.criteria.magic import ROMAN
from escalon.criteria.page_layout import find_keys, limit_text, render_grid, render_page
from escalon.criteria.pages_events import render_dlt, render_judgements
from escalon.criteria.pages_response import render_cns_mrd, render_response, render_visits
from escalon.criteria.tables import load_table


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
        "leukemia-response.md": render_response(),
        "cns-mrd-extramedullary.md": render_cns_mrd(),
        "visits.md": render_visits(),
        "dlt.md": render_dlt(),
        "relatedness-seriousness-expectedness.md": render_judgements(),
    }
    index = ["# Grading and response criteria", "", "Each page is written from the table that grades.", ""]
    index += [f"- [{text.splitlines()[0].removeprefix('# ')}]({name})" for name, text in pages.items()]
    return {"index.md": "\n".join(index) + "\n"} | pages


def _laboratory(version: str) -> str:
    rules = load_rules(version)
    rows = [
        (rule.term, rule.unit, *(_cell(rule, grade) for grade in (1, 2, 3, 4)), f"`{rule.source}`")
        for rule in rules.values()
    ]
    notes = [f"- {rule.term}: {rule.note}" for rule in rules.values() if rule.note]
    how = [
        "The worst grade is tried first. A missing limit that decides gives no grade. LLN and ULN are the laboratory's",
        "limits. Qualifiers (symptoms, treatment) that are not recorded count at their worst.",
    ]
    head = ("Term", "Unit", "Grade 1", "Grade 2", "Grade 3", "Grade 4", "Source")
    keys = [rule.source for rule in rules.values()]
    return render_page(f"CTCAE {version}, laboratory terms", keys, how, render_grid(head, rows), notes)


def _cell(rule: Rule, grade: int) -> str:
    found = [
        alternative.text(rule.unit) for step, any_ in rule.grades if step == grade for alternative in any_
    ]
    found += [f"clinical: {text}" for step, text in rule.clinical if step == grade]
    return "; or ".join(found) or "-"


def _clinical() -> str:
    table = load_table("ctcae_v5_clinical.json")
    rows = [
        (term, row["grade"], row["text"], f"`{code}`", f"`{row['source']}`")
        for term in clinical.clinical_terms()
        for code, row in table["terms"][term].items()
    ]
    names = (
        "fever_celsius",
        "ejection_fraction_percent",
        "ejection_fraction_drop",
        "qtc_ms",
        "qtc_change_ms",
    )
    ladders = [
        (name.replace("_", " "), row["grade"], limit_text(row), f"`{row['source']}`")
        for name in names
        for row in table[name]
    ]
    single = {name: table[name] for name in ("fever_high", "fever_high_hours")} | table["febrile_neutropenia"]
    ladders += [
        (name.replace("_", " "), "", limit_text(row), f"`{row['source']}`") for name, row in single.items()
    ]
    return render_page(
        "CTCAE 5.0, clinical terms and infections",
        find_keys(table),
        render_grid(("Measurement", "Grade", "Limit", "Source"), ladders),
        render_grid(("Term", "Grade", "Finding", "Code", "Source"), rows),
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
    return render_page(
        "CTCAE, term catalogue",
        ("ctcae-5", "ctcae-6"),
        ["## Version 5.0"],
        [f"{len(terms)} terms in {len(rows)} system organ classes. No MedDRA code is shipped."],
        render_grid(("System organ class", "Terms", "Terms with grade 5"), rows),
        [
            "## Version 6.0",
            "",
            f"The {len(load_terms('6.0'))} laboratory terms are held, with their grades 1 to 4; no clinical catalogue",
            "of 6.0 ships. An entry under 6.0 that names one of them must have a grade of its row. Any other term, and",
            "grade 5 of any term, are accepted as entered and not checked.",
        ],
    )


def _crs() -> str:
    table = load_table("astct.json")["crs"]
    others, range_ = load_table("crs_other.json"), load_table("plausible.json")["temperature_celsius"]
    rows = [
        (part, row["grade"], row["text"], f"`{code}`", f"`{row['source']}`")
        for part in ("hypotension", "oxygen")
        for code, row in table[part].items()
    ]
    older = [
        (f"{other['system']} {other['version']}", row["grade"], row["text"], f"`{row['source']}`")
        for other in others.values()
        for row in other["rows"].values()
    ]
    how = [
        f"Fever is {limit_text(table['fever_celsius'])} degC with no other cause; it is no longer asked for once an",
        "antipyretic or anticytokine was given. The grade is the worse of hypotension and hypoxia. Grade 5:",
        f"{table['death']['text']} (`{table['death']['source']}`).",
        f"A temperature outside {range_['low']:g} to {range_['high']:g} degC is refused (`{range_['source']}`).",
        f"A nasal cannula is low flow at {limit_text(table['low_flow_l_per_min'])} L/min. A component that nobody",
        "assessed leaves the grade open where it could change it.",
    ]
    return render_page(
        "Cytokine release syndrome, ASTCT",
        [*find_keys(table), *find_keys(others), range_["source"]],
        how,
        render_grid(("Component", "Grade", "Finding", "Code", "Source"), rows),
        [f"- assumption: {text}" for text in table["assumptions"]],
        ["For comparison, on the same findings:"],
        render_grid(("System", "Grade", "Rule", "Source"), older),
    )


def _icans() -> str:
    table = load_table("astct.json")["icans"]
    rows = [
        ("ICE", row["grade"], f"{row['low']} to {row['high']} points", "", f"`{row['source']}`")
        for row in table["ice"]
    ]
    rows += [
        (part, row["grade"], row["text"], f"`{code}`", f"`{row['source']}`")
        for part in ("consciousness", "seizure", "motor", "edema")
        for code, row in table[part].items()
    ]
    items = [(name, row["points"], row["text"]) for name, row in table["ice_items"].items()]
    minutes = limit_text(table["prolonged_seizure_minutes"])
    return render_page(
        "ICANS, ASTCT",
        find_keys(table),
        [
            f"The grade is the worst domain without another cause. A seizure is prolonged at {minutes} minutes."
        ],
        render_grid(("Domain", "Grade", "Finding", "Code", "Source"), rows),
        render_grid(("ICE item", "Points", "Task"), items),
        [f"- assumption: {text}" for text in table["assumptions"]],
    )


def _magic() -> str:
    table = load_table("magic.json")
    overall = [(ROMAN[row["grade"]], row["text"], f"`{row['source']}`") for row in table["overall"]["rows"]]
    ladders = {
        "skin, % of body surface": table["skin_bsa_percent"],
        "skin, with erythroderma and bullae, desquamation %": [table["skin_desquamation_percent"]],
        "liver, bilirubin mg/dL": table["liver_bilirubin_mg_dl"],
        "liver, bilirubin umol/L": table["liver_bilirubin_umol_l"],
    }
    for column, measures in table["lower_gi"].items():
        ladders |= {f"lower GI, {column}, {measure}": ladder for measure, ladder in measures.items()}
    rows = [
        (name, row["stage"], limit_text(row), f"`{row['source']}`")
        for name, ladder in ladders.items()
        for row in ladder
    ]
    rows.append(
        ("lower GI", 4, "severe pain with or without ileus, or grossly bloody stool", "`harris-2016`")
    )
    rows.append(("upper GI", 1, "persistent nausea, vomiting or anorexia", "`harris-2016`"))
    return render_page(
        "Acute GvHD, MAGIC",
        find_keys(table),
        [f"The child column holds at {limit_text(table['child_weight_kg'])} kg."],
        render_grid(("Organ", "Stage", "Rule", "Source"), rows),
        render_grid(("Overall grade", "Rule", "Source"), overall),
    )


def _icaht() -> str:
    blocks, tables = [], load_table("icaht.json")
    for table in tables.values():
        rows = [
            (period, row["grade"], row["text"], f"`{row['source']}`")
            for period in ("early", "late")
            for row in table[period]["rows"]
        ]
        blocks += [[f"## {table['system']}"]]
        blocks += [render_grid(("Period", "Grade", f"{table['quantity']}", "Source"), rows)]
    how = [
        "Day 0 is the infusion; early is day 0 to 30, late starts with day 31 (`rejeski-2023`).",
        "A day without a test carries the last",
        "value up to the next test (assumption). Days before the first and after the last test are unknown: where they",
        "could raise the grade there is none. The stop day (progression, next therapy, death) no longer counts.",
        "Each scale keeps the sign its table prints: a neutrophil count at the limit counts in ICAHT (or less), a",
        "platelet count at the limit does not in T-ICAHT (below).",
    ]
    keys = ["rejeski-2023", *find_keys(tables)]
    return render_page("Haematotoxicity, ICAHT and T-ICAHT", keys, how, *blocks)


def _iec_hs() -> str:
    table = load_table("iec_hs.json")
    rows = [
        (row["grade"], row["text"], f"`{code}`", f"`{row['source']}`")
        for code, row in table["severity"].items()
    ]
    parts = [(name, row["unit"], f"`{row['source']}`") for name, row in table["measurements"].items()]
    parts += [(name, row["text"], f"`{row['source']}`") for name, row in table["signs"].items()]
    return render_page(
        "IEC-HS",
        find_keys(table),
        [
            "The diagnosis is the investigator's. Components are stored and shown; their cut-offs are a study's own."
        ],
        render_grid(("Grade", "Severity", "Code", "Source"), rows),
        render_grid(("Component", "Unit or sign", "Source"), parts),
    )
