"""The adversarial training of the decoder: the same seed gives the same bytes, also after an interruption.

The decoder is trained for a small squared error of the hole, and for a discriminator that takes its letters for real
(the non-saturating loss, Goodfellow et al., arXiv 1406.2661) and reads them as the letters that they were (Odena et
al., arXiv 1610.09585). The discriminator learns to tell real letters from completed ones and to read both. Both
networks step together, from the same forward passes, by Adam with a rate that is lowered in steps.

All random numbers of an epoch follow from seed and epoch, so that a checkpoint holds only weights, the moments of the
optimizers and the history. The bytes are the same on the same number of cores, among which the compiled sums are split.
"""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
from jax import lax

from relaxor.core.errors import AnalysisError
from relaxor.inpainting.checkpoints import Checkpoints
from relaxor.inpainting.images import centre
from relaxor.inpainting.models import Decoder, Discriminator, paste
from relaxor.inpainting.settings import Training

ADAM = optax.scale_by_adam()
"""The optimizer without its rate, which changes from epoch to epoch."""
LOSSES = (
    "reconstruction",
    "adversarial",
    "letter_generated",
    "discriminator_real",
    "discriminator_generated",
    "discriminator_letter_real",
    "discriminator_letter_generated",
)
"""Columns of the history beside ``epoch`` and ``learning_rate``: means over the batches of an epoch, not weighted."""
Generate = Callable[[Decoder, jax.Array, jax.Array], jax.Array]
"""How the decoder is evaluated in training, as it is or as on the chip: decoder, currents (n, 196), key → (n, h²)."""
Progress = Callable[[int, Mapping[str, float]], None]
"""Called after each epoch with its number, from 1, and its losses."""


class LossWeights(NamedTuple):
    """Weights of the decoder's losses, relative to the squared error of a pixel; those of the discriminator are one.

    Without them the holes are grey means of what could be there. On 12 × 12 holes of real letters after 8 epochs, 0.01
    for both lowers the distance of the drawn pixels' mean and covariance from the true ones (as FID, but of pixels)
    from 3.0 to 1.1, at a squared error of 0.077 instead of 0.069.

    Attributes
    ----------
    adversarial
        Weight of the loss by which the discriminator takes the completed image for real.
    letter
        Weight of the loss by which the discriminator reads the letter in the completed image.
    """

    adversarial: float
    letter: float


class Settings(Training):
    """What the result depends on in addition to the data; a finished training is continued with more epochs.

    The rest of an epoch that fills no batch is left out, another one each time.
    """

    seed: int = 0
    """Seed of weights, order and noise."""

    @property
    def weights(self) -> LossWeights:
        """Weights of the losses."""
        return LossWeights(self.adversarial, self.letter)

    def rate(self, epoch: int) -> float:
        """Return the learning rate of an epoch, counted from 1."""
        return self.learning_rate * self.gamma ** ((epoch - 1) // self.step_epochs)


class Plain(eqx.Module):
    """Evaluate the decoder as it is."""

    def __call__(self, decoder: Decoder, currents: jax.Array, key: jax.Array) -> jax.Array:
        """Draw holes, shape (n, 196) → (n, h²)."""
        return jax.vmap(decoder)(currents)


class Networks(eqx.Module):
    """Both networks."""

    decoder: Decoder
    discriminator: Discriminator

    @classmethod
    def create(cls, hole: int, seed: int) -> "Networks":
        """Draw both from a seed."""
        first, second = jax.random.split(jax.random.key(seed))
        return cls(Decoder.create(hole, first), Discriminator.create(second))


class Data(eqx.Module):
    """What is learned from.

    Attributes
    ----------
    currents
        Readings of the images without their centre, shape (n, 196).
    images
        Whole images, shape (n, 28, 28).
    labels
        0 = A … 25 = Z, shape (n,).
    """

    currents: jax.Array
    images: jax.Array
    labels: jax.Array

    @classmethod
    def create(cls, currents: np.ndarray, images: np.ndarray, labels: np.ndarray) -> "Data":
        """Convert the arrays."""
        return cls(jnp.asarray(currents, jnp.float32), jnp.asarray(images, jnp.float32), jnp.asarray(labels, jnp.int32))


class State(eqx.Module):
    """Everything an epoch changes."""

    networks: Networks
    moments: optax.OptState


@dataclass(frozen=True)
class Trained:
    """The result.

    Attributes
    ----------
    networks
        The networks after the last epoch.
    history
        One row per epoch: ``epoch``, ``learning_rate`` and `LOSSES`.
    """

    networks: Networks
    history: pd.DataFrame


def train(
    data: Data,
    hole: int,
    settings: Settings,
    *,
    folder: Path | str | None = None,
    checkpoint_epochs: int = 5,
    start: Networks | None = None,
    generate: Generate | None = None,
    progress: Progress | None = None,
) -> Trained:
    """Train both networks, from the last checkpoint of the folder where there is one.

    Parameters
    ----------
    data
        From `Data.create`.
    hole
        Side of the hole in pixels.
    settings
        Schedule, weights of the losses, and seed.
    folder
        Folder of the checkpoints; without a folder none are written.
    checkpoint_epochs
        Epochs from one checkpoint to the next; there is always one after the last epoch.
    start
        Networks to go on from instead of new ones.
    generate
        How the decoder is evaluated, by default `Plain`; see `relaxor.inpainting.fine_tuning.AsOnChip`.
    progress
        Function that is called after each epoch.

    Raises
    ------
    AnalysisError
        If there are fewer images than a batch, the folder belongs to another training or all its checkpoints are
        damaged, or a loss or weight is no longer finite. The message names the last good checkpoint, which is kept.
    """
    generate = generate or Plain()
    n = len(data.labels)
    if n < settings.batch:
        raise AnalysisError(f"training: {n} images do not fill one batch of {settings.batch}")
    networks = start or Networks.create(hole, settings.seed)
    state = State(networks, ADAM.init(networks))
    rows: list[dict[str, float]] = []
    store = Checkpoints(Path(folder), identity(data, hole, settings, start, generate)) if folder else None
    if store:
        state, rows = store.latest(state) or (state, rows)
    for epoch in range(len(rows) + 1, settings.epochs + 1):
        rate = settings.rate(epoch)
        key = jax.random.fold_in(jax.random.key(settings.seed), epoch)
        following, losses = _epoch(state, data, generate, key, jnp.float32(rate), settings.weights, settings.batch)
        row = {"epoch": epoch, "learning_rate": rate, **{name: float(losses[name]) for name in LOSSES}}
        if not (all(map(math.isfinite, row.values())) and _finite(following)):
            kept = store.kept() if store else "none, as no folder was given"
            raise AnalysisError(
                f"training: a loss or weight is not finite in epoch {epoch}; last good checkpoint: {kept}"
            )
        state = following
        rows.append(row)
        if store and (epoch % checkpoint_epochs == 0 or epoch == settings.epochs):
            store.add(state, rows)
        if progress:
            progress(epoch, row)
    return Trained(state.networks, pd.DataFrame(rows, columns=["epoch", "learning_rate", *LOSSES]))


# --- an epoch
@eqx.filter_jit
def _epoch(
    state: State, data: Data, generate: Generate, key: jax.Array, rate: jax.Array, weights: LossWeights, batch: int
) -> tuple[State, dict[str, jax.Array]]:
    """Go through all images once, in a random order."""
    n = len(data.labels)
    ordering, noise = jax.random.split(key)
    order = jax.random.permutation(ordering, n)[: n // batch * batch].reshape(-1, batch)

    def step(state: State, chosen: tuple[jax.Array, jax.Array]) -> tuple[State, dict[str, jax.Array]]:
        rows, own_key = chosen
        return _step(state, jax.tree.map(lambda values: values[rows], data), generate, own_key, rate, weights)

    state, losses = lax.scan(step, state, (order, jax.random.split(noise, len(order))))
    return state, {name: values.mean() for name, values in losses.items()}


def _step(
    state: State, batch: Data, generate: Generate, key: jax.Array, rate: jax.Array, weights: LossWeights
) -> tuple[State, dict[str, jax.Array]]:
    """Step both networks once, down the gradients at the same point."""
    networks = state.networks
    decoder_slope, (completed, decoder_losses) = eqx.filter_grad(_decoder_loss, has_aux=True)(
        networks.decoder, networks.discriminator, batch, generate, key, weights
    )
    discriminator_slope, discriminator_losses = eqx.filter_grad(_discriminator_loss, has_aux=True)(
        networks.discriminator, batch, completed
    )
    updates, moments = ADAM.update(Networks(decoder_slope, discriminator_slope), state.moments)
    networks = jax.tree.map(lambda value, update: value - rate * update, networks, updates)
    return State(networks, moments), decoder_losses | discriminator_losses


def _decoder_loss(
    decoder: Decoder,
    discriminator: Discriminator,
    batch: Data,
    generate: Generate,
    key: jax.Array,
    weights: LossWeights,
) -> tuple[jax.Array, tuple[jax.Array, dict[str, jax.Array]]]:
    hole = decoder.hole
    drawn = generate(decoder, batch.currents, key).reshape(-1, hole, hole)
    completed = paste(batch.images, drawn)
    real, letter = jax.vmap(discriminator)(completed)
    losses = {
        "reconstruction": jnp.mean((drawn - batch.images[:, centre(hole), centre(hole)]) ** 2),
        "adversarial": _binary(real, 1.0),
        "letter_generated": _letter(letter, batch.labels),
    }
    total = losses["reconstruction"]
    total = total + weights.adversarial * losses["adversarial"] + weights.letter * losses["letter_generated"]
    return total, (completed, losses)


def _discriminator_loss(
    discriminator: Discriminator, batch: Data, completed: jax.Array
) -> tuple[jax.Array, dict[str, jax.Array]]:
    real, letter = jax.vmap(discriminator)(batch.images)
    # The compiler finds this pass in the decoder's loss and computes it once.
    real_completed, letter_completed = jax.vmap(discriminator)(completed)
    losses = {
        "discriminator_real": _binary(real, 1.0),
        "discriminator_generated": _binary(real_completed, 0.0),
        "discriminator_letter_real": _letter(letter, batch.labels),
        "discriminator_letter_generated": _letter(letter_completed, batch.labels),
    }
    return jnp.sum(jnp.stack(list(losses.values()))), losses


def _binary(logits: jax.Array, target: float) -> jax.Array:
    return optax.sigmoid_binary_cross_entropy(logits, jnp.full_like(logits, target)).mean()


def _letter(logits: jax.Array, labels: jax.Array) -> jax.Array:
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


# --- what a training is
def _finite(state: State) -> bool:
    return all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(state))


def identity(
    data: Data, hole: int, settings: Settings, start: Networks | None = None, generate: Generate | None = None
) -> dict[str, Any]:
    """Return what a training depends on except its epochs, because more epochs continue it; arguments as `train`."""
    evaluation = generate or Plain()
    return {
        **settings.model_dump(exclude={"epochs"}),
        "hole": hole,
        "data_sha256": _hash(data),
        "start_sha256": _hash(start) if start else None,
        "evaluation": f"{type(evaluation).__name__} {_hash(evaluation)}",
    }


def _hash(tree: Any) -> str:
    digest = hashlib.sha256(str(jax.tree.structure(tree)).encode())
    for leaf in jax.tree.leaves(tree):
        digest.update(np.ascontiguousarray(leaf).data)
    return digest.hexdigest()
