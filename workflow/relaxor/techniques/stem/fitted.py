"""The columns of one image, fitted and assigned to the sites of its lattice."""

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import ADEQUATE, Adequacy, Status
from relaxor.core.variables import dataset, variable
from relaxor.stats.adequacy import UNLIKELY
from relaxor.techniques.stem import columns as atoms
from relaxor.techniques.stem import lattice as lattices
from relaxor.techniques.stem.settings import StemSettings

FIT_RADIUS = 2.4
"""Number of standard deviations from a column up to which pixels enter its fit, half of the way to the next column."""
MOST_EMPTY = 0.1
"""Part of the places of the lattice at which no column is seen, above which one crystal does not fill the image."""
LEAST_COLUMNS = 12
"""Smallest number of columns from which a lattice is determined."""


class Columns:
    """The columns of one image and their lattice; lengths in angstrom, with the origin at the first pixel."""

    def __init__(
        self, image: np.ndarray, pixel: float, lattice: np.ndarray, lines: int, settings: StemSettings, name: str
    ) -> None:
        self.image, self.pixel, self.lines = image, pixel, lines
        self.placed, self.names = settings.placed, settings.names
        sigma = settings.column_sigma
        starts = atoms.find(image, sigma / pixel, 1.5 * sigma / pixel)
        if len(starts) < LEAST_COLUMNS:
            raise AnalysisError(f"{name}: {len(starts)} atom columns found, at least {LEAST_COLUMNS} needed")
        sites = atoms.cell_sites(image, lattice / pixel, np.array([site.position for site in self.placed]))
        faint = atoms.missing(lattice / pixel, sites, starts, image.shape, 3 * sigma / pixel)
        bright = [index for index, site in enumerate(self.placed) if site.lattice]
        empty = len(atoms.missing(lattice / pixel, sites[bright], starts, image.shape, 3 * sigma / pixel))
        radius = FIT_RADIUS * sigma / pixel
        self.fits, self.model = atoms.fit(image, np.vstack([starts, faint]), sigma / pixel, radius)
        positions = self.fits.positions * pixel
        self.site, self.cell = atoms.assign(self.fits.positions, lattice / pixel, sites)
        self.of_lattice = np.isin(self.site, bright)
        if (number := int(np.sum(self.of_lattice))) < LEAST_COLUMNS:
            raise AnalysisError(f"{name}: {number} columns of the lattice found, at least {LEAST_COLUMNS} needed")
        errors = self.fits.errors[self.of_lattice, :2] * pixel
        self.lattice, self.residuals, influence = atoms.fit_lattice(
            positions[self.of_lattice], errors, self.site[self.of_lattice], self.cell[self.of_lattice]
        )
        self.position_error = errors
        lost = 1 - len(self.fits.positions) / (len(starts) + len(faint))
        self.adequacy = self._judged(empty / (empty + number), lost)
        expected = atoms.on_lattice(positions, self.lattice, self.site, self.cell, len(self.placed)) / pixel
        width = float(np.median(self.fits.parameters[self.of_lattice, 3]))
        self.volume = atoms.volumes(image, self.fits, expected, width, radius)
        covariance = self.line_covariance(influence, self.of_lattice) / lattices.seen(lines, len(image))
        self.covariance = self.adequacy.scale**2 * covariance

    def _judged(self, empty: float, lost: float) -> Adequacy:
        """Judge whether one lattice describes the image, by empty places, failed fits (parts of all) and bending."""
        which, found = self.of_lattice, ADEQUATE
        if lost > MOST_EMPTY:
            remark = f"misfit: no Gaussian could be fitted to {lost:.0%} of the columns (setting column_sigma)"
            found = Adequacy(Status.MISFIT, 1.0, remark)
        if empty > MOST_EMPTY:
            remark = f"misfit: no column at {empty:.0%} of the places of the lattice (a hole, another grain or noise)"
            found = found.joined(Adequacy(Status.MISFIT, 1.0, remark))
        placed = self.fits.positions[which], self.residuals, self.cell[which], self.site[which]
        probability, factor = atoms.bending(*placed, self.image.shape, self.lines)
        if probability < UNLIKELY:
            remark = f"misfit: the lattice bends over the image (drift that changes, or grains; P = {probability:.1g})"
            found = found.joined(Adequacy(Status.MISFIT, factor, remark))
        return found

    def line_covariance(self, contributions: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Return the covariance of sums over columns, from the scatter between lines of the image."""
        rows = self.fits.positions[which, 1]
        influence = lattices.per_line(rows, contributions, len(self.image))
        return lattices.line_covariance(influence, self.lines)

    def mean(self, values: np.ndarray, which: np.ndarray) -> tuple[float, float]:
        """Return a mean over columns and its standard error."""
        mean = float(np.mean(values))
        variance = self.line_covariance((values - mean)[:, np.newaxis] / len(values), which)
        return mean, float(np.sqrt(variance[0, 0]))

    def image_curves(self) -> xr.Dataset:
        """Return image, fit and residual on axes in nm."""
        axes = {
            name: (np.arange(size) * self.pixel / 10, "nm", name)
            for name, size in zip(("y", "x"), self.image.shape, strict=True)
        }
        background = float(np.median(self.fits.parameters[:, 4]))
        image, fit = self.image.astype(np.float32), (self.model + background).astype(np.float32)
        curves = {
            "intensity": (image, "1", "intensity"),
            "fit": (fit, "1", "columns and background"),
            "residual": (image - fit, "1", "intensity minus fit"),
        }
        return dataset(("y", "x"), curves, axes)

    def column_curves(self) -> xr.Dataset:
        """Return a table of the columns, with the distance from the lattice where a column is one of it."""
        scale = self.pixel / 10
        residuals = np.full((len(self.site), 2), np.nan)
        residuals[self.of_lattice] = self.residuals / 10
        table = {
            "x": (self.fits.parameters[:, 0] * scale, "nm", "x"),
            "y": (self.fits.parameters[:, 1] * scale, "nm", "y"),
            "x_uncertainty": (self.fits.errors[:, 0] * scale, "nm", "standard uncertainty of x"),
            "y_uncertainty": (self.fits.errors[:, 1] * scale, "nm", "standard uncertainty of y"),
            "sigma": (self.fits.parameters[:, 3] * scale, "nm", "standard deviation of the column"),
            "volume": (self.volume * self.pixel**2, "angstrom^2", "integrated intensity"),
            "residual_x": (residuals[:, 0], "nm", "x minus lattice"),
            "residual_y": (residuals[:, 1], "nm", "y minus lattice"),
            "cell_a": (self.cell[:, 0], "1", "cell along a"),
            "cell_b": (self.cell[:, 1], "1", "cell along b"),
        }
        labels = "\n".join(site.label or site.name for site in self.placed)
        kind = variable("column", self.site, "1", "site", flag_meanings=" ".join(self.names), labels=labels)
        return dataset("column", table).assign(site=kind)
