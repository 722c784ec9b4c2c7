"""What a person sees in the terminal: progress, a study folder, a grade, the closing summary of a run."""

from collections import Counter
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from escalon.conduct.events import DltStatus
from escalon.conduct.state import State
from escalon.protocol import StudyFolder
from escalon.protocol.provenance import MEANING, TAGS

if TYPE_CHECKING:
    from escalon.report.run_info import RunInfo


class RunProgress:
    """Progress bar of a run: simulated days first, then the steps of the analysis."""

    def __init__(self, quiet: bool = False) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(bar_width=40),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=quiet,
        )
        self._trial: TaskID | None = None
        self._steps: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def day(self, moment: datetime, done: int, to_come: int) -> None:
        """Show the simulated day."""
        if self._trial is None:
            self._trial = self._progress.add_task("Trial, day by day", note="")
        note = f"{moment:%b %Y}"
        self._progress.update(self._trial, completed=done, total=done + to_come, note=note)

    def step(self, text: str) -> None:
        """Show the next step of the analysis."""
        if self._steps is None:
            self._steps = self._progress.add_task("Datasets, analysis, report", total=5, note="")
            self._progress.update(self._steps, note=text)
        else:
            self._progress.update(self._steps, advance=1, note=text)
        if text == "Report":
            self._progress.update(self._steps, completed=5)


def folder_summary(folder: StudyFolder) -> dict[str, Any]:
    """Return what a study folder holds, in plain values."""
    study = folder.study
    tags = Counter(row.tag for row in folder.provenance)
    return {
        "study": study.identity.study_id,
        "registry_number": study.identity.registry_number,
        "title": study.identity.brief_title,
        "amendments": len(study.amendments),
        "dose_levels": [f"{level.label} {level.dose:g} {level.unit}" for level in study.dose_levels],
        "regimens": [regimen.id for regimen in study.regimens],
        "rule": study.escalation.rule.kind,
        "cohort_size": study.escalation.cohort_size,
        "max_patients": study.escalation.max_total,
        "visits": len(study.visits),
        "forms": sorted(folder.forms),
        "scenarios": [scenario.id for scenario in folder.scenarios.scenarios],
        "provenance": {tag: tags[tag] for tag in TAGS},
        "hash": folder.hash,
        "plan_hash": study.escalation.hash,
    }


def print_folder(folder: StudyFolder) -> None:
    """Print the summary of a study folder that has no faults."""
    console = Console()
    summary = folder_summary(folder)
    console.print(f"[bold]{summary['study']}[/bold] ({summary['registry_number']})  {summary['title']}")
    grid = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    rows = {
        "Dose levels": ", ".join(summary["dose_levels"]),
        "Lymphodepletion": ", ".join(summary["regimens"]),
        "Escalation": f"{summary['rule']}, cohorts of {summary['cohort_size']}, "
        f"at most {summary['max_patients']} patients",
        "Visits, forms": f"{summary['visits']} visits; forms {', '.join(summary['forms'])}",
        "Scenarios": ", ".join(summary["scenarios"]),
        "Study hash": summary["hash"],
    }
    for name, value in rows.items():
        grid.add_row(Text(name, style="dim"), Text(value))
    console.print(grid)
    tags = Table(box=box.SIMPLE_HEAD, title="Where the values come from", title_justify="left")
    tags.add_column("tag")
    tags.add_column("values", justify="right")
    tags.add_column("meaning")
    for tag in TAGS:
        tags.add_row(tag, str(summary["provenance"][tag]), MEANING[tag])
    console.print(tags)
    console.print("[green]No fault found.[/green]")


def print_run(
    folder: StudyFolder, state: State, endpoints: dict[str, Any], info: "RunInfo", out: Path
) -> None:
    """Print the closing summary of a run: every registered question with its answer."""
    console = Console()
    study = folder.study
    title = f"{study.identity.study_id}, virtual trial, scenario {info.scenario}, seed {info.seed}"
    grid = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", show_header=False)
    grid.add_column(style="dim")
    grid.add_column()
    for name, value in _answers(folder, state, endpoints):
        grid.add_row(name, value)
    console.print(grid)
    console.print("[yellow]Simulated patients; see the report for what rests on assumptions.[/yellow]")
    console.print(
        f"Ledger   {out}/ledger.db ({state.seq} events, head {info.ledger_head[:16]})", highlight=False
    )
    console.print(f"Report   {out}/report.html", highlight=False)


def _answers(folder: StudyFolder, state: State, endpoints: dict[str, Any]) -> list[tuple[str, str]]:
    statuses = Counter(patient.dlt_status for patient in state.patients.values())
    adverse = endpoints["ae"]
    response = endpoints["orr_by_visit"][0]
    cmax, auc = endpoints["clls52"]["cmax"], endpoints["clls52"]["auc"]
    return [
        ("Patients", f"{len(state.patients)} enrolled, {endpoints['n_treated']} infused"),
        ("DLT to day 28", f"{statuses[DltStatus.DLT]} in {endpoints['n_dlt_evaluable']} evaluable"),
        ("MTD", _level(folder, endpoints["mtd_level"])),
        ("RP2D", _level(folder, endpoints["rp2d_level"])),
        (
            "Adverse events",
            f"{adverse['n_patients_any']} patients, {adverse['n_patients_serious']} with a serious one; related to "
            f"UCART22 {adverse['related_ucart22']}, to lymphodepletion {adverse['related_lymphodepletion']}",
        ),
        (
            f"Response at {response['visit']}",
            f"{response['responders']}/{response['n']} = {_percent(response['rate'])} "
            f"({_percent(response['low'])} to {_percent(response['high'])})",
        ),
        ("Duration of response", _survival(endpoints["dor"])),
        ("Progression-free survival", _survival(endpoints["pfs"])),
        ("Overall survival", _survival(endpoints["os"])),
        ("CLLS52", f"Cmax {_mean(cmax)}, AUC {_mean(auc)} (geometric means)"),
    ]


def _level(folder: StudyFolder, level: int | None) -> str:
    if level is None:
        return "none"
    dose = folder.study.dose_level(level)
    return f"level {level} ({dose.label}, {dose.dose:g} {dose.unit.lower()})"


def _percent(value: float | None) -> str:
    return "NE" if value is None else f"{100 * value:.1f} %"


def _survival(row: dict[str, Any]) -> str:
    median = "not reached" if row["median"] is None else f"{row['median']:.1f} months"
    low, high = ("NE" if row[end] is None else f"{row[end]:.1f}" for end in ("low", "high"))
    return f"median {median} ({low} to {high}), {row['events']} events in {row['n']}"


def _mean(row: dict[str, Any]) -> str:
    value = row["geometric_mean"]
    return "NE" if value is None else f"{value:.3g} {row['unit']} (n = {row['n']})"
