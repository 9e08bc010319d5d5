"""Optical plasticity: paired pulses of light, series of their power, frequency, width and number, and codes.

A file is analysed by what its pulses are (`relaxor.plasticity.protocols`). A response is the current at the end of a
pulse above the one before the first pulse of its run.
"""

from collections.abc import Callable
from functools import partial

import xarray as xr

from relaxor.data import Number, load, provenance, save_parameters, save_tree
from relaxor.errors import AnalysisError
from relaxor.plasticity import series
from relaxor.plasticity.energy import energy_rows
from relaxor.plasticity.protocols import Kind, Recording, kind_of, record

Result = tuple[list[Number], dict[str, xr.Dataset]]
SERIES: dict[Kind, Callable[[Recording], Result]] = {
    # Carriers that light brings are gone after long enough: the index ends at 100 %.
    "pairs": partial(series.pairs, floor=100.0),
    "amplitude": series.amplitudes,
    "width": series.widths,
    "number": series.numbers,
    "frequency": series.frequencies,
}


def analyse(
    data: str,
    parameters: str,
    curves: str,
    *,
    read_window: float,
    bias_voltage: float,
    spike_power: float,
    spike_width: float,
    reported_energy: str,
    area_uncertainty: float,
    current_uncertainty: float,
    power_uncertainty: float,
) -> None:
    """Analyse every file of pulses of light.

    Parameters
    ----------
    data
        Ingested traces: time, current, bias and power density of every run; conditions ``wavelength`` and ``area``.
    parameters, curves
        Files to write.
    read_window, bias_voltage, spike_power, spike_width, reported_energy, area_uncertainty, current_uncertainty, \
power_uncertainty
        See `relaxor.config.light.Light`.

    Raises
    ------
    AnalysisError
        If a file holds no pulses of light, or none that belong together.
    """
    rows: list[Number] = []
    groups: dict[str, xr.Dataset] = {}
    for measurement in load(data):
        recording = record(measurement, read_window, "end")
        if all(trace.stimulus_unit == "V" for trace in recording.traces):
            raise AnalysisError(f"{measurement.id}: no power density was recorded, or it never changes")
        kind = kind_of(recording)
        found, shown = SERIES[kind](recording) if kind in SERIES else ([], {})
        rows += recording.counts() + found
        if kind == "pairs":
            area = measurement.condition("area", "um^2")
            rows += energy_rows(
                measurement,
                recording.kept[recording.kept["number"] == 0],
                stimulus_unit="mW/cm^2",
                amplitude=spike_power,
                width=spike_width,
                read_voltage=bias_voltage,
                read_time=spike_width,
                area=(area, area_uncertainty * area),
                reported=reported_energy,
                current_uncertainty=current_uncertainty,
                power_uncertainty=power_uncertainty,
            )
        attrs = {**provenance(measurement), "kind": kind, "wavelength_nm": measurement.condition("wavelength", "nm")}
        groups[measurement.id] = xr.Dataset(attrs=attrs)
        groups |= {f"{measurement.id}/{name}": curve for name, curve in shown.items()}
    save_parameters(parameters, rows)
    save_tree(curves, groups)
