"""Columns without names are proposed from their ranges and from the name of the file, or not at all."""

import numpy as np
import pytest
from relaxor.project.guesses import guessed_columns
from relaxor.readers import read

RNG = np.random.default_rng(4)
ANGLE = np.arange(10, 80, 0.02)
SHIFT = np.arange(100, 1100, 0.9)
ENERGY = np.arange(296, 278, -0.05)
WAVELENGTH = np.arange(350, 1000, 0.38)


def guess(tmp_path, name: str, *columns: np.ndarray, header: str = "") -> str:
    path = tmp_path / name
    path.write_text(
        header + "".join(" ".join(f"{value:.6g}" for value in row) + "\n" for row in zip(*columns, strict=True))
    )
    return guessed_columns(read(path), path)


def counts(axis: np.ndarray) -> np.ndarray:
    return RNG.poisson(100, axis.size).astype(float)


@pytest.mark.parametrize(
    ("name", "axis", "expected"),
    [
        ("LaB6.xy", ANGLE, "two_theta (degree), intensity (count)"),
        ("unnamed.dat", ANGLE, "two_theta (degree), intensity (count)"),
        ("mos2_532nm.txt", SHIFT, "raman_shift (1/cm), intensity (count)"),
        ("flake raman.txt", SHIFT, "raman_shift (1/cm), intensity (count)"),
        ("xps C1s.txt", ENERGY, "binding_energy (eV), intensity (count)"),
        ("unnamed.txt", SHIFT, ""),  # a shift, a wavelength or an energy
        ("unnamed.txt", WAVELENGTH, ""),
        ("iv.txt", np.linspace(-5, 5, 200), ""),
        ("raman.txt", np.sin(np.linspace(0, 9, 200)), ""),
    ],
)
def test_a_guess_needs_a_range_and_mostly_a_word(tmp_path, name, axis, expected):
    assert guess(tmp_path, name, axis, counts(axis)) == expected


def test_whole_numbers_with_a_divisor_are_no_counts(tmp_path):
    assert guess(tmp_path, "a.xy", ANGLE, 4 * counts(ANGLE)) == "two_theta (degree), intensity (arb. units)"
    assert guess(tmp_path, "b.xy", ANGLE, counts(ANGLE) / 7) == "two_theta (degree), intensity (arb. units)"


def test_a_third_column_is_an_uncertainty_or_left_out(tmp_path):
    numbers = counts(ANGLE)
    assert guess(tmp_path, "a.xye", ANGLE, numbers, np.sqrt(numbers + 1)).endswith("intensity (count), sigma (count)")
    assert guess(tmp_path, "b.xye", ANGLE, numbers, -numbers).endswith("intensity (count), -")


def test_named_columns_are_not_guessed(tmp_path):
    assert guess(tmp_path, "a.xy", ANGLE, counts(ANGLE), header="first second\n") == ""


def test_what_the_sheet_states_is_what_is_read(tmp_path):
    path = tmp_path / "a.xy"
    path.write_text("".join(f"{x:.2f} {y:g} 0\n" for x, y in zip(ANGLE, counts(ANGLE), strict=True)))
    tree = read(path, "two_theta (degree), intensity (count), -")
    assert list(tree.children) == ["spectrum"] and tree["spectrum"]["intensity"].attrs["units"] == "count"
    np.testing.assert_allclose(tree["spectrum"]["two_theta"], ANGLE, atol=1e-9)
