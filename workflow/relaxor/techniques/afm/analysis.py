"""AFM: step height, number of layers and roughness of flakes in levelled height images."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import (
    ADEQUATE,
    Adequacy,
    Measurement,
    Number,
    Quantity,
    Result,
    Status,
    measured,
    with_systematic,
)
from relaxor.core.units import factor
from relaxor.core.variables import dataset
from relaxor.stats.quantities import AICC
from relaxor.techniques.afm import quantities as q
from relaxor.techniques.afm.flakes import Flake, examine, level_components
from relaxor.techniques.afm.levelling import EDGE_PIXELS, Surface, away_from_edge, best_edge
from relaxor.techniques.afm.settings import AfmSettings

ALONG_LINES = "the edge lies along the lines of the scan, where a jump of the scanner looks like a step"
CLEAR = 0.1
"""Part of the mean profile along the lines of the scan below which the edge that explains the rest crosses the lines,
however large jumps from line to line are."""


def analyse(measurements: Sequence[Measurement], settings: AfmSettings) -> Iterator[Result]:
    """Find step heights, layer numbers and roughness of the flakes in height images.

    Parameters
    ----------
    measurements
        Ingested measurements of one sample.
    settings
        See `AfmSettings`.

    Raises
    ------
    AnalysisError
        If an image has no height channel, holds NaN, or shows no step.
    """
    yield from (_analyse_one(measurement, settings) for measurement in measurements)


def _analyse_one(measurement: Measurement, settings: AfmSettings) -> Result:
    surface = load_surface(measurement, settings.z_scale)
    try:
        found = examine(surface, settings)
    except AnalysisError as error:
        raise AnalysisError(f"{measurement.id}: {error}") from error
    rows = _numbers(measurement, found, settings)
    parts = {
        "map": _map(surface, found),
        "profile": _mean_profile(surface, found),
        "steps": _steps(surface, found),
        "histogram": _histogram(found),
    }
    rows = with_systematic(rows, q.QUANTITIES, {q.Z_SCALE: settings.z_scale_uncertainty})
    return Result.of(measurement, rows, parts)


def load_surface(measurement: Measurement, z_scale: float) -> Surface:
    """Take the height channel of an image, transposed where needed so that its profiles run across the step."""
    image = measurement.only
    names = [name for kind in ("height", "z_sensor") for name in map(str, image.data_vars) if name.startswith(kind)]
    if not names or image[names[0]].dims != ("y", "x"):
        raise AnalysisError(f"{measurement.id}: no height image; its variables are {', '.join(map(str, image))}")
    height = image[names[0]]
    values = height.to_numpy().astype(float) * factor(height.attrs["units"], "nm") * z_scale
    if not np.isfinite(values).all():
        raise AnalysisError(f"{measurement.id}: {names[0]} holds {np.sum(~np.isfinite(values))} pixels without value")
    x, y = (image[axis].to_numpy() * factor(image[axis].attrs["units"], "nm") for axis in "xy")
    if min(values.shape) < 4 * EDGE_PIXELS:
        raise AnalysisError(f"{measurement.id}: {values.shape[1]}×{values.shape[0]} pixels are too few for a step")
    # Profiles must cross the step: the direction in which one edge explains more of the mean profile.
    across_x, across_y = (best_edge(values.mean(axis=axis))[1] for axis in (0, 1))
    along_lines = across_y < across_x and across_x > CLEAR
    return Surface(values.T, y, x, True) if along_lines else Surface(values, x, y, False)


# --- numbers -------------------------------------------------------------------------------------------------------
def _numbers(measurement: Measurement, found: Flake, settings: AfmSettings) -> list[Number]:
    pixels = int(found.levelled.count.sum())

    along = Adequacy(Status.ASSUMED, 1.0, ALONG_LINES) if found.along_lines else ADEQUATE

    def student(model: str, values: dict[Quantity, tuple[float, float]], method: str, **common: Any) -> list[Number]:
        rows = measured(measurement, model, values, method, **common)
        return [row.with_interval(settings.batches - 1) for row in rows]

    def step(model: str, method: str, **common: Any) -> list[Number]:
        height, error = found.step_heights[model]
        values = {q.STEP_HEIGHT: (height, error)}
        if layer := settings.layer_thickness:
            values[q.NUMBER_OF_LAYERS] = (height / layer, error / layer)
        method = f"{method}; jackknife over blocks of profiles, each levelled again"
        adequacy, source = found.judgements[model].joined(along), "spread of windows and degrees, or of the two methods"
        rows = student(model, values, method, adequacy=adequacy, **common)
        parts = [found.spreads[model] * (1 if row.unit == "nm" else 1 / (layer or 1)) for row in rows]
        return [row.with_component(q.BACKGROUND, part, source) for row, part in zip(rows, parts, strict=True)]

    rows: list[Number] = []
    # Both models are compared for one number of independent pixels: that of the model with the least correlation.
    correlation = min(steps.correlation for steps in found.whole.values())
    for model, steps in found.steps.items():
        rows += step(model, steps.method, n=steps.number)
        spread = float(np.nanstd(steps.heights, ddof=1))
        further = {
            q.STEP_HEIGHT_SPREAD: (spread, spread / np.sqrt(2 * (steps.number - 1))),
            AICC: (found.whole[model].aicc(correlation), np.nan),
        }
        rows += measured(measurement, model, further, steps.method, n=steps.number)
    chi = found.histogram.reduced_chi_square
    rows += step(q.TWO_LEVEL_HISTOGRAM, "two Gaussians in the height histogram", n=pixels, reduced_chi_square=chi)
    method = "root-mean-square height from distant pixels of one profile, noise of the detector included; jackknife"
    for place, roughness in found.roughness.items():
        rows += student(q.LEVELLED_MAP, {q.ROOT_MEAN_SQUARE_ROUGHNESS: roughness}, method, n=pixels, feature=place)
    length = {q.CORRELATION_LENGTH: (found.correlation_length, np.nan)}
    method = "autocorrelation of the substrate falls to 1/e"
    return rows + measured(measurement, q.LEVELLED_MAP, length, method, n=pixels)


# --- curves --------------------------------------------------------------------------------------------------------
def _map(surface: Surface, found: Flake) -> xr.Dataset:
    levelled = found.levelled
    height, flake, count = levelled.height, levelled.flake, levelled.count
    x, y = surface.x, surface.y
    if surface.transposed:
        height, flake, count, x, y = height.T, flake.T, count.T, y, x
    columns = {
        "height": (height.astype(np.float32), "nm", "height above the substrate"),
        "flake": (flake.astype(np.int8), "1", "pixel lies on the flake"),
        "counts": (count.astype(np.int8), "1", "pixel counts (no edge, dust or scar)"),
    }
    return dataset(("y", "x"), columns, {"x": (x, "nm", "x"), "y": (y, "nm", "y")})


def _mean_profile(surface: Surface, found: Flake) -> xr.Dataset:
    """Average the levelled profiles after alignment at their edges: the substrate is left and the flake right."""
    levelled, blocks = found.levelled, found.blocks
    reach, pixel = len(surface.x) // 2, surface.pixel
    aligned = np.full((len(surface.y), 2 * reach), np.nan)
    keep = levelled.count | ~away_from_edge(levelled.flake)
    for line, height, flake, good in zip(aligned, levelled.height, levelled.flake, keep, strict=True):
        changes = np.flatnonzero(np.diff(flake)) + 1
        if not len(changes):
            continue
        edge = changes[np.argmin(np.abs(changes - len(flake) // 2))]
        offsets = np.arange(len(flake)) - edge
        values = np.where(good, height, np.nan)
        if flake[edge - 1]:
            offsets = -offsets - 1
        inside = (offsets >= -reach) & (offsets < reach)
        line[offsets[inside] + reach] = values[inside]
    filled = np.isfinite(aligned)
    enough = filled.sum(axis=0) > len(aligned) / 2
    means = np.array([_column_means(aligned[blocks == block]) for block in np.unique(blocks)])[:, enough]
    position = ((np.arange(2 * reach) - reach + 0.5) * pixel)[enough]
    mean = _column_means(aligned)[enough]
    # Not every block has profiles at every position.
    error = np.nanstd(means, axis=0, ddof=1) / np.sqrt(np.isfinite(means).sum(axis=0))
    model = np.where(position > 0, found.step_heights[q.PROFILE_LINEAR][0], 0.0)
    columns = {
        "data": (mean, "nm", "mean height"),
        "data_uncertainty": (error, "nm", "standard error of the mean height"),
        "fit": (model, "nm", "fitted levels"),
        "residual": (mean - model, "nm", "residual"),
    }
    return dataset("distance", columns, {"distance": (position, "nm", "distance from the edge")})


def _column_means(values: np.ndarray) -> np.ndarray:
    number = np.isfinite(values).sum(axis=0)
    return np.where(number > 0, np.nansum(values, axis=0) / np.maximum(number, 1), np.nan)


def _steps(surface: Surface, found: Flake) -> xr.Dataset:
    columns = {name: (one.heights, "nm", f"step height of the profile, {name}") for name, one in found.steps.items()}
    return dataset("position", columns, {"position": (surface.y, "nm", "position of the profile")})


def _histogram(found: Flake) -> xr.Dataset:
    edges, levelled = found.edges, found.levelled
    center = (edges[1:] + edges[:-1]) / 2
    counts = np.histogram(levelled.height[levelled.count], edges)[0]
    substrate, flake = level_components(found.histogram.params, center, edges[1] - edges[0])
    fitted = substrate + flake
    columns = {"data": counts, "fit": fitted, "substrate": substrate, "flake": flake, "residual": counts - fitted}
    named = {name: (values, "count", f"pixels: {name}") for name, values in columns.items()}
    return dataset("height", named, {"height": (center, "nm", "height above the substrate")})
