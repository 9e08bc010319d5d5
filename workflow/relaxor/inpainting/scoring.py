"""The job of judging: the letters that each decoder of a training restores, against the originals."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
import xarray as xr

from relaxor.core.storage import save_table, save_tree
from relaxor.core.variables import variable
from relaxor.crossbar.levels import integer_decoder
from relaxor.inpainting.classifier import features, load_classifier, predict
from relaxor.inpainting.export import load_quantized
from relaxor.inpainting.feature_network import FeatureNetwork
from relaxor.inpainting.fid import Distance, distance_of_halves, fids_with_intervals, kid
from relaxor.inpainting.images import cut_hole, ink
from relaxor.inpainting.learning import Reading, load_networks, read_currents
from relaxor.inpainting.letters import load_letters
from relaxor.inpainting.models import paste
from relaxor.inpainting.models import predict as draw
from relaxor.inpainting.quality import OVERALL, quality
from relaxor.inpainting.quantities import (
    FID,
    FLOAT,
    FLOAT_LONGER,
    KID,
    METHODS,
    PAIRED,
    PAIRED_NETWORK,
    PAIRED_UNBIASED,
    REAL,
    UNFILLED,
)

EXAMPLES = 2
"""Number of letters of each class that are kept to be shown."""
COLUMNS = ("method", "metric", "class", "value", "ci_low", "ci_high", "n")


def score_decoder(
    letters: str,
    encoder: str,
    networks: str,
    rounded: Sequence[str],
    float_longer: str,
    scores: str,
    examples: str,
    *,
    reading: Mapping[str, Any],
    feature_network: str | None,
) -> None:
    """Restore the test letters with every decoder of a training, and compare them with the originals.

    Parameters
    ----------
    letters, encoder, networks, rounded, float_longer
        As `relaxor.inpainting.learning` wrote them; ``rounded`` are all integer decoders, by the names of their files.
    scores
        CSV file to write: method, metric, class, value, 95 % interval over the letters, number of letters.
    examples
        netCDF file to write: the first two test letters of each class, and the levels of the decoder trained for four
        bits.
    reading
        Fields of `relaxor.inpainting.learning.Reading`.
    feature_network
        ONNX file of a network in whose features the distance is taken as well, or none.
    """
    found = load_letters(letters)
    originals, read = ink(found.images_test), Reading(**reading)
    currents = read_currents(found, encoder, "test", read)
    integers = {Path(path).stem: load_quantized(path) for path in rounded}
    drawn = {
        FLOAT: draw(load_networks(networks, read.hole).decoder, currents),
        **{name: integer_decoder(decoder, currents) for name, decoder in integers.items()},
        FLOAT_LONGER: draw(load_networks(float_longer, read.hole).decoder, currents),
    }
    restored = {UNFILLED: cut_hole(originals, read.hole)}
    restored |= {name: np.asarray(paste(jnp.asarray(originals), jnp.asarray(drawn[name]))) for name in METHODS}
    table = judge(originals, found.labels_test, restored, hole=read.hole, feature_network=feature_network)
    save_table(scores, table)
    groups = {"letters": shown_letters({"original": originals, **restored}, found.labels_test)}
    for number, layer in enumerate(integers["aware"].layers, 1):
        levels = variable(("output", "input"), layer.levels, "1", f"levels of layer {number}")
        groups[f"layer_{number}"] = xr.Dataset({"level": levels})
    save_tree(examples, groups)


def judge(
    originals: np.ndarray,
    labels: np.ndarray,
    restored: Mapping[str, np.ndarray],
    *,
    hole: int,
    feature_network: str | None = None,
) -> pd.DataFrame:
    """Compare restored letters with their originals.

    Parameters
    ----------
    originals
        Shape (n, 28, 28), 0 … 1.
    labels
        0 = A … 25 = Z, shape (n,).
    restored
        Method → images, shape (n, 28, 28).
    hole
        Side of the hole in pixels.
    feature_network
        See `score_decoder`.

    Returns
    -------
    pandas.DataFrame
        With `COLUMNS`. Distances in the features of the letter classifier: ``paired_frechet_distance`` of restored
        letters from their own originals, the same extrapolated to infinitely many letters, ``fid`` of half of the
        restored letters from the originals of the other half, and ``kid``; ``paired_frechet_distance_network`` in the
        features of the other network. The rest as `relaxor.inpainting.quality.quality`.
    """
    classifier, _ = load_classifier()
    network = FeatureNetwork(feature_network) if feature_network else None
    real = features(classifier, originals)
    rows: list[tuple[object, ...]] = [(REAL, FID.name, OVERALL, *distance_of_halves(real, real))]
    foreign = network.features(originals) if network else None
    own = {method: features(classifier, images) for method, images in restored.items()}
    paired = fids_with_intervals(real, list(own.values()), paired=True)
    for (method, images), found in zip(restored.items(), paired, strict=True):
        rows += [(method, *row) for row in _distances(real, own[method], *found)]
        if network and foreign is not None:
            ((distance, _),) = fids_with_intervals(foreign, [network.features(images)], paired=True)
            rows.append((method, PAIRED_NETWORK.name, OVERALL, *distance))
        table = quality(originals, images, labels, predict(classifier, own[method]), hole=hole)
        rows += [(method, *row) for row in table.itertuples(index=False)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _distances(real: np.ndarray, own: np.ndarray, paired: Distance, unbiased: Distance) -> list[tuple[object, ...]]:
    found = {PAIRED: paired, PAIRED_UNBIASED: unbiased, FID: distance_of_halves(real, own), KID: kid(real, own)}
    # Too few letters cannot be extrapolated.
    return [(metric.name, OVERALL, *values) for metric, values in found.items() if np.isfinite(values.value)]


def shown_letters(images: Mapping[str, np.ndarray], labels: np.ndarray) -> xr.Dataset:
    """Return the first letters of each class, whatever they look like."""
    chosen = np.stack([np.flatnonzero(labels == letter)[:EXAMPLES] for letter in np.unique(labels)], axis=1)
    ink = np.stack([np.rint(255 * values[chosen]).astype(np.uint8) for values in images.values()])
    dims = ("decoder", "example", "letter", "y", "x")  # not "method", which means something else to xarray
    return xr.Dataset(
        {
            "ink": variable(dims, ink, "1", "ink, 0 to 255"),
            "label": variable(("example", "letter"), labels[chosen].astype(np.uint8), "1", "letter, 0 = A"),
        },
        {"decoder": ("decoder", np.array(list(images)))},
    )
