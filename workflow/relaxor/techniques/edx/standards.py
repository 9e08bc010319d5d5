"""Standards that were measured beside a specimen: the k-ratios, and the k-factors with which it is quantified.

A k-ratio is the counts of a family per dose (live time times probe current) divided by those of the standard
(Castaing's first approximation; Goldstein et al., doi 10.1007/978-1-4939-6676-9).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Adequacy, Measurement, Number, measured
from relaxor.techniques.edx import quantities as q
from relaxor.techniques.edx.settings import EdxSettings

METHOD = "counts per dose, divided by those of the standard"


@dataclass(frozen=True)
class Rate:
    """Counts of a family per dose on a standard.

    Attributes
    ----------
    value, error
        Counts per second and nanoampere, and their standard error.
    adequacy
        What is known of the fit of the standard.
    """

    value: float
    error: float
    adequacy: Adequacy


def dose_of(measurement: Measurement) -> float:
    """Return live time times probe current, s nA.

    Raises
    ------
    AnalysisError
        If the file states one of them not.
    """
    attrs = measurement.only.attrs
    current = attrs.get("probe_current_nA", attrs.get("beam_current_nA", math.nan))
    dose = float(attrs.get("live_time_s", math.nan)) * float(current)
    if not dose > 0:
        raise AnalysisError(
            f"{measurement.id}: standards need the live time and the probe current of every spectrum, which the file "
            "does not state"
        )
    return dose


def settings_of_standard(settings: EdxSettings, name: str) -> EdxSettings:
    """Return the settings with which a standard is fitted: only its own elements have lines.

    Raises
    ------
    AnalysisError
        If its element is not one that is quantified.
    """
    standard = settings.standards[name]
    if standard.element not in settings.quantified:
        raise AnalysisError(f"edx.standards.{name}: {standard.element} is not an element that is quantified")
    elements = {symbol: each for symbol, each in settings.elements.items() if symbol in standard.composition}
    return settings.model_copy(update={"elements": elements, "reference": standard.element, "standards": {}})


def require_standards(settings: EdxSettings, names: Iterable[str]) -> None:
    """Refuse standards that were not measured, and elements without one.

    Raises
    ------
    AnalysisError
        Naming what is missing.
    """
    if missing := sorted(settings.standards.keys() - set(names)):
        raise AnalysisError(f"edx.standards: no measurement of this sample is named {', '.join(missing)}")
    known = {each.element for each in settings.standards.values()}
    if without := [symbol for symbol in settings.quantified if symbol not in known]:
        raise AnalysisError(f"edx.standards: {', '.join(without)} has no standard; give one for every element")


def with_factors(settings: EdxSettings, rates: Mapping[str, Rate]) -> EdxSettings:
    """Return the settings with the k-factors that standards give; ``rates`` are those of the elements."""
    elements = dict(settings.elements)
    for each in settings.standards.values():
        rate = rates[each.element]
        fraction = each.composition[each.element] / sum(each.composition.values())
        error = math.hypot(rate.error / rate.value, settings.dose_uncertainty)
        known = {"k_factor": fraction / rate.value, "standard": each.composition, "k_uncertainty": error}
        elements[each.element] = elements[each.element].model_copy(update=known)
    return settings.model_copy(update={"elements": elements})


def ratio_rows(
    measurement: Measurement,
    counts: Mapping[str, tuple[float, float]],
    rates: Mapping[str, Rate],
    adequacy: Adequacy,
    settings: EdxSettings,
) -> list[Number]:
    """Return the k-ratios of a specimen; ``counts`` are those of its families with errors, by element."""
    dose, rows = dose_of(measurement), []
    for symbol, (value, error) in counts.items():
        rate = rates[symbol]
        ratio = value / dose / rate.value
        spread = math.hypot(error / dose / rate.value, ratio * rate.error / rate.value)
        key = q.K_RATIO, settings.quantified[symbol]
        (row,) = measured(
            measurement, q.LINE_FAMILIES, {key: (ratio, spread)}, METHOD, adequacy=adequacy.joined(rate.adequacy)
        )
        source = f"dose_uncertainty of the settings, {100 * settings.dose_uncertainty:g} %"
        rows.append(row.with_component("dose", ratio * settings.dose_uncertainty, source))
    return rows
