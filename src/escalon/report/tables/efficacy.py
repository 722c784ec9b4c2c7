"""Response and time-to-event tables."""

import polars as pl

from escalon.protocol.study import Study
from escalon.report.ard import Cells
from escalon.report.results.competing import CAUSES
from escalon.report.results.competing import LANDMARKS as COMPETING_LANDMARKS
from escalon.report.results.groups import ALL_INFUSED, TOTAL, level_labels, pooled_group
from escalon.report.results.level_comparison import HORIZONS
from escalon.report.results.response import CATEGORIES, OTHER_INTERVALS
from escalon.report.results.survival import ENDPOINTS, LANDMARKS, SENSITIVITY
from escalon.report.tables.layout import Grid
from escalon.report.wording import (
    DASH,
    NE,
    render_count,
    render_interval,
    render_number,
    render_percent,
    visit_name,
)

RATE_NAMES = {"ORR": "Overall response", "CR+CRi": "CR, CRh or CRi", "MRD": "MRD-negative among responders"}


def _rate(cells: Cells, group: str, variable: str, level: str) -> tuple[str, str]:
    n, total = cells.get("n", group, variable, level), cells.get("N", group, variable, level)
    if not total:
        return DASH, DASH
    low, high = cells.get("conf.low", group, variable, level), cells.get("conf.high", group, variable, level)
    return f"{int(n or 0)}/{int(total)} ({render_percent((n or 0) / total)})", render_interval(
        low, high, 1, 100
    )


def _ends(study: Study) -> str:
    names = {"new_therapy": "new anti-leukemic therapy", "transplant": "transplant"}
    ends = [names[name] for name in study.response.visit_status_ends_at]
    return " or ".join(["progression", *ends])


def _censoring(study: Study) -> str:
    rules = study.time_to_event
    reasons = ["transplant"] * rules.censor_at_transplant + ["new therapy"] * rules.censor_at_new_therapy
    return ", ".join([*reasons, f"{rules.missed_visits} or more missed assessments before the event"])


def render_visits(ard: pl.DataFrame, study: Study) -> str:
    """The eleven registered visits: response at the visit and to date, recommended level pooled and all infused."""
    cells = Cells(ard, "response")
    groups = [group for group in (pooled_group(cells.groups), ALL_INFUSED) if group]
    columns, spanners, titles = {}, {}, {"at visit": "at visit", "to date": "to date"}
    for group in groups:
        for kind, title in titles.items():
            mark = "" if group == groups[0] else " "
            columns |= {
                f"{group} {kind} n": f"Response {title}, n/N (%){mark}",
                f"{group} {kind} ci": f"95% CI, %{mark}",
            }
        spanners[group] = [key for key in columns if key.startswith(group)]
    grid = Grid(
        "t-response-visits",
        "Investigator-assessed overall response by visit",
        "Visit",
        columns,
        spanners,
        [
            f"Response: {', '.join(study.response.numerator)}. Denominator: every infused patient; a "
            "patient who was not "
            "assessed counts as no response. At visit: the one assessment assigned to the visit; Day "
            "84 and Month 3 are separate "
            "visits and one marrow counts for one of them only. To date: response at that visit or before, "
            "before any transplant or new therapy. "
            f"At visit: a remission counts until {_ends(study)}. Intervals: Clopper-Pearson, two-sided 95%.",
            "RP2D pooled: escalation and expansion patients at the recommended level.",
        ],
    )
    for visit in study.response.visits:
        row: dict[str, str] = {}
        for group in groups:
            for kind in titles:
                row[f"{group} {kind} n"], row[f"{group} {kind} ci"] = _rate(cells, group, kind, visit)
        grid.add(visit_name(visit), row)
    return grid.render()


def render_visits_by_group(ard: pl.DataFrame, study: Study) -> str:
    """Response at each visit for every level of the escalation and the expansion."""
    cells = Cells(ard, "response")
    pooled = pooled_group(cells.groups)
    groups = [group for group in cells.groups if group not in (pooled, ALL_INFUSED)]
    columns = {}
    for group in groups:
        columns |= {f"{group} n": f"{group}, n/N (%)", f"{group} ci": "95% CI, %" + " " * len(columns)}
    grid = Grid(
        "t-response-levels",
        "Overall response at the visit, by dose level of the escalation and in the expansion",
        "Visit",
        columns,
        {},
        ["Denominators and intervals as in the table above."],
    )
    for visit in study.response.visits:
        row: dict[str, str] = {}
        for group in groups:
            row[f"{group} n"], row[f"{group} ci"] = _rate(cells, group, "at visit", visit)
        grid.add(visit_name(visit), row)
    return grid.render()


def render_intervals(ard: pl.DataFrame, study: Study) -> str:
    """The rates of the main tables with all three intervals side by side."""
    cells = Cells(ard, "response")
    methods = {"conf": "Clopper-Pearson, %", "wilson": "Wilson, %", "jeffreys": "Jeffreys, %"}
    grid = Grid(
        "t-response-intervals",
        "Sensitivity of the response rates to the kind of interval",
        "Visit",
        {"n": "n/N (%)", **methods},
        {"95% CI": list(methods)},
        [
            "Same counts as in the tables above. Clopper-Pearson: exact, never below its level. Wilson: score interval "
            "without continuity correction. Jeffreys: equal tails of Beta(n + 1/2, N - n + 1/2)."
        ],
    )
    assert set(methods) == {"conf", *OTHER_INTERVALS}
    for group in (group for group in (pooled_group(cells.groups), ALL_INFUSED) if group):
        for kind in ("at visit", "to date"):
            for visit in study.response.visits:
                grid.add(visit_name(visit), _ends_of(cells, group, kind, visit), f"{group}, {kind}")
        grid.add("Overall response", _ends_of(cells, group, "best rate", "ORR"), f"{group}, best overall")
    return grid.render()


def _ends_of(cells: Cells, group: str, variable: str, level: str) -> dict[str, str]:
    """Rate and the interval of every method."""
    rate, exact = _rate(cells, group, variable, level)
    row = {"n": rate, "conf": exact}
    for method in OTHER_INTERVALS:
        low, high = (cells.get(f"{method} {end}", group, variable, level) for end in ("low", "high"))
        row[method] = DASH if rate == DASH else render_interval(low, high, 1, 100)
    return row


def render_best(ard: pl.DataFrame) -> str:
    """Best overall response by group, with the rates the study counts."""
    cells = Cells(ard, "response")
    sizes = {group: int(cells.get("N", group, "best", "CR") or 0) for group in cells.groups}
    columns = {group: f"{group} (N = {size})" for group, size in sizes.items()}
    grid = Grid(
        "t-response-best",
        "Best overall response",
        "Response",
        columns,
        {},
        [
            "n (%) of infused patients; intervals Clopper-Pearson, two-sided 95%. MRD-negative: at "
            "an assessment in response, "
            "denominator patients who ever responded."
        ],
    )
    for category in (*CATEGORIES, "not assessed"):
        if not any(cells.get("n", group, "best", category) for group in cells.groups):
            continue
        row = {
            group: render_count(cells.get("n", group, "best", category), sizes[group])
            for group in cells.groups
        }
        grid.add(category if category in CATEGORIES else "Not assessed", row, "Best overall response")
    for name, title in RATE_NAMES.items():
        found = {group: _rate(cells, group, "best rate", name) for group in cells.groups}
        grid.add(f"{title}, n/N (%)", {group: rate for group, (rate, _) in found.items()}, "Rates")
        grid.add(
            "95% CI, %", {group: interval for group, (_, interval) in found.items()}, "Rates", indent=True
        )
    return grid.render()


def render_survival(ard: pl.DataFrame, study: Study) -> str:
    """Median and landmark estimates of the three endpoints by group."""
    rules = study.time_to_event
    origin = "first study treatment" if rules.origin == "first_study_treatment" else "first UCART22 infusion"
    notes = [
        f"Kaplan-Meier; intervals with the {rules.conf_type} transformation; medians by inversion "
        "(Brookmeyer-Crowley, plateau "
        f"rule {rules.quantile_rule.upper()}). Months are days / {rules.days_per_month:g}. PFS and OS "
        f"start on the day of {origin}, "
        "DoR at the first response. NE: not estimable. Follow-up: reverse Kaplan-Meier median. "
        f"DoR and PFS are censored at {_censoring(study)}; the sensitivity set counts what came after."
    ]
    return _survival("t-survival", "Duration of response, PFS and OS", ENDPOINTS, ard, notes)


def render_sensitivity(ard: pl.DataFrame) -> str:
    """The sensitivity sets, same layout."""
    return _survival(
        "t-sensitivity", "Sensitivity analyses of the time-to-event endpoints", SENSITIVITY, ard, []
    )


def _survival(ident: str, caption: str, endpoints: object, ard: pl.DataFrame, notes: list[str]) -> str:
    cells = Cells(ard, "time to event")
    columns = {"events": "Events / patients", "median": "Median (95% CI), months"}
    columns |= {str(month): f"At {month} months, % (95% CI)" for month in LANDMARKS} | {
        "follow": "Follow-up, months"
    }
    grid = Grid(ident, caption, "Group", columns, {}, notes)
    assert isinstance(endpoints, dict)
    for code, title in endpoints.items():
        for group in cells.groups:
            n = int(cells.get("N", group, code) or 0)
            if n == 0:
                continue
            row = {"events": f"{int(cells.get('events', group, code) or 0)} / {n}"}
            median = [cells.get(stat, group, code, "median") for stat in ("median", "conf.low", "conf.high")]
            row["median"] = f"{render_number(median[0], 1)} ({render_interval(median[1], median[2])})"
            for month in LANDMARKS:
                p, low, high = (
                    cells.get(stat, group, code, str(month)) for stat in ("p", "conf.low", "conf.high")
                )
                row[str(month)] = (
                    NE if p is None else f"{render_percent(p, 0)} ({render_interval(low, high, 0, 100)})"
                )
            row["follow"] = render_number(cells.get("median", group, code, "follow-up"), 1)
            grid.add(group, row, title)
    return grid.render()


def render_level_comparison(ard: pl.DataFrame, study: Study) -> str:
    """Restricted means by dose level and the log-rank test across them."""
    cells = Cells(ard, "level comparison")
    columns = {"events": "Events / patients"}
    columns |= {str(month): f"Mean to {month} months (95% CI)" for month in HORIZONS}
    note = (
        "Exploratory. Dose levels were given one after the other and not at random, most hold few patients, and the "
        "recommended level holds the expansion: a difference may have other causes than the dose, and a large p-value "
        "shows nothing. No adjustment for multiplicity; duration of response compares responders alone. Mean: "
        "restricted mean time without event in months, without width where all events fall on one day; NE: follow-up "
        "of the level ends before the horizon with patients at risk."
    )
    grid = Grid("t-level-comparison", "Time to event by dose level", "Dose level", columns, {}, [note])
    for code, title in ENDPOINTS.items():
        for label in (one for one in level_labels(study) if cells.get("N", one, code)):
            events, total = cells.get("events", label, code), cells.get("N", label, code)
            row = {"events": f"{int(events or 0)} / {int(total or 0)}"}
            for month in HORIZONS:
                mean, low, high = (
                    cells.get(s, label, code, str(month)) for s in ("mean", "conf.low", "conf.high")
                )
                row[str(month)] = (
                    NE if mean is None else f"{render_number(mean, 1)} ({render_interval(low, high)})"
                )
            grid.add(label, row, f"{title}: {_log_rank(cells, code)}")
    return grid.render()


def _log_rank(cells: Cells, code: str) -> str:
    """The test in words, or why there is none."""
    chi2, df, p = (cells.get(stat, TOTAL, code) for stat in ("chi2", "df", "p.value"))
    if chi2 is None or p is None:
        return f"no log-rank test, {cells.reason('chi2', TOTAL, code)}"
    shown = "< 0.001" if p < 0.001 else f"= {render_number(p, 3)}"
    return f"log-rank chi-square {render_number(chi2, 2)}, {int(df or 0)} df, p {shown}"


def render_competing(ard: pl.DataFrame) -> str:
    """What ended the responses, with transplant as competing event."""
    cells = Cells(ard, "competing")
    columns = {"n": "Events / responders"}
    columns |= {str(month): f"By {month} months, % (95% CI)" for month in COMPETING_LANDMARKS}
    note = (
        "Cumulative incidence from the first response (Aalen-Johansen, complementary log-log interval); "
        "not estimated past the last follow-up of the group. NE: not estimable."
    )
    grid = Grid("t-competing", "What ended the responses: competing risks", "Group", columns, {}, [note])
    for cause, title in CAUSES.items():
        for group in cells.groups:
            total = int(cells.get("N", group, cause) or 0)
            if not total:
                continue
            count = int(cells.get("n", group, cause) or 0)
            row = {"n": f"{count} / {total}"} | dict.fromkeys(map(str, COMPETING_LANDMARKS), DASH)
            for month in COMPETING_LANDMARKS if count else ():
                p, low, high = (
                    cells.get(s, group, cause, str(month)) for s in ("p", "conf.low", "conf.high")
                )
                ends = render_interval(low, high, 0, 100)
                row[str(month)] = NE if p is None else f"{render_percent(p, 0)} ({ends})"
            grid.add(group, row, title)
    return grid.render()
