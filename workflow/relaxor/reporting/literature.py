"""Comparison with other synaptic devices: what the literature states beside what our data give (Table S1).

The literature is a table of single facts, each with the place where it was read. Where no value was found the cell is
blank: a blank is printed as such, never guessed. Our own numbers come from the results, with their uncertainty and the
mark of simulated data.
"""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BeforeValidator, Field, FiniteFloat, TypeAdapter, ValidationError, model_validator

from relaxor.core.errors import SheetError
from relaxor.core.results import atomic
from relaxor.core.section import Section
from relaxor.core.units import factor, parse_unit
from relaxor.reporting.selectors import Selector, all_numbers
from relaxor.reporting.tables import render, value_text

REPORTED = "reported"
"""Origin of a number that was read in a paper."""
CAPTION = (
    "Comparison with other synaptic devices ({origin}). One standard error in parentheses; – where no value was found."
)
HEADINGS = {
    "device": "Device",
    "doi": "DOI",
    "quantity": "Quantity",
    "printed": "Value",
    "systematic": "Systematic",
    "unit": "Unit",
    "origin": "Data",
    "source": "Source",
}
Value = Annotated[FiniteFloat | None, BeforeValidator(lambda text: text or None)]
"""A number, or nothing where none was found."""


class Fact(Section):
    """One line of the literature table."""

    device: str = Field(min_length=1)
    doi: str = Field(pattern=r"^(10\.\d{4,}/\S+)?$")
    quantity: str = Field(min_length=1)
    value: Value
    """The number, or the low end of a range."""
    value_high: Value
    """The high end of a range."""
    unit: str = Field(min_length=1)
    limit: Literal["", "at least", "at most"]
    """What the number is a limit of."""
    source: str = Field(min_length=1)
    """Where it was read, and whether the DOI was verified."""

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


def compare(
    literature: str,
    parameters: Sequence[str],
    table: str,
    printed: Sequence[str],
    *,
    device: str,
    numbers: Mapping[str, Any],
) -> None:
    """Write the comparison of our device with others.

    Parameters
    ----------
    literature
        CSV with the columns of `Fact`.
    parameters
        ``…/<technique>/parameters.csv`` of the techniques that ``numbers`` names.
    table
        Tidy CSV to write, one row a number: those of the literature in their order (origin ``reported``), then ours.
    printed
        The same for print: ``….md``, ``….tex``.
    device, numbers
        See `relaxor.project.comparisons.Devices`.

    Raises
    ------
    SheetError
        If a line of the literature is not valid, naming it and what was expected; if a selector finds several numbers.
    """
    facts = [vars(fact) | {"origin": REPORTED} for fact in load_literature(literature)]
    found = all_numbers(parameters)
    selectors = TypeAdapter(dict[str, Selector]).validate_python(dict(numbers))
    rows = facts + [_ours(device, quantity, selector, found) for quantity, selector in selectors.items()]
    devices = pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(NUMERIC, float))
    devices[list(TEXTS)] = devices[list(TEXTS)].astype(object).fillna("")
    with atomic(table) as temporary:
        devices.to_csv(temporary, index=False, float_format="%.10g", lineterminator="\n")
    text = devices.assign(
        printed=[_printed(row) for _, row in devices.iterrows()],
        systematic=[f"{error:.2g}" if error > 0 else "" for error in devices["systematic_error"]],
    )
    text = text[list(HEADINGS)].rename(columns=HEADINGS)
    caption = CAPTION.format(origin=" and ".join(sorted(set(devices["origin"]) - {""})) + " data")
    for path in map(Path, printed):
        with atomic(path) as temporary:
            temporary.write_text(render(text, path.suffix, caption, path.stem), encoding="utf-8")


NUMERIC = ("value", "value_high", "standard_error", "systematic_error")
TEXTS = (
    "device",
    "doi",
    "quantity",
    "unit",
    "limit",
    "origin",
    "source",
    "measurement",
    "model",
    "parameter",
    "raw_sha256",
)
COLUMNS = (*TEXTS[:3], *NUMERIC, *TEXTS[3:])


def load_literature(path: Path | str) -> list[Fact]:
    """Load and check the literature table.

    Raises
    ------
    SheetError
        Naming the line, the column, what was found and what is expected.
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
            raise SheetError(f"{place}: '{fact.quantity}' of '{fact.device}' stands in line {seen[key]} already")
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


def _ours(device: str, quantity: str, selector: Selector, numbers: pd.DataFrame) -> dict[str, Any]:
    """Make our row of one quantity; blank, and saying so, where there is no result."""
    row: dict[str, Any] = {"device": device, "quantity": quantity}
    where = ", ".join(f"{key} {pattern}" for key, pattern in selector if pattern != "*")
    found = selector.of(numbers)
    if len(found) > 1:
        raise SheetError(f"devices: '{quantity}': {where} finds {len(found)} numbers instead of one")
    if found.empty:
        return row | {"source": f"no result: no row of {where}"}
    number = found.iloc[0]
    taken = ("value", *NUMERIC[2:], "unit", "origin", "measurement", "model", "parameter", "raw_sha256")
    return row | {key: number[key] for key in taken} | {"source": number["method"]}


def _printed(row: pd.Series) -> str:
    if math.isfinite(row["value_high"]):
        return f"{row['value']:g} to {row['value_high']:g}"
    sign = {"at least": "≥ ", "at most": "≤ "}.get(row["limit"], "")
    return sign + value_text(row["value"], row["standard_error"])
