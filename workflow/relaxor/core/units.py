"""Units: one registry, so that every stage spells and converts them alike."""

import math
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pint


@cache
def registry() -> "pint.UnitRegistry":
    """Return the project's pint registry (loaded when first used: pint costs a quarter of a second)."""
    import pint

    units: pint.UnitRegistry = pint.UnitRegistry()
    units.define("atomic_percent = 0.01")
    return units


def parse_unit(text: str) -> "pint.Unit | None":
    """Return the unit that text from a file means, or nothing where it means none."""
    try:
        return registry().Unit(text)
    except Exception:  # pint raises errors of many kinds on text that is no unit
        return None


def factor(from_unit: str, to_unit: str) -> float:
    """Return what a value in ``from_unit`` is multiplied by to be in ``to_unit``.

    Raises
    ------
    ValueError
        If the units are not known or not of one dimension.
    """
    found = _factor(from_unit, to_unit)
    if isinstance(found, str):
        raise ValueError(found)
    return found


def convertible(from_unit: str, to_unit: str) -> bool:
    """Return whether a value in ``from_unit`` can be given in ``to_unit``."""
    return not isinstance(_factor(from_unit, to_unit), str)


@cache
def _factor(from_unit: str, to_unit: str) -> float | str:
    """Return the factor, or why there is none: both are asked for again and again."""
    if from_unit == to_unit:
        return 1.0
    import pint

    try:
        return float(registry().Quantity(1.0, from_unit).to(to_unit).magnitude)
    except (pint.DimensionalityError, pint.UndefinedUnitError) as error:
        return str(error)


@cache
def parse_quantity(text: str) -> tuple[float, str]:
    """Split ``"2.5 mW"`` into its value, which is finite, and its unit; a bare number has the unit ``"1"``."""
    number, _, unit = text.strip().partition(" ")
    registry().Unit(unit or "dimensionless")
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{number} is not finite")
    return value, unit or "1"
