"""Settings of the AFM analysis."""

from relaxor.core.section import Section, setting


class AfmSettings(Section):
    """Settings of the AFM analysis."""

    z_scale: float = setting(1.0, source="assumed: the scanner reads true heights", gt=0)
    """Ratio of the true height to the height that the scanner reads, from a step-height standard."""
    z_scale_uncertainty: float = setting(0.01, source="reached with a commercial step-height standard", ge=0)
    """Relative standard uncertainty of the height scale; all heights share it as their systematic error."""
    layer_thickness: float | None = setting(None, "nm", gt=0)
    """Thickness of one layer of the crystal; layers are not counted where it is null."""
    edge_exclusion: float = setting(1 / 3, source="assumed; ISO 5436-1 leaves out so much of a groove", ge=0, lt=0.5)
    """Fraction of the shorter plateau that is left out on both sides of an edge of the flake in the widest window."""
    bow_degree: int = setting(2, source="the bow of a tube scanner is quadratic", ge=1, le=4)
    """Degree of the polynomial background of the whole image: 1 removes the tilt, 2 also the bow."""
    line_offsets: bool = True
    """Whether each scan line is shifted to the level of the others, which removes drift and low-frequency noise."""
    outlier: float = setting(4.0, source="assumed", gt=1)
    """Number of robust standard deviations from its level beyond which a pixel counts as dust or as a scar."""
    batches: int = setting(10, source="assumed", ge=4)
    """Number of blocks of adjacent scan lines; they are the independent samples behind the standard errors."""
    histogram_bins: int = setting(160, source="assumed", ge=20)
    """Number of bins of the height histogram between the lowest and the highest pixel that is not an outlier."""
