"""Numbers of loops, of devices and of series of loops, and the curves of a loop."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from relaxor.core.results import Number, Quantity, Status, measured, with_systematic
from relaxor.core.variables import dataset, variable
from relaxor.stats.adequacy import judge_beside
from relaxor.stats.quantities import AICC
from relaxor.techniques.hysteresis import quantities as q
from relaxor.techniques.hysteresis.background import Background
from relaxor.techniques.hysteresis.cycles import Cycle
from relaxor.techniques.hysteresis.device import Capacitor, Geometry
from relaxor.techniques.hysteresis.integration import STRAIGHT, Loop
from relaxor.techniques.hysteresis.settings import HysteresisSettings

SPREAD = {
    q.SATURATED_PART: "change of the number when the parts of the loop that count as saturated become smaller",
    q.FORM: "difference from another form of the leakage",
}
"""How each systematic component of a loop was determined."""
CURRENTS = {
    q.CORRECTED: "Switching current",
    q.LEAKAGE_REMOVED: "Current without leakage",
    q.UNCORRECTED: "Current",
}
"""What the current of the best loop of a cycle is."""
PARTS = {q.REVERSIBLE: "the mean of both branches"}
"""To what a background was fitted, where that is not the saturated parts."""
BEGUN_ELSEWHERE = (
    "the branch was not begun from the remanence that the opposite field leaves (a virgin or relaxed sample, or a loop "
    "that leakage opens): it has no coercive field; record a second cycle"
)
"""Why the first branch of a single cycle has no coercive field."""
SAME_AMPLITUDE = 0.02
"""Relative difference within which two amplitudes count as equal."""


def relative_systematic(geometry: Geometry | Capacitor, settings: HysteresisSettings) -> dict[str, float]:
    """Return the relative systematic errors by their kind; charges go as 1/area, fields as 1/distance."""
    area, distance = geometry.relative_errors(
        settings.thickness_uncertainty, settings.width_uncertainty, settings.gap_uncertainty
    )
    return {q.CROSS_SECTION: area, q.DISTANCE: distance, q.VOLUME: float(np.hypot(area, distance))}


def loop_rows(loop: Loop, settings: HysteresisSettings) -> list[Number]:
    """Return the numbers of a loop; a misfit of its background widens their errors."""
    cycle, measurement = loop.cycle, loop.cycle.measurement
    of_loop = loop.adequacy.joined(cycle.adequacy)
    rows = []
    for quantity, (value, drawn) in loop.numbers.items():
        # The slope of a straight loop asks for no saturation and no background.
        adequacy = cycle.adequacy if quantity in q.LINEAR else of_loop
        estimate = {quantity: (value, adequacy.scale * float(np.nanstd(drawn, ddof=1)), adequacy)}
        method = cycle.method + cycle.remark
        (row,) = measured(measurement, loop.model, estimate, method, n=cycle.residual.size, feature=cycle.region)
        for name, errors in (loop.budget or {}).items():
            row = row.with_component(name, errors.get(quantity, 0.0), SPREAD[name])
        if quantity in q.COERCIVE_FIELD.values() and not loop.saturated:
            row = row.flagged(
                Status.NOT_IDENTIFIED, "not saturated: a minor loop has no coercive field of the material"
            )
        if quantity in q.LINEAR and loop.bend > STRAIGHT:
            bend = f"misfit: the loop departs from a straight line by {100 * loop.bend:.2g} % (rms of its polarization)"
            row = row.flagged(Status.MISFIT, bend)
        rows.append(row)
    rows = with_systematic(rows, q.QUANTITIES, relative_systematic(cycle.geometry, settings))
    rows = [_without_value(row) if loop.unset and row.parameter == loop.unset.name else row for row in rows]
    lateral = isinstance(cycle.geometry, Geometry)
    if loop.model == q.CORRECTED and lateral and "thickness_alternative" in measurement.conditions:
        rows += _with_alternative_thickness(loop, rows)
    return rows


def _without_value(row: Number) -> Number:
    """Return the row of a coercive field that the first branch of a single cycle does not have."""
    nothing = replace(row, value=math.nan, standard_error=math.nan, ci_low=math.nan, ci_high=math.nan, budget=())
    return nothing.flagged(Status.NOT_IDENTIFIED, BEGUN_ELSEWHERE)


def _with_alternative_thickness(loop: Loop, rows: Iterable[Number]) -> list[Number]:
    """Repeat the numbers that go as the reciprocal of the cross-section with the alternative thickness of the sheet."""
    other = loop.cycle.measurement.condition("thickness_alternative", "nm")
    scale = loop.cycle.geometry.thickness / other
    scaled = {quantity.name for quantity in q.QUANTITIES if quantity.systematic in (q.CROSS_SECTION, q.VOLUME)}
    return [
        row.scaled(
            scale,
            model=q.ALTERNATIVE_THICKNESS,
            method=f"as '{q.CORRECTED}', with the thickness read as {other:g} nm{loop.cycle.remark}",
            at=other,
            at_unit="nm",
        )
        for row in rows
        if row.parameter in scaled
    ]


def device_rows(device: str, cycles: Sequence[Cycle], backgrounds: Mapping[str, Background]) -> list[Number]:
    """Return the backgrounds of a device, which were fitted to its saturating cycles."""
    rows = []
    for model, background in backgrounds.items():
        drawn = zip(background.parameters, background.values, background.replicates.T, strict=False)
        values = {quantity: (value, replicates.std(ddof=1)) for quantity, value, replicates in drawn}
        freedom = background.n - len(background.parameters)
        remarks = _remarks(cycles)
        beside = {
            name: other
            for name, other in backgrounds.items()
            if other is background or (other.n == background.n and other.adequacy.status == Status.OK)
        }
        judgement = judge_beside(background.aicc, {name: other.aicc for name, other in beside.items()})
        found = measured(
            cycles[0].measurement,
            model,
            {quantity: (value, background.adequacy.scale * error) for quantity, (value, error) in values.items()}
            | {AICC: (background.aicc, 0.0)},
            f"least squares in {PARTS.get(model, 'the saturated parts')} of the loops; block bootstrap{remarks}",
            n=background.n,
            reduced_chi_square=background.chi_square / freedom,
            raw_sha256=_sources(cycles),
            feature=cycles[0].region,
            adequacy=background.adequacy.joined(judgement),
        )
        spread = {quantity.name: _spread(quantity, background, list(beside.values())) for quantity in values}
        rows += [row.with_component(q.FORM, spread.get(row.parameter, 0.0), SPREAD[q.FORM]) for row in found]
    return [replace(row, measurement=device) for row in rows]


def _spread(quantity: Quantity, background: Background, others: Sequence[Background]) -> float:
    """Return how far the laws that have a parameter are from that of a background, by their Akaike weights.

    Burnham & Anderson, doi 10.1177/0049124104268644.
    """
    sharing = [other for other in others if quantity in other.parameters]
    criteria = np.array([other.aicc for other in sharing])
    own, *values = (each.values[each.parameters.index(quantity)] for each in (background, *sharing))
    return float(np.sqrt(np.average((np.array(values) - own) ** 2, weights=np.exp((criteria.min() - criteria) / 2))))


def _remarks(cycles: Iterable[Cycle]) -> str:
    return "".join(dict.fromkeys(cycle.remark for cycle in cycles))


def _sources(cycles: Iterable[Cycle]) -> str:
    return ",".join(dict.fromkeys(cycle.measurement.attrs["raw_sha256"] for cycle in cycles))


def series_rows(device: str, loops: Sequence[Loop]) -> list[Number]:
    """Fit the switching fields against the logarithm of the frequency, for loops of the device's largest amplitude."""
    largest = max(loop.amplitude for loop in loops)
    chosen = [loop for loop in loops if loop.model == q.CORRECTED and loop.amplitude > largest * (1 - SAME_AMPLITUDE)]
    rows = []
    for field, per_decade in q.PER_DECADE.items():
        series = [loop for loop in chosen if field in loop.numbers]
        decades = np.log10([loop.cycle.frequency for loop in series])
        if len(np.unique(decades)) < 3:
            continue
        values, errors = np.array([(loop.numbers[field][0], loop.numbers[field][1].std(ddof=1)) for loop in series]).T
        matrix = np.stack([decades, np.ones_like(decades)], axis=-1) / errors[:, None]
        solution, *_ = np.linalg.lstsq(matrix, values / errors, rcond=None)
        covariance = np.linalg.inv(matrix.T @ matrix)
        residual = values / errors - matrix @ solution
        rows += measured(
            series[0].cycle.measurement,
            q.LOGARITHMIC,
            {per_decade: (solution[0], np.sqrt(covariance[0, 0]))},
            "weighted straight line through the loops of largest amplitude against log10(frequency)"
            + _remarks(loop.cycle for loop in series),
            n=len(series),
            reduced_chi_square=float(residual @ residual) / (len(series) - 2),
            raw_sha256=_sources(loop.cycle for loop in series),
        )
    return [replace(row, measurement=device) for row in rows]


def loop_curves(cycle: Cycle, found: Sequence[Loop], background: Background | None) -> xr.Dataset:
    """Return the curves of a loop over one period: P in each model, and the current with its components."""
    best, uncorrected = found[0], found[-1]
    drive = best.drive
    lines = {
        "field": (drive.field, "kV/cm", "Electric field"),
        "polarization": (best.polarization, "uC/cm^2", "Polarization"),
        "polarization_uncertainty": (best.uncertainty, "uC/cm^2", "standard uncertainty of polarization"),
        "polarization_uncorrected": (uncorrected.polarization, "uC/cm^2", "Polarization, uncorrected"),
        "current": (uncorrected.current, "A", "Current"),
        "switching_current": (best.current, "A", CURRENTS[best.model]),
    }
    if background is not None:
        leakage, both = (drive.roll(background.current(cycle, dielectric=part)[0]) for part in (False, True))
        lines["leakage_current"] = leakage, "A", "Leakage current"
        if best.model == q.CORRECTED:
            lines["capacitive_current"] = both - leakage, "A", "Capacitive current"
    time = np.arange(len(drive.field)) * (cycle.time[1] - cycle.time[0])
    attrs = {
        "turn": drive.top,
        "thickness_nm": cycle.geometry.thickness,
        "frequency_hz": cycle.frequency,
        "amplitude_kv_cm": best.amplitude,
        "model": best.model,
        **({"shift": drive.shift} if cycle.region else {}),
    }
    curves = dataset("time", lines, {"time": (time, "s", "Time")}, **attrs)
    curves["current_uncertainty"] = variable((), cycle.noise, "A", "standard uncertainty of current")
    return curves
