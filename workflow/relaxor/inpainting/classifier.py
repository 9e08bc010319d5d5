"""A small letter classifier: its last hidden layer gives the features in which letters are compared.

The Fréchet distance is usually determined in the features of an Inception network, which was trained on colour
photographs, has 2,048 features (more than a class of letters has images) and must be downloaded. The features of a
classifier of letters describe what distinguishes letters; it has 64 features, and its weights are part of this package.
Distances in the features of different networks cannot be compared: every distance must name its network (its SHA-256).

Three convolutions of stride 2, a dense layer of 64 features and one of 26 logits; ReLU between them.
"""

import hashlib
import json
import string
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import safetensors
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from relaxor.core.errors import AnalysisError
from relaxor.core.files import write_whole
from relaxor.inpainting.images import CLASSES, ink
from relaxor.inpainting.letters import load_letters

FEATURES = 64
"""Features of an image: the last hidden layer."""
CONVOLUTIONS = {"convolution1": (5, 5, 1, 32), "convolution2": (3, 3, 32, 64), "convolution3": (3, 3, 64, 128)}
"""Shapes of the kernels: height, width, channels in, channels out."""
SHAPES = {**CONVOLUTIONS, "dense": (4 * 4 * 128, FEATURES), "output": (FEATURES, CLASSES)}
"""Shapes of all weights, inputs before outputs; strides of two leave 4×4 of 28×28 pixels."""
WEIGHTS = Path(__file__).with_name("classifier.safetensors")
"""The trained weights that come with the library; a JSON file in the same folder describes them."""
CHUNK = 1024
"""Number of images that pass the network together."""
EPOCHS = 4
BATCH = 128
LEARNING_RATE = 1e-3
"""Adam's largest learning rate; it rises over the first tenth of the steps and falls as a cosine."""
DROPOUT = 0.3
"""Part of the inputs of the dense layer that is left out in each training step."""


class Classifier(eqx.Module):
    """A letter classifier: layer → weight and layer → bias, of the `SHAPES`."""

    weight: dict[str, jax.Array]
    bias: dict[str, jax.Array]

    def features(self, images: jax.Array, dropout: jax.Array | None = None) -> jax.Array:
        """Return the features, shape (n, 64), of images, shape (n, 28, 28); with a key, some inputs are left out."""
        # Channels last: with channels first a step takes three times as long on a CPU.
        hidden = images[..., None]
        for layer in CONVOLUTIONS:
            hidden = jax.lax.conv_general_dilated(
                hidden, self.weight[layer], (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
            )
            hidden = jax.nn.relu(hidden + self.bias[layer])
        hidden = hidden.reshape(len(images), -1)
        if dropout is not None:
            hidden *= jax.random.bernoulli(dropout, 1 - DROPOUT, hidden.shape) / (1 - DROPOUT)
        return jax.nn.relu(hidden @ self.weight["dense"] + self.bias["dense"])

    def logits(self, images: jax.Array, dropout: jax.Array | None = None) -> jax.Array:
        """Return the logits, shape (n, 26); arguments as `features`."""
        return self.features(images, dropout) @ self.weight["output"] + self.bias["output"]


def _untrained(key: jax.Array) -> Classifier:
    """Return random weights of variance 2 / inputs, which keeps the size of signals behind ReLU (He et al. 2015)."""
    initialize = jax.nn.initializers.he_normal()
    keys = dict(zip(SHAPES, jax.random.split(key, len(SHAPES)), strict=True))
    return Classifier(
        {layer: initialize(keys[layer], shape) for layer, shape in SHAPES.items()},
        {layer: jnp.zeros(shape[-1]) for layer, shape in SHAPES.items()},
    )


def features(classifier: Classifier, images: np.ndarray) -> np.ndarray:
    """Return the features of images.

    Parameters
    ----------
    classifier
        From `load_classifier` or `train`.
    images
        Shape (n, 28, 28), 0 … 1, upright, ink = 1.

    Returns
    -------
    numpy.ndarray
        Shape (n, 64), float32, none negative.
    """
    images = np.asarray(images, np.float32)
    chunks = [
        np.asarray(_features(classifier, jnp.asarray(images[at : at + CHUNK]))) for at in range(0, len(images), CHUNK)
    ]
    return np.concatenate([np.empty((0, FEATURES), np.float32), *chunks])


@eqx.filter_jit
def _features(classifier: Classifier, images: jax.Array) -> jax.Array:
    return classifier.features(images)


def logits(classifier: Classifier, found: np.ndarray) -> np.ndarray:
    """Return the logits of images, shape (n, 26), from their features, shape (n, 64)."""
    return found @ np.asarray(classifier.weight["output"]) + np.asarray(classifier.bias["output"])


def predict(classifier: Classifier, found: np.ndarray) -> np.ndarray:
    """Return the most likely letters, shape (n,), 0 = A … 25 = Z, from the features of images, shape (n, 64)."""
    return logits(classifier, found).argmax(axis=1)


def train(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    seed: int = 0,
    epochs: int = EPOCHS,
    batch: int = BATCH,
    learning_rate: float = LEARNING_RATE,
) -> Classifier:
    """Train a classifier on letters: cross-entropy, Adam, a learning rate that rises and falls.

    The logarithm of the frequency of each letter is added to the logits during the training and left out afterwards, so
    that all letters are treated alike, however unbalanced the training letters are (Menon et al. 2021, arXiv
    2007.07314).

    Parameters
    ----------
    images
        Shape (n, 28, 28), 0 … 1, upright, ink = 1.
    labels
        Shape (n,), 0 = A … 25 = Z.
    seed
        Seed of the first weights, the order of the images and the dropout; the same seed gives the same bytes on the
        same number of CPU cores, which share the sums of the gradients.
    epochs, batch, learning_rate
        Number of epochs, images per step (a last incomplete batch of an epoch is left out), and largest rate.
    """
    images = np.asarray(images, np.float32)
    batch = min(batch, len(images))
    steps = epochs * (len(images) // batch)
    schedule = optax.warmup_cosine_decay_schedule(learning_rate / 10, learning_rate, steps // 10, steps)
    optimizer = optax.adam(schedule)
    frequency = np.maximum(np.bincount(labels, minlength=CLASSES), 1) / len(labels)
    prior = jnp.log(frequency.astype(np.float32))
    start, dropout = jax.random.split(jax.random.key(seed))

    def loss(classifier: Classifier, images: jax.Array, labels: jax.Array, key: jax.Array) -> jax.Array:
        logits = classifier.logits(images, key) + prior
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()

    # Jitted steps in a Python loop: inside lax.scan a convolution loses its threads on a CPU.
    @jax.jit
    def step(
        classifier: Classifier, state: Any, images: jax.Array, labels: jax.Array, number: jax.Array
    ) -> tuple[Classifier, Any]:
        gradient = jax.grad(loss)(classifier, images, labels, jax.random.fold_in(dropout, number))
        updates, state = optimizer.update(gradient, state)
        return eqx.apply_updates(classifier, updates), state

    classifier = _untrained(start)
    state = optimizer.init(classifier)
    for number, chosen in enumerate(_batches(len(images), batch, epochs, seed)):
        classifier, state = step(classifier, state, images[chosen], labels[chosen], number)
    return classifier


def _batches(number: int, batch: int, epochs: int, seed: int) -> Iterator[np.ndarray]:
    """Yield the indices of each step's images; every epoch in a new order."""
    generator = np.random.default_rng(seed)
    for _ in range(epochs):
        order = generator.permutation(number)
        for start in range(0, number - batch + 1, batch):
            yield order[start : start + batch]


def make_classifier(letters: str, weights: str) -> None:
    """Train the classifier on letters and write it with its accuracy on the test letters.

    The weights that are part of this package were made by this function.

    Parameters
    ----------
    letters
        File of `relaxor.inpainting.letters.prepare_letters`.
    weights
        safetensors file to write; a JSON file beside it describes the weights.
    """
    found = load_letters(letters)
    classifier = train(ink(found.images_train), found.labels_train)
    right = predict(classifier, features(classifier, ink(found.images_test))) == found.labels_test
    by_class = {
        string.ascii_uppercase[c]: round(float(right[found.labels_test == c].mean()), 4) for c in range(CLASSES)
    }
    about = {
        "what": "weights of the letter classifier of relaxor.inpainting.classifier, whose 64 hidden features "
        "the Fréchet distance is taken in",
        "letters": found.source,
        "training": {"seed": 0, "epochs": EPOCHS, "batch": BATCH, "learning_rate": LEARNING_RATE, "dropout": DROPOUT},
        "test_accuracy": round(float(right.mean()), 5),
        "test_accuracy_standard_error": round(float(right.std() / np.sqrt(right.size)), 5),
        "test_accuracy_by_class": by_class,
    }
    save(weights, classifier, about)


def save(path: Path | str, classifier: Classifier, about: Mapping[str, Any]) -> str:
    """Write the weights as safetensors, and beside them a JSON file that describes them.

    Parameters
    ----------
    path
        The safetensors file; the JSON file has its name with the ending ``.json``.
    classifier
        The classifier.
    about
        Description (letters, seed, accuracy, …), to which the SHA-256 of the weights is added.

    Returns
    -------
    str
        The SHA-256, the name of this feature extractor.
    """
    path = Path(path)
    tensors = {
        f"{layer}.{kind}": np.asarray(values[layer], np.float32)
        for layer in SHAPES
        for kind, values in (("weight", classifier.weight), ("bias", classifier.bias))
    }
    content = save_tensors(tensors)
    digest = hashlib.sha256(content).hexdigest()
    write_whole(path, content)
    described = json.dumps({**about, "sha256": digest}, indent=2, ensure_ascii=False)
    write_whole(path.with_suffix(".json"), described + "\n")
    return digest


def load_classifier(path: Path | str = WEIGHTS) -> tuple[Classifier, dict[str, Any]]:
    """Load a classifier and its description.

    Parameters
    ----------
    path
        A safetensors file with its JSON file beside it, as `save` writes them.

    Returns
    -------
    Classifier
    dict
        The JSON file; ``sha256`` names the weights.

    Raises
    ------
    AnalysisError
        If a file is missing or cannot be read, the weights are not those of the JSON file, or a layer is missing or
        has another shape.
    """
    path = Path(path)
    description = path.with_suffix(".json")
    try:
        content = path.read_bytes()
        about = json.loads(description.read_text("utf-8"))
        expected = about["sha256"]
    except OSError as error:
        raise AnalysisError(f"letter classifier: {error.filename}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise AnalysisError(f"{description}: not a JSON object with the field 'sha256' of the weights") from None
    digest = hashlib.sha256(content).hexdigest()
    if digest != expected:
        raise AnalysisError(f"{path}: SHA-256 is {digest}, {description.name} says {expected}: the files do not match")
    try:
        tensors = load_tensors(content)
    except safetensors.SafetensorError as error:
        raise AnalysisError(f"{path}: not a safetensors file: {error}") from None
    wanted = {f"{layer}.weight": shape for layer, shape in SHAPES.items()}
    wanted |= {f"{layer}.bias": shape[-1:] for layer, shape in SHAPES.items()}
    for name, shape in wanted.items():
        found = tensors[name].shape if name in tensors else "nothing"
        if found != shape:
            raise AnalysisError(f"{path}: '{name}' has shape {shape} in this network, the file holds {found}")
    weight = {layer: jnp.asarray(tensors[f"{layer}.weight"]) for layer in SHAPES}
    bias = {layer: jnp.asarray(tensors[f"{layer}.bias"]) for layer in SHAPES}
    return Classifier(weight, bias), about
