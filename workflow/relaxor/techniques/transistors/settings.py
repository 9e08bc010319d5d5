"""Settings of transistors."""

from relaxor.core.section import Section, setting


class TransistorsSettings(Section):
    """Settings of transistors."""

    slope_window: float = setting(0.1, source="assumed", gt=0, le=0.5)
    """Part of the range of the gate voltage over which a line is fitted for the slope of the drain current."""
    linear_part: float = setting(0.1, source="assumed", gt=0, le=1)
    """Part of the largest drain voltage up to which an output curve is taken as a resistance."""
    least_ratio: float = setting(10.0, source="assumed", gt=1)
    """On/off ratio below which a channel is not switched off, so that it has no threshold."""
    current_uncertainty: float = setting(0.01, source="assumed", ge=0)
    """Relative standard uncertainty of the current scale."""
