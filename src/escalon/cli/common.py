"""What all commands share: options, reading numbers, JSON, and turning bad input into messages and exit code 2."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from escalon.design import EscalationPlan

StudyPath = Annotated[Path, typer.Argument(metavar="STUDY", help="Study folder.")]
OptionalStudy = Annotated[Path | None, typer.Argument(metavar="[STUDY]", help="Study folder.")]
PlanPath = Annotated[
    Path | None,
    typer.Option("--plan", help="YAML or JSON file with an escalation plan (instead of a study folder)."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def fail(message: str, code: int = 2) -> NoReturn:
    """Print ``message`` on standard error and leave with ``code``."""
    typer.echo(message, err=True)
    raise typer.Exit(code)


@contextmanager
def bad_input() -> Iterator[None]:
    """Turn what a person gave wrong into messages, one line for each fault, and exit code 2."""
    from pydantic import ValidationError

    from escalon.protocol.faults import StudyFolderError

    try:
        yield
    except StudyFolderError as error:
        count = len(error.faults)
        closing = f"{count} fault{'s' if count > 1 else ''}; nothing was written"
        fail("\n".join([*map(str, error.faults), closing]))
    except ValidationError as error:
        fail("\n".join(_fault(row) for row in error.errors()))
    except OSError as error:
        fail(_of_system(error))
    except (ValueError, KeyError, OverflowError) as error:
        fail(str(error.args[0]) if isinstance(error, KeyError) else str(error))
    except Exception as error:
        if not _of_database(error):
            raise
        fail(f"the database refused, and nothing was written: {' '.join(str(error).split())}")


def _of_system(error: OSError) -> str:
    """The file first, then what is the matter with it."""
    if error.filename is None or error.strerror is None:
        return str(error)
    return f"{error.filename2 or error.filename}: {error.strerror[:1].lower()}{error.strerror[1:]}"


def _of_database(error: Exception) -> bool:
    """Tell whether a database raised it: it is locked, may not be written, is full, or ended the connection."""
    database = sys.modules.get("django.db")
    return database is not None and isinstance(error, database.Error)


def _fault(row: Mapping[str, Any]) -> str:
    """Field, rule and, where it is a plain one, the value of one fault of a model."""
    text = f"{'.'.join(map(str, row['loc']))}: {row['msg'].removeprefix('Value error, ')}"
    value = row.get("input")
    plain = isinstance(value, (str, int, float)) and row["type"] != "value_error"
    return f"{text}; got {value!r}" if plain else text


def plan_of(study: Path | None, plan: Path | None) -> "EscalationPlan":
    """Return the escalation plan of a study folder or of a plan file."""
    if (study is None) == (plan is None):
        fail("give either a study folder or --plan FILE")
    from escalon.pipeline import open_plan, open_study

    if plan is not None:
        return open_plan(plan)
    assert study is not None
    return open_study(study).study.escalation


def show(answer: dict[str, Any]) -> None:
    """Print ``answer`` as JSON."""
    typer.echo(json.dumps(answer, indent=2, allow_nan=False))


def write_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print ``rows`` as CSV with the names of the first one as header; nothing for no rows."""
    import csv

    if rows:
        writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def target(out: Path | None) -> Path | None:
    """Return ``out`` if a file may be written there; else leave with one sentence. For options that name a file.

    A ledger or a key under that name would be lost, and a device is no place for a document.
    """
    if out is None or not out.exists():
        return out
    if out.is_dir():
        fail(f"{out}: is a folder; name a file")
    if not out.is_file():
        fail(f"{out}: is no plain file; nothing was written")
    with out.open("rb") as file:
        start = file.read(16)
    for kind, mark in (("database", b"SQLite format 3\0"), ("key", b"-----BEGIN")):
        if start.startswith(mark):
            fail(f"{out}: is a {kind} and is not written over; name another file")
    return out


def numbers(text: str, what: str) -> list[float]:
    """Read comma-separated numbers; ValueError names the one that is none."""
    values = []
    for part in text.split(","):
        try:
            values.append(float(part))
        except ValueError:
            raise ValueError(
                f"{what}: {part.strip()!r} is not a number; separate numbers by commas"
            ) from None
    return values
