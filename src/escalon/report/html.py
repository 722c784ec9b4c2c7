"""The report: one HTML page that needs nothing else, the same bytes for the same input."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from escalon.conduct.state import State
from escalon.protocol.load import StudyFolder
from escalon.protocol.study import Study
from escalon.report import synopsis
from escalon.report.ard import combine
from escalon.report.conduct_section import clock_rows, conduct_cards, hold_rows, review_rows
from escalon.report.endpoints import build_endpoints_from
from escalon.report.expansion import describe_expansion, render_monitoring
from escalon.report.pictures import course as course_pictures
from escalon.report.pictures import efficacy as efficacy_pictures
from escalon.report.pictures import escalation as escalation_pictures
from escalon.report.pictures import exposure as exposure_pictures
from escalon.report.pictures import incidence as incidence_pictures
from escalon.report.pictures.picture import Picture
from escalon.report.provenance import Sources
from escalon.report.results import derive_ard
from escalon.report.results.escalation import derive_characteristics
from escalon.report.results.groups import level_labels
from escalon.report.run_info import RunInfo
from escalon.report.tables import (
    disposition,
    efficacy,
    escalation,
    events_in_time,
    exposure,
    reasons,
    safety,
    toxicity_grades,
)
from escalon.report.tables.evidence import list_evidence, render_evidence, render_signed
from escalon.report.wording import (
    render_count,
    render_date,
    render_dose,
    render_interval,
    render_number,
    render_percent,
    render_sentence,
    render_significant,
    render_unit,
    rule_name,
)


class Scenario(Protocol):
    """What the page needs of a scenario of the study folder."""

    id: str
    title: str
    prob_tox: tuple[float, ...]


@cache
def _environment() -> Environment:
    """Templates of this package; a name missing in the context is an error, never an empty cell."""
    found = Environment(
        loader=PackageLoader("escalon.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "percent": render_percent,
        "number": render_number,
        "significant": render_significant,
        "date": render_date,
        "dose": render_dose,
        "unit": render_unit,
        "sentence": render_sentence,
    }
    found.globals |= {"interval": render_interval, "count": render_count}
    return found


@cache
def _style() -> str:
    return (files("escalon.report") / "templates" / "report.css").read_text(encoding="utf-8")


def render_html(
    adam: Mapping[str, pl.DataFrame],
    state: State,
    folder: StudyFolder,
    endpoints: Mapping[str, Any] | None,
    run_info: RunInfo,
) -> str:
    """Render the report as the text of one HTML page.

    Parameters: ``adam`` frames by name (ADSL ADAE ADRS ADTTE ADPC ADPP ADLB); ``state`` the fold of the
    ledger; ``folder`` the
    study folder; ``endpoints`` from ``build_endpoints`` (None: computed here); ``run_info`` for banner and footer.
    Raises ValueError when a frame is absent.
    """
    study = folder.study
    scenarios: tuple[Scenario, ...] = tuple(folder.scenarios.scenarios)
    titles = {scenario.id: scenario.title for scenario in scenarios}
    characteristics = derive_characteristics(study, scenarios, level_labels(study))
    ard = combine([derive_ard(adam, state, study), characteristics])
    sources = Sources(folder.provenance, study.sources)
    context = {
        "style": Markup(_style()),
        "study": study,
        "state": state,
        "run": run_info,
        "cut": run_info.data_cut or state.at,
        "study_hash": folder.hash,
        "plan_hash": state.plan_hash or study.escalation.hash,
        "endpoints": endpoints if endpoints is not None else build_endpoints_from(ard, state, study),
        "tags": sources.counts(),
        "groups": sources.groups(),
        "sources": sources,
        "synopsis": _synopsis(folder, sources),
        "rule": rule_name(study.escalation.rule.kind),
        "conduct": {
            "cards": conduct_cards(state),
            "reviews": review_rows(state, folder),
            "clocks": clock_rows(state),
            "holds": hold_rows(state),
        },
        "rp2d_evidence": list_evidence(state, study),
        "expansion": describe_expansion(state, study),
        "mtd_note": _mtd_note(state, study),
        "tables": {name: Markup(text) for name, text in _tables(ard, adam, state, folder, titles).items()},
        "pictures": _pictures(ard, adam, state, folder, titles),
        "level": lambda number: "none" if number is None else study.dose_level(number).label,
    }
    return _environment().get_template("report.html.j2").render(context)


def _mtd_note(state: State, study: Study) -> str:
    """What a reader should know before taking the selected level for the maximum tolerated dose."""
    level = state.mtd.dose_level if state.mtd else None
    if state.mtd is None or level is None:
        return ""
    n, y = state.mtd.n[level - 1], state.mtd.y[level - 1]
    target = getattr(study.escalation.rule, "target", None)
    if level == study.escalation.levels and target is not None and n and y / n < target:
        return (
            "The highest level was selected and its DLT rate lies below the target: the MTD was not exceeded."
        )
    if target is not None and n and y / n > target + getattr(study.escalation.rule, "epsilon_2", 0.05):
        return f"Caution: {y} of {n} patients at this level had a DLT, above the target of {100 * target:g}%."
    return ""


def _synopsis(folder: StudyFolder, sources: Sources) -> dict[str, Any]:
    study = folder.study
    return {
        "facts": [synopsis.describe_identity(study, sources), synopsis.describe_design(study, sources)],
        "sheets": [
            synopsis.describe_levels(study, sources),
            synopsis.describe_regimens(study, sources),
            synopsis.describe_products(study, sources),
            synopsis.describe_dlt(study, sources),
            synopsis.describe_amendments(study, sources),
            synopsis.describe_endpoints(study, sources),
        ],
    }


def _tables(
    ard: pl.DataFrame,
    adam: Mapping[str, pl.DataFrame],
    state: State,
    folder: StudyFolder,
    titles: dict[str, str],
) -> dict[str, str]:
    study = folder.study
    cells, product = study.cell_kinetics.analyte, study.pharmacokinetics.analyte
    partial = ", ".join(f"{day:g}" for day in study.pharmacokinetics.partial_auc_days)
    return {
        "dlt": escalation.render_dlt(ard, study),
        "decisions": escalation.render_decisions(state, study),
        "mtd": escalation.render_mtd(ard, study),
        "characteristics": escalation.render_characteristics(ard, titles),
        "evidence": render_evidence(ard, study),
        "signed": render_signed(state, study),
        "monitoring": render_monitoring(state, study),
        "disposition": disposition.render_disposition(ard),
        "exclusions": reasons.render_exclusions(adam),
        "baseline": disposition.render_baseline(ard),
        "ae_ld": safety.render_overview(ard, "ld"),
        "ae_inf": safety.render_overview(ard, "inf"),
        "ae_groupings": safety.render_groupings(ard, study.grading),
        "ae_terms": safety.render_terms(
            ard,
            "ae_terms",
            "Adverse events from the first lymphodepletion dose on, by class and term",
            "t-ae-terms",
            study.grading,
        ),
        "ae_grades": safety.render_grades(
            ard, "ae_terms", "The same events by highest grade, all dose levels together", "t-ae-grades"
        ),
        "ae_ucart22": safety.render_terms(
            ard,
            "ae_terms_ucart22",
            "Adverse events related to UCART22, infused patients",
            "t-ae-ucart22",
            study.grading,
        ),
        "ae_lymphodepletion": safety.render_terms(
            ard,
            "ae_terms_lymphodepletion",
            "Adverse events related to lymphodepletion, patients who started lymphodepletion",
            "t-ae-lymphodepletion",
            study.grading,
        ),
        "aesi": safety.render_special(ard),
        "aesi_grades": safety.render_grades(
            ard,
            "aesi",
            "Adverse events of special interest by highest grade, all dose levels",
            "t-aesi-grades",
            safety.AESI_NAMES,
        ),
        "syndromes": toxicity_grades.render_syndromes(ard),
        "hematotoxicity": toxicity_grades.render_hematotoxicity(ard),
        "grade_agreement": toxicity_grades.render_agreement(ard),
        "grade_differences": toxicity_grades.render_disagreements(adam["ADAE"]),
        "serious": safety.render_serious(adam["ADAE"]),
        "ae_rates": events_in_time.render_rates(ard),
        "ae_onset": events_in_time.render_onset(ard),
        "deaths": events_in_time.render_deaths(ard),
        "visits": efficacy.render_visits(ard, study),
        "visits_levels": efficacy.render_visits_by_group(ard, study),
        "best": efficacy.render_best(ard),
        "intervals": efficacy.render_intervals(ard, study),
        "level_comparison": efficacy.render_level_comparison(ard, study),
        "survival": efficacy.render_survival(ard, study),
        "sensitivity": efficacy.render_sensitivity(ard),
        "competing": efficacy.render_competing(ard),
        "sentences": reasons.render_sentences(adam),
        "clls52": exposure.render_parameters(
            ard,
            product,
            "t-clls52",
            f"{product} parameters, all patients with CLLS52",
            [
                "Non-compartmental, actual times from the first dose; AUC rule "
                f"{study.pharmacokinetics.method}; AUC to Day {partial}; "
                f"LLOQ {study.pharmacokinetics.lloq:g} {render_unit(study.pharmacokinetics.unit)}; lympholytic level "
                f"{study.pharmacokinetics.threshold:g} {render_unit(study.pharmacokinetics.unit)}. "
                "Accumulation: a pre-dose sample up to 1 h before a dose stands for its start."
            ],
        ),
        "clls52_levels": exposure.render_by_level(
            ard, product, "t-clls52-levels", f"{product} parameters by UCART22 dose level"
        ),
        "ucart22": exposure.render_parameters(
            ard,
            cells,
            "t-ucart22",
            f"{cells} cell kinetics, infused patients",
            [
                "Exploratory. Copies per microgram of DNA are confounded while host cells are "
                "depleted; assays are never pooled."
            ],
        ),
        "pk_choices": exposure.render_choices(folder.pk_choices),
        "relations": exposure.render_relations(ard, product),
        "ucart22_levels": exposure.render_by_level(
            ard, cells, "t-ucart22-levels", f"{cells} cell kinetics by dose level"
        ),
    }


def _pictures(
    ard: pl.DataFrame,
    adam: Mapping[str, pl.DataFrame],
    state: State,
    folder: StudyFolder,
    titles: dict[str, str],
) -> dict[str, Picture]:
    study = folder.study
    return {
        "history": escalation_pictures.picture_history(adam, state, study),
        "mtd": escalation_pictures.picture_mtd(ard, state, study),
        "characteristics": escalation_pictures.picture_characteristics(ard, titles, study),
        "response": efficacy_pictures.picture_response(ard, study),
        "swimmer": efficacy_pictures.picture_swimmer(adam, state, study),
        "waterfall": course_pictures.picture_waterfall(adam, state, study),
        "spider": course_pictures.picture_spider(adam, state, study),
        "incidence": incidence_pictures.picture_incidence(adam, state, study),
        "special": incidence_pictures.picture_special(ard),
        "dor": efficacy_pictures.picture_survival(adam, state, study, "DOR"),
        "pfs": efficacy_pictures.picture_survival(adam, state, study, "PFS"),
        "os": efficacy_pictures.picture_survival(adam, state, study, "OS"),
        "clls52": exposure_pictures.picture_clls52(adam, state, study),
        "ucart22": exposure_pictures.picture_ucart22(adam, state, study),
        "lymphocytes": exposure_pictures.picture_lymphocytes(adam, state, study),
        "relations": exposure_pictures.picture_relations(adam, state, study),
    }
