"""Settings of the growth analysis."""

from pydantic import Field

from relaxor.core.section import Section


class GrowthSettings(Section):
    """Settings of the growth analysis; units and defaults beside each."""

    soak_level: float = Field(0.98, gt=0.5, lt=1)
    """Fraction of the way to the highest temperature above which a reading counts as soak at the start of the fit."""
    soak_margin: float = Field(1.0, ge=0)
    """h; left out at both ends of the soak when its stability and drift are worked out."""
