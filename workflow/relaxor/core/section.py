"""The base of every section of the settings, and settings that have a unit."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo


class Section(BaseModel):
    """A section of the settings: closed (an unknown key is an error) and fixed once loaded."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def setting(default: Any, unit: str = "1", source: str = "", **bounds: Any) -> Any:
    """Declare a setting with its unit and the source of its default.

    Parameters
    ----------
    default
        Its default.
    unit
        Unit that pint reads; a condition of the sheet with the name of the setting is converted to it.
    source
        Where the default comes from: a DOI, a data sheet, or that it is assumed.
    bounds
        As pydantic's ``Field`` takes them: ``gt``, ``ge``, ``lt``, ``le``.
    """
    return Field(default, json_schema_extra={"unit": unit, "source": source}, **bounds)


def unit_of(field: FieldInfo) -> str:
    """Return the unit of a setting; empty if it states none."""
    extra = field.json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, dict) else ""
