"""Crystallite size and microstrain from the widths of the lines (Williamson and Hall)."""

from dataclasses import dataclass, replace

import lmfit
import numpy as np

from relaxor.core.results import Measurement, Number
from relaxor.stats.fit import Fit, fit, parameters
from relaxor.techniques.xrd.quantities import BROADENINGS, CRYSTALLITE_SIZE, MICROSTRAIN

METHOD = "Williamson–Hall, Lorentzian widths, instrument removed"


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
        """Values of 4·sinθ."""
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
    start = parameters(**{name: float(np.mean(widths.ordinate)) for name in BROADENINGS[model]})

    def residual(p: lmfit.Parameters) -> np.ndarray:
        return (widths.ordinate - expected(p, widths)) / widths.ordinate_error

    return fit(residual, start, absolute_sigma=True)


def expected(p: lmfit.Parameters, widths: Widths) -> np.ndarray:
    """Return width·cosθ of a model (radian)."""
    values = p.valuesdict()
    return values.get("inverse_size", 0.0) + values.get("microstrain", 0.0) * widths.abscissa


def numbers(measurement: Measurement, model: str, fitted: Fit, scherrer_length: float) -> list[Number]:
    """Make the rows of a model: the strain, and the size with the interval of its inverse if that is positive.

    Parameters
    ----------
    scherrer_length
        Scherrer's constant times the wavelength (nm).
    """
    rows = []
    if "microstrain" in BROADENINGS[model]:
        rows += fitted.numbers(measurement, model, {"microstrain": MICROSTRAIN}, METHOD)
    if "inverse_size" in BROADENINGS[model] and fitted.value("inverse_size") > 0:
        (inverse,) = fitted.numbers(measurement, model, {"inverse_size": CRYSTALLITE_SIZE}, METHOD)
        size = scherrer_length / inverse.value
        of_size = replace(
            inverse,
            value=size,
            standard_error=inverse.standard_error * abs(size / inverse.value),
            ci_low=scherrer_length / inverse.ci_high,
            ci_high=scherrer_length / inverse.ci_low if inverse.ci_low > 0 else np.inf,
        )
        rows.append(of_size)
    return rows
