"""Settings of the optical plasticity."""

from relaxor.core.section import Section, setting

ASSUMED = "assumed"


class OpticalPulsesSettings(Section):
    """Settings of the optical plasticity."""

    read_window: float = setting(0.040, "s", ASSUMED, gt=0)
    """Time over which the current is averaged before a pulse of light and at its end."""
    code_window: float = setting(0.050, "s", ASSUMED, gt=0)
    """Time over which the current after a code of four pulses is averaged."""
    read_time: float = setting(0.1, "s", ASSUMED, gt=0)
    """Duration of one read, from which the energy of reading is calculated."""
    spike_power: float | None = setting(None, "mW/cm^2", "the file itself", gt=0)
    """Power density of the pulses whose energy is calculated; null means the most frequent power density of the first
    pulses of pairs."""
    spike_width: float | None = setting(None, "s", "the file itself", gt=0)
    """Width of the pulses whose energy is calculated; null means the most frequent width of the first pulses of
    pairs."""
    area_uncertainty: float = setting(0.05, source="assumed: an area measured in an optical microscope", ge=0)
    """Relative standard uncertainty of the illuminated area that the sheet gives."""
    current_uncertainty: float = setting(0.01, source="data sheet of the Keithley 2636B, 100 pA range", ge=0)
    """Relative standard uncertainty of the calibration of the current."""
    power_uncertainty: float = setting(0.03, source="data sheets of photodiode sensors, which state 3 to 5 %", ge=0)
    """Relative standard uncertainty of the calibration of the power meter."""
