"""The charge reference: by how much all binding energies of a measurement are shifted, and how well this is known."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import lmfit
import numpy as np
from scipy.special import ndtr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import ADEQUATE, Adequacy
from relaxor.stats.fit import Fit, fit_counts, parameters
from relaxor.stats.line_shapes import SQRT_2LN2
from relaxor.techniques.xps.candidates import assumed, chosen
from relaxor.techniques.xps.region_fit import RegionFit
from relaxor.techniques.xps.regions import Region

STANDS_OUT = 5.0
"""Least area of a reference line or height of an edge, in standard errors by counting."""


@dataclass(frozen=True)
class Reference:
    """How far all spectra of a measurement are shifted.

    Attributes
    ----------
    shift, error
        Measured minus true binding energy, and its standard error (eV).
    adequacy
        Whether the model of the reference describes its window.
    systematic
        Standard uncertainty of the shift by each cause (eV), without that of the energy of the reference.
    fits
        Fits of the window of the reference.
    missing
        Why there is no reference; empty if there is one.
    """

    shift: float = 0.0
    error: float = 0.0
    adequacy: Adequacy = ADEQUATE
    systematic: Mapping[str, float] = field(default_factory=dict)
    fits: Mapping[str, RegionFit] = field(default_factory=dict)
    missing: str = ""


def by_line(fits: Mapping[str, RegionFit], energy: float, place: str) -> Reference:
    """Return the shift of the first line of the chosen model of a window.

    Raises
    ------
    AnalysisError
        If no fit is usable, or the line does not stand out.
    """
    best = fits[chosen(fits)]
    line = best.model.lines[0]
    if not best.usable:
        raise AnalysisError(f"{place}: no fit of the reference '{line.level}' can be used: {best.adequacy.remark}")
    _require(f"{place}: the reference '{line.level}'", best.fit, f"{line.slug}_area")

    def position(fitted: RegionFit) -> dict[str, tuple[float, float, Adequacy]]:
        return {"": fitted.position(fitted.model.lines[0], 1)}

    same = {name: fitted for name, fitted in fits.items() if fitted.model.names == best.model.names}
    value, error, adequacy = position(best)[""]
    return Reference(value - energy, error, adequacy, assumed(best, same, position)[""], fits)


def by_edge(region: Region, energy: float, place: str) -> Reference:
    """Return the shift of a Fermi edge, which is symmetric about the Fermi level.

    The occupied states rise linearly from the edge; temperature and the instrument make one Gaussian width.

    Raises
    ------
    AnalysisError
        If the edge does not stand out.
    """
    fitted = _fit_edge(region, energy)
    if not fitted.converged or fitted.held:
        raise AnalysisError(f"{place}: no Fermi edge can be fitted: {fitted.adequacy.remark or 'it is at a limit'}")
    _require(f"{place}: the Fermi edge", fitted, "height")
    value, error = fitted.estimate("position")
    return Reference(value - energy, error, fitted.adequacy)


def _fit_edge(region: Region, energy: float) -> Fit:
    def rate(params: lmfit.Parameters) -> np.ndarray:
        values = params.valuesdict()
        distance = region.energy - values["position"]
        states = values["height"] + values["slope"] * np.maximum(distance, 0.0)
        step = ndtr(distance * 2 * SQRT_2LN2 / values["fwhm"])
        return (values["base"] + states * step) * region.time

    low, high = (float(part.mean()) / region.time for part in np.array_split(region.counts, 5)[::4])
    middle = (low + high) / 2
    smooth = np.convolve(region.counts / region.time, np.ones(5) / 5, mode="same")[2:-2]
    start = float(region.energy[2:-2][np.argmax(smooth > middle)])
    params = parameters(
        position=(start, energy - 4.0, energy + 4.0),
        height=(max(high - low, 1e-3), 0.0, np.inf),
        slope=0.0,
        base=(max(low, 1e-3), 0.0, np.inf),
        fwhm=(0.5, 0.05, 3.0),
    )
    return fit_counts(rate, region.counts, params)


def _require(what: str, fitted: Fit, strength: str) -> None:
    """Refuse a reference whose strength is not far above noise; a misfit does not count here."""
    size, error = fitted.value(strength), fitted.error(strength) / fitted.adequacy.scale
    if not size > STANDS_OUT * error:
        raise AnalysisError(
            f"{what} does not stand out ({size:.3g} ± {error:.2g}; {STANDS_OUT:.0f} standard errors are needed): name "
            "another reference_window, or set reference to 'fermi_edge', 'calibrated' or 'none'"
        )
