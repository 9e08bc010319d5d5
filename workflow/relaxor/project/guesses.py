"""What the columns of a table without names are likely to be, from their ranges and from the name of the file.

A guess is a proposal: ``relaxor add`` shows it, the user may change it, and the sheet then states it for every reader.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

FEWEST = 50
"""Number of rows below which a range alone says nothing."""


@dataclass(frozen=True)
class Kind:
    """A kind of spectrum.

    Attributes
    ----------
    axis
        Name and unit of its axis, as the sheet states it.
    hint
        Words in the name of the file or of its folder that speak for it.
    low, high
        Values between which the axis lies.
    least_span
        Smallest difference between its ends.
    steps
        Smallest and largest step.
    alone
        Whether the axis is enough; spectrometers of many kinds have the ranges of the others.
    """

    axis: str
    hint: re.Pattern[str]
    low: float
    high: float
    least_span: float
    steps: tuple[float, float]
    alone: bool = False

    def fits(self, axis: np.ndarray) -> bool:
        """Return whether an axis has the range and the steps of this kind."""
        step = float(np.median(np.abs(np.diff(axis))))
        low, high = float(axis.min()), float(axis.max())
        within = self.low <= low and high <= self.high and high - low >= self.least_span
        return within and self.steps[0] <= step <= self.steps[1]


WORDS = re.compile
KINDS = (
    Kind("two_theta (degree)", WORDS(r"xrd|diffr|2?theta|powder|lab6|\.xye?\b", re.IGNORECASE), 0, 165, 5, (5e-4, 0.2),
         alone=True),
    Kind("raman_shift (1/cm)", WORDS(r"raman|(?<!\d)(488|514|532|633|638|785)(?!\d)", re.IGNORECASE), -500, 5000, 100,
         (0.05, 8)),
    Kind("binding_energy (eV)", WORDS(r"xps|survey|(?<![a-z])[A-Z][a-z]?\s?\d[spdf](?![a-z])"), -20, 1500, 5,
         (0.01, 2)),
)  # fmt: skip
"""Spectra of two columns, in the order in which they are tried where no name speaks for one of them."""


INTERVAL = re.compile(
    r"(?<![a-z])(?:interval|ppf|pairs?|paired[ _-]?pulses?|delta[ _-]?t|dt)[ _=-]*"
    r"(\d+(?:\.\d+)?)[ _]?(us|µs|ms|s)(?![a-z])",
    re.IGNORECASE,
)
"""The interval of two pulses in the name of a file: ``ppf_50ms.csv``, ``interval=50 ms``."""


def conditions_in_name(stem: str, known: Mapping[str, str]) -> dict[str, str]:
    """Return the conditions that the name of a file states, of those that its technique knows."""
    found = INTERVAL.search(stem) if "interval" in known else None
    return {"interval": f"{found[1]} {found[2].lower().replace('µ', 'u')}"} if found else {}


def guessed_columns(tree: xr.DataTree, path: Path) -> str:
    """Return the names and units of the columns of a file, as the sheet states them, or an empty text.

    Parameters
    ----------
    tree
        What was read of the file: its columns have no names, or it is not guessed at.
    path
        The file; its name and that of its folder may speak for one kind.
    """
    columns = _bare(tree)
    if len(columns) not in (2, 3) or columns[0].size < 3 or not np.isfinite(columns[0]).all():
        return ""
    axis, intensity = columns[:2]
    steps = np.diff(axis)
    if not (np.all(steps > 0) or np.all(steps < 0)):
        return ""
    name = f"{path.parent.name}/{path.name}"
    fitting = [kind for kind in KINDS if kind.fits(axis)]
    hinted = [kind for kind in fitting if kind.hint.search(name)]
    alone = [kind for kind in fitting if kind.alone and axis.size >= FEWEST]
    chosen = (hinted or alone)[:1]
    if not chosen:
        return ""
    unit = "count" if _are_counts(intensity) else "arb. units"
    spread = [f"sigma ({unit})"] if _is_spread(columns) else ["-"] * (len(columns) - 2)
    return ", ".join([chosen[0].axis, f"intensity ({unit})", *spread])


def _are_counts(intensity: np.ndarray) -> bool:
    """Return whether numbers are whole and have no common divisor, as counts that nothing was divided by."""
    whole = np.rint(intensity)
    return bool(np.array_equal(whole, intensity) and whole.min() >= 0) and np.gcd.reduce(whole.astype(int)) == 1


def _is_spread(columns: Sequence[np.ndarray]) -> bool:
    """Return whether a third column can be the standard uncertainty of the second: positive, and mostly smaller."""
    return len(columns) == 3 and bool(np.all(columns[2] >= 0)) and bool(np.median(columns[2]) < np.median(columns[1]))


def is_bare(tree: xr.DataTree) -> bool:
    """Return whether a file is a table of which no column has a name."""
    return bool(_bare(tree))


def _bare(tree: xr.DataTree) -> list[np.ndarray]:
    """Return the columns of a file that names none of them."""
    if tree.attrs["format"] != "columns" or list(tree.children) != ["table"]:
        return []
    table = tree["table"].to_dataset()
    named = [name for name in table.data_vars if not re.fullmatch(r"column_\d+", str(name))]
    return [] if named else [values.to_numpy() for values in table.data_vars.values()]
