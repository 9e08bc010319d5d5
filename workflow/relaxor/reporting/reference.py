"""Reference pages that are made from the code: every setting, and every number that a technique can give."""

import json
import math
from collections.abc import Iterator
from dataclasses import is_dataclass

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_jsonable_python

from relaxor.core.results import Quantity
from relaxor.core.section import fields_of, sections_in, unit_of
from relaxor.inpainting.topics import topics
from relaxor.project.settings import Settings
from relaxor.techniques.registry import Technique, Topic, techniques

SETTINGS_HEAD = """# Settings

This page lists every setting with its default. The file `config/config.yaml` of a project states only the settings that
differ. Settings of a technique come in layers, each of which takes precedence over the previous one:

1. the defaults below,
2. the instrument, `instruments: {NAME: {raman: …}}`, which a row of the sheet or the header of its file names,
3. the lab: `raman: …` at the top of the settings file,
4. the sample: `samples: {NAME: {raman: …}}`,
5. the row of the sheet: a condition that has the name of a setting with a unit.

`relaxor check --explain MEASUREMENT` shows where each value of a measurement comes from.

This page is written by `relaxor reference settings`.
"""
REPEATED = ("instruments", "samples")
"""Settings that repeat the sections of techniques."""
NUMBERS_HEAD = """# Numbers

This page lists every number that a technique can give, by its name in `parameters.csv`. The column `feature` of that
file states the line, element, cycle or other part of the measurement; `at` and `at_unit` state the value of the varied
quantity. A number without a unit in this list has the unit of its data.

This page is written by `relaxor reference numbers`.
"""


def settings_reference() -> str:
    """Return the reference of all settings as Markdown."""
    lines = [SETTINGS_HEAD, "## Project", "", *_section(Settings, "###")]
    for technique in techniques().values():
        lines += ["", f"## {technique.name}", "", f"{technique.title}.", "", *settings_of(technique)]
    return "\n".join(lines) + "\n"


def settings_of(technique: Technique) -> list[str]:
    """Return the lines of the tables of all settings of a technique."""
    return list(_section(technique.settings, "###"))


def _section(model: type, heading: str) -> Iterator[str]:
    """Yield the table of a section, and the sections in it."""
    yield from _table(model)
    for name, field in fields_of(model).items():
        for inner in () if name in REPEATED else sections_in(field.annotation):
            yield from ("", f"{heading} {name}", "", " ".join((inner.__doc__ or "").split()), "")
            yield from _section(inner, f"{heading}#")


def _table(model: type) -> Iterator[str]:
    yield "| setting | default | unit | meaning | source |"
    yield "| --- | --- | --- | --- | --- |"
    for name, field in fields_of(model).items():
        extra = field.json_schema_extra
        source = extra.get("source", "") if isinstance(extra, dict) else ""
        cells = (f"`{name}`", _default(field), unit_of(field), field.description or "", source)
        yield "| " + " | ".join(" ".join(str(cell).split()).replace("|", r"\|") for cell in cells) + " |"


def _default(field: FieldInfo) -> str:
    """Write a default as in YAML. Sections are written below the table, and required settings have no default."""
    default = field.get_default(call_default_factory=True)
    if default is PydanticUndefined:
        return "must be given"
    if isinstance(default, BaseModel) or is_dataclass(default):
        return "see below"
    if default is None:
        return "`null`"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, float):
        return f"`{default:g}`" if math.isfinite(default) else f"`{default}`"
    if default in ("", {}, []):
        return "none"
    plain = isinstance(default, str) and default == default.strip()
    return f"`{default if plain else json.dumps(to_jsonable_python(default), ensure_ascii=False)}`"


def _unit(quantity: Quantity) -> str:
    return f"{quantity.unit} or as the file has it" if quantity.uncalibrated else quantity.unit or ""


def numbers_reference() -> str:
    """Return the reference of all numbers as Markdown."""
    lines = [NUMBERS_HEAD]
    for topic in topics().values():
        lines += ["", f"## {topic.name}", "", f"{topic.title}.", "", *numbers_of(topic)]
    return "\n".join(lines) + "\n"


def numbers_of(topic: Topic) -> list[str]:
    """Return the lines of the tables of the models and of the quantities of a topic."""
    models = [f"| `{name}` | {meaning} |" for name, meaning in topic.models.items()]
    quantities = [
        f"| `{quantity.name}` | {_unit(quantity)} | {quantity.meaning} | {quantity.systematic} |"
        for quantity in topic.quantities
    ]
    return [
        *("| model | meaning |", "| --- | --- |", *models, ""),
        *("| parameter | unit | meaning | systematic error |", "| --- | --- | --- | --- |", *quantities),
    ]
