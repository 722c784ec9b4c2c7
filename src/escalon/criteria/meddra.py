"""The ASCII distribution of MedDRA, read from the user's own licensed files; none is shipped.

Files: ``llt.asc``, ``pt.asc`` and ``mdhier.asc``, fields separated by ``$`` with one at the end of each line. Used are,
by position, of ``llt.asc`` code, name, PT code and currency (10th field, Y or N); of ``pt.asc`` code, name and primary
SOC (4th); of ``mdhier.asc`` the codes of PT, HLT, HLGT and SOC, their names, and whether the row is the primary path
(12th, Y or N). A term is placed by the primary path of its preferred term.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from escalon.criteria.dictionaries import EventCode, EventDictionary

FILES = ("llt.asc", "pt.asc", "mdhier.asc")
_LEAST = {"llt.asc": 10, "pt.asc": 4, "mdhier.asc": 12}


def load_meddra(texts: Mapping[str, str], version: str) -> EventDictionary:
    """Read the distribution from the text of its files.

    Args:
        texts: content by the name of the file.
        version: version of the dictionary, for example ``27.1``.

    Raises:
        ValueError: a file is missing, a line is short, a code is no number of 8 digits, or the files contradict each
            other; with file and line.
    """
    if not version.strip():
        raise ValueError("version: empty; name the version of the dictionary")
    missing = [name for name in FILES if name not in texts]
    if missing:
        raise ValueError(f"{missing[0]}: missing; a MedDRA folder holds {', '.join(FILES)}")
    preferred = {row[0]: (row[1], row[3]) for _, row in _rows(texts, "pt.asc", (0, 3))}
    paths = _primary_paths(texts, preferred)
    terms: dict[str, EventCode] = {}
    for line, (code, name, pt, *rest) in _rows(texts, "llt.asc", (0, 2)):
        if pt not in paths:
            raise ValueError(f"llt.asc line {line}: preferred term {pt} has no primary path in mdhier.asc")
        row = EventCode(code, name, pt, preferred[pt][0], *paths[pt], _flag(rest[6], "llt.asc", line))
        old = terms.get(name.lower())
        if old is not None and old.current and row.current:
            raise ValueError(f"llt.asc line {line}: {name!r} has codes {old.llt_code} and {code}")
        if old is None or row.current:
            terms[name.lower()] = row
    return EventDictionary(version, MappingProxyType(terms))


def _primary_paths(
    texts: Mapping[str, str], preferred: Mapping[str, tuple[str, str]]
) -> dict[str, tuple[str, str, str, str, str, str]]:
    """HLT, HLGT and SOC, each with code and name, by preferred term."""
    found: dict[str, tuple[str, str, str, str, str, str]] = {}
    for line, row in _rows(texts, "mdhier.asc", (0, 1, 2, 3)):
        pt, hlt, hlgt, soc, _, hlt_name, hlgt_name, soc_name = row[:8]
        if not _flag(row[11], "mdhier.asc", line):
            continue
        if pt not in preferred:
            raise ValueError(f"mdhier.asc line {line}: preferred term {pt} is not in pt.asc")
        if preferred[pt][1] != soc:
            raise ValueError(
                f"mdhier.asc line {line}: the primary SOC of {pt} is {soc}, in pt.asc {preferred[pt][1]}"
            )
        if pt in found:
            raise ValueError(f"mdhier.asc line {line}: preferred term {pt} has two primary paths")
        found[pt] = (hlt, hlt_name, hlgt, hlgt_name, soc, soc_name)
    return found


def _rows(texts: Mapping[str, str], name: str, codes: tuple[int, ...]) -> Iterator[tuple[int, list[str]]]:
    """Lines of a file with their fields; those at ``codes`` are codes."""
    empty = True
    for line, text in enumerate(texts[name].lstrip("\ufeff").splitlines(), start=1):
        if not text.strip():
            continue
        empty = False
        cells = [cell.strip() for cell in text.split("$")]
        if len(cells) < _LEAST[name]:
            raise ValueError(
                f"{name} line {line}: {len(cells)} fields, {_LEAST[name]} are needed, separated by $"
            )
        wrong = next((cells[at] for at in codes if len(cells[at]) != 8 or not cells[at].isdigit()), None)
        if wrong is not None:
            raise ValueError(f"{name} line {line}: {wrong!r} is no code of 8 digits")
        yield line, cells
    if empty:
        raise ValueError(f"{name}: the file is empty")


def _flag(cell: str, name: str, line: int) -> bool:
    if cell not in ("Y", "N"):
        raise ValueError(f"{name} line {line}: {cell!r} is neither Y nor N")
    return cell == "Y"
