"""Find diffraction lines and fit each as a Kα1, Kα2 pair, by maximum likelihood of the counts."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import lmfit
import numpy as np
from scipy import ndimage, signal

from relaxor.core.results import ADEQUATE, Adequacy, Status
from relaxor.stats.adequacy import judge
from relaxor.stats.fit import LEAST_EXPECTED, Fit, fit_counts
from relaxor.stats.line_shapes import pseudo_voigt, voigt
from relaxor.techniques.xrd.broadening import Widths
from relaxor.techniques.xrd.pattern import Pattern
from relaxor.techniques.xrd.radiation import Tube
from relaxor.techniques.xrd.settings import LineProfile, XrdSettings

BACKGROUND_WIDTHS = 20
"""Width of the running median under the peaks, in widths of a peak."""
ALPHA2_SHARE = 0.8
"""A maximum at the place of Kα2 that is at most this fraction of a Kα1 line is the Kα2 of that line."""
BACKGROUND = ("background_0", "background_1", "background_2")
LEAST_POINTS = 3
"""Smallest number of points above the half of its height that make a maximum a line, and not a spike."""
AXIAL = "axial_divergence"
"""Parameter of a window whose lines are skewed by axial divergence."""
LEAST_AXIAL = 1e-4
"""Axial divergence (rad) that no line shows."""
SKEWED, FEW_NODES, MANY_NODES = 50.0, 4, 16
"""Angle 2θ (degree, from either end) within which the skewness needs many nodes, and numbers of nodes."""
STRONGEST = 3
"""Number of windows that determine the axial divergence of the diffractometer."""


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


def narrowed(pattern: Pattern, settings: XrdSettings) -> XrdSettings:
    """Return the settings with widths and a window of lines that are much narrower than those of the settings.

    The width is the median of those of all lines, of each at half of its height.
    """
    step = float(np.median(np.diff(pattern.two_theta)))
    points = [_points_above_half(pattern, center, settings.window) for center in find_lines(pattern, settings)]
    width = float(np.median(points)) * step if points else math.inf
    if width < LEAST_POINTS * step or width > settings.peak_width / 3:
        return settings
    share, profile = width / settings.peak_width, settings.line_profile
    course = {name: getattr(profile, name) * share**2 for name in ("u", "v", "w")}
    changed = {"line_profile": profile.model_copy(update=course), "window": settings.window * share}
    return settings.model_copy(update={"peak_width": width, **changed})


def _points_above_half(pattern: Pattern, center: float, window: float) -> int:
    """Return the number of neighbouring points around the maximum of a line that lie above half of its height."""
    inside = np.abs(pattern.two_theta - center) <= window
    intensity = pattern.intensity[inside]
    (low,) = np.nonzero(intensity <= (intensity.max() + np.median(intensity)) / 2)
    place = int(np.searchsorted(low, int(intensity.argmax())))
    return int(np.append(low, intensity.size)[place] - np.insert(low, 0, -1)[place] - 1)


@cache
def _gauss(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return places and weights of Gauss–Legendre integration."""
    return np.polynomial.legendre.leggauss(number)


def axial_nodes(two_theta: float, divergence: float) -> tuple[np.ndarray, np.ndarray]:
    """Return where axial divergence puts parts of a line (degree 2θ), and their shares.

    Sample and detector slit are equally high; ``divergence`` is half of this height over the radius of the goniometer.
    With t, the height of a point of the cone of diffraction over the radius, the distribution of Finger, Cox & Jephcoat
    (doi 10.1107/S0021889894004218, eq. 1 to 6) is smooth: (2·divergence − t)/((1 + t²) sin 2φ) between 0 and twice the
    divergence, where cos 2φ = cos 2θ √(1 + t²). Shape of both: (nodes,).
    """
    number = MANY_NODES if min(two_theta, 180 - two_theta) < SKEWED else FEW_NODES
    place, weight = _gauss(number)
    height = divergence * (place + 1)
    cosine = np.clip(np.cos(np.radians(two_theta)) * np.sqrt(1 + height**2), -1 + 1e-9, 1 - 1e-9)
    share = weight * (2 * divergence - height) / ((1 + height**2) * np.sqrt(1 - cosine**2))
    return np.degrees(np.arccos(cosine)), share / share.sum()


def skewed(x: np.ndarray, area: float, center: float, gaussian: float, lorentzian: float, axial: float) -> np.ndarray:
    """Return a Voigt line with the asymmetry of axial divergence; ``center`` is where it lies without."""
    places, shares = axial_nodes(center, axial)
    return area * voigt((x[:, None] - places).ravel(), 1.0, 0.0, gaussian, lorentzian).reshape(x.size, -1) @ shares


PROFILES: Mapping[str, Callable[..., np.ndarray]] = {"voigt": voigt, "pseudo_voigt": pseudo_voigt, "skewed": skewed}
"""Functions of the shapes."""
*SYMMETRIC, LAST_SHAPE = PROFILES


def doublet(x: np.ndarray, tube: Tube, center: float, area: float, widths: Sequence[float], shape: str) -> np.ndarray:
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
        Gaussian and Lorentzian width (degree) for ``voigt``, and the axial divergence for ``skewed``; full width and
        Lorentzian share for ``pseudo_voigt``.
    shape
        Key of `PROFILES`.
    """
    profile, second = PROFILES[shape], tube.ratio / (1 + tube.ratio)
    line = profile(x, area * (1 - second), center, *widths)
    if second:
        line = line + profile(x, area * second, float(tube.alpha2_position(center)), *widths)
    return line


@dataclass(frozen=True)
class LineFit:
    """A fitted window.

    Attributes
    ----------
    fit
        Parameters ``center_i``, ``area_i``, the widths of line i, and the background.
    shape
        ``"voigt"`` (``fwhm_gaussian_i`` fixed to the instrument, ``fwhm_lorentzian_i``), ``"skewed"`` (both widths
        free, and ``axial_divergence``) or ``"pseudo_voigt"`` (``fwhm_i``, ``eta_i``).
    lines
        How many lines it has.
    inside
        Which points of the pattern it covers.
    background, components
        Intensity of the background and of each line at these points, in counts at an exposure of 1.
    pearson, level
        Pearson's residuals and expected counts at these points.
    """

    fit: Fit
    shape: str
    lines: int
    inside: np.ndarray
    background: np.ndarray
    components: list[np.ndarray]
    pearson: np.ndarray
    level: np.ndarray

    @property
    def expected(self) -> np.ndarray:
        """Intensity of background and lines."""
        return self.background + np.sum(self.components, axis=0)


WIDTH_NAMES = {
    "voigt": ("fwhm_gaussian", "fwhm_lorentzian"),
    "pseudo_voigt": ("fwhm", "eta"),
    "skewed": ("fwhm_gaussian", "fwhm_lorentzian"),
}
"""Names of the two widths of each line shape."""


@dataclass(frozen=True)
class Line:
    """A fitted line.

    Attributes
    ----------
    fit, place, window
        The fitted window, the place of the line in it, and the place of the window in the pattern.
    name
        ``002``, ``kbeta_of_002``, or ``at_21.35`` for a line without an index.
    hkl
        Miller indices; empty if it has none.
    phase
        Name of the phase it belongs to.
    """

    fit: LineFit
    place: int
    window: int
    name: str
    hkl: tuple[int, ...] = ()
    phase: str = ""

    def value(self, parameter: str) -> float:
        """Return a parameter of the line."""
        return self.fit.fit.value(f"{parameter}_{self.place}")

    def error(self, parameter: str) -> float:
        """Return the standard error of a parameter of the line."""
        return self.fit.fit.error(f"{parameter}_{self.place}")

    @property
    def index(self) -> int:
        """Miller index l, 0 for a line without indices."""
        return self.hkl[2] if self.hkl else 0

    @property
    def foreign(self) -> bool:
        """Whether it is the line of another wavelength."""
        return self.name.startswith(("kbeta", "w_lalpha"))

    @property
    def common(self) -> Mapping[str, object]:
        """What all numbers of the line have in common, as fields of `relaxor.core.results.Number`."""
        return {"feature": self.name, **self.fit.fit.quality}


def sample_widths(lines: Sequence[Line], profile: LineProfile) -> Widths:
    """Return the widths without the share of the instrument."""
    known = [line for line in lines if np.isfinite(line.error("fwhm_lorentzian")) and line.error("fwhm_lorentzian") > 0]
    centers = np.array([line.value("center") for line in known])
    fitted = np.array([line.value("fwhm_lorentzian") for line in known])
    errors = np.array([line.error("fwhm_lorentzian") for line in known])
    gaussian = np.array([line.value("fwhm_gaussian") for line in known])
    return Widths(centers, fitted - profile.lorentzian(centers), errors, gaussian, fitted)


def judged_together(fits: Sequence[LineFit]) -> Adequacy:
    """Judge all windows of a shape as one fit; the errors of the lines include the misfit of their window already."""
    if not all(fitted.fit.converged for fitted in fits):
        return Adequacy(Status.MISFIT, 1.0, "misfit: the search for some lines did not converge")
    pearson = np.concatenate([fitted.pearson for fitted in fits])
    freedom = sum(fitted.fit.freedom for fitted in fits)
    variance = 2 + float(np.mean(1 / np.concatenate([fitted.level for fitted in fits])))
    found = judge(pearson, freedom, absolute_sigma=True, variance=variance)
    if found.status == Status.OK:
        return ADEQUATE
    reduced = float(pearson @ pearson) / freedom
    return Adequacy(
        found.status,
        1.0,
        f"misfit: the shape of the lines misses the counts (chi-square {reduced:.3g} per degree of "
        "freedom); the errors of their positions are widened",
    )


def fit_shapes(
    pattern: Pattern, groups: Sequence[np.ndarray], settings: XrdSettings
) -> dict[str, tuple[list[LineFit], Adequacy]]:
    """Fit the lines of all windows with each shape; the one that describes the counts best is the first.

    Skewed lines are tried where no symmetric shape describes the counts, although each was found, at low angles.
    """
    fits = {shape: [fit_lines(pattern, group, settings, shape) for group in groups] for shape in SYMMETRIC}
    judged = {shape: judged_together(each) for shape, each in fits.items()}
    found = all(one.fit.converged for each in fits.values() for one in each)
    if found and groups[0][0] < SKEWED and all(each.status != Status.OK for each in judged.values()):
        axial = axial_divergence(pattern, groups, settings)
        fits[LAST_SHAPE] = [fit_lines(pattern, group, settings, LAST_SHAPE, axial=axial) for group in groups]
        judged[LAST_SHAPE] = judged_together(fits[LAST_SHAPE])

    def rank(shape: str) -> tuple[int, float]:
        lost = sum(not each.fit.converged for each in fits[shape])
        return lost, sum(each.fit.aicc for each in fits[shape])

    return {shape: (fits[shape], judged[shape]) for shape in sorted(fits, key=rank)}


def axial_divergence(pattern: Pattern, groups: Sequence[np.ndarray], settings: XrdSettings) -> float:
    """Return the axial divergence (rad) that the strongest windows at low angles show."""
    heights = [np.interp(group, pattern.two_theta, pattern.counts).max() for group in groups]
    skewness = [height / np.tan(np.radians(group[0])) for height, group in zip(heights, groups, strict=True)]
    chosen = [groups[place] for place in np.argsort(skewness)[::-1][:STRONGEST]]
    fits = [fit_lines(pattern, group, settings, "skewed").fit for group in chosen]
    values, errors = np.array([fitted.estimate(AXIAL) for fitted in fits if fitted.converged]).reshape(-1, 2).T
    known = np.isfinite(errors) & (errors > 0)
    if not known.any():
        return LEAST_AXIAL
    return float(np.average(values[known], weights=errors[known] ** -2))


def fit_lines(
    pattern: Pattern,
    centers: Sequence[float] | np.ndarray,
    settings: XrdSettings,
    shape: str,
    fixed_width: float | None = None,
    axial: float | None = None,
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
        Key of `PROFILES`.
    fixed_width
        Lorentzian width (degree) of lines that may not be there: positions and widths are kept and areas fitted alone.
    axial
        Axial divergence of skewed lines; without it, it is fitted.
    """
    two_theta, half_width = pattern.two_theta, settings.window
    inside = (two_theta >= min(centers) - half_width) & (two_theta <= max(centers) + half_width)
    x, y, seen = two_theta[inside], pattern.counts[inside], pattern.exposure[inside]
    scaled = (x - x.mean()) / half_width
    params = _start(x, y / seen, centers, settings, shape, fixed_width)
    if shape == "skewed":
        params.add(AXIAL, 0.02 if axial is None else axial, min=LEAST_AXIAL, max=0.15, vary=axial is None)
    shared = (AXIAL,) if shape == "skewed" else ()

    def parts(p: lmfit.Parameters) -> tuple[np.ndarray, list[np.ndarray]]:
        background = np.polynomial.polynomial.polyval(scaled, [p[name].value for name in BACKGROUND])
        lines = []
        for index in range(len(centers)):
            names = (*(f"{name}_{index}" for name in WIDTH_NAMES[shape]), *shared)
            center, area = p[f"center_{index}"].value, p[f"area_{index}"].value
            lines.append(doublet(x, pattern.tube, center, area, [p[name].value for name in names], shape))
        return background, lines

    def expected(p: lmfit.Parameters) -> np.ndarray:
        background, lines = parts(p)
        return seen * (background + np.sum(lines, axis=0))

    fitted = fit_counts(expected, y, params)
    background, components = parts(fitted.params)
    level = np.maximum(expected(fitted.params), LEAST_EXPECTED)
    pearson = (y - level) / np.sqrt(level)
    return LineFit(fitted, shape, len(centers), inside, background, components, pearson, level)


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
        params.add(f"area_{index}", 1.5 * 1.3 * width * height if free else 0.0, min=0.0 if free else -math.inf)
        if shape != "pseudo_voigt":
            instrument = settings.line_profile.gaussian(center)
            free_width = {"min": width / 50, "max": 20 * width} if shape == "skewed" else {"vary": False}
            params.add(f"fwhm_gaussian_{index}", instrument, **free_width)
            params.add(f"fwhm_lorentzian_{index}", width, min=1e-5, max=20 * width, vary=free)
        else:
            params.add(f"fwhm_{index}", width, min=width / 50, max=20 * width, vary=free)
            params.add(f"eta_{index}", 0.6, min=0.0, max=1.2, vary=free)
    return params
