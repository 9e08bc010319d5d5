"""Crystallite size and microstrain from the widths of the lines (Williamson and Hall)."""

import math
from dataclasses import dataclass, replace
from typing import Any

import lmfit
import numpy as np

from relaxor.core.results import Measurement, Number, Status, measured
from relaxor.stats.fit import Fit, fit, parameters
from relaxor.stats.quantities import AICC
from relaxor.techniques.xrd.quantities import BROADENINGS, CHI_SQUARE, CRYSTALLITE_SIZE, MICROSTRAIN
from relaxor.techniques.xrd.settings import LineProfile

METHOD = "Williamson–Hall, Lorentzian widths, instrument removed"
INSTRUMENT_PARTS = ("Gaussian width of the instrument", "its course with the angle", "width of the emission line")
"""Names of the systematic components."""
ONE_SIDED = 1.645
"""Normal quantile of a limit at 95 %."""


@dataclass(frozen=True)
class Widths:
    """Widths of lines that the sample causes.

    Attributes
    ----------
    two_theta
        Positions (degree).
    width, error
        Lorentzian full width without that of the instrument, and its standard error (degree).
    gaussian, lorentzian
        Gaussian width of the instrument and fitted Lorentzian width (degree).
    """

    two_theta: np.ndarray
    width: np.ndarray
    error: np.ndarray
    gaussian: np.ndarray
    lorentzian: np.ndarray

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

    def of_another_instrument(self, profile: LineProfile) -> "list[Widths]":
        """Return the widths that the sample would have if the instrument were broader by its standard uncertainty.

        The width of the whole Voigt line stays (doi 10.1016/0022-4073(77)90161-3). The Gaussian width is broader at all
        angles, or at high angles and narrower at low ones; the emission line is broader.
        """
        root = np.sqrt(0.2166 * self.lorentzian**2 + self.gaussian**2)
        slope = -self.gaussian / root / (0.5346 + 0.2166 * self.lorentzian / root)
        tilt = np.interp(self.two_theta, (self.two_theta.min(), self.two_theta.max()), (-1.0, 1.0))
        step = profile.relative_uncertainty * self.gaussian * slope
        changes = (step, step * tilt, -profile.relative_uncertainty * profile.lorentzian(self.two_theta))
        return [replace(self, width=self.width + change) for change in changes]


def fit_widths(widths: Widths, model: str, least: float = 0.0) -> Fit:
    """Fit width·cosθ = K·λ/size + 4·strain·sinθ, doi 10.1016/0001-6160(53)90006-6; Lorentzian widths add.

    Neither of the two is less than ``least``.
    """
    first = max(float(np.mean(widths.ordinate)), 1e-4)
    start = parameters(**{name: (first, least, np.inf) for name in BROADENINGS[model]})

    def residual(p: lmfit.Parameters) -> np.ndarray:
        return (widths.ordinate - expected(p, widths)) / widths.ordinate_error

    return fit(residual, start, absolute_sigma=True)


def expected(p: lmfit.Parameters, widths: Widths) -> np.ndarray:
    """Return width·cosθ of a model (radian)."""
    values = p.valuesdict()
    return values.get("inverse_size", 0.0) + values.get("microstrain", 0.0) * widths.abscissa


def numbers(
    measurement: Measurement, model: str, widths: Widths, profile: LineProfile, scherrer_length: float, **common: Any
) -> list[Number]:
    """Make the rows of a model: strain and size with the systematic error of the instrument, or their limits.

    Parameters
    ----------
    scherrer_length
        Scherrer's constant times the wavelength (nm).
    common
        Further fields that all numbers share.
    """
    fitted = fit_widths(widths, model)
    # Where a bound holds a parameter, its response to the instrument is that without the bound.
    free, *others = (fit_widths(each, model, -np.inf) for each in (widths, *widths.of_another_instrument(profile)))
    quantities = {"microstrain": MICROSTRAIN, "inverse_size": CRYSTALLITE_SIZE}
    rows = []
    for name in BROADENINGS[model]:
        (row,) = fitted.numbers(measurement, model, {name: quantities[name]}, METHOD, **common)
        for part, other in zip(INSTRUMENT_PARTS, others, strict=True):
            row = row.with_component(part, other.value(name) - free.value(name), "setting line_profile")
        row = _limited(row)
        rows.append(row if name == "microstrain" else _as_size(row, scherrer_length))
    values = {AICC: (fitted.aicc, np.nan), CHI_SQUARE: (fitted.chi_square, np.nan)}
    return rows + measured(measurement, model, values, "Williamson–Hall", **(fitted.quality | common))


def _limited(row: Number) -> Number:
    """Return a number that is not negative, or its upper limit if it does not stand out from zero."""
    error = math.hypot(row.standard_error, row.systematic_error)
    if not row.value < ONE_SIDED * error:
        return row
    limit = max(row.value, 0.0) + ONE_SIDED * error
    row = replace(row, value=limit, ci_low=0.0, ci_high=limit)
    return row.flagged(Status.LIMIT, "limit at 95 %: no such broadening is seen beside that of the instrument")


def _as_size(row: Number, scherrer_length: float) -> Number:
    """Return the size of which a number is K·λ/size (radian)."""
    size = scherrer_length / row.value
    parts = tuple(replace(part, value=part.value * size / row.value) for part in row.budget)
    high = scherrer_length / row.ci_low if row.ci_low > 0 else math.inf
    error = row.standard_error * size / row.value
    return replace(
        row, value=size, standard_error=error, ci_low=scherrer_length / row.ci_high, ci_high=high, budget=parts
    )
