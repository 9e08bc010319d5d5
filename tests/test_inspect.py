"""The command ``relaxor inspect``."""

import json
import re

import numpy as np
import pytest
from relaxor.cli.main import app
from typer.testing import CliRunner

from tests.public_files import present
from tests.readers.samples import CONTENTS, UXD


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    archive = tmp_path / "archive"
    (archive / "old").mkdir(parents=True)
    (archive / "scan.uxd").write_text(UXD)
    (archive / "old/map.wip").write_bytes(CONTENTS["witec_wip"])
    (archive / ".hidden").write_text("not listed")
    return archive


def run(*arguments):
    return CliRunner().invoke(app, ["inspect", *map(str, arguments)])


def test_a_file_is_described_with_axes_units_and_header(folder):
    result = run(folder / "scan.uxd")
    assert result.exit_code == 0
    for text in (
        "format      bruker_uxd",
        "axis      two_theta (two_theta 5), 10 to 10.4 degree",
        "variable  intensity (two_theta 5), 9 to 49 count",
        "wavelength_alpha1 = 1.5406",
        "_DATEMEASURED",
    ):
        assert text in result.output


def test_a_folder_gives_a_table(folder):
    result = run(folder)
    assert result.exit_code == 0
    assert "scan.uxd" in result.output and "bruker_uxd" in result.output and "witec_wip" in result.output
    assert ".hidden" not in result.output
    assert re.search(r"scan.uxd +│ bruker_uxd +│ xrd +│ intensity 5, 10 to 10.4 degree", result.output)
    (folder / "other").mkdir()
    assert "bruker_uxd" in run(folder / "other/..").output  # the dots of a path hide nothing


def test_an_unreadable_file_is_named_and_changes_the_exit_code(folder):
    (folder / "broken.uxd").write_text(UXD[: UXD.index("_COUNTS")])
    result = run(folder)
    assert result.exit_code == 1
    assert "holds no range of counts" in " ".join(result.output.split())
    assert "1 of 3 files cannot be read" in result.output
    alone = run(folder / "broken.uxd")
    assert alone.exit_code == 1 and "error: " in alone.output
    assert run(folder / "gone.uxd").exit_code == 1


def test_json_holds_everything(folder):
    found = json.loads(run("--json", folder).stdout)
    assert [entry["format"] for entry in found] == ["witec_wip", "bruker_uxd"]
    scan = found[1]
    assert scan["header"][0]["_WL1"] == "1.5406"
    assert scan["parts"][0]["axes"][0] == {
        "name": "two_theta", "dims": ["two_theta"], "shape": [5], "units": "degree", "min": 10.0, "max": 10.4,
    }  # fmt: skip
    assert len(scan["raw_sha256"]) == 64


def test_what_is_no_data_is_skipped_with_a_word(folder):
    (folder / "README.md").write_text("# Measured\non 3 May 2024 by\nA. N. Other\n")
    (folder / "sample.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    result = run(folder)
    assert result.exit_code == 0
    words = re.sub(r"[│\s]+", " ", result.output)
    assert "skipped: format not recognised: a text without a table of numbers" in words
    assert "skipped: is a picture (JPEG) without data" in words
    assert "skipped: format not recognised" in run(folder / "README.md").output


def test_files_and_folders_have_pictures_where_one_works(folder, tmp_path):
    result = run("--plot", folder, folder / "scan.uxd")
    assert result.exit_code == 0
    for name in ("archive.png", "scan.uxd.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def drawn(path, folder):
    """Whether a picture of a file is more than one colour."""
    from matplotlib.image import imread

    assert run("--plot", path).exit_code == 0
    (picture,) = folder.glob("*.png")
    span = np.ptp(imread(picture))
    picture.unlink()
    return span > 0.5


@pytest.mark.parametrize("name", ["witec_mat", "horiba_xml map", "igor_ibw", "bruker_bcf", "aixacct pulses"])
def test_maps_images_and_pulses_are_drawn(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "measured.bin"
    path.write_bytes(CONTENTS[name])
    assert drawn(path, tmp_path)


def test_real_maps_are_drawn(rawfiles, tmp_path, monkeypatch, subtests):
    monkeypatch.chdir(tmp_path)
    names = dict.fromkeys(("renishaw_wdf/renishaw_test_map.wdf", "witec_wip/Si-data.WIP"))
    for path, _ in present(rawfiles / "raman_shg", names):
        with subtests.test(path.name):
            assert drawn(path, tmp_path)
