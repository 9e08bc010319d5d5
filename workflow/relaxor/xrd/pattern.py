"""A scan, its fitted lines, and the widths that the sample gives them."""

from dataclasses import dataclass

import numpy as np

from relaxor.data import Measurement
from relaxor.xrd.broadening import Widths
from relaxor.xrd.lines import Instrument, LineFit, Tube


@dataclass(frozen=True)
class Pattern:
    """One scan and what is needed to read it: angles (degree), counts, tube, goniometer radius (mm)."""

    measurement: Measurement
    two_theta: np.ndarray
    counts: np.ndarray
    tube: Tube
    radius: float


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
