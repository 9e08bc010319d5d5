"""Settings of the AFM analysis."""

from pydantic import Field

from relaxor.core.section import Section


class AfmSettings(Section):
    """Settings of the AFM analysis; heights in nm."""

    z_scale: float = Field(1.0, gt=0)
    """True height over height read, from a step-height standard (1: the scanner reads true)."""
    z_scale_uncertainty: float = Field(0.01, ge=0)
    """Its relative standard uncertainty; 1 % is what a commercial step standard and linearized scanner reach."""
    layer_thickness: float | None = Field(None, gt=0)
    """Thickness of one layer in nm; null: layers are not counted."""
    edge_exclusion: float = Field(1 / 3, ge=0, lt=0.5)
    """Share of the shorter plateau left out on both sides of an edge, as ISO 5436-1 does."""
    bow_degree: int = Field(2, ge=1, le=4)
    """Degree of the background of the whole image: 1 takes tilt off, 2 also the bow of a tube scanner."""
    line_offsets: bool = True
    """Whether each scan line is shifted to the level of the others (drift and noise at low frequency)."""
    outlier: float = Field(4.0, gt=1)
    """Pixels so many robust standard deviations off their level are dust or scars and do not count."""
    batches: int = Field(10, ge=4)
    """Blocks of adjacent scan lines, the independent samples behind standard errors."""
    histogram_bins: int = Field(160, ge=20)
    """Bins of the height histogram between the lowest and the highest pixel that counts."""
