"""The response at one wavelength relative to that at another, from series of the power density at both."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from relaxor.core.results import Number, combined, measured
from relaxor.synapse.photoresponse.quantities import RESPONSE_RATIO, SPECTRAL
from relaxor.synapse.protocols import SAME
from relaxor.synapse.recording import Recording

PowerSeries = tuple[float, Recording, pd.DataFrame]
"""Wavelength (nm), recording, and its responses as `relaxor.synapse.protocols.averaged` returned them."""


def spectral_rows(series: Sequence[PowerSeries], power_uncertainty: float) -> list[Number]:
    """Return the ratios of the response to the one at the longest wavelength, which is the reference.

    A ratio is the mean, on a logarithmic scale, of the ratios at the power densities that both series have; it depends
    on these where the response saturates. The systematic error is that of a power meter read at two wavelengths, for a
    response that is at most proportional to the power.

    Parameters
    ----------
    series
        All series of the power density.
    power_uncertainty
        Relative standard uncertainty of the power meter's scale at a wavelength.
    """
    rows: list[Number] = []
    if not series:
        return rows
    longest, reference, at_longest = max(series, key=lambda entry: entry[0])
    for wavelength, recording, points in series:
        pairs = _common(points, at_longest)
        if wavelength == longest or pairs.empty:
            continue
        ratio = math.exp(float(np.log(pairs["response"] / pairs["reference"]).mean()))
        relative = np.hypot(pairs["error"] / pairs["response"], pairs["reference_error"] / pairs["reference"])
        error = ratio * float(np.linalg.norm(relative)) / len(pairs)
        both = combined([recording.measurement, reference.measurement], recording.measurement.id)
        method = f"mean ratio of the responses at {len(pairs)} power densities"
        at = {"at": longest, "at_unit": "nm"}
        (row,) = measured(both, SPECTRAL, {RESPONSE_RATIO: (ratio, error)}, method, n=len(pairs), **at)
        rows.append(replace(row, systematic_error=math.sqrt(2) * power_uncertainty * ratio))
    return rows


def _common(points: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Pair the responses at the same power density, where both are positive."""
    other = reference.rename(columns={"response": "reference", "error": "reference_error", "value": "there"})
    pairs = points.merge(other[["there", "reference", "reference_error"]], how="cross")
    same = (pairs["value"] - pairs["there"]).abs() <= SAME * pairs["there"]
    return pairs[same & (pairs["response"] > 0) & (pairs["reference"] > 0)]
