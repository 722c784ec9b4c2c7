"""What a person sees in the terminal of a design: recommendations, tables, characteristics, posteriors, pathways."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from escalon.report.wording import DASH, count_of, rule_name

STYLE = {"E": "green", "S": "cyan", "D": "yellow", "DU": "bold red"}


@contextmanager
def working(what: str, quiet: bool = False) -> Iterator[None]:
    """A moving bar with the time taken so far, on standard error of a terminal, while the block runs."""
    columns = TextColumn("{task.description}"), BarColumn(bar_width=40), TimeElapsedColumn()
    shown = Progress(*columns, console=Console(stderr=True), transient=True, disable=quiet)
    with shown:
        shown.add_task(what, total=None)
        yield


def print_next(answer: dict[str, Any]) -> None:
    """Print a recommendation with its reasons, and what is known of every level."""
    console = Console()
    where = "" if answer["level"] is None else f" - next patients at level {answer['level']}"
    console.print(f"[bold]{answer['action'].replace('_', '-')}[/bold]{where}")
    if answer["suspend"]:
        console.print(
            "[bold yellow]Enrolment pauses[/bold yellow] until more pending patients can be judged."
        )
    for reason in answer["reasons"]:
        console.print(f"  {reason}", highlight=False, soft_wrap=True)
    console.print(_estimates(answer))
    if answer.get("efficacy"):
        console.print(_efficacy(answer["efficacy"]))
        console.print("eff.: with efficacy; P(toxic), P(futile): beyond the limit; ok: admissible")
    if "backfill" in answer:
        open_levels = ", ".join(map(str, answer["backfill"])) or "none"
        console.print(f"Open for backfill: {open_levels}", highlight=False)


def _estimates(answer: dict[str, Any]) -> Table:
    grid = _grid("level", "patients", "DLTs", "P(DLT)", "95% interval", "P(above target)", "open")
    open_levels = set(answer["admissible"])
    for row in answer["estimates"]:
        mark = "next" if row["level"] == answer["level"] else "yes" if row["level"] in open_levels else "no"
        grid.add_row(
            str(row["level"]),
            str(row["n"]),
            str(row["y"]) if row["n"] else DASH,
            _fraction(row["estimate"]),
            _interval(row["lower"], row["upper"]),
            _fraction(row["prob_above_target"]),
            mark,
        )
    return grid


def _efficacy(rows: Sequence[dict[str, Any]]) -> Table:
    grid = _grid("level", "eff.", "P(eff.)", "95% interval", "score", "P(toxic)", "P(futile)", "ok")
    for row in rows:
        grid.add_row(
            str(row["level"]),
            f"{row['e']}/{row['n']}" if row["n"] else DASH,
            _fraction(row["prob_eff"]),
            _interval(row["eff_lower"], row["eff_upper"]),
            _fraction(row["score"]),
            _fraction(row["prob_too_toxic"]),
            _fraction(row["prob_futile"]),
            "yes" if row["admissible"] else "no",
        )
    return grid


def print_table(answer: dict[str, Any]) -> None:
    """Print a decision table: one column per number of patients, one row per number of DLTs."""
    console = Console()
    rows = answer["rows"]
    grid = Table(
        box=box.SIMPLE_HEAD, title=f"Decision table, {rule_name(answer['kind'])}", title_justify="left"
    )
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


PER_LEVEL = (
    ("prob_tox", "P(DLT)", 1, "g"),
    ("prob_eff", "P(eff.)", 1, "g"),
    ("prob_select", "selected, %", 100, ".2f"),
    ("mean_n", "patients", 1, ".2f"),
    ("mean_backfill", "backfill", 1, ".2f"),
    ("mean_dlt", "DLTs", 1, ".2f"),
    ("mean_responses", "responses", 1, ".2f"),
    ("mean_non_evaluable", "not evaluable", 1, ".2f"),
)
"""Field of the characteristics, heading, factor and format of the columns by level."""
IN_ALL = (
    ("mean_total_n", "Patients", 1, ""),
    ("mean_total_dlt", "DLTs", 1, ""),
    ("mean_total_backfill", "Backfill patients", 1, ""),
    ("mean_total_responses", "Responses", 1, ""),
    ("mean_duration", "Duration", 1, " DLT windows"),
    ("prob_select_correct", "Right level selected", 100, " %"),
    ("prob_select_overdose", "Level above the target selected", 100, " %"),
    ("mean_n_overdose", "Patients above the target", 1, ""),
    ("prob_overdose_60", "More than 60 % of planned patients above it", 100, " %"),
    ("prob_overdose_80", "More than 80 % of planned patients above it", 100, " %"),
    ("prob_early_stop", "Stopped early", 100, " %"),
)


def print_oc(answer: dict[str, Any]) -> None:
    """Print operating characteristics, level by level; simulated ones with their Monte Carlo standard errors."""
    console = Console()
    error = answer["standard_error"]
    shown = [column for column in PER_LEVEL if answer.get(column[0]) is not None]
    grid = _grid("level", *(heading for _, heading, _, _ in shown))
    for j in range(len(answer["prob_tox"])):
        cells = [_with_error(answer, name, factor, style, j) for name, _, factor, style in shown]
        grid.add_row(str(j + 1), *cells)
    none = _number(answer["prob_none"], error.get("prob_none"), 100, ".2f")
    grid.add_row("none", *(none if name == "prob_select" else "" for name, *_ in shown))
    console.print(grid)
    totals = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, label, factor, unit in IN_ALL:
        if answer.get(name) is not None:
            totals.add_row(label, _number(answer[name], error.get(name), factor, ".2f") + unit)
    console.print(totals)
    console.print(_how(answer), highlight=False)


def _how(answer: dict[str, Any]) -> str:
    if answer["method"] == "exact":
        return f"Exact, without simulation error: {count_of(answer['states'], 'distinct end')} of the trial."
    return f"{answer['trials']} simulated trials; ± Monte Carlo standard error."


def _with_error(answer: dict[str, Any], name: str, factor: float, style: str, j: int) -> str:
    errors = answer["standard_error"].get(name)
    return _number(answer[name][j], None if errors is None else errors[j], factor, style)


def _number(value: float, error: float | None, factor: float, style: str) -> str:
    text = f"{factor * value:{style}}"
    return text if error is None else f"{text}±{factor * error:{style}}"


def print_fit(answer: dict[str, Any]) -> None:
    """Print a posterior, level by level."""
    console = Console()
    over, target = answer.get("prob_overdose"), answer.get("prob_target")
    extra = ("P(target interval)", "P(overdose)") if over and target else ()
    grid = _grid("level", "P(DLT)", *extra)
    for j, value in enumerate(answer["prob_tox"]):
        cells = (f"{target[j]:.4f}", f"{over[j]:.4f}") if over and target else ()
        grid.add_row(str(j + 1), f"{value:.4f}", *cells)
    console.print(grid)
    console.print(
        f"Estimate {_values(answer['estimate'])}, variance {_values(answer['variance'])}; "
        f"recommended level: {answer['mtd']}",
        highlight=False,
    )


def _values(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"({', '.join(_values(part) for part in value)})"
    return f"{value:.6f}"


def print_paths(answer: dict[str, Any]) -> None:
    """Print dose-transition pathways as a tree."""
    tree = Tree(f"Next {count_of(answer['cohorts'], 'cohort')}")
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


def _grid(*names: str) -> Table:
    grid = Table(box=box.SIMPLE_HEAD)
    for name in names:
        grid.add_column(name, justify="right", no_wrap=True)
    return grid


def _fraction(value: float | None) -> str:
    return DASH if value is None else f"{value:.3f}"


def _interval(low: float | None, high: float | None) -> str:
    return DASH if low is None or high is None else f"{low:.3f}-{high:.3f}"
