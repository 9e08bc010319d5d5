"""The reference pages of settings and numbers are those that the code gives, and each entry stands alone."""

import json
from collections.abc import Iterator

import pytest
from pydantic import BaseModel
from relaxor.core.section import unit_of
from relaxor.project.settings import schema
from relaxor.reporting.reference import numbers_reference, settings_reference
from relaxor.techniques.registry import techniques

from tests.project import ROOT


@pytest.mark.parametrize(("page", "write"), [("settings", settings_reference), ("numbers", numbers_reference)])
def test_a_page_is_what_the_code_gives(page, write):
    assert (ROOT / f"docs/{page}.md").read_text(encoding="utf-8") == write(), (
        f"run: uv run relaxor reference {page} > docs/{page}.md"
    )


def rows(page: str) -> Iterator[list[str]]:
    """Yield the cells of every row of every table that has five columns."""
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.replace(r"\|", "¦").split("|")[1:-1]]
        if len(cells) == 5 and cells[0].startswith("`"):
            yield cells


def test_every_setting_says_what_it_is():
    silent = [name for name, _, _, meaning, _ in rows(settings_reference()) if not meaning.endswith(".")]
    assert not silent


def test_every_property_of_the_schema_says_what_it_is():
    whole = json.loads(schema())
    sections = {"the settings": whole, **whole["$defs"]}
    assert {"Chip", "Writing", "Converter", "TableDescription", "Entry"} <= set(sections)
    silent = [
        f"{section}.{name}"
        for section, found in sections.items()
        for name, told in found["properties"].items()
        if not told.get("description", "").endswith(".")
    ]
    assert not silent


def test_no_default_is_shown_as_python_writes_an_object():
    assert not [default for _, default, *_ in rows(settings_reference()) if "(" in default]


@pytest.mark.parametrize("technique", techniques().values(), ids=lambda technique: technique.name)
def test_every_physical_setting_has_a_unit(technique):
    def without(model: type[BaseModel]) -> Iterator[str]:
        for name, field in model.model_fields.items():
            if field.annotation in (float, float | None) and not unit_of(field):
                yield name

    assert not list(without(technique.settings))
