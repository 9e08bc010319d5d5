"""From trained weights to levels: each rounded by itself, or all of a layer so that its sums change least.

The scale decides the error, and plain rounding takes it from the largest weight. Least squares considers the sums of a
layer instead. With the second moment H of the inputs, changing the weights by D changes the sums by tr D H Dᵀ. Weights
are rounded input by input, and the error of each is compensated by the weights of the inputs that follow, as far as H
allows (error feedback: Frantar et al., arXiv 2210.17323, after Hassibi and Stork, NIPS 1992). Of several scales the one
that changes the sums least is kept; the weights that it clips are compensated in the same way. Then every level is
moved, input by input, to where the sums change least with all others held (coordinate descent). The losses of the
layers before are compensated first: the weights that are rounded come nearest to the float sums on the codes that
actually enter (Li et al., arXiv 2504.02692). What is left of the mean of a sum goes into its bias (Nagel et al., arXiv
1906.04721).
"""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from relaxor.crossbar.levels import BITS, HIGHEST, LOWEST, QuantizedDecoder, QuantizedLayer, highest_code
from relaxor.inpainting.models import Decoder

CANDIDATES = np.geomspace(0.2, 1.0, 32)
"""Scales that are tried, relative to the scale of plain rounding."""
REFITS, SWEEPS = 2, 2
"""Number of times that scales are refitted, and of passes of coordinate descent after each."""
DAMPING = 0.01
"""Addend to the second moments, relative to their mean, so that inputs that never change do not carry errors."""
BLOCK = 64
"""Number of inputs whose errors are passed on to the following inputs in one product of matrices."""
Method = Literal["plain", "least_squares"]


class Scales(eqx.Module):
    """Values of one level and of one code.

    Attributes
    ----------
    weights
        Scale of the levels of each layer, shape (1, 1), or (out, 1) for one scale per column of the array.
    inputs
        Scale of the codes that enter each layer.
    """

    weights: tuple[jax.Array, ...]
    inputs: tuple[float, ...] = eqx.field(static=True)

    @classmethod
    def of(cls, quantized: QuantizedDecoder, level_size: float = 1.0) -> "Scales":
        """Return those of a quantized decoder, those of its weights times ``level_size``."""
        weights = tuple(
            jnp.asarray(level_size * layer.weight_scale[:, None], jnp.float32) for layer in quantized.layers
        )
        return cls(weights, tuple(layer.input_scale for layer in quantized.layers))


def round_decoder(
    decoder: Decoder,
    currents: np.ndarray,
    method: Method = "least_squares",
    *,
    per_column: bool = False,
    lowest: int = LOWEST,
    bits: int = BITS,
) -> QuantizedDecoder:
    """Round a trained decoder to levels, layer by layer, each on the codes that the rounded layers before it give.

    Parameters
    ----------
    decoder
        The trained decoder.
    currents
        Parts of the ADC's range, as `relaxor.inpainting.encoder.encode` returns them, shape (n, 196); some thousand are
        enough.
    method
        ``plain``: no weight is clipped, each is rounded to the nearest level. ``least_squares``: see the module.
    per_column
        One scale per output instead of one per layer.
    lowest
        Lowest level, −7 or −8.
    bits
        Bits of the activations, including the sign.
    """
    highest = highest_code(bits)
    # The whole range of the ADC is the whole range of the codes: with its 7 bits a reading is a code.
    values = exact = np.asarray(currents, float)
    input_scale = 1 / highest
    layers = []
    for linear in decoder.layers:
        codes = np.clip(np.rint(values / input_scale), 0, highest)
        weights, bias = np.asarray(linear.weight, float), np.asarray(linear.bias, float)
        wanted = exact @ weights.T + bias
        if method == "plain":
            scale = plain_scale(weights, per_column=per_column, lowest=lowest)
            levels = np.clip(np.rint(weights / scale), lowest, HIGHEST)
        else:
            levels, scale = _least_squares(weights, codes, exact / input_scale, per_column=per_column, lowest=lowest)
            bias = (wanted - codes @ levels.T * (scale[:, 0] * input_scale)).mean(axis=0)
        layer = _layer(levels, bias, scale, input_scale)
        layers.append(layer)
        values = np.maximum((codes @ levels.T + layer.bias) * layer.sum_scale, 0.0)
        exact = np.maximum(wanted, 0.0)
        input_scale = _code_scale(values, method, highest)
    return QuantizedDecoder(tuple(layers), bits)


def quantize(decoder: Decoder, scales: Scales, *, lowest: int = LOWEST, bits: int = BITS) -> QuantizedDecoder:
    """Round a decoder to the nearest levels of scales that it was fine-tuned with; arguments as `round_decoder`."""
    layers = []
    for linear, scale, input_scale in zip(decoder.layers, scales.weights, scales.inputs, strict=True):
        # Divided in single precision, as in fine-tuning: a weight on the edge goes to the level it was trained at.
        levels = np.clip(np.rint(np.asarray(linear.weight) / np.asarray(scale)), lowest, HIGHEST)
        layers.append(_layer(levels, np.asarray(linear.bias, float), np.asarray(scale, float), input_scale))
    return QuantizedDecoder(tuple(layers), bits)


def _layer(levels: np.ndarray, bias: np.ndarray, scale: np.ndarray, input_scale: float) -> QuantizedLayer:
    weight_scale = scale[:, 0]
    rounded = np.rint(bias / (weight_scale * input_scale)).astype(np.int32)
    return QuantizedLayer(levels.astype(np.int8), rounded, weight_scale, input_scale)


def plain_scale(weights: np.ndarray, *, per_column: bool = False, lowest: int = LOWEST) -> np.ndarray:
    """Return the smallest scale that clips no weight.

    Parameters
    ----------
    weights
        Shape (out, in).
    per_column, lowest
        See `round_decoder`.

    Returns
    -------
    numpy.ndarray
        Shape (out, 1) or (1, 1).
    """
    rows = weights if per_column else weights.reshape(1, -1)
    largest = np.maximum(rows.max(axis=1) / HIGHEST, rows.min(axis=1) / lowest)[:, None]
    # Weights that are all zero have levels zero at any scale.
    return np.where(largest > 0, largest, 1.0)


def _least_squares(
    weights: np.ndarray, codes: np.ndarray, exact: np.ndarray, *, per_column: bool, lowest: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return levels, shape (out, in), and scale, shape (out, 1) or (1, 1), that change the sums least.

    ``codes`` enter, ``exact`` would have entered without rounding, both of shape (n, in).
    """
    moment = codes.T @ codes / len(codes)
    damping = DAMPING * (np.trace(moment) / len(moment) or 1.0) * np.eye(len(moment))
    moment += damping
    weights = np.linalg.solve(moment, (codes.T @ exact / len(codes) + damping) @ weights.T).T
    scales = CANDIDATES[:, None, None] * plain_scale(weights, per_column=per_column, lowest=lowest)
    levels = _fed_back(weights, moment, scales, lowest)
    lost = weights - scales * levels
    error = np.sum((lost @ moment) * lost, axis=-1)
    best = np.argmin(error, axis=0) if per_column else np.full(len(weights), np.argmin(error.sum(axis=1)))
    levels = levels[best, np.arange(len(weights))]
    for _ in range(REFITS):
        levels = _descended(levels, weights, moment, _refitted(levels, weights, moment, per_column=per_column), lowest)
    return levels, _refitted(levels, weights, moment, per_column=per_column)


def _refitted(levels: np.ndarray, weights: np.ndarray, moment: np.ndarray, *, per_column: bool) -> np.ndarray:
    """Return the scale, shape (out, 1) or (1, 1), with which levels change the sums least."""
    carried = levels @ moment
    product, square = np.sum(carried * weights, axis=1), np.sum(carried * levels, axis=1)
    if not per_column:
        product, square = product.sum(keepdims=True), square.sum(keepdims=True)
    return np.divide(product, square, out=np.ones_like(product), where=square > 0)[:, None]


def _descended(
    levels: np.ndarray, weights: np.ndarray, moment: np.ndarray, scale: np.ndarray, lowest: int
) -> np.ndarray:
    """Move the levels of one input after another to where the sums change least, all others held."""
    levels = levels.copy()
    slope = (weights - scale * levels) @ moment
    for _ in range(SWEEPS):
        for j, own in enumerate(np.diagonal(moment)):
            best = np.clip(np.rint(levels[:, j] + slope[:, j] / (scale[:, 0] * own)), lowest, HIGHEST)
            moved = best - levels[:, j]
            slope -= np.outer(scale[:, 0] * moved, moment[j])
            levels[:, j] = best
    return levels


def _fed_back(weights: np.ndarray, moment: np.ndarray, scales: np.ndarray, lowest: int) -> np.ndarray:
    """Round weights, shape (out, in), at several scales, shape (c, out or 1, 1); returns levels (c, out, in)."""
    order = np.argsort(-np.diagonal(moment), kind="stable")
    passed_on = np.linalg.cholesky(np.linalg.inv(moment[np.ix_(order, order)])).T
    step = scales[..., 0]
    left = np.moveaxis(np.repeat(weights[None, :, order], len(scales), axis=0), -1, 0).copy()
    levels = np.empty((len(scales), *weights.shape))
    for first in range(0, len(order), BLOCK):
        block = slice(first, first + BLOCK)
        lost = np.empty_like(left[block])
        for i, place in enumerate(order[block]):
            now = left[first + i]
            levels[..., place] = np.clip(np.rint(now / step), lowest, HIGHEST)
            lost[i] = (now - step * levels[..., place]) / passed_on[first + i, first + i]
            left[block][i + 1 :] -= lost[i] * passed_on[first + i, block][i + 1 :, None, None]
        left[first + BLOCK :] -= np.tensordot(passed_on[block, first + BLOCK :], lost, axes=(0, 0))
    return levels


def _code_scale(values: np.ndarray, method: Method, highest: int) -> float:
    """Choose the value of a code of activations that are not negative."""
    largest = float(values.max(initial=0.0)) / highest or 1.0
    if method == "plain":
        return largest
    scales = CANDIDATES * largest
    errors = [np.square(scale * np.minimum(np.rint(values / scale), highest) - values).sum() for scale in scales]
    return float(scales[np.argmin(errors)])
