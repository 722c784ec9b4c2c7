"""The program: its version, and its files against the checksums they were installed with."""

import base64
import csv
import hashlib
import json
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from escalon import __version__
from escalon.store.install.finding import Finding, judged

NAME = "escalon"
PYTHON = (3, 11)
NOT_COUNTED = ("__pycache__", ".pyc")
"""What Python writes by itself beside installed files."""


def check_program() -> list[Finding]:
    """Return what there is to say of version, Python and files."""
    python = ".".join(map(str, sys.version_info[:3]))
    found = [judged("program", "Python", sys.version_info[:2] >= PYTHON, python, "3.11 or later is needed")]
    try:
        installed = distribution(NAME)
    except PackageNotFoundError:
        return [*found, Finding("program", "version", "fail", f"{NAME} is not installed as a package")]
    same = installed.version == __version__
    found.append(judged("program", "version", same, __version__, f"the package says {installed.version}"))
    return [*found, check_files(installed, Path(__file__).parents[2])]


def check_files(installed: Distribution, running: Path) -> Finding:
    """Compare every file of a package with RECORD, and look for files nobody installed.

    Args:
        installed: the package.
        running: folder of the package that is running; it must be the one that was installed.
    """
    what = "files against RECORD"
    if _is_editable(installed):
        return Finding(
            "program",
            what,
            "not applicable",
            "installed in place for development; install the released wheel",
        )
    record = installed.read_text("RECORD")
    if not record:
        return Finding("program", what, "fail", "the package has no RECORD")
    root = Path(str(installed.locate_file("")))
    rows = [row for row in csv.reader(record.splitlines()) if row]
    wrong = [said for name, digest, *_ in rows if digest and (said := _wrong(root / name, name, digest))]
    known = {(root / row[0]).resolve() for row in rows}
    strange = [path for path in sorted(running.rglob("*")) if path.is_file() and _counts(path)]
    wrong += [f"{path} was not installed" for path in strange if path.resolve() not in known]
    checked = sum(bool(row[1]) for row in rows)
    if wrong:
        return Finding("program", what, "fail", f"{len(wrong)} of {checked} files: {'; '.join(wrong[:3])}")
    return Finding("program", what, "pass", f"{checked} files, none changed, none added")


def _is_editable(installed: Distribution) -> bool:
    said = installed.read_text("direct_url.json")
    return bool(said and json.loads(said).get("dir_info", {}).get("editable"))


def _counts(path: Path) -> bool:
    return path.suffix not in NOT_COUNTED and not any(part in NOT_COUNTED for part in path.parts)


def _wrong(path: Path, name: str, digest: str) -> str:
    if not path.is_file():
        return f"{name} is missing"
    return "" if _fits(path, digest) else f"{name} was changed"


def _fits(path: Path, said: str) -> bool:
    """Tell whether a file has the checksum of RECORD: algorithm=URL-safe base64 without padding (PEP 376, 427)."""
    algorithm, _, expected = said.partition("=")
    try:
        digest = hashlib.new(algorithm, path.read_bytes()).digest()
    except (OSError, ValueError):
        return False
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == expected
