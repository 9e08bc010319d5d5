"""``relaxor check`` and ``relaxor claims``."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from relaxor.cli.main import app
from relaxor.core.checksums import SUMS, read_sums, record_sums, recorded_sum
from relaxor.core.errors import SheetError
from relaxor.project import preflight
from typer.testing import CliRunner

from tests.project import ROOT, Project


@pytest.fixture
def project(tmp_path, monkeypatch) -> Project:
    """A project with two files: one Raman spectrum, one loop of a tester."""
    project = Project.of_this(tmp_path / "project", "raman")
    header, raman = project.read_sheet()
    loop = dict(zip(header, raman, strict=True)) | {
        "measurement": "loop", "technique": "hysteresis", "file": "raw_data/cbps/hysteresis/pe_8nm_22V_100Hz.txt",
        "instrument": "", "table": "fe2000", "conditions": "thickness=8 nm; width=20 um; gap=2 um; frequency=100 Hz",
    }  # fmt: skip
    project.write_sheet([header, raman, list(loop.values())])
    monkeypatch.chdir(project.folder)
    return project


def run(*arguments: str):
    result = CliRunner().invoke(app, arguments)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_a_good_project_has_no_problems(project):
    result = run("check")
    assert result.exit_code == 0
    assert re.search(r"cbps +│ hysteresis +│ 1 +│ 1 +│ 1 of 1 +│ 1 +│", result.output)
    assert "nothing is wrong with 2 files" in result.output


def test_only_what_has_changed_since_the_last_check_is_looked_at_again(project, monkeypatch):
    looked_at = []

    def listening(function, name):
        return lambda *arguments: looked_at.append(f"{name} {arguments[0]}") or function(*arguments)

    for name in ("read", "refusals"):
        monkeypatch.setattr(preflight, name, listening(getattr(preflight, name), name))

    def of_next_check(code: int = 0) -> set[str]:
        looked_at.clear()
        assert run("check").exit_code == code
        return set(looked_at)

    raman, loop = "raw_data/cbps/raman/CBPS_flake_532nm.txt", "raw_data/cbps/hysteresis/pe_8nm_22V_100Hz.txt"
    assert of_next_check() == {f"read {raman}", f"read {loop}", "refusals raman", "refusals hysteresis"}
    assert of_next_check() == set()
    change_cell(project, "conditions", "thickness=8 nm; width=21 um; gap=2 um; frequency=100 Hz")
    assert of_next_check() == {f"read {loop}", "refusals hysteresis"}
    settings = project.folder / "config/config.yaml"
    settings.write_text(settings.read_text(encoding="utf-8") + "\nraman: {baseline_degree: 4}\n", encoding="utf-8")
    assert of_next_check() == {f"read {raman}", "refusals raman"}
    (project.folder / raman).write_bytes((project.folder / raman).read_bytes() + b"\n")
    assert of_next_check(code=1) == {f"read {raman}"}  # its checksum is another one, so that no analysis is tried
    (project.folder / ".snakemake/relaxor_checks.json").write_text("no JSON")
    assert of_next_check(code=1) == {f"read {raman}", f"read {loop}", "refusals hysteresis"}


def test_a_file_beside_that_of_the_row_is_looked_at_again(project):
    header, raman, _ = project.read_sheet()
    row = dict(zip(header, raman, strict=True)) | {"file": "raw_data/m-y.dat"}
    project.write_sheet([header, list(row.values())])
    columns = {"x": 50 + 0.8 * np.arange(900), "y": 800 + np.arange(900) % 7}
    texts = {end: "".join(f"  {each:.8E}\n".replace("E+", "E+0") for each in values) for end, values in columns.items()}
    (project.folder / "raw_data/m-y.dat").write_text(texts["y"])
    assert "'m-x.dat' is missing in its folder" in run("check").output
    (project.folder / "raw_data/m-x.dat").write_text(texts["x"])
    assert "is missing in its folder" not in run("check").output


def change_cell(project: Project, column: str, value: str) -> None:
    header, raman, loop = project.read_sheet()
    loop[header.index(column)] = value
    project.write_sheet([header, raman, loop])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda project: change_cell(project, "conditions", "thickness=8 nm; width=20 um; frequency=100 Hz"),
            r"row 3: column 'conditions': hysteresis needs 'gap' \(add 'gap=… um'\)",
        ),
        (
            lambda project: change_cell(project, "table", "voltage (V), current (A)"),
            "row 3: column 'file': raw_data/cbps/hysteresis/pe_8nm_22V_100Hz.txt: .*has 3 columns; the sheet names 2",
        ),
        (lambda project: change_cell(project, "technique", "hystersis"), "row 3: .*did you mean 'hysteresis'"),
        (lambda project: change_cell(project, "technique", "afm"), r"row 3: not analysed as afm: .*\n1 problems"),
        (
            lambda project: change_cell(project, "sample", "film"),
            None,  # another sample has the settings of all, which suffice here
        ),
    ],
)
def test_a_wrong_cell_is_found(project, change, message):
    change(project)
    result = run("check")
    assert result.exit_code == (1 if message else 0), result.output
    assert message is None or re.search(message, result.output)


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ("area=1e-4 cm^2; thickness=8 nm; frequency=100 Hz", None),
        ("area=1e-4 cm^2", r"hysteresis needs 'thickness' \(add 'thickness=… nm'\)"),
        ("thickness=8 nm", r"hysteresis needs 'width' \(add 'width=… um', or else 'area=… cm\^2'\)"),
        ("", r"needs 'thickness' \(add 'thickness=… nm', or else 'area=… cm\^2; thickness=… nm'\)"),
    ],
)
def test_the_plates_of_a_capacitor_stand_for_the_geometry_of_a_device(project, conditions, message):
    change_cell(project, "conditions", conditions)
    result = run("check")
    assert result.exit_code == (1 if message else 0), result.output
    assert message is None or re.search(message, result.output)
    assert "'width'" not in result.output or "area" not in conditions


def test_a_misspelt_condition_is_a_warning_and_one_of_the_lab_is_not(project):
    change_cell(project, "conditions", "area=1e-4 cm^2; thickness=8 nm; frequency=100 Hz; widht=20 um; humidity=0.4")
    result = run("check")
    assert result.exit_code == 0
    place = "config/measurements.tsv: row 3: column 'conditions'"
    assert f"warning: {place}: hysteresis does not know 'widht'; did you mean 'width'?" in result.output
    assert "nothing is wrong with 2 files, but see the 1 warning. Next" in result.output
    assert "humidity" not in result.output
    change_cell(project, "conditions", "area=1e-4 cm^2; thickness=8 nm; frequency=1 Hz; frequency_2=100 Hz")
    assert "warning" not in run("check").output


def test_a_changed_raw_file_is_found_and_an_unrecorded_one_is_said(project):
    raw = project.folder / "raw_data/cbps/raman/CBPS_flake_532nm.txt"
    raw.write_bytes(raw.read_bytes() + b"\n")
    result = run("check")
    assert result.exit_code == 1
    assert "row 2: column 'file': 'raw_data/cbps/raman/CBPS_flake_532nm.txt' has changed: SHA-256" in result.output
    assert re.search(r"raman +│ 1 +│ 1 +│ 0 of 1 ", result.output)
    (project.folder / "raw_data/cbps" / SUMS).unlink()
    read_sums.cache_clear()
    result = run("check")
    assert result.exit_code == 0
    assert "none recorded" in result.output


def test_every_list_of_the_settings_is_looked_at(project):
    """Problems of several files are all told, each on a line that names its file."""
    (project.folder / "config/claims.yaml").write_text("- {id: x}\n")
    (project.folder / "config/checks.yaml").write_text("- {what: x}\n")
    (project.folder / "config/literature.csv").write_text("device\n")
    change_cell(project, "origin", "made up")
    result = run("check")
    assert result.exit_code == 1
    for name in ("claims.yaml", "checks.yaml", "literature.csv", "measurements.tsv: row 3: column 'origin'"):
        assert name in result.output
    (project.folder / "config/figures.yaml").write_text("[")
    assert "config/figures.yaml: cannot be read" in run("check").output


@pytest.mark.parametrize(
    ("file", "right", "wrong", "message"),
    [
        ("claims", "parameter: raman_shift", "parameter: raman_shif", "raman has no parameter 'raman_shif'"),
        ("checks", "technique: xps", "technique: xpss", "technique 'xpss' is not known; did you mean 'xps'?"),
        ("figures", "draw: raman.spectrum", "draw: raman.spektrum", "did you mean 'raman.spectrum'?"),
        ("config", "parameter: step_height", "parameter: step_hight", "did you mean 'step_height'?"),
    ],
)
def test_what_names_no_number_and_no_panel_is_found_before_a_run(project, file, right, wrong, message):
    path = project.folder / f"config/{file}.yaml"
    text = (ROOT / f"config/{file}.yaml").read_text(encoding="utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong, 1))
    result = run("check")
    assert result.exit_code == 1
    assert message in " ".join(result.output.split())


def test_a_sample_of_the_settings_must_be_in_the_sheet(project):
    settings = project.folder / "config/config.yaml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("samples:\n  cbps:", "samples:\n  cbsp:"))
    assert "no row has the sample 'cbsp' of the settings; did you mean 'cbps'?" in run("check").output


def test_a_material_without_its_settings_is_named(project):
    change_cell(project, "sample", "film")
    change_cell(project, "technique", "edx")
    change_cell(project, "table", "")
    change_cell(project, "file", "raw_data/cbps/edx/CBPS_crystal_20kV.msa")
    assert "edx needs" not in run("check").output  # the beam's energy is in the file
    assert "needs the setting samples.film.edx.elements in config/config.yaml" in run("check").output


def test_a_misspelt_measurement_shows_the_nearest_and_not_all(root, monkeypatch):
    monkeypatch.chdir(root)
    message = r"no single row has the measurement 'qqq'; the nearest of \d+ are [^,]+, [^,]+, [^,]+$"
    with pytest.raises(SheetError, match=message):
        run("check", "--explain", "qqq")


# --- checksums
def test_checksums_are_those_of_sha256sum_and_are_never_replaced(tmp_path):
    folder = tmp_path / "raw_data/s"
    folder.mkdir(parents=True)
    record_sums(folder, {folder / "ä b.txt": "1" * 64, tmp_path / "outside.txt": "2" * 64})
    record_sums(folder, {folder / "ä b.txt": "3" * 64, folder / "c/d": "4" * 64})
    assert (folder / SUMS).read_text(encoding="utf-8") == f"{'4' * 64}  c/d\n{'1' * 64}  ä b.txt\n"
    assert recorded_sum(folder / "c/d", tmp_path) == "4" * 64
    assert recorded_sum(tmp_path / "outside.txt", tmp_path) is None


def test_damaged_checksums_are_named(tmp_path):
    (tmp_path / SUMS).write_text("not a checksum\n")
    with pytest.raises(SheetError, match=r"SHA256SUMS: line 1: 'SHA-256  path' expected, found 'not a checksum'"):
        read_sums(tmp_path / SUMS)


# --- claims
def write_claims(folder: Path) -> None:
    folder.mkdir()
    common = {
        "panel": "1c", "relation": "equal", "unit": "1/cm", "ours": 111.72, "standard_error": 0.02,
        "systematic_error": 0.14, "could_see": 0.28, "at": float("nan"), "origin": "measured", "status": "ok",
    }  # fmt: skip
    rows = [
        {"quantity": "near", "reported": "111.7", "z": 0.1, "verdict": "agrees"},
        {"quantity": "far", "reported": "110.70", "z": 7.1, "verdict": "differs", "contradiction": "two values"},
        {"quantity": "put in", "reported": "111.7", "z": 0.1, "verdict": "returned", "origin": "simulated"},
        {"quantity": "missed", "reported": "111.7", "z": 0.1, "verdict": "flagged", "status": "misfit"},
        {"quantity": "gone", "reported": "3", "ours": float("nan"), "verdict": "not testable", "status": ""},
    ]
    pd.DataFrame([common | row for row in rows]).to_csv(folder / "claims.csv", index=False)


def test_claims_are_a_table_that_is_readable_without_colour(project):
    write_claims(project.folder / "results")
    result = run("claims")
    assert result.exit_code == 0
    assert re.search(r"✓ │ 1c +│ near +│ 111\.7 +│ 111\.72\(14\) +│ 1/cm │ 0\.1 │ 0\.28 +│ agrees", result.output)
    assert re.search(r"✗ │ 1c +│ far +│ 110\.70.*the paper contradicts itself", result.output)
    assert re.search(r"↺ │ 1c +│ put in.*returned +│ simulated", result.output)
    assert re.search(r"\? │ 1c +│ missed.*flagged.*misfit", result.output)
    assert re.search(r"– │ 1c +│ gone +│ 3 +│ –", result.output)
    assert "\x1b" not in result.output
    counts = "5 claims: 1 agrees, 1 differs, 1 returned, 1 flagged, 1 not testable"
    contradiction = "the paper contradicts 1 of them itself"
    assert f"{counts}; {contradiction}. 1 are tested with SIMULATED data" in " ".join(result.output.split())


def test_without_results_the_command_that_makes_them_is_named(project):
    with pytest.raises(
        SheetError, match=r"elsewhere/claims\.csv: there are no results yet; make them with 'uv run sna"
    ):
        run("claims", "--results", "elsewhere")


@pytest.mark.parametrize("command", ["add", "check", "claims", "inspect", "simulate", "schema"])
def test_the_help_of_every_command_has_examples(command):
    shown = run(command, "--help").output
    assert "Examples:" in shown and f"relaxor {command}" in shown.split("Examples:")[1]
