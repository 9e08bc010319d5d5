"""Settings of the analysis of voltage sweeps."""

from relaxor.core.section import Section, setting


class IvSweepsSettings(Section):
    """Settings of the analysis of voltage sweeps."""

    read_voltage: float = setting(0.5, "V", source="assumed", gt=0)
    """Voltage at which the resistance and the rectification ratio are read."""
    smallest_voltage: float = setting(0.3, "V", source="assumed", ge=0)
    """Voltage below which points are left out of the fits of conduction laws."""
    peak_window: float = setting(0.1, source="assumed", gt=0, le=0.5)
    """Part of the amplitude around a voltage to which a parabola is fitted to read the current there."""
    compliance_tolerance: float = setting(1e-4, source="assumed", gt=0)
    """Relative change from point to point below which the compliance of the instrument holds the current."""
    current_uncertainty: float = setting(
        0.01, source="data sheet of the Keithley 4200-SMU with preamplifier: 1 % at 10 pA", ge=0
    )
    """Relative standard uncertainty of the scale of the current, which all points share."""
