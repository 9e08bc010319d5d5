"""Polarization loops: P from the current, corrected and as it is, its numbers, their series, and PUND.

P = ∫I dt / A with A = thickness × width, because the current flows in the plane of the flake; E = V / gap. Of a
capacitor A is the area of its plates and E = V / thickness; each table of its file is a loop with models of its own
(``corrected_table_1``, …), for temperature and fatigue change what is not switching.

Two models compete for each loop: ``uncorrected`` takes all current for switching (only offset and drift are removed,
which a closed loop demands), ``corrected`` first subtracts the capacitance and conductance of the device, fitted where
its loops are saturated; where none is, ``uncorrected`` stands alone. Definitions of the energies: W_st = ∫E dP loading,
W_rec unloading, η = W_rec / W_st.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from relaxor.core.results import Measurement, Number, Result, measured, provenance
from relaxor.techniques.hysteresis.capacitor import Capacitor
from relaxor.techniques.hysteresis.cycles import Cycle, cycles_of
from relaxor.techniques.hysteresis.device import Geometry, frequency_of, geometry_of, named
from relaxor.techniques.hysteresis.integration import CORRECTED, Loop, integrate_together
from relaxor.techniques.hysteresis.pund import Charge, instrument_values, is_train, pulse_charges, separate_charges
from relaxor.techniques.hysteresis.rows import device_rows, loop_groups, loop_rows, relative_systematic, series_rows
from relaxor.techniques.hysteresis.settings import HysteresisSettings

TESTER_UNITS = {"v": "V", "p": "uC/cm^2", "d": "uC/cm^2"}
"""First letter of what a tester derives → its unit."""


def analyse(measurements: Sequence[Measurement], settings: HysteresisSettings) -> Result:
    """Analyse loops and pulse trains of one sample.

    Parameters
    ----------
    measurements
        Ingested measurements of one sample.
    settings
        See `HysteresisSettings`.
    """
    shared = (settings.thickness_uncertainty, settings.width_uncertainty, settings.gap_uncertainty)
    rng = np.random.default_rng(settings.seed)
    measurements = [named(measurement) for measurement in measurements]
    rows: list[Number] = []
    groups: dict[str, xr.Dataset] = {}
    loops: list[Loop] = []
    for device, parts in _by_device([each for each in measurements if not is_train(each)]):
        first = len(loops)
        for cycles in parts:
            found = integrate_together(
                cycles,
                [cycle.replicates(rng, settings.replicates, settings.block) for cycle in cycles],
                leakage=settings.leakage,
                saturation_field=settings.saturation_field,
                saturated=(settings.saturated_rising, settings.saturated_falling),
                peak_window=settings.peak_window,
            )
            rows += device_rows(device, found.saturating, found.backgrounds)
            for cycle, of_cycle in zip(cycles, found.loops, strict=True):
                rows += [row for loop in of_cycle for row in loop_rows(loop, shared, found.remark)]
                loops += of_cycle
                groups |= loop_groups(cycle, of_cycle, found.backgrounds.get(settings.leakage))
        rows += series_rows(device, loops[first:])
    for train in filter(is_train, measurements):
        train_rows, train_groups = _train(train, loops, shared)
        rows += train_rows
        groups |= train_groups
    return Result(rows, groups)


def _by_device(measurements: Sequence[Measurement]) -> list[tuple[str, list[list[Cycle]]]]:
    """Return every device and its cycles, together those that share what is not switching.

    That is the loops of a flake, but of a capacitor only each loop with itself: its contacts and its state may change.
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


def _train(
    measurement: Measurement, loops: Sequence[Loop], shared: tuple[float, float, float]
) -> tuple[list[Number], dict[str, xr.Dataset]]:
    """Analyse a pulse train: recorded as one train, or pulse by pulse with the tester's own polarization."""
    groups = {measurement.id: xr.Dataset(attrs=provenance(measurement))}
    if "pulse" in next(iter(measurement.regions.values())).dims:
        rows = []
        for region, data in measurement.regions.items():
            remark = data.attrs.get("remark", "")
            tester = {name: (value, np.nan, TESTER_UNITS[name[0]]) for name, value in instrument_values(data).items()}
            rows += measured(measurement, f"tester_{region}", tester, f"from the tester's polarization column{remark}")
            geometry = geometry_of(measurement, data)
            rows += _pund_rows(
                measurement,
                f"pund_{region}",
                separate_charges(data, geometry),
                relative_systematic("p_", geometry, shared),
                f"integral of I dt / A from the start of each pulse; errors of the noise of single samples{remark}",
                4 * data["time"].size,
            )
            groups |= {f"{measurement.id}/{region}": data}
        return rows, groups
    geometry, remark = geometry_of(measurement, measurement.only), measurement.only.attrs.get("remark", "")
    results, curves, counts = pulse_charges(measurement, geometry)
    if max(counts.values()) > 1:
        averaged = ", ".join(f"{counts[letter]} {letter}" for letter in "PUND")
        remark = f"; means of {averaged}, errors of their scatter where it exceeds the noise{remark}"
    rows = _pund_rows(
        measurement,
        "pund",
        results,
        relative_systematic("p_", geometry, shared),
        f"integral of I dt / A from the start of a pulse; baseline from the rests{remark}",
        measurement.only["time"].size,
    )
    groups |= {f"{measurement.id}/{letter}": curve for letter, curve in curves.items()}
    if isinstance(geometry, Capacitor):
        return rows, groups
    return rows + _against_loop(measurement, geometry, results["remanent_switched"], loops), groups


def _pund_rows(
    measurement: Measurement, model: str, charges: Mapping[str, Charge], systematic: float, method: str, n: int
) -> list[Number]:
    """Make the rows of what pulses move; ``systematic`` is relative."""
    return [
        Number(
            measurement.id,
            model,
            name,
            charge.value,
            charge.error,
            abs(charge.value) * systematic,
            charge.value - charge.quantile * charge.error,
            charge.value + charge.quantile * charge.error,
            "uC/cm^2",
            method,
            n,
            raw_sha256=measurement.attrs["raw_sha256"],
            origin=measurement.attrs["origin"],
        )
        for name, charge in charges.items()
    ]


def _against_loop(
    measurement: Measurement, geometry: Geometry, switched: Charge, loops: Sequence[Loop]
) -> list[Number]:
    """Compare what PUND says remains switched with the opening of the corrected loop at zero field."""
    frequency = frequency_of(measurement)
    same = [
        loop
        for loop in loops
        if loop.model == CORRECTED and loop.cycle.geometry == geometry and np.isclose(loop.cycle.frequency, frequency)
    ]
    if not same:
        return []
    loop = max(same, key=lambda one: one.amplitude)
    (plus, drawn_plus), (minus, drawn_minus) = loop.numbers["p_r_plus"], loop.numbers["p_r_minus"]
    opening, error = plus - minus, float((drawn_plus - drawn_minus).std(ddof=1))
    rows = measured(
        measurement,
        "pund_minus_loop",
        {
            "loop_opening": (opening, error, "uC/cm^2"),
            "remanence_difference": (switched.value - opening, float(np.hypot(switched.error, error)), "uC/cm^2"),
        },
        f"remanent switched polarization of PUND against p_r_plus - p_r_minus of {loop.cycle.measurement.id}"
        f"{measurement.only.attrs.get('remark', '')}{loop.cycle.remark}",
    )
    return rows
