"""Every method has its page, and the examples of the pages run and print what they show."""

import contextlib
import doctest
import io
import re
from pathlib import Path
from typing import get_args

import pytest

from escalon.design.rules import AnyRule
from tests.study_files import ROOT

PAGES = sorted((ROOT / "docs" / "methods").glob("*.md"))
EXAMPLE = re.compile(r"```python\n(.*?)```", re.DOTALL)
KINDS = [rule.model_fields["kind"].default for rule in get_args(get_args(AnyRule)[0])]
EXPANSION = ("bop2", "joint", "monitoring", "predictive", "simon")
OF_A_RUN = ("datasets", "survival")
"""Pages whose example takes the records of a whole run; the tests of the pipeline run those calls."""
WITH_EXAMPLE = [
    page for page in PAGES if page.stem not in OF_A_RUN and EXAMPLE.search(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_rule_has_a_page_with_source_conventions_and_example(kind):
    pages = [page.read_text(encoding="utf-8") for page in PAGES]
    own = [text for text in pages if f"`kind: {kind}`" in text]
    own = [text for text in own if "backfill:" not in text.split("\n\n")[1]]
    assert len(own) == 1
    text = own[0].lower()
    assert "doi" in text or "source" in text
    assert "convention" in text
    assert EXAMPLE.search(own[0])


def test_every_expansion_method_has_a_page():
    assert [page.stem for page in PAGES if page.stem.startswith("expansion-")] == [
        f"expansion-{name}" for name in EXPANSION
    ]


@pytest.mark.parametrize("page", WITH_EXAMPLE, ids=lambda page: page.stem)
def test_example(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for block in EXAMPLE.findall(page.read_text(encoding="utf-8")):
        if ">>>" in block:
            runner = doctest.DocTestRunner(verbose=False)
            runner.run(doctest.DocTestParser().get_doctest(block, {}, page.stem, None, 0))
            result = runner.summarize(verbose=False)
            assert result.attempted > 0
            assert result.failed == 0
        else:
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(block, page.name, "exec"), {})
            assert printed.getvalue().strip()
