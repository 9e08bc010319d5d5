"""The device reads images: its currents against the rate equations, its tables, its noise and its ADC."""

import jax
import numpy as np
import pytest
from relaxor.inpainting.encoder import GROUPS, draw_device_gains, encode, full_range
from relaxor.synapse.photoresponse.codes import CODES
from relaxor.synapse.photoresponse.encoder import Encoder
from relaxor.synapse.photoresponse.kinetics import Light, Readings, components

from tests.inpainting.samples import device

KEY = jax.random.key(0)
PICOAMPERE = (0.0, 1e-12)


def exact(images: np.ndarray, encoder: Encoder, **options: object) -> np.ndarray:
    """Currents in pA without noise and ADC."""
    return encode(images, encoder, KEY, read_noise=False, bits=None, current_range=PICOAMPERE, **options)


def code_image() -> np.ndarray:
    """The sixteen codes as the first groups of an image."""
    image = np.zeros((28, 28), np.float32)
    image.flat[:64] = [int(bit) for code in CODES for bit in code]
    return image[None]


@pytest.mark.parametrize("read_delay", [0.1, 0.05, 0.07, 0.13])
def test_grey_levels_solve_the_rate_equations(read_delay: float) -> None:
    """At the end of the fourth pulse, in the dark after it, and across its end."""
    encoder = device(read_delay=read_delay)
    image = np.random.default_rng(1).random((1, 28, 28)).astype(np.float32)
    image[0, 0, :4] = (0, 1, 0, 0)
    timing = encoder.timing
    onset = timing.first + timing.period * np.arange(4)
    names = ("g1", "g2", "tau_1", "tau_2", "alpha", "alpha0", "J0", "J1", "J2")
    quantities = (*encoder.gains, *encoder.decay_constants, *encoder.exponents, encoder.prompt, *encoder.saturation)
    values = {name: quantity.value for name, quantity in zip(names, quantities, strict=True)}
    time = onset[-1] + timing.read_delay + timing.sampling_interval * np.arange(5)
    expected = []
    for group in image.reshape(-1, 4).astype(float):
        start = np.column_stack([onset, onset + timing.width]).ravel()
        power = np.column_stack([timing.power * group, np.zeros(4)]).ravel()
        light = Light(start, power).relative(encoder.reference_power)
        readings = components(Readings.at(light, time), values)
        expected.append(1e12 * readings.current(values).mean())
    np.testing.assert_allclose(exact(image, encoder)[0], expected, rtol=1e-5)


def test_binary_codes_are_those_of_the_file() -> None:
    encoder = device()
    fitted = exact(code_image(), encoder)[0, :16]
    np.testing.assert_allclose(fitted, [1e12 * encoder.predicted[code].current for code in CODES], rtol=1e-5, atol=1e-6)


def test_order_of_the_pixels_is_that_of_rows() -> None:
    image = np.zeros((1, 28, 28), np.float32)
    image[0, 3, 9] = 1
    lit = np.flatnonzero(exact(image, device())[0] > 1e-3)
    assert lit.tolist() == [3 * 7 + 9 // 4]


def test_noise_has_the_spread_of_the_codes() -> None:
    encoder = device()
    images = np.repeat(code_image(), 6000, axis=0)
    noisy = encode(images, encoder, KEY, bits=None, current_range=PICOAMPERE)[:, :16]
    assert noisy[:, 5].mean() == pytest.approx(exact(code_image(), encoder)[0, 5], rel=1e-3)
    expected = [1e12 * encoder.predicted[code].spread for code in CODES]
    np.testing.assert_allclose(noisy.std(axis=0), expected, rtol=0.05)
    # No two images share their noise, also not across what is read at once.
    assert np.unique(noisy[:, 0]).size > 5900


def test_adc_rounds_to_its_levels_and_clips() -> None:
    encoder = device()
    low, high = full_range(encoder)
    image = np.random.default_rng(2).random((3, 28, 28)).astype(np.float32)
    current = exact(image, encoder)
    levels = 127 * encode(image, encoder, KEY, read_noise=False)
    np.testing.assert_allclose(levels, np.rint(levels), atol=1e-4)
    np.testing.assert_allclose(levels / 127 * 1e12 * (high - low), current, atol=0.51 / 127 * 1e12 * high)
    narrow = encode(image, encoder, KEY, read_noise=False, bits=3, current_range=(1e-12, 2e-12))
    assert set(np.rint(7 * np.unique(narrow))) == set(range(8))
    assert (narrow[current < 1] == 0).all() and (narrow[current > 2] == 1).all()
    assert encode(np.ones((1, 28, 28)), encoder, KEY, read_noise=False).max() < 1


def test_devices_differ_by_what_was_asked_and_stay_themselves() -> None:
    gains = draw_device_gains(jax.random.key(3), 0.1)
    assert gains.shape == (GROUPS,) and float(gains.min()) > 0
    many = np.concatenate([draw_device_gains(jax.random.key(i), 0.1) for i in range(50)])
    assert many.mean() == pytest.approx(1, abs=0.003) and many.std() == pytest.approx(0.1, rel=0.03)
    images = np.ones((2, 28, 28), np.float32)
    encoder = device()
    read = exact(images, encoder, device_gains=gains)
    np.testing.assert_allclose(read, exact(images, encoder) * np.asarray(gains), rtol=1e-6)
    np.testing.assert_array_equal(read[0], read[1])


def test_same_key_same_bytes() -> None:
    images = np.random.default_rng(4).random((5000, 28, 28)).astype(np.float32)
    first, again, other = (encode(images, device(), jax.random.key(k)) for k in (1, 1, 2))
    assert first.dtype == np.float32 and first.shape == (5000, 196)
    assert first.tobytes() == again.tobytes() != other.tobytes()
    assert encode(images[:0], device(), KEY).shape == (0, 196)
