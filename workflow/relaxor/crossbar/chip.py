"""The description of the chip: its arrays, cells, pulses and converters, and their deviations from the ideal.

The defaults are those of a family of chips with sign-weighted 2T2R cells, as its public code has them (device
``rram-144k``, "C200"; doi 10.1038/s41586-020-1942-4 describes an earlier member), or else assumed: each setting names
its source.
"""

import math
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Annotated, Any, ClassVar, Literal

from relaxor.core.errors import AnalysisError
from relaxor.core.section import Section, setting

ASSUMED = "assumed"
FAMILY = "chip family"
DRIFT = "doi 10.1038/s41586-022-04992-8"
WIRE = "assumed; 1 ohm would lose half of the current of a decoder that fills the array"
PULSE = "assumed, as usual for HfOx cells with a transistor"

FULL_SCALE_CURRENT = 128.247e-6
"""Range of the converter (A) at 100 units of integration time; chip family."""

Pulses = Literal["levels", "bits", "unary"]


@dataclass(frozen=True)
class Writing:
    """How cells are programmed."""

    __pydantic_config__: ClassVar = Section.model_config

    accuracy: Annotated[float | None, setting(..., "1", f"{DRIFT}, after 1 s")] = 0.895
    """Part of the cells that are read back at their level; null for a write without error."""
    tolerance: Annotated[float, setting(..., "1", ASSUMED)] = 0.25
    """Distance from its level, in levels, within which a cell counts as written."""
    tries: Annotated[int, setting(..., "1", ASSUMED)] = 30
    """Largest number of pulses per cell."""
    device_spread: Annotated[float, setting(..., "1", ASSUMED)] = 0.3
    """Standard deviation of the logarithm of a device's answer to a pulse, from device to device."""
    cycle_spread: Annotated[float, setting(..., "1", ASSUMED)] = 0.3
    """Relative standard deviation of that answer from pulse to pulse."""
    aim: Annotated[float, setting(..., "1", ASSUMED)] = 0.7
    """Part of the missing conductance that the first pulse aims at; it is halved after every overshoot."""
    verify_noise: Annotated[float, setting(..., "1", ASSUMED)] = 0.05
    """Standard deviation of the reading between pulses, in levels."""
    stuck: Annotated[float, setting(..., "1", ASSUMED)] = 0.0
    """Part of the cells that do not answer."""
    set_voltage: Annotated[float, setting(..., "V", PULSE)] = 2.0
    """Voltage of a pulse that raises the conductance, for the energy."""
    reset_voltage: Annotated[float, setting(..., "V", PULSE)] = 1.8
    """Voltage of a pulse that lowers the conductance, for the energy."""
    pulse_width: Annotated[float, setting(..., "s", PULSE)] = 50e-9
    """Width of these pulses, for the energy."""


@dataclass(frozen=True)
class Converter:
    """How inputs become pulses, and currents codes."""

    __pydantic_config__: ClassVar = Section.model_config

    pulses: Annotated[Pulses, setting(..., "", FAMILY)] = "bits"
    """``levels``: one pulse of many heights, as of a digital-to-analog converter; ``bits``: one ternary pulse per bit,
    weighted afterwards; ``unary``: as many equal ternary pulses as the value of the input."""
    input_limit: Annotated[int, setting(..., "1", FAMILY)] = 127
    """Largest magnitude of an integer input."""
    adc_bits: Annotated[int | None, setting(..., "1", FAMILY)] = 4
    """Bits of the signed codes; null for currents that are not converted."""
    integration_time: Annotated[float | None, setting(..., "", f"{FAMILY}: 128.247 µA · 100/t")] = None
    """Time t, in the chip's own units, that sets one range for all currents; the range falls as 1/t. Null for ranges
    that are calibrated per tile and pulse."""
    adc_offset: Annotated[float, setting(..., "1", ASSUMED)] = 0.0
    """Offset of the converter, in codes."""


@dataclass(frozen=True)
class Chip:
    """A memristor chip."""

    __pydantic_config__: ClassVar = Section.model_config

    chips: Annotated[int, setting(..., "1", ASSUMED)] = 1
    """Number of chips."""
    arrays: Annotated[int, setting(..., "1", FAMILY)] = 1
    """Number of arrays on each chip."""
    rows: Annotated[int, setting(..., "1", f"{FAMILY}: 147,456 devices, two per cell")] = 576
    """Number of rows of signed cells in an array."""
    columns: Annotated[int, setting(..., "1", FAMILY)] = 128
    """Number of columns of signed cells in an array."""
    lowest: Annotated[int, setting(..., "1", f"{FAMILY}: 4 bits per weight")] = -8
    """Lowest level of a cell; zero for cells without a sign, which hold no decoder but can be written and read."""
    highest: Annotated[int, setting(..., "1", f"{FAMILY}: 4 bits per weight")] = 7
    """Highest level of a cell."""
    largest_conductance: Annotated[float, setting(..., "S", f"{FAMILY}; 20.44 µS in its macro model")] = 19.16e-6
    """Conductance at the highest level."""
    read_voltage: Annotated[float, setting(..., "V", FAMILY)] = 0.1
    """Voltage of one input pulse."""
    row_resistance: Annotated[float, setting(..., "ohm", WIRE)] = 0.1
    """Resistance of a segment of the wire of a row."""
    column_resistance: Annotated[float, setting(..., "ohm", WIRE)] = 0.1
    """Resistance of a segment of the wire of a column."""
    read_noise: Annotated[float, setting(..., "1", f"{ASSUMED}; the {FAMILY} has 5 % for weights")] = 0.01
    """Standard deviation of a cell from read to read, as a part of the range of levels (highest level = 1)."""
    drift_exponent: Annotated[float, setting(..., "1", ASSUMED)] = 0.0
    """Exponent of the fall of conductances with time."""
    drift_spread: Annotated[float, setting(..., "1", f"{DRIFT}: 89.5 % after 1 s, 64.4 % after a day")] = 0.2
    """Levels of random drift per root of a decade of time, after 1 s."""
    writing: Writing = field(default_factory=Writing)
    """How the cells of each array are programmed."""
    converter: Converter = field(default_factory=Converter)
    """How each array turns inputs into pulses, and currents into codes."""

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
    if isinstance(part, Chip) and part.lowest > 0:
        raise AnalysisError(f"chip: the lowest level is {part.lowest}, but it must be zero or below")
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
