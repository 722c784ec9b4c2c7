"""The design report: what a statistician puts into the protocol and a committee reads before the first patient."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from markupsafe import Markup

from escalon import __version__
from escalon.design import EscalationPlan
from escalon.design.answers import table_answer
from escalon.protocol.load import StudyFolder
from escalon.report import design_pictures as pictures
from escalon.report import design_tables as tables
from escalon.report.design_cards import build_cards
from escalon.report.design_content import STEPS, DesignContent, Step, build_content
from escalon.report.design_files import (
    design_answer,
    render_characteristics_csv,
    render_json,
    render_paths_csv,
    write_files,
)
from escalon.report.design_paths import render_tree
from escalon.report.design_table import render_boundaries, render_picture_table, render_table_csv
from escalon.report.design_words import count_plan_tags, describe_ends, describe_guard, narrate
from escalon.report.html import _environment, _style
from escalon.report.provenance import Sources
from escalon.report.wording import render_percent, rule_name

PAGE, TABLE_CSV, TABLE_HTML = "design.html", "table.csv", "table.html"
CHARACTERISTICS, PATHS, ANSWER = "characteristics.csv", "paths.csv", "design.json"


def write_design(folder: StudyFolder, out: Path, step: Step = lambda text: None) -> DesignContent:
    """Write the design report of a study folder to `out` and return its content.

    Files: ``design.html`` (one page, needs nothing else), ``table.csv`` and ``table.html`` (unless the rule has no
    table), ``characteristics.csv``, ``paths.csv``, ``design.json``. Everything is computed first and then written; a
    file is there complete or not at all. The same folder gives the same bytes.

    Raises ValueError for a plan whose characteristics cannot be found; OSError when `out` cannot be written.
    """
    content = build_content(folder, step)
    step(STEPS[-2])
    texts = render_design(content)
    step(STEPS[-1])
    write_files(out, texts)
    return content


def render_design(content: DesignContent) -> dict[str, str]:
    """Texts of all files by name."""
    texts = {}
    if content.table is not None:
        texts[TABLE_CSV] = render_table_csv(content.table)
        texts[TABLE_HTML] = render_table_page(content.plan, content.table)
    texts[CHARACTERISTICS] = render_characteristics_csv(content)
    if content.paths is not None:
        texts[PATHS] = render_paths_csv(content)
    texts[ANSWER] = render_json(design_answer(content))
    return {PAGE: render_page(content, [PAGE, *texts]), **texts}


def render_table_page(plan: EscalationPlan, answer: dict[str, Any] | None = None) -> str:
    """The decision table of a plan as a page of its own; ValueError for a rule without one."""
    found = answer or table_answer(plan)
    cohort = _cohort(plan)
    context = {
        "style": Markup(_design_style()),
        "title": f"{rule_name(plan.rule.kind)}, target {render_percent(plan.rule.target_rate, 0)}%",
        "cohort": cohort,
        "table": Markup(render_picture_table(found, cohort)),
        "boundaries": Markup(render_boundaries(found)),
        "ends": describe_ends(plan),
        "guards": [describe_guard(guard) for guard in plan.guards],
        "plan_hash": plan.hash,
    }
    return _environment().get_template("design_table.html.j2").render(context)


def write_table(plan: EscalationPlan, answer: dict[str, Any], csv: Path | None, html: Path | None) -> None:
    """Write a decision table to a CSV file, an HTML file, or both. OSError when a file cannot be written."""
    if csv is not None:
        write_files(csv.parent, {csv.name: render_table_csv(answer)})
    if html is not None:
        write_files(html.parent, {html.name: render_table_page(plan, answer)})


@cache
def _design_style() -> str:
    own = files("escalon.report") / "templates" / "design.css"
    return _style() + own.read_text(encoding="utf-8")


def _cohort(plan: EscalationPlan) -> int | None:
    """Size of every cohort, None when it varies or is one."""
    sizes = set(plan.cohort_sizes)
    return sizes.pop() if len(sizes) == 1 and max(plan.cohort_sizes) > 1 else None


def render_page(content: DesignContent, names: list[str]) -> str:
    """The page; `names` of the files it stands beside."""
    folder, plan = content.folder, content.plan
    study, sources = folder.study, Sources(folder.provenance, folder.study.sources)
    default = folder.scenarios.scenario()
    watch = study.expansion_monitoring
    context: dict[str, Any] = {
        "style": Markup(_design_style()),
        "study": study,
        "study_hash": folder.hash,
        "plan": plan,
        "rule": rule_name(plan.rule.kind),
        "target": plan.rule.target_rate,
        "labels": content.labels,
        "default": default,
        "exact": content.exact,
        "assumed": count_plan_tags(folder),
        "method_tag": sources.tagged("", "escalation.rule.kind").tag,
        "characteristics": content.characteristics,
        "absent": content.absent,
        "steps": narrate(study, sources),
        "cards": build_cards(content),
        "cohort": _cohort(plan),
        "ends": describe_ends(plan),
        "guards": [describe_guard(guard) for guard in plan.guards],
        "expansion": study.part("expansion"),
        "watch": watch,
        "watch_tag": sources.tagged("", "expansion_monitoring"),
        "how": _how(content),
        "files": names,
        "software": f"escalon {__version__}",
        "pictures": _pictures(content),
        "tables": {name: Markup(text) for name, text in _tables(content).items()},
        "tree": Markup(_tree(content)),
    }
    context |= _decision_table(content)
    return _environment().get_template("design.html.j2").render(context)


def _decision_table(content: DesignContent) -> dict[str, Any]:
    """Picture table and limits, up to the patients one level can hold."""
    if content.table is None:
        return {"table": "", "boundaries": ""}
    ends = content.enumeration
    most = None if ends is None else int(ends.n.max())
    picture = render_picture_table(content.table, _cohort(content.plan), most)
    return {"table": Markup(picture), "boundaries": Markup(render_boundaries(content.table, most))}


def _pictures(content: DesignContent) -> dict[str, Any]:
    return {
        "selection": pictures.picture_selection(content),
        "allocation": pictures.picture_allocation(content),
        "sizes": pictures.picture_sizes(content),
        "moving": pictures.picture_moving(content),
        "correct": pictures.picture_correct(content),
        "surface": pictures.picture_surface(content),
        "comparison": pictures.picture_comparison(content),
        "joint": pictures.picture_joint(content),
    }


def _tables(content: DesignContent) -> dict[str, str]:
    return {
        "levels": tables.render_levels(content),
        "risks": tables.render_risks(content),
        "sizes": tables.render_sizes(content),
        "comparison": tables.render_comparison(content) if content.rivals else "",
        "joint": tables.render_joint(content) if content.joint is not None else "",
    }


def _tree(content: DesignContent) -> str:
    if content.paths is None:
        return ""
    start = content.labels[content.plan.start_level - 1]
    label = "Dose-transition pathways: every outcome of the next three cohorts with the decision and its probability."
    return render_tree(content.paths, content.labels, start, 3, "tree", label)


def _how(content: DesignContent) -> str:
    if not content.exact:
        some = next(iter(content.characteristics.values()))
        return f"simulation, {some.trials:,} trials per scenario"
    ends = content.enumeration
    counted = (
        "" if ends is None else f": {ends.paths_total:,} courses, {ends.terminal_states:,} different ends"
    )
    return f"exact enumeration{counted}"
