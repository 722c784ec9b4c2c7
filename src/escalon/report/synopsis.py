"""The study in brief: every value printed with its provenance tag."""

from dataclasses import dataclass

from escalon.protocol.study import Study
from escalon.report.provenance import Sources, Tagged
from escalon.report.wording import render_date, render_dose, render_percent, rule_name

Cell = Tagged


@dataclass(frozen=True, slots=True)
class Facts:
    """Label and value pairs under one title."""

    title: str
    rows: tuple[tuple[str, Tagged], ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A small table whose every cell has its tag."""

    ident: str
    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def describe_identity(study: Study, sources: Sources) -> Facts:
    """Registered identity."""
    who = study.identity
    ages = sources.tagged(
        f"{who.minimum_age} to {who.maximum_age} years", "identity.minimum_age", "identity.maximum_age"
    )
    names = (
        ("Study", who.study_id, "study_id"),
        ("Registry number", who.registry_number, "registry_number"),
        ("Title", who.brief_title, "brief_title"),
        ("Sponsor", who.sponsor, "sponsor"),
        ("Condition", who.condition, "condition"),
        ("Phase", who.phase, "phase"),
        ("Allocation", who.allocation, "allocation"),
        ("Intervention model", who.intervention_model, "intervention_model"),
        ("Masking", who.masking, "masking"),
        ("Purpose", who.purpose, "purpose"),
        ("Register status", who.status, "status"),
        ("Start", render_date(who.start_date), "start_date"),
        ("Estimated enrolment", f"{who.enrolment} patients", "enrolment"),
    )
    rows = [(label, sources.tagged(text, f"identity.{field}")) for label, text, field in names]
    return Facts("Identity", (*rows, ("Age", ages)))


def describe_design(study: Study, sources: Sources) -> Facts:
    """How the trial is run: escalation plan, DLT window, stagger, response and time-to-event rules."""
    plan, rule = study.escalation, study.escalation.rule
    guards = ", ".join(guard.kind.replace("_", " ") for guard in plan.guards) or "none"
    response, times = study.response, study.time_to_event
    origin = times.origin.replace("_", " ").replace("ucart22", "UCART22 infusion")
    rows = [
        ("Escalation method", rule_name(rule.kind), ("escalation.rule.kind",)),
        ("Target DLT probability", f"{render_percent(rule.target, 0)}%", ("escalation.rule.target",)),
        ("Cohort size", f"{plan.cohort_size}", ("escalation.cohort_size",)),
        ("Largest escalation", f"{plan.max_total} patients", ("escalation.max_patients",)),
        ("Guards", guards, ("escalation.guards",)),
        ("Expansion", f"{study.part('expansion').patients} patients at the RP2D", ("parts.1.patients",)),
        (
            "Stagger",
            f"{study.stagger.after_first_days} days after the first, {study.stagger.after_next_days} "
            "after the next patients",
            ("stagger.after_first_days", "stagger.after_next_days"),
        ),
        ("DLT window", f"first UCART22 infusion to Day {study.dlt.window_days}", ("dlt.window_days",)),
        (
            "Smallest dose to be evaluable",
            f"{render_percent(study.dlt.min_dose_fraction, 0)}% of the dose assigned",
            ("dlt.min_dose_fraction",),
        ),
        ("Counts as response", ", ".join(response.numerator), ("response.numerator",)),
        ("Not assessed counts as", response.missing_as, ("response.missing_as",)),
        ("PFS and OS start at", origin, ("time_to_event.origin",)),
        (
            "DoR and PFS censored at",
            " and ".join(
                name
                for name, used in (
                    ("transplant", times.censor_at_transplant),
                    ("new therapy", times.censor_at_new_therapy),
                )
                if used
            )
            or "neither transplant nor new therapy",
            ("time_to_event.censor_at_transplant", "time_to_event.censor_at_new_therapy"),
        ),
        (
            "Grading",
            f"CTCAE {study.grading.ctcae}; CRS {study.grading.crs}; ICANS {study.grading.icans}; GvHD "
            f"{study.grading.gvhd}",
            ("grading",),
        ),
    ]
    return Facts(
        "Design and rules", tuple((label, sources.tagged(text, *paths)) for label, text, paths in rows)
    )


def describe_amendments(study: Study, sources: Sources) -> Sheet:
    """The registered versions and what each changed."""
    rows = []
    for index, version in enumerate(study.amendments):
        path = f"amendments.{index}"
        rows.append(
            (
                sources.tagged(version.version, f"{path}.version"),
                sources.tagged(render_date(version.effective), f"{path}.effective"),
                sources.tagged(str(version.enrolment), f"{path}.enrolment"),
                sources.tagged(", ".join(version.interventions), f"{path}.interventions"),
                sources.tagged(version.expansion_dose, f"{path}.expansion_dose"),
                sources.tagged(version.summary, f"{path}.summary"),
            )
        )
    headings = ("Version", "Effective", "Enrolment", "Interventions", "Expansion at", "What it says")
    return Sheet("s-amendments", "Registered versions", headings, tuple(rows))


def describe_products(study: Study, sources: Sources) -> Sheet:
    """Products with their role."""
    rows = []
    for index, product in enumerate(study.products):
        path = f"products.{index}"
        kind = "yes" if product.investigational else "no"
        processes = ", ".join(str(getattr(process, "id", process)) for process in product.processes) or "–"
        rows.append(
            (
                sources.tagged(product.name, f"{path}.name"),
                sources.tagged(product.role, f"{path}.role"),
                sources.tagged(kind, f"{path}.investigational"),
                sources.tagged(product.description, f"{path}.description"),
                sources.tagged(processes, f"{path}.processes") if product.processes else Tagged(processes),
            )
        )
    headings = ("Product", "Role", "Investigational", "Description", "Processes")
    return Sheet("s-products", "Products", headings, tuple(rows))


def describe_levels(study: Study, sources: Sources) -> Sheet:
    """Dose levels."""
    rows = [
        (
            sources.tagged(level.label, f"dose_levels.{index}.label"),
            sources.tagged(f"{render_dose(level.dose)} viable CAR+ cells/kg", f"dose_levels.{index}.dose"),
        )
        for index, level in enumerate(study.dose_levels)
    ]
    return Sheet("s-levels", "Dose levels of UCART22", ("Level", "Dose"), tuple(rows))


def describe_regimens(study: Study, sources: Sources) -> Sheet:
    """Lymphodepleting regimens, one row per drug."""
    rows = []
    for index, regimen in enumerate(study.regimens):
        for number, dose in enumerate(regimen.doses):
            path = f"regimens.{index}.doses.{number}"
            days = f"Day {dose.days[0]} to Day {dose.days[-1]}".replace("-", "−")
            rows.append(
                (
                    sources.tagged(regimen.id, f"regimens.{index}.id") if number == 0 else Tagged(""),
                    sources.tagged(render_date(regimen.used_from), f"regimens.{index}.used_from")
                    if number == 0
                    else Tagged(""),
                    sources.tagged(
                        dose.product.capitalize() if dose.product.isalpha() else dose.product,
                        f"{path}.product",
                    ),
                    sources.tagged(
                        f"{dose.amount:g} {dose.unit.replace('m2', 'm²')} per day", f"{path}.amount"
                    ),
                    sources.tagged(days, f"{path}.days"),
                )
            )
    headings = ("Regimen", "Used from", "Drug", "Dose", "Days (infusion is Day 0)")
    return Sheet("s-regimens", "Lymphodepletion", headings, tuple(rows))


def describe_endpoints(study: Study, sources: Sources) -> Sheet:
    """Registered outcome measures."""
    rows = [
        (
            sources.tagged(endpoint.id, f"endpoints.{index}.id"),
            sources.tagged(endpoint.kind, f"endpoints.{index}.kind"),
            sources.tagged(endpoint.measure, f"endpoints.{index}.measure"),
            sources.tagged(endpoint.time_frame, f"endpoints.{index}.time_frame"),
        )
        for index, endpoint in enumerate(study.endpoints)
    ]
    return Sheet(
        "s-endpoints", "Registered outcome measures", ("Id", "Kind", "Measure", "Time frame"), tuple(rows)
    )


def describe_dlt(study: Study, sources: Sources) -> Sheet:
    """Clauses of the DLT definition."""
    rows = [
        (
            sources.tagged(clause.id, f"dlt.clauses.{index}.id"),
            sources.tagged(clause.text, f"dlt.clauses.{index}.text"),
        )
        for index, clause in enumerate(study.dlt.clauses)
    ]
    title = f"Dose-limiting toxicity: any of these to Day {study.dlt.window_days}"
    return Sheet("s-dlt", title, ("Clause", "Event"), tuple(rows))
