"""Structures: reflections of the published cells, and the geometry of the models."""

from dataclasses import replace

import numpy as np
import pytest
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Number
from relaxor.core.storage import load, numbers_table
from relaxor.figures.panel import PanelData
from relaxor.figures.style import SINGLE, new_figure
from relaxor.simulation.sample_file import SampleFile
from relaxor.techniques.registry import techniques
from relaxor.techniques.structure import panels
from relaxor.techniques.structure.analysis import allowed_basal, bragg_two_theta, d_spacing
from relaxor.techniques.structure.settings import StructureSettings

from tests.analyses import analysis_of
from tests.project import CBPS
from tests.simulated import against_truth, ingested, simulated

analyse = analysis_of("structure")

SETTINGS = StructureSettings.model_validate(CBPS["structure"])
P31C, R3 = (SETTINGS.cells[name] for name in ("P-31c", "R-3"))
ALPHA1 = 1.540593


@pytest.fixture(scope="module")
def measurements(tmp_path_factory):
    return load(ingested(simulated("structure", 0), tmp_path_factory.mktemp("structure")))


@pytest.fixture(scope="module")
def models(measurements):
    result = analyse(measurements, SETTINGS)
    return numbers_table(result.numbers, "structure"), result.curves


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
    moved_a, moved_c = (
        d_spacing(P31C.model_copy(update={"a": P31C.a + u_a, "c": P31C.c + u_c}), (1, 1, 4))[0] - d
        for u_a, u_c in ((P31C.a_uncertainty, 0.0), (0.0, P31C.c_uncertainty))
    )
    assert error == pytest.approx(np.hypot(moved_a, moved_c), rel=1e-3)


def test_the_geometry_put_into_the_models_is_found(models):
    joined = against_truth(models[0], simulated("structure", 0), how="right")
    assert (joined["unit"] == joined["true_unit"]).all()
    assert ((joined["value"] - joined["true"]).abs() <= 2 * joined["standard_error"] + 1e-9).all()


def test_density_is_the_published_one_and_copper_tells_the_states_apart(models):
    table, _ = models
    keyed = table[table["model"] == "cif"].set_index(["measurement", "parameter", "feature"])["value"]
    afe, fe = keyed["structure_afe"], keyed["structure_fe"]
    assert afe["density", ""] == pytest.approx(5.462, abs=5e-4)
    assert afe["cell_volume", ""] == pytest.approx(491.43, abs=5e-3)
    assert afe["layer_offset", "Cu layer 1"] == pytest.approx(-afe["layer_offset", "Cu layer 2"])
    assert fe["layer_offset", "Cu layer 1"] == pytest.approx(fe["layer_offset", "Cu layer 2"])
    assert afe["coordination"].to_dict() == {"P-P": 1, "P-Se": 3, "Cu-Se": 3, "Bi-Se": 6}


def test_drawn_bonds_are_as_long_as_the_table_says(models):
    table, curves = models
    atoms = curves["structure_fe/atoms"]
    places = np.column_stack([atoms[axis].to_numpy() for axis in "xyz"])
    ends = curves["structure_fe/bonds"]["atom"].to_numpy()
    element = atoms["element"].to_numpy().astype(str)
    lengths = np.linalg.norm(places[ends[:, 0]] - places[ends[:, 1]], axis=1)
    keyed = table[table["measurement"] == "structure_fe"].set_index(["parameter", "feature"])["value"]
    for pair in ("Cu-Se", "P-Se", "Bi-Se", "P-P"):
        first, second = pair.split("-")
        chosen = (element[ends[:, 0]] == first) & (element[ends[:, 1]] == second)
        assert lengths[chosen].min() == pytest.approx(keyed["shortest_bond_length", pair], abs=1e-6)
        assert lengths[chosen].max() == pytest.approx(keyed["longest_bond_length", pair], abs=1e-6)


def test_what_is_not_layered_is_refused(tmp_path, reference):
    silicon = SampleFile("silicon", "structure", "", "s.cif", (reference / "xrd/Silicon_AMCSD.cif").read_bytes())
    message = r"silicon: no gap wider than 2\.2 angstrom along c: not a layered structure"
    with pytest.raises(AnalysisError, match=message):
        analyse(load(ingested([silicon], tmp_path)), SETTINGS)


def test_a_file_that_is_no_structure_says_what_it_holds(tmp_path):
    (scan,) = simulated("xrd", 0)
    message = r"xrd_platelet: no crystal structure \(CIF\) but intensity, .*; correct its technique"
    with pytest.raises(AnalysisError, match=message):
        analyse(load(ingested([scan], tmp_path)), SETTINGS)


def test_the_settings_name_both_published_cells():
    assert set(SETTINGS.cells) == {"P-31c", "R-3"}
    assert all("10.1021/ic050357+" in cell.source for cell in SETTINGS.cells.values())


def test_a_cell_that_nobody_described_is_refused(measurements):
    with pytest.raises(AnalysisError, match="cell 'P1' is not among the published cells of the settings: P-31c, R-3"):
        analyse(measurements, SETTINGS.model_copy(update={"cell": "P1"}))


def test_a_structure_of_which_nothing_is_set_is_analysed_and_drawn(measurements):
    import xarray as xr

    result = analyse(measurements, StructureSettings())
    elements = result.curves["structure_fe/elements"]
    assert elements["element"].values.tolist() == ["Bi", "Cu", "P", "Se"]
    assert elements["diameter"].values == pytest.approx([1.48, 1.32, 1.07, 1.20])  # covalent radii
    data = PanelData(dict(xr.DataTree.from_dict(result.curves).children), numbers_table(result.numbers, "structure"))
    figure = new_figure(SINGLE, 60)
    panels.views(figure.add_subplot(), data)
    figure.draw_without_rendering()


def test_every_number_is_listed_and_others_are_refused(measurements):
    numbers = analyse(measurements, SETTINGS).numbers
    technique = techniques()["structure"]
    technique.require_named(numbers)
    for wrong in ({"parameter": "d_100"}, {"model": "P-31c"}, {"unit": "nm"}):
        unlisted: Number = replace(numbers[-1], **wrong)
        with pytest.raises(ValueError, match="structure: '"):
            technique.require_named([unlisted])
