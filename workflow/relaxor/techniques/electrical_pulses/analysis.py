"""Electrical plasticity: paired pulses, series of their width, amplitude and number, potentiation and depression.

Files of paired pulses that have one interval each are joined to one series (`relaxor.synapse.joined`).

How a file is analysed depends on its pulses (`relaxor.synapse.protocols`). A response is the read current after a pulse
above the read current before the first pulse of its run.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from relaxor.core.errors import AnalysisError
from relaxor.core.results import COMBINES, Measurement, Result, Status
from relaxor.synapse.digested import are_points
from relaxor.synapse.energy import energy_rows
from relaxor.synapse.joined import joined_pairs, told_otherwise
from relaxor.synapse.points import analyse_points, cycle_curve
from relaxor.synapse.potentiation import analyse_cycles
from relaxor.synapse.protocols import kind_of, run_variation
from relaxor.synapse.recording import Recording, record
from relaxor.synapse.series import SERIES
from relaxor.techniques.electrical_pulses.settings import ElectricalPulsesSettings

LEAST_READ_VOLTAGE = 1e-3
"""Volts."""


def analyse(measurements: Sequence[Measurement], settings: ElectricalPulsesSettings) -> Iterator[Result]:
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
    points = [each for each in measurements if are_points(each.regions.values())]
    recordings = [
        record(each, settings.read_window, "after") for each in measurements if not are_points(each.regions.values())
    ]
    variation, error = run_variation(recordings)
    varied = (replace(each, variation=variation, variation_error=error) for each in joined_pairs(recordings))
    yield from map(analyse_points, points)
    yield from (_analyse_one(recording, settings) for recording in varied)


def _analyse_one(recording: Recording, settings: ElectricalPulsesSettings) -> Result:
    measurement, kind = recording.measurement, kind_of(recording)
    if kind == "cycles":
        # Potentiation and depression are read for longer, so that fast traps have emptied.
        found = _cycles(record(measurement, settings.cycle_window, "after"))
    elif kind in SERIES:
        found = SERIES[kind](recording)
    else:
        raise AnalysisError(f"{measurement.id}: the runs are a series of {kind}, which needs light")
    if kind == "pairs":
        spike = settings.spike_amplitude, settings.spike_width
        scale = settings.current_uncertainty
        found.numbers.extend(energy_rows(recording, spike, read_time=settings.read_time, current_uncertainty=scale))
    numbers, curves = recording.counts() + found.numbers, found.curves
    if not recording.joins:
        return Result.of(measurement, numbers, curves, kind=kind)
    numbers = [row.flagged(Status.ASSUMED, other) if (other := told_otherwise(recording)) else row for row in numbers]
    curves["joined_pairs"] = curves.pop("pairs")
    together = {COMBINES: ",".join(each.id for each in recording.joins)}
    return Result.of(measurement, numbers, curves, kind=kind, **together)


def _cycles(recording: Recording) -> Result:
    """Analyse potentiation and depression, cycle by cycle."""
    potentiation, depression = [], []
    for trace in recording.pulsed:
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
        raise AnalysisError(f"{recording.measurement.id}: the device was read at 0 V, which gives no conductance")
    up, down = (np.array(levels) / recording.read_voltage for levels in (potentiation, depression))
    result = analyse_cycles(recording.measurement, up, down)
    both = np.concatenate([up, down], axis=1)
    result.curves["cycles"] = cycle_curve(both, result.curves)
    return result
