"""Digested points: conductance against the number of the pulse, and paired-pulse index against the interval.

Most data of synapses are kept in this form. The analyses are those of recorded traces, without what points do not tell:
energies, read windows and noise. The errors of a single cycle, and of pairs, are those of the scatter of the points
about a law; deviations that all points of a cycle share are not among them, which the rows say.
"""

import math
from collections.abc import Mapping

import numpy as np
import xarray as xr
from scipy.signal import find_peaks

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Number, Result, Status, measured
from relaxor.core.units import factor
from relaxor.core.variables import dataset, with_uncertainty
from relaxor.stats.fit import Fit
from relaxor.synapse import quantities as q
from relaxor.synapse.cycles import FEWEST_CYCLES
from relaxor.synapse.digested import conductances, indices
from relaxor.synapse.potentiation import (
    FITTED,
    analyse_cycles,
    fit_depression,
    fit_potentiation,
    nonlinearity_label,
    potentiation_law,
)
from relaxor.synapse.series import pairs_of

TURN = 0.4
"""Smallest depth of a turn between potentiation and depression, as a part of the range of conductances."""
FEWEST = 5
"""Smallest number of pulses of a branch, and of intervals whose scatter is known."""
NEAR_TURN = 2
"""Number of pulses by which noise may move a turn."""
ONE_CYCLE = "of the scatter of the points of one cycle, which all of them may share"


def analyse_points(measurement: Measurement) -> Result:
    """Analyse a table of digested points.

    Raises
    ------
    AnalysisError
        If there are too few points, or the conductance neither rises nor falls as in a cycle.
    """
    table = measurement.only
    values = conductances(table)
    if values is not None:
        states = values.dropna("row").to_numpy() * factor(values.attrs["units"], "S")
        return Result.of(measurement, *_of_cycles(measurement, states), kind="cycles")
    interval, index = indices(table) or (table.row, table.row)
    found = _of_pairs(measurement, interval, index)
    return Result.of(measurement, found.numbers, found.curves, kind="pairs")


# --- pairs
def _of_pairs(measurement: Measurement, interval: xr.DataArray, index: xr.DataArray) -> Result:
    time = interval.to_numpy() * factor(interval.attrs["units"], "s")
    percent = index.to_numpy() * (1.0 if index.attrs["units"] == "percent" or np.nanmedian(index) > 20 else 100.0)
    known = np.isfinite(time) & np.isfinite(percent)
    if not known.any():
        raise AnalysisError(f"{measurement.id}: no row has both an interval and an index")
    order = np.argsort(time[known])
    columns = {
        "index": (percent[known][order], "percent", "paired-pulse index"),
        "gain": (percent[known][order] - 100, "percent", "paired-pulse gain"),
        "repeats": (np.ones(int(known.sum()), int), "1", "number of repeats"),
    }
    points = dataset("interval", columns, {"interval": (time[known][order], "s", "interval")}, freedom=0)
    origin = "scatter of the points, without repeats"
    origin = origin if known.sum() >= FEWEST else f"not known from {known.sum()} intervals without repeats"
    for name in ("index", "gain"):
        points = with_uncertainty(points, name, _scatter(columns["index"][0]), origin)
    return pairs_of(measurement, points)


def _scatter(values: np.ndarray) -> float:
    """Return the scatter of points about a smooth line through them, from their second differences; NaN of too few."""
    if values.size < FEWEST:
        return math.nan
    return float(np.sqrt(np.mean(np.diff(values, 2) ** 2) / 6))


# --- cycles
def _of_cycles(measurement: Measurement, states: np.ndarray) -> tuple[list[Number], dict[str, xr.Dataset]]:
    branches = _branches(states)
    ups, downs = ([part for rising, part in branches if rising is kind] for kind in (True, False))
    count = min(len(ups), len(downs))
    alike = len({part.size for part in ups[:count]}) == len({part.size for part in downs[:count]}) == 1
    if count >= FEWEST_CYCLES and alike:
        found = analyse_cycles(measurement, np.array(ups[:count]), np.array(downs[:count]))
        both = np.concatenate([np.array(ups[:count]), np.array(downs[:count])], axis=1)
        return found.numbers, {**found.curves, "cycles": cycle_curve(both, found.curves)}
    rows: list[Number] = []
    laws: dict[str, xr.Dataset] = {}
    fits: dict[str, Fit] = {}
    for model, parts, law in ((q.POTENTIATION, ups, fit_potentiation), (q.DEPRESSION, downs, fit_depression)):
        if not parts or parts[0].size < FEWEST:
            continue
        pulse = np.arange(1, parts[0].size + 1)
        fits[model] = law(pulse, parts[0], None)
        state = pulse / pulse.size if model == q.POTENTIATION else 1 - pulse / pulse.size
        drawn = potentiation_law(state, **fits[model].params.valuesdict())
        laws[model] = _branch(parts[0], drawn)
        rows += _law_rows(measurement, model, fits[model], pulse.size)
    if not rows:
        raise AnalysisError(f"{measurement.id}: the conductance has no branch of {FEWEST} pulses or more")
    rows += _range_rows(measurement, fits)
    if len(laws) == 2:
        both = np.concatenate([laws[model]["mean"].values for model in (q.POTENTIATION, q.DEPRESSION)])[None]
        laws["cycles"] = cycle_curve(both, laws)
    return rows, laws


def _branches(states: np.ndarray) -> list[tuple[bool, np.ndarray]]:
    """Return the parts between the turns of the conductance, each with whether it rises.

    The state at a turn belongs to the branch that ends with it.
    """
    depth = TURN * float(np.ptp(states))
    smooth = np.convolve(np.pad(states, 1, "edge"), np.full(3, 1 / 3), "valid")
    turns = np.sort(np.concatenate([find_peaks(side, prominence=depth)[0] for side in (smooth, -smooth)]))
    # The highest and the lowest of the noisy states near a turn is the turn itself.
    ends = _regular([_extreme(states, int(turn)) + 1 for turn in turns], states.size)
    parts = [part for part in np.split(states, ends) if part.size]
    return [(bool(part[-1] > part[0]), part) for part in parts if part.size > 1]


def _regular(ends: list[int], size: int) -> list[int]:
    """Return the ends of branches of equal cycles where all of them are equal but for the noise at their turns."""
    lengths = np.diff([0, *ends, size])
    if lengths.size < 4 or lengths.size % 2:
        return ends
    first, second = (round(float(np.median(lengths[start::2]))) for start in (0, 1))
    regular = np.cumsum(np.tile([first, second], lengths.size // 2))
    apart = np.abs(regular[:-1] - ends).max()
    return regular[:-1].tolist() if regular[-1] == size and apart <= NEAR_TURN else ends


def _extreme(states: np.ndarray, turn: int) -> int:
    near = slice(max(turn - NEAR_TURN, 0), turn + NEAR_TURN + 1)
    middle = float(np.median(states))
    return near.start + int(np.argmax(np.abs(states[near] - middle)))


def _law_rows(measurement: Measurement, model: str, law: Fit, pulses: int) -> list[Number]:
    values = {FITTED[name]: (law.value(name), law.error(name)) for name in law.names}
    alpha, error = law.value("alpha"), law.error("alpha")
    step = 1e-4 * max(abs(alpha), 1e-3)
    slope = (nonlinearity_label(1 / (alpha + step)) - nonlinearity_label(1 / (alpha - step))) / (2 * step)
    values[q.NONLINEARITY] = nonlinearity_label(1 / alpha if alpha else math.inf), abs(slope) * error
    if alpha:
        values[q.PULSE_CONSTANT] = pulses / alpha, abs(pulses / alpha**2) * error
    rows = measured(measurement, model, values, "least squares of the law", **law.quality)
    return [row.flagged(Status.ASSUMED, f"error {ONE_CYCLE}") for row in rows]


def _range_rows(measurement: Measurement, fits: dict[str, Fit]) -> list[Number]:
    """Return ratio and difference of the ends of a cycle, as its laws give them."""
    law = fits.get(q.POTENTIATION) or fits[q.DEPRESSION]
    low, high = (law.value(f"conductance_{end}") for end in ("min", "max"))
    errors = [law.error(f"conductance_{end}") for end in ("min", "max")]
    spread = math.hypot(*errors)
    values = {q.DYNAMIC_RANGE: (high - low, spread)}
    if low > 0:
        values[q.ON_OFF_RATIO] = high / low, high / low * float(np.hypot(errors[0] / low, errors[1] / high))
    rows = measured(measurement, q.CYCLES, values, "ends of the law of a branch", **law.quality)
    return [row.flagged(Status.ASSUMED, f"error {ONE_CYCLE}") for row in rows]


def _branch(states: np.ndarray, law: np.ndarray) -> xr.Dataset:
    columns = {
        "mean": (states, "S", "conductance"),
        "std": (np.full(states.size, np.nan), "S", "not known of one cycle"),
        "fit": (law, "S", "law"),
        "residual": (states - law, "S", "conductance minus law"),
    }
    return dataset("pulse", columns, {"pulse": (np.arange(1, states.size + 1), "1", "number of the pulse")})


def cycle_curve(both: np.ndarray, laws: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Return all cycles with the laws of both branches, as the panels draw them."""
    law = np.concatenate([laws[branch]["fit"].values for branch in (q.POTENTIATION, q.DEPRESSION)])
    axes = {
        "cycle": (np.arange(1, len(both) + 1), "1", "cycle"),
        "pulse": (np.arange(1, both.shape[1] + 1), "1", "number of the pulse"),
    }
    states = dataset(("cycle", "pulse"), {"conductance": (both, "S", "conductance behind each pulse")}, axes)
    return states.assign(law=dataset("pulse", {"law": (law, "S", "laws of the mean cycle")})["law"])
