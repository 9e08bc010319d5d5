"""Comparison of the device with other synaptic devices of the literature.

The literature is a table of single facts, each with the place where it was read. A cell is blank if no value was found;
a blank is printed as such and never replaced by a guess. Our own numbers come from the results, with their uncertainty
and the mark of simulated data.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import TypeAdapter

from relaxor.core.files import write_whole
from relaxor.core.storage import save_table
from relaxor.inpainting.topics import topics
from relaxor.project.lists import SIGNS, Selector, load_literature
from relaxor.reporting.selectors import all_numbers, one, select
from relaxor.reporting.tables import joined, render, value_text

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
        Tidy CSV file to write, with one row per number: first those of the literature in their order (origin
        ``reported``), then ours.
    printed
        Files of the same table for print: ``….md``, ``….tex``, ``….html``.
    device, numbers
        See `relaxor.project.lists.Devices`.

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
    save_table(table, devices)
    text = devices.assign(
        printed=[_printed(row) for _, row in devices.iterrows()],
        systematic=[f"{error:.2g}" if error > 0 else "" for error in devices["systematic_error"]],
    )
    text = text[list(HEADINGS)].rename(columns=HEADINGS)
    caption = CAPTION.format(origin=" and ".join(sorted(set(devices["origin"]) - {""})) + " data")
    for path in map(Path, printed):
        write_whole(path, joined([render(text, path.suffix, caption, path.stem)], path.suffix, "Devices"))


NUMERIC = ("value", "value_high", "standard_error", "systematic_error")
FACT, SOURCE = ("device", "doi", "quantity"), ("measurement", "model", "parameter", "raw_sha256")
TEXTS = (*FACT, "unit", "limit", "origin", "source", *SOURCE)
COLUMNS = (*FACT, *NUMERIC, *TEXTS[len(FACT) :])


def _ours(device: str, quantity: str, selector: Selector, numbers: pd.DataFrame) -> dict[str, Any]:
    """Return our row of one quantity. It is blank and says so if there is no result."""
    row: dict[str, Any] = {"device": device, "quantity": quantity}
    if select(numbers, selector, f"devices: '{quantity}'").empty:
        where = ", ".join(f"{key} {value}" for key, value in selector if value not in ("*", None))
        listed = {each.name: each.unit for each in topics()[selector.technique].quantities}
        return row | {"source": f"no result: no row of {where}", "unit": listed.get(selector.parameter) or ""}
    number = one(numbers, selector, f"devices: '{quantity}'")
    return row | number.to_dict() | {"source": number["method"]}


def _printed(row: pd.Series) -> str:
    if math.isfinite(row["value_high"]):
        return f"{row['value']:g} to {row['value_high']:g}"
    return SIGNS.get(row["limit"], "") + value_text(row["value"], row["standard_error"])
