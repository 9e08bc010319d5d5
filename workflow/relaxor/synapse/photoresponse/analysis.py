"""From recordings of pulses of light to the fitted response, the table of the codes, and the ratio of wavelengths."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from relaxor.core.errors import AnalysisError
from relaxor.core.results import ADEQUATE, Adequacy, Number, Result, Status, combined, measured
from relaxor.core.variables import dataset
from relaxor.stats.adequacy import UNLIKELY
from relaxor.synapse.artifacts import SIGNIFICANT, noise_of
from relaxor.synapse.photoresponse import codes
from relaxor.synapse.photoresponse.codes import CodeTiming
from relaxor.synapse.photoresponse.encoder import encoder_curves
from relaxor.synapse.photoresponse.kinetics import Light
from relaxor.synapse.photoresponse.quantities import (
    CHI_SQUARE,
    CODES_PREDICTED,
    FITTED,
    P_VALUE,
    PHOTORESPONSE,
    RESPONSE_RATIO,
    SERIES_PREDICTED,
    SPECTRAL,
)
from relaxor.synapse.photoresponse.response import Response, fit_response
from relaxor.synapse.photoresponse.response_rows import response_rows
from relaxor.synapse.protocols import SAME, averaged, responses, summary
from relaxor.synapse.quantities import FREQUENCY_SERIES, PULSES_SERIES
from relaxor.synapse.recording import Recording
from relaxor.synapse.series import TITLES, UNITS
from relaxor.synapse.traces import Trace

FALL = 0.1
"""Part of the response by which a current must fall under light, so that the time at which it is read is said."""
FINE = 60
"""Number of values of a predicted series."""
READINGS = 4
"""Number of moments of a read window at which a current is predicted."""
PowerSeries = tuple[float, Recording, pd.DataFrame]
"""Wavelength (nm), recording, and its responses as `relaxor.synapse.protocols.averaged` returned them."""


def runs_of(recordings: Sequence[Recording]) -> list[Trace]:
    """Return the runs of several files."""
    return [trace for recording in recordings for trace in recording.traces]


def timing_of(recording: Recording, read_window: float) -> CodeTiming:
    """Determine when the slots of the codes come, from the pulses of all runs.

    Raises
    ------
    AnalysisError
        If no run has pulses in two slots.
    """
    runs = summary(recording)
    several = runs[runs["pulses"] > 1]
    if several.empty:
        raise AnalysisError(f"{recording.measurement.id}: no code has two pulses; the period of the slots is not known")
    width = float(runs["width"].median())
    return CodeTiming(
        first=round(float(runs["first"].min()), 9),
        period=round(float(several["period"].min()), 9),
        width=round(width, 9),
        power=float(runs["amplitude"].median()),
        read_delay=round(width, 9),
        read_window=read_window,
        sampling_interval=round(
            float(np.median(np.concatenate([np.diff(trace.time) for trace in recording.traces]))), 9
        ),
    )


def compare_codes(recording: Recording, response: Response, read_window: float, fitted: Sequence[Recording]) -> Result:
    """Compare the currents after the codes with those of the fitted response.

    Parameters
    ----------
    recording
        The file of the codes.
    response
        The response at its wavelength.
    read_window
        Time over which a current is averaged, s.
    fitted
        The files that the response was fitted to.

    Returns
    -------
    Result
        Numbers of agreement and separation. The curves are named by their part alone: those of the encoder
        (`encoder_curves`), and ``traces``, what was recorded (`code_traces`).
    """
    timing = timing_of(recording, read_window)
    read, predicted = codes.measured_codes(recording.traces, timing), codes.encode(response, timing)
    moves = codes.uncertainty_of_prediction(response, timing, predicted)
    curves = encoder_curves(response, timing, read, predicted, [each.measurement for each in fitted])
    curves["traces"] = code_traces(recording.traces, timing)
    rows = codes.code_rows(recording.measurement, read, predicted, moves)
    chance = next(row.value for row in rows if row.parameter == P_VALUE.name)
    adequacy = response.prediction.adequacy.joined(_missed(chance, "the predicted codes miss the measured ones"))
    return Result([row.judged(adequacy) if row.model == CODES_PREDICTED else row for row in rows], curves)


def _missed(chance: float, words: str) -> Adequacy:
    """Return the judgement of a prediction that misses data with a probability of chance."""
    return Adequacy(Status.MISFIT, 1.0, f"misfit: {words} (p = {chance:.2g})") if chance < UNLIKELY else ADEQUATE


# --- series
def fallen(recording: Recording, powers: np.ndarray) -> np.ndarray:
    """Return by how much the current falls from its peak to the end of a pulse, at each power density.

    The peak is the largest mean of three readings. A fall counts that exceeds the noise and `FALL` of the response.

    Returns
    -------
    numpy.ndarray
        A, shape (n,); 0 where the current does not fall.
    """
    found = np.zeros(powers.size)
    for trace in recording.traces:
        events = recording.of(trace)
        if events.empty:
            continue
        last, before = events.iloc[-1], float(events.iloc[0]["baseline"])
        inside = (trace.time >= last["onset"]) & (trace.time < last["onset"] + last["width"])
        response = float(last["end"]) - before
        smooth = np.convolve(trace.current[inside], np.full(3, 1 / 3), "valid") - before
        fall = float((np.sign(response) * smooth).max(initial=0.0)) - abs(response)
        if fall > max(SIGNIFICANT * noise_of(np.abs(np.diff(trace.current))), FALL * abs(response)):
            place = int(np.abs(powers - last["amplitude"]).argmin())
            found[place] = max(found[place], fall)
    return found


def predicted_series(recording: Recording, response: Response, varied: str, read_window: float) -> Result:
    """Predict a series by the one fitted response, and say whether it follows the measured responses.

    Parameters
    ----------
    recording
        Runs that differ in one quantity.
    response
        The response at their wavelength.
    varied
        A key of `relaxor.synapse.series.TITLES`.
    read_window
        Time over which a current is averaged at the end of a pulse, s.

    Returns
    -------
    Result
        Numbers of agreement, and the curve ``law``: the prediction on a fine scale with its band.
    """
    points = averaged(responses(recording, varied), recording.variation)
    runs = summary(recording)
    steps = {trace.run: float(np.median(np.diff(trace.time))) for trace in recording.traces}
    runs["step"] = runs["run"].map(steps)
    at = points["value"].to_numpy()
    smooth = np.geomspace(at[0], at[-1], FINE)
    smooth = np.unique(smooth.round()) if varied == PULSES_SERIES else smooth
    (there, there_error), (fine, error) = (_ends(response, runs, varied, each, read_window) for each in (at, smooth))
    deviation = (points["response"].to_numpy() - there) / np.hypot(points["error"].to_numpy(), there_error)
    chi_square = float(deviation @ deviation)
    chance = float(stats.chi2.sf(chi_square, at.size))
    follows = response.prediction.adequacy.joined(_missed(chance, "the fitted response does not follow this series"))
    values = {CHI_SQUARE: (chi_square, math.nan), P_VALUE: (chance, math.nan)}
    method = f"{at.size} responses less those of the one fitted response of all runs"
    rows = measured(recording.measurement, SERIES_PREDICTED, values, method, n=at.size, adequacy=follows)
    columns = {
        "response": (fine, "A", "response by the fitted response of all runs"),
        "response_uncertainty": (error, "A", "standard error by the parameters of the response"),
    }
    unit = UNITS.get(varied, recording.traces[0].stimulus_unit)
    axis = {"value": (smooth, unit, TITLES[varied])}
    attrs = {"predicted": 1, "follows": int(follows.status is Status.OK)}
    return Result(rows, {"law": dataset("value", columns, axis, **attrs)})


def _ends(
    response: Response, runs: pd.DataFrame, varied: str, values: np.ndarray, read_window: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the current at the end of the last pulse of trains that differ in one quantity, and its standard error."""
    model, usual = response.prediction, runs.median(numeric_only=True)
    duty = float((runs["width"] / runs["period"].where(runs["period"] > 0)).median())
    known = runs.sort_values(varied)
    ends, errors = [], []
    for value in values:
        each = {**usual, varied: float(value)}
        if varied == FREQUENCY_SERIES:
            each |= {"period": 1 / value, "width": duty / value}
        onset = each["period"] * np.arange(round(each["pulses"]))
        light = Light.pulses(onset, each["width"], each["amplitude"])
        # The last reading in a pulse is one step before its end.
        step, window = float(np.interp(value, known[varied], known["step"])), min(read_window, each["width"])
        before = step / 2 + window * (np.arange(READINGS) + 0.5) / READINGS
        time = onset[-1] + np.maximum(each["width"] - before, 0.0)
        slopes = model.slopes(light, time).mean(axis=0)
        ends.append(float(model.current(light, time).mean()))
        errors.append(math.sqrt(max(float(slopes @ model.covariance @ slopes), 0.0)))
    return np.array(ends), np.array(errors)


def code_traces(traces: Sequence[Trace], timing: CodeTiming) -> xr.Dataset:
    """Return the trace of each code, the mean of its repeats, at the times of the run that ends first.

    Returns
    -------
    xarray.Dataset
        ``current`` (A) and ``power`` (mW/cm^2) along ``code`` and ``time`` (s); attributes ``read_from`` and
        ``read_to`` (s), the window of the read-out.
    """
    time = min((trace.time for trace in traces), key=lambda each: float(each[-1]))

    def mean(name: str) -> np.ndarray:
        return np.array(
            [
                np.mean([np.interp(time, run.time, getattr(run, name)) for run in runs], axis=0)
                for runs in codes.runs_by_code(traces, timing).values()
            ]
        )

    columns = {
        "current": (mean("current"), "A", "current, mean of the repeats"),
        "power": (mean("stimulus"), "mW/cm^2", "power density of the light"),
    }
    axes = {
        "code": (np.arange(len(codes.CODES)), "1", "code, its first pulse in the highest bit"),
        "time": (time, "s", "time"),
    }
    window = {"read_from": timing.read, "read_to": timing.read + timing.read_window}
    return dataset(("code", "time"), columns, axes, **window)


def response_of(recordings: Mapping[float, Sequence[Recording]]) -> tuple[list[Number], dict[float, Response]]:
    """Fit the response at each wavelength (nm) that has enough runs.

    The numbers of a wavelength belong to a measurement that stands for all its files.
    """
    rows: list[Number] = []
    responses = {}
    for wavelength, group in recordings.items():
        series = combined([each.measurement for each in group], f"response_{wavelength:g}nm")
        try:
            responses[wavelength] = fit_response(runs_of(group))
        except AnalysisError as error:  # too few runs for the response are enough for everything else
            (row,) = measured(series, PHOTORESPONSE, {FITTED: (0.0, math.nan)}, str(error))
            rows.append(row.flagged(Status.NOT_IDENTIFIED, "no response is fitted"))
            continue
        rows += response_rows(series, responses[wavelength])
    return rows, responses


# --- wavelengths
def spectral_rows(series: Sequence[PowerSeries], power_uncertainty: float) -> list[Number]:
    """Return the ratios of the response to the one at the longest wavelength, which is the reference.

    A ratio is the mean, on a logarithmic scale, of the ratios at the power densities that both series have; it depends
    on these where the response saturates. The systematic error is that of a power meter read at two wavelengths, for a
    response that is at most proportional to the power.

    Parameters
    ----------
    series
        All series of the power density.
    power_uncertainty
        Relative standard uncertainty of the power meter's scale at a wavelength.
    """
    rows: list[Number] = []
    if not series:
        return rows
    longest, reference, at_longest = max(series, key=lambda entry: entry[0])
    for wavelength, recording, points in series:
        pairs = _common(points, at_longest)
        if wavelength == longest or pairs.empty:
            continue
        ratio = math.exp(float(np.log(pairs["response"] / pairs["reference"]).mean()))
        relative = np.hypot(pairs["error"] / pairs["response"], pairs["reference_error"] / pairs["reference"])
        error = ratio * float(np.linalg.norm(relative)) / len(pairs)
        both = combined([recording.measurement, reference.measurement], recording.measurement.id)
        method = f"mean ratio of the responses at {len(pairs)} power densities"
        at = {"at": longest, "at_unit": "nm"}
        (row,) = measured(both, SPECTRAL, {RESPONSE_RATIO: (ratio, error)}, method, n=len(pairs), **at)
        scale = math.sqrt(2) * power_uncertainty * ratio
        rows.append(row.with_component("power meter at two wavelengths", scale, "setting power_uncertainty"))
    return rows


def _common(points: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Pair the responses at the same power density, where both are positive."""
    other = reference.rename(columns={"response": "reference", "error": "reference_error", "value": "there"})
    pairs = points.merge(other[["there", "reference", "reference_error"]], how="cross")
    same = (pairs["value"] - pairs["there"]).abs() <= SAME * pairs["there"]
    return pairs[same & (pairs["response"] > 0) & (pairs["reference"] > 0)]
