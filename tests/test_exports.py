"""Exports as people make them, with known truth: read, proposed, analysed, and right within their errors."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from relaxor.cli.main import app
from relaxor.core.storage import load_parameters
from relaxor.project.analysis import analyse_files
from relaxor.project.ingest import ingest
from relaxor.project.settings import load_settings
from typer.testing import CliRunner

from tests.readers.samples.electrical import workbook

RNG = np.random.default_rng(17)
SHIFT = np.arange(100, 1000, 0.9)
ANGLE = np.arange(20, 80, 0.02)
RESISTANCE, CELL, LINE = 1e6, 4.15692, 520.5
VOLTAGE = np.concatenate([np.linspace(0, 5, 51), np.linspace(4.9, -5, 100), np.linspace(-4.9, 0, 50)])
CURRENT = VOLTAGE / RESISTANCE + 1e-9 * RNG.standard_normal(VOLTAGE.size)
PULSE = np.arange(1, 101)
RISE = (1 - np.exp(-np.arange(1, 51) / 20)) / (1 - np.exp(-50 / 20))
CONDUCTANCE = 10 + 40 * np.concatenate([RISE, 1 - RISE]) + 0.1 * RNG.standard_normal(100)
INTERVAL = np.array([5, 10, 20, 30, 40, 60, 80, 120, 160, 240, 320.0])
INDEX = 100 + 80 * np.exp(-INTERVAL / 30) + 0.3 * RNG.standard_normal(INTERVAL.size)
PHASE = np.linspace(0, 2 * np.pi, 501)
FIELD = 1000 * np.sin(PHASE)
POLARIZATION = 20 * np.tanh((FIELD - 400 * np.sign(np.cos(PHASE))) / 200) + 0.02 * RNG.standard_normal(PHASE.size)


def spectrum() -> np.ndarray:
    """Counts of a Raman spectrum with two Lorentzian lines."""
    lines = 3000 / (1 + ((SHIFT - LINE) / 3) ** 2) + 800 / (1 + ((SHIFT - 385) / 3) ** 2)
    return RNG.poisson(200 + lines).astype(float)


def pattern() -> np.ndarray:
    """Counts of a powder pattern of a simple cubic cell, Kα1 and Kα2."""
    found = np.full(ANGLE.size, 50.0)
    for square in (1, 2, 3, 4, 5, 6, 8, 9):
        for wavelength, weight in ((1.5405929, 1.0), (1.5444274, 0.5)):
            place = 2 * np.degrees(np.arcsin(wavelength * np.sqrt(square) / (2 * CELL)))
            found += weight * 3000 / square / (1 + ((ANGLE - place) / 0.04) ** 2)
    return RNG.poisson(found).astype(float)


def rows(*columns: np.ndarray, separator: str = ",", decimal: str = ".") -> str:
    return "".join(
        separator.join(f"{value:.8g}".replace(".", decimal) for value in row) + "\n"
        for row in zip(*columns, strict=True)
    )


def side_by_side() -> bytes:
    first, second = spectrum(), spectrum()
    names = ["Raman shift (cm-1)", "Counts", "", "Raman shift (cm-1)", "Counts"]
    cells = [[x, a, "", x, b] for x, a, b in zip(SHIFT.tolist(), first.tolist(), second.tolist(), strict=True)]
    return workbook({"Data": [["Raman, two flakes"], [], names, *cells]})


EXPORTS: dict[str, tuple[Callable[[], str | bytes], str]] = {
    "german_iv.csv": (
        lambda: "Spannung (V);Strom (A)\n" + rows(VOLTAGE, CURRENT, separator=";", decimal=","),
        "iv_sweeps",
    ),
    "iso_iv.csv": (lambda: "U/V,I/A\n" + rows(VOLTAGE, CURRENT), "iv_sweeps"),
    "origin_iv.txt": (
        lambda: "Voltage\tCurrent\nV\tA\n\tdevice 1\n" + rows(VOLTAGE, CURRENT, separator="\t"),
        "iv_sweeps",
    ),
    "quoted_iv.csv": (lambda: '"Voltage (V)","Current (nA)"\n' + rows(VOLTAGE, 1e9 * CURRENT), "iv_sweeps"),
    "chinese_iv.csv": (lambda: ("电压 (V),电流 (A)\n" + rows(VOLTAGE, CURRENT)).encode("gb18030"), "iv_sweeps"),
    "jv.txt": (
        lambda: "Voltage (V)\tJ (mA/cm2)\n" + rows(VOLTAGE, 1e3 * CURRENT / 1e-4, separator="\t"),
        "iv_sweeps",
    ),
    "raman_arbitrary.csv": (
        lambda: "Raman shift (cm-1),Intensity (arb. units)\n" + rows(SHIFT, spectrum() / 3000),
        "raman",
    ),
    "raman_counts.csv": (lambda: "Raman shift [1/cm],Intensity [counts]\n" + rows(SHIFT, spectrum()), "raman"),
    "raman_comment.txt": (
        lambda: "# of a Monday\nWavenumber (cm^-1)\tCounts\n" + rows(SHIFT, spectrum(), separator="\t"),
        "raman",
    ),
    "mos2_532.txt": (lambda: rows(SHIFT, spectrum(), separator="\t"), "raman"),
    "raman_utf16.txt": (
        lambda: ("Raman Shift (cm⁻¹)\tCounts\n" + rows(SHIFT, spectrum(), separator="\t")).encode("utf-16"),
        "raman",
    ),
    "raman_komma.txt": (
        lambda: (
            "Raman-Verschiebung (1/cm)\tIntensität (Counts)\n" + rows(SHIFT, spectrum(), separator="\t", decimal=",")
        ).encode("cp1252"),
        "raman",
    ),
    "two_flakes.xlsx": (side_by_side, "raman"),
    "LaB6_660c.xy": (lambda: rows(ANGLE, pattern(), separator=" "), "xrd"),
    "xrd_names.csv": (lambda: "2theta,Intensity\n" + rows(ANGLE, pattern() / 7), "xrd"),
    "ltp.csv": (lambda: "Pulse number,Conductance (nS)\n" + rows(PULSE, CONDUCTANCE), "electrical_pulses"),
    "ppf.csv": (lambda: "Interval (ms),PPF index (%)\n" + rows(INTERVAL, INDEX), "electrical_pulses"),
    "loop_field.csv": (lambda: "E (kV/cm),P (µC/cm²)\n" + rows(FIELD, POLARIZATION), "hysteresis"),
    "loop_voltage.csv": (lambda: "V (V),P (uC/cm2)\n" + rows(FIELD / 100, POLARIZATION), "hysteresis"),
}
TRUTH = {
    "iv_sweeps": ("*", "resistance", RESISTANCE),
    "raman": ("voigt", "raman_shift", LINE),
    "hysteresis": ("uncorrected", "coercive_field_positive", 400.0),
}


@pytest.fixture(scope="module")
def added(tmp_path_factory) -> tuple[Path, list[dict[str, str]]]:
    """A project to which the folder of all exports was added without a question."""
    folder, root = tmp_path_factory.mktemp("exports"), tmp_path_factory.mktemp("lab")
    for name, (content, _) in EXPORTS.items():
        data = content()
        (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    (folder / "README").write_text("notes of a student\n")
    (root / "config").mkdir()
    (root / "config/config.yaml").write_text("sample: new\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        options = ["--yes", "--condition", "*voltage*:thickness=100 nm", "--condition", "jv*:area=1e-4 cm^2"]
        done = CliRunner().invoke(app, ["add", "new", str(folder), *options])
    assert done.exit_code == 0, done.output
    with (root / "config/measurements.tsv").open(newline="") as stream:
        return root, list(csv.DictReader(stream, delimiter="\t"))


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_reaches_its_analysis(added, name: str) -> None:
    found = [row for row in added[1] if Path(row["file"]).name == name]
    assert [row["technique"] for row in found] == [EXPORTS[name][1]] * (2 if name.endswith("xlsx") else 1), found


@pytest.mark.slow
@pytest.mark.parametrize("technique", TRUTH)
def test_the_numbers_are_those_that_were_put_in(added, tmp_path, technique: str) -> None:
    root, _ = added
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        settings = load_settings("config/config.yaml")
        sheet = [row for row in settings.load_sheet(root) if row["technique"] == technique]
        data, *written = (str(tmp_path / each) for each in ("data.nc", "parameters.csv", "budget.csv", "curves.nc"))
        ingest([row["file"] for row in sheet], sheet, settings.model_dump(mode="json")["tables"], data)
        analyse_files(data, *written, technique=technique, layers=settings.layers(technique, "new"))
    model, parameter, truth = TRUTH[technique]
    table = load_parameters(written[0])
    table = table[(table["parameter"] == parameter) & ((table["model"] == model) | (model == "*"))]
    for measurement in {row["measurement"] for row in sheet}:
        numbers = table[table["measurement"] == measurement]
        nearest: pd.Series = numbers.iloc[(numbers["value"] - truth).abs().argmin()]
        error = float(np.hypot(nearest["standard_error"], nearest["systematic_error"]))
        assert abs(nearest["value"] - truth) < 3 * error, (measurement, nearest["value"], error)
        assert error < 0.02 * truth
