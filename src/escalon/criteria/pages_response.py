"""Pages of leukemia response: the criteria sets, CNS, MRD and extramedullary disease, visits."""

from typing import Any

from escalon.criteria.leukemia_sets import load_criteria_sets
from escalon.criteria.page_layout import find_keys, limit_text, render_grid, render_page
from escalon.criteria.tables import load_table


def render_response() -> str:
    """The criteria sets side by side, and the rules on the course of a patient."""
    sets = list(load_criteria_sets().values())
    fields = [name for name in type(sets[0]).model_fields if name not in ("name", "tag", "source", "sources")]
    rows = [
        (name.replace("_", " "), *(f"{_shown(getattr(one, name))} `{one.sources[name]}`" for one in sets))
        for name in fields
    ]
    table = load_table("leukemia_criteria.json")
    course = [
        (name.replace("_", " "), _shown(row["value"]), f"`{row['source']}`")
        for name, row in table["course"].items()
    ]
    keys = [key for one in sets for key in one.sources.values()] + find_keys(table["course"])
    return render_page(
        "Leukemia response",
        keys,
        [
            "Blasts in percent, counts in 10^9/L, MRD as a fraction. A study may change single settings or add a set."
        ],
        [f"- {one.name} ({one.tag}): {one.source}" for one in sets],
        render_grid(("Setting", *(one.name for one in sets)), rows),
        [
            "## Course of a patient",
            "",
            "Best response is the first of the order that was reached before reading stops.",
        ],
        render_grid(("Rule", "Value", "Source"), course),
    )


def _shown(value: Any) -> str:
    if hasattr(value, "text"):
        return str(value.text())
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(value)
    if value is None:
        return "-"
    return f"{value:g}" if isinstance(value, float) else str(value)


def render_cns_mrd() -> str:
    """CNS categories and course, MRD labels, support of counts, extramedullary response."""
    table = load_table("leukemia_status.json")
    cns, mrd, lesions = table["cns"], table["mrd"], table["extramedullary"]
    limits = {
        "CSF WBC per uL, raised": cns["white_cells"],
        "CSF RBC per uL, bloody tap": cns["red_cells"],
        "CSF WBC/RBC over blood WBC/RBC": cns["blood_ratio"],
        "MRD, sensitive assay": mrd["sensitive"],
        "MRD, failure": mrd["failure"],
        "MRD, intermediate": mrd["intermediate"],
        "days of support by transfusion or growth factor": table["support"]["days"],
        "lesions, fall of a PR": lesions["partial_fall"],
        "lesions, rise of a PD": lesions["progression_rise"],
    }
    labels = [(row["text"], row["trial"], row["eln"], f"`{row['source']}`") for row in mrd["labels"].values()]
    return render_page(
        "CNS status, MRD and extramedullary disease",
        find_keys(table),
        render_grid(
            ("Limit", "Value", "Source"),
            ((name, limit_text(r), f"`{r['source']}`") for name, r in limits.items()),
        ),
        ["## CNS"],
        _texts("Category", cns["categories"]),
        _texts("Course", cns["responses"]),
        ["## MRD", "", f"Methods: {', '.join(mrd['methods'])}. Reported only with CR, CRh, CRi or MLFS."],
        render_grid(("Result", "Trial label", "ELN label", "Source"), labels),
        ["## Extramedullary disease", "", f"Sites: {', '.join(lesions['sites'])}. Lymphomatous lesions:"],
        _texts("Response", lesions["responses"]),
    )


def render_visits() -> str:
    """Response visits with their windows, and how an assessment finds its visit."""
    table = load_table("visits.json")
    rows = [
        (
            row["id"],
            row["day"],
            f"{row['low']} to {row['high']}",
            f"`{row['source']}`",
            f"`{row['window_source']}`",
        )
        for row in table["visits"]
    ]
    keys = find_keys(table) + [row["window_source"] for row in table["visits"]]
    return render_page(
        "Visits and windows",
        keys,
        ["Days from first infusion. These visits are the default; a study names its own."],
        render_grid(("Visit", "Day", "Window", "Source of the day", "Source of the window"), rows),
        _texts("Policy", table["policies"]),
        [f"Always: {table['always']['text']} (`{table['always']['source']}`)."],
    )


def _texts(name: str, rows: dict[str, dict[str, str]]) -> list[str]:
    found = ((f"`{code}`", row["text"], f"`{row['source']}`") for code, row in rows.items())
    return render_grid((name, "Rule", "Source"), found)
