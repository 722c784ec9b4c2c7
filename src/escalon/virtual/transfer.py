"""Laboratory results reach the virtual trial as a real one gets them: in files, imported by a mapping of the study.

A form whose agreed source is ``imported`` and for which the study has a mapping in the long layout is not typed: each
panel is one transfer file, one row for each result in the unit the mapping knows, staged and applied by the site.
"""

import csv
from collections.abc import Mapping
from io import StringIO
from typing import Any

from escalon.protocol import StudyFolder
from escalon.protocol.conduct.imports import ImportColumn, ImportMapping
from escalon.protocol.forms import Form
from escalon.virtual.acts import Act


def mapping_for(folder: StudyFolder, act: Act) -> ImportMapping | None:
    """Return the mapping by which ``act`` comes in, or None if a person types it."""
    form = folder.forms[act.form]
    if form.source != "imported":
        return None
    answered = {name for name, value in act.values.items() if value is not None}
    return next(
        (
            one
            for one in folder.conduct.capture.imports
            if one.form == act.form
            and one.long is not None
            and answered <= set(one.items)
            and act.record.startswith(one.prefix)
        ),
        None,
    )


def transfer_file(patient: str, act: Act, mapping: ImportMapping, form: Form) -> tuple[str, str]:
    """Return name and text of the file that brings ``act``.

    Raises:
        ValueError: the mapping has no long layout.
    """
    long = mapping.long
    if long is None:
        raise ValueError(f"the mapping {mapping.id} has no long layout")
    own = {column.column: act.values.get(column.item) for column in mapping.columns if column.column}
    common: dict[str | None, Any] = {
        **own,
        mapping.patient: patient,
        mapping.record: act.record.removeprefix(mapping.prefix),
        mapping.visit: act.visit,
        long.form: form.form,
    }
    rows = [
        {
            **common,
            long.item: column.code,
            long.value: act.values[column.item],
            long.unit: _unit(column, form),
        }
        for column in mapping.columns
        if column.code is not None and act.values.get(column.item) is not None
    ]
    names = [name for name in (*common, long.item, long.value, long.unit, long.row) if name is not None]
    return f"{patient}-{act.record}.csv", _csv(list(dict.fromkeys(names)), rows)


def _unit(column: ImportColumn, form: Form) -> str:
    """The spelling of the form's own unit in the file."""
    item = form.item(column.item)
    own = None if item is None else item.unit
    return next((spelled for spelled, code in column.units.items() if code == own), "")


def _csv(names: list[str], rows: list[Mapping[str | None, Any]]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([["" if row.get(name) is None else row[name] for name in names] for row in rows])
    return text.getvalue()
