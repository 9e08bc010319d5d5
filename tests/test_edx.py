"""EDX: lines under lines, and a composition with two kinds of uncertainty."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from relaxor.core.errors import AnalysisError
from relaxor.core.storage import load_parameters, save_tree
from relaxor.readers import read
from relaxor.simulation import edx as twin
from relaxor.stats.fit import fit_counts
from relaxor.techniques.edx import analysis as edx
from relaxor.techniques.edx.settings import Element

from tests.analyses import analyse_with
from tests.project import CBPS

SETTINGS = CBPS["edx"]
ATTRS = {"raw_file": "a.msa", "raw_sha256": "0" * 64, "origin": "simulated", "instrument": ""}


def run(
    region: xr.Dataset, folder: Path, conditions: dict | None = None, **changes
) -> tuple[pd.DataFrame, xr.DataTree]:
    attrs = {**ATTRS, "conditions": json.dumps(conditions or {})}
    save_tree(folder / "data.nc", {"a": xr.Dataset(attrs=attrs), "a/spectrum": region})
    analyse_with("edx", str(folder / "data.nc"), str(folder / "p.csv"), str(folder / "c.nc"), **(SETTINGS | changes))
    return load_parameters(folder / "p.csv"), xr.open_datatree(folder / "c.nc", engine="h5netcdf")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory):
    (entry,) = twin.simulate(np.random.default_rng(5))
    path = tmp_path_factory.mktemp("edx") / entry.name
    path.write_bytes(entry.content)
    return entry, read(path)["spectrum"].to_dataset()


@pytest.fixture(scope="module")
def analysed(sample, tmp_path_factory: pytest.TempPathFactory):
    return run(sample[1], tmp_path_factory.mktemp("analysed"))


def test_what_was_put_in_is_found(sample, analysed) -> None:
    keyed = analysed[0].set_index(["model", "parameter"])
    z = []
    for model, parameter, value, unit in sample[0].truth:
        found = keyed.loc[(model, parameter)]
        assert found["unit"] == unit
        z.append((found["value"] - value) / math.hypot(found["standard_error"], found["systematic_error"]))
    assert np.mean(np.abs(z) < 1.96) >= 0.9
    assert np.abs(z).max() < 4


def test_composition_is_whole_and_its_uncertainties_are_apart(analysed) -> None:
    table = analysed[0].set_index("parameter")
    percent = table[table.index.str.endswith("_atomic_percent")]
    assert percent["value"].sum() == pytest.approx(100)
    assert table[table.index.str.endswith("_weight_percent")]["value"].sum() == pytest.approx(100)
    assert table[table.index.str.endswith("_per_formula")]["value"].sum() == pytest.approx(10)
    assert (percent["systematic_error"] > 5 * percent["standard_error"]).all()
    ratio = table.loc["Se_to_Cu"]
    assert ratio["value"] == pytest.approx(table.loc["Se_per_formula", "value"] / table.loc["Cu_per_formula", "value"])
    # Se is the reference of the k-factors: only copper's matters in this ratio.
    assert ratio["systematic_error"] / ratio["value"] == pytest.approx(0.05, rel=1e-6)


def test_better_k_factors_leave_the_counting_error_alone(sample, analysed, tmp_path: Path) -> None:
    elements = {name: {**element, "k_uncertainty": 0.0} for name, element in SETTINGS["elements"].items()}
    table, _ = run(sample[1], tmp_path, elements=elements)
    merged = table.merge(analysed[0], on=["model", "parameter"], suffixes=("", "_before"))
    assert (merged["systematic_error"] == 0).all()
    np.testing.assert_allclose(merged["standard_error"].dropna(), merged["standard_error_before"].dropna())


def test_real_spectrum_gives_the_resolution_that_its_header_states(rawfiles: Path, tmp_path: Path) -> None:
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
    table, curves = run(
        region,
        tmp_path,
        elements={name: element.model_dump() for name, element in elements.items()},
        reference="Co",
        fit_range=(0.4, 9.0),
    )
    table = table.set_index("parameter")
    assert table.loc["fwhm_Mn", "value"] == pytest.approx(125.2, abs=7)  # the header's RESO (MnKa)
    assert abs(table.loc["energy_offset", "value"]) < 15
    assert table.loc["Co_K_intensity", "value"] > 10 * table.loc["Co_K_intensity", "standard_error"]
    assert float(curves["a/spectrum"]["residual"].std()) < 1.6


def test_spectrum_in_ev_and_in_kev_are_one(sample, analysed, tmp_path: Path) -> None:
    region = sample[1].assign_coords(energy=("energy", sample[1].energy.values / 1e3, {"units": "keV"}))
    np.testing.assert_allclose(run(region, tmp_path)[0]["value"], analysed[0]["value"], rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "conditions", "message"),
    [
        (lambda r: r.assign_attrs(beam_voltage_kV=math.nan), {}, "a: the file gives no beam energy"),
        (lambda r: r, {"beam_energy": [9.0, "keV"]}, "a: quantified lines lie outside .*: Se K"),
        (
            lambda r: r.assign(intensity=r["intensity"].where(r["energy"] != r["energy"][300], -500.0)),
            {},
            r"a: 1 of 1731 counts are negative, first point 231 \(energy 3000\): -500; expected what the",
        ),
        (
            lambda r: xr.concat([r] * 2, "energy"),
            {},
            r"a: point 2049: energy 0 follows 20470; expected values that rise from point to point",
        ),
        (lambda r: r * 0, {"beam_energy": [20.0, "keV"]}, "a: 0 counts in 1731 channels"),
        (lambda r: r.rename(energy="wavelength"), {}, "a: EDX needs an axis of energy"),
        (
            lambda r: r.assign_coords(energy=("energy", r.energy.values, {"units": "1"})),
            {},
            "a: the unit of the energy axis is not known",
        ),
    ],
)
def test_data_that_do_not_suffice_are_named(sample, tmp_path: Path, change, conditions, message) -> None:
    with pytest.raises(AnalysisError, match=message), xr.set_options(keep_attrs=True):
        run(change(sample[1]), tmp_path, conditions)


@pytest.mark.slow
def test_intervals_cover_the_truth(sample) -> None:
    draws = 400
    rng = np.random.default_rng(17)
    axis = twin.CHANNEL * np.arange(twin.CHANNELS)
    clean = twin.expected(axis)
    inside = (axis >= 0.7) & (axis <= 18.0)
    families = {
        f"{symbol}_{shell}": np.array(lines, float)
        for symbol, element in SETTINGS["elements"].items()
        for shell, lines in element["families"].items()
    }
    model = edx.SpectrumModel(
        axis[inside], twin.BEAM_ENERGY, families, SETTINGS["background_degree"], SETTINGS["detector_edge"]
    )
    truth = {f"{name}_intensity": value for name, value in twin.intensities().items() if name in families}
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
