"""Settings of the PFM analysis."""

from relaxor.core.section import Section, setting


class PfmSettings(Section):
    """Settings of the PFM analysis."""

    wall_exclusion: float = setting(40.0, "nm", source="assumed: about four times the radius of the tip", ge=0)
    """Distance from a domain wall within which pixels are assigned to no domain."""
    tiles_per_side: int = setting(4, source="assumed", ge=2)
    """Number of tiles along each side of an image; the tiles are the independent samples behind standard errors."""
    settling_fraction: float = setting(0.34, source="assumed: two of six samples", ge=0, lt=1)
    """Fraction of each bias step that is left out at its beginning, while the lock-in amplifier settles."""
