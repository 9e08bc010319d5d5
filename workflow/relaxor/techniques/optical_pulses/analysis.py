"""Optical plasticity: paired pulses of light, series of their power, frequency, width and number, and codes.

A file is analysed by what its pulses are (`relaxor.synapse.protocols`). A response is the current at the end of a
pulse above the one before the first pulse of its run.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Number, Result, provenance
from relaxor.synapse import series
from relaxor.synapse.energy import energy_rows
from relaxor.synapse.photoresponse.analysis import compare_codes, response_of, runs_of
from relaxor.synapse.photoresponse.figures_of_merit import merit_rows
from relaxor.synapse.photoresponse.response import Response
from relaxor.synapse.photoresponse.spectral import spectral_rows
from relaxor.synapse.protocols import Kind, averaged, kind_of, run_variation
from relaxor.synapse.protocols import responses as responses_of
from relaxor.synapse.recording import Recording, record
from relaxor.synapse.traces import Trace
from relaxor.techniques.optical_pulses.settings import OpticalPulsesSettings

Found = tuple[list[Number], dict[str, xr.Dataset]]
SERIES: dict[Kind, Callable[[Recording], Found]] = {
    # Carriers that light brings are gone after long enough: the index ends at 100 %.
    "pairs": partial(series.pairs, known_floor=True),
    "amplitude": series.amplitudes,
    "width": series.widths,
    "number": series.numbers,
    "frequency": series.frequencies,
}


def analyse(measurements: Sequence[Measurement], settings: OpticalPulsesSettings) -> Result:
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
    rows: list[Number] = []
    groups: dict[str, xr.Dataset] = {}
    recordings = [_record(measurement, settings.read_window) for measurement in measurements]
    by_wavelength: dict[float, list[Recording]] = {}
    for recording in recordings:
        by_wavelength.setdefault(_wavelength(recording), []).append(recording)
    fitted, responses = response_of(by_wavelength)
    powers: list[tuple[float, Recording, pd.DataFrame]] = []
    darks = [trace for trace in runs_of(recordings) if not np.any(trace.stimulus)]
    for recording in (_with_variation(each, by_wavelength, responses) for each in recordings):
        measurement, kind, wavelength = recording.measurement, kind_of(recording), _wavelength(recording)
        found, shown = _by_kind(recording, kind, responses.get(wavelength), settings.code_window)
        rows += recording.counts() + found
        if kind == "pairs":
            area = measurement.condition("area", "um^2")
            rows += energy_rows(
                measurement,
                recording.kept[recording.kept["number"] == 0],
                stimulus_unit="mW/cm^2",
                amplitude=settings.spike_power,
                width=settings.spike_width,
                read_voltage=recording.read_voltage,
                read_time=settings.read_time,
                variation=recording.variation,
                area=(area, settings.area_uncertainty * area),
                reported=settings.reported_energy,
                current_uncertainty=settings.current_uncertainty,
                power_uncertainty=settings.power_uncertainty,
            )
        if kind == "amplitude":
            points = averaged(responses_of(recording, "amplitude"), recording.variation)
            rows += _merits(recording, points, darks, settings)
            powers.append((wavelength, recording, points))
        attrs = {**provenance(measurement), "kind": kind, "wavelength_nm": wavelength}
        groups[measurement.id] = xr.Dataset(attrs=attrs)
        groups |= {f"{measurement.id}/{name}": curve for name, curve in shown.items()}
    return Result(rows + spectral_rows(powers, settings.power_uncertainty) + fitted, groups)


def _record(measurement: Measurement, read_window: float) -> Recording:
    recording = record(measurement, read_window, "end")
    if recording.traces[0].stimulus_unit == "V":
        raise AnalysisError(f"{measurement.id}: no power density was recorded, or it never changes")
    return recording


def _wavelength(recording: Recording) -> float:
    return recording.measurement.condition("wavelength", "nm")


def _by_kind(recording: Recording, kind: Kind, response: Response | None, code_window: float) -> Found:
    """Analyse a file by what it holds; codes are compared with the response of their wavelength, if there is one."""
    if kind in SERIES:
        return SERIES[kind](recording)
    if kind != "codes":
        raise AnalysisError(
            f"{recording.measurement.id}: the runs are a series of {kind}, which is not done with light"
        )
    return compare_codes(recording, response, code_window) if response else ([], {})


def _merits(
    recording: Recording,
    points: pd.DataFrame,
    darks: Sequence[Trace],
    settings: OpticalPulsesSettings,
) -> list[Number]:
    """Return the figures of merit of a series of powers."""
    return merit_rows(
        recording.measurement,
        darks,
        *(points[column].to_numpy() for column in ("value", "response", "error")),
        voltage=recording.read_voltage,
        area=recording.measurement.condition("area", "cm^2"),
        wavelength=_wavelength(recording),
        scale_uncertainties=(settings.area_uncertainty, settings.current_uncertainty, settings.power_uncertainty),
    )


def _with_variation(
    recording: Recording, by_wavelength: Mapping[float, Sequence[Recording]], responses: Mapping[float, Response]
) -> Recording:
    """Say by how much runs vary: the fitted response knows it; without one, runs that repeat each other do."""
    wavelength = _wavelength(recording)
    if wavelength in responses:
        noise = responses[wavelength].noise
        return replace(recording, variation=noise.multiplicative, variation_error=noise.multiplicative_error)
    variation, error = run_variation(by_wavelength[wavelength])
    return replace(recording, variation=variation, variation_error=error)
