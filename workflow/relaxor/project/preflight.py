"""Checks before a run: settings, sheet, files, checksums, conditions, and whether the analyses accept the files."""

import contextlib
import difflib
import glob
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr

from relaxor.core.checksums import changed, recorded_sum
from relaxor.core.errors import ReadError, RelaxorError, SheetError, nearest
from relaxor.core.remote import is_remote
from relaxor.core.results import Measurement
from relaxor.project.figure_list import fed_panels, load_figures
from relaxor.project.layers import Resolved, known_conditions, resolve
from relaxor.project.lists import load_checks, load_claims, load_literature
from relaxor.project.pipeline import beside
from relaxor.project.remembered import Answered, state_of
from relaxor.project.settings import Settings, lacking_setting
from relaxor.project.sheet import main_sample, require_samples
from relaxor.project.snakemake_adapter import code_of_all
from relaxor.project.trial import refusals
from relaxor.readers import read
from relaxor.readers.tables.description import stated
from relaxor.techniques.contents import Contents
from relaxor.techniques.registry import OTHER, techniques

STORE = Path(".snakemake/relaxor_checks.json")
"""Where the answers of a check are stored."""
COMPANIONS = (".emi", ".dat")
"""Suffixes of files whose data lie in other files, the names of which begin with the same letters."""
SLIP = 0.8
"""Similarity (`difflib`) above which a name counts as misspelt: one of five letters wrong, or two exchanged."""


@dataclass(frozen=True)
class Checked:
    """One row of the sheet, its line, and whether its file is readable, unchanged and described completely.

    ``unchanged`` is None if no checksum is recorded, and all are None if only a run fetches the file.
    """

    row: dict[str, Any]
    readable: bool | None
    unchanged: bool | None
    told: bool | None
    problems: tuple[str, ...]


def check_lists(settings: Settings) -> tuple[list[dict[str, Any]], list[str]]:
    """Load the sheet and every list that the settings name.

    Returns
    -------
    rows, problems
        The rows of the sheet (none if it is not valid), and one line per mistake.
    """
    rows: list[dict[str, Any]] = []
    problems: list[str] = []

    def sheet() -> None:
        figures = load_figures(beside(settings.figures))
        panels = [panel.id for figure in figures.values() for panel in figure.panels.values()]
        rows.extend(settings.load_sheet(panels=tuple(panels)))
        require_samples(filter(None, [settings.sample, *settings.samples]), rows, settings.sheet)
        fed_panels(figures, rows, main_sample(settings.sample, rows))

    parts: Sequence[Callable[[], object]] = (
        sheet,
        partial(load_claims, beside(settings.claims)),
        partial(load_checks, beside(settings.checks)),
        partial(load_literature, beside(settings.literature)),
    )
    for part in parts:
        try:
            part()
        except RelaxorError as error:
            problems += str(error).splitlines()
    return rows, problems


def misspelt_conditions(rows: Sequence[dict[str, Any]], sheet: Path | str) -> list[str]:
    """Report each unknown condition whose name is very similar to one that its technique knows and lacks."""
    found = []
    for number, row in enumerate(rows, start=2):
        technique, given = row["technique"], row["conditions"]
        known = known_conditions(technique)
        lacking = [name for name in known if name not in given]
        for name in given:
            if name not in known and (near := difflib.get_close_matches(name, lacking, 1, SLIP)):
                place = f"{sheet}: row {number}: column 'conditions'"
                found.append(f"{place}: {technique} does not know '{name}'; did you mean '{near[0]}'?")
    return found


def left_out(rows: Sequence[dict[str, Any]], settings: Settings) -> list[str]:
    """Report each figure that is not drawn because the sheet has no measurement for a panel."""
    with contextlib.suppress(RelaxorError):  # `check_lists` reports it
        figures = load_figures(beside(settings.figures))
        fed = fed_panels(figures, rows, main_sample(settings.sample, rows))
        lacking = {
            name: panel.id
            for name, figure in figures.items()
            for panel in figure.panels.values()
            if panel.owner in techniques() and panel.id not in fed
        }
        why = "is not drawn: panel {} has no 'measurements', and no row of the sheet names it"
        return [f"{settings.figures}: {name} {why.format(panel)}" for name, panel in lacking.items()]
    return []


def check_files(rows: Sequence[dict[str, Any]], settings: Settings, answer: Answered) -> Iterator[Checked]:
    """Check the file of each row, and the conditions that its analysis needs.

    Parameters
    ----------
    answer
        Gives what an earlier check found of the same file, see `remembered`.
    """
    for number, row in enumerate(rows, start=2):
        place = f"{settings.sheet}: row {number}"
        lacking = lacking_setting(row["technique"], row["sample"], settings)
        problems = [f"{place}: column 'technique': {lacking}"] if lacking else []
        if is_remote(row["file"]):
            yield Checked(row, None, None, None, tuple(problems))
            continue
        question = ("read", *_determining(row["technique"], [row], settings))
        error, sha, untold = answer(question, partial(_looked_at, row, settings))
        if error:
            yield Checked(row, False, None, False, (*problems, f"{place}: column 'file': {error}"))
            continue
        unchanged = None
        if recorded_sum(Path(row["file"]).resolve(), Path.cwd()):
            problem = changed(row["file"], sha, Path.cwd())
            unchanged = not problem
            problems += [f"{place}: column 'file': {problem}"] if problem else []
        problems += [f"{place}: column 'conditions': {problem}" for problem in untold]
        yield Checked(row, True, unchanged, not untold, tuple(problems))


def _looked_at(row: dict[str, Any], settings: Settings) -> tuple[str, str, list[str]]:
    """Return why a file cannot be read, or else its checksum and the conditions that are missing."""
    try:
        tree = read(row["file"], stated(row["table"], settings.tables))
    except ReadError as error:
        return str(error), "", []
    return "", tree.attrs["raw_sha256"], _untold(row, tree)


def _determining(technique: str, rows: Sequence[dict[str, Any]], settings: Settings) -> tuple[Any, ...]:
    """Return all that determines whether files are readable and analysed, as plain data."""
    states = [(str(path), state_of(path)) for row in rows for path in _with_companions(Path(row["file"]))]
    layers = {} if technique == OTHER else settings.layers(technique, rows[0]["sample"])
    packages = state_of(Path(sysconfig.get_path("purelib")))  # changes when one is installed or updated
    return rows, states, settings.plain_tables(), settings.size_limits, layers, code_of_all(), packages


def _with_companions(path: Path) -> list[Path]:
    """Return a file, if it exists, and those beside it that hold its data."""
    beside = path.parent.glob(f"{glob.escape(path.stem[:-2])}*") if path.suffix.lower() in COMPANIONS else []
    return sorted({path, *beside} if path.exists() else beside)


def try_analyses(checked: Sequence[Checked], settings: Settings, answer: Answered) -> list[Checked]:
    """Try the analyses of all rows without a problem, and add to each row why its analysis refuses it.

    Parameters
    ----------
    checked
        Every row of the sheet, in its order, as `check_files` returns it.
    answer
        Gives what an earlier check found of the same files, see `remembered`.
    """
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for each in checked:
        if each.readable and not each.problems and each.row["technique"] != OTHER:
            groups.setdefault((each.row["sample"], each.row["technique"]), []).append(each.row)
    refused = {
        (sample, technique, name): reason
        for (sample, technique), rows in groups.items()
        for name, reason in answer(
            ("analysed", *_determining(technique, rows, settings)),
            partial(refusals, technique, rows, settings.layers(technique, sample), settings.plain_tables()),
        ).items()
    }
    found = []
    for number, each in enumerate(checked, start=2):
        technique = each.row["technique"]
        reason = refused.get((each.row["sample"], technique, each.row["measurement"]))
        problem = f"{settings.sheet}: row {number}: not analysed as {technique}: {reason}"
        found.append(replace(each, problems=(*each.problems, problem)) if reason else each)
    return found


def explained(name: str, settings: Settings) -> tuple[dict[str, Any], Resolved]:
    """Determine the settings of one measurement, and the layer from which each one comes.

    Parameters
    ----------
    name
        Name of the measurement, or ``sample/measurement``.

    Returns
    -------
    row, resolved
        The row of the sheet, and the settings. The header of the file is read, because it may give the instrument.

    Raises
    ------
    SheetError
        If no row or more than one has the name, or if the measurement is not analysed.
    """
    rows = settings.load_sheet()
    names = {f"{row['sample']}/{row['measurement']}": row for row in rows}
    found = [row for whole, row in names.items() if name in (whole, row["measurement"])]
    if len(found) != 1:
        choices = names if "/" in name else [row["measurement"] for row in rows]
        problem = f"{len(found)} samples have it: name the sample too" if found else nearest(name, choices)[2:]
        raise SheetError(f"{settings.sheet}: no single row has the measurement '{name}'; {problem}")
    (row,) = found
    if row["technique"] == OTHER:
        raise SheetError(f"{settings.sheet}: '{name}' is drawn as it was measured: no setting applies to it")
    attrs = {"instrument_named": row["instrument"]}
    if not row["instrument"] and not is_remote(row["file"]):
        attrs["instrument"] = read(row["file"], stated(row["table"], settings.tables)).attrs["instrument"]
    measurement = Measurement(row["measurement"], attrs, row["conditions"], {})
    layers = settings.layers(row["technique"], row["sample"])
    return row, resolve(techniques()[row["technique"]], layers, measurement)


def _untold(row: dict[str, Any], tree: xr.DataTree) -> list[str]:
    """Report each condition that the analysis of a file still needs, and the alternative to all of them."""
    technique, given = row["technique"], row["conditions"]
    if technique == OTHER:
        return []
    conditions = techniques()[technique].conditions
    needed = conditions.needed(Contents.of(tree))
    choice = f", or else '{instead}'" if (instead := conditions.instead(needed, given)) else ""
    missing = conditions.missing(needed, given)
    return [f"{technique} needs '{name}' (add '{name}=… {unit}'{choice})" for name, unit in missing.items()]
