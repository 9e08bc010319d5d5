"""Find diffraction lines and fit each as a Kα1, Kα2 pair, by maximum likelihood of the counts."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import lmfit
import numpy as np
from scipy import ndimage, signal

from relaxor.stats.fit import Fit, fit_counts
from relaxor.stats.line_shapes import pseudo_voigt, voigt
from relaxor.techniques.xrd.broadening import Widths
from relaxor.techniques.xrd.pattern import Pattern, Tube
from relaxor.techniques.xrd.settings import LineProfile, XrdSettings

BACKGROUND_WIDTHS = 20
"""Width of the running median under the peaks, in widths of a peak."""
ALPHA2_SHARE = 0.8
"""A maximum at the place of Kα2 that is at most this fraction of a Kα1 line is the Kα2 of that line."""
BACKGROUND = ("background_0", "background_1", "background_2")


def find_lines(pattern: Pattern, settings: XrdSettings) -> np.ndarray:
    """Find the lines of an evenly spaced pattern by a matched filter.

    Maxima that are the Kα2 of a stronger line are left out.

    Returns
    -------
    array
        Positions (degree), ascending.
    """
    two_theta, counts, exposure, tube = pattern.two_theta, pattern.counts, pattern.exposure, pattern.tube
    width = settings.peak_width
    step = float(np.median(np.diff(two_theta)))
    half = max(round(2 * width / step), 2)
    kernel = np.exp(-4 * math.log(2) * (np.arange(-half, half + 1) * step / width) ** 2)
    intensity = counts / exposure
    background = ndimage.median_filter(intensity, size=2 * round(BACKGROUND_WIDTHS * width / step / 2) + 1)
    # Where the exposure jumps, so does the noise: maxima are those of a score without jumps, and what rises by it.
    noise = np.sqrt(ndimage.convolve1d(np.maximum(intensity, 1.0), kernel**2))
    score = ndimage.convolve1d(intensity - background, kernel) / noise
    variance = np.maximum(counts, 1.0) / np.square(exposure)
    least = settings.significance * np.sqrt(ndimage.convolve1d(variance, kernel**2)) / noise
    peaks, _ = signal.find_peaks(score, height=least, prominence=least, distance=max(half // 2, 1))
    height = ndimage.convolve1d(intensity - background, kernel)[peaks]
    positions = two_theta[peaks]
    partner = np.abs(positions[:, None] - tube.alpha2_position(positions)[None, :]) < width
    is_alpha2 = (partner & (height[:, None] < ALPHA2_SHARE * height[None, :]) & (tube.ratio > 0)).any(axis=1)
    return positions[~is_alpha2]


def windows(positions: np.ndarray, half_width: float) -> list[np.ndarray]:
    """Group ascending positions of lines whose windows of ± ``half_width`` (degree) overlap."""
    return np.split(positions, np.flatnonzero(np.diff(positions) > 2 * half_width) + 1) if len(positions) else []


def doublet(
    x: np.ndarray, tube: Tube, center: float, area: float, widths: tuple[float, float], shape: str
) -> np.ndarray:
    """Return a Kα1, Kα2 pair of given total area.

    Parameters
    ----------
    x
        Angles 2θ (degree).
    tube
        Wavelengths and intensity ratio.
    center
        Position of Kα1 (degree).
    area
        Integral of both lines (counts · degree).
    widths
        Gaussian and Lorentzian width (degree) for ``voigt``; full width and Lorentzian share for ``pseudo_voigt``.
    shape
        ``"voigt"`` or ``"pseudo_voigt"``.
    """
    profile = voigt if shape == "voigt" else pseudo_voigt
    second = tube.ratio / (1 + tube.ratio)
    return profile(x, area * (1 - second), center, *widths) + profile(
        x, area * second, float(tube.alpha2_position(center)), *widths
    )


@dataclass(frozen=True)
class LineFit:
    """A fitted window.

    Attributes
    ----------
    fit
        Parameters ``center_i``, ``area_i``, the widths of line i, and the background.
    shape
        ``"voigt"`` (``fwhm_gaussian_i`` fixed to the instrument, ``fwhm_lorentzian_i``) or ``"pseudo_voigt"``
        (``fwhm_i``, ``eta_i``).
    lines
        How many lines it has.
    inside
        Which points of the pattern it covers.
    background, components
        Intensity of the background and of each line at these points, in counts at an exposure of 1.
    """

    fit: Fit
    shape: str
    lines: int
    inside: np.ndarray
    background: np.ndarray
    components: list[np.ndarray]

    @property
    def expected(self) -> np.ndarray:
        """Intensity of background and lines."""
        return self.background + np.sum(self.components, axis=0)


WIDTH_NAMES = {"voigt": ("fwhm_gaussian", "fwhm_lorentzian"), "pseudo_voigt": ("fwhm", "eta")}
"""Names of the two widths of each line shape."""


@dataclass(frozen=True)
class Line:
    """A fitted line.

    Attributes
    ----------
    fit, place
        The fitted window, and the place of the line in it.
    name
        ``002``, or ``at_21.35`` for a line without an index.
    index
        Miller index l, or 0.
    """

    fit: LineFit
    place: int
    name: str
    index: int

    def value(self, parameter: str) -> float:
        """Return a parameter of the line."""
        return self.fit.fit.value(f"{parameter}_{self.place}")

    def error(self, parameter: str) -> float:
        """Return the standard error of a parameter of the line."""
        return self.fit.fit.error(f"{parameter}_{self.place}")

    @property
    def common(self) -> Mapping[str, object]:
        """What all numbers of the line have in common, as fields of `relaxor.core.results.Number`."""
        return {"feature": self.name, **self.fit.fit.quality}


def sample_widths(lines: Sequence[Line], profile: LineProfile) -> Widths:
    """Return the widths without the share of the instrument: of the indexed lines, or of all where none is."""
    used = [line for line in lines if line.index] or lines
    known = [line for line in used if np.isfinite(line.error("fwhm_lorentzian"))]
    centers = np.array([line.value("center") for line in known])
    fitted = np.array([line.value("fwhm_lorentzian") for line in known])
    errors = np.array([line.error("fwhm_lorentzian") for line in known])
    return Widths(centers, fitted - profile.lorentzian(centers), errors)


def fit_lines(
    pattern: Pattern,
    centers: Sequence[float] | np.ndarray,
    settings: XrdSettings,
    shape: str,
    fixed_width: float | None = None,
) -> LineFit:
    """Fit the lines of one window with a quadratic background.

    Parameters
    ----------
    pattern
        The scan, of which the window is a part.
    centers
        Positions of the Kα1 lines (degree).
    settings
        Give the half-width of the window, the width of a line to start from, and the Gaussian width of Voigt lines.
    shape
        ``"voigt"`` or ``"pseudo_voigt"``.
    fixed_width
        Lorentzian width (degree) of lines that may not be there: positions and widths are kept and areas fitted alone.
    """
    two_theta, half_width = pattern.two_theta, settings.window
    inside = (two_theta >= min(centers) - half_width) & (two_theta <= max(centers) + half_width)
    x, y, seen = two_theta[inside], pattern.counts[inside], pattern.exposure[inside]
    scaled = (x - x.mean()) / half_width
    params = _start(x, y / seen, centers, settings, shape, fixed_width)

    def parts(p: lmfit.Parameters) -> tuple[np.ndarray, list[np.ndarray]]:
        background = np.polynomial.polynomial.polyval(scaled, [p[name].value for name in BACKGROUND])
        lines = []
        for index in range(len(centers)):
            first, second = (p[f"{name}_{index}"].value for name in WIDTH_NAMES[shape])
            center, area = p[f"center_{index}"].value, p[f"area_{index}"].value
            lines.append(doublet(x, pattern.tube, center, area, (first, second), shape))
        return background, lines

    def expected(p: lmfit.Parameters) -> np.ndarray:
        background, lines = parts(p)
        return seen * (background + np.sum(lines, axis=0))

    fitted = fit_counts(expected, y, params)
    background, components = parts(fitted.params)
    return LineFit(fitted, shape, len(centers), inside, background, components)


def _start(
    x: np.ndarray,
    y: np.ndarray,
    centers: Sequence[float] | np.ndarray,
    settings: XrdSettings,
    shape: str,
    fixed_width: float | None,
) -> lmfit.Parameters:
    free = fixed_width is None
    width = settings.peak_width if fixed_width is None else fixed_width
    params = lmfit.Parameters()
    level = max(float(np.percentile(y, 20)), 0.5)
    for name, value in zip(BACKGROUND, (level, 0.0, 0.0), strict=True):
        params.add(name, value)
    for index, center in enumerate(centers):
        height = max(float(np.interp(center, x, y)) - level, math.sqrt(level))
        params.add(f"center_{index}", center, min=center - 2 * width, max=center + 2 * width, vary=free)
        params.add(f"area_{index}", 1.5 * 1.3 * width * height if free else 0.0)
        if shape == "voigt":
            params.add(f"fwhm_gaussian_{index}", settings.line_profile.gaussian(center), vary=False)
            params.add(f"fwhm_lorentzian_{index}", width, min=1e-5, max=20 * width, vary=free)
        else:
            params.add(f"fwhm_{index}", width, min=width / 50, max=20 * width, vary=free)
            params.add(f"eta_{index}", 0.6, min=0.0, max=1.2, vary=free)
    return params
