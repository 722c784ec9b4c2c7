"""Commands of dose finding: what the plan recommends, its table, its characteristics, its calibration."""

from pathlib import Path
from typing import Annotated

import typer

from escalon.cli.common import AsJson, OptionalStudy, PlanPath, StudyPath, bad_input, numbers, plan_of, show

Outcomes = Annotated[str, typer.Option(help='Outcomes so far, such as "1NNN 2NTN" (N none, T toxicity).')]
ProbTox = Annotated[str, typer.Option(help="True DLT probability per level, such as .05,.1,.2,.3")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to ``app``."""
    app.command("next")(next_dose)
    for command in (table, oc, mtd, fit, paths, skeleton, simon, design):
        app.command()(command)


def next_dose(
    outcomes: Outcomes,
    study: OptionalStudy = None,
    plan: PlanPath = None,
    pending: Annotated[
        str | None,
        typer.Option(help="Patients in their DLT window: level and share of it seen, such as 3:.5,3:.2"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what the escalation rule recommends next, with its reasons."""
    from escalon.design.answers import next_answer
    from escalon.report.terminal_design import print_next

    with bad_input():
        waiting = None if pending is None else _pending(pending)
        answer = next_answer(plan_of(study, plan), outcomes, waiting)
    show(answer) if as_json else print_next(answer)


def table(
    study: OptionalStudy = None,
    plan: PlanPath = None,
    max_n: Annotated[int | None, typer.Option(help="Largest number of patients at a level.", min=1)] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Also write the table to this CSV file.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Also write it to this HTML file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the decision table of a plan."""
    from escalon.design.answers import table_answer
    from escalon.report.terminal_design import print_table

    with bad_input():
        chosen = plan_of(study, plan)
        answer = table_answer(chosen, max_n)
        if csv is not None or html is not None:
            from escalon.report.design_report import write_table

            write_table(chosen, answer, csv, html)
    show(answer) if as_json else print_table(answer)


def design(
    study: StudyPath,
    out: Annotated[Path | None, typer.Option(help="Folder for the report and its tables.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the design report of a study folder: table, pathways, characteristics, comparison, plots."""
    from escalon.pipeline import open_study

    with bad_input():
        folder = open_study(study)
        from escalon.report.design_files import design_answer, render_json
        from escalon.report.design_progress import DesignProgress
        from escalon.report.design_report import PAGE, write_design

        target = out or Path("build") / study.resolve().name / "design"
        with DesignProgress(quiet=as_json) as shown:
            content = write_design(folder, target, shown.step)
    typer.echo(
        render_json(design_answer(content)) if as_json else f"Design report   {target / PAGE}", nl=not as_json
    )


def oc(
    prob_tox: ProbTox,
    study: OptionalStudy = None,
    plan: PlanPath = None,
    method: Annotated[str, typer.Option(help="exact or simulate.")] = "exact",
    trials: Annotated[int, typer.Option(help="Number of simulated trials.", min=1)] = 10_000,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.", min=0)] = 1,
    prob_eff: Annotated[str | None, typer.Option(help="True efficacy probability per level.")] = None,
    odds_ratio: Annotated[float, typer.Option(help="Association of efficacy and toxicity.")] = 1.0,
    accrual: Annotated[float, typer.Option(help="Patients per DLT window.")] = 2.0,
    cluster: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler to share the trials.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Operating characteristics of a plan in one scenario, exact where the design allows it."""
    from escalon.design.answers import oc_answer
    from escalon.report.terminal_design import print_oc, working

    with bad_input():
        truth = numbers(prob_tox, "--prob-tox")
        response = None if prob_eff is None else numbers(prob_eff, "--prob-eff")
        chosen = plan_of(study, plan)
        with working("Operating characteristics", as_json):
            answer = oc_answer(chosen, truth, method, trials, seed, response, odds_ratio, accrual, cluster)
    show(answer) if as_json else print_oc(answer)


def mtd(
    n: Annotated[str, typer.Option("--n", help="Evaluable patients per level, such as 3,6,9")],
    y: Annotated[str, typer.Option("--y", help="Patients with a DLT per level, such as 0,1,3")],
    e: Annotated[str | None, typer.Option("--e", help="Patients with efficacy per level.")] = None,
    both: Annotated[str | None, typer.Option(help="Patients with efficacy and a DLT per level.")] = None,
    study: OptionalStudy = None,
    plan: PlanPath = None,
    as_json: AsJson = False,
) -> None:
    """Select the maximum tolerated dose at the end of escalation."""
    from escalon.design.answers import mtd_answer

    with bad_input():
        answer = mtd_answer(
            plan_of(study, plan),
            _counts(n, "--n"),
            _counts(y, "--y"),
            None if e is None else _counts(e, "--e"),
            None if both is None else _counts(both, "--both"),
        )
    if as_json:
        show(answer)
    else:
        level = answer["level"]
        typer.echo("No level qualifies as MTD" if level is None else f"MTD: level {level}")


def fit(
    outcomes: Outcomes,
    study: OptionalStudy = None,
    plan: PlanPath = None,
    weights: Annotated[str | None, typer.Option(help="Weight per patient, such as 1,.4,1")] = None,
    as_json: AsJson = False,
) -> None:
    """Posterior of a model-based rule after these outcomes."""
    from escalon.design.answers import fit_answer
    from escalon.report.terminal_design import print_fit

    with bad_input():
        given = None if weights is None else numbers(weights, "--weights")
        answer = fit_answer(plan_of(study, plan), outcomes, given)
    show(answer) if as_json else print_fit(answer)


def paths(
    cohorts: Annotated[int, typer.Option(help="How many cohorts ahead.", min=1)],
    study: OptionalStudy = None,
    plan: PlanPath = None,
    prob_tox: Annotated[
        str | None, typer.Option(help="Scenario for probabilities, such as .05,.1,.2")
    ] = None,
    after: Annotated[str | None, typer.Option(help='Interim state to start from, such as "1NNN".')] = None,
    as_json: AsJson = False,
) -> None:
    """Dose-transition pathways: what the plan will say after each outcome of the next cohorts."""
    from escalon.design.answers import paths_answer
    from escalon.report.terminal_design import print_paths, working

    with bad_input():
        truth = None if prob_tox is None else numbers(prob_tox, "--prob-tox")
        chosen = plan_of(study, plan)
        with working("Pathways", as_json):
            answer = paths_answer(chosen, cohorts, truth, after)
    show(answer) if as_json else print_paths(answer)


def skeleton(
    halfwidth: Annotated[float, typer.Option(help="Half-width of the indifference interval.")],
    target: Annotated[float, typer.Option(help="Target DLT probability.")],
    prior_mtd: Annotated[int, typer.Option(help="Level thought to be the MTD, from 1.")],
    levels: Annotated[int, typer.Option(help="Number of levels.")],
    model: Annotated[str, typer.Option(help="empiric or logistic.")] = "empiric",
    as_json: AsJson = False,
) -> None:
    """Skeleton of a CRM from the half-width of its indifference interval."""
    from escalon.design.answers import skeleton_answer

    with bad_input():
        answer = skeleton_answer(halfwidth, target, prior_mtd, levels, model)
    if as_json:
        show(answer)
    else:
        typer.echo(", ".join(f"{value:.6f}" for value in answer["skeleton"]))


def simon(
    p0: Annotated[float, typer.Option(help="Response probability that is of no interest.")],
    p1: Annotated[float, typer.Option(help="Response probability that is of interest.")],
    alpha: Annotated[float, typer.Option(help="Largest type I error.")] = 0.05,
    beta: Annotated[float, typer.Option(help="Largest type II error.")] = 0.2,
    nmax: Annotated[int | None, typer.Option(help="Largest sample size searched.", min=2)] = None,
    as_json: AsJson = False,
) -> None:
    """Simon two-stage designs: optimal and minimax."""
    from escalon.design.answers import simon_answer
    from escalon.report.terminal_design import print_simon, working

    with bad_input(), working("Simon designs", as_json):
        answer = simon_answer(p0, p1, alpha, beta, nmax)
    show(answer) if as_json else print_simon(answer)


def _pending(text: str) -> list[tuple[int, float]]:
    pairs = []
    for part in text.split(","):
        level, colon, followup = part.partition(":")
        if not (colon and level.strip().isdigit()):
            raise ValueError(
                f"--pending: {part.strip()!r} is not a level and a share of the DLT window; write 3:.5 for each patient"
            )
        pairs.append((int(level), numbers(followup, "--pending")[0]))
    return pairs


def _counts(text: str, what: str) -> list[int]:
    values = numbers(text, what)
    for value in values:
        if value != int(value):
            raise ValueError(f"{what}: {value:g} is not a whole number of patients")
    return [int(value) for value in values]
