"""EDX: lines under lines, and a composition with two kinds of uncertainty."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Result
from relaxor.core.storage import load, numbers_table
from relaxor.readers import read
from relaxor.simulation import edx as twin
from relaxor.stats.fit import fit_counts
from relaxor.techniques.edx import analysis as edx
from relaxor.techniques.edx.settings import EdxSettings, Element
from relaxor.techniques.registry import techniques

from tests.project import CBPS
from tests.simulated import against_truth, ingested, simulated, specimen

SETTINGS = EdxSettings.model_validate(CBPS["edx"])
ATTRS = {"raw_file": "a.msa", "raw_sha256": "0" * 64, "origin": "simulated"}


def run(
    region: xr.Dataset, settings: EdxSettings = SETTINGS, conditions: dict | None = None
) -> tuple[pd.DataFrame, Result]:
    result = Result.joined(edx.analyse([Measurement("a", ATTRS, conditions or {}, {"spectrum": region})], settings))
    return numbers_table(result.numbers, "edx"), result


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    return load(ingested(simulated("edx", 5), tmp_path_factory.mktemp("edx")))[0].only


@pytest.fixture(scope="module")
def analysed(sample: xr.Dataset) -> tuple[pd.DataFrame, Result]:
    return run(sample)


def test_what_was_put_in_is_found(analysed) -> None:
    table = analysed[0].assign(measurement="edx_crystal")
    joined = against_truth(table, simulated("edx", 5), how="right")
    assert (joined["unit"] == joined["true_unit"]).all()
    z = (joined["value"] - joined["true"]) / np.hypot(joined["standard_error"], joined["systematic_error"])
    assert np.mean(np.abs(z) < 1.96) >= 0.9
    assert np.abs(z).max() < 4


def test_every_number_is_listed_and_others_are_refused(analysed) -> None:
    numbers = analysed[1].numbers
    techniques()["edx"].require_named(numbers)
    for wrong in ({"parameter": "Cu_K_intensity"}, {"model": "zaf"}, {"unit": "keV"}):
        with pytest.raises(ValueError, match="edx: '"):
            techniques()["edx"].require_named([replace(numbers[0], **wrong)])


def test_composition_is_whole_and_its_uncertainties_are_apart(analysed) -> None:
    table = analysed[0].set_index(["parameter", "feature"])
    percent = table.loc["atomic_percent"]
    assert percent["value"].sum() == pytest.approx(100)
    assert table.loc["weight_percent", "value"].sum() == pytest.approx(100)
    atoms = table.loc["atoms_per_formula_unit", "value"]
    assert atoms.sum() == pytest.approx(10)
    assert (percent["systematic_error"] > 5 * percent["standard_error"]).all()
    ratio = table.loc[("atomic_ratio", "Se/Cu")]
    assert ratio["value"] == pytest.approx(atoms["Se"] / atoms["Cu"])
    # Se is the reference of the k-factors: only copper's 5 % and the correction of the matrix matter in this ratio.
    assert 0.05 < ratio["systematic_error"] / ratio["value"] < 0.07
    named = {component.name for row in analysed[1].numbers for component in row.budget}
    assert named == {
        "k-factors",
        "absorption",
        "take-off angle",
        "fluorescence",
        "depth distribution",
        "matrix correction",
    }


def test_a_standard_needs_the_factor_that_was_measured_on_it() -> None:
    known = SETTINGS.elements["Se"].model_dump()
    with pytest.raises(ValueError, match="standard: needs the k_factor that was measured on it"):
        Element.model_validate(known | {"standard": {"Se": 1.0}, "k_factor": None})


def test_better_k_factors_leave_the_counting_error_alone(sample, analysed) -> None:
    elements = {name: entry.model_copy(update={"k_uncertainty": 0.0}) for name, entry in SETTINGS.elements.items()}
    table, _ = run(sample, SETTINGS.model_copy(update={"elements": elements}))
    quantified = table["model"] == "xpp"
    assert (table["systematic_error"] < analysed[0]["systematic_error"])[quantified].all()
    assert (table["systematic_error"] > 0)[quantified].all()  # the matrix correction is left
    np.testing.assert_allclose(table["standard_error"], analysed[0]["standard_error"])


def test_real_spectrum_gives_the_resolution_that_its_header_states(rawfiles: Path) -> None:
    region = read(rawfiles / "edx/emsa_msa/647_leo_edax_test.msa")["spectrum"].to_dataset()
    elements = {
        "O": Element(atomic_weight=15.999, families={"K": [(0.5249, 100)]}, quantified="K"),
        "S": Element(atomic_weight=32.06, families={"K": [(2.3073, 150), (2.4640, 8)]}, quantified="K"),
        "Co": Element(
            atomic_weight=58.933,
            families={
                "K": [(6.9303, 100), (6.9153, 51), (7.6494, 17)],
                "L": [(0.7762, 111), (0.7914, 76), (0.6779, 10)],
            },
            quantified="K",
        ),
    }
    table, result = run(region, EdxSettings(elements=elements, reference="Co", fit_range=(0.4, 9.0)))
    table = table.set_index(["parameter", "feature"])
    resolution = table.loc[("detector_resolution", "Mn Ka"), "value"]
    assert resolution == pytest.approx(125.2, abs=7)  # the header's RESO (MnKa)
    assert abs(table.loc[("energy_offset", ""), "value"]) < 15
    cobalt = table.loc[("intensity", "Co K")]
    assert cobalt["value"] > 10 * cobalt["standard_error"]
    assert float(result.curves["a/spectrum"]["residual"].std()) < 1.6


def test_spectrum_in_ev_and_in_kev_are_one(sample, analysed) -> None:
    region = sample.assign_coords(energy=("energy", sample.energy.values / 1e3, {"units": "keV"}))
    np.testing.assert_allclose(run(region)[0]["value"], analysed[0]["value"], rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "conditions", "message"),
    [
        (lambda r: r.assign_attrs(beam_voltage_kV=math.nan), {}, "a: the file gives no beam energy"),
        (lambda r: r, {"beam_energy": (9.0, "keV")}, "a: quantified lines lie outside .*: Se K"),
        (
            lambda r: r.assign(intensity=r["intensity"].where(r["energy"] != r["energy"][300], -500.0)),
            {},
            r"a: 1 of 1731 counts are negative, first point 231 \(energy 3000\): -500; expected the counts of the",
        ),
        (
            lambda r: xr.concat([r] * 2, "energy"),
            {},
            r"a: point 2049: energy 0 follows 20470; expected values that rise from point to point",
        ),
        (lambda r: r * 0, {"beam_energy": (20.0, "keV")}, "a: 0 counts in 1731 channels"),
        (lambda r: r.rename(energy="wavelength"), {}, "a: EDX needs an axis of energy"),
        (
            lambda r: r.assign_coords(energy=("energy", r.energy.values, {"units": "1"})),
            {},
            "a: the unit of the energy axis is not known",
        ),
    ],
)
def test_data_that_do_not_suffice_are_named(sample, change, conditions, message) -> None:
    with pytest.raises(AnalysisError, match=message), xr.set_options(keep_attrs=True):
        run(change(sample), conditions=conditions)


@pytest.mark.slow
def test_intervals_cover_the_truth() -> None:
    draws = 400
    rng = np.random.default_rng(17)
    crystal = specimen("edx")
    axis = twin.CHANNEL * np.arange(twin.CHANNELS)
    clean = crystal.expected(axis)
    region = xr.Dataset({"intensity": ("energy", clean)}, {"energy": ("energy", axis, {"units": "keV"})})
    beam = {"beam_energy": (crystal.beam_energy, "keV")}
    model, _ = edx.prepare(Measurement("a", ATTRS, beam, {"spectrum": region}), SETTINGS)
    inside = np.isin(axis, model.energy)
    truth = {edx.intensity_of(name): value for name, value in crystal.intensities().items() if name in model.families}
    truth |= {"fwhm_Mn": twin.MN_FWHM, "energy_offset": twin.OFFSET_ERROR, "energy_gain": 1 + twin.GAIN_ERROR}
    covered = dict.fromkeys(truth, 0)
    for _ in range(draws):
        counts = rng.poisson(clean)[inside]
        fitted = fit_counts(model.expected, counts, model.start(counts), jacobian=model.jacobian)
        for name, value in truth.items():
            covered[name] += abs(fitted.value(name) - value) < 1.959964 * fitted.error(name)
    shares = {name: count / draws for name, count in covered.items()}
    print(shares)
    assert all(0.90 <= share <= 0.98 for share in shares.values()), shares
