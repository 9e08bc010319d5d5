r"""Writing weights into cells, and what is read back.

A cell is written in a closed loop: it is read; if it is within a tolerance of its level, the loop stops; otherwise a
set or reset pulse is sent that aims at the difference, half as hard after each overshoot. Each device answers more or
less than the average device and a little differently each time, and some do not answer at all. After the last pulse the
conductance relaxes by a normal amount.

The share of cells that are read back at their level fixes that relaxation. For an error of standard deviation σ levels,
a level inside the range is read back with probability 2Φ(1/2σ) − 1, the lowest and highest levels with Φ(1/2σ), because
values beyond them are read as these. A share of 89.5 % means σ = 0.308 levels for inner levels, and 0.315 where sixteen
levels are equally frequent. Inside a tolerance of ±0.25 level the loop leaves an error of its own, and 0.30 remain for
the relaxation.

Errors of two levels and more then occur in one or two of 1,000,000 cells. Many more of them in a measured map mean that
cells are stuck.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats
from scipy.optimize import brentq
from scipy.special import ndtr

from relaxor.core.errors import AnalysisError
from relaxor.crossbar.chip import Chip
from relaxor.crossbar.fast_normal import normals

CALIBRATION_CELLS = 65536
"""Largest number of cells that are written to calibrate the relaxation."""
CALIBRATION_SEED = 8456
"""Seed of the write that calibrates, independent of the chips that are made."""
LARGEST_SIGMA = 20.0
"""Largest error in levels that is looked for; a cell with a larger error has lost what was written."""
SUSPICIOUS = 0.01
"""Probability of chance below which an excess of far errors is no normal error."""

Loop = tuple[jax.Array, "Written", jax.Array, jax.Array]
"""Number of pulses so far, cells, their distance from the target, and the part of it that the next pulse aims at."""


class Written(NamedTuple):
    """Cells after programming, all arrays of the shape of the levels.

    Attributes
    ----------
    levels
        Signed conductance in levels.
    set_pulses, reset_pulses
        Pulses sent.
    energy
        Energy of all pulses (J).
    """

    levels: jax.Array
    set_pulses: jax.Array
    reset_pulses: jax.Array
    energy: jax.Array


@dataclass(frozen=True)
class ReadBack:
    """Comparison of what was read with what was written.

    Attributes
    ----------
    level_map
        Levels read, int, shape of the levels written.
    confusion
        Cells by level written (rows) and level read (columns), from the lowest level.
    error
        Differences of levels, shape (k,).
    error_count
        Cells that have them, shape (k,).
    accuracy
        Part of the cells read at their level.
    """

    level_map: np.ndarray
    confusion: np.ndarray
    error: np.ndarray
    error_count: np.ndarray
    accuracy: float


@dataclass(frozen=True)
class FarErrors:
    """Errors of two levels and more: their number, that expected of a normal error, and whether chance explains it."""

    found: int
    expected: float
    beyond_normal: bool

    @property
    def statement(self) -> str:
        """What that means for the cells, in words."""
        counts = f"{self.found} cells are two or more levels off where a normal error gives {self.expected:.1f}"
        said = "cells are stuck, or the errors are not normal" if self.beyond_normal else "no sign of stuck cells"
        return f"{counts}: {said}"


@partial(jax.jit, static_argnames="chip")
def program(key: jax.Array, levels: jax.Array | np.ndarray, chip: Chip, relaxation: float) -> Written:
    """Write levels in a closed loop; ``vmap`` over keys writes several chips.

    Parameters
    ----------
    levels
        Integers of any shape.
    relaxation
        Standard deviation after the last pulse (levels), from `calibrate_relaxation`.
    """
    writing = chip.writing
    target = jnp.asarray(levels, jnp.float32)
    if writing.accuracy is None:
        none = jnp.zeros(target.shape)
        return Written(target, none, none, none)
    loop, device, sticking, place, relaxing = jax.random.split(key, 5)
    answer = jnp.exp(writing.device_spread * normals(device, target.shape))
    stuck = jax.random.uniform(sticking, target.shape) < writing.stuck
    ends = jnp.array([chip.lowest, 0, chip.highest], jnp.float32)
    start = jnp.where(stuck, ends[jax.random.randint(place, target.shape, 0, 3)], 0.0)
    pulse_energy = chip.level_conductance * writing.pulse_width
    cost_set, cost_reset = pulse_energy * writing.set_voltage**2, pulse_energy * writing.reset_voltage**2

    def missing(number: jax.Array, value: jax.Array) -> jax.Array:
        reading = value + writing.verify_noise * normals(jax.random.fold_in(loop, 2 * number), target.shape)
        difference = target - reading
        return jnp.where(jnp.abs(difference) > writing.tolerance, difference, 0.0)

    def pulse(state: Loop) -> Loop:
        number, (value, sets, resets, energy), difference, aim = state
        spread = 1 + writing.cycle_spread * normals(jax.random.fold_in(loop, 2 * number + 1), target.shape)
        moved = jnp.where(stuck, value, value + aim * answer * spread * difference)
        pulsed = difference != 0
        # Only one device of a pair is written: towards larger magnitudes it is set, back to smaller ones reset.
        setting = pulsed & (jnp.abs(target) > jnp.abs(target - difference))
        resetting = pulsed & ~setting
        mean = (jnp.abs(value) + jnp.abs(moved)) / 2
        energy = energy + mean * (cost_set * setting + cost_reset * resetting)
        left = missing(number + 1, moved)
        aim = jnp.where(left * difference < 0, aim / 2, aim)
        return number + 1, Written(moved, sets + setting, resets + resetting, energy), left, aim

    def unfinished(state: Loop) -> jax.Array:
        return (state[0] < writing.tries) & jnp.any(state[2] != 0)

    zeros = jnp.zeros(target.shape)
    first = (jnp.int32(0), Written(start, zeros, zeros, zeros), missing(jnp.int32(0), start), zeros + writing.aim)
    _, written, _, _ = jax.lax.while_loop(unfinished, pulse, first)
    relaxed = written.levels + relaxation * normals(relaxing, target.shape)
    return written._replace(levels=jnp.where(stuck, written.levels, relaxed))


def calibrate_relaxation(levels: np.ndarray, chip: Chip) -> float:
    """Return the relaxation (levels) with which these levels are read back as accurately as the chip says.

    The loop is run without relaxation. The probability that a cell is then read at its level is known for every
    relaxation, so that no further noise enters.

    Raises
    ------
    AnalysisError
        If the loop alone is less accurate, or the accuracy is that of chance.
    """
    writing = chip.writing
    if writing.accuracy is None:
        return 0.0
    target = levels.ravel()
    repeated = np.resize(target, max(min(target.size, CALIBRATION_CELLS), CALIBRATION_CELLS // 4))
    if target.size > CALIBRATION_CELLS:
        repeated = target[np.linspace(0, target.size - 1, CALIBRATION_CELLS).astype(int)]
    # Stuck cells do not relax; the small share of them that is right by chance is known.
    moving = replace(chip, writing=replace(writing, stuck=0.0))
    verified = np.asarray(program(jax.random.key(CALIBRATION_SEED), repeated, moving, 0.0).levels)
    ends = np.array([chip.lowest, 0, chip.highest])
    by_chance = float((repeated[:, None] == ends).mean())
    needed = (writing.accuracy - writing.stuck * by_chance) / (1 - writing.stuck)

    def excess(sigma: float) -> float:
        return float(_right(verified - repeated, repeated, sigma, chip).mean()) - needed

    if excess(1e-6) <= 0 or excess(LARGEST_SIGMA) >= 0:
        found = excess(1e-6) + needed
        raise AnalysisError(f"the write loop alone reads back {found:.2%}, but {needed:.2%} is required")
    return float(brentq(excess, 1e-6, LARGEST_SIGMA, xtol=1e-10))


def drift(key: jax.Array, levels: jax.Array, chip: Chip, elapsed: float) -> jax.Array:
    """Return written levels after a time (s): they fall by a power law, and a spread grows with its decades."""
    decades = np.log10(max(elapsed, 1.0))
    kept = 10 ** (-chip.drift_exponent * decades)
    return levels * kept + chip.drift_spread * np.sqrt(decades) * normals(key, levels.shape)


def read_back(target: np.ndarray, levels: np.ndarray | jax.Array, chip: Chip) -> ReadBack:
    """Read cells at the nearest level of the range and compare them with what was written."""
    found = np.clip(np.rint(np.asarray(levels)), chip.lowest, chip.highest).astype(int)
    count = chip.highest - chip.lowest + 1
    pairs = (target - chip.lowest) * count + (found - chip.lowest)
    confusion = np.bincount(pairs.ravel(), minlength=count * count).reshape(count, count)
    error = np.arange(1 - count, count)
    error_count = np.array([np.trace(confusion, offset) for offset in error])
    return ReadBack(found, confusion, error, error_count, float(np.trace(confusion) / target.size))


def far_errors(result: ReadBack, sigma: float) -> FarErrors:
    """Compare the number of errors of two levels and more with that expected of a normal error (levels)."""
    far = np.abs(result.error) >= 2
    found = int(result.error_count[far].sum())
    expected = float(2 * ndtr(-1.5 / sigma) * result.level_map.size) if sigma else 0.0
    return FarErrors(found, expected, bool(stats.poisson.sf(found - 1, expected) < SUSPICIOUS))


def load_read_out(path: Path | str, shape: tuple[int, int], chip: Chip) -> np.ndarray:
    """Load the measured read-out of an array or of a layer.

    Parameters
    ----------
    path
        ``.csv`` without a header, or ``.npy``; it holds levels, whole or not. A cell beyond the lowest or the highest
        level is read as this level, and computes with the conductance that it has.
    shape
        Rows and columns that are needed.

    Raises
    ------
    AnalysisError
        If the file cannot be read, or its shape, a NaN or a value that is no level forbids its use: more than the whole
        range of levels beyond an end, such as conductances or resistances in other units.
    """
    path = Path(path)
    try:
        stored = np.load(path) if path.suffix == ".npy" else np.loadtxt(path, delimiter=",", ndmin=2)
        levels = np.asarray(stored, dtype=float)
    except (OSError, ValueError, TypeError, EOFError) as error:
        problem = f"not a table of numbers ({error}); .csv or .npy without pickle is needed"
        raise AnalysisError(f"{path}: {problem}") from None
    if levels.shape != tuple(shape):
        raise AnalysisError(f"{path}: read-out has the shape {levels.shape}, {tuple(shape)} is needed")
    span = chip.highest - chip.lowest
    wrong = ~((levels >= chip.lowest - span) & (levels <= chip.highest + span))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise AnalysisError(
            f"{path}: level {levels[row, column]:.4g} in row {row}, column {column}; levels from {chip.lowest} to "
            f"{chip.highest} are needed"
        )
    return levels


def _right(error: np.ndarray, target: np.ndarray, sigma: float, chip: Chip) -> np.ndarray:
    """Return the probabilities that cells are read at their level after a further normal error."""
    above = np.where(target == chip.highest, 1.0, ndtr((0.5 - error) / sigma))
    below = np.where(target == chip.lowest, 0.0, ndtr((-0.5 - error) / sigma))
    return above - below
