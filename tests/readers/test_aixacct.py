"""aixACCT files: real ones against what the tester itself computed and wrote into them, and damage."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from relaxor.core.errors import ReadError
from relaxor.readers import read
from relaxor.readers.electrical.aixacct import recognises
from relaxor.techniques.hysteresis.loops import charge

from tests.readers.samples.electrical import AIXACCT_FATIGUE, AIXACCT_LEAKAGE, AIXACCT_LOOPS, AIXACCT_PULSES

TABLES = {
    "FeFETD1_die68_MFS+_100_10x10_fatique.dat": 9,
    "FeFETD1_die68_MFS+_100_10x10_forc.dat": 2,
    "FeFETD1_die68_MFS+_100_10x10_freqs.dat": 10,
    "FeFETD1_die68_MFS+_100_10x10_lkg.dat": 4,
    "FeFETD1_die68_MFS+_100_10x10_voltages.dat": 5,
    "H9_x9y4_1e4_S3_temps.dat": 6,
    "PUND_TFA3000.dat": 1,
    "RTWhiteAPUND.dat": 2,
    "RTWhiteB_freqs.dat": 10,
}


@pytest.fixture(scope="module")
def folder(rawfiles) -> Path:
    return rawfiles / "ferroelectric_pe" / "aixacct_dat"


@pytest.fixture(scope="module")
def trees(folder):
    return {path.name: read(path) for path in sorted(map(Path, folder.iterdir()))}


def integrated(data, **selection) -> np.ndarray:
    """P in µC/cm² from the current and the area of the header, from the first value of the tester's own P."""
    one = data.sel(**selection)
    assert data.attrs["area_units"] == "mm^2"
    area = data.attrs["area"] * 1e-2
    return float(one["polarization"][0]) + charge(one["time"].to_numpy(), one["current"].to_numpy()) / area * 1e6


def test_every_table_of_every_file_is_read(trees):
    assert {name: len(tree.children) for name, tree in trees.items()} == TABLES
    for tree in trees.values():
        assert tree.attrs["format"] == "aixacct" and tree.attrs["instrument"].startswith("aixACCT TFAnalyzer")
        assert tree.attrs["acquired"][:2] == "20"


def test_integral_of_the_current_is_the_polarization_column(trees):
    loops = 0
    for name, tree in trees.items():
        for child in tree.children.values():
            data = child.to_dataset()
            if "loop" in data.dims:
                polarization = data["polarization"].sel(loop=1).to_numpy()
                error = np.abs(integrated(data, loop=1) - polarization).max() / np.ptp(polarization)
                assert error < 6.5e-5, name
                loops += 1
    assert loops == 42


def test_pund_polarization_column_to_a_thousandth(trees):
    certified = trees["PUND_TFA3000.dat"]
    for tree in (certified, trees["RTWhiteAPUND.dat"]):
        for child in tree.children.values():
            data = child.to_dataset()
            assert data.sizes == {"pulse": 5, "time": 401}
            for letter in data["pulse"].to_numpy():
                column = data["polarization"].sel(pulse=letter).to_numpy()
                assert np.abs(integrated(data, pulse=letter) - column).max() < 1e-3
    assert list(certified["table_1"]["pulse"].to_numpy()) == ["X", "U", "N", "D", "P"]
    assert certified["table_1"].attrs["dpsw"] == 166.351
    assert certified["table_1"].attrs["dpsw_units"] == "uC/cm^2"


def test_leakage_steps(trees):
    data = trees["FeFETD1_die68_MFS+_100_10x10_lkg.dat"]["table_4"].to_dataset()
    assert data.sizes == {"step": 37} and data["leakage_current_density"].attrs["units"] == "uA/cm^2"
    assert float(data["leakage_current_density"].min()) == -1086.509
    largest = float(data["leakage_current_density"].max()) * 1e-6 * data.attrs["area"] * 1e-2
    assert largest == pytest.approx(data.attrs["imax_plus"], rel=1e-5)


def test_both_line_endings_of_a_real_file(folder, tmp_path, trees):
    for ending in (b"\n", b"\r\n"):
        path = tmp_path / "copy.xyz"
        path.write_bytes((folder / "RTWhiteAPUND.dat").read_bytes().replace(b"\n", ending))
        np.testing.assert_array_equal(read(path)["table_2"]["current"], trees["RTWhiteAPUND.dat"]["table_2"]["current"])


def test_what_is_wrong_with_a_real_file_is_named(folder, tmp_path):
    text = (folder / "RTWhiteB_freqs.dat").read_bytes()
    lines = text.split(b"\n")
    path = tmp_path / "bad.dat"

    def error(content: bytes) -> str:
        path.write_bytes(content)
        with pytest.raises(ReadError) as caught:
            read(path)
        return str(caught.value)

    assert "lists 10 measurements, holds the tables of 4: it ends early" in error(b"\n".join(lines[:1500]))
    shorter = b"\n".join([*lines[:200], *lines[462:]])
    assert "line 200: the loop ends at" in error(shorter)
    assert "line 100: 9 cells expected, 8 found" in error(
        b"\n".join([*lines[:99], lines[99].rsplit(b"\t", 2)[0] + b"\t", *lines[100:]])
    )
    assert "is not a finite number" in error(text.replace(b"5.928621e-007", b"nan", 1))
    assert "'-1.#IND00' is not a number" in error(text.replace(b"5.928621e-007", b"-1.#IND00", 1))
    assert "columns are" in error(text.replace(b"V+ [V]\tV- [V]", b"V- [V]\tV+ [V]"))


def test_a_word_is_not_enough_to_be_a_fatigue_file():
    assert not recognises(b"Fatigue\nof metals, an introduction\n", Path("x"))


# --- without the real files ------------------------------------------------------------------------------------------
def given_file(tmp_path, content):
    path = tmp_path / "measured.dat"
    path.write_bytes(content)
    return path


def test_the_polarization_is_the_charge_over_the_area(tmp_path):
    for content, dim in ((AIXACCT_LOOPS, "loop"), (AIXACCT_FATIGUE, "loop"), (AIXACCT_PULSES, "pulse")):
        data = read(given_file(tmp_path, content))["table_1"].to_dataset()
        for label in data[dim].values:
            expected = data["polarization"].sel({dim: label})
            if dim == "pulse" or label == 1:
                np.testing.assert_allclose(integrated(data, **{dim: label}), expected, rtol=1e-5, atol=1e-6)


def test_uncertainties_are_those_of_the_last_digit_written(tmp_path):
    data = read(given_file(tmp_path, AIXACCT_LEAKAGE))["table_1"].to_dataset()
    assert float(data["voltage_uncertainty"][0]) == pytest.approx(1e-7 / 12**0.5)
    assert float(data["leakage_current_density_uncertainty"][1]) == pytest.approx(1e-6 / 12**0.5)


def test_pulses_of_a_sequence_that_does_not_fit_are_numbered(tmp_path):
    content = AIXACCT_PULSES.replace(b"Sequence: 0XUNDP-", b"Sequence: XX")
    assert read(given_file(tmp_path, content))["table_1"]["pulse"].values.tolist() == ["1", "2", "3", "4", "5"]


def test_line_endings_do_not_matter(tmp_path):
    unix, windows = (
        read(given_file(tmp_path, content))["table_1"]
        for content in (AIXACCT_LOOPS, AIXACCT_LOOPS.replace(b"\n", b"\r\n"))
    )
    np.testing.assert_array_equal(unix["current"], windows["current"])


LINES = AIXACCT_LOOPS.split(b"\n")
ROW = next(number for number, line in enumerate(LINES) if line.startswith(b"2.500000e-03"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\n".join(LINES[: ROW - 12]), "lists 1 measurements, holds the tables of 0: it ends early"),
        (b"\n".join(LINES[: ROW + 1]), f"line {ROW + 1}: the loop ends at 0.0025 s, its period is 0.01 s"),
        (b"\n".join([*LINES[:ROW], LINES[ROW].rsplit(b"\t", 2)[0] + b"\t", *LINES[ROW + 1 :]]),
         f"line {ROW + 1}: 9 cells expected, 8 found"),
        (AIXACCT_LOOPS.replace(b"2.000000e-06", b"nan", 1), f"line {ROW}: 'I2 [A]' is not a finite number"),
        (AIXACCT_LOOPS.replace(b"2.000000e-06", b"-1.#IND00", 1), "'-1.#IND00' is not a number (value"),
        (AIXACCT_LOOPS.replace(b"V+ [V]\tV- [V]", b"V- [V]\tV+ [V]"), "columns are Time [s], V- [V], V+ [V]"),
        (AIXACCT_LOOPS.replace(b"5.000000e-03", b"2.000000e-03", 1), f"line {ROW + 2}: the time does not increase"),
        (AIXACCT_PULSES.replace(b"Points: 5", b"Points: 6"), "announces 6 points per pulse and holds 5"),
        (AIXACCT_LEAKAGE[: AIXACCT_LEAKAGE.index(b"1.000000e+00\t4.0")], "the table holds no points"),
        (AIXACCT_LEAKAGE.replace(b"Voltage [V]", b"Volts [V]"), "columns are Volts [V]"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path, content, message):
    with pytest.raises(ReadError) as caught:
        read(given_file(tmp_path, content))
    assert message in str(caught.value) and str(caught.value).startswith(str(tmp_path / "measured.dat"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), source=st.sampled_from([AIXACCT_LOOPS, AIXACCT_FATIGUE, AIXACCT_PULSES, AIXACCT_LEAKAGE]))
def test_damaged_bytes_give_a_tree_or_one_error(tmp_path, data, source):
    content = bytearray(source)
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.dat"
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    with suppress(ReadError):
        read(path)
