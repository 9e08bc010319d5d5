"""Switching units of a relaxor antiferroelectric: the polarization of a flake in a loop and in a pulse train.

The flake is an ensemble of units that jump from zero to a polar state when the field passes E_F and back when it falls
below E_A = E_F − δ. In a relaxor E_F and δ are spread: both normal and independent. Mirrored units make the negative
half. A small fraction of imprinted units already turns negative in a small positive field: the cause of the small
negative remanence. Slow relaxation enters as the growth of E_F and δ with the logarithm of the sweep rate.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

NODES, WEIGHTS = np.polynomial.legendre.leggauss(80)
REFERENCE_FREQUENCY = 100.0
"""Hz."""
RATE_F, RATE_D = 0.04, 0.06
"""Relative growth of E_F and of δ a decade of frequency."""


@dataclass(frozen=True)
class Units:
    """Switching units of one kind along the axis x (the field, or minus the field for mirrored units); kV/cm."""

    forward: float
    forward_width: float
    gap: float
    gap_width: float

    def below(self, x: np.ndarray | float) -> np.ndarray:
        """Return the fraction with E_F < x."""
        return ndtr((np.asarray(x, float) - self.forward) / self.forward_width)

    def both(self, limit: np.ndarray | float, x: np.ndarray | float) -> np.ndarray:
        """Return the fraction with E_F < limit and E_A < x, by quadrature over E_F."""
        limit, x = np.broadcast_arrays(np.asarray(limit, float), np.asarray(x, float))
        low = self.forward - 8 * self.forward_width
        high = np.clip(limit, low, self.forward + 8 * self.forward_width)[..., None]
        f = low + (high - low) * (NODES + 1) / 2
        density = np.exp(-0.5 * ((f - self.forward) / self.forward_width) ** 2)
        density /= self.forward_width * np.sqrt(2 * np.pi)
        inside = ndtr((x[..., None] - f + self.gap) / self.gap_width)
        return ((high - low) / 2 * density * inside) @ WEIGHTS


Fraction = Callable[[Units], np.ndarray]


@dataclass(frozen=True)
class Flake:
    """A device; nm, µm, µm; µC/cm², kV/cm; F, S, S/V²."""

    thickness: float
    width: float
    gap: float
    saturation: float
    forward: float
    forward_width: float
    delta: float
    delta_width: float
    capacitance: float
    conductance: float
    conductance_cubic: float
    imprinted: float = 0.05

    @property
    def area(self) -> float:
        """Cross-section, cm²."""
        return self.thickness * 1e-7 * self.width * 1e-4

    def kinds(self, frequency: float) -> tuple[Units, Units]:
        """Return the regular and the imprinted units at a sweep rate."""
        decades = np.log10(frequency / REFERENCE_FREQUENCY)
        regular = Units(self.forward, self.forward_width, self.delta, self.delta_width)
        imprinted = Units(-8.0, 5.0, 17.0, 9.0)
        return replace(
            regular, forward=self.forward * (1 + RATE_F * decades), gap=self.delta * (1 + RATE_D * decades)
        ), imprinted

    def rising(self, field: np.ndarray | float, frequency: float, limit: float) -> np.ndarray:
        """Return P on the rising branch of a loop of amplitude ``limit``."""
        return self._mix(
            frequency, lambda units: units.below(field), lambda units: units.both(limit, -np.asarray(field))
        )

    def falling(self, field: np.ndarray | float, frequency: float, limit: float) -> np.ndarray:
        """Return P on the falling branch."""
        return self._mix(
            frequency, lambda units: units.both(limit, field), lambda units: units.below(-np.asarray(field))
        )

    def _mix(self, frequency: float, plus: Fraction, minus: Fraction) -> np.ndarray:
        regular, imprinted = self.kinds(frequency)
        share = self.imprinted
        return self.saturation * (plus(regular) - (1 - share) * minus(regular) - share * minus(imprinted))


def triangle(phase: np.ndarray) -> np.ndarray:
    """Return the triangular drive 0 → 1 → 0 → −1 → 0 at a phase in periods."""
    return 1 - 4 * np.abs((phase + 0.25) % 1 - 0.5)


def loop_polarization(flake: Flake, phase: np.ndarray, frequency: float, limit: float) -> np.ndarray:
    """Return the periodic switching polarization at a phase in periods."""
    field = limit * triangle(phase)
    rising = (phase + 0.25) % 1 < 0.5
    return np.where(rising, flake.rising(field, frequency, limit), flake.falling(field, frequency, limit))


def _pulse_state(units: Units, limit: float, switched: bool, x: np.ndarray, upward: bool, toward: bool) -> np.ndarray:
    """Return the fraction of units that are polar along their axis while a pulse is applied.

    Parameters
    ----------
    switched
        Whether the pulse before went up the units' own axis (what it left: E_F < limit and E_A < 0), or down
        (what it left: E_F < 0).
    x
        Field along the axis.
    upward
        Whether this pulse goes up the axis.
    toward
        Whether the pulse still grows.
    """
    if upward:
        if not toward:
            return units.both(limit, x)
        left = units.both(limit, 0.0) - units.both(np.minimum(x, limit), 0.0) if switched else 0.0
        return units.below(x) + left
    return (units.both(limit if switched else 0.0, x)) if toward else units.below(x)


def pulse_polarization(
    flake: Flake, frequency: float, limit: float, level: np.ndarray, sign: int, before: int, toward: bool
) -> np.ndarray:
    """Return P during one pulse of the train at the levels (0 … 1) of its rise or fall."""

    def fraction(units: Units, axis: int) -> np.ndarray:
        return _pulse_state(units, limit, before == axis, axis * sign * limit * level, sign == axis, toward)

    regular, imprinted = flake.kinds(frequency)
    share = flake.imprinted
    return flake.saturation * (
        fraction(regular, 1) - (1 - share) * fraction(regular, -1) - share * fraction(imprinted, -1)
    )
