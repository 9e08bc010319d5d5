"""A trial of an analysis, which leaves nothing behind and says which measurements are refused, and why."""

import contextlib
import io
import os
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from relaxor.core.errors import DiskError, RelaxorError
from relaxor.core.parallel import FILES_PER_CORE, cores
from relaxor.core.trial import trying
from relaxor.project.analysis import analyse_files
from relaxor.project.ingest import ingest


def refusals(
    technique: str,
    rows: Sequence[Mapping[str, Any]],
    layers: Mapping[str, Any],
    tables: Mapping[str, Any],
    before: Sequence[Mapping[str, Any]] = (),
) -> dict[str, str]:
    """Ingest and analyse files of one technique of one sample together, as the workflow does.

    Parameters
    ----------
    rows
        Rows of the sheet.
    layers
        Settings of the technique, as `relaxor.project.settings.Settings.layers` returns them.
    tables
        The descriptions of text tables in the settings.
    before
        Rows that are analysed with them and are not blamed.

    Returns
    -------
    dict
        The reason, in one line, by the name of each measurement that is refused: if several are refused together, only
        of those that are also refused alone.
    """
    together = _refusal(technique, [*before, *rows], layers, tables) if rows else None
    if together is None:
        return {}
    names = [row["measurement"] for row in rows]
    if len(rows) == 1:
        return {names[0]: together}
    alone = [_refusal(technique, [*before, row], layers, tables) for row in rows]
    return {name: reason for name, reason in zip(names, alone, strict=True) if reason} or dict.fromkeys(names, together)


def _refusal(
    technique: str, rows: Sequence[Mapping[str, Any]], layers: Mapping[str, Any], tables: Mapping[str, Any]
) -> str | None:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
        data, *written = (str(Path(folder, name)) for name in ("data.nc", "parameters.csv", "budget.csv", "curves.nc"))
        try:
            with contextlib.redirect_stdout(io.StringIO()), trying(), cores(_processes(len(rows))):
                ingest([row["file"] for row in rows], rows, tables, data)
                analyse_files(data, *written, technique=technique, layers=layers)
        except DiskError:
            raise  # a full disk is not an error of the file
        except RelaxorError as error:
            return " ".join(str(error).split()).removeprefix(f"{rows[-1]['measurement']}: ")
        except Exception as error:  # unforeseen numbers: the file is drawn, and its note gives the reason
            return " ".join(f"the analysis fails ({type(error).__name__}: {error})".split())
    return None


def _processes(files: int) -> int:
    """Return the number of cores that pay for so many files."""
    return min(1 + files // FILES_PER_CORE, os.cpu_count() or 1)
