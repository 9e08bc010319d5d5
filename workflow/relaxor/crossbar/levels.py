"""The decoder in integers, as the chip holds and computes it.

Weights become levels −7 … 7 (or −8 … 7) times one scale per layer or output column, activations become signed codes of
n bits times one scale per layer, and biases integers in units of weight scale times input scale. A layer is then

    sum_j level_ij · code_j + bias_i      (int32)

and the codes of the next layer are the sums times one float32 factor per output, rounded. No sum exceeds 2^24, so that
float32 holds all of them exactly in any order of summation: an ideal chip gives the same bits. The bias is itself made
of levels: rows of the array with constant inputs, see `bias_rows`.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import expit

HIGHEST = 7
LOWEST = -7
"""As many levels below zero as above: the sign of a cell is the side of its pair. The chip has one more code, −8."""
BITS = 8
"""Bits of the activations, including the sign: 0 … 127 after a ReLU, as the chip takes up to 127 equal pulses."""


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
        Scale of the codes that enter.
    """

    levels: np.ndarray
    bias: np.ndarray
    weight_scale: np.ndarray
    input_scale: float

    @property
    def sum_scale(self) -> np.ndarray:
        """Value of one unit of a sum, shape (1,) or (out,)."""
        return self.weight_scale * self.input_scale


@dataclass(frozen=True)
class QuantizedDecoder:
    """All layers.

    Attributes
    ----------
    layers
        Layers, from the currents to the pixels.
    bits
        Bits of the activations, including the sign.
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


def bias_rows(layer: QuantizedLayer, bits: int = BITS) -> tuple[np.ndarray, np.ndarray]:
    """Write the biases as rows of the array with constant inputs, exactly.

    A few rows at the highest code carry most of the bias, and one row each at the codes 1, 15, … (the digits of a level
    −7 … 7) carries the rest.

    Parameters
    ----------
    layer
        The layer.
    bits
        Bits of the inputs, including the sign.

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
    """Draw holes with sums of integers.

    Parameters
    ----------
    quantized
        Decoder from `relaxor.inpainting.rounding`.
    currents
        Parts of the ADC's range, shape (n, 196).

    Returns
    -------
    numpy.ndarray
        Grey levels, float32, shape (n, h, h).
    """
    drawn = expit((integer_sums(quantized, currents) * quantized.layers[-1].sum_scale).astype(np.float32))
    side = math.isqrt(drawn.shape[1])
    return drawn.reshape(-1, side, side)


def integer_sums(quantized: QuantizedDecoder, currents: np.ndarray) -> np.ndarray:
    """Return the sums of the last layer, int32, shape (n, h²); arguments as `integer_decoder`."""
    codes = input_codes(quantized, currents)
    for layer, factor in zip(quantized.layers, [*code_factors(quantized), None], strict=True):
        sums = np.asarray(_integer_sums(codes, layer.levels, layer.bias))
        if factor is not None:
            codes = np.clip(np.rint(sums.astype(np.float32) * factor), 0, quantized.highest_code).astype(np.int32)
    return sums


def input_codes(quantized: QuantizedDecoder, currents: np.ndarray) -> np.ndarray:
    """Return the codes of readings, int32, shape (n, 196)."""
    codes = np.rint(np.asarray(currents, np.float32) / np.float32(quantized.layers[0].input_scale))
    return np.clip(codes, 0, quantized.highest_code).astype(np.int32)


@jax.jit
def _integer_sums(codes: jax.Array, levels: jax.Array, bias: jax.Array) -> jax.Array:
    return jnp.matmul(codes, levels.T.astype(jnp.int32), preferred_element_type=jnp.int32) + bias


def code_factors(quantized: QuantizedDecoder) -> list[np.ndarray]:
    """Return what turns the sums of each layer but the last into codes of the next, float32, shape (1,) or (out,)."""
    return [
        (layer.sum_scale / following.input_scale).astype(np.float32) for layer, following in pairwise(quantized.layers)
    ]
