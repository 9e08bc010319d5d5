"""The decoder in integers, as the chip holds and computes it.

Weights become levels −7 … 7 (or −8 … 7) times one scale a layer or an output column, activations signed codes of n bits
times one scale a layer, biases integers in units of weight scale times input scale. A layer is then

    sum_j level_ij · code_j + bias_i      (int32)

and the next layer's codes follow by an integer multiplier and a shift (Jacob et al., doi 10.1109/CVPR.2018.00286). No
sum exceeds 2^24, so the same in floating point is exact in any order of summation, and both must be equal. The bias is
itself made of levels: rows of the array with constant inputs, see `bias_rows`.

The scale decides the error: plain rounding spends it on the largest weight; a smaller one, found by search, clips that
and rounds all others better. Fine-tuning lets the weights move to where rounding and noise of the written levels harm
least; rounding passes the gradient straight through (Bengio et al., arXiv 1308.3432).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import expit

from relaxor.errors import AnalysisError
from relaxor.inpainting.models import Decoder
from relaxor.inpainting.training import Data, Networks, Progress, Settings, Trained, train

HIGHEST = 7
LOWEST = -7
"""As many levels below zero as above: the sign of a cell is the side of its pair. −8 is the chip's one more code."""
BITS = 8
"""Of the activations, sign included: 0 … 127 after a ReLU, the chip's input of up to 127 equal pulses."""
CANDIDATES = np.linspace(0.2, 1.0, 161)
"""Scales that are tried, relative to that of plain rounding."""
SAMPLE = 100_000
"""Activations that the search of their scale looks at."""
MULTIPLIER_BITS = 15
"""Of the integer that carries one layer's sums to the next layer's codes: 30 ppm; its product fits 64 bits."""
FINE_TUNING = Settings(epochs=5, learning_rate=1e-4, seed=1)
"""A fifth of the learning rate: the weights are to move by parts of a level, not to be learned anew."""
NOISE = 0.3
"""Levels; standard deviation in fine-tuning. A cell that is off by one level with the probability 15.4 % is normally
distributed with 0.35 levels about its own."""
Method = Literal["plain", "least_squares"]


class Scales(eqx.Module):
    """What one level, and one code, stand for.

    Attributes
    ----------
    weights
        Of each layer, shape (1, 1), or (out, 1) for a scale a column of the array.
    inputs
        Of the codes that enter each layer.
    """

    weights: tuple[jax.Array, ...]
    inputs: tuple[float, ...] = eqx.field(static=True)


@dataclass(frozen=True)
class QuantizedLayer:
    """One layer in integers.

    Attributes
    ----------
    levels
        int8, shape (out, in).
    bias
        In units of weight scale times input scale, int32, shape (out,).
    weight_scale
        float64, shape (1,) or (out,).
    input_scale
        Of the codes that enter.
    """

    levels: np.ndarray
    bias: np.ndarray
    weight_scale: np.ndarray
    input_scale: float

    @property
    def sum_scale(self) -> np.ndarray:
        """What one unit of a sum stands for, shape (1,) or (out,)."""
        return self.weight_scale * self.input_scale


@dataclass(frozen=True)
class QuantizedDecoder:
    """All layers.

    Attributes
    ----------
    layers
        From the currents to the pixels.
    bits
        Of the activations, sign included.
    """

    layers: tuple[QuantizedLayer, ...]
    bits: int

    @property
    def highest_code(self) -> int:
        """Largest activation."""
        return highest_code(self.bits)


def highest_code(bits: int) -> int:
    """Return the largest signed code of so many bits."""
    return 2 ** (bits - 1) - 1


# --- scales
def weight_scale(
    weights: np.ndarray,
    method: Method = "least_squares",
    *,
    per_column: bool = False,
    lowest: int = LOWEST,
) -> np.ndarray:
    """Choose what one level stands for.

    Parameters
    ----------
    weights
        Shape (out, in).
    method
        ``plain``: no weight is clipped. ``least_squares``: the scale of `CANDIDATES` with the smallest squared error,
        then refined to the best one for the levels it gives.
    per_column
        One scale an output instead of one a layer.
    lowest
        Level, −7 or −8.

    Returns
    -------
    numpy.ndarray
        float64, shape (out, 1) or (1, 1).
    """
    weights = np.asarray(weights, float)
    rows = weights if per_column else weights.reshape(1, -1)
    largest = np.maximum(rows.max(axis=1) / HIGHEST, rows.min(axis=1) / lowest)[:, None]
    # Weights that are all zero have levels zero at any scale.
    largest = np.where(largest > 0, largest, 1.0)
    if method == "plain":
        return largest
    return _least_squares(rows, largest, lowest, HIGHEST)


def _least_squares(rows: np.ndarray, largest: np.ndarray, lowest: int, highest: int) -> np.ndarray:
    """Return the scale of each row, shape (n, 1), that rounds and clips it best."""
    best, least = largest, np.full(largest.shape, np.inf)
    for part in CANDIDATES:
        levels = np.clip(np.rint(rows / (part * largest)), lowest, highest)
        squares = (levels**2).sum(axis=1, keepdims=True)
        product = (levels * rows).sum(axis=1, keepdims=True)
        scale = np.divide(product, squares, out=largest.copy(), where=squares > 0)
        error = ((rows - scale * levels) ** 2).sum(axis=1, keepdims=True)
        best, least = np.where(error < least, scale, best), np.minimum(error, least)
    return best


def choose_scales(
    decoder: Decoder,
    currents: np.ndarray,
    method: Method = "least_squares",
    *,
    per_column: bool = False,
    lowest: int = LOWEST,
    bits: int = BITS,
) -> Scales:
    """Choose all scales of a decoder.

    Parameters
    ----------
    decoder
        Trained.
    currents
        Parts of the ADC's range, as `relaxor.inpainting.encoder.encode` returns them, shape (n, 196): the activations
        they cause set the scales of the hidden codes; some thousand are enough.
    method, per_column, lowest
        See `weight_scale`; hidden codes are scaled by the same method.
    bits
        Of the activations, sign included.
    """
    highest = highest_code(bits)
    weights, inputs = [], []
    for i, (layer, values) in enumerate(zip(decoder.layers, _layer_inputs(decoder, currents), strict=True)):
        scale = weight_scale(np.asarray(layer.weight), method, per_column=per_column, lowest=lowest)
        weights.append(jnp.asarray(scale, jnp.float32))
        # The whole range of the ADC is the whole range of the codes: with its 7 bits a reading is a code.
        inputs.append(_code_scale(values, method, highest) if i else 1 / highest)
    return Scales(tuple(weights), tuple(inputs))


def _code_scale(values: np.ndarray, method: Method, highest: int) -> float:
    """Choose what a code of non-negative activations stands for."""
    row = values[values > 0].reshape(1, -1)
    if not row.size:
        return 1.0
    largest = np.array([[row.max() / highest]])
    return float((largest if method == "plain" else _least_squares(row[:, :SAMPLE], largest, 0, highest))[0, 0])


def _layer_inputs(decoder: Decoder, currents: np.ndarray) -> list[np.ndarray]:
    """Return what enters each layer, shape (n, in)."""
    values = jnp.asarray(currents, jnp.float32)
    inputs = [np.asarray(values, float)]
    for layer in decoder.layers[:-1]:
        values = jax.nn.relu(jax.vmap(layer)(values))
        inputs.append(np.asarray(values, float))
    return inputs


# --- integers
def quantize(decoder: Decoder, scales: Scales, *, lowest: int = LOWEST, bits: int = BITS) -> QuantizedDecoder:
    """Round a decoder to levels.

    Parameters
    ----------
    decoder
        Trained.
    scales
        From `choose_scales`, or those it was fine-tuned with.
    lowest
        Level, −7 or −8.
    bits
        Of the activations, sign included, as the scales were chosen for.
    """
    layers = []
    for layer, scale, input_scale in zip(decoder.layers, scales.weights, scales.inputs, strict=True):
        levels = _levels(np.asarray(layer.weight), scale, lowest)
        weight_scale = np.asarray(scale, float)[:, 0]
        bias = np.rint(np.asarray(layer.bias, float) / (weight_scale * input_scale))
        layers.append(QuantizedLayer(levels.astype(np.int8), bias.astype(np.int32), weight_scale, input_scale))
    return QuantizedDecoder(tuple(layers), bits)


def _levels(weights: np.ndarray, scale: jax.Array, lowest: int) -> np.ndarray:
    # Divided in single precision, as in fine-tuning: a weight on the edge goes to the level it was trained at.
    return np.clip(np.rint(weights / np.asarray(scale)), lowest, HIGHEST)


def bias_rows(layer: QuantizedLayer, bits: int = BITS) -> tuple[np.ndarray, np.ndarray]:
    """Write the biases as rows of the array with constant inputs, exactly.

    A few rows at the highest code carry most of the bias, one row each at the codes 1, 15, … (the digits of a level
    −7 … 7) the rest.

    Parameters
    ----------
    layer
        Whose biases.
    bits
        Of the inputs, sign included.

    Returns
    -------
    codes, levels
        Constant inputs, shape (r,), and their levels, int8, shape (out, r); ``levels @ codes`` is the bias.
    """
    full, base = highest_code(bits), 2 * HIGHEST + 1
    coarse = np.rint(layer.bias / full).astype(int)
    rest = layer.bias - coarse * full
    codes, levels = [], []
    for _ in range(-(-int(np.abs(coarse).max(initial=0)) // HIGHEST)):
        level = np.clip(coarse, -HIGHEST, HIGHEST)
        coarse = coarse - level
        codes.append(full)
        levels.append(level)
    code = 1
    while rest.any():
        digit = (rest + HIGHEST) % base - HIGHEST
        rest = (rest - digit) // base
        codes.append(code)
        levels.append(digit)
        code *= base
    shape = (len(codes), layer.bias.size)
    return np.array(codes, int), np.array(levels, np.int8).reshape(shape).T


def integer_decoder(quantized: QuantizedDecoder, currents: np.ndarray) -> np.ndarray:
    """Draw holes with integers alone; only the last sums become floating-point numbers, for the sigmoid.

    Parameters
    ----------
    quantized
        From `quantize`.
    currents
        Parts of the ADC's range, shape (n, 196).

    Returns
    -------
    numpy.ndarray
        Grey levels, float32, shape (n, h, h).
    """
    codes = input_codes(quantized, currents)
    for layer, following in zip(quantized.layers, [*quantized.layers[1:], None], strict=True):
        sums = np.asarray(_integer_sums(codes, layer.levels, layer.bias))
        if following:
            codes = _next_codes(sums, layer, following, quantized.highest_code)
    return _pixels(sums, quantized.layers[-1])


@jax.jit
def _integer_sums(codes: jax.Array, levels: jax.Array, bias: jax.Array) -> jax.Array:
    return jnp.matmul(codes, levels.T.astype(jnp.int32), preferred_element_type=jnp.int32) + bias


def _next_codes(sums: np.ndarray, layer: QuantizedLayer, following: QuantizedLayer, highest: int) -> np.ndarray:
    multiplier, shift = requantization(layer, following)
    scaled = (sums.astype(np.int64) * multiplier + (np.int64(1) << (shift - 1))) >> shift
    return np.clip(scaled, 0, highest).astype(np.int32)


def requantization(layer: QuantizedLayer, following: QuantizedLayer) -> tuple[np.ndarray, np.ndarray]:
    """Return integers m and s, int64: sums · m / 2^s are the codes that enter the next layer."""
    mantissa, exponent = np.frexp(layer.sum_scale / following.input_scale)
    shift = MULTIPLIER_BITS - exponent.astype(np.int64)
    if (shift < 1).any() or (shift > 62).any():
        raise AnalysisError("quantization: the scales of two layers are too far apart for an integer multiplier")
    return np.rint(np.ldexp(mantissa, MULTIPLIER_BITS)).astype(np.int64), shift


def float_reference(quantized: QuantizedDecoder, currents: np.ndarray) -> np.ndarray:
    """Draw holes as `integer_decoder`, in floating point throughout; equal to the last bit."""
    codes = input_codes(quantized, currents).astype(float)
    for layer, following in zip(quantized.layers, [*quantized.layers[1:], None], strict=True):
        sums = codes @ layer.levels.astype(float).T + layer.bias
        if following:
            multiplier, shift = requantization(layer, following)
            codes = np.clip(np.floor(np.ldexp(sums * multiplier, -shift) + 0.5), 0, quantized.highest_code)
    return _pixels(sums, quantized.layers[-1])


def input_codes(quantized: QuantizedDecoder, currents: np.ndarray) -> np.ndarray:
    """Return the codes of readings, int32, shape (n, 196)."""
    codes = np.rint(np.asarray(currents, float) / quantized.layers[0].input_scale)
    return np.clip(codes, -quantized.highest_code, quantized.highest_code).astype(np.int32)


def _pixels(sums: np.ndarray, layer: QuantizedLayer) -> np.ndarray:
    drawn = expit((sums * layer.sum_scale).astype(np.float32))
    side = round(drawn.shape[1] ** 0.5)
    return drawn.reshape(-1, side, side)


# --- fine-tuning
class AsOnChip(eqx.Module):
    """Evaluate a decoder in training as the chip will: levels, codes, and the noise of written levels.

    Attributes
    ----------
    scales
        Held fixed, so that the levels of today are those of tomorrow.
    noise
        Standard deviation of a written level, drawn anew for each step, levels.
    lowest
        Level, −7 or −8.
    bits
        Of the activations, sign included.
    """

    scales: Scales
    noise: float = eqx.field(static=True, default=NOISE)
    lowest: int = eqx.field(static=True, default=LOWEST)
    bits: int = eqx.field(static=True, default=BITS)

    def __call__(self, decoder: Decoder, currents: jax.Array, key: jax.Array) -> jax.Array:
        """Draw holes, shape (n, 196) → (n, h²)."""
        values = currents
        for i, own_key in enumerate(jax.random.split(key, len(decoder.layers))):
            values = self.sums(decoder, i, jax.nn.relu(values), own_key)
        return jax.nn.sigmoid(values)

    def sums(self, decoder: Decoder, i: int, inputs: jax.Array, key: jax.Array | None = None) -> jax.Array:
        """Return the sums of layer i, shape (n, in) → (n, out); without a key its levels have no noise."""
        layer, scale, input_scale = decoder.layers[i], self.scales.weights[i], self.scales.inputs[i]
        weights = _rounded(layer.weight, scale, self.lowest, HIGHEST)
        if self.noise and key is not None:
            weights += self.noise * scale * jax.random.normal(key, weights.shape)
        highest = highest_code(self.bits)
        codes = _rounded(inputs, input_scale, -highest, highest)
        return codes @ weights.T + _rounded(jnp.asarray(layer.bias), scale[:, 0] * input_scale, -jnp.inf, jnp.inf)


def _rounded(values: jax.Array, scale: jax.Array | float, lowest: float, highest: float) -> jax.Array:
    """Round and clip to multiples of the scale; the gradient passes where nothing is clipped."""
    clipped = jnp.clip(values / scale, lowest, highest)
    return scale * (clipped + jax.lax.stop_gradient(jnp.round(clipped) - clipped))


def fine_tune(
    networks: Networks,
    data: Data,
    scales: Scales,
    settings: Settings = FINE_TUNING,
    *,
    noise: float = NOISE,
    lowest: int = LOWEST,
    bits: int = BITS,
    folder: Path | str | None = None,
    progress: Progress | None = None,
) -> Trained:
    """Go on with the training of both networks, the decoder evaluated as on the chip.

    Parameters
    ----------
    networks
        Trained.
    data
        As they were trained with.
    scales
        From `choose_scales`; the result is to be quantized with the same.
    settings
        Of this training.
    noise, lowest, bits
        See `AsOnChip`.
    folder, progress
        See `relaxor.inpainting.training.train`.
    """
    on_chip = AsOnChip(scales, noise, lowest, bits)
    return train(
        data, networks.decoder.hole, settings, folder=folder, start=networks, generate=on_chip, progress=progress
    )
