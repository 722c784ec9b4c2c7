"""What a person sees in the terminal: progress, the closing summary, decision tables and recommendations."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from escalon.conduct.events import DltStatus
from escalon.conduct.state import State
from escalon.protocol import StudyFolder
from escalon.protocol.provenance import MEANING, TAGS

if TYPE_CHECKING:
    from escalon.report.run_info import RunInfo

STYLE = {"E": "green", "S": "cyan", "D": "yellow", "DU": "bold red"}


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


def print_next(answer: dict[str, Any]) -> None:
    """Print a recommendation with its reasons."""
    console = Console()
    where = "" if answer["level"] is None else f" - next patients at level {answer['level']}"
    console.print(f"[bold]{answer['action'].replace('_', '-')}[/bold]{where}")
    for reason in answer["reasons"]:
        console.print(f"  {reason}", highlight=False, soft_wrap=True)
    grid = Table(box=box.SIMPLE_HEAD)
    for name in ("level", "patients", "DLTs", "estimate", "interval", "P(above target)"):
        grid.add_column(name, justify="right")
    for row in answer["estimates"]:
        grid.add_row(*_estimate_row(row))
    console.print(grid)


def _estimate_row(row: dict[str, Any]) -> list[str]:
    if not row["n"]:
        return [str(row["level"]), "0", "-", "-", "-", "-"]
    above = row.get("prob_above_target")
    return [
        str(row["level"]),
        str(row["n"]),
        str(row["y"]),
        f"{row['estimate']:.3f}",
        f"{row['lower']:.3f} to {row['upper']:.3f}",
        "-" if above is None else f"{above:.3f}",
    ]


def print_table(answer: dict[str, Any]) -> None:
    """Print a decision table: one column per number of patients, one row per number of DLTs."""
    console = Console()
    rows = answer["rows"]
    grid = Table(box=box.SIMPLE_HEAD, title=f"Decision table, {answer['kind']}", title_justify="left")
    grid.add_column("DLTs", justify="right")
    for row in rows:
        grid.add_column(str(row["n"]), justify="center")
    for y in range(max(len(row["decisions"]) for row in rows)):
        cells = [row["decisions"][y] if y < len(row["decisions"]) else "" for row in rows]
        if any(cells):
            grid.add_row(str(y), *(Text(cell, style=STYLE.get(cell, "")) for cell in cells))
    console.print(grid)
    legend = answer["legend"]
    words = legend if isinstance(legend, str) else "; ".join(f"{key} {text}" for key, text in legend.items())
    console.print(f"Columns: patients at the level. {words}", highlight=False)


def print_oc(answer: dict[str, Any], prob_tox: Sequence[float]) -> None:
    """Print operating characteristics, level by level."""
    console = Console()
    grid = Table(box=box.SIMPLE_HEAD)
    for name in ("level", "true DLT probability", "selected as MTD", "patients", "DLTs"):
        grid.add_column(name, justify="right")
    for index, truth in enumerate(prob_tox):
        grid.add_row(
            str(index + 1),
            f"{truth:g}",
            f"{100 * answer['prob_select'][index]:.2f} %",
            f"{answer['mean_n'][index]:.2f}",
            f"{answer['mean_dlt'][index]:.2f}",
        )
    grid.add_row("none", "", f"{100 * answer['prob_none']:.2f} %", "", "")
    console.print(grid)
    console.print(
        f"Mean sample size {answer['mean_total_n']:.2f}; "
        f"more than 60 % of patients above the target: {100 * answer['prob_overdose_60']:.2f} % of trials",
        highlight=False,
    )


def print_fit(answer: dict[str, Any]) -> None:
    """Print a posterior, level by level."""
    console = Console()
    grid = Table(box=box.SIMPLE_HEAD)
    grid.add_column("level", justify="right")
    grid.add_column("P(DLT)", justify="right")
    for level, value in enumerate(answer["prob_tox"], start=1):
        grid.add_row(str(level), f"{value:.4f}")
    console.print(grid)
    console.print(f"Estimate {answer['estimate']}; recommended level: {answer['mtd']}", highlight=False)


def print_paths(answer: dict[str, Any]) -> None:
    """Print dose-transition pathways as a tree."""
    tree = Tree(f"Next {answer['cohorts']} cohorts")
    for node in answer["paths"]:
        _grow(tree, node)
    Console().print(tree)


def _grow(tree: Tree, node: dict[str, Any]) -> None:
    after = (
        "stop"
        if node["next_level"] is None
        else f"{node['action'].replace('_', '-')}, level {node['next_level']}"
    )
    chance = "" if node["probability"] is None else f"  ({100 * node['probability']:.2f} %)"
    branch = tree.add(f"level {node['level']}: {node['dlts']}/{node['size']} DLTs -> {after}{chance}")
    for child in node["children"]:
        _grow(branch, child)


def print_simon(answer: dict[str, Any]) -> None:
    """Print Simon designs: stop after n1 with at most r1 responses; success with more than r of n."""
    grid = Table(box=box.SIMPLE_HEAD)
    for name in ("design", "stop if at most", "of", "success if more than", "of", "EN(p0)", "PET(p0)"):
        grid.add_column(name, justify="left" if name == "design" else "right")
    for name in ("optimal", "minimax"):
        row = answer[name]
        counts = [str(row[key]) for key in ("r1", "n1", "r", "n")]
        grid.add_row(name, *counts, f"{row['en0']:.2f}", f"{row['pet0']:.4f}")
    Console().print(grid)


def print_grade(answer: dict[str, Any]) -> None:
    """Print a grade or class with the clause and the reasons."""
    console = Console()
    key = next(
        (name for name in ("grade", "response", "stage", "status", "trial") if name in answer), "clause"
    )
    value = answer[key]
    console.print(f"[bold]{answer['asked']}: {'not gradable' if value is None else value}[/bold]")
    console.print(f"  {answer.get('clause') or ''}", highlight=False)
    for reason in answer.get("reasons", ()):
        console.print(f"  {reason}", highlight=False)


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
