"""Optical plasticity: paired pulses of light, series of their power, frequency, width and number, and codes.

How a file is analysed depends on its pulses (`relaxor.synapse.protocols`). A response is the current at the end of a
pulse above the current before the first pulse of its run.
"""

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Number, Result, Status, measured
from relaxor.synapse import series
from relaxor.synapse.energy import energy_rows
from relaxor.synapse.photoresponse.analysis import (
    PowerSeries,
    compare_codes,
    fallen,
    predicted_series,
    response_of,
    runs_of,
    spectral_rows,
)
from relaxor.synapse.photoresponse.figures_of_merit import merit_rows
from relaxor.synapse.photoresponse.response import Response
from relaxor.synapse.protocols import Kind, averaged, kind_of, run_variation
from relaxor.synapse.protocols import responses as responses_of
from relaxor.synapse.quantities import (
    AMPLITUDE_SERIES,
    ANALYSED,
    EVENTS,
    FREQUENCY_SERIES,
    PULSES_SERIES,
    WIDTH_SERIES,
)
from relaxor.synapse.recording import Recording, record
from relaxor.synapse.traces import Trace
from relaxor.techniques.optical_pulses.settings import OpticalPulsesSettings

SERIES: dict[Kind, Callable[[Recording], Result]] = series.SERIES | {
    # Carriers that light brings are gone after long enough: the index ends at 100 %.
    "pairs": partial(series.pairs, known_floor=True),
}

VARIED: Mapping[Kind, str] = {
    "amplitude": AMPLITUDE_SERIES,
    "width": WIDTH_SERIES,
    "number": PULSES_SERIES,
    "frequency": FREQUENCY_SERIES,
}
"""The quantity that a series varies."""


def analyse(measurements: Sequence[Measurement], settings: OpticalPulsesSettings) -> Iterator[Result]:
    """Analyse every file of pulses of light.

    Parameters
    ----------
    measurements
        Ingested measurements of one sample.
    settings
        See `OpticalPulsesSettings`.

    Raises
    ------
    AnalysisError
        If a file holds no pulses of light, or none that belong together.
    """
    whole = Result()
    recordings = [_record(measurement, settings.read_window) for measurement in measurements]
    by_wavelength: dict[float, list[Recording]] = {}
    for recording in recordings:
        by_wavelength.setdefault(_wavelength(recording), []).append(recording)
    fitted, responses = response_of(by_wavelength)
    powers: list[PowerSeries] = []
    darks = [trace for trace in runs_of(recordings) if not np.any(trace.stimulus)]
    for recording in (_with_variation(each, by_wavelength, responses) for each in recordings):
        wavelength, kind = _wavelength(recording), kind_of(recording)
        found = _by_kind(recording, kind, responses.get(wavelength), by_wavelength[wavelength], settings)
        if not found.numbers:
            words = f"the runs are {kind}, which need a fitted response at {wavelength:g} nm, and there is none"
            found.numbers.append(_nothing(recording, words))
        found.numbers[:0] = recording.counts()
        if kind == "amplitude":
            points = averaged(responses_of(recording, AMPLITUDE_SERIES), recording.variation)
            powers.append((wavelength, recording, points))
            merits, spectrum = _merits(powers[-1], darks, settings)
            found.numbers.extend(merits)
            if spectrum is not None:
                found.curves["noise_spectrum"] = spectrum
        attrs = {"kind": kind, "wavelength_nm": wavelength}
        whole.add(Result.of(recording.measurement, found.numbers, found.curves, **attrs))
    whole.numbers.extend(spectral_rows(powers, settings.power_uncertainty) + fitted)
    yield whole


def _nothing(recording: Recording, words: str) -> Number:
    """Say that no number comes from the pulses of a file, in a row and on the terminal."""
    logging.getLogger("relaxor").warning("%s: no number comes from its pulses: %s", recording.measurement.id, words)
    (row,) = measured(recording.measurement, EVENTS, {ANALYSED: (0.0, math.nan)}, words)
    return row.flagged(Status.NOT_IDENTIFIED, "nothing is known of the pulses")


def _record(measurement: Measurement, read_window: float) -> Recording:
    recording = record(measurement, read_window, "end")
    if not recording.under_light:
        raise AnalysisError(f"{measurement.id}: no power density was recorded, or it never changes")
    return recording


def _wavelength(recording: Recording) -> float:
    return recording.measurement.condition("wavelength", "nm")


def _by_kind(
    recording: Recording,
    kind: Kind,
    response: Response | None,
    fitted: Sequence[Recording],
    settings: OpticalPulsesSettings,
) -> Result:
    """Analyse a file by what it holds; codes are compared with the response of their wavelength, if there is one."""
    if kind == "codes":
        return compare_codes(recording, response, settings.code_window, fitted) if response else Result()
    if kind not in SERIES:
        raise AnalysisError(
            f"{recording.measurement.id}: the runs are a series of {kind}, which is not possible with light"
        )
    found = SERIES[kind](recording)
    if response and kind in VARIED and response.prediction.adequacy.status != Status.NOT_IDENTIFIED:
        predicted = predicted_series(recording, response, VARIED[kind], settings.read_window)
        found = Result(found.numbers + predicted.numbers, found.curves | predicted.curves)
    if kind == "pairs":
        area = recording.measurement.condition("area", "um^2")
        energies = energy_rows(
            recording,
            (settings.spike_power, settings.spike_width),
            read_time=settings.read_time,
            current_uncertainty=settings.current_uncertainty,
            area=(area, settings.area_uncertainty * area),
            power_uncertainty=settings.power_uncertainty,
        )
        found.numbers.extend(energies)
    return found


def _merits(
    power_series: PowerSeries, darks: Sequence[Trace], settings: OpticalPulsesSettings
) -> tuple[list[Number], xr.Dataset | None]:
    """Return the figures of merit of a series of powers, and the spectrum of the noise in the dark."""
    wavelength, recording, points = power_series
    return merit_rows(
        recording.measurement,
        darks,
        *(points[column].to_numpy() for column in ("value", "response", "error")),
        voltage=recording.read_voltage,
        width=float(recording.kept["width"].median()),
        area=recording.measurement.condition("area", "cm^2"),
        wavelength=wavelength,
        scale_uncertainties=(settings.area_uncertainty, settings.current_uncertainty, settings.power_uncertainty),
        fallen=fallen(recording, points["value"].to_numpy()),
    )


def _with_variation(
    recording: Recording, by_wavelength: Mapping[float, Sequence[Recording]], responses: Mapping[float, Response]
) -> Recording:
    """Return how much runs vary, from the fitted response or, without one, from repeated runs."""
    wavelength = _wavelength(recording)
    if wavelength in responses:
        noise = responses[wavelength].noise
        return replace(recording, variation=noise.multiplicative, variation_error=noise.multiplicative_error)
    variation, error = run_variation(by_wavelength[wavelength])
    return replace(recording, variation=variation, variation_error=error)
