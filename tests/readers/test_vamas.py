"""VAMAS spectra: the real files against published values and the library, and damage of every kind."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from relaxor.core.errors import ReadError
from relaxor.readers import read
from relaxor.readers.photoemission import vamas as vamas_reader

from tests.public_files import present, shared
from tests.readers.samples.photoemission import vamas as vamas_file

PUBLISHED = {
    "regular.vms": ("Survey", 1351, (1350.0, 0.0), 15598.7, 108366.0),
    "irregular.vms": ("Survey", 1351, (1350.0, 0.0), 15598.7, 108366.0),
    "FeO_analyzed.vms": ("Fe2p", 1121, (750.0, 694.0), 6258.45, 12020.35),
}


def test_rates_are_those_of_the_peer(rawfiles, subtests):
    for path, (region, points, energies, first, largest) in present(rawfiles / "xps/vamas_vms", PUBLISHED):
        with subtests.test(path.name):
            node = read(path)[region]
            rate = node["intensity"]
            assert rate.sizes == {"binding_energy": points}
            assert rate.attrs["units"] == "count/s"
            assert node["binding_energy"].to_numpy()[[0, -1]] == pytest.approx(energies, abs=1e-9)
            assert (float(rate[0]), float(rate.max())) == pytest.approx((first, largest), rel=1e-9)
            assert "transmission" in node.to_dataset()


def test_counts_are_those_of_the_file_and_scans_add_time(rawfiles):
    tree = read(rawfiles / "xps/vamas_vms/mjr9_116a.vms")
    wide = tree["Wide"].to_dataset()
    assert len(tree.children) == 7
    assert (float(wide["counts"][0]), float(wide["counts"].max())) == (8085.0, 30809.0)
    assert wide.attrs["counting_time"] == pytest.approx(3 * 0.163636)
    np.testing.assert_allclose(wide["intensity"] * wide.attrs["counting_time"], wide["counts"])
    np.testing.assert_allclose(wide["kinetic_energy"][[0, -1]], [386.69, 1486.69])


def test_regular_files_agree_with_the_library(rawfiles, reference):
    vamas = pytest.importorskip("vamas")
    names = ("regular", "mjr9_116a", "fomblin_y", "gpbn")
    files = [rawfiles / f"xps/vamas_vms/{name}.vms" for name in names] + [reference / "xps/lg4x/0-150W.vms"]
    blocks = 0
    for path in files:
        theirs = vamas.Vamas(path.read_bytes().lstrip()).blocks
        ours = list(read(path).children.values())
        assert len(ours) == len(theirs)
        for node, block in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(node["counts"], block.corresponding_variables[0].y_values)
            axis = "binding_energy" if "inding" in block.x_label else "kinetic_energy"
            expected = block.x_start + block.x_step * np.arange(node["counts"].size)
            np.testing.assert_allclose(node[axis], expected, atol=1e-9)
            blocks += 1
    assert blocks == 19


def test_multipak_exports_are_rates_already(reference):
    carbon = read(reference / "xps/lg4x/Mutlipak_vms.npl")["C1s"].to_dataset()
    assert float(carbon["intensity"][0]) == 2047.5
    assert carbon["intensity"].attrs["units"] == "count/s"
    assert float(carbon["intensity_uncertainty"][0]) == pytest.approx(np.sqrt(2047.5 * 0.4) / 0.4)


def test_comment_fragments_are_no_vamas_files(rawfiles):
    fragments = sorted((rawfiles / "xps/edge_vamas_comment_fragments").glob("*.vms"))
    assert len(fragments) == 5
    for path in fragments:
        assert not vamas_reader.recognises(path.read_bytes()[:4096], path)
        with pytest.raises(ReadError, match="format not recognised"):
            read(path)
        with pytest.raises(ReadError, match="is not VAMAS"):
            vamas_reader.extract(path)


# --- without the real files ------------------------------------------------------------------------------------------
def given_file(tmp_path, text):
    path = tmp_path / "spectrum.vms"
    path.write_text(text)
    return path


def test_counts_made_by_hand_are_those_of_the_library(tmp_path):
    vamas = pytest.importorskip("vamas")
    path = given_file(tmp_path, vamas_file(2))
    for node, block in zip(read(path).children.values(), vamas.Vamas(path.read_bytes()).blocks, strict=True):
        np.testing.assert_array_equal(node["counts"], block.corresponding_variables[0].y_values)
        np.testing.assert_allclose(node["kinetic_energy"], block.x_start + block.x_step * np.arange(4))


def test_irregular_scans_and_further_variables(tmp_path):
    """The abscissa is the first variable, a transmission the last; the unit of the ordinate makes it a rate."""
    text = vamas_file().replace("REGULAR", "IRREGULAR").replace("Kinetic Energy\neV\n1190.6\n0.5\n", "")
    text = text.replace("1\nCounts\nd\n", "3\nBinding Energy\neV\nIntensity\nc/s\nTransmission\nd\n")
    rows = "\n".join(f"{296 - 0.5 * i}\n{rate}\n{0.5 + i}" for i, rate in enumerate((1, 4, 9, 4)))
    text = text.replace("4\n1\n9\n1\n4\n9\n4\n", f"12\n294.5\n296\n1\n9\n0.5\n3.5\n{rows}\n")
    region = read(given_file(tmp_path, text))["C1s"].to_dataset()
    assert region["binding_energy"].values.tolist() == [296, 295.5, 295, 294.5]
    assert region["intensity"].values.tolist() == [1, 4, 9, 4] and "counts" not in region
    assert region["transmission"].values.tolist() == [0.5, 1.5, 2.5, 3.5]
    np.testing.assert_allclose(region["intensity_uncertainty"], [1, 2, 3, 2])


def test_what_is_not_known_is_left_out(tmp_path):
    """Without excitation energy and collection time the axis stays kinetic, and the signal stays counts."""
    text = vamas_file().replace("1486.6", "1E+37").replace("pulse counting\n0.5\n2", "pulse counting\n1E+37\n2")
    region = read(given_file(tmp_path, text))["C1s"].to_dataset()
    assert region["intensity"].dims == ("kinetic_energy",) and region["intensity"].attrs["units"] == "count"
    assert not {"counting_time", "excitation_energy"} & set(region.attrs)


def test_blocks_of_one_name_are_told_apart(tmp_path):
    path = tmp_path / "two.vms"
    path.write_text(vamas_file(2))
    tree = read(path)
    assert list(tree.children) == ["C1s", "C1s_2"]
    assert tree.attrs["acquired"] == "2024-11-14T12:00:00"
    np.testing.assert_allclose(tree["C1s"]["intensity"], [1, 4, 9, 4])


def test_parameters_left_out_of_later_blocks_are_those_of_the_first(tmp_path):
    lines = vamas_file(2).splitlines()
    lines[10:11] = ["-2", "8", "37"]  # after the experiment variables: exclude comment and sputtering source
    second = lines.index("block 1")
    del lines[second + 9 : second + 11]  # the comment of the second block
    path = tmp_path / "excluded.vms"
    path.write_text("\n".join(lines))
    tree = read(path)
    assert [node.attrs["comment"] for node in tree.children.values()] == ["SIMULATED", "SIMULATED"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("REGULAR", "MAPPING", "line 8: scan mode 'MAPPING' is not read"),
        ("NORM", "NOTHING", "experiment mode 'NOTHING' is none of MAP"),
        ("1190.6", "much", "line 49: first abscissa expected, found 'much'"),
        ("\n4\n1\n9\n", "\n1000000000\n1\n9\n", "announces 1000000000 values of 1 variables"),
        ("\n1\n4\n9\n4\n", "\n1\nnan\n9\n4\n", "not a finite number"),
        ("\n1\nblock 0", "\n99999999\nblock 0", "number of blocks is 99999999"),
        ("\n9\n4\nend of experiment\n", "", "announces 4 values of 1 variables, 4 lines follow"),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path, old, new, message):
    text = vamas_file()
    assert old in text
    path = tmp_path / "broken.vms"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ReadError, match=message) as caught:
        read(path)
    assert str(path) in str(caught.value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 2000), place=st.integers(0, 2000), byte=st.integers(0, 255))
def test_damaged_bytes_give_a_tree_or_a_read_error(tmp_path, cut, place, byte):
    data = bytearray(vamas_file(2).encode())
    data[75 + place % (len(data) - 75)] = byte
    path = tmp_path / "damaged.vms"
    path.write_bytes(bytes(data[: len(data) - cut % (len(data) - 80)]))
    try:
        assert read(path).children
    except ReadError as error:
        assert str(path) in str(error)


def test_variables_of_the_experiment_and_further_experiments(tmp_path):
    """The etch time of a block is its attribute, and a second experiment is read and named."""
    part = (
        vamas_file(2).replace("\nREGULAR\n1\n0\n", "\nREGULAR\n1\n1\nEtch Time\ns\n").replace("\nXPS\n", "\nXPS\n60\n")
    )
    path = tmp_path / "file.vms"
    path.write_text(part + vamas_file() + "note\n", encoding="utf-8")
    tree = read(path)
    assert list(tree.children) == ["C1s", "C1s_2", "C1s_3"]
    assert (tree["C1s"].attrs["etch_time"], tree["C1s"].attrs["etch_time_units"]) == (60, "s")
    assert "etch_time" not in tree["C1s_3"].attrs
    assert "experiment 2 of the file begins; its blocks are C1s_3" in tree.attrs["warnings"]
    assert "1 lines behind the last block are not read ('note')" in tree.attrs["warnings"]


def test_real_depth_profiles_and_experiments():
    profile = read(shared("cases/p04-vamas-depth-profile/etch_profile.vms"))
    assert [block.attrs["etch_time"] for block in profile.children.values()] == [0, 60, 120]
    two = read(shared("cases/p03-two-vamas-experiments/two_experiments.vms"))
    assert list(two.children) == ["Pt4f", "Pt4f_2"] and "line 653: experiment 2" in two.attrs["warnings"]
