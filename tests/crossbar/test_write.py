"""Writing cells: the accuracy that was set, and the errors that go with it."""

from pathlib import Path

import jax
import numpy as np
import pytest
from relaxor.core.errors import AnalysisError
from relaxor.crossbar.chip import Chip, Writing
from relaxor.crossbar.fast_normal import normals
from relaxor.crossbar.write import (
    calibrate_relaxation,
    drift,
    far_errors,
    load_read_out,
    program,
    read_back,
)
from scipy import stats
from scipy.optimize import brentq
from scipy.special import ndtr

from tests.project import SETTINGS

CHIP = SETTINGS.crossbar.chip
LEVELS = np.random.default_rng(3).integers(-8, 8, (200, 128))
ENDS = 2 / 16
"""Part of these levels that is the lowest or the highest of the chip."""


def normal_error(accuracy: float, ends: float = 0.0) -> float:
    """Return the normal error (levels) that gives a write accuracy where a part of the cells is at an end."""

    def excess(sigma: float) -> float:
        beyond = ndtr(-0.5 / sigma)
        return (1 - ends) * (1 - 2 * beyond) + ends * (1 - beyond) - accuracy

    return float(brentq(excess, 0.01, 20))


def test_noise_is_normal_and_of_its_key() -> None:
    drawn = np.asarray(normals(jax.random.key(1), (1000, 400)))
    assert abs(drawn.mean()) < 4 / np.sqrt(drawn.size)
    assert drawn.std() == pytest.approx(1, abs=4 / np.sqrt(2 * drawn.size))
    assert stats.kurtosis(drawn.ravel()) == pytest.approx(0, abs=0.03)
    assert stats.kstest(drawn.ravel(), "norm").pvalue > 1e-3
    for lag in (1, 2, 400, drawn.size // 2):
        flat = drawn.ravel()
        assert abs(np.corrcoef(flat[:-lag], flat[lag:])[0, 1]) < 5 / np.sqrt(flat.size - lag)
    other = np.asarray(normals(jax.random.key(2), (1000, 400)))
    assert abs(np.corrcoef(drawn.ravel(), other.ravel())[0, 1]) < 4 / np.sqrt(drawn.size)
    np.testing.assert_array_equal(drawn, normals(jax.random.key(1), (1000, 400)))


@pytest.mark.slow
def test_write_accuracy_is_the_set_one_on_ten_chips() -> None:
    relaxation = calibrate_relaxation(LEVELS, CHIP)
    chips = jax.vmap(lambda key: program(key, LEVELS, CHIP, relaxation))(jax.random.split(jax.random.key(0), 10))
    accuracy = [read_back(LEVELS, chip, CHIP).accuracy for chip in chips.levels]
    assert np.mean(accuracy) == pytest.approx(0.8456, abs=0.002)
    assert np.std(accuracy) < 0.006
    assert relaxation == pytest.approx(0.33, abs=0.02)
    assert (np.asarray(chips.set_pulses + chips.reset_pulses).mean(), np.asarray(chips.energy).min()) > (1, 0)


@pytest.mark.slow
@pytest.mark.parametrize("stuck", [0.0, 0.02])
def test_other_accuracies_can_be_set(stuck: float) -> None:
    chip = Chip(writing=Writing(accuracy=0.7, stuck=stuck))
    written = program(jax.random.key(5), LEVELS, chip, calibrate_relaxation(LEVELS, chip))
    result = read_back(LEVELS, written.levels, chip)
    assert result.accuracy == pytest.approx(0.7, abs=0.01)
    assert far_errors(result, normal_error(0.7, ENDS)).beyond_normal == (stuck > 0)


@pytest.mark.costly
def test_loop_leaves_cells_within_the_tolerance() -> None:
    chip = Chip(writing=Writing(verify_noise=0.0, tries=60))
    written = program(jax.random.key(5), LEVELS, chip, 0.0)
    assert np.abs(np.asarray(written.levels) - LEVELS).max() <= chip.writing.tolerance + 1e-6
    none = program(jax.random.key(5), np.zeros((4, 4), int), chip, 0.0)
    assert not np.asarray(none.energy).any()


def test_few_tries_leave_cells_unwritten() -> None:
    few = Chip(writing=Writing(tries=1))
    with pytest.raises(AnalysisError, match="loop alone"):
        calibrate_relaxation(LEVELS, few)


def test_read_back_counts() -> None:
    target = np.array([[-8, 0, 7, 3]])
    result = read_back(target, np.array([[-9.4, 0.6, 7.9, 1.2]]), CHIP)
    np.testing.assert_array_equal(result.level_map, [[-8, 1, 7, 1]])
    assert result.accuracy == 0.5
    assert result.confusion[8, 9] == result.confusion[11, 9] == 1
    assert dict(zip(result.error, result.error_count, strict=True)) | {0: 2, 1: 1, -2: 1} == dict(
        zip(result.error, result.error_count, strict=True)
    )
    assert result.confusion.sum() == result.error_count.sum() == 4


def test_plain_gaussian_model_and_its_far_errors() -> None:
    sigma = normal_error(0.8456, ENDS)
    result = read_back(LEVELS, LEVELS + sigma * np.asarray(normals(jax.random.key(2), LEVELS.shape)), CHIP)
    assert result.accuracy == pytest.approx(0.8456, abs=0.008)
    assert not far_errors(result, sigma).beyond_normal
    assert "no sign" in far_errors(result, sigma).statement


def test_drift_follows_the_published_day() -> None:
    """From 89.5 % after a second to 64.4 % after a day (10.1038/s41586-022-04992-8)."""
    inner = np.random.default_rng(0).integers(-6, 6, (400, 128))
    written = inner + normal_error(0.895) * normals(jax.random.key(0), inner.shape)
    later = drift(jax.random.key(1), written, CHIP, 86400.0)
    assert read_back(inner, later, CHIP).accuracy == pytest.approx(0.644, abs=0.01)
    np.testing.assert_array_equal(drift(jax.random.key(1), written, CHIP, 0.0), written)


def test_measured_read_outs(tmp_path: Path) -> None:
    levels = LEVELS[:5, :3].astype(float)
    np.savetxt(tmp_path / "a.csv", levels, delimiter=",")
    np.save(tmp_path / "a.npy", levels)
    for name in ("a.csv", "a.npy"):
        np.testing.assert_array_equal(load_read_out(tmp_path / name, (5, 3), CHIP), levels)


@pytest.mark.costly
def test_cells_beyond_the_ends_read_as_the_ends(tmp_path: Path) -> None:
    """A chip written to its accuracy has hundreds of such cells."""
    written = program(jax.random.key(1), LEVELS, CHIP, calibrate_relaxation(LEVELS, CHIP))
    levels = np.asarray(written.levels)
    assert ((levels < CHIP.lowest - 0.5) | (levels > CHIP.highest + 0.5)).any()
    np.save(tmp_path / "a.npy", levels)
    found = load_read_out(tmp_path / "a.npy", LEVELS.shape, CHIP)
    np.testing.assert_array_equal(found, levels)
    assert read_back(LEVELS, found, CHIP).accuracy == pytest.approx(0.8456, abs=0.01)


@pytest.mark.costly
def test_cells_without_a_sign_are_written_and_read() -> None:
    chip = Chip(lowest=0, writing=Writing(accuracy=0.9))
    target = np.abs(LEVELS[:, :64]) % 8
    written = program(jax.random.key(1), target, chip, calibrate_relaxation(target, chip))
    assert read_back(target, written.levels, chip).accuracy == pytest.approx(0.9, abs=0.01)
    with pytest.raises(AnalysisError, match="zero or below"):
        Chip(lowest=1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2\n3,4\n", "shape"),
        ("1,2,3\n4,nan,6\n", "row 1, column 1"),
        ("1,2,4170\n1,1,1\n", "level 4170"),
        ("a,b", "table"),
    ],
)
def test_bad_read_outs_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(AnalysisError, match=message):
        load_read_out(path, (2, 3), CHIP)


def test_pickles_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "bad.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(AnalysisError, match="pickle"):
        load_read_out(tmp_path / "bad.npy", (1, 1), CHIP)
