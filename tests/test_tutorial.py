"""The tutorial, run command by command in a fresh clone; what it says that they print is what they print."""

import shutil

import pytest

from tests.pages import follow, new_user
from tests.project import ROOT, commit_of_this

pytestmark = pytest.mark.slow

TUTORIAL = ROOT / "docs/tutorial.md"
FILES = {
    "calcite.wdf": "raman_shg/renishaw_wdf/nCal_Qontor785_z005H12_100_1x3s.wdf",
    "powder.xrdml": "xrd/panalytical_xrdml/examples.xrdml",
    "transistor.xls": "electrical/keithley4200_xls/vds-id#1.xls",
}


def test_a_new_lab_comes_from_a_folder_of_files_to_figures(rawfiles, tmp_path):
    home = tmp_path / "home"
    (home / "measurements").mkdir(parents=True)
    for name, source in FILES.items():
        shutil.copyfile(rawfiles / source, home / "measurements" / name)
    repository = commit_of_this(tmp_path / "repository")
    environment = new_user(home) | {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{repository}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://ADDRESS",
    }
    follow(TUTORIAL, home, environment)
    for technique in ("raman", "xrd", "transistors"):
        figure = home / f"relaxor/results/figures/samples/trial/{technique}.png"
        assert figure.read_bytes().startswith(b"\x89PNG")
