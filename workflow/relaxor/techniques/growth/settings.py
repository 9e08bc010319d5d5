"""Settings of the growth analysis."""

from relaxor.core.section import Section, setting


class GrowthSettings(Section):
    """Settings of the growth analysis."""

    soak_level: float = setting(0.98, source="assumed", gt=0.5, lt=1)
    """The fraction of the rise to the highest temperature above which a reading counts as part of the soak when the
    starting values of the fit are determined."""
    soak_margin: float = setting(1.0, "hour", source="assumed", ge=0)
    """The time that is left out at both ends of the soak when its stability and its drift are determined."""
