"""Atom columns of an image: they are found, fitted by Gaussians all at once, and assigned to a lattice.

Lengths are in pixels; positions are (x, y).
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, stats
from scipy.spatial import cKDTree
from skimage.feature import peak_local_max

from relaxor.stats.noise import mad_noise
from relaxor.techniques.stem.lattice import line_covariance, per_line, seen

STEPS = (6, 3, 3, 2)
"""Gauss–Newton steps of each pass; after a pass, the tails of the columns are subtracted from each other's windows."""
REACH = 4.5
"""Number of standard deviations out to which the tail of a column is computed."""
MOST_WIDENING = 1.8
"""Factor by which the width may change from the start; a fit that ends beyond it has failed."""
SITE_RADIUS = 1 / 6
"""Part of the cell edge up to which a column belongs to a site; in a honeycomb, columns are a third of it apart."""


@dataclass(frozen=True)
class Columns:
    """Fitted columns.

    Attributes
    ----------
    parameters
        (n, 5): x, y (pixel), height, sigma (pixel), background.
    errors
        (n, 5) standard errors from the scatter of the pixels around each fit.
    """

    parameters: np.ndarray
    errors: np.ndarray

    @property
    def positions(self) -> np.ndarray:
        """(n, 2) positions."""
        return self.parameters[:, :2]


def find(image: np.ndarray, sigma: float, distance: float) -> np.ndarray:
    """Return (n, 2) integer positions of maxima of the image smoothed by ``sigma / 2``, at least ``distance`` apart."""
    smooth = ndimage.gaussian_filter(image.astype(float), sigma / 2)
    floor = np.percentile(smooth, 5)
    noise = mad_noise(smooth[smooth < np.median(smooth)] - floor)
    border = int(np.ceil(3 * sigma))
    maxima = peak_local_max(
        smooth, min_distance=max(int(distance), 1), threshold_abs=floor + 3 * noise, exclude_border=border
    )
    return maxima[:, ::-1]


def fit(image: np.ndarray, starts: np.ndarray, sigma: float, radius: float) -> tuple[Columns, np.ndarray]:
    """Fit a Gaussian on a constant to the pixels around every start, without the tails of the neighbours.

    All columns are fitted at the same time by Gauss–Newton steps. After each pass the image of all other columns is
    subtracted, which converges to the least squares of all columns together.

    Parameters
    ----------
    image
        (y, x).
    starts
        (n, 2) integer positions.
    sigma
        Standard deviation at the start.
    radius
        Distance from the start beyond which pixels are not used.

    Returns
    -------
    columns, model
        The fitted columns, without those whose fit failed, and the image of all columns without background.
    """
    image = image.astype(float)
    windows, far = _windows(starts, radius, image.shape), _windows(starts, REACH * sigma, image.shape)
    values = image[windows[1], windows[0]]
    height = values.max(axis=1) - values.min(axis=1)
    parameters = np.column_stack([starts, height, np.full(len(starts), sigma), values.min(axis=1)]).astype(float)
    own = values
    for steps in STEPS:
        parameters = _gauss_newton(own, windows, parameters, starts, sigma, steps)
        model = _render(parameters, far, image.shape)
        own = values - model[windows[1], windows[0]] + _gaussian(parameters, windows)
    covariance = _sandwich(own, windows, parameters)
    moved = np.abs(parameters[:, :2] - starts).max(axis=1)
    wide = np.abs(np.log(parameters[:, 3] / sigma)) > np.log(MOST_WIDENING)
    good = (moved < 0.75 * radius) & (parameters[:, 2] > 0) & ~wide
    columns = Columns(parameters[good], np.sqrt(np.diagonal(covariance[good], axis1=1, axis2=2)))
    return columns, _render(columns.parameters, far[:, good], image.shape)


def volumes(image: np.ndarray, columns: Columns, expected: np.ndarray, sigma: float, radius: float) -> np.ndarray:
    """Return the intensity 2π·height·sigma² of each column, at its expected position and with one width for all.

    Height and background are then linear parameters, so that no position or width that follows the noise makes a faint
    column brighter. The width is the same for all columns where probe and scan determine it.

    Parameters
    ----------
    image, columns
        The image, and what `fit` returned for it.
    expected
        (n, 2) positions.
    sigma
        The standard deviation of all columns.
    radius
        Distance from the column beyond which pixels are not used.
    """
    middle = np.round(expected).astype(int)
    windows, far = _windows(middle, radius, image.shape), _windows(middle, REACH * sigma, image.shape)
    values = image[windows[1], windows[0]].astype(float)
    ones = np.ones(len(expected))
    start = columns.parameters[:, 2] * (columns.parameters[:, 3] / sigma) ** 2
    parameters = np.column_stack([expected, start, sigma * ones, ones])
    shape = _gaussian(np.column_stack([expected, ones, sigma * ones, ones]), windows)
    contrast = shape - shape.mean(axis=1, keepdims=True)
    for _ in STEPS:
        model = _render(parameters, far, image.shape)
        own = values - model[windows[1], windows[0]] + parameters[:, [2]] * shape
        parameters[:, 2] = np.sum(contrast * own, axis=1) / np.sum(contrast**2, axis=1)
    return 2 * np.pi * sigma**2 * parameters[:, 2]


def on_lattice(
    positions: np.ndarray, lattice: np.ndarray, site: np.ndarray, cell: np.ndarray, sites: int
) -> np.ndarray:
    """Return the lattice position of each column of the first ``sites`` sites, and the own position of the others."""
    result = positions.copy()
    for kind in range(sites):
        places = cell[site == kind] @ lattice.T
        result[site == kind] = places + np.mean(positions[site == kind] - places, axis=0)
    return result


def _windows(starts: np.ndarray, radius: float, shape: tuple[int, ...]) -> np.ndarray:
    """Return (2, n, k) positions of the pixels around each start; pixels beyond the edge are moved onto it."""
    reach = int(np.ceil(radius))
    grid = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1)
    dy, dx = grid[:, np.hypot(*grid) <= radius]
    x = np.clip(starts[:, :1] + dx, 0, shape[1] - 1)
    y = np.clip(starts[:, 1:] + dy, 0, shape[0] - 1)
    return np.stack([x, y])


def _gaussian(parameters: np.ndarray, windows: np.ndarray) -> np.ndarray:
    x, y, height, sigma, _ = (parameters[:, [index]] for index in range(5))
    return height * np.exp(-((windows[0] - x) ** 2 + (windows[1] - y) ** 2) / (2 * sigma**2))


def _jacobian(parameters: np.ndarray, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the model (n, k) and its derivatives (n, 5, k)."""
    x, y, height, sigma, background = (parameters[:, [index]] for index in range(5))
    dx, dy = windows[0] - x, windows[1] - y
    peak = _gaussian(parameters, windows)
    derivatives = np.empty((len(peak), 5, peak.shape[1]))
    derivatives[:, 0] = peak * dx / sigma**2
    derivatives[:, 1] = peak * dy / sigma**2
    derivatives[:, 2] = peak / height
    derivatives[:, 3] = peak * (dx**2 + dy**2) / sigma**3
    derivatives[:, 4] = 1
    return peak + background, derivatives


def _normal(derivatives: np.ndarray) -> np.ndarray:
    """Return the normal matrices (n, 5, 5), with a small ridge that keeps those of empty windows invertible."""
    normal = derivatives @ derivatives.transpose(0, 2, 1)
    return normal + 1e-12 * np.trace(normal, axis1=1, axis2=2)[:, np.newaxis, np.newaxis] * np.eye(5)


def _gauss_newton(
    values: np.ndarray, windows: np.ndarray, parameters: np.ndarray, starts: np.ndarray, sigma: float, steps: int
) -> np.ndarray:
    for _ in range(steps):
        model, derivatives = _jacobian(parameters, windows)
        gradient = derivatives @ (values - model)[..., np.newaxis]
        step = np.linalg.solve(_normal(derivatives), gradient)[..., 0]
        step[:, :2] = np.clip(step[:, :2], -sigma / 2, sigma / 2)
        parameters = parameters + step
        parameters[:, :2] = np.clip(parameters[:, :2], starts - 3 * sigma, starts + 3 * sigma)
        parameters[:, 2] = np.maximum(parameters[:, 2], 1e-6 * np.abs(values).max())
        parameters[:, 3] = np.clip(parameters[:, 3], sigma / 3, 3 * sigma)
    return parameters


def _sandwich(values: np.ndarray, windows: np.ndarray, parameters: np.ndarray) -> np.ndarray:
    """Return (n, 5, 5) covariances that hold for any dependence of the noise (White, doi 10.2307/1912934)."""
    model, derivatives = _jacobian(parameters, windows)
    inverse = np.linalg.inv(_normal(derivatives))
    scores = derivatives * (values - model)[:, np.newaxis]
    pixels = values.shape[1]
    return pixels / (pixels - 5) * inverse @ (scores @ scores.transpose(0, 2, 1)) @ inverse


def _render(parameters: np.ndarray, windows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the image of all columns, without the pixels that were moved onto the edge."""
    result = np.zeros(shape)
    peak = _gaussian(parameters, windows)
    inside = (windows[0] > 0) & (windows[0] < shape[1] - 1) & (windows[1] > 0) & (windows[1] < shape[0] - 1)
    np.add.at(result, (windows[1][inside], windows[0][inside]), peak[inside])
    return result


def cell_sites(image: np.ndarray, lattice: np.ndarray, positions: np.ndarray, grid: int = 48) -> np.ndarray:
    """Return the fractional positions of the sites in the cell of the image, shape (n, 2).

    The image is averaged over all unit cells; the brightest place is the first site. Of the two settings of the cell,
    which differ by half a turn, the one with the brighter second site is taken.

    Parameters
    ----------
    lattice
        Lattice in pixels.
    positions
        Positions of the sites in the structure, shape (n, 2).
    grid
        Number of steps along each edge of the averaged cell.
    """
    average = ndimage.gaussian_filter(mean_cell(image, lattice, grid), 1.0, mode="wrap")
    origin = (np.array(np.unravel_index(np.argmax(average), average.shape)) + 0.5) / grid
    settings = [(origin + sign * (positions - positions[0])) % 1 for sign in (1, -1)]
    second = [average[tuple((sites[min(1, len(sites) - 1)] * grid).astype(int) % grid)] for sites in settings]
    return settings[0] if second[0] >= second[1] else settings[1]


def mean_cell(image: np.ndarray, lattice: np.ndarray, grid: int) -> np.ndarray:
    """Return the image averaged over all cells of a lattice in pixels, on a grid of fractions of a and b."""
    y, x = np.indices(image.shape)
    fraction = np.linalg.inv(lattice) @ np.stack([x.ravel(), y.ravel()])
    bins = np.floor((fraction % 1) * grid).astype(int) % grid
    flat = bins[0] * grid + bins[1]
    counts = np.bincount(flat, minlength=grid**2)
    average = np.bincount(flat, image.ravel(), grid**2) / np.maximum(counts, 1)
    return average.reshape(grid, grid)


def missing(
    lattice: np.ndarray, sites: np.ndarray, found: np.ndarray, shape: tuple[int, ...], border: float
) -> np.ndarray:
    """Return (n, 2) integer positions of sites in the image at which no column was found.

    Without them, faint columns would count only where noise raises them, and would seem brighter than they are.
    """
    corners = np.array([[0, 0], [shape[1], 0], [0, shape[0]], [shape[1], shape[0]]])
    cells = np.linalg.solve(lattice, corners.T)
    ranges = [np.arange(np.floor(one.min()) - 1, np.ceil(one.max()) + 2) for one in cells]
    grid = np.stack(np.meshgrid(*ranges), axis=-1).reshape(-1, 1, 2)
    places = np.round((grid + sites).reshape(-1, 2) @ lattice.T).astype(int)
    limit = np.array([shape[1], shape[0]]) - 1 - border
    places = places[np.all((places >= border) & (places <= limit), axis=1)]
    distance, _ = cKDTree(found).query(places)
    return places[distance > SITE_RADIUS * np.linalg.norm(lattice[:, 0])]


def assign(positions: np.ndarray, lattice: np.ndarray, sites: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the site and the cell of each column.

    Returns
    -------
    site, cell
        Indices into ``sites``, or their number where a column is at no site, shape (n,); integers of shape (n, 2).
    """
    fraction = np.linalg.solve(lattice, positions.T).T
    difference = fraction[:, np.newaxis] - sites
    cells = np.round(difference)
    distance = np.linalg.norm((difference - cells) @ lattice.T, axis=2)
    nearest = np.argmin(distance, axis=1)
    rows = np.arange(len(positions))
    close = distance[rows, nearest] < SITE_RADIUS * np.linalg.norm(lattice[:, 0])
    return np.where(close, nearest, len(sites)), cells[rows, nearest].astype(int)


def fit_lattice(
    positions: np.ndarray, errors: np.ndarray, site: np.ndarray, cell: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fit a lattice with a free origin for each site to columns by linear least squares.

    The weight of a column follows from its own fit error and the scatter of all columns.

    Returns
    -------
    lattice, residuals, influence
        (2, 2); (n, 2) measured minus lattice; (n, 4) contribution of each column to the flattened lattice.
    """
    kinds = np.unique(site)
    design = np.column_stack([cell, site[:, np.newaxis] == kinds]).astype(float)
    weight = np.ones(len(positions))
    for _ in range(3):
        solve = np.linalg.solve(design.T * weight @ design, design.T * weight)
        residuals = positions - design @ (solve @ positions)
        own = np.mean(errors**2, axis=1)
        shared = max(float(np.median(np.sum(residuals**2, axis=1)) / (2 * np.log(2)) - np.median(own)), 0.0)
        weight = 1 / (own + shared + 1e-12)
    coefficients = solve @ positions
    # Rows of coefficients are a and b as (x, y); flattened lattice is (a_x, b_x, a_y, b_y).
    influence = np.einsum("jn,nc->ncj", solve[:2], residuals).reshape(len(positions), 4)
    return coefficients[:2].T, residuals, influence


def bending(
    positions: np.ndarray, residuals: np.ndarray, cell: np.ndarray, site: np.ndarray, shape: tuple[int, ...], lines: int
) -> tuple[float, float]:
    """Return how surely the distances of columns from their lattice bend over the image, and how much of them that is.

    The six quadratic terms (of x and y, in x², xy and y²) that a lattice cannot take up are fitted to the distances,
    and their errors come from the scatter between lines.

    Parameters
    ----------
    positions, residuals, cell, site
        Positions (n, 2) in pixels, distances from the lattice (n, 2), and what `assign` returned.
    shape, lines
        Shape of the image, and number of lines that may move together.

    Returns
    -------
    probability, factor
        Probability of the largest of the terms by chance, and the factor by which bending makes the distances larger.
    """
    x, y = (2 * positions / np.array(shape[::-1]) - 1).T
    plane = np.column_stack([cell, site[:, np.newaxis] == np.unique(site)]).astype(float)
    terms = np.column_stack([x**2, x * y, y**2])
    terms -= plane @ np.linalg.lstsq(plane, terms, rcond=None)[0]
    solve = np.linalg.pinv(terms)
    coefficients = solve @ residuals
    rest = residuals - terms @ coefficients
    influence = np.einsum("jn,nc->njc", solve, rest).reshape(len(rest), 6)
    covariance = line_covariance(per_line(positions[:, 1], influence, shape[0]), lines) / seen(lines, shape[0])
    score = np.abs(coefficients.ravel()) / np.sqrt(np.diag(covariance))
    freedom = max(shape[0] // lines - 3, 1)
    probability = min(6 * 2 * float(stats.t.sf(score.max(), freedom)), 1.0)
    return probability, float(np.sqrt(np.mean(residuals**2) / np.mean(rest**2)))
