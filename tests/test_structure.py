"""Structures: reflections of the published cells, and the geometry of the models."""

import json

import numpy as np
import pytest
import xarray as xr
from relaxor.core.errors import AnalysisError
from relaxor.core.storage import load_parameters, save_tree
from relaxor.readers import read
from relaxor.simulation import structure as twin
from relaxor.techniques.structure.analysis import allowed_basal, bragg_two_theta, d_spacing

from tests.analyses import analyse_with
from tests.project import CBPS

SETTINGS = CBPS["structure"]
P31C, R3 = (SETTINGS["cells"][name] for name in ("P-31c", "R-3"))
ALPHA1 = 1.540593


def ingested(tmp_path, files):
    groups = {}
    for name, path in files.items():
        attrs = {"raw_file": path.name, "raw_sha256": "0" * 64, "origin": "simulated", "instrument": ""}
        groups[name] = xr.Dataset(attrs={**attrs, "conditions": json.dumps({})})
        groups |= {f"{name}/{child}": node.to_dataset() for child, node in read(path).children.items()}
    save_tree(tmp_path / "structure.nc", groups)
    return str(tmp_path / "structure.nc")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("structure")
    samples = list(twin.simulate(np.random.default_rng(0)))
    files = {}
    for sample in samples:
        files[sample.measurement] = folder / sample.name
        files[sample.measurement].write_bytes(sample.content)
    parameters, curves = folder / "parameters.csv", folder / "curves.nc"
    analyse_with("structure", ingested(folder, files), str(parameters), str(curves), **SETTINGS)
    return load_parameters(parameters), curves, samples


def test_basal_lines_of_both_published_cells_lie_where_the_literature_has_them():
    assert allowed_basal(P31C, 1.1) == [2, 4, 6, 8, 10, 12]
    assert allowed_basal(R3, 6.0) == [3, 6]
    for cell, positions in (
        (P31C, {2: 13.341, 4: 26.867, 6: 40.788, 8: 55.372, 10: 71.012, 12: 88.365}),
        (R3, {6: 13.350, 12: 26.885, 18: 40.817, 24: 55.413, 30: 71.067, 36: 88.440}),
    ):
        for index, position in positions.items():
            d, _ = d_spacing(cell, (0, 0, index))
            assert float(bragg_two_theta(d, ALPHA1)) == pytest.approx(position, abs=6e-4)


def test_spacings_seen_in_the_microscope_with_the_uncertainty_of_the_cell():
    assert d_spacing(P31C, (1, 0, 0)) == pytest.approx((5.6647, 0.0009 * 3**0.5 / 2), abs=1e-4)
    assert d_spacing(P31C, (1, 1, 0))[0] == pytest.approx(3.2705, abs=1e-4)
    assert d_spacing(P31C, (0, 0, 2)) == pytest.approx((6.6315, 0.0015), abs=1e-6)
    # For a mixed reflection both edges count: against a numerical derivative.
    d, error = d_spacing(P31C, (1, 1, 4))
    moved_a = d_spacing({**P31C, "a": P31C["a"] + P31C["a_uncertainty"]}, (1, 1, 4))[0] - d
    moved_c = d_spacing({**P31C, "c": P31C["c"] + P31C["c_uncertainty"]}, (1, 1, 4))[0] - d
    assert error == pytest.approx(np.hypot(moved_a, moved_c), rel=1e-3)


def test_the_geometry_put_into_the_models_is_found(models):
    table, _, samples = models
    keyed = table.set_index(["measurement", "model", "parameter"])
    for sample in samples:
        for model, parameter, true, unit in sample.truth:
            row = keyed.loc[(sample.measurement, model, parameter)]
            assert abs(row["value"] - true) <= 2 * row["standard_error"] + 1e-9, (sample.measurement, parameter)
            assert row["unit"] == unit


def test_density_is_the_published_one_and_copper_tells_the_states_apart(models):
    table, _, _ = models
    keyed = table[table["model"] == "cif"].set_index(["measurement", "parameter"])["value"]
    assert keyed["structure_afe", "density"] == pytest.approx(5.462, abs=5e-4)
    assert keyed["structure_afe", "cell_volume"] == pytest.approx(491.43, abs=5e-3)
    assert keyed["structure_afe", "offset_Cu_layer_1"] == pytest.approx(-keyed["structure_afe", "offset_Cu_layer_2"])
    assert keyed["structure_fe", "offset_Cu_layer_1"] == pytest.approx(keyed["structure_fe", "offset_Cu_layer_2"])
    assert keyed["structure_afe", "coordination_P_Se"] == 3
    assert keyed["structure_afe", "coordination_P_P"] == 1
    assert keyed["structure_afe", "coordination_Bi_Se"] == 6
    assert keyed["structure_afe", "coordination_Cu_Se"] == 3


def test_drawn_bonds_are_as_long_as_the_table_says(models):
    table, curves, _ = models
    with xr.open_datatree(curves, engine="h5netcdf") as stored:
        atoms, bonds = stored["structure_fe/atoms"].to_dataset(), stored["structure_fe/bonds"].to_dataset()
        places = np.column_stack([atoms[axis].to_numpy() for axis in "xyz"])
        ends = bonds["atom"].to_numpy()
        element = atoms["element"].to_numpy().astype(str)
    lengths = np.linalg.norm(places[ends[:, 0]] - places[ends[:, 1]], axis=1)
    keyed = table[table["measurement"] == "structure_fe"].set_index("parameter")["value"]
    for pair in ("Cu_Se", "P_Se", "Bi_Se", "P_P"):
        first, second = pair.split("_")
        chosen = (element[ends[:, 0]] == first) & (element[ends[:, 1]] == second)
        assert lengths[chosen].min() == pytest.approx(keyed[f"bond_{pair}_min"], abs=1e-6)
        assert lengths[chosen].max() == pytest.approx(keyed[f"bond_{pair}_max"], abs=1e-6)


def test_what_is_not_layered_is_refused(tmp_path, reference):
    data = ingested(tmp_path, {"silicon": reference / "xrd/Silicon_AMCSD.cif"})
    with pytest.raises(
        AnalysisError, match=r"silicon: no gap wider than 2\.2 angstrom along c: not a layered structure"
    ):
        analyse_with("structure", data, str(tmp_path / "p.csv"), str(tmp_path / "c.nc"), **SETTINGS)
    assert not (tmp_path / "p.csv").exists()


def test_a_file_that_is_no_structure_says_what_it_holds(tmp_path, root):
    data = ingested(tmp_path, {"scan": root / "raw_data/cbps/xrd/cbps_platelet_00l.raw"})
    with pytest.raises(
        AnalysisError, match=r"scan: no crystal structure \(CIF\) but intensity, .*; mend its technique"
    ):
        analyse_with("structure", data, str(tmp_path / "p.csv"), str(tmp_path / "c.nc"), **SETTINGS)


def test_the_settings_name_both_published_cells():
    assert set(SETTINGS["cells"]) == {"P-31c", "R-3"}
    assert all("10.1021/ic050357+" in cell["source"] for cell in SETTINGS["cells"].values())
