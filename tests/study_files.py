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


def backfill_files(
    plan: str = "cap: !assumption 5, order: !assumption highest", **changes: str
) -> dict[str, str]:
    """The reference study, smaller, with a BOIN plan that backfills; ``changes`` replaces lines of the plan."""
    files = balli_files()
    text = files["study.yaml"]
    begin, end = text.index("  rule: {kind: !assumption mtpi"), text.index("stagger:\n")
    lines = {
        "rule": "{kind: !assumption boin, target: !assumption 0.30}",
        "levels": "!assumption 4",
        "cohort_size": "!assumption 3",
        "max_patients": "!assumption 12",
        "start_level": "!assumption 1",
        "backfill": "{" + plan + "}",
        **changes,
    }
    written = "".join(f"  {name}: {value}\n" for name, value in lines.items())
    changed = text[:begin] + written + "\n" + text[end:]
    planned = lines["max_patients"].removeprefix("!assumption ")
    changed = changed.replace("patients: !assumption 24,", f"patients: !assumption {planned},")
    return {**files, "study.yaml": changed.replace("patients: !assumption 16,", "patients: !assumption 4,")}
