"""The headings of the yearly report and the tables under each: ICH E2F, and 21 CFR 312.33 for an FDA annual report."""

from dataclasses import dataclass

from escalon.report.dsur import Layout

SPONSOR = "Written by the sponsor."


@dataclass(frozen=True, slots=True)
class Section:
    """One heading: number, title, names of its tables; ``note`` says what the tables do not hold."""

    number: str
    title: str
    tables: tuple[str, ...] = ()
    note: str = ""


E2F = (
    Section("1", "Introduction", note=SPONSOR),
    Section("2", "Worldwide marketing approval status", note=SPONSOR),
    Section("3", "Actions taken in the reporting period for safety reasons", ("actions",)),
    Section("4, 7.1", "Reference safety information and its changes", ("references",)),
    Section("5", "Clinical trials ongoing and completed during the reporting period", ("status",)),
    Section("6", "Estimated cumulative exposure", ("exposure",)),
    Section("7.2", "Serious adverse reactions of the reporting period", ("reactions",)),
    Section("7.3", "Serious adverse events, cumulative", ("events",)),
    Section("8 to 15", "Significant findings, other studies, non-clinical data, literature", note=SPONSOR),
    Section(
        "16",
        "Region-specific information",
        ("cumulative_reactions", "deaths", "discontinuations", "modifications", "expedited"),
        "Manufacturing changes, the plan of the coming year and outstanding business are the sponsor's to write.",
    ),
    Section("17 to 20", "Late-breaking information, overall assessment, important risks", note=SPONSOR),
)
ANNUAL_REPORT = (
    Section("(a)(1)", "Title, purpose, population of the study", note=SPONSOR),
    Section("(a)(2)", "Subjects planned, entered, completed and dropped out", ("status", "exposure")),
    Section("(a)(3)", "Results, if the study is completed", note=SPONSOR),
    Section("(b)(1)", "Most frequent and most serious adverse experiences by body system", ("events",)),
    Section(
        "(b)(2)",
        "IND safety reports submitted during the past year",
        ("expedited", "reactions"),
        "Reports to other authorities on the same cases are listed too.",
    ),
    Section("(b)(3)", "Subjects who died", ("deaths",)),
    Section(
        "(b)(4)",
        "Subjects who dropped out in association with an adverse experience",
        ("discontinuations",),
        "The sponsor marks those who left because of an event; the table shows what was unresolved on the day.",
    ),
    Section("(b)(5)-(7)", "Drug action, preclinical studies, manufacturing changes", note=SPONSOR),
    Section("(c)", "Investigational plan for the coming year", note=SPONSOR),
    Section(
        "(d)", "Investigator brochure", ("references",), "The revised brochure is attached by the sponsor."
    ),
    Section("(e)", "Phase 1 protocol modifications not reported before", ("modifications", "actions")),
    Section("(f), (g)", "Foreign marketing developments, outstanding business", note=SPONSOR),
)
LAYOUTS: dict[Layout, tuple[Section, ...]] = {"dsur": E2F, "annual-report": ANNUAL_REPORT}
TITLES: dict[Layout, str] = {
    "dsur": "Development safety update report, tables (ICH E2F)",
    "annual-report": "IND annual report, tables (21 CFR 312.33)",
}
BORN: dict[Layout, str] = {"dsur": "Development birth date", "annual-report": "Years counted from"}
CAPTIONS = {
    "status": "Patients at the lock point",
    "actions": "Holds of enrolment, urgent safety measures and serious breaches of the interval",
    "references": "Versions in force in the interval",
    "exposure": "Patients exposed, since the start and first in the interval",
    "reactions": "Line listing of the interval",
    "events": "By system organ class and term, since the start and in the interval",
    "cumulative_reactions": "Serious adverse reactions, since the start and in the interval",
    "deaths": "Deaths since the start, all causes",
    "discontinuations": "Patients who left before completion, since the start",
    "modifications": "Changes of the study version in the interval",
    "expedited": "Expedited reports sent in the interval",
}
