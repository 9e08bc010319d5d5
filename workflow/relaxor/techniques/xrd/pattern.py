"""A 2θ scan as counts, and the radiation with which it was taken."""

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from scipy.stats import chi2

from relaxor.core.errors import AnalysisError
from relaxor.core.results import SCAN, Measurement
from relaxor.stats.counts import not_negative, poisson_uncertainty, rising, scaled_to_counts
from relaxor.techniques.xrd.radiation import Tube, tube_of
from relaxor.techniques.xrd.repeats import repeated
from relaxor.techniques.xrd.settings import XrdSettings

ABSORBERS = ("attenuation_factor", "absorption_factor")
"""Names that readers give to the factor by which an absorber weakened the beam at each point."""
WHOLE = 0.02
"""Largest distance from whole numbers of counts that were divided by a rounded factor."""

LEAST_MEAN = 5.0
"""Mean counts at a place from which scans are compared there."""


@dataclass(frozen=True)
class Pattern:
    """One scan and what is needed to read it.

    Attributes
    ----------
    measurement
        Where it comes from.
    two_theta
        Ascending angles, degree, shape (n,).
    counts
        What the detector counted, shape (n,): Poisson numbers.
    exposure
        Expected counts over intensity at each point, shape (n,): 1 without an absorber at the mean counting time.
    tube, radius
        Wavelengths; radius of the goniometer, mm.
    scans
        Number of equal scans whose counts were added.
    alike
        Probability by chance that they differ so much.
    """

    measurement: Measurement
    two_theta: np.ndarray
    counts: np.ndarray
    exposure: np.ndarray
    tube: Tube
    radius: float
    scans: int = 1
    alike: float = 1.0

    @classmethod
    def of(cls, measurement: Measurement, settings: XrdSettings) -> "Pattern":
        """Turn a scan as it was read into counts; equal scans of a file are added if the sheet names none of them.

        Raises
        ------
        AnalysisError
            If the file holds no 2θ scan, or several unequal ones and the sheet names none, if angles are out of order,
            intensities are no counts or negative, rates have no counting time, or it cannot be told whether intensities
            were corrected for an absorber.
        """
        regions = list(measurement.regions.values())
        if SCAN in measurement.conditions or not repeated(regions, "two_theta"):
            return cls._of_scan(measurement, measurement.only, settings)
        each = [cls._of_scan(measurement, region, settings) for region in regions]
        counts = np.stack([one.counts for one in each])
        exposure = np.mean([one.exposure for one in each], axis=0)
        return replace(each[0], counts=counts.sum(axis=0), exposure=exposure, scans=len(each), alike=_alike(counts))

    @classmethod
    def _of_scan(cls, measurement: Measurement, region: xr.Dataset, settings: XrdSettings) -> "Pattern":
        scan = _scan(measurement, region)
        counts, exposure = counts_of(measurement, scan)
        angles, radius = scan["two_theta"].to_numpy(), scan.attrs.get("goniometer_radius", settings.goniometer_radius)
        return cls(measurement, angles, counts, exposure, tube_of(scan, settings), float(radius))

    @property
    def intensity(self) -> np.ndarray:
        """Counts that there would be without an absorber at the mean counting time, shape (n,)."""
        return self.counts / self.exposure

    @property
    def uncertainty(self) -> np.ndarray:
        """Standard uncertainty of the intensity, shape (n,)."""
        return poisson_uncertainty(self.counts) / self.exposure


def counts_of(measurement: Measurement, scan: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return what the detector counted at the points of a scan, and the exposure of each, see `Pattern`."""
    counts = scaled_to_counts(measurement, scan, "counting_time")
    exposure = np.ones(counts.size)
    if "counting_time" in scan:
        time = _positive(measurement, scan["counting_time"])
        exposure *= time / time.mean()
    for name in ABSORBERS:
        if name in scan:
            factor = _positive(measurement, scan[name])
            counts = counts / factor if _corrected(measurement, scan, counts.to_numpy(), factor) else counts
            exposure /= factor
    return not_negative(measurement, counts), exposure


def _scan(measurement: Measurement, scan: xr.Dataset) -> xr.Dataset:
    """Return a scan in ascending order of its angles."""
    if "intensity" not in scan or scan["intensity"].dims != ("two_theta",):
        raise AnalysisError(
            f"{measurement.id}: no intensity against two_theta (axes: {', '.join(map(str, scan.dims))})"
        )
    return rising(measurement, scan, "two_theta")


def _alike(counts: np.ndarray) -> float:
    """Return the probability of larger differences between counts of the same places, shape (scans, n)."""
    mean = counts.mean(axis=0)
    seen = mean >= LEAST_MEAN
    chi_square = float(np.sum((counts[:, seen] - mean[seen]) ** 2 / mean[seen]))
    return float(chi2.sf(chi_square, (len(counts) - 1) * int(seen.sum()))) if seen.any() else 1.0


def _positive(measurement: Measurement, quantity: xr.DataArray) -> np.ndarray:
    values = quantity.to_numpy()
    wrong = np.flatnonzero(~(values > 0))
    if wrong.size:
        found = f"{quantity.name} is {values[wrong[0]]:g}"
        raise AnalysisError(f"{measurement.id}: point {wrong[0] + 1}: {found}; a positive number expected")
    return values


def _corrected(measurement: Measurement, scan: xr.Dataset, counts: np.ndarray, factor: np.ndarray) -> bool:
    """Return whether counts include the factor of the absorber, as counts of the detector are whole numbers."""
    weakened = factor != 1
    if "counts" in scan or not weakened.any():  # a reader that gives both has corrected the intensity
        return True
    divided, plain = (
        np.abs(values - np.round(values)).max() < WHOLE for values in ((counts / factor)[weakened], counts[weakened])
    )
    if not divided and not plain:
        raise AnalysisError(
            f"{measurement.id}: an absorber weakened {weakened.sum()} points, whose intensities are whole counts "
            "neither with nor without its factor: export the counts of the detector"
        )
    return bool(divided)
