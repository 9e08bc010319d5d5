"""Preparation of spectra for an analysis of counts: an ascending axis, in counts, without negative values."""

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.stats.noise import mad_noise


def rising(measurement: Measurement, spectrum: xr.Dataset, axis: str) -> xr.Dataset:
    """Return a spectrum in ascending order of its axis.

    Raises
    ------
    AnalysisError
        If the axis is not monotonic, because a part is repeated or rows are out of order.
    """
    values = spectrum[axis].to_numpy()
    falls = values[-1] < values[0]
    wrong = np.flatnonzero((np.diff(values) >= 0) if falls else (np.diff(values) <= 0))
    if wrong.size:
        at = wrong[0]
        raise AnalysisError(
            f"{measurement.id}: point {at + 2}: {axis} {values[at + 1]:g} follows {values[at]:g}; expected values that "
            f"{'fall' if falls else 'rise'} from point to point (is a part of the file repeated or out of order?)"
        )
    return spectrum.isel({axis: slice(None, None, -1)}) if falls else spectrum


def in_counts(measurement: Measurement, spectrum: xr.Dataset, time: str) -> xr.DataArray:
    """Return the intensity of a spectrum in counts; rates are multiplied by the measuring time per point.

    Parameters
    ----------
    time
        Name of the measuring time: a condition of the sheet (s), otherwise a variable or an attribute of the spectrum
        (s).

    Raises
    ------
    AnalysisError
        If the intensity is neither in counts nor a rate of counts, or a rate whose time is not known.
    """
    intensity = spectrum["intensity"]
    unit = intensity.attrs["units"]
    if unit == "count":
        return intensity
    if unit != "count/s":
        raise AnalysisError(f"{measurement.id}: intensity in '{unit}'; expected count, or count/s and its {time}")
    given = spectrum[time] if time in spectrum else spectrum.attrs.get(time, np.nan)
    seconds = measurement.condition(time, "s", np.nan) if time in measurement.conditions else given
    if not (np.asarray(seconds, dtype=float) > 0).all():
        raise AnalysisError(
            f"{measurement.id}: intensity in count/s and no {time} to convert it to counts (add '{time}=… s' to the "
            "sheet)"
        )
    return intensity * seconds


def scaled_to_counts(measurement: Measurement, spectrum: xr.Dataset, time: str) -> xr.DataArray:
    """Return the intensity of a spectrum as numbers that scatter like counts.

    Intensities in arbitrary units, and rates whose time is not known, are multiplied by one factor, so that their
    differences from neighbouring points have the variance of counts. The factor is known to a few percent, and the
    ratios of intensities within the spectrum stay as they are.

    Raises
    ------
    AnalysisError
        If the intensity is in another unit, or has no noise.
    """
    intensity = spectrum["intensity"]
    timeless = time not in spectrum and time not in spectrum.attrs and time not in measurement.conditions
    if intensity.attrs["units"] != "1" and not (intensity.attrs["units"] == "count/s" and timeless):
        return in_counts(measurement, spectrum, time)
    values = intensity.to_numpy().astype(float)
    middle, ends = values[1:-1], (values[:-2] + values[2:]) / 2
    seen = (middle > 0) & (ends > 0)
    # The difference of a point and the mean of its neighbours has 3/2 of the variance of a point.
    spread = (
        float(mad_noise((middle - ends)[seen] / np.sqrt(1.5 * (middle + 2 * ends)[seen] / 3))) if seen.any() else 0.0
    )
    if not spread > 0:
        raise AnalysisError(f"{measurement.id}: intensity without noise; expected what a detector counted")
    return intensity / spread**2


def not_negative(measurement: Measurement, counts: xr.DataArray) -> np.ndarray:
    """Return counts along one axis, shape (n,).

    Raises
    ------
    AnalysisError
        If a count is below zero.
    """
    (axis,) = counts.dims
    values = counts.to_numpy()
    below = np.flatnonzero(values < 0)
    if below.size:
        first = below[0]
        where = f" ({axis} {counts[axis][first].item():g})" if axis in counts.coords else ""
        raise AnalysisError(
            f"{measurement.id}: {below.size} of {values.size} counts are negative, first point {first + 1}{where}: "
            f"{values[first]:g}; expected the counts of the detector without "
            "subtraction of a background"
        )
    return values


def poisson_uncertainty(counts: np.ndarray) -> np.ndarray:
    """Return the standard uncertainty of observed counts; a count of zero has the uncertainty of a count of one."""
    return np.sqrt(np.maximum(counts, 1.0))
