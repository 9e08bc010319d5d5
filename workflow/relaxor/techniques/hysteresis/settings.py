"""Settings of the hysteresis analysis."""

from typing import Literal

from relaxor.core.section import Section, setting

ASSUMED = "assumed"


class HysteresisSettings(Section):
    """Settings of the hysteresis analysis."""

    leakage: Literal["capacitance", "ohmic", "ohmic_cubic"] = "ohmic_cubic"
    """Model of the current that is subtracted before integration: C dV/dt, with ``ohmic`` also G V, with
    ``ohmic_cubic`` also G3 V³. All three models are fitted and compared by AICc."""
    saturation_field: float = setting(100.0, "kV/cm", source=ASSUMED, gt=0)
    """Amplitude of the field at and above which a loop counts as saturated beyond its switching fields."""
    saturated_rising: float = setting(0.90, source=ASSUMED, gt=0, lt=1)
    """Fraction of the amplitude above which the polarization no longer changes while the magnitude of the field
    increases."""
    saturated_falling: float = setting(0.72, source=ASSUMED, gt=0, lt=1)
    """Fraction of the amplitude down to which the polarization does not yet change while the magnitude of the field
    decreases."""
    peak_window: float = setting(8.0, "kV/cm", source="assumed: about one width of the peak", gt=0)
    """Half width of the top of a current peak to which a quartic polynomial is fitted."""
    replicates: int = setting(200, source="200 replicates give standard errors to 5 %", ge=50)
    """Number of bootstrap replicates."""
    block: int = setting(20, source=ASSUMED, ge=1)
    """Number of samples in a block of the bootstrap; a block must be longer than the correlation of the noise."""
    seed: int = setting(1)
    """Seed of the random numbers of the bootstrap."""
    thickness_uncertainty: float = setting(0.4, "nm", source=ASSUMED, ge=0)
    """Standard uncertainty of the thickness, which all loops share. The default is that of a step height measured by
    AFM."""
    width_uncertainty: float = setting(0.2, "um", source=ASSUMED, ge=0)
    """Standard uncertainty of the width of the device, which all loops share. The default is that of an optical
    micrograph."""
    gap_uncertainty: float = setting(0.05, "um", source=ASSUMED, ge=0)
    """Standard uncertainty of the distance of the electrodes, which all loops share. The default is that of the
    lithography."""
