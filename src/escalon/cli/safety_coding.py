"""Code events by a licensed dictionary of the user's own, and go over to its next version (SF-14)."""

import csv
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from escalon.cli.common import AsJson, bad_input, show

if TYPE_CHECKING:
    from escalon.conduct.safety.coding import Impact
    from escalon.criteria.dictionaries import EventDictionary

HEADER = ["patient", "record", "llt"]


def add_to(app: typer.Typer) -> None:
    """Add the command of this file to ``app``."""
    app.command("code")(code)


def code(
    ledger: Annotated[str, typer.Argument(metavar="LEDGER", help="Ledger file, or database URL.")],
    dictionary: Annotated[
        Path, typer.Option(help="Folder of your MedDRA ASCII files, or a CSV of `escalon dictionary load`.")
    ],
    version: Annotated[str, typer.Option("--dictionary-version", help="Its version, such as 27.1.")],
    choices: Annotated[
        Path | None,
        typer.Option(help="CSV patient,record,llt: terms a person chose where there is none of that name."),
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", help="Id of the person who records it; without: only say.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why codes that events have already change.")] = "",
    study: Annotated[
        Path | None, typer.Option("--study", help="Study folder; default: the one the ledger keeps.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a version of the dictionary means for every event, and record the codes with --by.

    Events of which a term is retired or not found need a choice where they are coded already; new ones are left open.
    """
    from escalon.cli.sending import carry_out, current
    from escalon.conduct.safety.coding import impact
    from escalon.conduct.safety.commands import CodeTerms
    from escalon.pipeline import open_dictionary
    from escalon.report.terminal_coding import impact_rows, render_impact

    with bad_input():
        terms: Any = open_dictionary(dictionary, "event", version)
        found = impact(current(ledger, study)[0], terms, _choices(choices))
        codes = tuple(one.code() for one in found if _changes(one, terms))
        recorded = 0
        if by is not None and not codes:
            raise ValueError(
                f"every event that {version} holds a term for is coded so already; nothing was written"
            )
        if by is not None:
            recorded = len(carry_out(ledger, study, by, CodeTerms(version, codes, reason)))
    rows = impact_rows(found)
    if as_json:
        show({"version": version, "events": rows, "recorded": recorded})
        return
    typer.echo(render_impact(rows, version), nl=False)
    counts = Counter(row["standing"] for row in rows)
    typer.echo(", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or "no event")
    typer.echo(
        f"{recorded} codes are recorded"
        if recorded
        else f"Nothing is recorded; {len(codes)} codes would be, with --by PERSON"
    )


def _changes(one: "Impact", dictionary: "EventDictionary") -> bool:
    """Whether the event gets a code it has not: another term or place, or the same under another version."""
    if one.after is None:
        return False
    return one.standing != "same" or one.before is None or one.before.version != dictionary.version


def _choices(path: Path | None) -> dict[tuple[str, str], str]:
    """Read the choices of a person; ValueError names the line."""
    if path is None:
        return {}
    found: dict[tuple[str, str], str] = {}
    reader = csv.reader(path.read_text(encoding="utf-8-sig").splitlines())
    if next(reader, []) != HEADER:
        raise ValueError(f"{path.name} line 1: the header must be {','.join(HEADER)}")
    for cells in reader:
        if len(cells) != len(HEADER) or not all(cell.strip() for cell in cells):
            raise ValueError(
                f"{path.name} line {reader.line_num}: {len(HEADER)} cells are needed, none empty"
            )
        patient, record, term = (cell.strip() for cell in cells)
        if (patient, record) in found:
            raise ValueError(f"{path.name} line {reader.line_num}: patient {patient}, {record} stands twice")
        found[patient, record] = term
    return found
