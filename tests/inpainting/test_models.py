"""Shapes of the networks, and the hole."""

import equinox as eqx
import jax
import numpy as np
import pytest
from relaxor.inpainting.images import cut_hole
from relaxor.inpainting.models import Decoder, Discriminator, paste, predict

KEY = jax.random.key(0)


@pytest.mark.parametrize("hole", [4, 8, 12])
def test_decoder_has_the_shapes_of_the_paper(hole: int) -> None:
    decoder = Decoder.create(hole, KEY)
    assert [layer.weight.shape for layer in decoder.layers] == [(256, 196), (512, 256), (hole**2, 512)]
    assert all(layer.bias.shape == layer.weight.shape[:1] for layer in decoder.layers)
    assert decoder.hole == hole
    assert hole != 12 or sum(layer.weight.size for layer in decoder.layers) == 254_976


def test_decoder_is_relu_relu_sigmoid() -> None:
    decoder = Decoder.create(4, KEY)
    currents = np.random.default_rng(0).random((5, 196)).astype(np.float32)
    values = currents.astype(float)
    for i, layer in enumerate(decoder.layers):
        values = values @ np.asarray(layer.weight, float).T + np.asarray(layer.bias, float)
        values = np.maximum(values, 0) if i < 2 else 1 / (1 + np.exp(-values))
    drawn = predict(decoder, currents)
    assert drawn.dtype == np.float32 and drawn.shape == (5, 4, 4)
    np.testing.assert_allclose(drawn.reshape(5, 16), values, rtol=1e-5)


def test_discriminator_judges_and_reads() -> None:
    discriminator = Discriminator.create(KEY)
    image = jax.random.uniform(KEY, (28, 28))
    real, letters = discriminator(image)
    assert real.shape == () and letters.shape == (26,)
    # Every pixel counts, also where the hidden layers are negative.
    slope = eqx.filter_grad(lambda values: discriminator(values)[0])(image)
    assert (np.asarray(slope) != 0).all()


def test_hole_is_the_centre() -> None:
    images = np.random.default_rng(0).uniform(0.5, 1, (3, 28, 28)).astype(np.float32)
    cut = cut_hole(images, 12)
    assert (cut[:, 8:20, 8:20] == 0).all() and (cut == 0).sum() == 3 * 144
    assert (images > 0).all()
    np.testing.assert_array_equal(paste(cut, images[:, 8:20, 8:20]), images)
