"""Tables for print: value(uncertainty) with unit, raw file and method, one table per technique.

Markdown, LaTeX and HTML begin with tables of one line per peak, point or element; CSV holds one number per line.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from uncertainties import ufloat

from relaxor.core.files import atomic, write_whole
from relaxor.core.results import Status
from relaxor.core.storage import ROWS, load_parameters
from relaxor.reporting.page import page_of_tables, table_of

HEADINGS = {
    "measurement": "Measurement",
    "model": "Model",
    "parameter": "Parameter",
    "feature": "Feature",
    "varied": "At",
    "printed": "Value",
    "systematic": "Systematic",
    "unit": "Unit",
    "status": "Status",
    "interval": "95 % interval",
    "chi_square": "Reduced chi-square",
    "origin": "Data",
    "raw": "Raw file (SHA-256)",
    "method": "Method",
}
SHORT = 12
"""Digits of a SHA-256 that stand in a printed table, as in short names of commits; the notes below it have all."""
LINES = "In parentheses, one standard uncertainty, statistical and systematic together."
"""What the caption of a table of one line per peak says of its errors."""
MOST_ROWS = 20_000
"""Largest number of rows of a printed table, which nobody would read on paper."""
MANY = 3
"""Number of raw files behind one number from which on they are counted, not listed."""
LATEX = str.maketrans(
    {character: f"\\{character}" for character in "_%&#${}"}
    | {"^": r"\^{}", "~": r"\~{}", "\\": r"\textbackslash{}", "α": r"$\alpha$", "∫": r"$\int$", "−": "$-$"}
)
"""Characters of our texts that LaTeX does not print unchanged, and their replacements."""


def write_tables(parameters: Sequence[str], tables: Sequence[str], *, files: Mapping[str, str]) -> None:
    """Write the table of every technique.

    Parameters
    ----------
    parameters
        ``…/<technique>/parameters.csv``.
    tables
        ``…/<technique>.<csv|md|tex|html>`` to write, for the same techniques.
    files
        Measurement → its raw file.
    """
    numbers = {Path(path).parent.name: load_parameters(path) for path in parameters}
    for path in map(Path, tables):
        rows = numbers[path.stem]
        if path.suffix == ".csv":
            _write_csv(path, rows)
            continue
        more = (
            f" Of the first {MOST_ROWS} of {len(rows)} numbers; {path.stem}.csv has all."
            if len(rows) > MOST_ROWS
            else ""
        )
        rows = rows[:MOST_ROWS]
        table = printed(rows)
        codes, methods = pd.factorize(table["Method"].replace("", None))  # each method is given once below the table
        table["Method"] = [f"{code + 1}" if code >= 0 else "" for code in codes]
        origin = " and ".join(sorted(set(table["Data"])))
        caption = f"{path.stem}: fitted and derived numbers ({origin} data). One standard error in parentheses.{more}"
        whole = render(table, path.suffix, caption, path.stem, [*methods, *_raw_files(rows, files)])
        lines = [
            render(each, path.suffix, f"{path.stem}: {model} ({origin} data). {LINES}{more}", f"{path.stem}-{model}")
            for model, each in by_feature(rows).items()
        ]
        write_whole(path, joined([*lines, whole], path.suffix, path.stem))


def _write_csv(path: Path, numbers: pd.DataFrame) -> None:
    """Write all numbers, of which some thousand at a time are held as text."""
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        for first in range(0, max(len(numbers), 1), ROWS):
            table = printed(numbers[first : first + ROWS]).map(_no_formula)
            table.to_csv(stream, index=False, header=first == 0, lineterminator="\n")


def printed(numbers: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of `HEADINGS` as text, uncertainties in parentheses after the last digits."""
    table = numbers.copy()
    table["varied"] = _varied(numbers)
    table["printed"] = [value_text(*pair) for pair in zip(table["value"], table["standard_error"], strict=True)]
    table["systematic"] = [f"{error:.2g}" if error else "" for error in table["systematic_error"]]
    table["interval"] = [
        f"{low:.6g} … {high:.6g}" if math.isfinite(low) and math.isfinite(high) else ""
        for low, high in zip(table["ci_low"], table["ci_high"], strict=True)
    ]
    table["chi_square"] = [f"{value:.3g}" if math.isfinite(value) else "" for value in table["reduced_chi_square"]]
    table["raw"] = [short_hash(hashes) for hashes in table["raw_sha256"]]
    return table[list(HEADINGS)].rename(columns=HEADINGS)


def by_feature(numbers: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return, for each model with several numbers of a line, point or element, a table of one line for each of these.

    A cell is the value with its combined standard uncertainty, followed by the status if that is not ``ok``.
    """
    errors = [math.hypot(*pair) for pair in zip(numbers["standard_error"], numbers["systematic_error"], strict=True)]
    cells = [
        value_text(value, error) + ("" if status == Status.OK else f" {status}")
        for value, error, status in zip(numbers["value"], errors, numbers["status"], strict=True)
    ]
    units = ["" if unit == "1" else f" ({unit})" for unit in numbers["unit"]]
    table = numbers.assign(cell=cells, varied=_varied(numbers), column=numbers["parameter"] + units)
    table = table[(table["feature"] != "") | (table["varied"] != "")]
    keys = {"measurement": "Measurement", "feature": "Feature", "varied": "At"}
    wide = {}
    for model, rows in table.groupby("model", sort=False):
        columns = rows["column"].unique()
        if len(columns) > 1:
            lines = rows.pivot_table(index=[*keys], columns="column", values="cell", aggfunc="; ".join, sort=False)
            lines = lines[columns].fillna("").reset_index().rename(columns=keys).rename_axis(columns=None)
            wide[str(model)] = lines.loc[:, (lines != "").any()]
    return wide


def _varied(numbers: pd.DataFrame) -> list[str]:
    """Write the value of what was varied, with its unit."""
    return [
        f"{at:.6g} {unit}".removesuffix(" 1").strip() if math.isfinite(at) else ""
        for at, unit in zip(numbers["at"], numbers["at_unit"], strict=True)
    ]


def short_hash(hashes: str) -> str:
    """Name raw files by the first digits of their SHA-256."""
    each = hashes.split(",")
    return f"{len(each)} files" if len(each) >= MANY else ", ".join(name[:SHORT] for name in each)


def _raw_files(numbers: pd.DataFrame, files: Mapping[str, str]) -> list[str]:
    """Name the raw file of each measurement with its whole SHA-256."""
    named = numbers.drop_duplicates(["measurement", "raw_sha256"])
    return [
        f"{measurement}: {files.get(measurement, '')} SHA-256 {each.replace(',', ', ')}".replace(":  ", ": ")
        for measurement, each in zip(named["measurement"], named["raw_sha256"], strict=True)
        if each
    ]


def value_text(value: float, error: float) -> str:
    """Write ``12.345(67)``; a number without uncertainty has six digits."""
    if not math.isfinite(value):
        return "–"
    if not math.isfinite(error) or error <= 0:
        return f"{value:.6g}"
    return f"{ufloat(value, error):.2uS}"


def render(table: pd.DataFrame, suffix: str, caption: str, label: str, notes: Sequence[str] = ()) -> str:
    """Write a table of texts for print.

    Parameters
    ----------
    table, caption
        The table and its caption.
    suffix
        ``.md``, ``.tex`` or ``.html``; `joined` makes a page of the last.
    label
        Label by which LaTeX refers to the table.
    notes
        Numbered notes below the table.
    """
    if suffix == ".html":
        return table_of(caption, table, notes)
    if suffix == ".md":
        cells = table.map(lambda text: " ".join(str(text).split()).replace("|", r"\|"))
        numbered = [f"{number}. {note}" for number, note in enumerate(notes, start=1)]
        lines = cells.to_markdown(index=False, disable_numparse=True)
        return "\n".join([caption, "", lines, *([""] if numbered else []), *numbered, ""])
    escaped = table.map(_escaped)
    escaped.columns = [_escaped(heading) for heading in escaped.columns]
    text = str(escaped.to_latex(index=False, longtable=True, caption=caption, label=f"tab:{label}"))
    items = [rf"\item {_escaped(note)}" for note in notes]
    return text + "\n".join([r"\begin{enumerate}", *items, r"\end{enumerate}", ""] if items else [])


def joined(tables: Sequence[str], suffix: str, title: str) -> str:
    """Join tables that `render` wrote to one file."""
    text = "\n".join(tables)
    return page_of_tables(title, text) if suffix == ".html" else text


def _no_formula(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "@")) else text


def _escaped(text: object) -> str:
    return str(text).translate(LATEX)
