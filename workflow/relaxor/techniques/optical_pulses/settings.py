"""Settings of the optical plasticity."""

from relaxor.core.section import Section


class OpticalPulsesSettings(Section):
    """Settings of the optical plasticity; units beside each."""

    read_window: float = 0.040
    """Seconds over which the current is averaged, before a pulse of light and at its end."""
    code_window: float = 0.050
    """Seconds over which the current behind a code of four pulses is averaged."""
    read_time: float = 0.1
    """Seconds that one read lasts, for its energy."""
    spike_power: float = 32.0
    """Power density (mW/cm²) of the pulses whose energy is reported (paper)."""
    spike_width: float = 0.1
    """Seconds of the pulses whose energy is reported."""
    reported_energy: str = "0.88"
    """Energy per spike that the paper prints, in pJ."""
    area_uncertainty: float = 0.05
    """Relative, of the area under light, which the sheet gives (optical microscope)."""
    current_uncertainty: float = 0.01
    """Relative, of the current's calibration (2636B, 100 pA range)."""
    power_uncertainty: float = 0.03
    """Relative, of the power meter's calibration (photodiode sensors: 3 to 5 %)."""
