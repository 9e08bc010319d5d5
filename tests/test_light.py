"""Optical plasticity from ingested files to numbers, curves and the file of the encoder."""

import json

import numpy as np
import pytest
import xarray as xr
from relaxor.core.errors import AnalysisError
from relaxor.core.storage import load_parameters, save_tree
from relaxor.core.variables import variable
from relaxor.synapse.photoresponse.analysis import fit_encoder
from relaxor.synapse.photoresponse.encoder import load_encoder
from relaxor.techniques.optical_pulses.settings import OpticalPulsesSettings

from tests.analyses import analyse_with

SETTINGS = OpticalPulsesSettings().model_dump()


@pytest.fixture(scope="module")
def table(analysed):
    return analysed("optical_pulses").parameters.set_index(["measurement", "model", "parameter"])


def write(folder, runs, conditions=None):
    """One file at 650 nm; runs of (time, power density, current)."""
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
    attrs = {
        "raw_file": "a",
        "raw_sha256": "0" * 64,
        "origin": "simulated",
        "instrument": "",
        "conditions": json.dumps(conditions),
    }
    save_tree(folder / "light.nc", {"one": xr.Dataset(attrs=attrs), "one/table": region})
    return str(folder / "light.nc")


def run(folder, data):
    analyse_with("optical_pulses", data, str(folder / "p.csv"), str(folder / "c.nc"), **SETTINGS)
    return load_parameters(folder / "p.csv")


def test_light_facilitates_less_and_longer_than_voltage(table, analysed):
    assert table.loc[("light_ppf_650nm", "pairs", "index_shortest"), "value"] == pytest.approx(108, abs=0.5)
    assert table.loc[("light_ppf_650nm", "pairs", "two_exponentials"), "value"] == 1
    slow = table.loc[("light_ppf_650nm", "double_exponential_fixed_floor", "tau_2"), "value"]
    electrical = analysed("electrical_pulses").number("tau_2", measurement="ppf", model="double_exponential")
    assert slow > 5 * electrical


def test_the_response_falls_with_frequency_and_grows_with_everything_else(table):
    for wavelength in (650, 520, 450):
        exponents = {
            varied: table.loc[(f"light_{name}_{wavelength}nm", varied, "exponent"), "value"]
            for name, varied in (
                ("power", "amplitude"),
                ("duration", "width"),
                ("number", "pulses"),
                ("frequency",) * 2,
            )
        }
        assert exponents.pop("frequency") < 0 and min(exponents.values()) > 0
    strength = [table.loc[(f"light_power_{w}nm", "amplitude", "response_32mW"), "value"] for w in (650, 520, 450)]
    assert strength == sorted(strength)


def test_figures_of_merit_follow_from_each_other(table):
    from scipy import constants

    key = ("light_power_650nm", "figures_of_merit")
    rows = table.loc["light_power_650nm"]
    assert any(model == "figures_of_merit" for model in rows.index.get_level_values(0)), set(
        rows.index.get_level_values(0)
    )
    responsivity = table.loc[(*key, "responsivity_at_32_mW_per_cm2")]
    response = table.loc[("light_power_650nm", "amplitude", "response_32mW"), "value"]
    assert responsivity["value"] == pytest.approx(response / (0.032 * 2e-7)) and responsivity["unit"] == "A/W"
    efficiency = table.loc[(*key, "quantum_efficiency_at_32_mW_per_cm2"), "value"]
    assert efficiency == pytest.approx(responsivity["value"] * constants.h * constants.c / (constants.e * 650e-9))


def test_absorbed_light_cannot_be_the_printed_energy(table):
    absorbed = table.loc[("light_ppf_650nm", "optical_absorbed", "energy_per_spike"), "value"]
    assert absorbed == pytest.approx(32e-3 * 2e-7 * 0.1 * 1e12)
    assert table.loc[("light_ppf_650nm", "optical_absorbed", "reproduces_reported"), "value"] == 0
    assert table.loc[("light_ppf_650nm", "mean_power", "reproduces_reported"), "value"] == 1


def test_the_encoder_is_written_and_read_back_and_predicts_its_codes(analysed, tmp_path):
    data = analysed("optical_pulses").folder.parent / "optical_pulses.nc"
    path = tmp_path / "encoder.json"
    fit_encoder(str(data), str(path), wavelength=650, read_window=0.04, code_window=0.05)
    encoder = load_encoder(path)
    assert encoder.origin == "simulated" and len(encoder.measured) == len(encoder.predicted) == 16
    for code, read in encoder.measured.items():
        assert read.current == pytest.approx(encoder.predicted[code].current, abs=5 * read.standard_error + 1e-14)
    first = path.read_bytes()
    fit_encoder(str(data), str(path), wavelength=650, read_window=0.04, code_window=0.05)
    assert path.read_bytes() == first


def test_without_the_codes_there_is_no_encoder(analysed, tmp_path):
    data = analysed("optical_pulses").folder.parent / "optical_pulses.nc"
    with pytest.raises(
        AnalysisError, match="encoder: 0 files with codes of four pulses at 520 nm, one is needed; found"
    ):
        fit_encoder(str(data), str(tmp_path / "e.json"), wavelength=520, read_window=0.04, code_window=0.05)
    assert not (tmp_path / "e.json").exists()


def test_too_few_runs_for_the_response_are_enough_for_the_rest(tmp_path):
    from relaxor.simulation.synapse import light_current

    rng = np.random.default_rng(2)
    time = 0.02 * np.arange(1, 226)
    runs = []
    for power in (2.0, 8.0, 32.0):
        lit = (time > 0.49) & (time < 1.49)
        noise = 0.03 * rng.standard_normal(time.size)
        runs.append((time, np.where(lit, power, 0.0), 1e-12 * (light_current(time, [(0.5, 1.0, power)], 1.0) + noise)))
    rows = run(tmp_path, write(tmp_path, runs))
    fitted = rows[(rows["model"] == "photoresponse") & (rows["parameter"] == "fitted")].iloc[0]
    assert fitted["value"] == 0 and "runs with light" in fitted["method"]
    responsivity = rows[rows["parameter"] == "responsivity_at_32_mW_per_cm2"].iloc[0]
    assert responsivity["systematic_error"] == pytest.approx(
        responsivity["value"] * np.sqrt(0.05**2 + 0.01**2 + 0.03**2)
    )
    assert not rows["parameter"].str.startswith("detectivity").any()
    assert rows.set_index("parameter").loc["noise_spectrum", "method"] == "no run in the dark at 0.5 V"


def test_files_without_light_are_refused(tmp_path):
    time = np.arange(1, 200) * 0.01
    data = write(tmp_path, [(time, np.zeros(time.size), 1e-12 + 1e-14 * np.sin(50 * time))])
    with pytest.raises(AnalysisError, match="one"):
        run(tmp_path, data)


def test_fewer_pulses_than_the_sheet_says_are_an_error(tmp_path):
    time = np.arange(1, 200) * 0.01
    power = np.where((time > 0.5) & (time < 0.7), 32.0, 0.0)
    current = 1e-12 * (1 + power + 0.01 * np.sin(777 * time))
    conditions = {"wavelength": (650, "nm"), "area": (2e-7, "cm^2"), "pulses": (3, "1")}
    with pytest.raises(AnalysisError, match="1 pulses found, the sheet says 3"):
        run(tmp_path, write(tmp_path, [(time, power, current)], conditions))


@pytest.mark.parametrize("ripple", [0.0, 0.01])
def test_steady_light_is_not_taken_for_the_dark(tmp_path, ripple):
    time = np.arange(1, 200) * 0.01
    pulsed = np.where((time > 0.5) & (time < 0.7), 32.0, 0.0)
    steady = 8.0 * (1 + ripple * np.sin(91 * time))
    powers = (30 * pulsed, pulsed, steady)  # the light is weak beside the strongest pulse, not beside the weakest
    runs = [(time, power, 1e-12 * (1 + power + 0.01 * np.sin(777 * time))) for power in powers]
    with pytest.raises(AnalysisError, match=r"one: run 3: light of 8(\.07)? mW/cm\^2 that is no pulse"):
        run(tmp_path, write(tmp_path, runs))


def test_a_missing_condition_is_named(tmp_path):
    time = np.arange(1, 200) * 0.01
    power = np.where((time > 0.5) & (time < 0.7), 32.0, 0.0)
    data = write(tmp_path, [(time, power, 1e-12 * (1 + power))], {"area": (2e-7, "cm^2")})
    with pytest.raises(
        AnalysisError, match=r"one: the sheet gives no condition 'wavelength' \(add 'wavelength=… nm'\)"
    ):
        run(tmp_path, data)
