"""The tag beside a value: looks up where each value of the study folder comes from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from escalon.protocol.provenance import MEANING, TAGS, Provenance, Tag

STRENGTH: Mapping[Tag, int] = {"registry": 0, "publication": 1, "derived": 2, "assumption": 3}


@dataclass(frozen=True, slots=True)
class Tagged:
    """A value as printed with its tag; ``source`` names where it comes from, in words."""

    text: str
    tag: Tag | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class TagGroup:
    """All values of one tag, for the listing at the end; ``files`` maps file to its values."""

    tag: Tag
    meaning: str
    count: int
    files: Mapping[str, Sequence[Provenance]]


class Sources:
    """Answers which tag stands before a value of ``study.yaml``."""

    def __init__(self, provenance: Sequence[Provenance], citations: Mapping[str, str]) -> None:
        self._rows = tuple(provenance)
        self._citations = dict(citations)
        self._study = {row.path: row for row in self._rows if row.file == "study.yaml"}

    def tagged(self, text: str, *paths: str) -> Tagged:
        """``text`` with the tag of the values it is made of; of several, the weakest tag: one assumption makes
        it one."""
        rows = [row for path in paths for row in self._find(path)]
        if not rows:
            return Tagged(text)
        weakest = max(rows, key=lambda row: STRENGTH[row.tag])
        return Tagged(text, weakest.tag, self.citation(weakest))

    def _find(self, path: str) -> list[Provenance]:
        """The value at ``path``, the values below it, or the value it is part of."""
        if path in self._study:
            return [self._study[path]]
        below = [row for key, row in self._study.items() if key.startswith(f"{path}.")]
        while not below and "." in path:
            path = path.rsplit(".", 1)[0]
            below = [self._study[path]] if path in self._study else []
        return below

    def citation(self, row: Provenance) -> str:
        """Where a value comes from, in words; the meaning of its tag when it names no source."""
        if row.source:
            return self._citations.get(row.source, row.source)
        return MEANING[row.tag]

    def groups(self) -> list[TagGroup]:
        """Every value by tag (assumptions first: they are what a reader must weigh), then by file."""
        found = []
        for tag in reversed(TAGS):
            files: dict[str, list[Provenance]] = {}
            for row in self._rows:
                if row.tag == tag:
                    files.setdefault(row.file, []).append(row)
            found.append(TagGroup(tag, MEANING[tag], sum(map(len, files.values())), files))
        return found

    def counts(self) -> dict[Tag, int]:
        """Values per tag."""
        counted = Counter(row.tag for row in self._rows)
        return {tag: counted.get(tag, 0) for tag in TAGS}
