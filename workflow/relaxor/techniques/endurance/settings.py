"""Settings of endurance and retention."""

from relaxor.core.section import Section, setting


class EnduranceSettings(Section):
    """Settings of endurance and retention."""

    part_left: float = setting(0.5, source="assumed", gt=0, lt=1)
    """Part of the first window at which the endurance ends."""
    extrapolated_years: float = setting(10.0, "year", source="usual statement of retention", gt=0)
    """Time for which the laws of retention are stated."""
