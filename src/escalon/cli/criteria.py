"""Commands of clinical criteria: grade a value, a syndrome or a response; load a licensed dictionary."""

from typing import Annotated

import typer

from escalon.cli.common import AsJson, bad_input, show


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to ``app``."""
    app.command()(grade)


def grade(
    system: Annotated[str, typer.Argument(help="What to grade: crs, icans, gvhd, lab, response ...")],
    fields: Annotated[list[str] | None, typer.Argument(help="Its values as name=value.")] = None,
    as_json: AsJson = False,
) -> None:
    """Grade or classify by a published criterion, with the clause and the values that decided.

    Example: escalon grade crs temperature=39.1 vasopressors=1 oxygen=low_flow_nasal
    """
    from escalon.criteria.answers import answer_text
    from escalon.report.terminal import print_grade

    with bad_input():
        answer = answer_text(system, fields or [])
    show(answer) if as_json else print_grade(answer)
