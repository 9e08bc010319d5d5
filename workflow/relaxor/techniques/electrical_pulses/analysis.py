"""Electrical plasticity: paired pulses, series of their width, amplitude and number, potentiation and depression.

A file is analysed by what its pulses are (`relaxor.synapse.protocols`). A response is the read current behind a
pulse above the one before the first pulse of its run.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Number, Result, provenance
from relaxor.core.variables import variable
from relaxor.synapse import series
from relaxor.synapse.energy import energy_rows
from relaxor.synapse.potentiation import potentiation_curves, potentiation_rows
from relaxor.synapse.protocols import Kind, kind_of, run_variation
from relaxor.synapse.recording import Recording, record
from relaxor.techniques.electrical_pulses.settings import ElectricalPulsesSettings

Found = tuple[list[Number], dict[str, xr.Dataset]]
SERIES: dict[Kind, Callable[[Recording], Found]] = {
    "pairs": series.pairs,
    "amplitude": series.amplitudes,
    "width": series.widths,
    "number": series.numbers,
    "frequency": series.frequencies,
}
LEAST_READ_VOLTAGE = 1e-3
"""Volts."""


def analyse(measurements: Sequence[Measurement], settings: ElectricalPulsesSettings) -> Result:
    """Analyse every file of electrical pulses.

    Parameters
    ----------
    measurements
        Ingested measurements of one sample.
    settings
        See `ElectricalPulsesSettings`.

    Raises
    ------
    AnalysisError
        If a file holds no pulses, or none that belong together.
    """
    rows: list[Number] = []
    groups: dict[str, xr.Dataset] = {}
    recordings = [record(measurement, settings.read_window, "after") for measurement in measurements]
    variation, error = run_variation(recordings)
    for recording in (replace(each, variation=variation, variation_error=error) for each in recordings):
        measurement, kind = recording.measurement, kind_of(recording)
        if kind == "cycles":
            # Potentiation and depression are read long, for the fast traps are not what they are about.
            found, shown = _cycles(record(measurement, settings.cycle_window, "after"))
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
                amplitude=settings.spike_amplitude,
                width=settings.spike_width,
                read_voltage=recording.read_voltage,
                read_time=settings.read_time,
                variation=variation,
                area=(math.nan, math.nan),
                reported=settings.reported_energy,
                current_uncertainty=settings.current_uncertainty,
                power_uncertainty=math.nan,
            )
        groups[measurement.id] = xr.Dataset(attrs={**provenance(measurement), "kind": kind})
        groups |= {f"{measurement.id}/{name}": curve for name, curve in shown.items()}
    return Result(rows, groups)


def _cycles(recording: Recording) -> Found:
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
