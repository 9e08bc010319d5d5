"""Settings of the PFM analysis."""

from pydantic import Field

from relaxor.core.section import Section


class PfmSettings(Section):
    """Settings of the PFM analysis."""

    wall_exclusion: float = Field(40.0, ge=0)
    """Distance in nm from a domain wall within which pixels belong to no domain: about four times the tip radius."""
    tiles_per_side: int = Field(4, ge=2)
    """An image is cut into so many by so many tiles, the independent samples behind standard errors."""
    settling_fraction: float = Field(0.34, ge=0, lt=1)
    """Share of each bias step, at its begin, that is left out because the lock-in settles."""
