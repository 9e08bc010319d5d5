"""Crystallite size and microstrain from the widths of the lines (Williamson and Hall)."""

from dataclasses import dataclass, replace

import lmfit
import numpy as np

from relaxor.core.results import NORMAL_QUANTILE, Measurement, Number
from relaxor.stats.fit import Fit, fit, parameters

MODELS = {
    "size_and_strain": ("inverse_size", "microstrain"),
    "size_only": ("inverse_size",),
    "strain_only": ("microstrain",),
}
"""What broadens the lines → parameters; ``inverse_size`` is K·λ/size (radian)."""


@dataclass(frozen=True)
class Widths:
    """Widths of lines that the sample causes.

    Attributes
    ----------
    two_theta
        Positions (degree).
    width, error
        Lorentzian full width without that of the instrument, and its standard error (degree).
    """

    two_theta: np.ndarray
    width: np.ndarray
    error: np.ndarray

    @property
    def abscissa(self) -> np.ndarray:
        """4·sinθ."""
        return 4 * np.sin(np.radians(self.two_theta) / 2)

    @property
    def ordinate(self) -> np.ndarray:
        """Width times cosθ (radian)."""
        return np.radians(self.width) * np.cos(np.radians(self.two_theta) / 2)

    @property
    def ordinate_error(self) -> np.ndarray:
        """Standard error of `ordinate`."""
        return np.radians(self.error) * np.cos(np.radians(self.two_theta) / 2)


def fit_widths(widths: Widths, model: str) -> Fit:
    """Fit width·cosθ = K·λ/size + 4·strain·sinθ, doi 10.1016/0001-6160(53)90006-6; Lorentzian widths add."""
    start = parameters(**{name: float(np.mean(widths.ordinate)) for name in MODELS[model]})

    def residual(p: lmfit.Parameters) -> np.ndarray:
        return (widths.ordinate - expected(p, widths)) / widths.ordinate_error

    return fit(residual, start, absolute_sigma=True)


def expected(p: lmfit.Parameters, widths: Widths) -> np.ndarray:
    """Return width·cosθ of a model (radian)."""
    values = p.valuesdict()
    return values.get("inverse_size", 0.0) + values.get("microstrain", 0.0) * widths.abscissa


def numbers(
    measurement: Measurement, model: str, fitted: Fit, *, wavelength: float, scherrer_constant: float
) -> list[Number]:
    """Make the rows of a model: strain, and size (nm) with the interval of its inverse; no size of a negative one."""
    method = "Williamson–Hall, Lorentzian widths, instrument removed"
    rows = []
    if "microstrain" in MODELS[model]:
        rows += fitted.numbers(measurement, model, {"microstrain": "1"}, method)
    if "inverse_size" in MODELS[model]:
        (inverse,) = fitted.numbers(measurement, model, {"inverse_size": "rad"}, method)
        if inverse.value <= 0:
            return rows
        scale = scherrer_constant * wavelength / 10
        low = inverse.value - NORMAL_QUANTILE * inverse.standard_error
        size = scale / inverse.value
        of_size = replace(
            inverse,
            parameter="crystallite_size",
            unit="nm",
            value=size,
            standard_error=inverse.standard_error * abs(size / inverse.value),
            ci_low=scale / inverse.ci_high,
            ci_high=scale / low if low > 0 else np.inf,
        )
        rows.append(of_size)
    return rows
