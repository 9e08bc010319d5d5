"""Settings of the analysis of voltage sweeps."""

from pydantic import Field

from relaxor.core.section import Section, setting


class IvSweepsSettings(Section):
    """Settings of the analysis of voltage sweeps; units beside each. Uncertainties are standard uncertainties."""

    read_voltage: float = setting(0.5, "V", gt=0)
    """Where resistance and rectification ratio are read."""
    smallest_voltage: float = Field(0.3, ge=0)
    """V; smaller voltages are left out of the fits of conduction mechanisms."""
    peak_window: float = Field(0.1, gt=0, le=0.5)
    """Fraction of the amplitude around a voltage to which a parabola is fitted to read the current there."""
    compliance_tolerance: float = Field(1e-4, gt=0)
    """Relative change from point to point below which a current is held by the compliance of the instrument."""
    current_uncertainty: float = Field(0.01, ge=0)
    """Relative, of the scale of current, shared by all points (4200-SMU with preamplifier: 1 % at 10 pA)."""
