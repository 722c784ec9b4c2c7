"""The examples of the pages on dose finding run and print what they show."""

import doctest
import re
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs" / "methods"
NAMES = [
    "blrm",
    "boin",
    "crm",
    "custom-table",
    "exact-characteristics",
    "i3-plus-3",
    "keyboard",
    "late-onset",
    "mtpi",
    "non-evaluable",
    "three-plus-three",
]


@pytest.mark.parametrize("name", NAMES)
def test_example(name):
    blocks = re.findall(r"```python\n(.*?)```", (PAGES / f"{name}.md").read_text(), re.DOTALL)
    assert blocks
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(verbose=False)
    for block in blocks:
        runner.run(parser.get_doctest(block, {}, name, None, 0))
    assert runner.summarize(verbose=False).attempted > 0
    assert runner.failures == 0
