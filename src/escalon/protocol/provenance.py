"""Where a study value comes from: every value of a study folder carries one of four tags.

In the files the tag is a YAML tag before the value, with an optional source key after a slash::

    enrolment: !registry/2023-09-25 40
    target: !assumption 0.30

A tag before a list or mapping holds for each value inside that has none of its own.
"""

from dataclasses import dataclass
from typing import Literal, get_args

Tag = Literal["registry", "publication", "derived", "assumption"]
TAGS: tuple[Tag, ...] = get_args(Tag)

MEANING: dict[Tag, str] = {
    "registry": "a field of a trial register record",
    "publication": "a paper, congress abstract, guideline, label, regulation or company release",
    "derived": "computed or inferred from registry or publication facts",
    "assumption": "field practice or a platform default; no source confirms it for this study",
}


@dataclass(frozen=True, slots=True)
class Provenance:
    """One value of the study folder with its tag.

    Attributes:
        file: file name inside the study folder.
        path: dotted path of the value, such as ``dlt.window_days`` or ``visits.3.window``.
        value: the value as it is written in the file.
        tag: registry, publication, derived or assumption.
        source: key into the study's ``sources``, or None.
        line: 1-based line in the file.
    """

    file: str
    path: str
    value: str
    tag: Tag
    source: str | None
    line: int
