"""Settings of the electrical plasticity."""

from relaxor.core.section import Section


class ElectricalPulsesSettings(Section):
    """Settings of the electrical plasticity; units beside each."""

    read_window: float = 0.010
    """Seconds over which the read current is averaged, before and behind a pulse."""
    read_time: float = 0.1
    """Seconds that one read lasts, for its energy."""
    cycle_window: float = 0.080
    """Seconds over which the read current of potentiation and depression is averaged."""
    spike_amplitude: float = 5.0
    """Volts of the pulses whose energy is reported (paper)."""
    spike_width: float = 0.1
    """Seconds of the pulses whose energy is reported (paper)."""
    reported_energy: str = "11.7"
    """Energy per spike that the paper prints, in pJ."""
    current_uncertainty: float = 0.01
    """Relative, of the current's calibration (4200-SMU with preamplifier, 10 pA range: 1 % with its offset)."""
