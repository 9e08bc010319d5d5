"""EMSA/MAS spectra: the real files against the registry and the library, and damage of every kind."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from relaxor.core.errors import ReadError
from relaxor.readers import read
from relaxor.readers.electron_microscopy import emsa as emsa_reader
from relaxor.simulation.writers import emsa

from tests.public_files import of_format, present

FACTS = re.compile(r"shape \[(\d+)\] first (\S+) max (\S+) sum (\S+); axis")
FILES = of_format("emsa_msa")


def test_real_files_have_the_numbers_of_the_registry_and_of_the_library(rawfiles, subtests) -> None:
    from rsciio.msa import file_reader

    assert len(FILES) == 10
    for path, known in present(rawfiles, FILES):
        with subtests.test(path.name):
            points, first, largest, total = FACTS.search(known).groups()
            data = read(path)["spectrum"]["intensity"]
            assert data.size == int(points)
            assert float(data[0]) == float(first)
            assert float(data.max()) == float(largest)
            assert float(data.sum()) == pytest.approx(float(total), rel=1e-12)
            np.testing.assert_array_equal(data, file_reader(path)[0]["data"])


def test_axis_and_conditions_of_the_edax_spectrum(rawfiles: Path) -> None:
    tree = read(rawfiles / "edx/emsa_msa/647_leo_edax_test.msa")
    spectrum = tree["spectrum"].to_dataset()
    assert spectrum["energy"].attrs["units"] == "eV"
    np.testing.assert_allclose(spectrum["energy"], 5.0 * np.arange(4096))
    assert spectrum.attrs["live_time_s"] == 30.0
    assert spectrum.attrs["beam_voltage_kV"] == 10.0
    assert tree.attrs["acquired"] == "2022-08-29T10:14:00"
    assert json.loads(tree.attrs["header"])["#RESO (MnKa)"] == "125.2"
    expected = np.sqrt(np.maximum(spectrum["intensity"], 1))
    np.testing.assert_allclose(spectrum["intensity_uncertainty"], expected)


def test_written_axis_wins_over_the_header_and_the_difference_is_said(rawfiles: Path) -> None:
    tree = read(rawfiles / "edx/emsa_msa/example1.msa")
    energy = tree["spectrum"]["energy"]
    assert float(energy[0]) == 520.13
    assert float(energy[-1]) == 580.50  # 582.13 by OFFSET and XPERCHAN
    assert "more than half a channel" in tree.attrs["warnings"]
    assert "announces 20 points and holds 21" in tree.attrs["warnings"]
    assert tree.attrs["acquired"] == "1991-10-01T12:00:00"


def test_malformed_date_is_passed_over_and_said(rawfiles: Path) -> None:
    tree = read(rawfiles / "edx/emsa_msa/example1_wrong_date_empty_field.msa")
    assert "acquired" not in tree.attrs
    assert "DATE '01-09-1991'" in tree.attrs["warnings"]


def test_fractional_intensities_have_the_uncertainty_of_their_last_digit(rawfiles: Path) -> None:
    spectrum = read(rawfiles / "edx/emsa_msa/example2.msa")["spectrum"].to_dataset()
    np.testing.assert_allclose(spectrum["energy"], 200.0 + 10.0 * np.arange(80))
    assert float(spectrum["intensity_uncertainty"][0]) == pytest.approx(0.001 / np.sqrt(12))
    assert spectrum["intensity_uncertainty"].attrs["method"] == "last digit written"


def test_several_lines_of_title_and_values_with_colons_are_kept(rawfiles: Path) -> None:
    header = json.loads(
        read(rawfiles / "edx/emsa_msa/ISO_22029_2022_compliance_title_multiple_line.msa").attrs["header"]
    )
    assert header["TITLE"].splitlines()[2] == "- Third line of the title"
    assert header["TIME"] == "12:00"


# --- without the real files ------------------------------------------------------------------------------------------
def text(counts: list[int], **changes: str) -> str:
    content = emsa.write(np.array(counts), 0.0, 10.0, {"DATE": "05-NOV-2024", "TIME": "10:00"}).decode()
    for keyword, value in changes.items():
        content = re.sub(rf"(#{keyword} *: ).*", rf"\g<1>{value}", content)
    return content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (text([1, 2, 3])[:200], "no #SPECTRUM line: the file is truncated"),
        (text([1, 2, 3]).replace("2.0\r", "abc\r"), r"line 19: 'abc' is not a row of finite numbers"),
        (text([1, 2, 3]).replace("2.0\r", "nan\r"), r"line 19: 'nan' is not a row of finite numbers"),
        (text([1, 2, 3], XUNITS="furlong"), "axis unit 'furlong' is not known; expected eV or keV"),
        (text([1, 2, 3], XPERCHAN="0"), "no energy axis"),
        (text([1, 2, 3], DATATYPE="Z"), "DATATYPE 'Z' is not known"),
        (text([1, 2, 3], DATATYPE="XY"), "3 numbers, which are not pairs"),
        (text([5, 1, 5, 2], DATATYPE="XY", NPOINTS="2"), "point 2: energies are unsorted or repeated"),
        (text([]), "holds no data"),
    ],
)
def test_damage_is_named_with_its_place(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "spectrum.txt"
    path.write_bytes(content.encode())
    with pytest.raises(ReadError, match=message) as caught:
        read(path)
    assert str(path) in str(caught.value)


PAIRS = "#SPECTRUM    :\r\n0, 1.5\r\n10, 2.5\r\n26, 3.5\r\n#ENDOFDATA   :\r\n"


def test_the_written_axis_wins_and_what_was_passed_over_is_said(tmp_path: Path) -> None:
    path = tmp_path / "pairs.msa"
    changes = {"DATATYPE": "XY", "NPOINTS": "2", "DATE": "05-11-2024", "LIVETIME": "long"}
    path.write_text(text([1, 2], **changes).partition("#SPECTRUM")[0] + "#LIVETIME    : long\r\n" + PAIRS)
    tree = read(path)
    np.testing.assert_array_equal(tree["spectrum"]["energy"], [0, 10, 26])
    assert float(tree["spectrum"]["intensity_uncertainty"][0]) == pytest.approx(0.1 / np.sqrt(12))
    assert "acquired" not in tree.attrs
    for words in ("more than half a channel", "announces 2 points and holds 3", "DATE '05-11-2024' is not of the form",
                  "LIVETIME 'long' is not a number"):  # fmt: skip
        assert words in tree.attrs["warnings"]


def test_conditions_and_titles_of_several_lines_are_kept(tmp_path: Path) -> None:
    more = "#TITLE       : second line\r\n#LIVETIME  -s: 30.0 s\r\n#BEAMKV   -kV: 2.0 E+01\r\n##OWN       : a: b\r\n"
    path = tmp_path / "conditions.msa"
    path.write_text(text([4, 9]).replace("#SPECTRUM", more + "#SPECTRUM"))
    tree = read(path)
    assert tree.attrs["title"].endswith("second line") and tree.attrs["acquired"] == "2024-11-05T10:00:00"
    assert (tree["spectrum"].attrs["live_time_s"], tree["spectrum"].attrs["beam_voltage_kV"]) == (30.0, 20.0)
    assert json.loads(tree.attrs["header"])["#OWN"] == "a: b"


def test_axis_in_kev_stays_in_kev(tmp_path: Path) -> None:
    path = tmp_path / "a.msa"
    path.write_text(text([1, 2], XUNITS="keV", XPERCHAN="0.01"))
    energy = read(path)["spectrum"]["energy"]
    assert energy.attrs["units"] == "keV"
    np.testing.assert_allclose(energy, [0.0, 0.01])


def test_decimal_commas(tmp_path: Path) -> None:
    """``10,5`` below each other were twice as many numbers; commas behind whole numbers still separate them."""
    path = tmp_path / "a.msa"
    head = text([], OFFSET="-0,2", XPERCHAN="0,01", NPOINTS="2").partition("#ENDOFDATA")[0]
    path.write_text(head + "10,5\n11,5\n#ENDOFDATA   :\n")
    spectrum = read(path)["spectrum"]
    assert spectrum["intensity"].values.tolist() == [10.5, 11.5]
    np.testing.assert_allclose(spectrum["energy"], [-0.2, -0.19])
    path.write_text(head.replace("0,", "0.") + "10,11\n#ENDOFDATA   :\n")
    assert read(path)["spectrum"]["intensity"].values.tolist() == [10, 11]


def test_a_channel_of_zero_that_contradicts_the_axis_is_said(tmp_path: Path) -> None:
    """In the example of the standard, OFFSET 520.13 and XPERCHAN 3.1 go with CHOFFSET -168, the channel of zero."""
    path = tmp_path / "a.msa"
    for zero, said in ((-168, False), (-20, True)):
        content = text([1, 2], OFFSET="520.13", XPERCHAN="3.1")
        path.write_text(content.replace("#SPECTRUM", f"#CHOFFSET    : {zero}\n#SPECTRUM"))
        tree = read(path)
        np.testing.assert_allclose(tree["spectrum"]["energy"], [520.13, 523.23])
        assert (f"CHOFFSET says that channel {zero} is at zero" in tree.attrs.get("warnings", "")) == said


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(
    counts=st.lists(st.integers(0, 10**9), min_size=1, max_size=50),
    offset=st.floats(-500, 500),
    step=st.floats(0.1, 50),
)
def test_what_is_written_is_read(tmp_path: Path, counts: list[int], offset: float, step: float) -> None:
    path = tmp_path / "written.msa"
    path.write_bytes(emsa.write(np.array(counts), offset, step, {"DATE": "05-NOV-2024", "TIME": "10:00"}))
    tree = read(path)
    np.testing.assert_array_equal(tree["spectrum"]["intensity"], counts)
    np.testing.assert_array_equal(tree["spectrum"]["energy"], offset + step * np.arange(len(counts)))
    assert "warnings" not in tree.attrs


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(data=st.data())
def test_mutated_bytes_give_a_tree_or_a_read_error(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(text(list(range(20))).encode())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(1, len(content)))]
    for _ in range(data.draw(st.integers(0, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "mutated.msa"
    path.write_bytes(bytes(content))
    try:
        tree = emsa_reader.extract(path)
    except ReadError:
        return
    assert np.isfinite(tree["spectrum"]["intensity"]).all()


@pytest.mark.parametrize(
    ("cut", "values"), [("#ENDOFDATA", [1, 2, 3]), ("\n3.0", [1, 2]), (".0\r\n#ENDOFDATA", [1, 2])]
)
def test_a_spectrum_without_its_end_gives_its_whole_numbers(tmp_path, cut, values):
    """A number behind which nothing stands may have lost digits and is left out."""
    content = text([1, 2, 3])
    path = tmp_path / "spectrum.txt"
    path.write_bytes(content[: content.index(cut)].encode())
    tree = read(path)
    assert tree["spectrum"]["intensity"].values.tolist() == values
    assert "no #ENDOFDATA line" in tree.attrs["warnings"]


def test_announced_points_that_are_missing_are_said(tmp_path):
    path = tmp_path / "spectrum.txt"
    path.write_bytes(text([1, 2, 3], NPOINTS="1000000000").encode())
    tree = read(path)
    assert tree["spectrum"].sizes["energy"] == 3
    assert "announces 1000000000 points, holds 3: the file is truncated" in tree.attrs["warnings"]
