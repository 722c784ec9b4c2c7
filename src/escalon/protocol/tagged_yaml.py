"""Read a YAML text into plain data, with the line and the provenance tag of every value."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from escalon.protocol.faults import Fault
from escalon.protocol.provenance import TAGS, Provenance

Path = tuple[str | int, ...]
_MAP, _SEQ = "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"


@dataclass(slots=True)
class Document:
    """One YAML file as data, with where each value stands and where it comes from."""

    file: str
    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    provenance: list[Provenance] = field(default_factory=list)
    untagged: list[Path] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def line(self, path: Path) -> int | None:
        """Return the line of ``path``, or of the nearest value around it."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None

    def value(self, path: Path) -> Any:
        """Return the value at ``path``; None where nothing stands."""
        here = self.data
        for step in path:
            try:
                here = here[step]
            except (KeyError, IndexError, TypeError):
                return None
        return here

    def fault(self, path: Path, rule: str, value: Any = None) -> Fault:
        """Return a fault of this file at ``path``."""
        shown = "" if value is None or isinstance(value, dict | list) else str(value)
        return Fault(self.file, self.line(path), dotted(path), shown, rule)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Scalars as YAML 1.2 has them: true and false only, and 1.0e5 is a number.

    The C parser is used where PyYAML has it (a study folder then opens in half the time); nodes are the same.
    """


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern) for tag, pattern in resolvers if not tag.endswith((":bool", ":float", ":timestamp"))
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)


def dotted(path: Path) -> str:
    """Return ``path`` as text: ``visits.3.window``; list positions count from 0."""
    return ".".join(str(step) for step in path)


def parse(file: str, text: str) -> Document:
    """Parse ``text``; problems of syntax, duplicate keys and unknown tags are in ``faults``."""
    document = Document(file)
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        line = None if mark is None else mark.line + 1
        document.faults.append(Fault(file, line, "", "", f"not valid YAML: {problem}"))
        return document
    if node is None:
        document.faults.append(Fault(file, None, "", "", "the file is empty"))
        return document
    document.data = _convert(loader, document, node, (), None)
    return document


@dataclass(frozen=True, slots=True)
class _Mark:
    tag: str
    source: str | None


def _convert(loader: _Loader, document: Document, node: yaml.Node, path: Path, above: _Mark | None) -> Any:
    document.lines.setdefault(path, node.start_mark.line + 1)
    mark = _own_mark(document, node, path) or above
    if isinstance(node, yaml.MappingNode):
        return {
            key: _convert(loader, document, value, (*path, key), mark)
            for key, value in _unique_items(document, node, path)
        }
    if isinstance(node, yaml.SequenceNode):
        return [_convert(loader, document, item, (*path, i), mark) for i, item in enumerate(node.value)]
    assert isinstance(node, yaml.ScalarNode)
    value = _scalar(loader, document, node, path)
    if mark is None:
        document.untagged.append(path)
    else:
        line = node.start_mark.line + 1
        document.provenance.append(
            Provenance(document.file, dotted(path), node.value, mark.tag, mark.source, line)  # type: ignore[arg-type]
        )
    return value


def _own_mark(document: Document, node: yaml.Node, path: Path) -> _Mark | None:
    if not node.tag.startswith("!"):
        return None
    tag, _, source = node.tag[1:].partition("/")
    if tag in TAGS:
        return _Mark(tag, source or None)
    rule = f"unknown tag; a value is tagged one of {', '.join('!' + known for known in TAGS)}"
    document.faults.append(document.fault(path, rule, node.tag))
    return _Mark("assumption", None)


def _unique_items(document: Document, node: yaml.MappingNode, path: Path) -> Iterator[tuple[str, yaml.Node]]:
    seen: set[str] = set()
    for key_node, value_node in node.value:
        key = str(key_node.value)
        document.lines[(*path, key)] = key_node.start_mark.line + 1
        if key in seen:
            fault = document.fault((*path, key), "the field stands twice; a field is given once")
            document.faults.append(fault)
            continue
        seen.add(key)
        yield key, value_node


def _scalar(loader: _Loader, document: Document, node: yaml.ScalarNode, path: Path) -> Any:
    plain = not node.style
    tag = loader.resolve(yaml.ScalarNode, node.value, (plain, not plain))
    try:
        return loader.construct_object(yaml.ScalarNode(tag, node.value, node.start_mark, node.end_mark))
    except (ValueError, yaml.YAMLError):
        document.faults.append(document.fault(path, "not a value YAML can read", node.value))
        return None
