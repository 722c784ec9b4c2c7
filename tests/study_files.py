"""The reference study as texts, for tests that change a line of it."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
BALLI = ROOT / "studies" / "balli-01"


def balli_files() -> dict[str, str]:
    return {
        file.relative_to(BALLI).as_posix(): file.read_text(encoding="utf-8")
        for file in sorted(BALLI.rglob("*.yaml"))
    }


def write_folder(files: dict[str, str], folder: Path) -> Path:
    for name, text in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return folder
