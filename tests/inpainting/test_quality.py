"""Scores of restored letters against values that can be worked out by hand or by scikit-image one image at a time."""

import numpy as np
import pytest
from relaxor.inpainting.quality import COLUMNS, quality
from scipy.stats import bootstrap
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

HOLE = 8
CENTRE = slice(10, 18)


def _restored(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    originals = generator.random((n, 28, 28))
    restored = originals.copy()
    restored[:, CENTRE, CENTRE] = generator.random((n, HOLE, HOLE))
    return originals, restored, np.arange(n) % 3


def _value(table, metric, name="all", column="value"):
    (row,) = table[(table["metric"] == metric) & (table["class"] == name)].to_dict("records")
    return row[column]


def test_each_score_is_that_of_scikit_image():
    originals, restored, labels = _restored(1200)
    table = quality(originals, restored, labels, labels, hole=HOLE)
    similar = [structural_similarity(*pair, data_range=1.0) for pair in zip(originals, restored, strict=True)]
    assert _value(table, "ssim") == pytest.approx(np.mean(similar), rel=1e-12)
    maps = [
        structural_similarity(*pair, data_range=1.0, full=True)[1] for pair in zip(originals, restored, strict=True)
    ]
    assert _value(table, "ssim_hole") == pytest.approx(np.mean([one[CENTRE, CENTRE] for one in maps]), rel=1e-12)
    assert _value(table, "psnr") == pytest.approx(peak_signal_noise_ratio(originals, restored, data_range=1), rel=1e-12)
    error = np.mean((originals - restored)[:, CENTRE, CENTRE] ** 2)
    assert _value(table, "mse_hole") == pytest.approx(error, rel=1e-12)
    assert _value(table, "mse") == pytest.approx(error * HOLE**2 / 28**2, rel=1e-12)
    assert _value(table, "psnr_hole") == pytest.approx(-10 * np.log10(error), rel=1e-12)


def test_intervals_are_those_of_the_bootstrap_of_scipy():
    originals, restored, labels = _restored(1200)
    table = quality(originals, restored, labels, labels, hole=HOLE)
    errors = ((originals - restored) ** 2).mean(axis=(1, 2))
    found = bootstrap((errors,), np.mean, method="percentile", n_resamples=4000, rng=0).confidence_interval
    width = found.high - found.low
    assert _value(table, "mse", column="ci_low") == pytest.approx(found.low, abs=0.05 * width)
    assert _value(table, "mse", column="ci_high") == pytest.approx(found.high, abs=0.05 * width)


def test_a_perfect_restoration():
    originals, _, labels = _restored(6)
    table = quality(originals, originals, labels, labels, hole=HOLE)
    assert _value(table, "mse") == 0
    assert _value(table, "psnr") == np.inf
    assert _value(table, "ssim") == pytest.approx(1)
    assert _value(table, "accuracy") == 1


def test_classes_and_all_of_them():
    originals, restored, labels = _restored(30)
    predicted = np.where(labels == 1, 5, labels)
    table = quality(originals, restored, labels, predicted, hole=HOLE)
    assert tuple(table.columns) == COLUMNS
    assert list(table["class"].unique()) == ["all", "A", "B", "C"]
    assert [_value(table, "accuracy", name) for name in ("all", "A", "B", "C")] == pytest.approx([2 / 3, 1, 0, 1])
    assert _value(table, "mse", "A", "n") == 10
    shares = [_value(table, "mse", name) for name in ("A", "B", "C")]
    assert _value(table, "mse") == pytest.approx(np.mean(shares))
    assert (table["ci_low"] <= table["value"]).all()
    assert (table["value"] <= table["ci_high"]).all()


@pytest.mark.slow
def test_intervals_cover_the_truth():
    # Each pixel of the hole is off by s: s² has mean 1/3 where s is uniform; letters are read with probability 0.8.
    covered = np.zeros(3)
    for seed in range(100):
        generator = np.random.default_rng(seed)
        originals = np.zeros((100, 28, 28))
        restored = originals.copy()
        restored[:, CENTRE, CENTRE] = generator.random((100, 1, 1))
        predicted = (generator.random(100) > 0.8).astype(int)
        table = quality(originals, restored, np.zeros(100, int), predicted, hole=HOLE, resamples=200)
        truths = {"mse_hole": 1 / 3, "psnr_hole": 10 * np.log10(3), "accuracy": 0.8}
        covered += [
            _value(table, metric, column="ci_low") <= truth <= _value(table, metric, column="ci_high")
            for metric, truth in truths.items()
        ]
    assert (covered >= 88).all()
    assert (covered <= 100).all()


def test_the_same_seed_gives_the_same_table():
    arguments = _restored(12)
    first, again, other = (quality(*arguments, arguments[2], hole=HOLE, seed=seed) for seed in (0, 0, 1))
    assert first.equals(again)
    assert not first.equals(other)
