"""The calibration of the Raman axis on lines of known shift, and how far it can be trusted.

One line sets an offset. Nothing is then known of the rest of the axis, and its uncertainty grows with the distance from
the line. Three lines and more set a polynomial, whose misfit shows how well they do. Outside of the outermost lines,
polynomials fail: Liu & Hennelly, doi 10.1177/00037028241254847.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from relaxor.core.results import Number, Status
from relaxor.techniques.raman.settings import RamanSettings

NONLINEAR_OVER = 400.0
"""1/cm, the distance from a reference line for which `RamanSettings.axis_nonlinearity` is stated."""
ENOUGH = 3
"""Fewest reference lines that show the error of the axis between them."""
UNCALIBRATED = "axis as the file has it, which no line of known shift of the same day has checked"


@dataclass(frozen=True)
class Reference:
    """A line of known Raman shift: its name, ``shift``, the ``place`` on the axis of the file and its error; 1/cm."""

    name: str
    shift: float
    place: float
    error: float


@dataclass(frozen=True)
class Axis:
    """A calibrated axis.

    Attributes
    ----------
    references
        Lines of known shift, ascending; none if the axis stays as the file has it.
    settings
        Uncertainties of known shifts, of the axis away from them, and of an axis without any.
    """

    references: tuple[Reference, ...]
    settings: RamanSettings

    @classmethod
    def on(cls, references: Iterable[Reference], settings: RamanSettings) -> "Axis":
        """Make the axis that some lines calibrate."""
        ordered = tuple(sorted(references, key=lambda reference: reference.place))
        return cls(ordered, settings)

    @property
    def source(self) -> str:
        """How the axis is calibrated, in words."""
        lines = ", ".join(f"{each.name} {each.shift:g}" for each in self.references)
        many = f"polynomial of degree {self._degree} through " if len(self.references) > 1 else "offset from "
        return f"{many}{lines} 1/cm" if lines else UNCALIBRATED

    @property
    def place(self) -> float:
        """The middle of the lines of known shift, where the offset of the axis is stated; 1/cm."""
        return float(np.mean([each.place for each in self.references])) if self.references else 0.0

    @property
    def _degree(self) -> int:
        """One line: an offset; two, three: a straight line; four and more: a parabola."""
        return min(len(self.references) // 2, 2)

    def offset(self, places: np.ndarray) -> np.ndarray:
        """Return what is added at some places; 1/cm."""
        if not self.references:
            return np.zeros_like(places)
        return self._weights(places) @ np.array([each.shift - each.place for each in self.references])

    def _weights(self, places: np.ndarray) -> np.ndarray:
        """Return the part that each line of known shift has in the offset at each place."""
        known = np.array([each.place for each in self.references])
        scale = max(float(np.ptp(known)), 1.0)
        error = np.hypot([each.error for each in self.references], self.settings.calibration_uncertainty or 1e-9)
        design, wanted = (np.vander((x - self.place) / scale, self._degree + 1) for x in (known, places))
        return wanted @ np.linalg.pinv(design / error[:, None]) / error

    def error(self, place: float) -> float:
        """Return the statistical part of the standard uncertainty of the offset at a place; 1/cm."""
        if not self.references:
            return 0.0
        return float(np.linalg.norm(self._weights(np.array([place]))[0] * [each.error for each in self.references]))

    def stated(self, number: Number, place: float) -> Number:
        """Return a Raman shift at a place of the axis with the systematic components of the axis."""
        if not self.references:
            file = number.with_component("axis of the file", self.settings.axis_uncertainty, "setting axis_uncertainty")
            return file.flagged(Status.ASSUMED, UNCALIBRATED)
        enough = len(self.references) >= ENOUGH
        spread = float(np.linalg.norm(self._weights(np.array([place])))) * self._misfit
        number = number.with_component(
            "lines of known shift", spread * self.settings.calibration_uncertainty, "setting calibration_uncertainty"
        )
        known = np.array([each.place for each in self.references])
        beyond = max(known[0] - place, place - known[-1], 0.0)
        distance = beyond if enough else float(np.abs(known - place).min())
        far = self.settings.axis_nonlinearity * distance / NONLINEAR_OVER
        return number.with_component("axis away from the lines of known shift", far, "setting axis_nonlinearity")

    @property
    def _misfit(self) -> float:
        """Factor by which the lines of known shift lie further from the polynomial than they are uncertain."""
        freedom = len(self.references) - self._degree - 1
        if freedom < 1:
            return 1.0
        left = np.array([each.shift - each.place for each in self.references])
        left = left - self.offset(np.array([each.place for each in self.references]))
        error = np.hypot([each.error for each in self.references], self.settings.calibration_uncertainty or 1e-9)
        return max(1.0, float(np.sqrt(np.sum((left / error) ** 2) / freedom)))
