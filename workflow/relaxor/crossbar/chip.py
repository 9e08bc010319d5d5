"""The description of the chip: its arrays, cells, pulses and converters, and their deviations from the ideal.

The defaults are those of a family of chips with sign-weighted 2T2R cells, as in its public code (device
``rram-144k``, "C200"; doi 10.1038/s41586-020-1942-4 describes an earlier member). Values without a source are assumed.

====================================  ================================================================================
one array, 576 rows, 128 columns      chip family: 147,456 devices, two per cell
levels −8…7                           chip family: 4 bits per weight
19.16 µS at level 7, 0.1 V            chip family (20.44 µS in its macro model)
signed 2-bit pulses, up to 127        chip family: bit planes with shift-and-add, or equal pulses
ADC signed 4 bit, 128.247 µA · 100/t  chip family; the range falls as 1 over the integration time t
read noise 1 % of the weight range    assumed for each read; the default of the chip family for weights is 5 %
write accuracy 89.5 %                 doi 10.1038/s41586-022-04992-8, after 1 s
wires 0.1 Ohm per segment             assumed; 1 Ohm would lose half of the current of a decoder that fills the array
set and reset pulses                  assumed: 2.0 V and 1.8 V for 50 ns, as usual for HfOx cells with a transistor
drift 0.2 level per root of a decade  doi 10.1038/s41586-022-04992-8: 89.5 % read back after 1 s, 64.4 % after a day
====================================  ================================================================================
"""

import math
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Literal

from relaxor.core.errors import AnalysisError

FULL_SCALE_CURRENT = 128.247e-6
"""Range of the converter (A) at 100 units of integration time; chip family."""

Pulses = Literal["levels", "bits", "unary"]


@dataclass(frozen=True)
class Writing:
    """How cells are programmed. Values are in levels unless another unit is stated.

    Attributes
    ----------
    accuracy
        Fraction of the cells that are read back at their level; None for writing without errors.
    tolerance
        Distance from its level within which a cell counts as written.
    tries
        Largest number of pulses per cell.
    device_spread
        Standard deviation of the logarithm of the response of a device to a pulse, from device to device.
    cycle_spread
        Relative standard deviation of the response to a pulse, from pulse to pulse.
    aim
        Fraction of the missing conductance that the first pulse aims at; it is halved after every overshoot.
    verify_noise
        Standard deviation of the reading between pulses.
    stuck
        Fraction of the cells that do not respond to pulses.
    set_voltage, reset_voltage, pulse_width
        Voltages (V) and width (s) of the pulses, from which the energy is calculated.
    """

    accuracy: float | None = 0.895
    tolerance: float = 0.25
    tries: int = 30
    device_spread: float = 0.3
    cycle_spread: float = 0.3
    aim: float = 0.7
    verify_noise: float = 0.05
    stuck: float = 0.0
    set_voltage: float = 2.0
    reset_voltage: float = 1.8
    pulse_width: float = 50e-9


@dataclass(frozen=True)
class Converter:
    """How inputs are converted to pulses, and currents to codes.

    Attributes
    ----------
    pulses
        ``levels``: one pulse with one of many heights, as from a digital-to-analog converter; ``bits``: one ternary
        pulse per bit, weighted afterwards; ``unary``: as many equal ternary pulses as the value of the input.
    input_limit
        Largest magnitude of an integer input.
    adc_bits
        Bits of the signed codes; None for currents that are not converted.
    integration_time
        Integration time in the units of the chip, which sets one range for all conversions; None for ranges that are
        calibrated per tile and pulse.
    adc_offset
        Offset of the converter, in codes.
    """

    pulses: Pulses = "bits"
    input_limit: int = 127
    adc_bits: int | None = 4
    integration_time: float | None = None
    adc_offset: float = 0.0


@dataclass(frozen=True)
class Chip:
    """A memristor chip.

    Attributes
    ----------
    chips, arrays
        Number of chips, and of arrays on each.
    rows, columns
        Signed cells of an array.
    lowest, highest
        Levels of a cell.
    largest_conductance
        Conductance at the highest level (S).
    read_voltage
        Voltage of one input pulse (V).
    row_resistance, column_resistance
        Resistance of a segment of wire (Ohm).
    read_noise
        Standard deviation of a cell from read to read, relative to the range of levels (highest level = 1).
    drift_exponent
        Exponent of the decrease of conductances with time.
    drift_spread
        Random drift, in levels per square root of a decade of time (after 1 s).
    """

    chips: int = 1
    arrays: int = 1
    rows: int = 576
    columns: int = 128
    lowest: int = -8
    highest: int = 7
    largest_conductance: float = 19.16e-6
    read_voltage: float = 0.1
    row_resistance: float = 0.1
    column_resistance: float = 0.1
    read_noise: float = 0.01
    drift_exponent: float = 0.0
    drift_spread: float = 0.2
    writing: Writing = field(default_factory=Writing)
    converter: Converter = field(default_factory=Converter)

    def __post_init__(self) -> None:
        """Refuse a chip that cannot exist."""
        _check(self)

    @property
    def total_arrays(self) -> int:
        """Number of arrays of all chips."""
        return self.chips * self.arrays

    @property
    def cells(self) -> int:
        """Number of signed cells of all arrays."""
        return self.total_arrays * self.rows * self.columns

    @property
    def level_conductance(self) -> float:
        """Conductance of one level (S)."""
        return self.largest_conductance / self.highest

    @property
    def level_current(self) -> float:
        """Current of one level at the read voltage (A)."""
        return self.level_conductance * self.read_voltage


def full_scale_current(integration_time: float) -> float:
    """Return the range of the converter (A) for an integration time in the units of the chip."""
    return FULL_SCALE_CURRENT * 100 / integration_time


POSITIVE = {
    *("chips", "arrays", "rows", "columns", "highest", "largest_conductance", "read_voltage", "tolerance", "tries"),
    *("aim", "pulse_width", "input_limit", "adc_bits", "integration_time"),
}
SIGNED = {"lowest", "adc_offset"}


def _check(part: Any) -> None:
    for entry in fields(part):
        value = getattr(part, entry.name)
        if is_dataclass(value):
            _check(value)
        elif value is None or isinstance(value, str):
            continue
        elif not math.isfinite(value) or (entry.name in POSITIVE and value <= 0):
            raise AnalysisError(f"chip: {entry.name} is {value}, but it must be a finite number above zero")
        elif value < 0 and entry.name not in SIGNED:
            raise AnalysisError(f"chip: {entry.name} is {value}, but it must be zero or more")
    if isinstance(part, Chip) and part.lowest >= 0:
        raise AnalysisError(f"chip: the lowest level is {part.lowest}, but it must be below zero")
    if isinstance(part, Writing) and part.accuracy is not None and not 0 < part.accuracy < 1:
        raise AnalysisError(f"chip: the write accuracy is {part.accuracy}, but it must be between 0 and 1")
    if isinstance(part, Writing) and part.stuck >= 1:
        raise AnalysisError(f"chip: the fraction of stuck cells is {part.stuck}, but it must be below 1")


IDEAL = Chip(
    row_resistance=0.0,
    column_resistance=0.0,
    read_noise=0.0,
    drift_spread=0.0,
    writing=Writing(accuracy=None),
    converter=Converter(adc_bits=None),
)
"""A chip that computes integers exactly."""
