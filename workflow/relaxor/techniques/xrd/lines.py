"""Find diffraction lines and fit each as a Kα1, Kα2 pair, by maximum likelihood of the counts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import lmfit
import numpy as np
from scipy import ndimage, signal

from relaxor.stats.fit import Fit, fit_counts, pseudo_voigt, voigt

BACKGROUND_WIDTHS = 20
"""Width of the running median under the peaks, in widths of a peak."""
ALPHA2_SHARE = 0.8
"""A maximum at the place of a Kα2 and at most this fraction of the Kα1 line is that line's Kα2."""
BACKGROUND = ("background_0", "background_1", "background_2")


@dataclass(frozen=True)
class Tube:
    """The Kα doublet: wavelengths (angstrom) and the intensity of Kα2 over Kα1."""

    alpha1: float
    alpha2: float
    ratio: float

    def alpha2_position(self, two_theta: np.ndarray | float) -> np.ndarray:
        """Return where Kα2 lies (degree) for a Kα1 line at ``two_theta``."""
        sine = np.sin(np.radians(two_theta) / 2) * self.alpha2 / self.alpha1
        return np.degrees(2 * np.arcsin(np.minimum(sine, 1.0)))

    def d_spacing(self, two_theta: np.ndarray | float) -> np.ndarray:
        """Return the distance of planes (angstrom) that reflect Kα1 at ``two_theta`` (degree)."""
        return self.alpha1 / (2 * np.sin(np.radians(two_theta) / 2))


@dataclass(frozen=True)
class Instrument:
    """Line profile of the diffractometer; see `relaxor.techniques.xrd.settings.Instrument`."""

    u: float
    v: float
    w: float
    emission_width: float

    def gaussian(self, two_theta: float) -> float:
        """Return the Gaussian full width at half maximum (degree 2θ); doi 10.1016/0029-554X(58)90029-X."""
        tangent = math.tan(math.radians(two_theta) / 2)
        return math.sqrt(max(self.u * tangent**2 + self.v * tangent + self.w, 1e-8))

    def lorentzian(self, two_theta: np.ndarray | float) -> np.ndarray:
        """Return the width (degree 2θ) that the natural width of the emission line gives."""
        return np.degrees(2 * self.emission_width * np.tan(np.radians(two_theta) / 2))


def find_lines(
    two_theta: np.ndarray,
    counts: np.ndarray,
    *,
    width: float,
    significance: float,
    tube: Tube,
    exposure: np.ndarray | float = 1.0,
) -> np.ndarray:
    """Find lines by a matched filter.

    Parameters
    ----------
    two_theta, counts
        Pattern, evenly spaced (degree, counts).
    width
        Usual full width of a line (degree).
    significance
        Least prominence of a line, in standard deviations of the filtered counts.
    tube
        Wavelengths: maxima that are the Kα2 of a stronger line are left out.
    exposure
        Expected counts over intensity; see `relaxor.techniques.xrd.pattern.Pattern`.

    Returns
    -------
    array
        Positions (degree), ascending.
    """
    step = float(np.median(np.diff(two_theta)))
    half = max(round(2 * width / step), 2)
    kernel = np.exp(-4 * math.log(2) * (np.arange(-half, half + 1) * step / width) ** 2)
    intensity = counts / exposure
    background = ndimage.median_filter(intensity, size=2 * round(BACKGROUND_WIDTHS * width / step / 2) + 1)
    # Where the exposure jumps, so does the noise: maxima are those of a score without jumps, and what rises by it.
    noise = np.sqrt(ndimage.convolve1d(np.maximum(intensity, 1.0), kernel**2))
    score = ndimage.convolve1d(intensity - background, kernel) / noise
    variance = np.maximum(counts, 1.0) / np.square(exposure)
    least = significance * np.sqrt(ndimage.convolve1d(variance, kernel**2)) / noise
    peaks, _ = signal.find_peaks(score, height=least, prominence=least, distance=max(half // 2, 1))
    height = ndimage.convolve1d(intensity - background, kernel)[peaks]
    positions = two_theta[peaks]
    partner = np.abs(positions[:, None] - tube.alpha2_position(positions)[None, :]) < width
    is_alpha2 = (partner & (height[:, None] < ALPHA2_SHARE * height[None, :]) & (tube.ratio > 0)).any(axis=1)
    return positions[~is_alpha2]


def windows(positions: np.ndarray, half_width: float) -> list[np.ndarray]:
    """Group lines (ascending) whose windows of ± ``half_width`` (degree) overlap: they are fitted together."""
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


def fit_lines(
    two_theta: np.ndarray,
    counts: np.ndarray,
    centers: Sequence[float] | np.ndarray,
    *,
    half_width: float,
    tube: Tube,
    shape: str,
    instrument: Instrument | None = None,
    start_width: float = 0.1,
    fixed: bool = False,
    exposure: np.ndarray | float = 1.0,
) -> LineFit:
    """Fit the lines of one window with a quadratic background.

    Parameters
    ----------
    two_theta, counts
        Whole pattern (degree, counts).
    centers
        Where the Kα1 lines are (degree).
    half_width
        How far the window reaches beyond the outermost line (degree).
    tube
        Wavelengths.
    shape
        ``"voigt"``, which needs ``instrument``, or ``"pseudo_voigt"``.
    instrument
        Gives the Gaussian width.
    start_width
        Full width to start from (degree).
    fixed
        Keep positions and widths as given and fit areas alone (for lines that may not be there).
    exposure
        Expected counts over intensity; see `relaxor.techniques.xrd.pattern.Pattern`.
    """
    inside = (two_theta >= min(centers) - half_width) & (two_theta <= max(centers) + half_width)
    x, y, seen = two_theta[inside], counts[inside], np.broadcast_to(exposure, counts.shape)[inside]
    scaled = (x - x.mean()) / half_width
    params = _start(x, y / seen, centers, shape, instrument, start_width, fixed)

    def parts(p: lmfit.Parameters) -> tuple[np.ndarray, list[np.ndarray]]:
        background = np.polynomial.polynomial.polyval(scaled, [p[name].value for name in BACKGROUND])
        lines = []
        for index in range(len(centers)):
            first, second = (p[f"{name}_{index}"].value for name in WIDTH_NAMES[shape])
            center, area = p[f"center_{index}"].value, p[f"area_{index}"].value
            lines.append(doublet(x, tube, center, area, (first, second), shape))
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
    shape: str,
    instrument: Instrument | None,
    width: float,
    fixed: bool,
) -> lmfit.Parameters:
    params = lmfit.Parameters()
    level = max(float(np.percentile(y, 20)), 0.5)
    for name, value in zip(BACKGROUND, (level, 0.0, 0.0), strict=True):
        params.add(name, value)
    for index, center in enumerate(centers):
        height = max(float(np.interp(center, x, y)) - level, math.sqrt(level))
        params.add(f"center_{index}", center, min=center - 2 * width, max=center + 2 * width, vary=not fixed)
        params.add(f"area_{index}", 0.0 if fixed else 1.5 * 1.3 * width * height)
        if shape == "voigt":
            if instrument is None:
                raise ValueError("the voigt shape needs the profile of the instrument")
            params.add(f"fwhm_gaussian_{index}", instrument.gaussian(center), vary=False)
            params.add(f"fwhm_lorentzian_{index}", width, min=1e-5, max=20 * width, vary=not fixed)
        else:
            params.add(f"fwhm_{index}", width, min=width / 50, max=20 * width, vary=not fixed)
            params.add(f"eta_{index}", 0.6, min=0.0, max=1.2, vary=not fixed)
    return params
