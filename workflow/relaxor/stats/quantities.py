"""Quantities that every technique has: those of fits and of their comparison."""

from relaxor.core.results import Quantity

AICC = Quantity("aicc", "1", "Akaike's criterion with the small-sample term; the smaller, the better the model")
