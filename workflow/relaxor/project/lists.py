"""Types of the lists that settings name: claims of a paper, checks of results, facts of the literature."""

import csv
import math
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    FiniteFloat,
    NonNegativeFloat,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from relaxor.core.errors import SheetError
from relaxor.core.section import Section, load_yaml
from relaxor.core.units import factor, parse_unit
from relaxor.techniques.registry import current_name


def _present(name: str, told: ValidationInfo) -> str:
    return current_name(name, str((told.context or {}).get("file", "a list of the settings")))


SIGNS = {"equal": "", "at least": "≥ ", "at most": "≤ "}
"""What stands before a value that is meant in one of these ways."""
TechniqueName = Annotated[str, AfterValidator(_present)]


class Selector(Section):
    """A selection of rows of ``parameters.csv``; ``*`` stands for any text."""

    technique: TechniqueName
    """Technique that the number belongs to."""
    parameter: str
    """Name of the number."""
    measurement: str = "*"
    """Name of the measurement, or of the combination of several measurements."""
    model: str = "*"
    """Model that gave the number."""
    feature: str = "*"
    """Line, code, cycle or other part of the measurement."""
    at: float | None = None
    """Value of the varied quantity, where the number belongs to one such value; null means any value."""


def printed_error(text: str) -> float:
    """Return the standard uncertainty of a printed number: half a unit of its last digit, evenly distributed."""
    return 0.5 * 10.0 ** int(Decimal(text).as_tuple().exponent) / math.sqrt(3)


class Claim(Section):
    """One number that the paper reports."""

    id: str
    """Name of the claim, unique in the list."""
    panel: str
    """Panels that show the quantity, separated by commas."""
    quantity: str
    """The claimed quantity in words."""
    reported: str
    """The value as printed. Its digits determine its rounding; a bound is not rounded."""
    rounding: NonNegativeFloat | None = None
    """Largest rounding error of the printed value, in its unit, if the digits do not show it; 0 means exact."""
    unit: str
    """Unit of the printed value."""
    relation: Literal["equal", "at least", "at most"] = "equal"
    """Whether the value itself is claimed, or an upper or lower bound."""
    ours: Selector | None = None
    """Selection of the one number of the results that tests the claim."""
    contradiction: str = ""
    """Another statement of the paper that contradicts the claim."""
    not_testable: str = ""
    """The reason for which the data cannot test the claim."""

    @model_validator(mode="after")
    def _answerable(self) -> "Claim":
        if (self.ours is None) == (not self.not_testable):
            raise ValueError("give either 'ours' or 'not_testable'")
        return self

    @property
    def reported_error(self) -> float:
        """Standard uncertainty of the printed value: half a unit of its last digit, evenly distributed."""
        if self.rounding is not None:
            return self.rounding / math.sqrt(3)
        return printed_error(self.reported) if self.relation == "equal" else 0.0


class Check(Section):
    """Bounds within which numbers must lie."""

    what: str
    """The physical law in words."""
    numbers: Selector
    """The numbers that must obey the law."""
    sample: str = ""
    """The only sample that must obey it; all by default."""
    combine: Literal["each", "sum by measurement and model"] = "each"
    """Whether each number or their sum must obey the law."""
    at_least: float = -math.inf
    """Lower bound."""
    at_most: float = math.inf
    """Upper bound."""


Value = Annotated[FiniteFloat | None, BeforeValidator(lambda text: text or None)]
"""A number, or nothing if none was found."""


class Fact(Section):
    """One line of the literature table."""

    device: str = Field(min_length=1)
    """Name of the device."""
    doi: str = Field(pattern=r"^(10\.\d{4,}/\S+)?$")
    """Paper that states the fact."""
    quantity: str = Field(min_length=1)
    """The quantity that is stated."""
    value: Value
    """The number, or the low end of a range."""
    value_high: Value
    """The high end of a range."""
    unit: str = Field(min_length=1)
    """Unit that pint reads."""
    limit: Literal["", "at least", "at most"]
    """The kind of limit that the number is."""
    source: str = Field(min_length=1)
    """The place where the fact was read, and whether the DOI was verified."""

    @model_validator(mode="after")
    def _meaningful(self) -> "Fact":
        if parse_unit(self.unit) is None:
            raise ValueError(f"column 'unit': '{self.unit}' is not a unit that pint knows")
        if self.value is None and (self.value_high is not None or self.limit):
            raise ValueError("column 'value': blank, but the line gives a range or a limit")
        if self.value_high is not None and self.value_high <= (self.value or 0.0):
            raise ValueError(f"column 'value_high': {self.value_high:g} is not above value {self.value:g}")
        if self.value_high is not None and self.limit:
            raise ValueError("column 'limit': a range cannot be a limit")
        return self


class Devices(Section):
    """The numbers of the results that are compared with those of the literature."""

    device: str = "this work"
    """Name of our device in the table."""
    numbers: dict[str, Selector] = {}
    """The one number of the results for each quantity. Without any, no table is made."""


def load_claims(path: Path | str) -> list[Claim]:
    """Load the claims of a paper; errors as `relaxor.core.section.load_yaml`."""
    return load_yaml(path, list[Claim], "entry ")


def load_checks(path: Path | str) -> list[Check]:
    """Load the checks of results; errors as `relaxor.core.section.load_yaml`."""
    return load_yaml(path, list[Check], "entry ")


def load_literature(path: Path | str) -> list[Fact]:
    """Load and check the literature table.

    Raises
    ------
    SheetError
        If a line is not valid; the message names the line, the column, the text that was found and the expected one.
    """
    expected = list(Fact.model_fields)
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            header = next(reader, [])
            lines = [(reader.line_num, cells) for cells in reader if cells]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SheetError(f"{path}: cannot be read: {error}") from error
    if header != expected:
        raise SheetError(f"{path}: line 1: expected the columns {','.join(expected)}, found {','.join(header)}")
    facts: list[Fact] = []
    seen: dict[tuple[str, str], int] = {}
    units: dict[str, str] = {}
    for number, cells in lines:
        place = f"{path}: line {number}"
        if len(cells) != len(expected):
            raise SheetError(f"{place}: expected {len(expected)} cells, found {len(cells)}")
        try:
            fact = Fact.model_validate(dict(zip(expected, (cell.strip() for cell in cells), strict=True)))
        except ValidationError as error:
            raise SheetError("\n".join(f"{place}: {_explain(detail)}" for detail in error.errors())) from None
        key = (fact.device, fact.quantity)
        if key in seen:
            raise SheetError(f"{place}: '{fact.quantity}' of '{fact.device}' is already in line {seen[key]}")
        seen[key] = number
        try:
            factor(fact.unit, units.setdefault(fact.quantity, fact.unit))
        except ValueError as error:
            raise SheetError(
                f"{place}: column 'unit': '{fact.quantity}' has another dimension above: {error}"
            ) from None
        facts.append(fact)
    return facts


def _explain(detail: Any) -> str:
    if not detail["loc"]:
        return str(detail["msg"]).removeprefix("Value error, ")
    column = detail["loc"][0]
    wanted = {
        "value": "a number or nothing",
        "value_high": "a number or nothing",
        "doi": "'10.…/…' or nothing",
        "limit": "'', 'at least' or 'at most'",
    }.get(column, "a text")
    return f"column '{column}': expected {wanted}, found '{detail['input']}'"
