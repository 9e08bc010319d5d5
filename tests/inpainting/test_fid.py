"""The Fréchet and kernel distances against normal distributions whose distance is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relaxor.core.errors import AnalysisError
from relaxor.inpainting.fid import (
    Distance,
    _reflected,
    distance_of_halves,
    fid,
    fids_with_intervals,
    frechet_distance,
    kid,
)
from scipy.linalg import sqrtm
from scipy.stats import ortho_group


def _covariance(d: int, generator: np.random.Generator) -> np.ndarray:
    factor = generator.normal(size=(d, d))
    return factor @ factor.T / d


def _exactly(mean: np.ndarray, covariance: np.ndarray, n: int, generator: np.random.Generator) -> np.ndarray:
    """Draw rows whose sample mean and covariance are the ones given, to rounding."""
    rows = generator.normal(size=(n, len(mean)))
    rows -= rows.mean(axis=0)
    rows = rows @ np.linalg.inv(np.linalg.cholesky(np.cov(rows.T))).T
    return rows @ np.linalg.cholesky(covariance).T + mean


def _with_intervals(a: np.ndarray, b: np.ndarray, **options) -> tuple[Distance, Distance]:
    (found,) = fids_with_intervals(a, [b], **options)
    return found


def test_commuting_covariances_have_a_closed_form():
    generator = np.random.default_rng(1)
    rotation = ortho_group.rvs(6, random_state=1)
    a, b = generator.uniform(0.1, 3, 6), generator.uniform(0.1, 3, 6)
    mean_a, mean_b = generator.normal(size=(2, 6))
    expected = np.sum((mean_a - mean_b) ** 2) + np.sum((np.sqrt(a) - np.sqrt(b)) ** 2)
    found = frechet_distance(mean_a, rotation * a @ rotation.T, mean_b, rotation * b @ rotation.T)
    assert found == pytest.approx(expected, rel=1e-12)


def test_covariances_of_two_dimensions_that_do_not_commute():
    # Tr M^½ of a 2×2 matrix is (Tr M + 2 det^½ M)^½.
    a, b = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([[1.0, -0.6], [-0.6, 3.0]])
    assert not np.allclose(a @ b, b @ a)
    root_trace = np.sqrt(np.trace(a @ b) + 2 * np.sqrt(np.linalg.det(a @ b)))
    expected = 1.0 + np.trace(a) + np.trace(b) - 2 * root_trace
    assert frechet_distance(np.zeros(2), a, np.array([0.0, 1.0]), b) == pytest.approx(expected, rel=1e-13)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
@settings(max_examples=30, deadline=None)
def test_the_definition_and_the_eigenvalues_agree(seed, d):
    generator = np.random.default_rng(seed)
    a, b = _covariance(d, generator) + 0.01 * np.eye(d), _covariance(d, generator) + 0.01 * np.eye(d)
    mean_a, mean_b = generator.normal(size=(2, d))
    root = np.real(sqrtm(a))
    eigenvalues = np.linalg.eigvalsh(root @ b @ root)
    common = np.sum((mean_a - mean_b) ** 2) + np.trace(a) + np.trace(b)
    found = frechet_distance(mean_a, a, mean_b, b)
    assert found == pytest.approx(common - 2 * np.sqrt(np.clip(eigenvalues, 0, None)).sum(), rel=1e-9)
    assert found == pytest.approx(common - 2 * np.trace(np.real(sqrtm(a @ b))), rel=1e-6)


def test_features_with_known_moments_give_their_distance():
    generator = np.random.default_rng(2)
    a, b = _covariance(5, generator), _covariance(5, generator)
    mean_a, mean_b = generator.normal(size=(2, 5))
    rows_a, rows_b = _exactly(mean_a, a, 50, generator), _exactly(mean_b, b, 70, generator)
    assert fid(rows_a, rows_b) == pytest.approx(frechet_distance(mean_a, a, mean_b, b), rel=1e-9)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_shift_and_scale(seed):
    generator = np.random.default_rng(seed)
    rows = generator.normal(size=(300, 8)) @ _covariance(8, generator)
    shift = generator.normal(size=8)
    spread = np.trace(np.cov(rows.T))
    assert fid(rows, rows + shift) == pytest.approx(shift @ shift, rel=1e-9)
    centred = rows - rows.mean(axis=0)
    assert fid(centred, 1.5 * centred) == pytest.approx(0.25 * spread, rel=1e-9)


@pytest.mark.parametrize("d, rank", [(64, 64), (64, 20), (64, 1)])
def test_a_set_has_no_distance_from_itself(d, rank):
    generator = np.random.default_rng(3)
    rows = 10 * generator.normal(size=(500, rank)) @ generator.normal(size=(rank, d))
    assert fid(rows, rows) < 1e-8
    assert fid(rows, generator.permutation(rows)) < 1e-8


def test_constant_features_and_few_images_are_no_obstacle():
    generator = np.random.default_rng(4)
    a, b = generator.normal(size=(2, 400, 10))
    dead = np.zeros((400, 5))
    assert fid(np.hstack([a, dead]), np.hstack([b, dead])) == pytest.approx(fid(a, b), rel=1e-9)
    few = generator.normal(size=(6, 10))
    assert fid(few, few + 1.0) == pytest.approx(10, rel=1e-9)
    assert fid(np.ones((5, 3)), np.zeros((5, 3))) == pytest.approx(3)


def test_sets_in_subspaces_at_right_angles():
    generator = np.random.default_rng(5)
    a, b = np.zeros((2, 200, 4))
    a[:, :2] = _exactly(np.zeros(2), np.eye(2), 200, generator)
    b[:, 2:] = _exactly(np.zeros(2), np.eye(2), 200, generator)
    assert fid(a, b) == pytest.approx(4, rel=1e-9)


def test_rotation_changes_nothing_and_order_of_the_sets_neither():
    generator = np.random.default_rng(6)
    a, b = generator.normal(size=(2, 300, 16)) * np.linspace(0.1, 3, 16)
    b = b * 1.3 + 0.2
    rotation = ortho_group.rvs(16, random_state=6)
    assert fid(a @ rotation, b @ rotation) == pytest.approx(fid(a, b), rel=1e-10)
    assert fid(b, a) == pytest.approx(fid(a, b), rel=1e-10)


def test_the_bias_falls_as_one_over_n_and_the_extrapolation_removes_it():
    truth, d = 0.5, 16
    rows = {n: [] for n in (500, 1000, 2000)}
    unbiased = []
    for seed in range(30):
        generator = np.random.default_rng(seed)
        a, b = generator.normal(size=(2, 2000, d))
        b[:, 0] += np.sqrt(truth)
        for n, found in rows.items():
            found.append(fid(a[:n], b[:n]))
        unbiased.append(_with_intervals(a, b, resamples=2)[1].value)
    bias = {n: np.mean(found) - truth for n, found in rows.items()}
    # Both sets are drawn: the mean alone adds 2 d/n, the covariance as much again within some.
    assert bias[2000] > 2 * d / 2000
    assert bias[500] / bias[2000] == pytest.approx(4, rel=0.25)
    assert bias[1000] / bias[2000] == pytest.approx(2, rel=0.25)
    error = np.std(unbiased) / np.sqrt(len(unbiased))
    assert abs(np.mean(unbiased) - truth) < 3 * error
    assert abs(np.mean(unbiased) - truth) < 0.3 * bias[2000]


@pytest.mark.slow
@pytest.mark.parametrize("paired", [False, True])
def test_the_intervals_cover_the_truth(paired):
    truth, n, d, draws = 0.3, 400, 4, 40
    values, found = [], []
    for seed in range(draws):
        generator = np.random.default_rng(1000 + seed)
        a = generator.normal(size=(n, d))
        noise = generator.normal(size=(n, d))
        # Paired: the same letter with something added; the sum keeps variance one, so that the truth is the shift.
        b = 0.9 * a + np.sqrt(1 - 0.81) * noise if paired else noise
        b[:, 0] += np.sqrt(truth)
        values.append(fid(a, b))
        found.append(_with_intervals(a, b, paired=paired, resamples=60))
    covered = sum(unbiased.ci_low <= truth <= unbiased.ci_high for _, unbiased in found)
    assert 0.85 * draws <= covered <= draws
    covered = sum(result.ci_low <= np.mean(values) <= result.ci_high for result, _ in found)
    assert 0.85 * draws <= covered <= draws
    # Neither too narrow nor too wide.
    width = np.mean([result.ci_high - result.ci_low for result, _ in found])
    assert width == pytest.approx(2 * 1.96 * np.std(values), rel=0.35)


def test_pairs_have_a_narrower_interval_than_strangers():
    generator = np.random.default_rng(7)
    a = generator.normal(size=(1000, 8))
    b = a + 0.1 * generator.normal(size=(1000, 8)) + 0.3
    pairs, strangers = (_with_intervals(a, b, paired=paired, resamples=50)[0] for paired in (True, False))
    assert pairs.value == pytest.approx(strangers.value, rel=1e-9)
    assert pairs.ci_high - pairs.ci_low < 0.5 * (strangers.ci_high - strangers.ci_low)


def test_images_sorted_by_letter_do_not_spoil_the_parts():
    generator = np.random.default_rng(8)
    letters = np.repeat(5 * generator.normal(size=(10, 4)), 200, axis=0)
    a = letters + generator.normal(size=letters.shape)
    b = np.roll(a, 300, axis=0)[:, ::-1]
    shuffled = generator.permutation(len(a))
    as_filed, mixed = (_with_intervals(a[rows], b[rows], paired=True, resamples=20) for rows in (slice(None), shuffled))
    assert as_filed[0].value == pytest.approx(mixed[0].value)
    assert as_filed[1].value == pytest.approx(mixed[1].value, rel=0.02)
    assert distance_of_halves(a, a, repeats=5).value < 5 < fid(a[:1000], a[1000:])


def test_skewed_resampling_is_reflected():
    # What was resampled too high by much says that the estimate may be too high by much: the long side goes down.
    low, high = _reflected(np.arange(1001.0) ** 2, 100.0)
    assert (low, high) == pytest.approx((100 - 975**2, 100 - 25**2))


def test_the_same_seed_gives_the_same_numbers_and_n_is_recorded():
    generator = np.random.default_rng(9)
    a, b = generator.normal(size=(300, 4)), generator.normal(size=(250, 4))
    first, again = (_with_intervals(a, b, resamples=10) for _ in range(2))
    assert first == again
    assert _with_intervals(a, b, resamples=10, seed=1)[0].ci_low != first[0].ci_low
    assert [distance.n for distance in first] == [300, 300]
    assert first[0].value == pytest.approx(fid(a, b))


def test_sets_that_are_compared_together_have_the_numbers_of_each_alone():
    generator = np.random.default_rng(15)
    a = generator.normal(size=(300, 4))
    sets = [a + scale * generator.normal(size=a.shape) for scale in (0.1, 1.0)]
    together = fids_with_intervals(a, sets, paired=True, resamples=10)
    assert together == [_with_intervals(a, b, paired=True, resamples=10) for b in sets]


def test_too_few_images_have_no_extrapolation_but_a_distance():
    generator = np.random.default_rng(10)
    measured, unbiased = _with_intervals(*generator.normal(size=(2, 40, 32)), resamples=5)
    assert np.isfinite(measured).all()
    assert np.isnan(unbiased[:3]).all()


def test_the_floor_is_the_bias_of_halves():
    generator = np.random.default_rng(11)
    rows = generator.normal(size=(4000, 8))
    floor = distance_of_halves(rows, rows)
    expected = np.mean([fid(*generator.normal(size=(2, 2000, 8))) for _ in range(20)])
    assert floor.value == pytest.approx(expected, rel=0.3)
    assert floor.ci_low < floor.value < floor.ci_high
    assert floor.n == 2000


def test_kernel_distance_of_known_distributions():
    # E (x·y + 1)³ of one dimension, x and y from N(m, 1), N(m', 1): 1 + 3 mm' + 3 (1+m²)(1+m'²) + (m³+3m)(m'³+3m').
    def kernel(m, k):
        return 1 + 3 * m * k + 3 * (1 + m**2) * (1 + k**2) + (m**3 + 3 * m) * (k**3 + 3 * k)

    generator = np.random.default_rng(12)
    a, b = generator.normal(size=(20000, 1)), generator.normal(size=(20000, 1)) + 0.5
    expected = kernel(0, 0) + kernel(0.5, 0.5) - 2 * kernel(0, 0.5)
    result = kid(a, b, block=500)
    assert result.ci_low < expected < result.ci_high
    assert result.value == pytest.approx(expected, rel=0.15)
    assert result.n == 20000


def test_kernel_distance_has_no_bias_for_strangers_or_pairs():
    generator = np.random.default_rng(13)
    a, b = generator.normal(size=(2, 20000, 4))
    for other in (b, 0.9 * a + np.sqrt(0.19) * b):
        result = kid(a, other, block=50)
        assert result.ci_low < 0 < result.ci_high
    assert kid(a, a).value == pytest.approx(0, abs=1e-9)


def test_one_block_has_no_interval_and_sizes_may_differ():
    generator = np.random.default_rng(14)
    result = kid(generator.normal(size=(60, 3)), generator.normal(size=(50, 3)))
    assert np.isnan(result.ci_low)


@pytest.mark.parametrize(
    "a, b, message",
    [
        (np.zeros((5, 3)), np.zeros((5, 4)), "shapes"),
        (np.zeros((1, 3)), np.zeros((5, 3)), "two images or more"),
        (np.zeros(5), np.zeros(5), "shapes"),
        (np.full((5, 3), np.nan), np.zeros((5, 3)), "NaN"),
    ],
)
@pytest.mark.parametrize("distance", [fid, kid, _with_intervals])
def test_wrong_features_are_named(distance, a, b, message):
    with pytest.raises(AnalysisError, match=message):
        distance(a, b)


def test_pairs_need_partners():
    with pytest.raises(AnalysisError, match="5 and 6 images"):
        _with_intervals(np.zeros((5, 3)), np.zeros((6, 3)), paired=True)
