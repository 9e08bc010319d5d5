"""Codes of four pulses: the current that each code gives, and whether codes can be told apart.

A bit is a pulse of light or its absence. The current after the fourth slot depends on when the pulses came, because the
response to each pulse fades: sixteen codes give sixteen currents. However, a linear response that fades by r from pulse
to pulse gives 0001 and 0110 the same current where r² + r = 1 (r = 0.618). How far apart the codes are is therefore
both calculated and measured.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Annotated, ClassVar

import numpy as np
import pandas as pd
from pydantic import ConfigDict, Field, FiniteFloat
from scipy import stats

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Number, Quantity, measured
from relaxor.synapse.photoresponse import quantities as q
from relaxor.synapse.photoresponse.kinetics import Light, Readings
from relaxor.synapse.photoresponse.reduction import SAME_LIGHT, light_of, require_light
from relaxor.synapse.photoresponse.response import Response
from relaxor.synapse.traces import Trace

Positive = Annotated[FiniteFloat, Field(gt=0)]
NotNegative = Annotated[FiniteFloat, Field(ge=0)]
"""Numbers of the file of an encoder, which are checked when the file is loaded."""
Moves = list[tuple[np.ndarray, np.ndarray]]
"""Independent changes by one standard error of the currents and of the spreads of all codes, A, each shape (codes,)."""
SLOTS = 4
CODES = tuple("".join(bits) for bits in product("01", repeat=SLOTS))
"""All codes, the first pulse first."""
SMALL = 1e-3
"""Part of a standard error over which derivatives are taken, so small that no code passes its neighbour."""
LEAST_READ = 0.75
"""Fraction of the readings of a window that must exist."""
JITTER = 0.01
"""A reading this part of a step before the begin or end of a window still counts as being at the begin or end."""


@dataclass(frozen=True)
class CodeTiming:
    """When the pulses of a code come and when the current is read.

    Attributes
    ----------
    first
        Onset of the first slot, s; everything before it is dark and gives the dark current.
    period, width
        Time from slot to slot, and length of a pulse, s.
    power
        Power density of a pulse, mW/cm^2.
    read_delay
        Time from the onset of the fourth slot to the read-out, s: ``width`` to read the dark after it, ``width`` −
        ``read_window`` to read the end of the pulse.
    read_window
        Time over which the current is averaged, s.
    sampling_interval
        Time from reading to reading, s.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    first: Positive
    period: Positive
    width: Positive
    power: Positive
    read_delay: NotNegative
    read_window: Positive
    sampling_interval: Positive

    @property
    def slots(self) -> np.ndarray:
        """Onset of each slot, s, shape (4,)."""
        return self.first + self.period * np.arange(SLOTS)

    @property
    def read(self) -> float:
        """Begin of the read-out, s."""
        return float(self.slots[-1]) + self.read_delay

    @property
    def readings(self) -> np.ndarray:
        """Times of the readings of a read-out, s, shape (n,).

        These are the readings of the instrument. Their mean is not that of the window, which ends a step later.
        """
        step = self.sampling_interval
        return self.read + step * np.arange(max(round(self.read_window / step), 1))

    def light(self, code: str) -> Light:
        """Return the light of a code."""
        lit = np.array([bit == "1" for bit in code])
        if not lit.any():
            return Light(np.array([self.first]), np.array([0.0]))
        return Light.pulses(self.slots[lit], self.width, self.power)


def encode(response: Response, timing: CodeTiming, codes: Sequence[str] = CODES) -> pd.DataFrame:
    """Predict the read-out current of codes, as the photocurrent above the dark current.

    Parameters
    ----------
    response
        Response of the device.
    timing
        Timing of the pulses and the read-out.
    codes
        Four bits each, the first pulse first.

    Returns
    -------
    pandas.DataFrame
        Index ``code``; ``current`` (A), ``standard_error`` (A, by the parameters), ``spread`` (A, standard deviation
        of a single read-out by both noises).
    """
    model = response.prediction
    current = np.array([model.current(timing.light(code), timing.readings).mean() for code in codes])
    slopes = _slopes(response, timing, codes)
    error = np.sqrt(np.einsum("ij,jk,ik->i", slopes, model.covariance, slopes))
    spread = np.hypot(_reading_share(timing) * model.noise.additive, model.noise.multiplicative * current)
    index = pd.Index(codes, name="code")
    return pd.DataFrame({"current": current, "standard_error": error, "spread": spread}, index=index)


def _slopes(response: Response, timing: CodeTiming, codes: Sequence[str]) -> np.ndarray:
    """Return the derivatives of the read-out currents by the parameters, shape (codes, parameters)."""
    return np.array([response.prediction.slopes(timing.light(code), timing.readings).mean(axis=0) for code in codes])


def _reading_share(timing: CodeTiming) -> float:
    """Return the noise of a read-out over that of a reading: a mean of the window less one of the dark before it."""
    return math.sqrt(1 / timing.readings.size + 1 / max(timing.first / timing.sampling_interval, 1.0))


def uncertainty_of_prediction(response: Response, timing: CodeTiming, predicted: pd.DataFrame) -> Moves:
    """Return the changes of currents and spreads of predicted codes by the uncertainty of the fit; see `Moves`."""
    noise, current, spread = response.prediction.noise, predicted["current"].to_numpy(), predicted["spread"].to_numpy()
    # In units of their errors: variances of currents in A² would be lost beside those of times in s².
    covariance = response.prediction.covariance
    unit = np.sqrt(covariance.diagonal())
    variances, vectors = np.linalg.eigh(covariance / np.outer(unit, unit))
    slopes = _slopes(response, timing, list(predicted.index)) * unit
    by_parameters = slopes @ (vectors * np.sqrt(np.maximum(variances, 0.0)))
    moves = [(move, noise.multiplicative**2 * current * move / spread) for move in by_parameters.T]
    still = np.zeros(len(predicted))
    additive = np.full(len(predicted), _reading_share(timing) ** 2 * noise.additive * noise.additive_error)
    return [
        *moves,
        (still, additive / spread),
        (still, noise.multiplicative * noise.multiplicative_error * current**2 / spread),
    ]


def uncertainty_of_means(read: pd.DataFrame) -> Moves:
    """Return the changes of currents and spreads of measured codes by the chance of few repeats; see `Moves`."""
    unit, still = np.eye(len(read)), np.zeros(len(read))
    spread_error = (read["spread"] / np.sqrt(2 * (read["n"] - 1))).to_numpy()
    return [
        *((row * read["standard_error"].to_numpy(), still) for row in unit),
        *((still, row * spread_error) for row in unit),
    ]


def measured_codes(traces: Sequence[Trace], timing: CodeTiming) -> pd.DataFrame:
    """Read the currents of all sixteen codes from their runs.

    Parameters
    ----------
    traces
        One run per presentation of a code; the light in its slots tells which code it is.
    timing
        Timing of the pulses and the read-out.

    Returns
    -------
    pandas.DataFrame
        Index ``code``, all sixteen; ``current`` (A, mean above the current in the dark before the first slot),
        ``standard_error`` (A), ``spread`` (A, standard deviation of the repeats), ``n`` (repeats).

    Raises
    ------
    AnalysisError
        If a code was not taken twice, a run has no reading in the dark before the first slot or in the read-out
        window, or its pulses have another power density than ``timing`` says.
    """
    found = {code: [_read_out(trace, timing) for trace in runs] for code, runs in runs_by_code(traces, timing).items()}
    missing = [code for code, currents in found.items() if len(currents) < 2]
    if missing:
        raise AnalysisError(
            f"{traces[0].measurement.id}: {len(CODES) - len(missing)} of {len(CODES)} codes were taken at least twice; "
            f"missing {', '.join(missing)}"
        )
    table = pd.DataFrame(
        {
            "current": {code: np.mean(currents) for code, currents in found.items()},
            "spread": {code: np.std(currents, ddof=1) for code, currents in found.items()},
            "n": {code: len(currents) for code, currents in found.items()},
        }
    ).rename_axis("code")
    table.insert(1, "standard_error", table["spread"] / np.sqrt(table["n"]))
    return table


def _read_out(trace: Trace, timing: CodeTiming) -> float:
    """Return the mean current of the read-out window above that in the dark before the first slot, A.

    Raises
    ------
    AnalysisError
        If more than a quarter of the readings of the window are missing, or there is none in the dark.
    """
    late = trace.time + JITTER * float(np.median(np.diff(trace.time)))
    dark = trace.current[late < timing.first]
    read = trace.current[(late >= timing.read) & (late < timing.read + timing.read_window)]
    expected = timing.readings.size
    if not dark.size or read.size < LEAST_READ * expected:
        window = f"{read.size} of {expected} readings in the window at {timing.read:g} s; leave the run out"
        raise AnalysisError(
            f"{trace.measurement.id}, run {trace.run}: "
            + (window if dark.size else f"no reading in the dark before {timing.first:g} s")
        )
    return float(read.mean() - dark.mean())


def runs_by_code(traces: Sequence[Trace], timing: CodeTiming) -> dict[str, list[Trace]]:
    """Sort runs by the code that the light in their slots makes; all sixteen codes are there, some maybe empty.

    Raises
    ------
    AnalysisError
        If pulses of a run have another power density than ``timing`` says.
    """
    require_light(traces)
    found: dict[str, list[Trace]] = {code: [] for code in CODES}
    for trace in traces:
        found[_code(trace, timing)].append(trace)
    return found


def _code(trace: Trace, timing: CodeTiming) -> str:
    readings = Readings.at(light_of(trace), timing.slots + timing.width / 2)
    power = readings.power[readings.run, readings.stretch]
    if (np.abs(power[power > 0] - timing.power) > SAME_LIGHT * timing.power).any():
        raise AnalysisError(
            f"{trace.measurement.id}, run {trace.run}: pulses of {power.max():g} mW/cm^2 where the codes have "
            f"{timing.power:g}"
        )
    return "".join("1" if each else "0" for each in power > 0)


# --- telling codes apart
@dataclass(frozen=True)
class Separation:
    """How well the codes can be told apart by their currents.

    Attributes
    ----------
    order
        Codes by rising current.
    gap
        Between neighbours in this order, A, shape (15,).
    d_prime
        Gap over the root mean square of the two spreads, shape (15,).
    error_rate
        Part of read-outs taken for another code, all codes equally frequent.
    """

    order: tuple[str, ...]
    gap: np.ndarray
    d_prime: np.ndarray
    error_rate: float

    @property
    def closest(self) -> tuple[str, str]:
        """The two neighbours with the smallest d'."""
        i = int(np.argmin(self.d_prime))
        return self.order[i], self.order[i + 1]


def separation(codes: pd.DataFrame) -> Separation:
    """Measure how far apart neighbouring codes are.

    Currents of a code are taken as normal. The threshold between neighbours lies as many spreads from the one as from
    the other, so that both are mistaken equally often.

    Parameters
    ----------
    codes
        ``current`` and ``spread``, as `encode` and `measured_codes` return them.
    """
    ordered = codes.sort_values("current", kind="stable")
    current, spread = ordered["current"].to_numpy(), ordered["spread"].to_numpy()
    gap = np.diff(current)
    wrong = stats.norm.sf(gap / (spread[1:] + spread[:-1]))
    return Separation(
        order=tuple(ordered.index),
        gap=gap,
        d_prime=gap / np.sqrt((spread[1:] ** 2 + spread[:-1] ** 2) / 2),
        error_rate=float(min(2 * wrong.sum() / current.size, 1 - 1 / current.size)),
    )


def _separability(codes: pd.DataFrame) -> dict[Quantity, float]:
    apart = separation(codes)
    return {
        q.SMALLEST_GAP: float(apart.gap.min()),
        q.SMALLEST_GAP_OVER_RANGE: float(apart.gap.min() / apart.gap.sum()),
        q.SMALLEST_D_PRIME: float(apart.d_prime.min()),
        q.ERROR_RATE: apart.error_rate,
    }


def _separability_errors(codes: pd.DataFrame, moves: Moves) -> dict[Quantity, float]:
    """Return the standard errors of `_separability` to first order."""
    values = _separability(codes)
    squares = dict.fromkeys(values, 0.0)
    for current, spread in moves:
        moved = codes.assign(current=codes["current"] + SMALL * current, spread=codes["spread"] + SMALL * spread)
        for quantity, value in _separability(moved).items():
            squares[quantity] += ((value - values[quantity]) / SMALL) ** 2
    return {quantity: math.sqrt(square) for quantity, square in squares.items()}


def code_rows(measurement: Measurement, read: pd.DataFrame, predicted: pd.DataFrame, moves: Moves) -> list[Number]:
    """Return the numbers of the codes: both tables, how they agree, and how far apart the codes are.

    Chi-square takes the scatter of the means from the noise model, because that of a few repeats is itself noise, and
    adds the error of the prediction. Where the response was fitted to the same runs, both are not independent, and
    chi-square is somewhat low.

    Parameters
    ----------
    measurement
        Measurement whose name, hash and origin the numbers carry.
    read, predicted
        From `measured_codes` and `encode`.
    moves
        From `uncertainty_of_prediction`.
    """
    rows: list[Number] = []
    for model, table, unknown, method in (
        (q.CODES_MEASURED, read, uncertainty_of_means(read), "mean of the repeats above the dark current"),
        (q.CODES_PREDICTED, predicted, moves, "fitted response; error by its parameters"),
    ):
        for code, row in table.iterrows():
            current = {q.CODE_CURRENT: (row.current, row.standard_error or math.nan)}  # no light, no prediction
            rows += measured(measurement, model, current, method, feature=str(code))
        errors = _separability_errors(table, unknown)
        apart = {quantity: (value, errors[quantity]) for quantity, value in _separability(table).items()}
        closest = " and ".join(separation(table).closest)
        rows += measured(measurement, model, apart, f"{method}; normal currents, neighbours {closest} closest")
    deviation = read["current"] - predicted["current"]
    error = np.hypot(predicted["spread"] / np.sqrt(read["n"]), predicted["standard_error"])
    chi_square = float(((deviation / error) ** 2).sum())
    worst = deviation.abs().idxmax()
    values = {
        q.CHI_SQUARE: (chi_square, math.nan),
        q.P_VALUE: (stats.chi2.sf(chi_square, len(read)), math.nan),
        q.LARGEST_DEVIATION: (deviation[worst], error[worst]),
    }
    method = f"measured less predicted currents of {len(read)} codes; largest at {worst}"
    return rows + measured(measurement, q.CODES_COMPARED, values, method, n=len(read))
