"""The two networks: a decoder that draws the missing centre, and a discriminator that rates the whole letter."""

import math
from collections.abc import Sequence
from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from relaxor.inpainting.encoder import GROUPS
from relaxor.inpainting.images import CLASSES, SIDE, centre

DECODER_HIDDEN = (256, 512)
"""Widths that are large enough for 4-bit weights, and whose layers fit the 576 rows of an array."""
DISCRIMINATOR_HIDDEN = (256, 128)
"""Widths that give as many weights as the decoder has, so that neither network outruns the other."""
SLOPE = 0.2
"""Slope of the discriminator's leaky ReLU at negative values, so that its gradient reaches the decoder from every image
(Radford et al., arXiv 1511.06434)."""


class Decoder(eqx.Module):
    """Currents (196,) → hidden 256, 512, ReLU as the chip's host computes it → pixels of the hole, sigmoid: 0 … 1.

    Attributes
    ----------
    layers
        Weights of layer l of shape (out, in), biases (out,).
    """

    layers: tuple[eqx.nn.Linear, ...]

    @classmethod
    def create(cls, hole: int, key: jax.Array) -> "Decoder":
        """Draw the weights for a hole of ``hole`` × ``hole`` pixels."""
        return cls(_draw((GROUPS, *DECODER_HIDDEN, hole * hole), key))

    @property
    def hole(self) -> int:
        """Pixels of a side of the hole."""
        return math.isqrt(int(self.layers[-1].out_features))

    def __call__(self, currents: jax.Array) -> jax.Array:
        """Draw the hole, shape (196,) → (h²,)."""
        for layer in self.layers[:-1]:
            currents = jax.nn.relu(layer(currents))
        return jax.nn.sigmoid(self.layers[-1](currents))


class Discriminator(eqx.Module):
    """Image (28, 28) → hidden 256, 128 → logit of being real, and logits of the 26 letters."""

    layers: tuple[eqx.nn.Linear, ...]

    @classmethod
    def create(cls, key: jax.Array) -> "Discriminator":
        """Draw the weights."""
        return cls(_draw((SIDE * SIDE, *DISCRIMINATOR_HIDDEN, 1 + CLASSES), key))

    def __call__(self, image: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Return the logit of being real, shape (), and those of the letters, shape (26,)."""
        values = image.reshape(-1)
        for layer in self.layers[:-1]:
            values = jax.nn.leaky_relu(layer(values), SLOPE)
        logits = self.layers[-1](values)
        return logits[0], logits[1:]


def _draw(sizes: Sequence[int], key: jax.Array) -> tuple[eqx.nn.Linear, ...]:
    keys = jax.random.split(key, len(sizes) - 1)
    return tuple(eqx.nn.Linear(a, b, key=k) for (a, b), k in zip(pairwise(sizes), keys, strict=True))


def predict(decoder: Decoder, currents: np.ndarray) -> np.ndarray:
    """Draw the holes of many images.

    Parameters
    ----------
    currents
        Shape (n, 196).

    Returns
    -------
    numpy.ndarray
        Grey levels, float32, shape (n, h, h).
    """
    return np.asarray(_predict(decoder, jnp.asarray(currents, jnp.float32))).reshape(-1, decoder.hole, decoder.hole)


@eqx.filter_jit
def _predict(decoder: Decoder, currents: jax.Array) -> jax.Array:
    return jax.vmap(decoder)(currents)


def paste(images: jax.Array, patches: jax.Array) -> jax.Array:
    """Put patches, shape (n, h, h), into the centre of images, shape (n, 28, 28)."""
    where = centre(patches.shape[-1])
    # A static slice: a scatter by indices takes ten times as long on a CPU.
    return jnp.asarray(images).at[:, where, where].set(patches)
