"""From the readings of a run to a few means per stretch of constant light.

A run holds thousands of readings, but some tens of means suffice for its exponentials. Means never cross a change of
the light or a gap. They grow longer with the time since the last change, as the response slows down.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from relaxor.core.errors import AnalysisError
from relaxor.synapse.artifacts import SIGNIFICANT, gaps_in, noise_of, probed
from relaxor.synapse.photoresponse.kinetics import Light, Readings
from relaxor.synapse.traces import Trace

MEANS = 60
"""Number of means per run, which its stretches of constant light share."""
LEAST_MEANS = 2
"""Fewest means per stretch where a run has very many stretches."""
SAME_LIGHT = 0.1
"""A power that changes by less than this part from reading to reading counts as unchanged."""
LEAST_READINGS = 4
"""Fewest readings of a run, because dark current and drift are determined from two of them."""


@dataclass(frozen=True)
class Reduced:
    """All runs, reduced.

    Attributes
    ----------
    traces
        The runs.
    lights
        Light of each, mW/cm^2.
    reference
        Power density of reference, mW/cm^2: the one in the middle of all stretches of light.
    readings
        The means; their light in units of the reference.
    time
        Mean time in the run, s, shape (n,).
    current
        Mean current, A, shape (n,).
    offset
        Index of the first mean of each run, shape (runs,).
    """

    traces: Sequence[Trace]
    lights: Sequence[Light]
    reference: float
    readings: Readings
    time: np.ndarray
    current: np.ndarray
    offset: np.ndarray


def require_light(traces: Sequence[Trace]) -> None:
    """Refuse runs that do not show a photoresponse.

    Raises
    ------
    AnalysisError
        If a run has no record of the light, or a damaged one, or no run has light.
    """
    if not traces:
        raise AnalysisError("photoresponse: no run was given")
    for trace in traces:
        where = f"{trace.measurement.id}, run {trace.run}"
        if trace.stimulus is None or trace.stimulus_unit != "mW/cm^2":
            found = "nothing" if trace.stimulus is None else f"a stimulus in {trace.stimulus_unit}"
            raise AnalysisError(f"{where}: {found} was recorded with the current; a power density in mW/cm^2 is needed")
        if trace.time.size < LEAST_READINGS:
            raise AnalysisError(f"{where}: {trace.time.size} readings; {LEAST_READINGS} are needed")
        if not all(np.isfinite(values).all() for values in (trace.time, trace.current, trace.stimulus)):
            raise AnalysisError(f"{where}: time, current or power density holds values that are not finite")
        if (np.diff(trace.time) <= 0).any():
            raise AnalysisError(f"{where}: the time does not increase from reading to reading")
    greatest = max(float(trace.stimulus.max()) for trace in traces if trace.stimulus is not None)
    if greatest <= 0:
        ids = ", ".join(dict.fromkeys(trace.measurement.id for trace in traces))
        raise AnalysisError(f"{ids}: no run has light (power density is 0 throughout); a photoresponse needs it")


def light_of(trace: Trace) -> Light:
    """Find the light of a run, whose stimulus is a power density.

    A new light counts from the first reading that shows it. The time of the change is known to one reading. Power that
    the noise of its own record explains is no light.
    """
    recorded = np.asarray(trace.stimulus, dtype=float)
    noise = SIGNIFICANT * noise_of(np.abs(probed(recorded)[1]))
    power = np.where(recorded > noise, recorded, 0.0)
    changed = np.abs(np.diff(power)) > np.maximum(SAME_LIGHT * np.maximum(power[1:], power[:-1]), noise)
    index = np.concatenate([[0], np.flatnonzero(changed) + 1])
    level = [float(np.median(part)) for part in np.split(power, index[1:])]
    return Light(trace.time[index], np.array(level))


def reduce(traces: Sequence[Trace]) -> Reduced:
    """Reduce runs to means on the steps of their light.

    Raises
    ------
    AnalysisError
        If there is no light at all, a run has no record of it, or begins under light: its dark current is unknown.
    """
    require_light(traces)
    lights = [light_of(trace) for trace in traces]
    for trace, light in zip(traces, lights, strict=True):
        if light.power[0] > 0:
            raise AnalysisError(
                f"{trace.measurement.id}, run {trace.run}: light is on from the first reading; "
                "readings in the dark before it are needed"
            )
    levels = np.concatenate([light.power for light in lights])
    reference = float(np.quantile(levels[levels > 0], 0.5, method="lower"))
    longest = max(light.start.size for light in lights)
    start, power = (
        np.array([np.pad(values, (0, longest - values.size), mode="edge") for values in column])
        for column in zip(*((light.start, light.power / reference) for light in lights), strict=True)
    )
    parts = [_means(trace, light) for trace, light in zip(traces, lights, strict=True)]
    sizes = [len(part[0]) for part in parts]
    stretch, first, step, count, time, current = (np.concatenate(column) for column in zip(*parts, strict=True))
    run = np.repeat(np.arange(len(traces)), sizes)
    readings = Readings(start, power, run, stretch, first, step, count)
    return Reduced(traces, lights, reference, readings, time, current, np.concatenate([[0], np.cumsum(sizes)[:-1]]))


def _means(trace: Trace, light: Light) -> tuple[np.ndarray, ...]:
    """Return stretch, first, step, count, mean time and mean current of the means of one run."""
    begin = np.searchsorted(trace.time, light.start)
    readings = np.diff(np.append(begin, trace.time.size))
    wanted = max(LEAST_MEANS, MEANS // light.start.size)
    edges = [_growing(size, wanted) for size in readings]
    offset = np.concatenate([inner[:-1] + first for inner, first in zip(edges, begin, strict=True)])
    offset = np.union1d(offset, gaps_in(trace.time)[0] + 1)
    stretch = np.searchsorted(begin, offset, "right") - 1
    count = np.diff(np.append(offset, trace.time.size))
    time = np.add.reduceat(trace.time, offset) / count
    span = trace.time[offset + count - 1] - trace.time[offset]
    step = np.where(count > 1, span / np.maximum(count - 1, 1), 1.0)
    first = time - step * (count - 1) / 2 - light.start[stretch]
    return stretch, first, step, count, time, np.add.reduceat(trace.current, offset) / count


def _growing(size: int, parts: int) -> np.ndarray:
    """Return the bounds of at most ``parts`` parts of ``size`` readings, each longer than the one before."""
    return np.unique(np.rint(np.geomspace(1, size + 1, min(parts, size) + 1)).astype(int)) - 1
