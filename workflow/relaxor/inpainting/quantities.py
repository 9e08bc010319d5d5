"""Names and meanings of the numbers of restored letters, without a chip and with one.

``feature`` is the decoder of reference, the part of the letters, or the part of a chip that a variant concerns.
"""

import math
from typing import Any

import numpy as np

from relaxor.core.results import Number, Quantity, Status
from relaxor.crossbar.quantities import CHIP_QUANTITIES

# --- restored letters
FLOAT, FLOAT_LONGER, AWARE = "float", "float_longer", "aware"
METHODS = {
    FLOAT: "float32, as training left it before it went on for the other decoders",
    FLOAT_LONGER: "float32, trained on as long as the others: the reference of every ratio",
    "plain": "float_longer in 4 bits, nearest level, largest weight at the last level",
    "clipped": "float_longer in 4 bits, least squares of the sums, one scale per layer",
    "per_column": "float_longer in 4 bits, least squares of the sums, one scale per column",
    AWARE: "4 bits, trained on with rounding and the noise of the chip, as long as float_longer",
}
"""The decoders of one training, with descriptions. All but the first were trained for as many epochs, with the same
schedule and the same letters."""
FEWEST_TRAININGS = 3
"""Smallest number of trainings whose spread gives a ratio an interval."""
UNFILLED, REAL, LETTERS = "unfilled", "real", "letters"
PAIRED = Quantity(
    "paired_frechet_distance",
    "1",
    "Fréchet distance of restored letters from their own originals, in features of a classifier; zero is possible",
)
PAIRED_UNBIASED = Quantity(
    "paired_frechet_distance_unbiased", "1", "paired Fréchet distance extrapolated to infinitely many letters"
)
PAIRED_NETWORK = Quantity(
    "paired_frechet_distance_network", "1", "paired Fréchet distance in the features of another network"
)
FID = Quantity(
    "fid",
    "1",
    "Fréchet distance of half of the restored letters from the originals of the other half, in features of a "
    "classifier; its floor is that of the model 'real'",
)
KID = Quantity("kid", "1", "kernel distance of restored letters from their originals")
MSE_HOLE = Quantity("mse_hole", "1", "mean squared error of the restored pixels, ink from 0 to 1")
PSNR_HOLE = Quantity("psnr_hole", "dB", "peak signal-to-noise ratio of the restored pixels")
SSIM_HOLE = Quantity("ssim_hole", "1", "structural similarity of the restored pixels")
ACCURACY = Quantity("accuracy", "1", "fraction of the letters that a classifier reads correctly")
METRICS = (PAIRED, PAIRED_UNBIASED, PAIRED_NETWORK, FID, KID, MSE_HOLE, PSNR_HOLE, SSIM_HOLE, ACCURACY)
"""Metrics in the table, in this order. Metrics of whole images are omitted, because most of an image is copied."""
PAIRED_RATIO = Quantity(
    "paired_frechet_distance_ratio",
    "1",
    "paired Fréchet distance divided by that of the decoder that the feature names",
)
LETTERS_USED = Quantity("letters", "1", "number of letters for training or for testing")
INPAINTING_MODELS = {
    **METHODS,
    REAL: "half of the original letters against the other half: the floor of fid, not of the paired distance",
    UNFILLED: "letters with their hole, for scale",
    LETTERS: "the letters themselves",
}
"""Every model that numbers of the decoders name."""
INPAINTING_QUANTITIES = (*METRICS, PAIRED_RATIO, LETTERS_USED)

# --- letters restored by chips
IDEAL, CHIP, COST, WRITE, PLACEMENT = "ideal", "chip", "cost", "write", "placement"
WHOLE_CHIP, ONE_IDEAL, ALL_BUT_ONE_IDEAL = "whole_chip", "one_ideal", "all_but_one_ideal"
NOT_TRAINED, REMEDY = "not_trained_for_chip", "remedy"
CHIP_METRICS = (PAIRED, MSE_HOLE, ACCURACY)
CROSSBAR_MODELS = {
    FLOAT_LONGER: "decoder in float32, without a chip, trained as long as the one on the chips",
    IDEAL: "decoder in integers, as an ideal chip computes it",
    CHIP: "decoder on chips",
    COST: "energy, time and area of one letter",
    WRITE: "cells as they are read back after writing",
    PLACEMENT: "places of the layers on the arrays",
    WHOLE_CHIP: "chip of which nothing is ideal; the feature is what is done otherwise",
    ONE_IDEAL: "chip of which the part that the feature names is ideal",
    ALL_BUT_ONE_IDEAL: "chip of which every part is ideal but the one that the feature names",
    NOT_TRAINED: "decoder that was not trained for the chip, rounded as the feature names",
    REMEDY: "chip of which the quantity that the feature names is raised",
}
CROSSBAR_QUANTITIES = (*CHIP_METRICS, PAIRED_RATIO, *CHIP_QUANTITIES)


def number_of(measurement: str, model: str, quantity: Quantity, value: float, **fields: Any) -> Number:
    """Make a number of a quantity; ``fields`` are further fields of `Number`."""
    return Number(measurement, model, quantity.name, float(value), unit=quantity.known_unit, **fields)


def mean_of(measurement: str, model: str, quantity: Quantity, values: np.ndarray, **fields: Any) -> Number:
    """Make a number of the mean of values, shape (n,), with Student's interval; arguments as `number_of`."""
    error = float(values.std(ddof=1) / math.sqrt(values.size))
    mean = number_of(measurement, model, quantity, values.mean(), standard_error=error, **fields)
    return mean.with_interval(values.size - 1)


def ratio_of(measurement: str, model: str, ratios: np.ndarray, reference: str, **fields: Any) -> Number:
    """Make the ratio of paired Fréchet distances, the mean over trainings.

    The distance of a decoder depends on the seed of its training, by more than on the choice of the test letters. A
    ratio of fewer than `FEWEST_TRAININGS` trainings therefore has no interval, and says so.

    Parameters
    ----------
    measurement, model
        As `number_of`.
    ratios
        Ratio of every training, shape (n,).
    reference
        The decoder of the denominator.
    fields
        Further fields of `Number`.
    """
    method = f"distance over that of {reference} of the same training, mean of {ratios.size}"
    fields |= {"feature": reference, "n": ratios.size}
    if ratios.size >= FEWEST_TRAININGS:
        method += "; interval from training to training"
        return mean_of(measurement, model, PAIRED_RATIO, ratios, method=method, **fields)
    reason = f"not identified: {FEWEST_TRAININGS} seeds or more give the spread from training to training"
    ratio = number_of(measurement, model, PAIRED_RATIO, ratios.mean(), method=method, **fields)
    return ratio.flagged(Status.NOT_IDENTIFIED, reason)
