"""The refractive index of a bulk sample, and Cauchy's law through it."""

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr
from relaxor.core.results import Measurement, Quantity, Result, measured
from relaxor.core.variables import variable

from relaxor_ellipsometry.settings import EllipsometrySettings

CAUCHY = "cauchy"
MODELS = {CAUCHY: "refractive index A + B/wavelength²"}
INDEX = Quantity("refractive_index_limit", "1", "Cauchy's A: the index at long wavelengths", "angle of incidence")
DISPERSION = Quantity("dispersion", "nm^2", "Cauchy's B")
QUANTITIES = (INDEX, DISPERSION)


def refractive_index(psi: np.ndarray, delta: np.ndarray, angle: float) -> np.ndarray:
    """Return the index of a bulk sample in air from ellipsometric angles; all in degree, shape (n,).

    The pseudo-dielectric function of Aspnes & Studna, doi 10.1103/PhysRevB.27.985.
    """
    incidence = np.radians(angle)
    ratio = np.tan(np.radians(psi)) * np.exp(1j * np.radians(delta))
    inner = 1 + np.tan(incidence) ** 2 * ((1 - ratio) / (1 + ratio)) ** 2
    return np.sqrt(np.sin(incidence) ** 2 * inner).real


def analyse(measurements: Sequence[Measurement], settings: EllipsometrySettings) -> Iterator[Result]:
    """Fit Cauchy's law to every spectrum.

    Parameters
    ----------
    measurements
        Ingested spectra of one sample.
    settings
        See `EllipsometrySettings`.
    """
    for measurement in measurements:
        spectrum = measurement.only
        wavelength = spectrum["wavelength"].to_numpy()
        angle = float(spectrum.attrs["angle"])
        index = refractive_index(spectrum["psi"].to_numpy(), spectrum["delta"].to_numpy(), angle)
        (slope, level), covariance = np.polyfit(wavelength**-2.0, index, 1, cov=True)
        tilted = refractive_index(
            spectrum["psi"].to_numpy(), spectrum["delta"].to_numpy(), angle + settings.angle_uncertainty
        )
        common = {"n": index.size, "method": "straight line of the index against 1/wavelength²"}
        systematic = float(abs(tilted - index).mean())
        (at_infinity,) = measured(measurement, CAUCHY, {INDEX: (level, covariance[1, 1] ** 0.5)}, **common)
        rows = [
            at_infinity.with_component("angle of incidence", systematic, "setting angle_uncertainty"),
            *measured(measurement, CAUCHY, {DISPERSION: (slope, covariance[0, 0] ** 0.5)}, **common),
        ]
        fit = level + slope * wavelength**-2.0
        curves = xr.Dataset(
            {
                "data": variable("wavelength", index, "1", "refractive index"),
                "fit": variable("wavelength", fit, "1", "Cauchy's law"),
                "residual": variable("wavelength", index - fit, "1", "data − fit"),
            },
            {"wavelength": variable("wavelength", wavelength, "nm", "wavelength")},
        )
        yield Result.of(measurement, rows, {"index": curves})
