"""Levels: their scales, exact integers, rows of the biases, and what fine-tuning gains."""

from dataclasses import replace
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from relaxor.errors import AnalysisError
from relaxor.inpainting.models import Decoder, centre, predict
from relaxor.inpainting.quantization import (
    FINE_TUNING,
    AsOnChip,
    QuantizedDecoder,
    QuantizedLayer,
    Scales,
    bias_rows,
    choose_scales,
    fine_tune,
    float_reference,
    input_codes,
    integer_decoder,
    quantize,
    weight_scale,
)
from relaxor.inpainting.training import Data, LossWeights, Networks, Settings, train

from tests.inpainting.samples import bar_data, letter_data

pytestmark = pytest.mark.slow
"""Most of it is compilation."""

HOLE = 4
WRITE_NOISE = 1.0
"""Levels; so large that it shows on bars, which are easy to draw."""


@pytest.fixture(scope="module")
def data() -> Data:
    return bar_data(300, HOLE)


@pytest.fixture(scope="module")
def networks(data: Data) -> Networks:
    return train(data, HOLE, Settings(epochs=80, batch=64)).networks


def squared_error(drawn: np.ndarray, data: Data) -> float:
    where = centre(drawn.shape[-1])
    return float(np.mean((drawn - np.asarray(data.images)[:, where, where]) ** 2))


# --- scales
def test_plain_scale_clips_nothing() -> None:
    weights = np.random.default_rng(0).normal(size=(20, 30))
    assert weight_scale(weights, "plain")[0, 0] == pytest.approx(np.abs(weights).max() / 7)
    columns = weight_scale(weights, "plain", per_column=True)
    np.testing.assert_allclose(columns[:, 0], np.abs(weights).max(axis=1) / 7)
    asymmetric = weight_scale(weights, "plain", lowest=-8)[0, 0]
    assert asymmetric == pytest.approx(max(weights.max() / 7, -weights.min() / 8))


def error_of(weights: np.ndarray, scale: np.ndarray | float, lowest: int = -7) -> float:
    return float(((weights - scale * np.clip(np.rint(weights / scale), lowest, 7)) ** 2).sum())


@pytest.mark.parametrize("lowest", [-7, -8])
def test_least_squares_scale_is_the_best_there_is(lowest: int) -> None:
    weights = np.random.default_rng(1).laplace(size=(40, 50))
    found = error_of(weights, weight_scale(weights, lowest=lowest)[0, 0], lowest)
    fine = min(error_of(weights, scale, lowest) for scale in np.linspace(0.05, 1.2, 4000))
    assert found < 1.003 * fine
    assert found < 0.8 * error_of(weights, weight_scale(weights, "plain", lowest=lowest)[0, 0], lowest)
    own = weight_scale(weights, per_column=True, lowest=lowest)
    assert own.shape == (40, 1) and error_of(weights, own, lowest) < found


def test_zero_weights_stay_zero() -> None:
    for method in ("plain", "least_squares"):
        assert np.isfinite(weight_scale(np.zeros((3, 4)), method, per_column=True)).all()


def test_gaussian_weights_have_the_optimal_uniform_step() -> None:
    """Fifteen levels of a unit Gaussian: the known optimal step is about 0.35 (Max, doi 10.1109/TIT.1960.1057548)."""
    weights = np.random.default_rng(3).normal(size=(300, 300))
    assert weight_scale(weights)[0, 0] == pytest.approx(0.3534, abs=0.02)


# --- integers
@pytest.mark.parametrize("method", ["plain", "least_squares"])
@pytest.mark.parametrize("per_column", [False, True])
@pytest.mark.parametrize(("lowest", "bits"), [(-7, 8), (-8, 8), (-7, 4), (-7, 10)])
def test_integers_equal_the_float_reference(networks, data, method, per_column, lowest, bits) -> None:
    currents = np.asarray(data.currents)
    scales = choose_scales(networks.decoder, currents, method, per_column=per_column, lowest=lowest, bits=bits)
    quantized = quantize(networks.decoder, scales, lowest=lowest, bits=bits)
    for layer in quantized.layers:
        assert layer.levels.dtype == np.int8 and layer.bias.dtype == np.int32
        assert layer.levels.min() >= lowest and layer.levels.max() <= 7
        assert layer.weight_scale.size == (len(layer.bias) if per_column else 1)
    drawn = integer_decoder(quantized, currents)
    assert drawn.shape == (300, HOLE, HOLE) and drawn.dtype == np.float32
    np.testing.assert_array_equal(drawn, float_reference(quantized, currents))


def test_integers_compute_what_training_saw(networks: Networks, data: Data) -> None:
    """The integer decoder against the same rounding in floating point, as fine-tuning evaluates it."""
    currents = np.asarray(data.currents)
    scales = choose_scales(networks.decoder, currents)
    evaluate = eqx.filter_jit(AsOnChip(scales, noise=0.0))
    seen = evaluate(networks.decoder, data.currents, jax.random.key(0)).reshape(-1, HOLE, HOLE)
    difference = np.abs(integer_decoder(quantize(networks.decoder, scales), currents) - np.asarray(seen))
    assert np.median(difference) < 1e-5 and difference.max() < 0.02


def test_readings_are_codes(networks: Networks, data: Data) -> None:
    quantized = quantize(networks.decoder, choose_scales(networks.decoder, data.currents))
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
    scales = choose_scales(exact, data.currents, bits=12)
    np.testing.assert_allclose([float(s[0, 0]) for s in scales.weights], scale, rtol=1e-5)
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
    quantized = quantize(networks.decoder, choose_scales(networks.decoder, data.currents))
    assert all(layer.levels.shape[1] + bias_rows(layer)[0].size <= 576 for layer in quantized.layers)


def test_scales_too_far_apart_are_refused() -> None:
    layers = tuple(
        QuantizedLayer(np.ones((n, m), np.int8), np.zeros(n, np.int32), np.full(1, scale), 1.0)
        for n, m, scale in ((5, 196, 1e9), (4, 5, 1.0))
    )
    with pytest.raises(AnalysisError, match="too far apart"):
        integer_decoder(QuantizedDecoder(layers, 8), np.ones((1, 196)))


# --- what it costs
def test_better_scales_cost_less(networks: Networks, data: Data) -> None:
    test = bar_data(300, HOLE, seed=1)
    exact = predict(networks.decoder, test.currents)

    def deviation(method: str, per_column: bool) -> float:
        scales = choose_scales(networks.decoder, data.currents, method, per_column=per_column)
        return float(np.mean((integer_decoder(quantize(networks.decoder, scales), test.currents) - exact) ** 2))

    plain = deviation("plain", False)
    assert deviation("plain", True) < plain
    assert deviation("least_squares", False) < plain
    assert deviation("least_squares", True) < 0.8 * plain


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
    scales = choose_scales(networks.decoder, data.currents)
    settings = Settings(epochs=80, batch=64, learning_rate=3e-4, weights=LossWeights(1.0, 0.0, 0.0), seed=1)
    rounded = quantize(networks.decoder, scales)
    quiet, noisy = (
        quantize(fine_tune(networks, data, scales, settings, noise=noise).networks.decoder, scales)
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
    scales = choose_scales(decoder, np.full((4, 196), 0.5, np.float32), "plain")
    smaller = eqx.tree_at(lambda s: s.weights[0], scales, scales.weights[0] / 2)
    currents = jnp.full((4, 196), 0.5)

    def total(weights: jax.Array) -> jax.Array:
        changed = eqx.tree_at(lambda d: d.layers[0].weight, decoder, weights)
        return AsOnChip(smaller, noise=0.0)(changed, currents, jax.random.key(0)).sum()

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
    trained = train(data, 12, Settings(epochs=5)).networks
    errors = {"float": squared_error(predict(trained.decoder, test.currents), test)}

    def error_of_levels(decoder: Decoder, scales: Scales) -> float:
        return squared_error(integer_decoder(quantize(decoder, scales), test.currents), test)

    for per_column in (False, True):
        for method in ("plain", "least_squares"):
            scales = choose_scales(trained.decoder, data.currents[:4096], method, per_column=per_column)
            errors[f"{method} {per_column}"] = error_of_levels(trained.decoder, scales)
        tuned = fine_tune(trained, data, scales, replace(FINE_TUNING, epochs=1), noise=0.0).networks.decoder
        errors[f"fine_tuned {per_column}"] = error_of_levels(tuned, scales)
    print(errors)
    middle = np.asarray(test.images)[:, centre(12), centre(12)]
    assert errors["float"] < 0.7 * np.mean((middle - middle.mean(axis=0)) ** 2)
    assert errors["least_squares False"] < errors["plain False"]
    assert errors["fine_tuned False"] < errors["least_squares False"]
    assert errors["fine_tuned True"] < 1.05 * errors["float"]
