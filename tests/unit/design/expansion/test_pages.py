"""The examples of the pages on expansion run and print what they show."""

import doctest
import re
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).parents[4] / "docs" / "methods").glob("expansion-*.md"))


def test_every_method_has_a_page():
    assert [page.stem for page in PAGES] == [
        f"expansion-{name}" for name in ("bop2", "joint", "monitoring", "predictive", "simon")
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_example(page):
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    assert blocks
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(verbose=False)
    for block in blocks:
        runner.run(parser.get_doctest(block, {}, page.stem, None, 0))
    results = runner.summarize(verbose=False)
    assert results.attempted > 0
    assert results.failed == 0
