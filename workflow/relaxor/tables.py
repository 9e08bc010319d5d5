"""Tables for print: value(uncertainty) with unit and method, one table a technique, as CSV, Markdown and LaTeX."""

import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from uncertainties import ufloat

from relaxor.data import atomic, load_parameters

HEADINGS = {
    "measurement": "Measurement",
    "model": "Model",
    "parameter": "Parameter",
    "printed": "Value",
    "systematic": "Systematic",
    "unit": "Unit",
    "interval": "95 % interval",
    "origin": "Data",
}


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
        with atomic(path) as temporary:
            temporary.write_text(render(table, path.suffix, caption, path.stem), encoding="utf-8")


def printed(numbers: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of `HEADINGS` as text, uncertainties in parentheses after the last digits."""
    table = numbers.copy()
    table["printed"] = [value_text(*pair) for pair in zip(table["value"], table["standard_error"], strict=True)]
    table["systematic"] = [f"{error:.2g}" if error else "" for error in table["systematic_error"]]
    table["interval"] = [
        f"{low:.6g} … {high:.6g}" if math.isfinite(low) and math.isfinite(high) else ""
        for low, high in zip(table["ci_low"], table["ci_high"], strict=True)
    ]
    return table[list(HEADINGS)].rename(columns=HEADINGS)


def value_text(value: float, error: float) -> str:
    """Write ``12.345(67)``; a number without uncertainty gets six digits."""
    if not math.isfinite(value):
        return "–"
    if not math.isfinite(error) or error <= 0:
        return f"{value:.6g}"
    return f"{ufloat(value, error):.2uS}"


def render(table: pd.DataFrame, suffix: str, caption: str, label: str) -> str:
    """Write a table of texts as ``.csv``, ``.md`` or ``.tex``; ``label`` is what LaTeX refers to it by."""
    if suffix == ".csv":
        return table.to_csv(index=False, lineterminator="\n")
    if suffix == ".md":
        return f"{caption}\n\n{table.to_markdown(index=False)}\n"
    escaped = table.map(_escaped)
    escaped.columns = [_escaped(heading) for heading in escaped.columns]
    return str(escaped.to_latex(index=False, longtable=True, caption=caption, label=f"tab:{label}"))


def _escaped(text: object) -> str:
    return str(text).replace("_", r"\_").replace("%", r"\%").replace("^", r"\^{}").replace("&", r"\&")
