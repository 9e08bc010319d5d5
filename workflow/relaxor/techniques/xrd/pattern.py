"""A scan, its fitted lines, and the widths that the sample gives them."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.stats.counts import in_counts, not_negative, poisson_uncertainty, rising
from relaxor.techniques.xrd.broadening import Widths
from relaxor.techniques.xrd.lines import Instrument, LineFit, Tube

ABSORBERS = ("attenuation_factor", "absorption_factor")
"""What readers call the factor by which an absorber weakened the beam at each point."""
WHOLE = 0.02
"""Farthest that counts divided by a rounded factor lie from whole numbers."""


@dataclass(frozen=True)
class Pattern:
    """One scan and what is needed to read it.

    Attributes
    ----------
    measurement
        Where it comes from.
    two_theta
        Ascending, degree, shape (n,).
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
    def of(cls, measurement: Measurement, scan: xr.Dataset, tube: Tube, radius: float) -> "Pattern":
        """Turn a scan as it was read into counts.

        Raises
        ------
        AnalysisError
            If angles are out of order, intensities are no counts or negative, rates have no counting time, or it cannot
            be told whether intensities were corrected for an absorber.
        """
        scan = rising(measurement, scan, "two_theta")
        counts = in_counts(measurement, scan, "counting_time")
        exposure = np.ones(counts.size)
        if "counting_time" in scan:
            time = _positive(measurement, scan["counting_time"])
            exposure *= time / time.mean()
        for name in ABSORBERS:
            if name in scan:
                factor = _positive(measurement, scan[name])
                counts = counts / factor if _corrected(measurement, scan, counts.to_numpy(), factor) else counts
                exposure /= factor
        radius = float(scan.attrs.get("goniometer_radius", radius))
        return cls(measurement, scan["two_theta"].to_numpy(), not_negative(measurement, counts), exposure, tube, radius)

    @property
    def intensity(self) -> np.ndarray:
        """Counts that there would be without an absorber at the mean counting time, shape (n,)."""
        return self.counts / self.exposure

    @property
    def uncertainty(self) -> np.ndarray:
        """Standard uncertainty of the intensity, shape (n,)."""
        return poisson_uncertainty(self.counts) / self.exposure


def _positive(measurement: Measurement, quantity: xr.DataArray) -> np.ndarray:
    values = quantity.to_numpy()
    wrong = np.flatnonzero(~(values > 0))
    if wrong.size:
        found = f"{quantity.name} is {values[wrong[0]]:g}"
        raise AnalysisError(f"{measurement.id}: point {wrong[0] + 1}: {found}; a positive number expected")
    return values


def _corrected(measurement: Measurement, scan: xr.Dataset, counts: np.ndarray, factor: np.ndarray) -> bool:
    """Say whether counts were multiplied by the factor of the absorber: those of the detector are whole numbers."""
    weakened = factor != 1
    if "counts" in scan or not weakened.any():  # a reader that gives both has corrected the intensity
        return True
    divided, plain = (
        np.abs(values - np.round(values)).max() < WHOLE for values in ((counts / factor)[weakened], counts[weakened])
    )
    if not divided and not plain:
        raise AnalysisError(
            f"{measurement.id}: an absorber weakened {weakened.sum()} points, whose intensities are whole counts "
            "neither with nor without its factor: export them as the detector counted them"
        )
    return bool(divided)


@dataclass(frozen=True)
class Line:
    """A fitted line: its window and place in it, and its name in the table (``002``, or ``at_21.35``)."""

    fit: LineFit
    place: int
    name: str
    index: int

    def value(self, parameter: str) -> float:
        """Return a parameter of the line."""
        return self.fit.fit.value(f"{parameter}_{self.place}")

    def error(self, parameter: str) -> float:
        """Return its standard error."""
        return self.fit.fit.error(f"{parameter}_{self.place}")


def sample_widths(lines: list[Line], instrument: Instrument) -> Widths:
    """Return the widths without the share of the instrument: of the indexed lines, or of all where none is."""
    used = [line for line in lines if line.index] or lines
    known = [line for line in used if np.isfinite(line.error("fwhm_lorentzian"))]
    centers = np.array([line.value("center") for line in known])
    fitted = np.array([line.value("fwhm_lorentzian") for line in known])
    errors = np.array([line.error("fwhm_lorentzian") for line in known])
    return Widths(centers, fitted - instrument.lorentzian(centers), errors)
