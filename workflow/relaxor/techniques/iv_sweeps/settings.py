"""Settings of the analysis of voltage sweeps."""

from relaxor.core.section import Section, setting


class IvSweepsSettings(Section):
    """Settings of the analysis of voltage sweeps."""

    read_voltage: float = setting(0.5, "V", source="assumed", gt=0)
    """Voltage at which the resistance and the rectification ratio are read."""
    switching_voltage: float | None = setting(None, "V", "a quarter of the smaller extreme voltage of a cycle", gt=0)
    """Voltage at which both states of a device that switches are read, at the polarity of each half of a cycle; null
    means a quarter of the smaller extreme voltage of the cycle."""
    least_ratio: float = setting(2.0, source="assumed", gt=1)
    """Ratio of the currents of both branches at that voltage from which on a device switches."""
    smallest_voltage: float = setting(0.3, "V", source="assumed", ge=0)
    """Voltage below which points are left out of the fits of conduction laws."""
    peak_window: float = setting(0.1, source="assumed", gt=0, le=0.5)
    """Fraction of the amplitude around a voltage over which a parabola is fitted to read the current at that
    voltage."""
    compliance_tolerance: float = setting(1e-4, source="assumed", gt=0)
    """Relative change from point to point below which the current counts as limited by the compliance of the
    instrument."""
    current_uncertainty: float = setting(
        0.01, source="data sheet of the Keithley 4200-SMU with preamplifier: 1 % at 10 pA", ge=0
    )
    """Relative standard uncertainty of the current scale, which all points share."""
    gap_uncertainty: float = setting(0.05, "um", source="assumed", ge=0)
    """Standard uncertainty of the condition ``gap``, the distance of the electrodes. The default is that of the
    lithography."""
