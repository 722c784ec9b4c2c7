"""Writes the pages of this folder again from the grading tables: ``python docs/criteria/build.py``."""

from pathlib import Path

from escalon.criteria.pages import render_pages


def main() -> None:
    """Write every page beside this file."""
    for name, text in render_pages().items():
        Path(__file__).with_name(name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
