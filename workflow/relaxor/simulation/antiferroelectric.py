"""Switching units of a relaxor antiferroelectric: the polarization of a flake in a loop and in a pulse train.

The flake is an ensemble of units that jump from zero to a polar state when the field exceeds E_F, and back when it
falls below E_A = E_F − δ. In a relaxor E_F and δ are distributed, here both normally and independently. Mirrored units
make the negative half of the loop. A small part of imprinted units already turns negative in a small positive field,
which causes a small negative remanence. Slow relaxation makes E_F and δ grow with the logarithm of the sweep rate.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import ndtr

from relaxor.core.section import Section, setting

NODES, WEIGHTS = np.polynomial.legendre.leggauss(80)
REFERENCE_FREQUENCY = 100.0
"""Frequency in Hz at which the switching fields of a description hold."""


class Units(Section):
    """Switching units of one kind, along the field, or along minus the field for mirrored units."""

    forward: float = setting(..., "kV/cm")
    """Mean of the forward switching field E_F."""
    forward_width: float = setting(..., "kV/cm", gt=0)
    """Standard deviation of E_F."""
    delta: float = setting(..., "kV/cm")
    """Mean of the difference δ of the forward and the backward switching field."""
    delta_width: float = setting(..., "kV/cm", gt=0)
    """Standard deviation of δ."""

    def below(self, x: np.ndarray | float) -> np.ndarray:
        """Return the part of the units with E_F < x, in kV/cm."""
        return ndtr((np.asarray(x, float) - self.forward) / self.forward_width)

    def both(self, limit: np.ndarray | float, x: np.ndarray | float) -> np.ndarray:
        """Return the part of the units with E_F < limit and E_A < x, in kV/cm, by quadrature over E_F."""
        limit, x = np.broadcast_arrays(np.asarray(limit, float), np.asarray(x, float))
        low = self.forward - 8 * self.forward_width
        high = np.clip(limit, low, self.forward + 8 * self.forward_width)[..., None]
        f = low + (high - low) * (NODES + 1) / 2
        density = np.exp(-0.5 * ((f - self.forward) / self.forward_width) ** 2)
        density /= self.forward_width * np.sqrt(2 * np.pi)
        inside = ndtr((x[..., None] - f + self.delta) / self.delta_width)
        return ((high - low) / 2 * density * inside) @ WEIGHTS


Fraction = Callable[[Units], np.ndarray]


class Flake(Section):
    """A flake with in-plane electrodes."""

    thickness: float = setting(..., "nm", gt=0)
    """Thickness of the flake."""
    width: float = setting(..., "um", gt=0)
    """Width of the flake."""
    gap: float = setting(..., "um", gt=0)
    """Distance of the electrodes."""
    saturation: float = setting(..., "uC/cm^2", gt=0)
    """Polarization of the fully switched flake."""
    regular: Units
    """Units that switch at the reference frequency as they are described."""
    forward_rate: float
    """Relative growth of the mean E_F of the regular units with each decade of frequency."""
    delta_rate: float
    """Relative growth of the mean δ of the regular units with each decade of frequency."""
    imprinted: Units
    """Mirrored units that already switch in a small positive field, at any frequency."""
    imprinted_part: float = setting(..., ge=0, lt=1)
    """Part of the mirrored units that is imprinted."""
    capacitance: float = setting(..., "F", gt=0)
    """Capacitance of the device."""
    conductance: float = setting(..., "S", ge=0)
    """Linear conductance of the device."""
    conductance_cubic: float = setting(..., "S/V^2", ge=0)
    """Coefficient of the current with the cube of the voltage."""

    @property
    def area(self) -> float:
        """Cross-section in cm²."""
        return self.thickness * 1e-7 * self.width * 1e-4

    def kinds(self, frequency: float) -> tuple[Units, Units]:
        """Return the regular and the imprinted units at a frequency in Hz."""
        decades = np.log10(frequency / REFERENCE_FREQUENCY)
        moved = {
            "forward": self.regular.forward * (1 + self.forward_rate * decades),
            "delta": self.regular.delta * (1 + self.delta_rate * decades),
        }
        return self.regular.model_copy(update=moved), self.imprinted

    def rising(self, field: np.ndarray | float, frequency: float, limit: float) -> np.ndarray:
        """Return P in µC/cm² on the rising branch of a loop with the amplitude ``limit`` in kV/cm."""
        return self._mix(
            frequency, lambda units: units.below(field), lambda units: units.both(limit, -np.asarray(field))
        )

    def falling(self, field: np.ndarray | float, frequency: float, limit: float) -> np.ndarray:
        """Return P in µC/cm² on the falling branch."""
        return self._mix(
            frequency, lambda units: units.both(limit, field), lambda units: units.below(-np.asarray(field))
        )

    def _mix(self, frequency: float, plus: Fraction, minus: Fraction) -> np.ndarray:
        regular, imprinted = self.kinds(frequency)
        share = self.imprinted_part
        return self.saturation * (plus(regular) - (1 - share) * minus(regular) - share * minus(imprinted))


def triangle(phase: np.ndarray) -> np.ndarray:
    """Return the triangular drive 0 → 1 → 0 → −1 → 0 at a phase in periods."""
    return 1 - 4 * np.abs((phase + 0.25) % 1 - 0.5)


def loop_polarization(flake: Flake, phase: np.ndarray, frequency: float, limit: float) -> np.ndarray:
    """Return the periodic switching polarization in µC/cm² at a phase in periods."""
    field = limit * triangle(phase)
    rising = (phase + 0.25) % 1 < 0.5
    return np.where(rising, flake.rising(field, frequency, limit), flake.falling(field, frequency, limit))


def _pulse_state(units: Units, limit: float, switched: bool, x: np.ndarray, upward: bool, toward: bool) -> np.ndarray:
    """Return the part of the units that is polar along their axis while a pulse is applied.

    Parameters
    ----------
    units
        The units.
    limit
        Amplitude of the pulses in kV/cm.
    switched
        Whether the pulse before was along the axis of the units, so that those with E_F < limit and E_A < 0 are still
        polar; or against it, so that those with E_F < 0 are.
    x
        Field along the axis in kV/cm.
    upward
        Whether this pulse is along the axis.
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
    """Return P in µC/cm² during one pulse of a train at the levels (0 to 1) of its rise or fall."""

    def fraction(units: Units, axis: int) -> np.ndarray:
        return _pulse_state(units, limit, before == axis, axis * sign * limit * level, sign == axis, toward)

    regular, imprinted = flake.kinds(frequency)
    share = flake.imprinted_part
    return flake.saturation * (
        fraction(regular, 1) - (1 - share) * fraction(regular, -1) - share * fraction(imprinted, -1)
    )
