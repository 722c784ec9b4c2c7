"""Pages of the judgements on events: dose-limiting toxicity, relatedness, seriousness, expectedness, emergence."""

from typing import Any

from escalon.criteria.dlt_cytopenia import load_lineages
from escalon.criteria.dlt_definition import (
    Clause,
    CytopeniaClause,
    DltDefinition,
    FatalClause,
    GradedClause,
    HysLawClause,
    load_default_definition,
)
from escalon.criteria.page_layout import find_keys, render_grid, render_page
from escalon.criteria.tables import load_table


def render_dlt() -> str:
    """The default definition of dose-limiting toxicity, clause by clause."""
    table = load_table("dlt_default.json")
    definition = load_default_definition()
    clauses = [
        (clause.id, clause.text, "; ".join(_details(clause)), f"`{clause.source}`")
        for clause in definition.clauses
    ]
    defaults = [
        (name.replace("_", " "), row["value"], f"`{row['source']}`")
        for name, row in table["defaults"].items()
    ]
    return render_page(
        "Dose-limiting toxicity, default definition",
        [*find_keys(table["definition"]), *find_keys(table["defaults"])],
        _general(definition),
        render_grid(("Clause", "Rule", "Detail", "Source"), clauses),
        ["Never a DLT under any clause but those of a death and of late cytopenia:"],
        [f"- {rule.text()} (`{rule.source}`)" for rule in definition.never],
        ["What a definition leaves out:"],
        render_grid(("Setting", "Default", "Source"), defaults),
        ["## Status"],
        _STATUS,
    )


_STATUS = [
    "- `PENDING`: infused, window open and no DLT; or a clause still open; or dose or assessments not yet recorded.",
    "- `DLT`: a clause is met. The engine proposes, a person adjudicates.",
    "- `NO_DLT`: evaluable, window and open clauses closed, no clause met.",
    "- `NOT_EVALUABLE`: lymphodepletion only, left before the end of the window, under-dosed or assessments missing,",
    "  each without a DLT. The patient is replaced.",
]


def _value(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _general(definition: DltDefinition) -> list[str]:
    small = "counts" if definition.count_dlt_below_min_dose else "does not count"
    return [
        f"Window: first infusion to day {definition.window_days}, both days included. Attribution: at least",
        f"{definition.attribution.minimum} to {', '.join(definition.attribution.products)}. CTCAE version "
        f"{definition.ctcae_version}.",
        f"Evaluable: at least {100 * definition.min_dose_fraction:g} % of the dose, and a DLT or a completed window",
        f"with its assessments. A DLT below that dose {small}.",
    ]


def _details(clause: Clause) -> list[str]:
    found = []
    if clause.attribution is not None:
        found.append(
            f"attribution {clause.attribution.minimum} to {' or '.join(clause.attribution.products)}"
        )
    if clause.opens_with:
        found.append(f"window opens with the first dose of {' or '.join(clause.opens_with)}")
    if isinstance(clause, FatalClause):
        found.append(f"unless {' or '.join(clause.unless).replace('_', ' ')}")
    if isinstance(clause, GradedClause):
        found += _graded(clause)
    if isinstance(clause, CytopeniaClause):
        found += [
            f"{' or '.join(clause.lineages)}, day {clause.check_day} within {clause.check_day_window} days",
            f"cellularity below {clause.max_cellularity:g} %, blasts below {clause.leukemia_blasts:g} %",
        ]
        lineages = load_lineages()
        found += [
            f"{lineages[name]['name']}: the counts, and events named {', '.join(lineages[name]['event_terms'])} "
            f"(`{lineages[name]['source']}`)"
            for name in clause.lineages
        ]
    if isinstance(clause, HysLawClause):
        found += [
            f"transaminases > {clause.transaminase_uln:g}, bilirubin > {clause.bilirubin_uln:g} x ULN, both risen",
            f"alkaline phosphatase < {clause.alp_uln:g} x ULN, or no cholestasis",
        ]
    return found


def _graded(clause: GradedClause) -> list[str]:
    found = []
    if clause.immediate_grade is not None:
        found.append(f"grade {clause.immediate_grade} at once")
    if clause.flag is not None:
        found.append(f"grade {clause.flag_grade} with {clause.flag.replace('_', ' ')}")
    if clause.sustained_grade is not None:
        laboratory = "" if clause.laboratory_hours is None else f" (laboratory {clause.laboratory_hours:g} h)"
        found.append(
            f"grade {clause.sustained_grade} for more than {clause.sustained_hours:g} h{laboratory} before it is "
            f"{clause.improve_to} or lower"
        )
    if clause.exempt:
        found.append("exempt: " + ", ".join(rule.text() for rule in clause.exempt))
    return found


def render_judgements() -> str:
    """Relatedness, seriousness, expectedness and treatment-emergence."""
    table = load_table("events.json")
    related = table["relatedness"]
    scale = ", ".join(related["scale"]["value"])
    return render_page(
        "Relatedness, seriousness, expectedness and treatment-emergence",
        find_keys(table),
        ["## Relatedness", "", f"Scale: {scale}; related from {related['minimum']['value']} on."],
        _texts("Cause", related["causes"]),
        _texts("Rule", related["rules"]),
        ["## Seriousness", "", table["serious_by"]["text"].capitalize() + "."],
        _texts("Criterion", table["seriousness"]),
        ["## Expectedness"],
        _texts("Rule", table["expectedness"]),
        ["## Treatment-emergent, for each product"],
        _texts("Rule", table["emergence"]),
    )


def _texts(name: str, rows: dict[str, Any]) -> list[str]:
    found = ((f"`{code}`", row["text"], f"`{row['source']}`") for code, row in rows.items())
    return render_grid((name, "Words", "Source"), found)
