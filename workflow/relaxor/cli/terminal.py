"""The tables that the command shows on the screen; they are also readable without colour."""

import math
import sys
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from relaxor.core.section import unit_of
from relaxor.project.layers import LIBRARY, Resolved
from relaxor.project.lists import SIGNS
from relaxor.project.preflight import Checked
from relaxor.project.proposals import Proposal
from relaxor.reporting.claims import AGREES, DIFFERS, FLAGGED, NOT_RETURNED, NOT_TESTABLE, RETURNED
from relaxor.reporting.tables import value_text

LONGEST_VALUE = 60
"""Largest number of characters that are shown of a value of the settings."""
WIDTH = 200
"""Width of a table in characters if the output is not a terminal."""
VERDICTS = {
    AGREES: ("✓", "green"),
    DIFFERS: ("✗", "bold red"),
    RETURNED: ("↺", "cyan"),
    NOT_RETURNED: ("✗", "bold red"),
    FLAGGED: ("?", "yellow"),
    NOT_TESTABLE: ("–", "dim"),
}
"""The mark and the style of each verdict."""
NUMERIC = (("z", 2), ("could_see", 2))
"""Columns of claims that are shown with so many digits, or left empty."""


def show(table: Table) -> None:
    """Print a table. In a file or a pipe it has no colour, and is wide enough for the names of files."""
    Console(width=None if sys.stdout.isatty() else WIDTH).print(table)


def files_table(rows: Iterable[Sequence[str]]) -> Table:
    """Make the table of ``relaxor inspect``."""
    table = Table("file", "format", "technique", "content", "acquired", "remarks")
    for row in rows:
        table.add_row(*map(escape, row))
    return table


def proposals_table(proposals: Sequence[Proposal], refused: Mapping[str, str]) -> Table:
    """Make the table of ``relaxor add``: the proposed rows, and the files that are not added."""
    table = Table("measurement", "technique", "file", "conditions", "remarks")
    for proposal in proposals:
        remarks = "; ".join(filter(None, [proposal.wants, proposal.note]))
        conditions = "; ".join(f"{name}={value}" for name, value in proposal.conditions.items())
        cells = (proposal.measurement, proposal.technique, proposal.file, conditions, remarks)
        table.add_row(*map(escape, cells), style="yellow" if proposal.wants else None)
    for name, reason in refused.items():
        table.add_row(*map(escape, ("not added", "–", name, "", reason)), style="dim")
    return table


def checked_table(found: Sequence[Checked]) -> Table:
    """Make the table of ``relaxor check``: one line per sample and technique."""
    table = Table("sample", "technique", "files", "readable", "checksums", "conditions", "problems")
    groups: dict[tuple[str, str], list[Checked]] = {}
    for each in found:
        groups.setdefault((each.row["sample"], each.row["technique"]), []).append(each)
    for (sample, technique), group in groups.items():
        recorded = [each for each in group if each.unchanged is not None]
        sums = f"{sum(each.unchanged is True for each in group)} of {len(recorded)}" if recorded else "none recorded"
        remote = sum(each.readable is None for each in group)
        problems = sum(len(each.problems) for each in group)
        table.add_row(
            escape(sample),
            technique,
            str(len(group)),
            str(sum(each.readable is True for each in group)) + (f", {remote} not fetched" if remote else ""),
            sums,
            str(sum(each.told is True for each in group)),
            str(problems or ""),
            style="red" if problems else None,
        )
    return table


def settings_table(technique: str, resolved: Resolved) -> Table:
    """Make the table of ``relaxor check --explain``: each setting of a measurement and where it comes from."""
    table = Table("setting", "value", "unit", "from", title=f"settings of {technique}", title_justify="left")
    for name, field in type(resolved.settings).model_fields.items():
        layer = resolved.layer_of[name]
        value = str(getattr(resolved.settings, name))
        short = value if len(value) <= LONGEST_VALUE else f"{value[: LONGEST_VALUE - 1]}…"
        table.add_row(*map(escape, (name, short, unit_of(field), layer)), style="dim" if layer == LIBRARY else None)
    return table


def claims_table(claims: pd.DataFrame) -> Table:
    """Make the table of ``relaxor claims``: each reported number next to ours, with a mark for the verdict."""
    table = Table("", "panel", "quantity", "paper", "ours", "unit", "z", "could see", "verdict", "data", "remarks")
    for _, claim in claims.iterrows():
        mark, look = VERDICTS[claim["verdict"]]
        sign = SIGNS[claim["relation"]]
        error = math.hypot(*(value for value in (claim["standard_error"], claim["systematic_error"]) if value == value))
        z, reach = (f"{claim[name]:.{digits}g}" if math.isfinite(claim[name]) else "" for name, digits in NUMERIC)
        paper, ours = f"{sign}{claim['reported']}", value_text(claim["ours"], error)
        status = "" if claim["status"] in ("", "ok") else claim["status"]
        remarks = "; ".join(filter(None, (status, "the paper contradicts itself" if claim["contradiction"] else "")))
        cells = (claim["panel"], claim["quantity"], paper, ours, claim["unit"], z, reach, claim["verdict"])
        table.add_row(mark, *map(escape, map(str, (*cells, claim["origin"], remarks))), style=look)
    return table


def claims_summary(claims: pd.DataFrame) -> str:
    """Count the verdicts in one line, which says whether the data are simulated."""
    counts = ", ".join(f"{count} {verdict}" for verdict, count in claims["verdict"].value_counts().items())
    contradictions = f"; the paper contradicts {(claims['contradiction'] != '').sum()} of them itself"
    simulated = int((claims["origin"] == "simulated").sum())
    said = f". {simulated} are tested with SIMULATED data: 'returned' means that what was put in came back"
    return f"{len(claims)} claims: {counts}{contradictions}" + (said if simulated else "")
