"""Tables of the escalation: DLTs, decisions, estimates, operating characteristics."""

import polars as pl

from escalon.conduct.state import Decision, Recommendation, State
from escalon.protocol.study import Study
from escalon.report.ard import Cells
from escalon.report.tables.layout import Grid
from escalon.report.wording import (
    DASH,
    DECISIONS,
    render_count,
    render_date,
    render_dose,
    render_interval,
    render_number,
    render_percent,
    render_sentence,
)


def render_dlt(ard: pl.DataFrame, study: Study) -> str:
    """DLTs per dose level in the escalation part and in both parts together."""
    grid = Grid(
        "t-dlt",
        "Dose-limiting toxicities by dose level",
        "Dose level",
        {
            "dose": "Viable CAR+ cells/kg",
            "treated": "Infused",
            "n_ev": "DLT-evaluable",
            "dlt": "DLT, n (%)",
            "ci": "95% CI, %",
            "post": "Posterior mean (95% CrI), %",
            "treated_all": "Infused ",
            "n_all": "DLT-evaluable ",
            "dlt_all": "DLT, n (%) ",
            "ci_all": "95% CI, % ",
            "post_all": "Posterior mean (95% CrI), % ",
        },
        {
            "Escalation part": ["treated", "n_ev", "dlt", "ci", "post"],
            "Escalation and expansion": ["treated_all", "n_all", "dlt_all", "ci_all", "post_all"],
        },
        [
            "Denominator: DLT-evaluable patients. CI: Clopper-Pearson, two-sided 95%. CrI: equal tails of the "
            "posterior from a uniform prior, Beta(1, 1), each level by itself; not the estimate of the plan."
        ],
    )
    doses = {level.label: render_dose(level.dose) for level in study.dose_levels}
    part, both = Cells(ard, "dlt escalation"), Cells(ard, "dlt all")
    for group in both.groups:
        cells = {"dose": doses.get(group, "")}
        for cell, end in (
            (part, ("treated", "n_ev", "dlt", "ci", "post")),
            (both, ("treated_all", "n_all", "dlt_all", "ci_all", "post_all")),
        ):
            treated, n, y = (cell.get(stat, group, "DLT") or 0 for stat in ("treated", "N", "n"))
            interval = render_interval(
                cell.get("conf.low", group, "DLT"), cell.get("conf.high", group, "DLT"), 1, 100
            )
            posterior = _posterior(cell, group)
            texts = (f"{int(treated)}", f"{int(n)}", render_count(y, n), interval if n else DASH, posterior)
            cells |= dict(zip(end, texts, strict=True))
        grid.add(group, cells)
    return grid.render()


def _words(action: str, level: int | None, study: Study) -> str:
    where = "" if level is None else f" {study.dose_level(level).label}"
    joint = {"escalate": " to", "de_escalate": " to", "stay": " at", "open": ""}.get(action, "")
    words = f"{DECISIONS.get(action, action)}{joint}{where}".strip()
    return words[:1].upper() + words[1:]


def _posterior(cells: Cells, group: str) -> str:
    """Mean and interval of the DLT rate after the data; a dash where nobody was evaluable."""
    mean, low, high = (cells.get(f"posterior {stat}", group, "DLT") for stat in ("mean", "low", "high"))
    return DASH if mean is None else f"{render_percent(mean)} ({render_interval(low, high, 1, 100)})"


def _agrees(found: Recommendation | None, decision: Decision) -> str:
    if found is None:
        return DASH
    return "Yes" if (found.action, found.dose_level) == (decision.action, decision.dose_level) else "No"


def render_decisions(state: State, study: Study) -> str:
    """Every step: what the rule recommended and why, what the committee decided and why; two facts, two columns."""
    signers = {decision.signers for decision in state.decisions}
    columns = {
        "date": "Date",
        "counts": "Counts seen",
        "rule": "Rule recommends",
        "why": "Its reasons",
        "decision": "Committee decides",
        "reason": "Its reason",
        "agree": "Rule followed",
    }
    signed = "Every decision is signed."
    if len(signers) == 1:
        signed = f"Every decision is signed by: {', '.join(next(iter(signers)))}."
    elif signers:
        columns["signed"] = "Signed by"
    grid = Grid(
        "t-decisions",
        "Recommendation of the rule and decision of the committee, step by step",
        "Step",
        columns,
        {},
        [
            "Counts: DLTs / evaluable patients per dose level at the cut the recommendation was asked for.",
            "The recommendation and the decision are separate records of the ledger; the committee "
            "may depart from the rule.",
            signed,
        ],
        list(columns),
    )
    asked = {found.number: found for found in state.recommendations}
    for decision in state.decisions:
        found = asked.get(decision.recommendation) if decision.recommendation else None
        grid.add(
            str(decision.number),
            {
                "date": render_date(decision.at),
                "counts": _counts(found, study),
                "rule": DASH if found is None else _words(found.action, found.dose_level, study),
                "why": DASH if found is None else " ".join(render_sentence(text) for text in found.reasons),
                "decision": _words(decision.action, decision.dose_level, study),
                "reason": decision.reason,
                "agree": _agrees(found, decision),
                "signed": ", ".join(decision.signers),
            },
        )
    return grid.render()


def _counts(found: Recommendation | None, study: Study) -> str:
    """Counts of the levels tried, such as ``DL1 0/3, DL2 1/6``."""
    if found is None:
        return DASH
    n, y = found.inputs.get("n", ()), found.inputs.get("y", ())
    pairs = zip(study.dose_levels, y, n, strict=False)
    return ", ".join(f"{level.label} {dlt}/{count}" for level, dlt, count in pairs if count) or DASH


def _estimate_note(study: Study) -> str:
    """How the estimates were made; only mTPI selects the MTD from the isotonic column as printed."""
    isotonic = (
        "Isotonic estimate: posterior means with prior Beta(1, 1), made non-decreasing in dose, weights one over the "
        "posterior variance"
    )
    if study.escalation.rule.kind == "mtpi":
        own = "Estimate and interval: posterior mean, prior Beta(1, 1), equal tails"
        return f"{own}. {isotonic}; the MTD is selected from it."
    return f"Estimate and interval: as the escalation rule gives them. {isotonic}; shown for description."


def render_mtd(ard: pl.DataFrame, study: Study) -> str:
    """Estimates the MTD was selected from."""
    coverage = "95% interval, %"
    grid = Grid(
        "t-mtd",
        "Estimated DLT probability by dose level at the end of escalation",
        "Dose level",
        {
            "counts": "DLT / evaluable",
            "rate": "Observed, %",
            "estimate": "Estimate of the rule, %",
            "ci": coverage,
            "isotonic": "Isotonic estimate, %",
            "above": f"P(DLT probability > {render_percent(study.escalation.rule.target, 0)}%)",
        },
        {},
        [
            _estimate_note(study),
            "NE: the level was not tried.",
        ],
    )
    cells = Cells(ard, "mtd")
    for group in cells.groups:
        n, y = cells.get("N", group, "DLT"), cells.get("n", group, "DLT")
        tried = bool(n)
        low, high = cells.get("conf.low", group, "DLT"), cells.get("conf.high", group, "DLT")
        grid.add(
            group,
            {
                "counts": f"{int(y or 0)} / {int(n or 0)}" if tried else DASH,
                "rate": render_percent(cells.get("p", group, "DLT")),
                "estimate": render_percent(cells.get("estimate", group, "DLT")),
                "ci": render_interval(low, high, 1, 100),
                "isotonic": render_percent(cells.get("isotonic", group, "DLT")),
                "above": render_number(cells.get("above target", group, "DLT"), 3),
            },
        )
    return grid.render()


def render_characteristics(ard: pl.DataFrame, titles: dict[str, str]) -> str:
    """Operating characteristics of the plan, one row per scenario, and whether they are exact or simulated."""
    cells = Cells(ard, "characteristics")
    trials = next((cells.get("trials", name, "design") for name in cells.groups), None)
    how = "exact" if trials is None else "simulated"
    note = (
        "Every reachable outcome of the plan is enumerated: these probabilities carry no simulation error."
        if trials is None
        else f"Simulated in calendar time, {trials:,.0f} trials per scenario; expected patients include backfill."
    )
    labels = cells.subgroups
    columns = {f"truth {label}": label for label in labels}
    columns |= {f"select {label}": f"{label} " for label in labels} | {"none": "none"}
    columns |= {f"mean {label}": f"{label}  " for label in labels} | {"total": "all"}
    columns |= {"dlt": "DLTs expected", "over": "P(select above target), %"}
    grid = Grid(
        "t-characteristics",
        f"Operating characteristics of the escalation plan, {how}, by true scenario",
        "Scenario",
        columns,
        {
            "True DLT probability, %": [f"truth {label}" for label in labels],
            "Probability of selection as MTD, %": [*(f"select {label}" for label in labels), "none"],
            "Expected patients": [*(f"mean {label}" for label in labels), "total"],
        },
        [note],
    )
    for name in cells.groups:
        row = {}
        for label in labels:
            row[f"truth {label}"] = render_percent(cells.get("truth", name, "level", None, label), 0)
            row[f"select {label}"] = render_percent(cells.get("select", name, "level", None, label))
            row[f"mean {label}"] = render_number(cells.get("mean_n", name, "level", None, label), 1)
        row["none"] = render_percent(cells.get("none", name, "design"))
        row["total"] = render_number(cells.get("mean_total_n", name, "design"), 1)
        row["dlt"] = render_number(cells.get("mean_total_dlt", name, "design"), 1)
        row["over"] = render_percent(cells.get("overdose", name, "design"))
        grid.add(titles.get(name, name), row)
    return grid.render()
