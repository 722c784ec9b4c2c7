"""Commands of clinical criteria: grade a value, a syndrome or a response; search terms; load a licensed dictionary."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from escalon.cli.common import AsJson, bad_input, show

if TYPE_CHECKING:
    from escalon.criteria.dictionaries import DrugDictionary, EventDictionary

dictionary_app = typer.Typer(help="Terms for coding: CTCAE, and your own licensed MedDRA and WHODrug files.")
Kind = Annotated[str, typer.Option(help="event (MedDRA) or drug (WHODrug).")]
Version = Annotated[
    str, typer.Option("--dictionary-version", help="Version of the dictionary, such as 27.1.")
]
DictionaryFile = Annotated[Path, typer.Argument(metavar="FILE", help="CSV file with the header of its kind.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to ``app``."""
    app.command()(grade)
    app.add_typer(dictionary_app, name="dictionary")


def grade(
    system: Annotated[
        str | None, typer.Argument(help="What to grade: crs, icans, gvhd, lab, response ...")
    ] = None,
    fields: Annotated[list[str] | None, typer.Argument(help="Its values as name=value.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="JSON with its values, or CSV with one row per day.")
    ] = None,
    list_systems: Annotated[bool, typer.Option("--list", help="Name the systems and their fields.")] = False,
    as_json: AsJson = False,
) -> None:
    """Grade or classify by a published criterion, with the clause and the values that decided.

    Example: escalon grade crs temperature=39.1 vasopressors=1 oxygen=low_flow_nasal

    Example: escalon grade best-overall --file assessments.csv criteria=eln_2024
    """
    if list_systems:
        _list_systems(system, as_json)
        return
    from escalon.criteria.answers import answer_text
    from escalon.criteria.answers_files import read_fields
    from escalon.report.terminal_criteria import print_answer

    with bad_input():
        if system is None:
            raise ValueError("system: missing; escalon grade --list names them")
        given = None if file is None else read_fields(system, file.name, _text(file))
        answer = answer_text(system, fields or [], given)
    show(answer) if as_json else print_answer(answer)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file}: cannot be read as text ({error})") from error


def _list_systems(system: str | None, as_json: bool) -> None:
    from escalon.criteria.answers import field_names, systems

    with bad_input():
        found = {name: field_names(name) for name in (systems() if system is None else (system,))}
    if as_json:
        show({"systems": found})
        return
    for name, names in found.items():
        needed = [field for field, must in names.items() if must]
        others = [f"[{field}]" for field, must in names.items() if not must]
        typer.echo(f"{name}: {' '.join([*needed, *others])}")


@dictionary_app.command("search")
def dictionary_search(
    text: Annotated[str, typer.Argument(help="Words the term holds.")],
    soc: Annotated[str | None, typer.Option(help="System organ class.")] = None,
    ctcae: Annotated[str, typer.Option(help="5.0, or 6.0: of it laboratory terms only.")] = "5.0",
    as_json: AsJson = False,
) -> None:
    """Search the CTCAE term catalogue; of version 6.0 the laboratory terms are held."""
    from escalon.criteria.catalogue import COMPLETE, search_terms

    with bad_input():
        found = search_terms(text, soc=soc, version=ctcae)
    if as_json:
        show({"terms": [asdict(term) for term in found], "complete": ctcae in COMPLETE})
        return
    for term in found:
        typer.echo(f"{term.term}  ({term.soc}; grades {', '.join(map(str, term.grades))})")
    if not found:
        typer.echo(f"No term of CTCAE v{ctcae} holds {text!r}")
    if ctcae not in COMPLETE:
        typer.echo(
            f"Of CTCAE v{ctcae} the laboratory terms are held; other terms are taken as entered, unchecked."
        )


@dictionary_app.command("load")
def dictionary_load(
    file: DictionaryFile,
    version: Version,
    kind: Kind = "event",
    into: Annotated[Path, typer.Option(help="Folder of loaded dictionaries.")] = Path("build/dictionaries"),
    as_json: AsJson = False,
) -> None:
    """Check a licensed dictionary file of your own and load it; none is shipped with this software."""
    from escalon.pipeline import store_dictionary

    with bad_input():
        answer = store_dictionary(file, kind, version, into)
    show(answer) if as_json else typer.echo(
        f"{answer['rows']} rows of {kind} dictionary {version}: {answer['file']}"
    )


@dictionary_app.command("find")
def dictionary_find(
    term: Annotated[str, typer.Argument(help="Lowest level term, or name of a medicine.")],
    file: Annotated[Path, typer.Option("--dictionary", help="A dictionary file.")],
    version: Version,
    kind: Kind = "event",
    as_json: AsJson = False,
) -> None:
    """Find the codes of a term in a dictionary of your own."""
    from escalon.pipeline import open_dictionary

    with bad_input():
        codes = _codes(open_dictionary(file, kind, version), term)
    if as_json:
        show({"term": term, "version": version, "codes": codes})
        return
    for row in codes:
        typer.echo("; ".join(f"{name} {value}" for name, value in row.items()))


def _codes(dictionary: "EventDictionary | DrugDictionary", term: str) -> list[dict[str, Any]]:
    found = dictionary.find(term)
    return [asdict(row) for row in (found if isinstance(found, tuple) else (found,))]
