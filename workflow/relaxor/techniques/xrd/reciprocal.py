"""Maps of reciprocal space: the places of their peaks, as scattering vectors in the plane of diffraction.

A scan of 2θ at each ω, or of ω at each 2θ, gives intensities at

    Q_x = 2π/λ · (cos(2θ − ω) − cos ω),  Q_z = 2π/λ · (sin(2θ − ω) + sin ω)

with Q_z along the normal of the surface (doi 10.1107/S0021889813017214). A peak is a maximum that stands out of all
saddles around it; its place is the centre of mass of what is higher than half of it.
"""

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from scipy import ndimage

from relaxor.core.errors import AnalysisError
from relaxor.core.results import ADEQUATE, Adequacy, Measurement, Number, Quantity, Result, Status, measured
from relaxor.core.variables import dataset
from relaxor.techniques.xrd import quantities as q
from relaxor.techniques.xrd.pattern import counts_of
from relaxor.techniques.xrd.radiation import Tube, tube_of
from relaxor.techniques.xrd.settings import XrdSettings

BOX = 5
"""Points along each edge of the square in which counts are added to find a maximum."""
LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9)
"""Heights above the background, relative to the maximum, over which a peak is averaged; higher where peaks meet."""
MOST_PEAKS = 20
"""Largest number of peaks that are reported, the strongest first."""
DRAWS, SEED = 60, 1
"""Number of maps from whose scatter errors are taken, and the seed of their noise."""
METHOD = "centre of mass above {:g} of the maximum, Kα1"
AT_EDGE = Adequacy(Status.AT_BOUND, 1.0, "at bound: the peak reaches the edge of the map")
CURVES = {
    q.Q_X: lambda tube, two_theta, omega: _factor(tube) * (np.cos(two_theta - omega) - np.cos(omega)),
    q.Q_Z: lambda tube, two_theta, omega: _factor(tube) * (np.sin(two_theta - omega) + np.sin(omega)),
    q.LATTICE_SPACING: lambda tube, two_theta, omega: tube.alpha1 / (2 * np.sin(two_theta / 2)),
    q.TWO_THETA: lambda tube, two_theta, omega: np.degrees(two_theta),
    q.OMEGA: lambda tube, two_theta, omega: np.degrees(omega),
}
"""The quantities of a peak as functions of the radiation, 2θ and ω (radian)."""


def is_map(region: xr.Dataset) -> bool:
    """Return whether a region is a map: intensities in two dimensions at angles 2θ."""
    return "two_theta" in region.coords and "intensity" in region and region["intensity"].ndim == 2


def analyse(measurement: Measurement, region: xr.Dataset, settings: XrdSettings) -> Result:
    """Find the peaks of a map.

    Raises
    ------
    AnalysisError
        If ω is missing or 2θ or ω does not vary, so that the map is none of reciprocal space, or if it has no peak.
    """
    two_theta, omega = _angles(measurement, region)
    flat = region.stack(point_of_map=region["intensity"].dims).reset_index("point_of_map", drop=True)
    counts, exposure = (each.reshape(two_theta.shape) for each in counts_of(measurement, flat))
    tube = tube_of(region, settings)
    values = {quantity: curve(tube, two_theta, omega) for quantity, curve in CURVES.items()}
    tops = _maxima(counts, settings.significance)
    if not len(tops):
        raise AnalysisError(f"{measurement.id}: no peak of the map stands out by {settings.significance:g}σ")
    rows: list[Number] = []
    background = float(np.median(_summed(counts) / np.maximum(_summed(exposure), 1e-300)))
    for number, top in enumerate(tops[:MOST_PEAKS], start=1):
        peak = Neighbourhood(top, tops, exposure, values, background)
        rows += _peak_rows(measurement, f"peak_{number}", peak, counts, tube, settings)
    columns = {
        "intensity": (counts / exposure, "count", "intensity"),
        "q_x": (values[q.Q_X], "1/angstrom", "scattering vector in the surface"),
        "q_z": (values[q.Q_Z], "1/angstrom", "scattering vector along the normal of the surface"),
    }
    return Result.of(measurement, rows, {"reciprocal_map": dataset(("scan", "point"), columns)})


def _factor(tube: Tube) -> float:
    return 2 * np.pi / tube.alpha1


def _angles(measurement: Measurement, region: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return 2θ and ω (radian) of every point, in the order of the intensities."""
    intensity = region["intensity"]
    if "omega" not in region:
        raise AnalysisError(
            f"{measurement.id}: a map without ω, which is none of reciprocal space; axes {_axes(region)}"
        )
    angles = [np.radians(region[name].broadcast_like(intensity).transpose(*intensity.dims).to_numpy())
              for name in ("two_theta", "omega")]  # fmt: skip
    step = np.stack([angle - angle.mean() for angle in angles]).reshape(2, -1)
    if np.linalg.matrix_rank(step, tol=1e-9) < 2:
        raise AnalysisError(f"{measurement.id}: 2θ and ω do not vary independently; axes {_axes(region)}")
    return angles[0], angles[1]


def _axes(region: xr.Dataset) -> str:
    return ", ".join(str(name) for name in region.coords)


def _maxima(counts: np.ndarray, significance: float) -> np.ndarray:
    """Return indices of the maxima that exceed all saddles around them significantly, the highest first.

    The root of a sum of counts has the same noise everywhere, so that one depth of a saddle holds for the whole map.
    """
    from skimage.morphology import h_maxima

    summed = _summed(counts)
    found, number = ndimage.label(h_maxima(2 * np.sqrt(summed + 0.375), significance))
    tops = np.array(ndimage.maximum_position(summed, found, range(1, number + 1))).reshape(-1, 2)
    return tops[np.argsort(-summed[tuple(tops.T)])]


def _summed(counts: np.ndarray) -> np.ndarray:
    return np.maximum(np.round(ndimage.uniform_filter(counts, BOX, mode="constant") * BOX**2, 6), 0.0)


def _region(top: np.ndarray, tops: np.ndarray, smooth: np.ndarray, background: float) -> tuple[np.ndarray, float]:
    """Return the points of a peak, and the height over which they lie; no other maximum is among them if possible."""
    height = smooth[tuple(top)] - background
    for level in LEVELS:
        parts, _ = ndimage.label(smooth >= background + level * height)
        inside = parts == parts[tuple(top)]
        if inside[tuple(tops.T)].sum() == 1:
            break
    return inside, level


@dataclass(frozen=True)
class Neighbourhood:
    """The part of a map around a peak.

    Attributes
    ----------
    top, tops
        Indices of the maximum, shape (2,), and of all maxima, (number, 2).
    exposure
        Shape (scans, points).
    values
        The quantities of each point, of the same shape.
    background
        Median intensity of the map.
    """

    top: np.ndarray
    tops: np.ndarray
    exposure: np.ndarray
    values: dict[Quantity, np.ndarray]
    background: float

    def around(self, inside: np.ndarray) -> tuple["Neighbourhood", tuple[slice, slice]]:
        """Return the part that holds the points ``inside``, with as much on each side, and where it lies."""
        spans = [np.flatnonzero(inside.any(axis=1 - axis))[[0, -1]] for axis in (0, 1)]
        box = tuple(slice(max(low - (high - low) - BOX, 0), high + (high - low) + BOX + 1) for low, high in spans)
        first = np.array([each.start for each in box])
        size = self.exposure[box].shape
        tops = self.tops - first
        tops = tops[((tops >= 0) & (tops < size)).all(axis=1)]
        values = {quantity: value[box] for quantity, value in self.values.items()}
        return replace(self, top=self.top - first, tops=tops, exposure=self.exposure[box], values=values), (
            box[0],
            box[1],
        )

    def place(self, counts: np.ndarray) -> tuple[dict[Quantity, tuple[float, float]], np.ndarray, float]:
        """Return the mean of each quantity over the peak and over its upper half, its points, and their level."""
        smooth = _summed(counts) / np.maximum(_summed(self.exposure), 1e-300)
        inside, level = _region(self.top, self.tops, smooth, self.background)
        lowest = self.background + (1 + level) / 2 * (smooth[tuple(self.top)] - self.background)
        core, _ = ndimage.label(smooth >= lowest)
        weights = np.where(inside, counts / self.exposure - self.background, 0.0)
        narrow = np.where(core == core[tuple(self.top)], weights, 0.0)
        found = {}
        for quantity, value in self.values.items():
            whole, upper = (float(np.sum(each * value) / np.sum(each)) for each in (weights, narrow))
            found[quantity] = whole, upper
        return found, inside, level


def _errors(peak: Neighbourhood, counts: np.ndarray, inside: np.ndarray) -> dict[Quantity, float]:
    """Return the standard errors of the means: noise moves the points of the peak as well as their weights.

    They are the scatter among maps whose counts are drawn from those that were counted (Poisson bootstrap).
    """
    near, box = peak.around(inside)
    generator = np.random.default_rng(SEED)
    drawn = [near.place(generator.poisson(np.maximum(counts[box], 0.0)).astype(float))[0] for _ in range(DRAWS)]
    return {quantity: float(np.std([each[quantity][0] for each in drawn], ddof=1)) for quantity in peak.values}


def _peak_rows(
    measurement: Measurement, name: str, peak: Neighbourhood, counts: np.ndarray, tube: Tube, settings: XrdSettings
) -> list[Number]:
    found, inside, level = peak.place(counts)
    errors = _errors(peak, counts, inside)
    edge = inside[[0, -1]].any() or inside[:, [0, -1]].any()
    estimates = {quantity: (mean, errors[quantity]) for quantity, (mean, _) in found.items()}
    rows = measured(
        measurement,
        q.RECIPROCAL_MAP,
        {**estimates, q.HEIGHT: (float((counts / peak.exposure)[inside].max()), np.nan)},
        METHOD.format(level),
        n=int(inside.sum()),
        feature=name,
        adequacy=AT_EDGE if edge else ADEQUATE,
    )
    place = [np.radians(estimates[quantity][0]) for quantity in (q.TWO_THETA, q.OMEGA)]
    return [
        _with_systematic(row, quantity, place, found[quantity][1] - found[quantity][0], tube, settings)
        if quantity in found
        else row
        for row, quantity in zip(rows, [*estimates, q.HEIGHT], strict=True)
    ]


def _with_systematic(
    row: Number, quantity: Quantity, place: list[float], other: float, tube: Tube, settings: XrdSettings
) -> Number:
    """Add the errors of a place: shape of the peak, zeros of both circles, wavelength, and Kα2 that may be in it."""
    row = row.with_component("shape of the peak", other, "centre of mass of the upper half of what is averaged")
    zero = np.radians(settings.zero_shift_uncertainty)
    curve = CURVES[quantity]
    moved = [curve(tube, place[0] + zero, place[1]), curve(tube, place[0], place[1] + zero)]
    size = float(np.hypot(*(each - curve(tube, *place) for each in moved)))
    row = row.with_component("zero of 2θ and ω", size, "setting zero_shift_uncertainty")
    if quantity.unit == "degree":
        return row
    row = row.with_component(
        "wavelength", settings.wavelength_uncertainty * row.value, "setting wavelength_uncertainty"
    )
    second = tube.ratio / (1 + tube.ratio) * (tube.alpha2 / tube.alpha1 - 1)
    return row.with_component("Kα2 in the peak", second * row.value, "ratio of Kα2 to Kα1; none behind a monochromator")
