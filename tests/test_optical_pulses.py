"""Optical plasticity from recordings to numbers, curves and the file of the encoder."""

import numpy as np
import pytest
import xarray as xr
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.core.storage import numbers_table
from relaxor.core.variables import variable
from relaxor.simulation.synapse import light_current
from relaxor.synapse.photoresponse import response as fitting
from relaxor.synapse.photoresponse.encoder import load_encoder, write_encoder
from relaxor.techniques.optical_pulses.settings import OpticalPulsesSettings
from relaxor.techniques.optical_pulses.technique import TECHNIQUE

from tests.analyses import analysis_of
from tests.simulated import specimen

analyse = analysis_of("optical_pulses")

ATTRS = {"raw_file": "a", "raw_sha256": "0" * 64, "origin": "simulated", "instrument": ""}
PPF = {"measurement": "light_ppf_650nm"}


def run(runs, conditions=None):
    """Analyse one file at 650 nm; runs of (time, power density, current)."""
    names = ("run", "time", "power_density", "bias_voltage", "channel_current")
    columns = [[np.full(t.size, n), t, p, np.full(t.size, 0.5), i] for n, (t, p, i) in enumerate(runs, 1)]
    units = ("1", "s", "mW/cm^2", "V", "A")
    region = xr.Dataset(
        {
            name: variable("row", np.concatenate(parts), unit, name)
            for name, unit, parts in zip(names, units, zip(*columns, strict=True), strict=True)
        }
    )
    conditions = conditions or {"wavelength": (650, "nm"), "area": (2e-7, "cm^2")}
    found = analyse([Measurement("one", ATTRS, conditions, {"table": region})], OpticalPulsesSettings())
    TECHNIQUE.require_named(found.numbers)
    return numbers_table(found.numbers, TECHNIQUE.name)


def test_light_facilitates_less_and_longer_than_voltage(analysed):
    light = analysed("optical_pulses")
    index = light.number("paired_pulse_index", model="pairs", feature="shortest", **PPF)
    assert index == pytest.approx(108, abs=0.5)
    assert light.number("identifiable", model="pairs", **PPF) == 1
    slow = light.number("relaxation_time", model="double_exponential_fixed_floor", feature="2", **PPF)
    pairs = {"measurement": "ppf", "model": "double_exponential", "feature": "2"}
    assert slow > 5 * analysed("electrical_pulses").number("relaxation_time", **pairs)


def test_the_response_falls_with_frequency_and_grows_with_everything_else(analysed):
    light = analysed("optical_pulses")
    for wavelength in (650, 520, 450):
        exponents = {
            varied: light.number("exponent", measurement=f"light_{name}_{wavelength}nm", model=varied)
            for name, varied in (
                ("power", "amplitude"),
                ("duration", "width"),
                ("number", "pulses"),
                ("frequency",) * 2,
            )
        }
        assert exponents.pop("frequency") < 0 and min(exponents.values()) > 0
    strength = [light.number("response", measurement=f"light_power_{w}nm", at=32.0) for w in (650, 520, 450)]
    assert strength == sorted(strength)


def test_figures_of_merit_follow_from_each_other(analysed):
    from scipy import constants

    light = analysed("optical_pulses")
    strongest = {"measurement": "light_power_650nm", "at": 32.0}
    responsivity, response = (light.number(name, **strongest) for name in ("responsivity", "response"))
    assert responsivity == pytest.approx(response / (0.032 * 2e-7))
    efficiency = light.number("quantum_efficiency", **strongest)
    assert efficiency == pytest.approx(responsivity * constants.h * constants.c / (constants.e * 650e-9))


def test_absorbed_light_is_counted_on_the_whole_area(analysed):
    light = analysed("optical_pulses")
    absorbed = light.number("energy_per_spike", model="optical_absorbed", **PPF)
    assert absorbed == pytest.approx(32e-3 * 2e-7 * 0.1 * 1e12)
    assert light.number("energy_per_area", model="optical_absorbed", **PPF) == pytest.approx(absorbed / 20)


def test_the_encoder_is_what_the_analysis_fitted(analysed, tmp_path, monkeypatch):
    curves = analysed("optical_pulses").folder / "curves.nc"
    monkeypatch.setattr(fitting, "fit_response", None)
    path = tmp_path / "encoder.json"
    write_encoder(curves, path, wavelength=650)
    encoder = load_encoder(path)
    assert encoder.origin == "simulated" and len(encoder.measured) == len(encoder.predicted) == 16
    for code, read in encoder.measured.items():
        assert read.current == pytest.approx(encoder.predicted[code].current, abs=5 * read.standard_error + 1e-14)
    fitted = {"measurement": "response_650nm", "model": "photoresponse", "feature": "2"}
    assert encoder.decay_constants[1].value == analysed("optical_pulses").number("relaxation_time", **fitted)
    first = path.read_bytes()
    write_encoder(curves, path, wavelength=650)
    assert path.read_bytes() == first


def test_without_the_codes_there_is_no_encoder(analysed, tmp_path):
    curves = analysed("optical_pulses").folder / "curves.nc"
    with pytest.raises(AnalysisError, match=r"0 files with codes .* at 520 nm, one is needed; found light_po"):
        write_encoder(curves, tmp_path / "e.json", wavelength=520)
    assert not (tmp_path / "e.json").exists()


def test_too_few_runs_for_the_response_are_enough_for_the_rest():
    rng = np.random.default_rng(2)
    time = 0.02 * np.arange(1, 226)
    runs = []
    for power in (2.0, 8.0, 32.0):
        lit = (time > 0.49) & (time < 1.49)
        noise = 0.03 * rng.standard_normal(time.size)
        current = light_current(specimen("optical_pulses").light, time, [(0.5, 1.0, power)], 1.0)
        runs.append((time, np.where(lit, power, 0.0), 1e-12 * (current + noise)))
    rows = run(runs)
    fitted = rows[(rows["model"] == "photoresponse") & (rows["parameter"] == "fitted")].iloc[0]
    assert fitted["value"] == 0 and "runs with light" in fitted["method"]
    responsivity = rows[(rows["parameter"] == "responsivity") & (rows["at"] == 32)].iloc[0]
    assert responsivity["systematic_error"] == pytest.approx(
        responsivity["value"] * np.sqrt(0.05**2 + 0.01**2 + 0.03**2)
    )
    assert not rows["parameter"].str.contains("detectivity").any()
    assert rows.set_index("parameter").loc["noise_spectrum", "method"] == "no run in the dark at 0.5 V; no detectivity"


def test_files_without_light_are_refused():
    time = np.arange(1, 200) * 0.01
    with pytest.raises(AnalysisError, match="one"):
        run([(time, np.zeros(time.size), 1e-12 + 1e-14 * np.sin(50 * time))])


def test_fewer_pulses_than_the_sheet_says_are_an_error():
    time = np.arange(1, 200) * 0.01
    power = np.where((time > 0.5) & (time < 0.7), 32.0, 0.0)
    current = 1e-12 * (1 + power + 0.01 * np.sin(777 * time))
    conditions = {"wavelength": (650, "nm"), "area": (2e-7, "cm^2"), "pulses": (3, "1")}
    with pytest.raises(AnalysisError, match="1 pulses found, the sheet says 3"):
        run([(time, power, current)], conditions)


@pytest.mark.parametrize("ripple", [0.0, 0.01])
def test_steady_light_is_not_taken_for_the_dark(ripple):
    time = np.arange(1, 200) * 0.01
    pulsed = np.where((time > 0.5) & (time < 0.7), 32.0, 0.0)
    steady = 8.0 * (1 + ripple * np.sin(91 * time))
    powers = (30 * pulsed, pulsed, steady)  # the light is weak beside the strongest pulse, not beside the weakest
    runs = [(time, power, 1e-12 * (1 + power + 0.01 * np.sin(777 * time))) for power in powers]
    with pytest.raises(AnalysisError, match=r"one: run 3: light of 8(\.07)? mW/cm\^2 that is not a pulse"):
        run(runs)


def test_a_missing_condition_is_named():
    time = np.arange(1, 200) * 0.01
    power = np.where((time > 0.5) & (time < 0.7), 32.0, 0.0)
    with pytest.raises(
        AnalysisError, match=r"one: the sheet gives no condition 'wavelength' \(add 'wavelength=… nm'\)"
    ):
        run([(time, power, 1e-12 * (1 + power))], {"area": (2e-7, "cm^2")})
