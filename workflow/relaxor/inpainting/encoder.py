"""The image as the device reads it: 784 pixels, 196 groups of four pulses of light, one current after the fourth each.

A grey level p is a pulse of p times the power of the codes, so that a pixel fills traps at the rate g p^alpha. Between
two changes of the light the filled part of the traps is an exponential (`relaxor.synapse.photoresponse.kinetics`), and
a group is a product of eight exponentials, four in light and four in the dark. Read noise and variation from
presentation to presentation are those of ``encoder.json``. The current is digitized by a converter with as many levels
as the chip has input pulses.
"""

import math
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from relaxor.inpainting.images import SIDE
from relaxor.synapse.photoresponse.codes import SLOTS
from relaxor.synapse.photoresponse.encoder import Encoder

GROUPS = SIDE * SIDE // SLOTS
"""Number of groups of four successive pixels of a row, which is the number of currents of an image."""
ADC_BITS = 7
"""Bits of a reading, 0 … 127: as many levels as the chip takes equal input pulses, so that no conversion is needed."""
HEADROOM = 0.05
"""Part by which the range of the ADC exceeds the largest code: ten spreads of a reading, so that noise is not cut."""
BATCH = 4096
"""Number of images at once: their four pulses take some 10 MB, whereas the whole set would take gigabytes."""


@dataclass(frozen=True)
class _Device:
    """Constants of the read-out, currents in units of the ADC's range; hashable, as they are compiled in.

    ``lit`` holds the times of the readings inside the fourth pulse, from its onset; ``faded`` the mean part of each
    kind of traps that is still filled at those after it, of all readings.
    """

    gains: tuple[float, float]
    decay_rates: tuple[float, float]
    currents: tuple[float, float]
    prompt: float
    exponents: tuple[float, float]
    width: float
    dark: float
    lit: tuple[float, ...]
    faded: tuple[float, float]
    readings: int
    low: float
    additive: float
    multiplicative: float


def encode(
    images: np.ndarray,
    encoder: Encoder,
    key: jax.Array,
    *,
    read_noise: bool = True,
    device_gains: ArrayLike = 1.0,
    bits: int | None = ADC_BITS,
    current_range: tuple[float, float] | None = None,
) -> np.ndarray:
    """Read images with the device.

    Parameters
    ----------
    images
        Grey levels 0 … 1, shape (n, 28, 28).
    encoder
        The fitted device.
    key
        Key of the noise; the same key gives the same currents.
    read_noise
        Whether to add the noise of a reading and to vary the response from presentation to presentation.
    device_gains
        Response of each device relative to the fitted one, shape (196,); see `draw_device_gains`.
    bits
        Bits of the ADC; None reads the current itself.
    current_range
        Currents of the first and last code of the ADC, A; by default from the dark to `HEADROOM` above the largest
        current of the sixteen codes.

    Returns
    -------
    numpy.ndarray
        Currents above the dark one as parts of the range, float32, shape (n, 196): multiples of 1/(2^bits − 1), 0 … 1.
    """
    images = np.asarray(images, np.float32)
    device = _device(encoder, current_range or full_range(encoder))
    gains = jnp.broadcast_to(jnp.asarray(device_gains, jnp.float32), (GROUPS,))
    read = partial(_read, device=device, noise=read_noise, bits=bits)
    parts = [
        read(images[begin : begin + BATCH], gains, jax.random.fold_in(key, begin))
        for begin in range(0, len(images), BATCH)
    ]
    return np.concatenate([np.empty((0, GROUPS), np.float32), *map(np.asarray, parts)])


def full_range(encoder: Encoder) -> tuple[float, float]:
    """Return the default range of the ADC, A."""
    largest = max(level.current for level in [*encoder.measured.values(), *encoder.predicted.values()])
    return 0.0, (1 + HEADROOM) * largest


def draw_device_gains(key: jax.Array, variation: float) -> jax.Array:
    """Draw the responses of 196 devices relative to the fitted one.

    Parameters
    ----------
    key
        Key of the array of devices, which reads all images.
    variation
        Relative standard deviation from device to device; responses are log-normal because they cannot be negative.

    Returns
    -------
    jax.Array
        Responses of mean one, shape (196,).
    """
    sigma = math.sqrt(math.log1p(variation**2))
    return jnp.exp(sigma * jax.random.normal(key, (GROUPS,)) - sigma**2 / 2)


def _device(encoder: Encoder, current_range: tuple[float, float]) -> _Device:
    low, high = current_range
    span = high - low
    timing = encoder.timing
    scale = timing.power / encoder.reference_power
    alpha, alpha0 = (quantity.value for quantity in encoder.exponents)
    time = timing.readings
    onset, end = timing.slots[-1], timing.slots[-1] + timing.width
    first, second = (1 / quantity.value for quantity in encoder.decay_constants)
    after = time[time >= end] - end
    # Both the read-out and the dark before the first pulse are means of so many readings.
    additive = encoder.noise_additive.value * math.sqrt(
        1 / time.size + 1 / max(timing.first / timing.sampling_interval, 1.0)
    )
    return _Device(
        gains=(encoder.gains[0].value * scale**alpha, encoder.gains[1].value * scale**alpha),
        decay_rates=(first, second),
        currents=(encoder.saturation[0].value / span, encoder.saturation[1].value / span),
        prompt=encoder.prompt.value * scale**alpha0 / span,
        exponents=(alpha, alpha0),
        width=timing.width,
        dark=timing.period - timing.width,
        lit=tuple((time[time < end] - onset).tolist()),
        faded=(float(np.exp(-first * after).sum() / time.size), float(np.exp(-second * after).sum() / time.size)),
        readings=time.size,
        low=low / span,
        additive=additive / span,
        multiplicative=encoder.noise_multiplicative.value,
    )


@partial(jax.jit, static_argnames=("device", "noise", "bits"))
def _read(
    images: jax.Array, gains: jax.Array, key: jax.Array, device: _Device, noise: bool, bits: int | None
) -> jax.Array:
    groups = images.reshape(-1, GROUPS, SLOTS)
    pulses = [groups[..., slot] for slot in range(SLOTS)]
    current = gains * _photocurrent(pulses, device)
    if noise:
        # Sum of two independent normal deviates, of which one is proportional to the current.
        spread = jnp.hypot(device.additive, device.multiplicative * current)
        current += spread * jax.random.normal(key, current.shape)
    current -= device.low
    if bits is None:
        return current
    highest = 2**bits - 1
    return jnp.round(jnp.clip(current, 0, 1) * highest) / highest


def _photocurrent(pulses: list[jax.Array], device: _Device) -> jax.Array:
    """Return the mean current of the readings after four pulses of grey levels 0 … 1, each of shape (n, 196)."""
    alpha, alpha0 = device.exponents
    effective = [_power(pulse, alpha) for pulse in pulses]
    current = device.prompt * len(device.lit) / device.readings * _power(pulses[-1], alpha0)
    for gain, decay, full, faded in zip(device.gains, device.decay_rates, device.currents, device.faded, strict=True):
        filled = jnp.zeros_like(effective[0])
        in_light = jnp.zeros_like(filled)
        for slot, light in enumerate(effective):
            rate = gain * light + decay
            steady = gain * light / rate
            away = filled * math.exp(-decay * device.dark) - steady if slot else -steady
            if slot == SLOTS - 1:
                in_light = sum((steady + away * jnp.exp(-rate * time) for time in device.lit), in_light)
            filled = steady + away * jnp.exp(-rate * device.width)
        current += full * (in_light / device.readings + filled * faded)
    return current


def _power(grey: jax.Array, exponent: float) -> jax.Array:
    lit = grey > 0
    return jnp.where(lit, jnp.exp(exponent * jnp.log(jnp.where(lit, grey, 1.0))), 0.0)
