"""What the base of the package loads: reading a file needs neither figures nor networks, and little memory."""

import subprocess
import sys

import pytest

from tests.project import ROOT

READ = """
import sys
from pathlib import Path
import relaxor.readers
first = sorted({"xarray", "pandas", "scipy", "h5py", "rsciio"} & sys.modules.keys())
from relaxor.readers import read
read("raw_data/cbps/raman/CBPS_flake_532nm.txt")
second = sorted({"matplotlib", "jax", "snakemake", "papermill", "IPython"} & sys.modules.keys())
status = Path("/proc/self/status")  # of Linux; the peak of this program alone
peak = next((line.split()[1] for line in status.read_text().splitlines() if "VmHWM" in line)) if status.exists() else 0
print(first, second, int(peak) // 1024)
"""


def test_reading_loads_no_more_than_it_needs():
    output = subprocess.run([sys.executable, "-c", READ], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    first, second, mebibytes = output.split()
    assert first == second == "[]"
    assert int(mebibytes) < 300


HEAVY = {"lmfit", "jax", "matplotlib", "snakemake", "papermill", "IPython", "skimage"}
"""Packages that no command may import that does not use them."""
RUN = """
import sys
from relaxor.cli.main import app
app(sys.argv[2:], standalone_mode=False)
print("imported:", *sorted(set(sys.argv[1].split(",")) & sys.modules.keys()))
"""


@pytest.mark.parametrize(
    "heavy, command",
    [
        (HEAVY | {"numpy", "pydantic"}, ["--help"]),
        (HEAVY, ["inspect", "raw_data/cbps/raman/CBPS_flake_532nm.txt"]),
        (HEAVY, ["check", "--explain", "raman_532nm"]),
    ],
)
def test_a_command_imports_no_package_that_it_does_not_use(heavy, command):
    program = [sys.executable, "-c", RUN, ",".join(heavy), *command]
    output = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert output.splitlines()[-1].split() == ["imported:"]
