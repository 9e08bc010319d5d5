"""Units with one registry, so that every stage spells and converts them in the same way."""

import math
import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pint


@cache
def registry() -> "pint.UnitRegistry":
    """Return the pint registry, which is loaded at the first use because pint takes a quarter of a second."""
    import pint

    units: pint.UnitRegistry = pint.UnitRegistry(preprocessors=[_harmless])
    units.define("atomic_percent = 0.01")
    return units


LONGEST = 100
"""Number of characters of the longest unit that is looked up."""
SIGN = r"(?<!\s)\s*(?:\*\*|\^)"
POWER = re.compile(rf"{SIGN}\s*(?:[-+]?\d{{1,2}}(?:\.\d{{1,4}})?|\([-+]?\d{{1,2}}(?:/\d{{1,2}})?\))(?!{SIGN}|\d)")
"""A power by a short number, which is not itself raised to a power."""


def _harmless(text: str) -> str:
    """Refuse a text of a stranger that pint would calculate for ever, such as ``m**9**9**9``."""
    powers = re.sub(POWER, "", text) if len(text) <= LONGEST else "**"
    if "**" in powers or "^" in powers or len(re.findall(rf"\){SIGN}", text)) > 1:
        raise ValueError(f"'{text[:20]}' is not a unit")
    return text


def parse_unit(text: str) -> "pint.Unit | None":
    """Return the unit that a text of a file means, or None if it is not a unit."""
    try:
        return registry().Unit(text)
    except Exception:  # pint raises errors of many kinds for text that is not a unit
        return None


def factor(from_unit: str, to_unit: str) -> float:
    """Return the factor that converts a value in ``from_unit`` to ``to_unit``.

    Raises
    ------
    ValueError
        If the units are not known or have different dimensions.
    """
    found = _factor(from_unit, to_unit)
    if isinstance(found, str):
        raise ValueError(found)
    return found


def convertible(from_unit: str, to_unit: str) -> bool:
    """Return whether a value in ``from_unit`` can be converted to ``to_unit``."""
    return not isinstance(_factor(from_unit, to_unit), str)


@cache
def _factor(from_unit: str, to_unit: str) -> float | str:
    """Return the factor, or the reason why there is none. The result is cached, because both are requested often."""
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
    if not number.isascii() or "_" in number:
        raise ValueError(f"{number[:20]} is not written in the digits 0 to 9")
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{number} is not finite")
    return value, unit or "1"
