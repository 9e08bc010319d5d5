"""An ideal chip computes integers exactly; every other one errs as its parts say."""

import itertools
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relaxor.core.errors import AnalysisError
from relaxor.crossbar.chip import IDEAL, Chip, Converter
from relaxor.crossbar.compute import Network, assemble, calibrate, inference, with_wires
from relaxor.crossbar.levels import QuantizedDecoder, QuantizedLayer, bias_rows, highest_code, integer_sums

pytestmark = pytest.mark.slow
"""Most of it is compilation."""


def decoder(sizes: tuple[int, ...], seed: int, bits: int = 8) -> QuantizedDecoder:
    rng = np.random.default_rng(seed)
    limit = highest_code(bits)
    layers = []
    for inputs, outputs in itertools.pairwise(sizes):
        levels = rng.integers(-8, 8, (outputs, inputs)).astype(np.int8)
        scale = rng.uniform(0.5, 1.5, outputs) / (4 * np.sqrt(inputs) * limit)
        bias = rng.integers(-12 * limit, 12 * limit, outputs).astype(np.int32)
        layers.append(QuantizedLayer(levels, bias, scale, 1 / limit))
    return QuantizedDecoder(tuple(layers), bits)


def run(network: Network, inputs: np.ndarray, levels: np.ndarray | None = None, seed: int = 0) -> np.ndarray:
    matrices = network.matrices(network.targets() if levels is None else levels)
    periphery = calibrate(network, matrices, inputs[:64])
    return np.asarray(inference(network)(matrices, periphery, jnp.asarray(inputs), jax.random.key(seed))[0])


@pytest.mark.parametrize("scheme", [("levels", 8), ("bits", 8), ("bits", 4), ("unary", 4)])
@given(
    sizes=st.lists(st.integers(1, 50), min_size=2, max_size=3),
    geometry=st.tuples(st.integers(1, 3), st.integers(16, 60), st.integers(16, 40)),
    copies=st.integers(1, 3),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=3, deadline=None)
def test_ideal_chip_is_integer_arithmetic_wherever_the_tiles_are(sizes, geometry, copies, scheme, seed) -> None:
    arrays, rows, columns = geometry
    pulses, bits = scheme
    converter = Converter(pulses=pulses, input_limit=highest_code(bits), adc_bits=None)
    chip = replace(IDEAL, chips=1, arrays=arrays, rows=rows, columns=columns, converter=converter)
    layers = decoder(tuple(sizes), seed, bits)
    inputs = np.random.default_rng(seed).uniform(-0.2, 1.2, (5, sizes[0])).astype(np.float32)
    sums = integer_sums(layers, inputs)
    outputs = 1 / (1 + np.exp(-sums * layers.layers[-1].sum_scale))
    network = assemble(layers, chip, copies=copies)
    matrices = network.matrices(network.targets())
    periphery = calibrate(network, matrices, inputs)
    found_sums, found = inference(network)(matrices, periphery, jnp.asarray(inputs), jax.random.key(0))
    np.testing.assert_array_equal(found_sums, sums)
    np.testing.assert_allclose(found, outputs, atol=1e-6)


@pytest.fixture(scope="module")
def small() -> tuple[QuantizedDecoder, np.ndarray]:
    return decoder((60, 50), 1), np.random.default_rng(2).uniform(0, 1, (4000, 60)).astype(np.float32)


def error(chip: Chip, small: tuple, **options) -> np.ndarray:
    layers, inputs = small
    return run(assemble(layers, chip, **options), inputs) - integer_sums(layers, inputs)


def test_read_noise_is_that_of_fresh_cells(small: tuple) -> None:
    """The number an output that stands for the noise of its cells has their variance."""
    chip = replace(IDEAL, read_noise=0.01, converter=Converter(pulses="levels", adc_bits=None))
    layers, inputs = small
    found = error(chip, small)
    constant = bias_rows(layers.layers[0])[0]
    rows = np.hstack([np.rint(inputs * 127), np.tile(constant, (len(inputs), 1))])
    expected = 0.01 * 7 * np.linalg.norm(rows, axis=1)
    assert (found / expected[:, None]).std() == pytest.approx(1, abs=0.01)
    assert abs((found / expected[:, None]).mean()) < 0.01


def test_copies_average_read_noise(small: tuple) -> None:
    chip = replace(IDEAL, read_noise=0.01, converter=Converter(pulses="levels", adc_bits=None))
    assert error(chip, small, copies=4).std() == pytest.approx(error(chip, small).std() / 2, rel=0.03)


def test_more_bits_err_less(small: tuple) -> None:
    spread = [error(replace(IDEAL, converter=Converter(adc_bits=bits)), small).std() for bits in (4, 6, 8)]
    assert spread[0] > 3 * spread[1] > 9 * spread[2]


def test_calibrated_ranges_beat_the_largest_current(small: tuple) -> None:
    chip = replace(IDEAL, converter=Converter(adc_bits=4))
    layers, inputs = small
    network = assemble(layers, chip)
    matrices = network.matrices(network.targets())
    periphery = calibrate(network, matrices, inputs[:200])
    exact = integer_sums(layers, inputs)

    def spread(factor: float) -> float:
        wide = periphery._replace(ranges=[[factor * step for step in layer] for layer in periphery.ranges])
        return float(np.std(inference(network)(matrices, wide, jnp.asarray(inputs), jax.random.key(0))[0] - exact))

    assert spread(1.0) < min(spread(0.7), spread(1.5))


def test_range_set_by_the_integration_time(small: tuple) -> None:
    layers, inputs = small
    codes = {}
    for time in (100.0, 1000.0):
        chip = replace(IDEAL, converter=Converter(adc_bits=4, integration_time=time))
        network = assemble(layers, chip)
        codes[time] = calibrate(network, network.matrices(network.targets()), inputs[:10]).ranges[0][0]
    assert float(codes[100.0][0, 0]) == pytest.approx(128.247e-6 / (0.1 * 19.16e-6 / 7) / 8)
    np.testing.assert_allclose(codes[100.0], 10 * codes[1000.0], rtol=1e-6)
    with pytest.raises(AnalysisError, match="integration_time is 0"):
        Chip(converter=Converter(integration_time=0.0))


def test_corrected_sums_err_less_than_those_that_drifted(small: tuple) -> None:
    layers, inputs = small
    network = assemble(layers, IDEAL)
    faded = network.matrices(0.8 * network.targets())
    exact = integer_sums(layers, inputs)
    errors = []
    for outputs in (False, True):
        periphery = calibrate(network, faded, inputs[:300], outputs=outputs)
        found = inference(network)(faded, periphery, jnp.asarray(inputs), jax.random.key(0))[0]
        errors.append(float(np.abs(found - exact).mean()))
    assert errors[1] < 1e-4 * errors[0]


def test_wires_take_from_the_sums() -> None:
    chip = replace(IDEAL, row_resistance=1.0, column_resistance=1.0, rows=64, columns=16)
    levels = np.full((1, 1, 64, 16), 7)
    left = with_wires(levels, chip) / levels
    assert (left < 1).all()
    # Farthest from the driver and from the amplifier most is lost.
    assert left[0, 0].argmin() == 15
    assert left[0, 0].argmax() == 63 * 16
    ideal = replace(chip, row_resistance=0.0, column_resistance=0.0)
    np.testing.assert_array_equal(with_wires(levels, ideal), levels)


def test_many_chips_are_one_call(small: tuple) -> None:
    layers, inputs = small
    chip = replace(IDEAL, read_noise=0.01, converter=Converter(adc_bits=8, pulses="levels"))
    network = assemble(layers, chip)
    single = network.matrices(network.targets())
    periphery = calibrate(network, single, inputs[:64])
    keys = jax.random.split(jax.random.key(0), 3)
    many = [[jnp.stack([matrix, matrix, 0 * matrix]) for matrix in layer] for layer in single]
    decode = inference(network)
    together = jax.vmap(decode, in_axes=(0, None, None, 0))(many, periphery, jnp.asarray(inputs[:50]), keys)[0]
    alone = decode(single, periphery, jnp.asarray(inputs[:50]), keys[1])[0]
    np.testing.assert_allclose(together[1], alone, atol=2 * float(periphery.ranges[0][0].max()))
    assert not np.array_equal(together[0], together[1])
    assert np.abs(together[2]).mean() < np.abs(together[1]).mean() / 5


def test_bad_decoders_are_refused() -> None:
    layers = decoder((6, 5, 4), 0)
    first, second = layers.layers
    with pytest.raises(AnalysisError, match="layer 1: levels"):
        assemble(replace(layers, layers=(replace(first, levels=first.levels * 3), second)), IDEAL)
    with pytest.raises(AnalysisError, match="activations up to 511, the chip accepts up to 127"):
        assemble(decoder((6, 5), 0, bits=10), IDEAL)
