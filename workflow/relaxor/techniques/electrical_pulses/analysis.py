"""Electrical plasticity: paired pulses, series of their width, amplitude and number, potentiation and depression.

A file is analysed by what its pulses are (`relaxor.synapse.protocols`). A response is the read current behind a
pulse above the one before the first pulse of its run.
"""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Number, load, provenance, save_parameters, save_tree
from relaxor.readers.common.schema import variable
from relaxor.synapse import series
from relaxor.synapse.energy import energy_rows
from relaxor.synapse.potentiation import potentiation_curves, potentiation_rows
from relaxor.synapse.protocols import Kind, kind_of, run_variation
from relaxor.synapse.recording import Recording, record

Result = tuple[list[Number], dict[str, xr.Dataset]]
SERIES: dict[Kind, Callable[[Recording], Result]] = {
    "pairs": series.pairs,
    "amplitude": series.amplitudes,
    "width": series.widths,
    "number": series.numbers,
    "frequency": series.frequencies,
}
LEAST_READ_VOLTAGE = 1e-3
"""Volts."""


def analyse(
    data: str,
    parameters: str,
    curves: str,
    *,
    read_window: float,
    read_time: float,
    cycle_window: float,
    spike_amplitude: float,
    spike_width: float,
    reported_energy: str,
    current_uncertainty: float,
) -> None:
    """Analyse every file of electrical pulses.

    Parameters
    ----------
    data
        Ingested traces: time, voltage and current of every run.
    parameters, curves
        Files to write.
    read_window, read_time, cycle_window, spike_amplitude, spike_width, reported_energy, current_uncertainty
        See `relaxor.techniques.electrical_pulses.settings.Pulses`.

    Raises
    ------
    AnalysisError
        If a file holds no pulses, or none that belong together.
    """
    rows: list[Number] = []
    groups: dict[str, xr.Dataset] = {}
    recordings = [record(measurement, read_window, "after") for measurement in load(data)]
    variation, error = run_variation(recordings)
    for recording in (replace(each, variation=variation, variation_error=error) for each in recordings):
        measurement, kind = recording.measurement, kind_of(recording)
        if kind == "cycles":
            # Potentiation and depression are read long, for the fast traps are not what they are about.
            found, shown = _cycles(record(measurement, cycle_window, "after"))
        elif kind in SERIES:
            found, shown = SERIES[kind](recording)
        else:
            raise AnalysisError(f"{measurement.id}: the runs are a series of {kind}, which is done with light alone")
        rows += recording.counts() + found
        if kind == "pairs":
            rows += energy_rows(
                measurement,
                recording.kept[recording.kept["number"] == 0],
                stimulus_unit="V",
                amplitude=spike_amplitude,
                width=spike_width,
                read_voltage=recording.read_voltage,
                read_time=read_time,
                variation=variation,
                area=(math.nan, math.nan),
                reported=reported_energy,
                current_uncertainty=current_uncertainty,
                power_uncertainty=math.nan,
            )
        groups[measurement.id] = xr.Dataset(attrs={**provenance(measurement), "kind": kind})
        groups |= {f"{measurement.id}/{name}": curve for name, curve in shown.items()}
    save_parameters(parameters, rows)
    save_tree(curves, groups)


def _cycles(recording: Recording) -> Result:
    """Analyse potentiation and depression, cycle by cycle."""
    potentiation, depression = [], []
    for trace in recording.traces:
        events = recording.of(trace)
        level, amplitude = events["after"].to_numpy(), events["amplitude"].to_numpy()
        potentiation.append(level[amplitude > 0])
        depression.append(level[amplitude < 0])
    lengths = {(up.size, down.size) for up, down in zip(potentiation, depression, strict=True)}
    if len(lengths) > 1:
        found = ", ".join(f"{up} + {down}" for up, down in sorted(lengths))
        raise AnalysisError(
            f"{recording.measurement.id}: cycles of different lengths ({found} pulses) cannot be averaged; "
            "leave out the short ones"
        )
    if abs(recording.read_voltage) < LEAST_READ_VOLTAGE:
        raise AnalysisError(f"{recording.measurement.id}: the device was read at 0 V, where no conductance is seen")
    up, down = (np.array(levels) / recording.read_voltage for levels in (potentiation, depression))
    rows = potentiation_rows(recording.measurement, up, down, "S")
    branches = potentiation_curves(up, down, "S")
    both = np.concatenate([up, down], axis=1)
    law = np.concatenate([branches["potentiation"]["fit"].values, branches["depression"]["fit"].values])
    curve = xr.Dataset(
        {
            "conductance": variable(("cycle", "pulse"), both, "S", "conductance behind each pulse"),
            "law": variable("pulse", law, "S", "laws of the mean cycle"),
        },
        {
            "cycle": variable("cycle", np.arange(1, len(both) + 1), "1", "cycle"),
            "pulse": variable("pulse", np.arange(1, both.shape[1] + 1), "1", "number of the pulse"),
        },
    )
    return rows, {**branches, "cycles": curve}
