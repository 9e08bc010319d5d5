"""Levels: their scales, exact integers, rows of the biases, and what fine-tuning gains."""

from dataclasses import replace
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from relaxor.crossbar.levels import (
    QuantizedDecoder,
    QuantizedLayer,
    bias_rows,
    code_factors,
    input_codes,
    integer_decoder,
    integer_sums,
)
from relaxor.inpainting.fine_tuning import AsOnChip
from relaxor.inpainting.images import centre
from relaxor.inpainting.models import predict
from relaxor.inpainting.rounding import Scales, _least_squares, plain_scale, quantize, round_decoder
from relaxor.inpainting.training import Data, Networks, Settings, train

from tests.inpainting.samples import bar_data, letter_data

pytestmark = pytest.mark.slow
"""Most of it is compilation."""

HOLE = 4
SHORT = Settings(epochs=80, batch=64, learning_rate=5e-4, step_epochs=20, gamma=0.8)
WRITE_NOISE = 1.0
"""Levels; so large that it shows on bars, which are easy to draw."""


@pytest.fixture(scope="module")
def data() -> Data:
    return bar_data(300, HOLE)


@pytest.fixture(scope="module")
def networks(data: Data) -> Networks:
    return train(data, HOLE, SHORT).networks


def squared_error(drawn: np.ndarray, data: Data) -> float:
    where = centre(drawn.shape[-1])
    return float(np.mean((drawn - np.asarray(data.images)[:, where, where]) ** 2))


# --- scales and levels
def test_plain_scale_clips_nothing() -> None:
    weights = np.random.default_rng(0).normal(size=(20, 30))
    assert plain_scale(weights)[0, 0] == pytest.approx(np.abs(weights).max() / 7)
    columns = plain_scale(weights, per_column=True)
    np.testing.assert_allclose(columns[:, 0], np.abs(weights).max(axis=1) / 7)
    asymmetric = plain_scale(weights, lowest=-8)[0, 0]
    assert asymmetric == pytest.approx(max(weights.max() / 7, -weights.min() / 8))


def changed_sums(weights: np.ndarray, levels: np.ndarray, scale: np.ndarray, codes: np.ndarray) -> float:
    return float(np.mean((codes @ (weights - scale * levels).T) ** 2))


@pytest.mark.parametrize("lowest", [-7, -8])
def test_least_squares_changes_the_sums_less_than_any_rounding_to_the_nearest_level(lowest: int) -> None:
    rng = np.random.default_rng(1)
    weights = rng.laplace(size=(40, 50))
    codes = np.maximum(rng.normal(size=(3000, 50)) @ rng.normal(size=(50, 50)), 0)  # inputs that go together
    nearest = min(
        changed_sums(weights, np.clip(np.rint(weights / scale), lowest, 7), scale, codes)
        for scale in np.linspace(0.05, 1.2, 400)
    )
    found = _least_squares(weights, codes, codes, per_column=False, lowest=lowest)
    own = _least_squares(weights, codes, codes, per_column=True, lowest=lowest)
    assert found[1].shape == (1, 1) and own[1].shape == (40, 1)
    for levels, _ in (found, own):
        np.testing.assert_array_equal(levels, np.rint(levels))
        assert levels.min() >= lowest and levels.max() <= 7
    assert changed_sums(weights, *found, codes) < 0.7 * nearest
    assert changed_sums(weights, *own, codes) < changed_sums(weights, *found, codes)


def test_what_was_lost_before_is_made_up_for() -> None:
    rng = np.random.default_rng(2)
    weights = rng.laplace(size=(40, 50))
    exact = np.maximum(rng.normal(size=(3000, 12)) @ rng.normal(size=(12, 50)), 0)  # many inputs say much the same
    codes = np.clip(np.rint(exact + rng.normal(size=exact.shape)), 0, 7)

    def lost(levels: np.ndarray, scale: np.ndarray) -> float:
        return float(np.mean((exact @ weights.T - codes @ (scale * levels).T) ** 2))

    alone = lost(*_least_squares(weights, codes, codes, per_column=True, lowest=-7))
    assert lost(*_least_squares(weights, codes, exact, per_column=True, lowest=-7)) < 0.7 * alone


def test_scale_is_the_best_for_its_levels() -> None:
    rng = np.random.default_rng(2)
    weights, codes = rng.normal(size=(10, 20)), rng.random((500, 20))
    levels, scale = _least_squares(weights, codes, codes, per_column=True, lowest=-7)
    for factor in (0.99, 1.01):
        assert changed_sums(weights, levels, scale, codes) < changed_sums(weights, levels, factor * scale, codes)


def test_inputs_that_go_their_own_ways_are_rounded_to_the_nearest_level() -> None:
    """Without correlations there is nothing that one weight could make up for another."""
    weights = np.random.default_rng(3).normal(size=(30, 40))
    levels, scale = _least_squares(weights, np.eye(40), np.eye(40), per_column=False, lowest=-7)
    off = np.abs(np.clip(weights / scale, -7, 7) - levels)
    assert np.quantile(off, 0.99) < 0.53  # the scale is refined after rounding


def test_what_is_all_zero_stays_zero() -> None:
    assert np.isfinite(plain_scale(np.zeros((3, 4)), per_column=True)).all()
    for weights, codes in ((np.zeros((3, 4)), np.ones((9, 4))), (np.ones((3, 4)), np.zeros((9, 4)))):
        levels, scale = _least_squares(weights, codes, codes, per_column=True, lowest=-7)
        assert np.isfinite(scale).all() and np.isfinite(levels).all()


# --- integers
@pytest.mark.parametrize("method", ["plain", "least_squares"])
@pytest.mark.parametrize("per_column", [False, True])
@pytest.mark.parametrize(("lowest", "bits"), [(-7, 8), (-8, 8), (-7, 4), (-7, 10)])
def test_sums_are_exact_in_any_order(networks, data, method, per_column, lowest, bits) -> None:
    currents = np.asarray(data.currents)
    quantized = round_decoder(networks.decoder, currents, method, per_column=per_column, lowest=lowest, bits=bits)
    for layer in quantized.layers:
        assert layer.levels.dtype == np.int8 and layer.bias.dtype == np.int32
        assert layer.levels.min() >= lowest and layer.levels.max() <= 7
        assert layer.weight_scale.size == (len(layer.bias) if per_column else 1)
    drawn = integer_decoder(quantized, currents)
    assert drawn.shape == (300, HOLE, HOLE) and drawn.dtype == np.float32
    np.testing.assert_array_equal(integer_sums(quantized, currents), summed_in_float32(quantized, currents))


def summed_in_float32(quantized: QuantizedDecoder, currents: np.ndarray) -> np.ndarray:
    """The decoder with float32 alone, sums from the last input to the first: as exact as with integers."""
    codes = input_codes(quantized, currents).astype(np.float32)
    for layer, factor in zip(quantized.layers, [*code_factors(quantized), None], strict=True):
        sums = codes[:, ::-1] @ layer.levels[:, ::-1].astype(np.float32).T + layer.bias.astype(np.float32)
        if factor is not None:
            codes = np.clip(np.rint(sums * factor), 0, quantized.highest_code)
    return sums


def test_integers_compute_what_training_saw(networks: Networks, data: Data) -> None:
    """The integer decoder against the same rounding in floating point, as fine-tuning evaluates it."""
    currents = np.asarray(data.currents)
    scales = Scales.of(round_decoder(networks.decoder, currents))
    evaluate = eqx.filter_jit(AsOnChip(scales, noise=0.0, sum_noise=0.0))
    seen = evaluate(networks.decoder, data.currents, jax.random.key(0)).reshape(-1, HOLE, HOLE)
    difference = np.abs(integer_decoder(quantize(networks.decoder, scales), currents) - np.asarray(seen))
    assert np.median(difference) < 1e-5 and difference.max() < 0.02


def test_readings_are_codes(networks: Networks, data: Data) -> None:
    quantized = round_decoder(networks.decoder, np.asarray(data.currents))
    codes = input_codes(quantized, np.asarray(data.currents))
    np.testing.assert_allclose(codes / 127, data.currents, atol=1e-6)
    assert codes.min() >= 0 and codes.max() <= 127


def test_many_levels_give_the_float_decoder_back(networks: Networks, data: Data) -> None:
    """Weights that are levels already: only the activations are rounded."""
    scale = 0.02
    exact = eqx.tree_at(
        lambda decoder: [layer.weight for layer in decoder.layers],
        networks.decoder,
        [scale * jnp.clip(jnp.round(layer.weight / scale), -7, 7) for layer in networks.decoder.layers],
    )
    scales = Scales(tuple(jnp.full((1, 1), scale) for _ in exact.layers), (1 / 2047, 0.002, 0.002))
    drawn = integer_decoder(quantize(exact, scales, bits=12), data.currents)
    np.testing.assert_allclose(drawn, predict(exact, data.currents), atol=0.01)


@pytest.mark.parametrize("bits", [4, 8, 10])
def test_bias_rows_add_up_to_the_bias(bits: int) -> None:
    rng = np.random.default_rng(4)
    for largest in (0, 3, 200, 4000):
        bias = rng.integers(-largest, largest + 1, size=300).astype(np.int32)
        layer = QuantizedLayer(np.zeros((300, 1), np.int8), bias, np.ones(1), 1.0)
        codes, levels = bias_rows(layer, bits)
        assert levels.shape == (300, codes.size) and levels.dtype == np.int8
        np.testing.assert_array_equal(levels.astype(int) @ codes, bias)
        assert np.abs(levels).max(initial=0) <= 7 and (codes <= 2 ** (bits - 1) - 1).all()
        assert codes.size <= largest / (7 * (2 ** (bits - 1) - 1)) + 4


def test_biases_of_a_decoder_fit_the_array(networks: Networks, data: Data) -> None:
    quantized = round_decoder(networks.decoder, np.asarray(data.currents))
    assert all(layer.levels.shape[1] + bias_rows(layer)[0].size <= 576 for layer in quantized.layers)


# --- what it costs
def test_better_rounding_costs_less(networks: Networks, data: Data) -> None:
    test = bar_data(300, HOLE, seed=1)
    exact = predict(networks.decoder, test.currents)

    def deviation(method: str, per_column: bool) -> float:
        quantized = round_decoder(networks.decoder, np.asarray(data.currents), method, per_column=per_column)
        return float(np.mean((integer_decoder(quantized, test.currents) - exact) ** 2))

    plain = deviation("plain", False)
    assert deviation("plain", True) < plain
    assert deviation("least_squares", False) < 0.5 * plain
    assert deviation("least_squares", True) < 0.5 * plain


def written(quantized: QuantizedDecoder, seed: int) -> QuantizedDecoder:
    """Levels as a noisy writing leaves them."""
    rng = np.random.default_rng(seed)
    layers = []
    for layer in quantized.layers:
        levels = np.rint(layer.levels + WRITE_NOISE * rng.standard_normal(layer.levels.shape))
        layers.append(replace(layer, levels=np.clip(levels, -7, 7).astype(np.int8)))
    return replace(quantized, layers=tuple(layers))


def test_fine_tuning_learns_the_levels_and_their_noise(networks: Networks, data: Data) -> None:
    test = bar_data(300, HOLE, seed=1)
    rounded = round_decoder(networks.decoder, np.asarray(data.currents))
    scales = Scales.of(rounded)
    settings = SHORT.model_copy(update={"learning_rate": 3e-4, "adversarial": 0.0, "letter": 0.0, "seed": 1})
    quiet, noisy = (
        quantize(
            train(data, HOLE, settings, start=networks, generate=AsOnChip(scales, noise, 0.0)).networks.decoder, scales
        )
        for noise in (0.0, WRITE_NOISE)
    )
    before, after = (squared_error(integer_decoder(q, test.currents), test) for q in (rounded, quiet))
    assert after < before
    errors = [
        np.mean([squared_error(integer_decoder(written(q, seed), test.currents), test) for seed in range(5)])
        for q in (rounded, quiet, noisy)
    ]
    assert errors[2] < 0.9 * min(errors[:2])


def test_gradient_passes_rounding_but_not_clipping() -> None:
    decoder = Networks.create(HOLE, 0).decoder
    scales = Scales.of(round_decoder(decoder, np.full((4, 196), 0.5, np.float32), "plain"))
    smaller = eqx.tree_at(lambda s: s.weights[0], scales, scales.weights[0] / 2)
    currents = jnp.full((4, 196), 0.5)

    def total(weights: jax.Array) -> jax.Array:
        changed = eqx.tree_at(lambda d: d.layers[0].weight, decoder, weights)
        return AsOnChip(smaller, noise=0.0, sum_noise=0.0)(changed, currents, jax.random.key(0)).sum()

    weights = decoder.layers[0].weight
    slope = np.asarray(jax.jit(jax.grad(total))(weights))
    clipped = np.abs(np.asarray(weights)) > 7.001 * float(smaller.weights[0][0, 0])
    edge = np.abs(np.abs(np.asarray(weights)) / float(smaller.weights[0][0, 0]) - 7) < 0.01
    alive = np.broadcast_to((slope != 0).any(axis=1, keepdims=True), slope.shape)
    assert (clipped & alive).any() and (slope[clipped] == 0).all()
    assert (slope[~clipped & ~edge & alive] != 0).all()


def test_real_letters(emnist: Path) -> None:
    """Five epochs: float, then what each way to four bits costs, on test letters."""
    data, test = (letter_data(emnist, part, 12) for part in ("train", "test"))
    trained = train(data, 12, Settings(epochs=5, learning_rate=5e-4)).networks
    errors = {"float": squared_error(predict(trained.decoder, test.currents), test)}

    def error_of_levels(quantized: QuantizedDecoder) -> float:
        return squared_error(integer_decoder(quantized, test.currents), test)

    sample = np.asarray(data.currents[:4096])
    for per_column in (False, True):
        for method in ("plain", "least_squares"):
            rounded = round_decoder(trained.decoder, sample, method, per_column=per_column)
            errors[f"{method} {per_column}"] = error_of_levels(rounded)
        scales = Scales.of(rounded)
        settings = Settings(epochs=1, learning_rate=5e-4, seed=1)
        tuned = train(data, 12, settings, start=trained, generate=AsOnChip(scales, 0.0, 0.0)).networks.decoder
        errors[f"fine_tuned {per_column}"] = error_of_levels(quantize(tuned, scales))
    print(errors)
    middle = np.asarray(test.images)[:, centre(12), centre(12)]
    assert errors["float"] < 0.7 * np.mean((middle - middle.mean(axis=0)) ** 2)
    for per_column in (False, True):
        assert errors[f"least_squares {per_column}"] < errors[f"plain {per_column}"]
        assert errors[f"least_squares {per_column}"] < 1.1 * errors["float"]
        assert errors[f"fine_tuned {per_column}"] < 1.05 * errors["float"]
