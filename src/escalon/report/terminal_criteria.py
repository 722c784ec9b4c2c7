"""What the criteria answer, in a terminal: the grade first, then the clause, then the values behind it."""

from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

_OPEN = ("not gradable", "not evaluable", "not known", "not staged", "not scored")


def print_answer(answer: dict[str, Any]) -> None:
    """Print one answer of ``escalon grade``: a single result, several by name, a course or proposals."""
    console = Console(highlight=False, soft_wrap=True)
    if "results" in answer:
        for name, part in answer["results"].items():
            _print_one(console, f"{answer['asked']}, {name}", part)
        return
    _print_one(console, answer["asked"], answer)
    if answer.get("responses"):
        console.print(_course(answer["responses"]))
        console.print(f"  {_milestones(answer)}")
    for proposal in answer.get("proposals") or ():
        _print_proposal(console, proposal)


def _print_one(console: Console, title: str, answer: dict[str, Any]) -> None:
    grade = answer.get("grade")
    clause = answer.get("clause")
    shown = grade if grade is not None else clause if clause in _OPEN else "not known"
    console.print(f"[bold]{escape(title)}: {escape(str(shown))}[/bold]")
    if clause and clause != shown:
        console.print(f"  {escape(clause)}")
    for reason in () if answer.get("proposals") else answer.get("reasons", ()):
        console.print(f"  - {escape(str(reason))}")


def _course(responses: list[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("Day", "Response", "MRD", "Clause", "Reasons"):
        table.add_column(column, overflow="fold")
    for row in responses:
        reasons = "; ".join(row["reasons"])
        mrd = row["mrd"]["trial"] if row["mrd"] else ""
        table.add_row(f"{row['day']:g}", row["response"], mrd, escape(row["clause"]), escape(reasons))
    return table


def _milestones(answer: dict[str, Any]) -> str:
    days = {
        "first met": answer["first_day"],
        "response from": answer["response_day"],
        "confirmed": answer["confirmed_day"],
        "relapse": answer["relapse_day"],
        "progression": answer["progression_day"],
    }
    found = [f"{name} day {day:g}" for name, day in days.items() if day is not None]
    if answer["confirmed_day"] is None:
        found.append("not confirmed")
    found.append("counts as responder" if answer["responder"] else "does not count as responder")
    return "; ".join(found)


def _print_proposal(console: Console, proposal: dict[str, Any]) -> None:
    status = {"dlt": "DLT", "near_miss": "near miss"}[proposal["status"]]
    open_ = ", still open" if proposal["open"] else ""
    console.print(f"  clause {escape(proposal['clause'])}, {status}{open_}: {escape(proposal['text'])}")
    console.print(f"    rows {escape(', '.join(proposal['evidence']))}")
    for reason in proposal["reasons"]:
        console.print(f"    - {escape(reason)}")
