"""The chip and the inpainting against models of others: written levels, distances, and the spread of trainings.

The forward models use NumPy and SciPy only. A number is right if its interval holds the truth, or honest if its status
or its statement says that the model does not hold.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from relaxor.core.results import Status
from relaxor.crossbar.chip import Chip
from relaxor.crossbar.write import far_errors, load_read_out, read_back
from relaxor.inpainting.fid import distance_of_halves, fid
from relaxor.inpainting.quantities import FLOAT_LONGER, ratio_of
from scipy.linalg import sqrtm

from tests.outside.scenario import FALSE, HONEST, RIGHT
from tests.public_files import shared

CELLS = 73_728
"""Cells of an array of 576 × 128."""
DRAWS = 100


# --- written levels
def normal(generator: np.random.Generator, size: int) -> np.ndarray:
    """Errors that are normal: 84.56 % of sixteen levels are read back."""
    return 0.36 * generator.standard_normal(size)


def heavy_tails(generator: np.random.Generator, size: int) -> np.ndarray:
    """Errors whose tails are exponential."""
    return generator.laplace(0, 0.27, size)


def stuck(generator: np.random.Generator, size: int) -> np.ndarray:
    """Normal errors, and one cell of a thousand anywhere in the range of levels."""
    return np.where(generator.random(size) < 1e-3, generator.uniform(-8, 8, size), normal(generator, size))


def relaxed_to_one_side(generator: np.random.Generator, size: int) -> np.ndarray:
    """Normal errors after a fall of a third of a level, and a tail of cells that lost more (bake)."""
    return normal(generator, size) - 0.3 - generator.exponential(0.25, size)


ERRORS = (normal, heavy_tails, stuck, relaxed_to_one_side)
"""Models of the error of a written level, the first of which is that of the chip."""


@pytest.mark.parametrize("errors", ERRORS)
def test_shares_of_cells_are_counted_and_other_errors_than_normal_ones_are_said(
    errors: Callable[[np.random.Generator, int], np.ndarray],
) -> None:
    generator, chip = np.random.default_rng(16), Chip()
    many = errors(generator, 4_000_000)
    target = generator.integers(-7, 7, many.size)  # no level at an end
    truth = float(np.mean(np.abs(many) < 0.5))
    right, said = [], []
    for part in many.reshape(DRAWS, -1)[:, :20_000]:
        written = target[: part.size]
        result = read_back(written, written + part, chip)
        error = np.sqrt(truth * (1 - truth) / part.size)
        right.append(abs(result.accuracy - truth) < 1.96 * error)
        said.append(far_errors(result, float(part.std())).beyond_normal)
    assert np.mean(right) >= RIGHT
    if errors is normal:
        assert np.mean(said) <= FALSE
    else:
        assert np.mean(said) >= HONEST


# --- distances
@pytest.mark.parametrize("d", [2, 16, 64])
def test_the_distance_is_that_of_the_definition(d: int) -> None:
    """The root of the product of both covariances by Schur's method, as the usual programs for FID take it."""
    generator = np.random.default_rng(d)
    for n in (50, 400):
        mixing = generator.standard_normal((d, d))
        a, b = generator.standard_normal((n, d)) @ mixing, generator.gamma(2.0, size=(n, d))
        first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
        root = np.trace(sqrtm(first @ second)).real
        expected = np.sum((a.mean(axis=0) - b.mean(axis=0)) ** 2) + np.trace(first) + np.trace(second) - 2 * root
        assert fid(a, b) == pytest.approx(expected, rel=1e-5)


def test_pairs_have_no_floor_and_halves_have_that_of_the_originals() -> None:
    generator = np.random.default_rng(0)
    originals = generator.standard_normal((4000, 16))
    worse = originals + 0.1 * generator.standard_normal(originals.shape)
    floor = distance_of_halves(originals, originals)
    assert fid(originals, originals) < 1e-9 and fid(originals, worse) < 0.1 * floor.value
    assert distance_of_halves(originals, worse).value > floor.ci_low
    shifted = distance_of_halves(originals, originals + 1.0)
    assert shifted.value - floor.value == pytest.approx(16.0, abs=1.0)


# --- ratios of trainings
def spread_alike(generator: np.random.Generator, seeds: int) -> np.ndarray:
    """Ratios that spread normally from training to training, about 1.4."""
    return 1.4 + 0.1 * generator.standard_normal(seeds)


def skewed(generator: np.random.Generator, seeds: int) -> np.ndarray:
    """Distances of two trainings that are log-normal, the mean of whose ratio is 1.4."""
    shape = 0.1
    return 1.4 * np.exp(generator.normal(-(shape**2), shape, seeds) - generator.normal(0, shape, seeds))


def sometimes_failing(generator: np.random.Generator, seeds: int) -> np.ndarray:
    """One training of four is better by a third, because it left a plateau; the mean is 1.4."""
    good = generator.random(seeds) < 0.25
    return np.where(good, 1.02, 1.527) + 0.05 * generator.standard_normal(seeds)


@pytest.mark.parametrize("seeds", [1, 2, 3, 5])
@pytest.mark.parametrize("ratios", [spread_alike, skewed, sometimes_failing])
def test_a_ratio_holds_the_truth_or_says_that_trainings_are_too_few(
    ratios: Callable[[np.random.Generator, int], np.ndarray], seeds: int
) -> None:
    generator = np.random.default_rng(16)
    rows = [ratio_of("hole_12", "aware", ratios(generator, seeds), FLOAT_LONGER) for _ in range(400)]
    said = np.mean([row.status == Status.NOT_IDENTIFIED for row in rows])
    if seeds < 3:
        assert said == 1 and all(np.isnan(row.standard_error) for row in rows)
        return
    assert said == 0
    inside = np.mean([row.ci_low <= 1.4 <= row.ci_high for row in rows])
    assert inside >= (0.7 if ratios is sometimes_failing else RIGHT)
    assert all(row.feature == FLOAT_LONGER and str(seeds) in row.method for row in rows)


# --- a chip of others
FILES = tuple(f"readtest3bpc{number}-{bake}bake" for number in range(1, 5) for bake in ("pre", "post"))


def state_of(cells: int) -> np.ndarray:
    """State of each cell, 0 of the smallest resistance to 7; it moves on by one after each row of 32 cells."""
    place = np.arange(cells)
    return (place + place // 32) % 8


@pytest.mark.parametrize("file", FILES)
def test_three_bits_per_cell_of_a_published_chip(file: str, tmp_path: Path) -> None:
    """Cells of three bits, levels 0 to 7, read as resistances (github.com/akashlevy/RRAM-RADAR-Tuning).

    The published share of wrong cells after a bake is 0.5 to 10 %. Levels are the median conductances before the bake.
    """
    radar = shared("public/rram_radar")
    before = np.loadtxt(radar / "readtest3bpc1-prebake.csv")
    states = [1 / np.median(before[state_of(before.size) == state]) for state in range(7, -1, -1)]
    conductance = 1 / np.loadtxt(radar / f"{file}.csv")
    step = np.gradient(states)
    levels = np.interp(conductance, states, np.arange(8.0))
    levels += np.minimum(conductance - states[0], 0) / step[0] + np.maximum(conductance - states[-1], 0) / step[-1]
    path = tmp_path / "levels.npy"
    np.save(path, levels[None])
    chip = Chip(lowest=0)
    target = 7 - state_of(levels.size)[None]
    result = read_back(target, load_read_out(path, target.shape, chip), chip)
    print(file, 100 * (1 - result.accuracy), levels.max(), levels.min())
    assert (result.accuracy > 0.99) if "pre" in file else (0.9 <= result.accuracy < 1)
