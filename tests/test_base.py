"""What the base of the package loads: reading a file needs neither figures nor networks, and little memory."""

import subprocess
import sys

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
