"""VAMAS spectra: the real files against their manifest, the library, and damage of every kind."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from relaxor.core.errors import ReadError
from relaxor.readers import read
from relaxor.readers.photoemission import vamas as vamas_reader

BLOCK = """{identifier}
sample
2024
11
14
12
0
0
0
1
SIMULATED
XPS
Al mono
1486.6
25
100
100
45
0
FAT
55
1
4.5
0
0
0
45
0
C
1s
-1
Kinetic Energy
eV
1190.6
0.5
1
Counts
d
pulse counting
0.5
2
0
0
0
0
0
4
1
9
1
4
9
4
"""


def small_file(blocks: int = 1) -> str:
    head = [vamas_reader.MARK, "lab", "PHI VersaProbe III", "nobody", "simulated", "0", "NORM", "REGULAR", "1"]
    text = "\n".join([*head, "0", "0", "0", "0", "0", str(blocks)]) + "\n"
    return (
        text + "".join(BLOCK.format(identifier=f"block {number}") for number in range(blocks)) + "end of experiment\n"
    )


@pytest.mark.parametrize(
    ("name", "region", "points", "energies", "first", "largest"),
    [
        ("regular.vms", "Survey", 1351, (1350.0, 0.0), 15598.7, 108366.0),
        ("irregular.vms", "Survey", 1351, (1350.0, 0.0), 15598.7, 108366.0),
        ("FeO_analyzed.vms", "Fe2p", 1121, (750.0, 694.0), 6258.45, 12020.35),
    ],
)
def test_rates_are_those_of_the_peer(rawfiles, name, region, points, energies, first, largest):
    node = read(rawfiles / "xps/vamas_vms" / name)[region]
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
        with pytest.raises(ReadError, match="is not VAMAS"):
            vamas_reader.extract(path)


def test_blocks_of_one_name_are_told_apart(tmp_path):
    path = tmp_path / "two.vms"
    path.write_text(small_file(2))
    tree = read(path)
    assert list(tree.children) == ["C1s", "C1s_2"]
    assert tree.attrs["acquired"] == "2024-11-14T12:00:00"
    np.testing.assert_allclose(tree["C1s"]["intensity"], [1, 4, 9, 4])


def test_parameters_left_out_of_later_blocks_are_those_of_the_first(tmp_path):
    lines = small_file(2).splitlines()
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
    text = small_file()
    assert old in text
    path = tmp_path / "broken.vms"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ReadError, match=message) as caught:
        read(path)
    assert str(path) in str(caught.value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 2000), place=st.integers(0, 2000), byte=st.integers(0, 255))
def test_damaged_bytes_give_a_tree_or_a_read_error(tmp_path, cut, place, byte):
    data = bytearray(small_file(2).encode())
    data[75 + place % (len(data) - 75)] = byte
    path = tmp_path / "damaged.vms"
    path.write_bytes(bytes(data[: len(data) - cut % (len(data) - 80)]))
    try:
        assert read(path).children
    except ReadError as error:
        assert str(path) in str(error)
