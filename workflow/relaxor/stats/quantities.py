"""Quantities that every technique has: those of fits and of their comparison."""

from relaxor.core.results import Quantity

AICC = Quantity("aicc", "1", "Akaike's criterion with the small-sample term; the smaller, the better the model")


def of_polarities(
    name: str, unit: str, meaning: str, systematic: str = "", uncalibrated: bool = False
) -> dict[str, Quantity]:
    """Return a quantity of each polarity; ``{}`` in the meaning is replaced by the polarity."""
    return {
        polarity: Quantity(f"{name}_{polarity}", unit, meaning.format(polarity), systematic, uncalibrated)
        for polarity in ("positive", "negative")
    }
