"""Tables for print: value(uncertainty) with unit and method, one table per technique, as CSV, Markdown and LaTeX."""

import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from uncertainties import ufloat

from relaxor.core.files import write_whole
from relaxor.core.storage import load_parameters

HEADINGS = {
    "measurement": "Measurement",
    "model": "Model",
    "parameter": "Parameter",
    "printed": "Value",
    "systematic": "Systematic",
    "unit": "Unit",
    "status": "Status",
    "interval": "95 % interval",
    "chi_square": "Reduced chi-square",
    "origin": "Data",
    "method": "Method",
}
LATEX = str.maketrans({"_": r"\_", "%": r"\%", "^": r"\^{}", "&": r"\&", "α": r"$\alpha$", "∫": r"$\int$", "−": "$-$"})
"""Characters of our texts that LaTeX does not print unchanged, and their replacements."""


def write_tables(parameters: Sequence[str], tables: Sequence[str]) -> None:
    """Write the table of every technique.

    Parameters
    ----------
    parameters
        ``…/<technique>/parameters.csv``.
    tables
        ``…/<technique>.<csv|md|tex>`` to write, for the same techniques.
    """
    numbers = {Path(path).parent.name: load_parameters(path) for path in parameters}
    for path in map(Path, tables):
        table = printed(numbers[path.stem])
        origin = " and ".join(sorted(set(table["Data"])))
        caption = f"{path.stem}: fitted and derived numbers ({origin} data). One standard error in parentheses."
        notes: Sequence[str] = ()
        if path.suffix != ".csv":  # in print, each method is given once below the table
            codes, notes = pd.factorize(table["Method"].replace("", None))
            table["Method"] = [f"{code + 1}" if code >= 0 else "" for code in codes]
        write_whole(path, render(table, path.suffix, caption, path.stem, notes))


def printed(numbers: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of `HEADINGS` as text, uncertainties in parentheses after the last digits."""
    table = numbers.copy()
    table["printed"] = [value_text(*pair) for pair in zip(table["value"], table["standard_error"], strict=True)]
    table["systematic"] = [f"{error:.2g}" if error else "" for error in table["systematic_error"]]
    table["interval"] = [
        f"{low:.6g} … {high:.6g}" if math.isfinite(low) and math.isfinite(high) else ""
        for low, high in zip(table["ci_low"], table["ci_high"], strict=True)
    ]
    table["chi_square"] = [f"{value:.3g}" if math.isfinite(value) else "" for value in table["reduced_chi_square"]]
    return table[list(HEADINGS)].rename(columns=HEADINGS)


def value_text(value: float, error: float) -> str:
    """Write ``12.345(67)``; a number without uncertainty has six digits."""
    if not math.isfinite(value):
        return "–"
    if not math.isfinite(error) or error <= 0:
        return f"{value:.6g}"
    return f"{ufloat(value, error):.2uS}"


def render(table: pd.DataFrame, suffix: str, caption: str, label: str, notes: Sequence[str] = ()) -> str:
    """Write a table of texts as ``.csv``, ``.md`` or ``.tex``.

    Parameters
    ----------
    table, suffix, caption
        The table, the suffix of its format, and its caption.
    label
        Label by which LaTeX refers to the table.
    notes
        Numbered notes below the table, which ``.csv`` files omit.
    """
    if suffix == ".csv":
        return table.to_csv(index=False, lineterminator="\n")
    if suffix == ".md":
        numbered = [f"{number}. {note}" for number, note in enumerate(notes, start=1)]
        return "\n".join([caption, "", table.to_markdown(index=False), *([""] if numbered else []), *numbered, ""])
    escaped = table.map(_escaped)
    escaped.columns = [_escaped(heading) for heading in escaped.columns]
    text = str(escaped.to_latex(index=False, longtable=True, caption=caption, label=f"tab:{label}"))
    items = [rf"\item {_escaped(note)}" for note in notes]
    return text + "\n".join([r"\begin{enumerate}", *items, r"\end{enumerate}", ""] if items else [])


def _escaped(text: object) -> str:
    return str(text).translate(LATEX)
