"""Settings of the electrical plasticity."""

from relaxor.core.section import Section, setting

ASSUMED = "assumed"


class ElectricalPulsesSettings(Section):
    """Settings of the electrical plasticity."""

    read_window: float = setting(0.010, "s", ASSUMED, gt=0)
    """Time over which the read current is averaged before and after a pulse."""
    read_time: float = setting(0.1, "s", ASSUMED, gt=0)
    """Duration of one read, from which the energy of reading is calculated."""
    cycle_window: float = setting(0.080, "s", "assumed: long enough for fast traps to empty", gt=0)
    """Time over which the read current is averaged after each pulse of potentiation and depression."""
    spike_amplitude: float | None = setting(None, "V", "the file itself")
    """Amplitude of the pulses whose energy is calculated; null means the most frequent amplitude of the first pulses of
    pairs."""
    spike_width: float | None = setting(None, "s", "the file itself", gt=0)
    """Width of the pulses whose energy is calculated; null means the most frequent width of the first pulses of
    pairs."""
    current_uncertainty: float = setting(
        0.01, source="data sheet of the Keithley 4200-SMU with preamplifier, 10 pA range: 1 % with its offset", ge=0
    )
    """Relative standard uncertainty of the calibration of the current."""
