"""A 2θ scan as counts, and the radiation with which it was taken."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.stats.counts import not_negative, poisson_uncertainty, rising, scaled_to_counts
from relaxor.techniques.xrd.radiation import Tube, tube_of
from relaxor.techniques.xrd.settings import XrdSettings

ABSORBERS = ("attenuation_factor", "absorption_factor")
"""Names that readers give to the factor by which an absorber weakened the beam at each point."""
WHOLE = 0.02
"""Largest distance from whole numbers of counts that were divided by a rounded factor."""


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
    """

    measurement: Measurement
    two_theta: np.ndarray
    counts: np.ndarray
    exposure: np.ndarray
    tube: Tube
    radius: float

    @classmethod
    def of(cls, measurement: Measurement, settings: XrdSettings) -> "Pattern":
        """Turn a scan as it was read into counts.

        Raises
        ------
        AnalysisError
            If the file holds no 2θ scan, or several and the sheet names none, if angles are out of order, intensities
            are no counts or negative, rates have no counting time, or it cannot be told whether intensities were
            corrected for an absorber.
        """
        scan = _scan(measurement)
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
        angles, radius = scan["two_theta"].to_numpy(), scan.attrs.get("goniometer_radius", settings.goniometer_radius)
        tube = tube_of(scan, settings)
        return cls(measurement, angles, not_negative(measurement, counts), exposure, tube, float(radius))

    @property
    def intensity(self) -> np.ndarray:
        """Counts that there would be without an absorber at the mean counting time, shape (n,)."""
        return self.counts / self.exposure

    @property
    def uncertainty(self) -> np.ndarray:
        """Standard uncertainty of the intensity, shape (n,)."""
        return poisson_uncertainty(self.counts) / self.exposure


def _scan(measurement: Measurement) -> xr.Dataset:
    """Return the scan of a measurement in ascending order of its angles."""
    scan = measurement.only
    if "intensity" not in scan or scan["intensity"].dims != ("two_theta",):
        raise AnalysisError(
            f"{measurement.id}: no intensity against two_theta (axes: {', '.join(map(str, scan.dims))})"
        )
    return rising(measurement, scan, "two_theta")


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
