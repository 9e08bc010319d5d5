"""The base of every section of the settings, settings that have a unit, and YAML files that are checked."""

from pathlib import Path
from typing import Any

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


def read_yaml(path: Path | str) -> Any:
    """Read a YAML file.

    Raises
    ------
    SheetError
        If it cannot be read.
    """
    try:
        return yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SheetError(f"{path}: cannot be read: {' '.join(str(error).split())}") from error


def load_yaml(path: Path | str, kind: Any, what: str = "") -> Any:
    """Load a YAML file of one kind.

    Parameters
    ----------
    path
        The file.
    kind
        Type that pydantic checks, such as ``list[Claim]``.
    what
        Word that precedes the place of an error, such as ``"entry "``.

    Raises
    ------
    SheetError
        If it cannot be read; one line per mistake, which names the file and the key.
    """
    try:
        return TypeAdapter(kind).validate_python(read_yaml(path))
    except ValidationError as error:
        places = ((".".join(map(str, detail["loc"])), detail["msg"]) for detail in error.errors())
        raise SheetError("\n".join(f"{path}: {what}{place}: {message}" for place, message in places)) from None
