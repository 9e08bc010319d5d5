"""The worked examples of CONTRIBUTING.md are those of the plug-in that tests/test_plugin.py runs."""

import re

import pytest

from tests.project import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def examples():
    """Yield path and code: a block belongs to the last path that stands alone on a line before it."""
    path = ""
    for named, code in re.findall(r"^`(tests/\S+)`:$|^```(?:python|yaml|toml)\n(.*?)^```$", TEXT, re.M | re.S):
        path = named or path
        if code:
            yield path, code


def test_there_is_an_example_of_each_kind():
    assert {path.rpartition("/")[2] for path, _ in examples()} == {
        "pyproject.toml", "reader.py", "analysis.py", "technique.py", "panels.py", "figures.yaml", "claims.yaml",
    }  # fmt: skip


@pytest.mark.parametrize(("path", "code"), list(examples()))
def test_an_example_is_the_code_that_runs(path, code):
    assert code in (ROOT / path).read_text(encoding="utf-8")


def test_the_table_of_rooms_is_that_of_the_house():
    from tests.test_house import ROOMS

    assert re.findall(r"^\| `(\w+)` \|", TEXT, re.M) == list(reversed(ROOMS))
