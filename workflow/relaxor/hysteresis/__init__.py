"""Polarization loops: P from the current, corrected and as it is, its numbers, their series, and PUND.

P = ∫I dt / A with A = thickness × width, because the current flows in the plane of the flake; E = V / gap. Of a
capacitor A is the area of its plates and E = V / thickness; each table of its file is a loop with models of its own
(``corrected_table_1``, …), for temperature and fatigue change what is not switching.

Two models compete for each loop: ``uncorrected`` takes all current for switching (only offset and drift are removed,
which a closed loop demands), ``corrected`` first subtracts the capacitance and conductance of the device, fitted where
its loops are saturated; where none is, ``uncorrected`` stands alone. Definitions of the energies: W_st = ∫E dP loading,
W_rec unloading, η = W_rec / W_st.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from relaxor.capacitor import Capacitor
from relaxor.data import Measurement, Number, load, measured, provenance, save_parameters, save_tree
from relaxor.hysteresis.background import (
    BACKGROUNDS,
    UNITS,
    Background,
    Cycle,
    Geometry,
    cycles_of,
    fit_background,
    geometry_of,
    named,
    switching_current,
)
from relaxor.hysteresis.loops import MICROCOULOMB, Drive, centred, describe, loop_charge, switching_fields
from relaxor.hysteresis.pund import instrument_values, is_train, pulse_charges, separate_charges

PREFIX_UNITS = {"p_": "uC/cm^2", "e_": "kV/cm", "w_": "mJ/cm^3", "efficiency": "1"}
TESTER_UNITS = {"v": "V", "p": "uC/cm^2", "d": "uC/cm^2"}
"""First letter of what a tester derives → its unit."""
CORRECTED, UNCORRECTED = "corrected", "uncorrected"
RATE_FIELDS = ("e_f_plus", "e_a_plus", "e_f_minus", "e_a_minus")
SAME_AMPLITUDE = 0.02
"""Relative difference within which two amplitudes count as equal."""


@dataclass(frozen=True)
class Loop:
    """A loop of one model: its curve and its numbers, each with bootstrap replicates.

    Attributes
    ----------
    numbers
        Parameter → (value, replicates of it).
    """

    cycle: Cycle
    model: str
    drive: Drive
    current: np.ndarray
    polarization: np.ndarray
    uncertainty: np.ndarray
    numbers: Mapping[str, tuple[float, np.ndarray]]

    @property
    def amplitude(self) -> float:
        """Largest field in kV/cm."""
        return float(self.drive.field.max())

    @property
    def saturates(self) -> bool:
        """Whether no remanence exceeds the polarization at the largest field, as it must where all has switched."""
        p_max, plus, minus = (self.numbers[name][0] for name in ("p_max", "p_r_plus", "p_r_minus"))
        return p_max >= max(plus, -minus)


def analyse(
    data: str,
    parameters: str,
    curves: str,
    *,
    leakage: str,
    saturation_field: float,
    saturated_rising: float,
    saturated_falling: float,
    peak_window: float,
    replicates: int,
    block: int,
    seed: int,
    thickness_uncertainty: float,
    width_uncertainty: float,
    gap_uncertainty: float,
) -> None:
    """Analyse loops and pulse trains of one sample.

    Parameters
    ----------
    data, parameters, curves
        Ingested measurements; table and curves to write.
    leakage
        Model of what is not switching: ``capacitance``, ``ohmic`` or ``ohmic_cubic``. All are fitted and compared.
    saturation_field
        Amplitude from which a loop counts as saturating, kV/cm.
    saturated_rising, saturated_falling
        Fractions of the amplitude beyond which P is saturated, while the field grows and while it shrinks.
    peak_window
        Half width of the top of a current peak that is fitted, kV/cm.
    replicates, block, seed
        Of the block bootstrap: number, samples a block, seed.
    thickness_uncertainty, width_uncertainty, gap_uncertainty
        Standard uncertainties that all loops of a device share: nm, µm, µm.
    """
    shared = (thickness_uncertainty, width_uncertainty, gap_uncertainty)
    rng = np.random.default_rng(seed)
    measurements = [named(measurement) for measurement in load(data)]
    trains = [measurement for measurement in measurements if is_train(measurement)]
    devices: dict[tuple[str, Geometry | Capacitor], list[list[Cycle]]] = {}
    for measurement in measurements:
        if measurement not in trains:
            for cycle in cycles_of(measurement):
                geometry = cycle.geometry
                if isinstance(geometry, Geometry):  # the loops of a flake share what is not switching
                    devices.setdefault((f"device_{geometry.thickness:g}nm", geometry), [[]])[0].append(cycle)
                else:
                    devices.setdefault((measurement.id, geometry), []).append([cycle])
    rows: list[Number] = []
    groups: dict[str, xr.Dataset] = {}
    loops: list[Loop] = []
    for (device, _), parts in devices.items():
        first = len(loops)
        for cycles in parts:
            noise = [cycle.replicates(rng, replicates, block) for cycle in cycles]
            large = [index for index, cycle in enumerate(cycles) if cycle.field.max() >= saturation_field]
            backgrounds = {
                model: fit_background(
                    [cycles[index] for index in large],
                    [noise[index] for index in large],
                    model,
                    rising=saturated_rising,
                    falling=saturated_falling,
                )
                for model in (BACKGROUNDS if large else ())
            }
            models: dict[str, Background | None] = {CORRECTED: backgrounds[leakage]} if large else {}
            models[UNCORRECTED] = None
            found = [
                [integrate(cycle, drawn, *model, peak_window) for model in models.items()]
                for cycle, drawn in zip(cycles, noise, strict=True)
            ]
            remark = ""
            if not large:
                remark = f"; no loop reaches {saturation_field:g} kV/cm, so that no background is known"
            elif cycles[0].region and not found[0][0].saturates:
                remark = "; what a background leaves at the largest field is less than the remanence: not saturated"
                found, backgrounds, models = [found[0][1:]], {}, {UNCORRECTED: None}
            rows += _device_rows(device, [cycles[index] for index in large], backgrounds)
            for cycle, of_cycle in zip(cycles, found, strict=True):
                for loop in of_cycle:
                    rows += _loop_rows(loop, shared, remark)
                loops += of_cycle
                groups |= _loop_groups(cycle, of_cycle, models.get(CORRECTED))
        rows += _series_rows(device, loops[first:])
    for train in trains:
        train_rows, train_groups = _train(train, loops, shared)
        rows += train_rows
        groups |= train_groups
    save_parameters(parameters, rows)
    save_tree(curves, groups)


def integrate(cycle: Cycle, noise: np.ndarray, model: str, background: Background | None, peak_window: float) -> Loop:
    """Integrate the current of a cycle to a centred loop, with the noise of the current carried along.

    Parameters
    ----------
    cycle
        Mean cycle.
    noise
        Bootstrap replicates of its noise, shape (b, n).
    model
        Name that the loop's rows carry.
    background
        What is subtracted first; none: nothing.
    peak_window
        See `switching_fields`.
    """
    current, drawn = cycle.current, cycle.current + noise
    if background is not None:
        current = switching_current(cycle, current, background.values)
        drawn = switching_current(cycle, drawn, background.replicates)
    drive = Drive.of(cycle.field)
    time = np.append(cycle.time, cycle.time[-1] + cycle.time[1] - cycle.time[0])
    per_area = MICROCOULOMB / cycle.geometry.area
    current, drawn = drive.roll(current), drive.roll(drawn)
    opening = cycle.opening * drive.roll(cycle.time)
    polarization = centred(drive, (loop_charge(drive, time, current) + opening) * per_area)
    replicates = centred(drive, (loop_charge(drive, time, drawn) + opening) * per_area)
    values, spread = describe(drive, polarization), describe(drive, replicates)
    last = (len(cycle.current) - 1 - drive.shift) % len(cycle.current)
    if cycle.opening and abs(drive.field[last]) <= abs(drive.field[last] - drive.field[last - 1]):
        # A single cycle from rest to rest: what it leaves behind is its remanence, not what it found.
        left = "p_r_minus" if last < drive.top else "p_r_plus"
        values[left], spread[left] = polarization[last], replicates[:, last]
    numbers = {name: (float(value), spread[name]) for name, value in values.items()}
    numbers |= switching_fields(drive, current, drawn, cycle.noise, peak_window)
    return Loop(cycle, model, drive, current + cycle.opening, polarization, replicates.std(axis=0, ddof=1), numbers)


def _relative_systematic(parameter: str, geometry: Geometry | Capacitor, shared: tuple[float, float, float]) -> float:
    """Return what the geometry adds: charges go as 1/area, fields as 1/distance of the electrodes, energies as both."""
    area, distance = geometry.relative_errors(*shared)
    return float({"p_": area, "e_": distance, "w_": np.hypot(area, distance)}.get(parameter[:2], 0.0))


def _loop_rows(loop: Loop, shared: tuple[float, float, float], remark: str) -> list[Number]:
    cycle = loop.cycle
    rows = [
        Number(
            cycle.measurement.id,
            cycle.named(loop.model),
            name,
            value,
            float(np.nanstd(drawn, ddof=1)),
            abs(value) * _relative_systematic(name, cycle.geometry, shared),
            unit=next(unit for prefix, unit in PREFIX_UNITS.items() if name.startswith(prefix)),
            method=cycle.method + remark,
            n=cycle.residual.size,
            raw_sha256=cycle.measurement.attrs["raw_sha256"],
            origin=cycle.measurement.attrs["origin"],
        )
        for name, (value, drawn) in loop.numbers.items()
    ]
    if (
        loop.model == CORRECTED
        and isinstance(cycle.geometry, Geometry)
        and "thickness_alternative" in cycle.measurement.conditions
    ):
        rows += _other_thickness(loop, rows)
    return rows


def _other_thickness(loop: Loop, rows: Iterable[Number]) -> list[Number]:
    """Repeat charges and energies with the other thickness that the paper gives for the same device."""
    measurement = loop.cycle.measurement
    other = measurement.condition("thickness_alternative", "nm")
    scale = loop.cycle.geometry.thickness / other
    return [
        Number(
            row.measurement,
            f"{CORRECTED}_{other:g}nm",
            row.parameter,
            row.value * scale,
            row.standard_error * scale,
            row.systematic_error * scale,
            unit=row.unit,
            method=f"as '{CORRECTED}', with the thickness read as {other:g} nm",
            n=row.n,
            raw_sha256=row.raw_sha256,
            origin=row.origin,
        )
        for row in rows
        if row.parameter[:2] in ("p_", "w_")
    ]


def _device_rows(device: str, cycles: Sequence[Cycle], backgrounds: Mapping[str, Background]) -> list[Number]:
    rows = []
    for model, background in backgrounds.items():
        values = {
            name: (value, drawn.std(ddof=1), UNITS[name])
            for name, value, drawn in zip(background.names, background.values, background.replicates.T, strict=False)
        }
        values["aicc"] = (background.aicc, 0.0, "1")
        freedom = background.n - len(background.names)
        rows += measured(
            cycles[0].measurement,
            cycles[0].named(model),
            values,
            "least squares in the saturated parts of the device's loops; block bootstrap",
            n=background.n,
            reduced_chi_square=background.chi_square / freedom,
            raw_sha256=_sources(cycles),
        )
    for row in rows:
        row.measurement = device
    return rows


def _sources(cycles: Iterable[Cycle]) -> str:
    return ",".join(dict.fromkeys(cycle.measurement.attrs["raw_sha256"] for cycle in cycles))


def _series_rows(device: str, loops: Sequence[Loop]) -> list[Number]:
    """Fit how the switching fields move with the logarithm of the frequency, at the device's largest amplitude."""
    largest = max(loop.amplitude for loop in loops)
    chosen = [loop for loop in loops if loop.model == CORRECTED and loop.amplitude > largest * (1 - SAME_AMPLITUDE)]
    rows = []
    for name in RATE_FIELDS:
        series = [loop for loop in chosen if name in loop.numbers]
        decades = np.log10([loop.cycle.frequency for loop in series])
        if len(np.unique(decades)) < 3:
            continue
        values, errors = np.array([(loop.numbers[name][0], loop.numbers[name][1].std(ddof=1)) for loop in series]).T
        matrix = np.stack([decades, np.ones_like(decades)], axis=-1) / errors[:, None]
        solution, *_ = np.linalg.lstsq(matrix, values / errors, rcond=None)
        covariance = np.linalg.inv(matrix.T @ matrix)
        residual = values / errors - matrix @ solution
        rows += measured(
            series[0].cycle.measurement,
            "logarithmic",
            {f"{name}_per_decade": (solution[0], np.sqrt(covariance[0, 0]), "kV/cm")},
            "weighted straight line through the loops of largest amplitude against log10(frequency)",
            n=len(series),
            reduced_chi_square=float(residual @ residual) / (len(series) - 2),
            raw_sha256=_sources(loop.cycle for loop in series),
        )
    for row in rows:
        row.measurement = device
    return rows


def _loop_groups(cycle: Cycle, found: Sequence[Loop], background: Background | None) -> dict[str, xr.Dataset]:
    """Return the curves of a loop: its models of P, and the current with its components, over one period."""
    best, uncorrected = found[0], found[-1]
    drive = best.drive
    lines: dict[str, Any] = {
        "field": _line(drive.field, "kV/cm", "Electric field"),
        "polarization": _line(best.polarization, "uC/cm^2", "Polarization"),
        "polarization_uncertainty": _line(best.uncertainty, "uC/cm^2", "standard uncertainty of polarization"),
        "polarization_uncorrected": _line(uncorrected.polarization, "uC/cm^2", "Polarization, uncorrected"),
        "current": _line(uncorrected.current, "A", "Current"),
        "switching_current": _line(best.current, "A", "Switching current"),
    }
    if background is not None:
        without = drive.roll(switching_current(cycle, cycle.current, background.values * [1, 0, 0])) + cycle.opening
        lines |= {
            "capacitive_current": _line(uncorrected.current - without, "A", "Capacitive current"),
            "leakage_current": _line(without - best.current, "A", "Leakage current"),
        }
    lines["current_uncertainty"] = ((), cycle.noise, {"units": "A", "long_name": "standard uncertainty of current"})
    curves = xr.Dataset(
        lines,
        coords={
            "time": (
                "time",
                np.arange(len(drive.field)) * (cycle.time[1] - cycle.time[0]),
                {"units": "s", "long_name": "Time"},
            )
        },
        attrs={
            "turn": drive.top,
            "thickness_nm": cycle.geometry.thickness,
            "frequency_hz": cycle.frequency,
            "amplitude_kv_cm": best.amplitude,
            **({"shift": drive.shift} if cycle.region else {}),
        },
    )
    identity = cycle.measurement.id
    return {identity: xr.Dataset(attrs=provenance(cycle.measurement)), f"{identity}/{cycle.region or 'loop'}": curves}


def _line(values: np.ndarray, units: str, long_name: str) -> tuple[str, np.ndarray, dict[str, str]]:
    return "time", values, {"units": units, "long_name": long_name}


def _train(
    measurement: Measurement, loops: Sequence[Loop], shared: tuple[float, float, float]
) -> tuple[list[Number], dict[str, xr.Dataset]]:
    """Analyse a pulse train: recorded as one train, or pulse by pulse with the tester's own polarization."""
    groups = {measurement.id: xr.Dataset(attrs=provenance(measurement))}
    if "pulse" in next(iter(measurement.regions.values())).dims:
        rows = []
        for region, data in measurement.regions.items():
            tester = {name: (value, np.nan, TESTER_UNITS[name[0]]) for name, value in instrument_values(data).items()}
            rows += measured(measurement, f"tester_{region}", tester, "from the tester's polarization column")
            own = {
                name: (value, np.nan, "uC/cm^2")
                for name, value in separate_charges(data, geometry_of(measurement, data)).items()
            }
            rows += measured(measurement, f"pund_{region}", own, "integral of I dt / A from the start of each pulse")
            groups |= {f"{measurement.id}/{region}": data}
        return rows, groups
    geometry = geometry_of(measurement, measurement.only)
    results, curves, _ = pulse_charges(measurement, geometry)
    rows = measured(
        measurement,
        "pund",
        {name: (value, error, "uC/cm^2") for name, (value, error) in results.items()},
        "integral of I dt / A from the start of a pulse; baseline from the rests"
        + measurement.only.attrs.get("remark", ""),
        n=measurement.only["time"].size,
    )
    for row in rows:
        row.systematic_error = abs(row.value) * _relative_systematic("p_", geometry, shared)
    groups |= {f"{measurement.id}/{letter}": curve for letter, curve in curves.items()}
    if isinstance(geometry, Capacitor):
        return rows, groups
    return rows + _against_loop(measurement, geometry, results["remanent_switched"], loops), groups


def _against_loop(
    measurement: Measurement, geometry: Geometry, switched: tuple[float, float], loops: Sequence[Loop]
) -> list[Number]:
    """Compare what PUND says remains switched with the opening of the corrected loop at zero field."""
    frequency = measurement.condition("frequency", "Hz")
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
            "remanence_difference": (switched[0] - opening, float(np.hypot(switched[1], error)), "uC/cm^2"),
        },
        f"remanent switched polarization of PUND against p_r_plus - p_r_minus of {loop.cycle.measurement.id}",
    )
    return rows
