"""What is written of loops: rows of loops, devices and series of them, and the curves of a loop."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.results import Number, measured, provenance
from relaxor.techniques.hysteresis.background import UNITS, Background, switching_current
from relaxor.techniques.hysteresis.capacitor import Capacitor
from relaxor.techniques.hysteresis.cycles import Cycle
from relaxor.techniques.hysteresis.device import Geometry
from relaxor.techniques.hysteresis.integration import CORRECTED, Loop

PREFIX_UNITS = {"p_": "uC/cm^2", "e_": "kV/cm", "w_": "mJ/cm^3", "efficiency": "1"}
RATE_FIELDS = ("e_f_plus", "e_a_plus", "e_f_minus", "e_a_minus")
SAME_AMPLITUDE = 0.02
"""Relative difference within which two amplitudes count as equal."""


def relative_systematic(parameter: str, geometry: Geometry | Capacitor, shared: tuple[float, float, float]) -> float:
    """Return what the geometry adds, relative: charges go as 1/area, fields as 1/distance of the electrodes.

    ``shared`` are the uncertainties of thickness (nm), width and gap (µm); energies go as both.
    """
    area, distance = geometry.relative_errors(*shared)
    return float({"p_": area, "e_": distance, "w_": np.hypot(area, distance)}.get(parameter[:2], 0.0))


def loop_rows(loop: Loop, shared: tuple[float, float, float], remark: str) -> list[Number]:
    """Return the numbers of a loop; ``shared`` as for `relative_systematic`, ``remark`` is added to the method."""
    cycle = loop.cycle
    rows = [
        Number(
            cycle.measurement.id,
            cycle.named(loop.model),
            name,
            value,
            float(np.nanstd(drawn, ddof=1)),
            abs(value) * relative_systematic(name, cycle.geometry, shared),
            unit=next(unit for prefix, unit in PREFIX_UNITS.items() if name.startswith(prefix)),
            method=cycle.method + cycle.remark + remark,
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
            method=f"as '{CORRECTED}', with the thickness read as {other:g} nm{loop.cycle.remark}",
            n=row.n,
            raw_sha256=row.raw_sha256,
            origin=row.origin,
        )
        for row in rows
        if row.parameter[:2] in ("p_", "w_")
    ]


def device_rows(device: str, cycles: Sequence[Cycle], backgrounds: Mapping[str, Background]) -> list[Number]:
    """Return what the backgrounds of a device are, fitted to its saturating cycles."""
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
            f"least squares in the saturated parts of the device's loops; block bootstrap{_remarks(cycles)}",
            n=background.n,
            reduced_chi_square=background.chi_square / freedom,
            raw_sha256=_sources(cycles),
        )
    return [replace(row, measurement=device) for row in rows]


def _remarks(cycles: Iterable[Cycle]) -> str:
    return "".join(dict.fromkeys(cycle.remark for cycle in cycles))


def _sources(cycles: Iterable[Cycle]) -> str:
    return ",".join(dict.fromkeys(cycle.measurement.attrs["raw_sha256"] for cycle in cycles))


def series_rows(device: str, loops: Sequence[Loop]) -> list[Number]:
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
            "weighted straight line through the loops of largest amplitude against log10(frequency)"
            + _remarks(loop.cycle for loop in series),
            n=len(series),
            reduced_chi_square=float(residual @ residual) / (len(series) - 2),
            raw_sha256=_sources(loop.cycle for loop in series),
        )
    return [replace(row, measurement=device) for row in rows]


def loop_groups(cycle: Cycle, found: Sequence[Loop], background: Background | None) -> dict[str, xr.Dataset]:
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
