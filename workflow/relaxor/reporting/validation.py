"""Compare our numbers with those that the owners of public raw data publish."""

import math
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

import mistune
import pandas as pd

from relaxor.core.files import write_whole
from relaxor.core.results import NORMAL_QUANTILE, Status
from relaxor.core.storage import load_parameters, numbers_table, save_table
from relaxor.core.units import factor
from relaxor.project.lists import Selector
from relaxor.project.published import (
    SAMPLE,
    PublishedNumber,
    PublishedSet,
    Registry,
    load_registry,
    numbers_of,
    whole_sets,
)
from relaxor.reporting.page import page_of_tables, scrolled
from relaxor.reporting.selectors import one, select

COLUMNS = (
    *("technique", "set", "number", "quantity", "published", "published_error", "unit"),
    *("ours", "standard_error", "systematic_error", "z", "verdict", "status", "evidence", "source"),
    *("other_method", "explanation", "note", "method", "raw_sha256"),
)
NUMERIC = ("published", "published_error", "ours", "standard_error", "systematic_error", "z")
WITHIN, OUTSIDE, FLAGGED, NO_NUMBER, NOT_FETCHED = "within", "outside", "flagged", "no number", "not fetched"
"""Verdicts. A number that is outside is flagged if its own row says that it is not right."""
TRUSTED = (Status.OK, Status.ASSUMED)
"""Statuses of numbers that are said to be right within their errors."""


def compare_published(registry: str, files: str, raw: str, parameters: Sequence[str], comparison: str) -> None:
    """Write ``validation.csv``: every published number beside ours.

    Parameters
    ----------
    registry
        ``config/validation.yaml``.
    files
        Table of the files that are there, of `relaxor.project.published.provide_files`.
    raw
        Folder of these files.
    parameters
        ``…/published_<set>/<technique>/parameters.csv`` of all sets with a sheet of which all files are there.
    comparison
        Table to write. ``z`` is the difference over the combined standard uncertainty of both values. A number is
        *within* if that is at most 1.96, otherwise *outside*, or *flagged* if our row itself says that it is not right;
        *no number* if ours is a limit; *not fetched* if a file of the set is missing.

    Raises
    ------
    SheetError
        If the selector of a number finds no row of the results, or several.
    """
    listed = load_registry(registry)
    places = [Path(path).parent for path in parameters]
    tables = {
        (place.parent.name.removeprefix(SAMPLE), place.name): load_parameters(path)
        for place, path in zip(places, parameters, strict=True)
    }
    here = {name for name, each in listed.sets.items() if not each.files} | set(whole_sets(files))
    for name, each in listed.sets.items():
        if each.function and name in here:
            technique = each.numbers[0].ours.technique
            tables[name, technique] = _computed(each, Path(raw), technique)
    rows = [
        _compare(name, number, tables if name in here else None, f"{registry}: {name}: '{number.id}'")
        for name, number in numbers_of(listed)
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).sort_values("technique", kind="stable", ignore_index=True)
    save_table(comparison, table, digits=12)  # as many as a published value may have


def _computed(each: PublishedSet, raw: Path, technique: str) -> pd.DataFrame:
    """Return the numbers that a function of the library gives from the files of a set."""
    module, _, function = each.function.partition(":")
    numbers = getattr(import_module(module), function)([raw / file.name for file in each.files], **each.settings)
    return numbers_table(numbers, technique)


def load_validation(path: Path | str) -> pd.DataFrame:
    """Load ``validation.csv``, with empty texts and NaN where there is no number."""
    table = pd.read_csv(path, keep_default_na=False, na_values={name: ["", "nan"] for name in NUMERIC})
    return table.astype(dict.fromkeys(NUMERIC, float))


def write_page(comparison: str, registry: str, page: str, shown: str) -> None:
    """Write the comparison as a page: the score, what is outside and why, every number, the sets, and what has none.

    Parameters
    ----------
    comparison
        ``validation.csv``.
    registry
        ``config/validation.yaml``.
    page
        File of Markdown to write.
    shown
        The same as HTML to write, for the report.
    """
    table, listed = load_validation(comparison), load_registry(registry)
    parts = ["# Checked against published numbers", score(table), *_remarks(table), _numbers(table)]
    text = "\n\n".join([*parts, _sets(listed), *_lacking(listed)]) + "\n"
    write_whole(page, text)
    body = str(mistune.create_markdown(escape=True, plugins=["table"])(text))
    write_whole(shown, page_of_tables("Published numbers", scrolled(body)))


def score(table: pd.DataFrame) -> str:
    """Return one sentence: how many numbers are within errors, outside, flagged and missing."""
    count = table["verdict"].value_counts()
    same = table[(table["other_method"] == "") & (table["verdict"] != NOT_FETCHED)]
    share = f"{(same['verdict'] == WITHIN).mean():.0%}" if len(same) else "none"
    words = {
        WITHIN: "within errors",
        OUTSIDE: "outside",
        FLAGGED: "flagged by relaxor itself",
        NO_NUMBER: "without a number of ours",
        NOT_FETCHED: "not fetched",
    }
    shares = ", ".join(f"{count[verdict]} {text}" for verdict, text in words.items() if count.get(verdict))
    return (
        f"{len(table)} published numbers of {table['set'].nunique()} sets and {table['technique'].nunique()} "
        f"techniques: {shares}. Of those with the same method, {share} are within, and half differ by less than "
        f"{same['z'].abs().median():.2f} standard uncertainties (0.67 if all errors were exact)."
    )


def _compare(
    name: str, number: PublishedNumber, tables: Mapping[tuple[str, str], pd.DataFrame] | None, where: str
) -> dict[str, object]:
    told = ("quantity", "unit", "evidence", "source", "other_method", "explanation")
    row: dict[str, object] = {key: getattr(number, key) for key in told}
    row |= {"technique": number.ours.technique, "set": name, "number": number.id}
    row |= {"published": float(number.published), "published_error": number.error}
    if tables is None:
        return row | {"verdict": NOT_FETCHED, "note": "a file of the set is missing: see validation/files.csv"}
    found = tables[name, number.ours.technique]
    if (limit := _limit(found, number.ours)) is not None:
        return row | {"verdict": NO_NUMBER, "status": limit["status"], "note": limit["method"]}
    ours = one(found, number.ours, where)
    scale = factor(str(ours["unit"]), number.unit)
    value, *errors = (float(ours[column]) * scale for column in ("value", "standard_error", "systematic_error"))
    row |= {"ours": value, "standard_error": errors[0], "systematic_error": errors[1]}
    row |= {key: ours[key] for key in ("status", "method", "raw_sha256")}
    whole = math.hypot(number.error, *errors)
    if not (math.isfinite(value) and math.isfinite(whole) and whole > 0):
        return row | {"verdict": NO_NUMBER, "note": "Our value or its error is not known."}
    z = (value - float(number.published)) / whole
    missed = OUTSIDE if ours["status"] in TRUSTED else FLAGGED
    return row | {"z": z, "verdict": WITHIN if abs(z) <= NORMAL_QUANTILE else missed}


def _limit(numbers: pd.DataFrame, ours: Selector) -> pd.Series | None:
    """Return the limit that stands in place of a number."""
    found = select(numbers, ours, "")
    limits = found[found["status"] == Status.LIMIT]
    return limits.iloc[0] if len(limits) else None


def _remarks(table: pd.DataFrame) -> list[str]:
    """Return what is said of every number that is not within its errors, or that has another method."""
    lines = []
    for _, row in table.iterrows():
        words = [row[key] for key in ("other_method", "explanation", "note") if row[key]]
        if row["verdict"] in (FLAGGED, NO_NUMBER) and row["method"]:
            words.append(f"relaxor says: {row['method']}")
        if row["verdict"] not in (WITHIN, NOT_FETCHED) or row["other_method"]:
            lines.append(f"- **{row['set']}: {row['quantity']}** ({row['verdict']}). {' '.join(words)}".rstrip())
    return ["## What differs, and why", "\n".join(lines)] if lines else []


def _numbers(table: pd.DataFrame) -> str:
    shown = pd.DataFrame(
        {
            "technique": table["technique"],
            "set": table["set"],
            "quantity": table["quantity"],
            "published": [_given(row, "published", "published_error") for _, row in table.iterrows()],
            "ours": [_given(row, "ours", "standard_error", "systematic_error") for _, row in table.iterrows()],
            "unit": table["unit"],
            "z": ["–" if math.isnan(z) else f"{z:+.1f}" for z in table["z"]],
            "verdict": table["verdict"],
            "evidence": table["evidence"],
        }
    )
    return "## The numbers\n\n" + shown.to_markdown(index=False, disable_numparse=True)


def _given(row: pd.Series, value: str, *errors: str) -> str:
    """Return a value with its errors, to two digits of the largest of them."""
    if math.isnan(row[value]):
        return "–"
    sizes = [row[error] for error in errors]
    largest = max((size for size in sizes if size > 0), default=1e-3)
    places = max(1 - math.floor(math.log10(largest)), 0)
    return " ± ".join(f"{number:.{places}f}" for number in (row[value], *sizes))


def _sets(registry: Registry) -> str:
    lines = [f"- **{name}**: {each.what}. {each.origin}; {each.licence}." for name, each in registry.sets.items()]
    return "## The sets\n\n" + "\n".join(lines)


def _lacking(registry: Registry) -> list[str]:
    lines = [f"- **{technique}**: {needed}" for technique, needed in registry.lacking.items()]
    return ["## Techniques without a set", "\n".join(lines)] if lines else []
