"""The base of every section of the settings, settings that have a unit, and YAML files that are checked."""

import itertools
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from relaxor.core.errors import SheetError


class Section(BaseModel):
    """A section of the settings: unknown keys are errors, and values cannot be changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def setting(default: Any, unit: str = "1", source: str = "", **bounds: Any) -> Any:
    """Declare a setting with its unit and the source of its default.

    Parameters
    ----------
    default
        Default of the setting.
    unit
        Unit that pint reads; a condition of the sheet with the name of the setting is converted to it.
    source
        Source of the default: a DOI, a data sheet, or the statement that it is assumed.
    bounds
        Bounds as for ``Field`` of pydantic: ``gt``, ``ge``, ``lt``, ``le``.
    """
    return Field(default, json_schema_extra={"unit": unit, "source": source}, **bounds)


def unit_of(field: FieldInfo) -> str:
    """Return the unit of a setting, or an empty string if it has none."""
    extra = field.json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, dict) else ""


def fields_of(section: type) -> Mapping[str, FieldInfo]:
    """Return the settings of a section, which is a model or a plain dataclass; nothing for another type."""
    if not is_dataclass(section):
        return getattr(section, "model_fields", {})
    types = get_type_hints(section, include_extras=True)
    said = TypeAdapter(section).json_schema()["properties"]
    found: dict[str, FieldInfo] = {}
    for each in fields(section):
        found[each.name] = FieldInfo.from_annotated_attribute(types[each.name], each)
        found[each.name].description = said[each.name].get("description")
    return found


def sections_in(annotation: Any) -> list[type]:
    """Return the sections inside the type of a setting."""
    if isinstance(annotation, type) and (issubclass(annotation, BaseModel) or is_dataclass(annotation)):
        return [annotation]
    if get_origin(annotation) is Literal:
        return []
    inner = (section for part in get_args(annotation) if part is not NoneType for section in sections_in(part))
    return list(dict.fromkeys(inner))


DEEPEST = 100
"""Lists and mappings of a YAML file that may stand within each other."""


class _UniqueKeys(yaml.CSafeLoader):
    """A safe loader that refuses a key that stands twice, the first of which PyYAML would drop in silence.

    Its parser is that of libyaml, which every wheel of PyYAML holds: it takes an eighth of the time.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True) if isinstance(key, yaml.ScalarNode) else None
            if name is not None and name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"'{name}' stands twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


def _too_deep(text: str) -> bool:
    """Return whether lists and mappings stand too deeply within each other, at which libyaml would end the process."""
    steps = (
        isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        for event in yaml.parse(text, yaml.CSafeLoader)
    )
    return any(depth > DEEPEST for depth in itertools.accumulate(steps))


def read_yaml(path: Path | str) -> Any:
    """Read a YAML file.

    Raises
    ------
    SheetError
        If it cannot be read.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        if _too_deep(text):
            raise SheetError(f"{path}: cannot be read: lists or mappings stand too deeply within each other")
        return yaml.load(text, _UniqueKeys)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SheetError(f"{path}: cannot be read: {' '.join(str(error).split())}") from error


def load_yaml(path: Path | str, kind: Any, what: str = "") -> Any:
    """Load a YAML file of one kind.

    Parameters
    ----------
    path
        The file.
    kind
        Type that pydantic checks, such as ``list[Claim]``. A file of comments alone is an empty list or mapping.
    what
        Word that precedes the place of an error, such as ``"entry "``.

    Raises
    ------
    SheetError
        If it cannot be read; one line per mistake, which names the file and the key.
    """
    values, collection = read_yaml(path), get_origin(kind)
    if values is None and collection in (list, dict):
        values = collection()
    try:
        return TypeAdapter(kind).validate_python(values, context={"file": path})
    except ValidationError as error:
        places = ((".".join(map(str, detail["loc"])), detail["msg"]) for detail in error.errors())
        raise SheetError("\n".join(f"{path}: {what}{place}: {message}" for place, message in places)) from None
