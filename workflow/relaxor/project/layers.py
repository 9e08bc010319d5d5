"""Layers of settings: the library's defaults, the instrument, the lab, the sample, the row of the sheet.

Each layer takes precedence over the previous one. Within a technique, a setting of a layer replaces the whole setting
of the layers below. The row gives a setting as a condition that has its name and a unit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from types import NoneType
from typing import Any, get_args

from pydantic import ValidationError

from relaxor.core.errors import SheetError
from relaxor.core.results import SCAN, Measurement
from relaxor.core.section import unit_of
from relaxor.core.units import factor
from relaxor.techniques.registry import Technique, techniques

LIBRARY, LAB, SAMPLE, ROW = "library", "lab", "sample", "row"


@dataclass(frozen=True)
class Resolved:
    """The settings of a technique for one measurement.

    Attributes
    ----------
    settings
        All settings.
    layer_of
        The layer of each setting: ``library``, ``instrument NAME``, ``lab``, ``sample`` or ``row``.
    """

    settings: Any
    layer_of: Mapping[str, str]


def resolve(technique: Technique, layers: Mapping[str, Any], measurement: Measurement | None = None) -> Resolved:
    """Determine the settings of a technique for a measurement or, without one, for the whole sample.

    Parameters
    ----------
    layers
        The layers that `relaxor.project.settings.Settings.layers` returned.
    measurement
        The measurement, whose attributes ``instrument_named`` (of the sheet) and ``instrument`` (of the header) give
        the instrument, and whose conditions may hold settings.

    Raises
    ------
    SheetError
        If settings that are valid individually are inconsistent.
    """
    values: dict[str, Any] = {}
    layer_of = dict.fromkeys(technique.settings.model_fields, LIBRARY)
    for layer, given in _layers_for(technique, layers, measurement):
        values |= given
        layer_of |= dict.fromkeys(given, layer)
    try:
        return Resolved(technique.settings.model_validate(values), layer_of)
    except ValidationError as error:
        place = f"settings of {technique.name}" + (f" for {measurement.id}" if measurement else "")
        raise SheetError("\n".join(f"{place}: {detail['msg']}" for detail in error.errors())) from None


def _layers_for(
    technique: Technique, layers: Mapping[str, Any], measurement: Measurement | None
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if measurement is not None and (name := instrument_of(measurement.attrs, layers["instruments"])):
        yield f"instrument {name}", layers["instruments"][name]["settings"]
    yield LAB, layers[LAB]
    yield SAMPLE, layers[SAMPLE]
    if measurement is not None:
        units = row_settings(technique)
        yield (
            ROW,
            {
                name: value * factor(unit, units[name])
                for name, (value, unit) in measurement.conditions.items()
                if name in units
            },
        )


def instrument_of(attrs: Mapping[str, Any], instruments: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the instrument of a measurement: that of the sheet, or the first one whose pattern fits the header.

    The name is empty if neither is one of ``instruments``, which are those that state settings of the technique.
    """
    if named := attrs.get("instrument_named"):
        return str(named) if named in instruments else ""
    header = str(attrs.get("instrument", ""))
    return next((name for name, own in instruments.items() if own["header"] and fnmatch(header, own["header"])), "")


def row_settings(technique: Technique) -> dict[str, str]:
    """Return the settings that a row of the sheet may give as a condition, with their units."""
    fields = technique.settings.model_fields.items()
    return {name: unit for name, field in fields if (unit := unit_of(field)) and _is_number(field.annotation)}


def _is_number(annotation: Any) -> bool:
    return annotation is float or set(get_args(annotation)) == {float, NoneType}


def known_conditions(technique: str) -> dict[str, str]:
    """Return every condition that a technique of the sheet knows, with its usual unit."""
    found = techniques().get(technique)
    return {**row_settings(found), **found.conditions.known, SCAN: "1"} if found else {}
