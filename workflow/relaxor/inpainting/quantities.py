"""Names and meanings of the numbers of restored letters, without a chip and with one.

``feature`` is the decoder of reference, the part of the letters, or the part of a chip that a variant concerns.
"""

import math
from typing import Any

import numpy as np

from relaxor.core.results import Number, Quantity
from relaxor.crossbar.quantities import CHIP_QUANTITIES

# --- restored letters
FLOAT, AWARE = "float", "aware"
METHODS = {
    FLOAT: "float32, as trained",
    "plain": "4 bits, nearest level, largest weight at the last level",
    "clipped": "4 bits, least squares of the sums, one scale per layer",
    "per_column": "4 bits, least squares of the sums, one scale per column",
    AWARE: "4 bits, trained on with rounding and the noise of writing",
    "float_longer": "float32, trained on as long as the aware one, without rounding and noise",
}
"""The decoders of one training, with descriptions."""
UNFILLED, REAL, LETTERS = "unfilled", "real", "letters"
FID = Quantity("fid", "1", "Fréchet distance of restored letters from their originals, in features of a classifier")
FID_UNBIASED = Quantity("fid_unbiased", "1", "Fréchet distance extrapolated to infinitely many letters")
FID_NETWORK = Quantity("fid_network", "1", "Fréchet distance in the features of another network")
KID = Quantity("kid", "1", "kernel distance of restored letters from their originals")
MSE_HOLE = Quantity("mse_hole", "1", "mean squared error of the restored pixels, ink from 0 to 1")
PSNR_HOLE = Quantity("psnr_hole", "dB", "peak signal-to-noise ratio of the restored pixels")
SSIM_HOLE = Quantity("ssim_hole", "1", "structural similarity of the restored pixels")
ACCURACY = Quantity("accuracy", "1", "fraction of the letters that a classifier reads correctly")
METRICS = (FID, FID_UNBIASED, FID_NETWORK, KID, MSE_HOLE, PSNR_HOLE, SSIM_HOLE, ACCURACY)
"""Metrics in the table, in this order. Metrics of whole images are omitted, because most of an image is copied."""
FID_RATIO = Quantity("fid_ratio", "1", "Fréchet distance divided by that of the decoder that the feature names")
LETTERS_USED = Quantity("letters", "1", "number of letters for training or for testing")
WEIGHT_BITS = Quantity("weight_bits", "1", "number of bits of the levels of the weights")
INPAINTING_MODELS = {
    **METHODS,
    REAL: "halves of the original letters against each other: the floor of the distance between independent sets",
    UNFILLED: "letters with their hole, for scale",
    LETTERS: "the letters themselves",
}
INPAINTING_QUANTITIES = (*METRICS, FID_RATIO, LETTERS_USED, WEIGHT_BITS)

# --- letters restored by chips
IDEAL, CHIP, COST, WRITE, PLACEMENT = "ideal", "chip", "cost", "write", "placement"
WHOLE_CHIP, ONE_IDEAL, ALL_BUT_ONE_IDEAL = "whole_chip", "one_ideal", "all_but_one_ideal"
NOT_TRAINED, REMEDY = "not_trained_for_chip", "remedy"
CHIP_METRICS = (FID, MSE_HOLE, ACCURACY)
CROSSBAR_MODELS = {
    FLOAT: "decoder in float32, without a chip",
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
CROSSBAR_QUANTITIES = (*CHIP_METRICS, FID_RATIO, *CHIP_QUANTITIES)


def number_of(measurement: str, model: str, quantity: Quantity, value: float, **fields: Any) -> Number:
    """Make a number of a quantity; ``fields`` are further fields of `Number`."""
    return Number(measurement, model, quantity.name, float(value), unit=quantity.known_unit, **fields)


def mean_of(measurement: str, model: str, quantity: Quantity, values: np.ndarray, **fields: Any) -> Number:
    """Make a number of the mean of values, shape (n,), with Student's interval; arguments as `number_of`."""
    error = float(values.std(ddof=1) / math.sqrt(values.size))
    mean = number_of(measurement, model, quantity, values.mean(), standard_error=error, **fields)
    return mean.with_interval(values.size - 1)
