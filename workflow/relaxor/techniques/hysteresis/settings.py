"""Settings of the hysteresis analysis."""

from typing import Literal

from pydantic import Field

from relaxor.core.section import Section


class HysteresisSettings(Section):
    """Settings of the hysteresis analysis; units and defaults beside each."""

    leakage: Literal["capacitance", "ohmic", "ohmic_cubic"] = "ohmic_cubic"
    """What is subtracted before integrating: C dV/dt, and G V, and G3 V³. All are fitted and compared by AICc."""
    saturation_field: float = Field(100.0, gt=0)
    """kV/cm; loops of at least this amplitude are saturated beyond their switching fields (four widths above E_F)."""
    saturated_rising: float = Field(0.90, gt=0, lt=1)
    """Fraction of the amplitude beyond which P no longer changes while the field grows."""
    saturated_falling: float = Field(0.72, gt=0, lt=1)
    """Fraction of the amplitude down to which P does not yet change while the field shrinks (E_A lies lower)."""
    peak_window: float = Field(8.0, gt=0)
    """kV/cm; half width of the top of a current peak to which a quartic is fitted, about one width of the peak."""
    replicates: int = Field(200, ge=50)
    """Bootstrap replicates; 200 give standard errors to 5 %."""
    block: int = Field(20, ge=1)
    """Samples a block of the bootstrap; longer than the noise is correlated."""
    seed: int = 1
    """Seed of the bootstrap."""
    thickness_uncertainty: float = Field(0.4, ge=0)
    """nm; standard uncertainty of the AFM step height, shared by all loops."""
    width_uncertainty: float = Field(0.2, ge=0)
    """µm; from the optical micrograph."""
    gap_uncertainty: float = Field(0.05, ge=0)
    """µm; from the lithography."""
