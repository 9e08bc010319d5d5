"""Training that goes on with the decoder evaluated as on the chip: rounded, clipped, and written with noise.

Fine-tuning moves the weights to values where rounding and the noise of written levels do the least harm; rounding
passes the gradient straight through (Bengio et al., arXiv 1308.3432).
"""

import equinox as eqx
import jax
import jax.numpy as jnp

from relaxor.crossbar.fast_normal import normals
from relaxor.crossbar.levels import BITS, HIGHEST, LOWEST, highest_code
from relaxor.inpainting.models import Decoder
from relaxor.inpainting.rounding import Scales


class AsOnChip(eqx.Module):
    """Evaluate a decoder in training as the chip will: levels, codes, and the noise of written levels.

    Attributes
    ----------
    scales
        What levels and codes stand for; held fixed during the training.
    noise
        Standard deviation of a written level, in levels, drawn anew for each step. A cell that is read back at its
        level with a probability of 89.5 % is normally distributed about it with 0.308 levels inside the range, and
        with 0.315 levels where all levels are equally frequent.
    sum_noise
        Standard deviation of a sum as it is read and converted, relative to the spread of the sums of its column. A
        converter of 16 codes, set for least squares, errs by 0.107 of the spread of a normal signal (Max, doi
        10.1109/TIT.1960.1057548) in each bit plane; planes are correlated in part, and reads have noise of their own.
    lowest
        Lowest level, −7 or −8.
    bits
        Bits of the activations, including the sign.
    """

    scales: Scales
    noise: float = eqx.field(static=True)
    sum_noise: float = eqx.field(static=True)
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
            weights += self.noise * scale * normals(key, weights.shape)
        highest = highest_code(self.bits)
        codes = _rounded(inputs, input_scale, -highest, highest)
        sums = codes @ weights.T
        if self.sum_noise and key is not None:
            spread = jax.lax.stop_gradient(sums.std(axis=0))
            sums += self.sum_noise * spread * normals(jax.random.fold_in(key, 1), sums.shape)
        return sums + _rounded(jnp.asarray(layer.bias), scale[:, 0] * input_scale, -jnp.inf, jnp.inf)


def _rounded(values: jax.Array, scale: jax.Array | float, lowest: float, highest: float) -> jax.Array:
    """Round and clip to multiples of the scale; the gradient passes where nothing is clipped."""
    clipped = jnp.clip(values / scale, lowest, highest)
    return scale * (clipped + jax.lax.stop_gradient(jnp.round(clipped) - clipped))
