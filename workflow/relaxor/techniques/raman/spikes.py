"""Cosmic rays in Raman spectra: spikes of few pixels that one accumulation has and the others have not.

With one accumulation, a cosmic ray differs from a line only by its sharpness: light comes through the instrument, which
has a width. Pixels are left out only if no light that came through the instrument explains them.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.ndimage import binary_dilation, find_objects, label, median_filter, white_tophat
from scipy.optimize import nnls

from relaxor.stats.noise import MAD_TO_SIGMA, linear_noise

NARROWEST = (1.2, 2.0)
"""Width of the response, in pixels, is taken between these: spectrographs image their slit on about two pixels."""
MARGIN = 10
"""Pixels to each side of a spike that the test looks at."""
UNEXPLAINED = 1e-6
"""Probability of the misfit of light through the instrument below which a spike is a cosmic ray."""
WINGS = 3.5
"""Standard deviations by which a line must stand out beside its top; otherwise it may be a cosmic ray."""
DRIFT = 0.3
"""Part by which a line may differ between two accumulations, because of a drift of laser or focus."""


@dataclass(frozen=True)
class Cleaned:
    """The mean of accumulations without cosmic rays.

    Attributes
    ----------
    mean
        Mean of the accumulations, shape (n,); interpolated where nothing was left.
    noise
        Its standard deviation as the accumulations show it, shape (n,); NaN where there are fewer than three.
    removed
        Pixels that cosmic rays hit, shape (accumulations, n).
    suspect
        Pixels of spikes that may be lines or cosmic rays, shape (n,).
    """

    mean: np.ndarray
    noise: np.ndarray
    removed: np.ndarray
    suspect: np.ndarray

    @property
    def lost(self) -> np.ndarray:
        """Pixels of which no accumulation is left, shape (n,)."""
        return np.asarray(self.removed.all(axis=0))


def remove_spikes(spectra: np.ndarray, threshold: float, width: int, response: float) -> Cleaned:
    """Average accumulations without their cosmic rays.

    Parameters
    ----------
    spectra
        Accumulations, shape (m, n).
    threshold
        Height of a spike in standard deviations.
    width
        Greatest width of a spike in pixels; used with fewer than three accumulations.
    response
        Full width at half maximum of the response of the instrument in pixels; used with one accumulation.
    """
    suspect = np.zeros(spectra.shape[1], dtype=bool)
    if len(spectra) >= 3:
        removed = _higher_than_the_others(spectra, threshold)
    elif len(spectra) == 2:
        removed = _higher_than_the_other(spectra, threshold, width)
    else:
        sharp, suspect = _sharper_than_light(spectra[0], threshold, width, response)
        removed = sharp[None, :]
    kept = np.ma.masked_array(spectra, removed)
    count = kept.count(axis=0)
    there = np.flatnonzero(count)
    pixels = np.arange(suspect.size)
    mean = np.interp(pixels, there, kept.mean(axis=0).data[there])
    if len(spectra) < 3:
        return Cleaned(mean, np.full_like(mean, np.nan), removed, suspect)
    scatter = linear_noise(mean, kept.var(axis=0, ddof=1).filled(0), count >= 3)
    return Cleaned(mean, scatter / np.sqrt(np.maximum(count, 1)), removed, suspect)


def _higher_than_the_others(spectra: np.ndarray, threshold: float) -> np.ndarray:
    center = np.median(spectra, axis=0)
    spread = np.median((spectra - center) ** 2, axis=0) * MAD_TO_SIGMA**2
    # The foot of a spike is below the threshold.
    return binary_dilation(spectra - center > threshold * linear_noise(center, spread), np.ones((1, 3)))


def _higher_than_the_other(spectra: np.ndarray, threshold: float, width: int) -> np.ndarray:
    difference = spectra[0] - spectra[1]
    difference = difference - median_filter(difference, 2 * width + 3)
    noise = linear_noise(spectra.mean(axis=0), _local_variance(difference))
    lower = spectra.min(axis=0)
    drift = DRIFT * (lower - median_filter(lower, 8 * width + 1))
    hit = np.stack([difference, -difference]) > np.maximum(threshold * noise, drift)
    return binary_dilation(hit, np.ones((1, 3)))


def _local_variance(deviations: np.ndarray) -> np.ndarray:
    """Return the variance around each pixel from the median of squares, in which few pixels do not count."""
    return median_filter(deviations**2, 2 * MARGIN + 1) * MAD_TO_SIGMA**2


def _sharper_than_light(
    spectrum: np.ndarray, threshold: float, width: int, response: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels of cosmic rays, and those of spikes that may be cosmic rays or lines."""
    # Fourth differences leave the noise of points, times the root of 70, of all but the sharpest lines.
    fourth = np.pad(np.diff(spectrum, 4), 2, mode="edge") / math.sqrt(70)
    sigma = linear_noise(spectrum, _local_variance(fourth))
    high = white_tophat(spectrum, width + 1) > threshold * sigma
    removed, suspect = np.zeros((2, spectrum.size), dtype=bool)
    for (run,) in find_objects(label(high)[0]):
        gap = slice(max(run.start - 1, 0), run.stop + 1)
        near = slice(max(run.start - MARGIN, 0), min(run.stop + MARGIN, spectrum.size))
        spike = np.zeros(near.stop - near.start, dtype=bool)
        spike[gap.start - near.start : gap.stop - near.start] = True
        points = spectrum[near], sigma[near], spike
        inside, beside = _misfits(*points, response)
        if inside < UNEXPLAINED < beside:
            removed[gap] = True
        elif run.stop - run.start <= width and _wings(*points) < WINGS:
            suspect[run] = True
    return removed, suspect


def _wings(spectrum: np.ndarray, sigma: np.ndarray, spike: np.ndarray) -> float:
    """Return by how many standard deviations wings stand out beside a spike, on a straight background."""
    pixels = np.arange(spectrum.size)
    top = np.average(pixels[spike], weights=np.maximum(spectrum[spike] - spectrum.min(), 1e-12))
    straight = np.column_stack([np.ones_like(sigma), pixels])
    found = []
    for half_width in (1.0, 2.0, 4.0):
        wing = 1 / (1 + ((pixels - top) / half_width) ** 2)
        design = (np.column_stack([straight, wing]) / sigma[:, None])[~spike]
        inverse = np.linalg.pinv(design)
        found.append(float(inverse[2] @ (spectrum / sigma)[~spike] / np.linalg.norm(inverse[2])))
    return max(found)


def _misfits(spectrum: np.ndarray, sigma: np.ndarray, spike: np.ndarray, response: float) -> tuple[float, float]:
    """Return how probable a spike is as light, and how probable the points beside it are without it.

    Whatever the lines are, light through the instrument is a sum of positive responses on a background.
    """
    pixels = np.arange(spectrum.size)
    places = np.arange(-2, spectrum.size + 1.5, 0.5)
    fwhm = float(np.clip(response, *NARROWEST))
    responses = np.exp(-4 * math.log(2) * ((pixels[:, None] - places) / fwhm) ** 2)
    slope = pixels / pixels[-1]
    design = np.column_stack([responses, np.ones_like(slope), slope, 1 - slope]) / sigma[:, None]
    data = (spectrum - spectrum.min()) / sigma
    weights = nnls(design, data, maxiter=50 * places.size)[0]
    inside = float(np.sum((data - design @ weights)[spike] ** 2))
    outside = np.abs(places[:, None] - pixels[spike]).min(axis=1) > fwhm / 2
    atoms = np.append(outside, [True, True, True])
    beside = nnls(design[~spike][:, atoms], data[~spike], maxiter=50 * places.size)[1] ** 2
    return float(stats.chi2.sf(inside, spike.sum())), float(stats.chi2.sf(beside, (~spike).sum()))
