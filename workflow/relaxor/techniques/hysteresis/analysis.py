"""Polarization loops and pulse trains: P from the current, its numbers, and series of loops.

P = ∫I dt / A. Of a lateral device A = thickness × width, because the current flows in the plane of the flake, and
E = V / gap. Of a capacitor A is the area of its plates and E = V / thickness. Each table of the file of a capacitor is
a loop with a background of its own, because temperature and fatigue change what is not switching.

Three models are given for each loop. ``uncorrected`` takes the whole current and removes only offset and drift, as a
closed loop demands. ``leakage_removed`` subtracts the leakage; its energies are those of the literature on energy
storage, W_rec = ∫E dD with the charge D that the dielectric takes part in. ``corrected`` is the switching part: it also
subtracts the capacitance. Leakage and capacitance are fitted where the loops of the device are saturated, which is
tested; a loop that does not saturate has no switching part, and says so. A slim loop, whose branches coincide but for
leakage, has none either.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import xarray as xr

from relaxor.core.results import SCAN, Measurement, Number, Quantity, Result, measured, with_systematic
from relaxor.techniques.hysteresis import quantities as q
from relaxor.techniques.hysteresis.cycles import Cycle, cycles_of
from relaxor.techniques.hysteresis.device import (
    TIMELESS,
    Capacitor,
    Geometry,
    frequency_of,
    geometry_of,
    named,
    recorded,
)
from relaxor.techniques.hysteresis.integration import Loop, integrate_together
from relaxor.techniques.hysteresis.pund import Charge, is_train, pulse_charges
from relaxor.techniques.hysteresis.rows import device_rows, loop_curves, loop_rows, relative_systematic, series_rows
from relaxor.techniques.hysteresis.separate_pulses import instrument_values, separate_charges, stated_charges
from relaxor.techniques.hysteresis.settings import HysteresisSettings

UNEQUAL = "difference of the voltages of the pulses, and one sample of their start"
RESTS = "baseline from the rest before the first pulse against a line through all rests"
"""How the systematic errors of pulses were determined."""


def analyse(measurements: Sequence[Measurement], settings: HysteresisSettings) -> Iterator[Result]:
    """Analyse loops and pulse trains of one sample.

    Parameters
    ----------
    measurements
        Ingested measurements of one sample.
    settings
        See `HysteresisSettings`.

    Raises
    ------
    AnalysisError
        If a file holds no loop and no train, or contradicts the sheet.
    """
    rng = np.random.default_rng(settings.seed)
    measurements = [named(measurement) for measurement in measurements]
    result = Result()
    loops: list[Loop] = []
    for device, parts in _by_device([each for each in measurements if not is_train(each)]):
        first = len(loops)
        for cycles in parts:
            noise = [cycle.replicates(rng, settings.replicates, settings.block) for cycle in cycles]
            found = integrate_together(cycles, noise, settings)
            if not any(TIMELESS in cycle.remark for cycle in cycles):
                result.numbers.extend(device_rows(device, found.saturating, found.backgrounds))
            for cycle, of_cycle in zip(cycles, found.loops, strict=True):
                rows = [row for loop in of_cycle for row in loop_rows(loop, settings)]
                curves = loop_curves(cycle, of_cycle, found.subtracted)
                result.add(Result.of(cycle.measurement, rows, {cycle.region or "loop": curves}))
                loops += of_cycle
        if timed_loops := [loop for loop in loops[first:] if TIMELESS not in loop.cycle.remark]:
            result.numbers.extend(series_rows(device, timed_loops))
    for train in filter(is_train, measurements):
        separate = "pulse" in next(iter(train.regions.values())).dims
        result.add(_separate_pulses(train, settings) if separate else _recorded_trains(train, loops, settings))
    yield result


def _by_device(measurements: Sequence[Measurement]) -> list[tuple[str, list[list[Cycle]]]]:
    """Return every device and its cycles, in groups that share a background.

    The loops of a flake share one; each loop of a capacitor has its own, because its contacts and its state may change.
    """
    devices: dict[tuple[str, Geometry | Capacitor], list[list[Cycle]]] = {}
    for measurement in measurements:
        for cycle in cycles_of(measurement):
            geometry = cycle.geometry
            if isinstance(geometry, Geometry):
                devices.setdefault((f"device_{geometry.thickness:g}nm", geometry), [[]])[0].append(cycle)
            else:
                devices.setdefault((measurement.id, geometry), []).append([cycle])
    return [(device, parts) for (device, _), parts in devices.items()]


def _separate_pulses(measurement: Measurement, settings: HysteresisSettings) -> Result:
    """Analyse trains that were recorded pulse by pulse, with the polarization of the tester itself."""
    numbers: list[Number] = []
    for region, data in measurement.regions.items():
        remark = data.attrs.get("remark", "")
        tester = {quantity: (value, np.nan) for quantity, value in instrument_values(data).items()}
        method = f"from the polarization column of the tester{remark}"
        numbers += measured(measurement, q.TESTER, tester, method, feature=region)
        geometry = geometry_of(measurement, data)
        method = f"integral of I dt / A from the start of each pulse; errors of the noise of single samples{remark}"
        rows = _pund_rows(measurement, separate_charges(data, geometry), method, 4 * data["time"].size, region)
        numbers += with_systematic(rows, q.QUANTITIES, relative_systematic(geometry, settings))
    return Result.of(measurement, numbers, measurement.regions)


def _recorded_trains(measurement: Measurement, loops: Sequence[Loop], settings: HysteresisSettings) -> Result:
    """Analyse the trains of a file, one for each run; the curves of several runs have their names."""
    runs = {"": measurement.only} if len(measurement.regions) == 1 or SCAN in measurement.conditions else None
    rows: list[Number] = []
    curves: dict[str, xr.Dataset] = {}
    for run, data in (runs or measurement.regions).items():
        found, pulses = _recorded_train(measurement, run, data, loops, settings)
        rows += found
        curves |= {f"{run} {letter}".strip(): pulse for letter, pulse in pulses.items()}
    return Result.of(measurement, rows, curves)


def _recorded_train(
    measurement: Measurement, run: str, data: xr.Dataset, loops: Sequence[Loop], settings: HysteresisSettings
) -> tuple[list[Number], dict[str, xr.Dataset]]:
    """Analyse a train that was recorded without interruption, and compare it with the loops of its device."""
    geometry, remark = geometry_of(measurement, data), data.attrs.get("remark", "")
    charges, curves, counts = pulse_charges(f"{measurement.id}{run and f': {run}'}", data, geometry)
    if max(counts.values()) > 1:
        averaged = ", ".join(f"{counts[letter]} {letter}" for letter in "PUND")
        remark = f"; means of {averaged}, errors of their scatter where it exceeds the noise{remark}"
    first = any(charge.baseline for charge in charges.values())
    baseline = "the rest before the first pulse, as later rests are on no line" if first else "the rests"
    method = f"integral of I dt / A from the start of a pulse; baseline from {baseline}{remark}"
    rows = _pund_rows(measurement, charges, method, data["time"].size, run)
    stated = {quantity: (value, np.nan) for quantity, value in stated_charges(data, geometry.area).items()}
    rows += measured(measurement, q.TESTER, stated, "charge that the instrument states, over the area", feature=run)
    rows = with_systematic(rows, q.QUANTITIES, relative_systematic(geometry, settings))
    if isinstance(geometry, Geometry):
        rows += _against_loop(measurement, geometry, charges[q.REMANENT_SWITCHED_POLARIZATION], loops, remark)
    return rows, {letter: curve.assign_attrs(run=run, letter=letter) for letter, curve in curves.items()}


def _pund_rows(
    measurement: Measurement, charges: Mapping[Quantity, Charge], method: str, n: int, region: str = ""
) -> list[Number]:
    """Return the numbers of the polarization that pulses move."""
    rows: list[Number] = []
    for quantity, charge in charges.items():
        margin = charge.quantile * charge.error
        interval = {"ci_low": charge.value - margin, "ci_high": charge.value + margin}
        value = {quantity: (charge.value, charge.error)}
        flag = recorded(method)
        found = measured(measurement, q.PUND, value, method, n=n, feature=region, adequacy=flag, **interval)
        rows += [
            row.with_component(q.UNEQUAL_PULSES, charge.unequal, UNEQUAL).with_component(
                q.BASELINE, charge.baseline, RESTS
            )
            for row in found
        ]
    return rows


def _against_loop(
    measurement: Measurement, geometry: Geometry, switched: Charge, loops: Sequence[Loop], remark: str
) -> list[Number]:
    """Compare the remanent switched polarization of pulses with the opening of the corrected loop at zero field."""
    frequency = frequency_of(measurement)
    same = [
        loop
        for loop in loops
        if loop.model == q.CORRECTED and loop.cycle.geometry == geometry and np.isclose(loop.cycle.frequency, frequency)
    ]
    if not same:
        return []
    loop = max(same, key=lambda one: one.amplitude)
    plus, drawn_plus = loop.numbers[q.REMANENT_POLARIZATION["positive"]]
    minus, drawn_minus = loop.numbers[q.REMANENT_POLARIZATION["negative"]]
    opening, error = plus - minus, float((drawn_plus - drawn_minus).std(ddof=1))
    difference = switched.value - opening, float(np.hypot(switched.error, error))
    return measured(
        measurement,
        q.PUND_MINUS_LOOP,
        {q.LOOP_OPENING: (opening, error), q.REMANENCE_DIFFERENCE: difference},
        "remanent switched polarization of PUND against the difference of the remanent polarizations of "
        f"{loop.cycle.measurement.id}{remark}{loop.cycle.remark}",
    )
