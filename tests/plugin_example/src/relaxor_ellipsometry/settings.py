"""Settings of the ellipsometry."""

from relaxor.core.section import Section, setting


class EllipsometrySettings(Section):
    """Settings of the ellipsometry of bulk samples."""

    angle_uncertainty: float = setting(0.01, "degree", source="goniometers of this kind", ge=0)
    """Standard uncertainty of the angle of incidence, which all wavelengths share."""
