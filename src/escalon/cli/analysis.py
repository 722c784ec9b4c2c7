"""Commands for a person with a CSV and no study: survival curves and pharmacokinetic parameters."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from escalon.cli.common import AsJson, bad_input, numbers, show

if TYPE_CHECKING:
    import polars as pl

File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV file with a header.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to ``app``."""
    app.command()(km)
    app.command()(nca)


def km(
    file: File,
    time: Annotated[str, typer.Option(help="Column with the time.")],
    event: Annotated[str, typer.Option(help="Column with 1 for an event and 0 for censored.")],
    group: Annotated[str | None, typer.Option(help="Column with the group.")] = None,
    at: Annotated[str | None, typer.Option(help="Landmarks, such as 6,12,24")] = None,
    conf_type: Annotated[str, typer.Option(help="plain, log, log-log, logit or arcsin.")] = "log-log",
    conf_level: Annotated[float, typer.Option(help="Confidence level.")] = 0.95,
    quantile_rule: Annotated[str, typer.Option(help="sas or r: the median on a plateau.")] = "sas",
    cnsr: Annotated[
        bool, typer.Option("--cnsr", help="The event column is an ADaM CNSR (0 = event).")
    ] = False,
    horizon: Annotated[float | None, typer.Option(help="Horizon of the restricted mean.")] = None,
    as_json: AsJson = False,
) -> None:
    """Kaplan-Meier estimates with intervals, and the log-rank test of two or more groups."""
    from escalon.analysis.answers import km_answer
    from escalon.report.terminal_analysis import print_km

    with bad_input():
        landmarks = [] if at is None else numbers(at, "--at")
        answer = km_answer(
            _read(file), time, event, group, landmarks, conf_type, conf_level, quantile_rule, cnsr, horizon
        )
    show(answer) if as_json else print_km(answer)


def nca(
    file: File,
    time: Annotated[str, typer.Option(help="Column with the time from the first dose.")],
    conc: Annotated[
        str, typer.Option(help="Column with the concentration; <0.05 or BLQ is below quantification.")
    ],
    conc_unit: Annotated[str, typer.Option(help="Unit of the concentration, such as ug/mL.")],
    dose: Annotated[float | None, typer.Option(help="Dose of each administration.")] = None,
    subject: Annotated[str | None, typer.Option(help="Column with the subject.")] = None,
    route: Annotated[str, typer.Option(help="infusion, bolus or extravascular.")] = "infusion",
    duration: Annotated[float | None, typer.Option(help="Length of the infusion.")] = None,
    dose_times: Annotated[
        str | None, typer.Option(help="Start of each administration, such as 0,24,48")
    ] = None,
    method: Annotated[str, typer.Option(help="linear, lin-up log-down or linear-log.")] = "lin-up log-down",
    lloq: Annotated[float | None, typer.Option(help="Lower limit of quantification.")] = None,
    partial: Annotated[
        str | None, typer.Option(help="Ends of partial areas from 0, such as 672,1344")
    ] = None,
    tail: Annotated[str, typer.Option(help="last, all, inf-obs or inf-pred.")] = "last",
    threshold: Annotated[float | None, typer.Option(help="Report the time above this concentration.")] = None,
    choices: Annotated[
        Path | None,
        typer.Option(
            help="CSV of samples chosen by a person: subject, TIME, USE (slope, exclude), REASON, USER."
        ),
    ] = None,
    time_unit: Annotated[str, typer.Option(help="Unit of the time.")] = "h",
    dose_unit: Annotated[str, typer.Option(help="Unit of the dose.")] = "mg",
    as_json: AsJson = False,
) -> None:
    """Non-compartmental pharmacokinetic parameters of each subject."""
    from escalon.analysis.answers import nca_answer
    from escalon.report.terminal_analysis import print_nca

    with bad_input():
        given = {"dose": dose, "duration": duration, "lloq": lloq, "threshold": threshold}
        options: dict[str, object] = {name: value for name, value in given.items() if value is not None}
        if dose_times is not None:
            options["dose_times"] = numbers(dose_times, "--dose-times")
        if partial is not None:
            options["partial"] = [(0.0, end) for end in numbers(partial, "--partial")]
        answer = nca_answer(
            _read(file),
            time,
            conc,
            conc_unit,
            subject,
            time_unit,
            dose_unit,
            None if choices is None else _read(choices),
            route=route,
            method=method,
            tail=tail,
            **options,
        )
    show(answer) if as_json else print_nca(answer)


def _read(file: Path) -> "pl.DataFrame":
    """Read a CSV as text; the columns are typed by the question asked."""
    import polars as pl

    if not file.is_file():
        raise ValueError(f"{file}: there is no such file")
    try:
        return pl.read_csv(file, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"{file}: not a CSV file with a header: {error}") from error
