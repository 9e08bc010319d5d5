"""CIF: cell, sites, uncertainties, and what is refused."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from relaxor.core.errors import ReadError
from relaxor.readers import read

from tests.certified import cells
from tests.readers.samples.diffraction import ROCK_SALT
from tests.simulated import simulated


def cif(tmp_path, text):
    path = tmp_path / "structure.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_cell_and_sites_with_their_uncertainties(tmp_path):
    tree = read(cif(tmp_path, ROCK_SALT))
    cell = tree["cell"]
    assert tree.attrs["format"] == "cif"
    assert float(cell["length_a"]) == 5.6402
    assert float(cell["length_a_uncertainty"]) == pytest.approx(3e-4)
    assert cell["element"].to_numpy().tolist() == ["Na", "Cl"]
    assert float(cell["z"][1]) == 0.5
    assert float(cell["z_uncertainty"][1]) == pytest.approx(2e-3)
    assert float(cell["x_uncertainty"][1]) == pytest.approx(0.1 / np.sqrt(12))
    assert cell.attrs["space_group"] == "F m -3 m"
    assert len(cell.attrs["operations"].split(";")) == 192


@pytest.mark.parametrize(("name", "edge", "error"), [
    ("silicon", 5.431020511, 8.9e-8), ("lanthanum hexaboride", 4.1569162, 9.7e-6)
])  # fmt: skip
def test_cells_of_reference_materials(tmp_path, name, edge, error):
    known = cells()[name]
    lines = [f"data_{name.split()[0]}", f"_symmetry_space_group_name_H-M '{known['space_group']}'"]
    lines += [f"_cell_length_{axis} {known['edge']}" for axis in "abc"]
    lines += [f"_cell_angle_{angle} 90" for angle in ("alpha", "beta", "gamma")]
    lines += ["loop_", "_atom_site_label", *(f"_atom_site_fract_{axis}" for axis in "xyz")]
    lines += [" ".join(map(str, (label, *place))) for label, place in known["sites"].items()]
    cell = read(cif(tmp_path, "\n".join(lines) + "\n"))["cell"]
    for length in ("length_a", "length_b", "length_c"):
        assert (float(cell[length]), cell[length].attrs["units"]) == (edge, "angstrom")
        assert float(cell[f"{length}_uncertainty"]) == pytest.approx(error)
    assert (float(cell["angle_alpha"]), float(cell["angle_alpha_uncertainty"])) == (90, 0)
    assert cell.attrs["space_group"] == known["space_group"]
    assert cell["element"].values.tolist() == [label.rstrip("1") for label in known["sites"]]
    assert len(cell.attrs["operations"].split(";")) == {"F d -3 m": 192, "P m -3 m": 48}[known["space_group"]]


def test_a_real_file_of_silicon(reference):
    cell = read(reference / "xrd/Silicon_AMCSD.cif")["cell"]
    assert float(cell["length_a"]) == pytest.approx(5.430, abs=0.002)
    assert cell.attrs["space_group"] == "F d -3 m"


def test_the_model_structures_say_that_they_are_models(tmp_path):
    for sample in simulated("structure", 0):
        path = tmp_path / sample.name
        path.write_bytes(sample.content)
        cell = read(path)["cell"]
        assert "SIMULATED model" in cell.attrs["title"]
        assert b"not a refinement" in sample.content
        assert cell.sizes["atom"] == 6
        assert float(cell["length_c"]) == 13.263
        assert cell.attrs["space_group"] == {"afe": "P -3", "fe": "P 3 1 c"}[sample.measurement[-3:].strip("_")]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("5.6402(3)", "five", "data_test, _cell_length_a: 'five' is not a number"),
        ("5.6402(3)", "0", "data_test, _cell_length_a: is 0 angstrom; above 0 expected"),
        ("length_b 5.6402(3)", "length_b -6.5", "data_test, _cell_length_b: is -6.5 angstrom; above 0 expected"),
        ("gamma 90", "gamma 400", "data_test, _cell_angle_gamma: is 400 degree; between 0 and 180 expected"),
        ("alpha 90", "alpha 0", "data_test, _cell_angle_alpha: is 0 degree; between 0 and 180 expected"),
        (
            "beta 90\n_cell_angle_gamma 90",
            "beta 30\n_cell_angle_gamma 60",
            "no cell has angles of 90, 30, 60 degree; any",
        ),
        ("Cl1 0.5 0.5 0.500(2)\n", "Cl1 0.5 0.5\n", "is not a valid CIF"),
        ("Na1 0", "Na1 zero", "data_test, atom Na1: 'zero' is not a number"),
        ("'F m -3 m'", "'F q'", r"neither symmetry operations nor a known space group \(F q\)"),
        ("Na1 0 0 0", "Qq1 0 0 0", "'Qq1' is not an element"),
    ],
)
def test_broken_files_are_named(tmp_path, old, new, message):
    path = cif(tmp_path, ROCK_SALT.replace(old, new))
    with pytest.raises(ReadError, match=message) as error:
        read(path)
    assert str(error.value).startswith(str(path))


@given(cut=st.integers(0, len(ROCK_SALT)), place=st.integers(0, len(ROCK_SALT) - 1), value=st.integers(0, 255))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_damaged_files_are_read_or_refused_and_nothing_else(tmp_path, cut, place, value):
    path = tmp_path / "damaged.cif"
    changed = bytearray(ROCK_SALT.encode())
    changed[place] = value
    for content in (ROCK_SALT.encode()[:cut], bytes(changed)):
        path.write_bytes(content)
        try:
            assert read(path).children
        except ReadError as error:
            assert str(path) in str(error)
