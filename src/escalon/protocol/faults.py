"""One fault of a study folder, and the error that carries all of them."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, where, by which rule.

    Attributes:
        file: file name inside the study folder.
        line: 1-based line, or None when the whole file is meant.
        field: dotted path of the field.
        value: offending value as text; empty when there is none.
        rule: the rule broken, as a sentence that says what would be right.
    """

    file: str
    line: int | None
    field: str
    value: str
    rule: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        field = f": {self.field}" if self.field else ""
        value = f" = {self.value}" if self.value else ""
        return f"{where}{field}{value}: {self.rule}"


class StudyFolderError(ValueError):
    """A study folder that cannot be used; ``faults`` lists every fault found."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))
