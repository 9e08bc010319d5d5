"""Simulated Raman spectra ingested and fitted; target: 1,000 in under 60 s on 2 cores, time proportional to number.

The stages of the pipeline are also compared with a plain loop that reads each file and analyses it, on one core.

Run with ``uv run pytest tests/benchmarks/test_raman.py --benchmark-enable --benchmark-only -o addopts=``.
One sample on two cores, as the workflow does it. ``extra_info`` holds the time a spectrum.
"""

from pathlib import Path

import pytest
from relaxor.core.parallel import cores
from relaxor.core.results import Measurement
from relaxor.core.storage import load_parameters
from relaxor.project.analysis import analyse
from relaxor.project.ingest import ingest
from relaxor.readers import read
from relaxor.techniques.registry import techniques

from tests.analyses import analyse_with
from tests.benchmarks.turns import medians
from tests.simulated import simulated

CORES = 2


def write_sample(folder: Path, count: int, seed: int) -> tuple[list[str], list[dict]]:
    """Write spectra; return their files and rows of the sheet."""
    folder.mkdir()
    files, rows = [], []
    for number in range(count):
        (sample,) = simulated("raman", [seed, number])
        path = folder / f"spectrum_{number}.txt"
        path.write_bytes(sample.content)
        files.append(str(path))
        row = {"measurement": f"raman_{number}", "file": path.name, "origin": "simulated", "instrument": ""}
        rows.append({**row, "table": "", "conditions": {}})
    return files, rows


def fit_sample(folder: Path, files: list[str], rows: list[dict], number_of_cores: int = CORES) -> None:
    data = str(folder / "raman.nc")
    ingest(files, rows, {}, data)
    with cores(number_of_cores):
        analyse_with("raman", data, str(folder / "parameters.csv"), str(folder / "curves.nc"))


@pytest.mark.slow
@pytest.mark.parametrize("spectra", [250, 500, 1000])
def test_spectra(benchmark, tmp_path, spectra):
    folder = tmp_path / "sample"
    files, rows = write_sample(folder, spectra, 1)
    benchmark.pedantic(fit_sample, (folder, files, rows), rounds=1)
    assert load_parameters(folder / "parameters.csv")["measurement"].nunique() == spectra
    seconds = benchmark.stats.stats.mean
    benchmark.extra_info |= {"spectra": spectra, "ms_a_spectrum": round(1e3 * seconds / spectra, 2)}
    print(f"\n{spectra} spectra: {seconds:.1f} s, {1e3 * seconds / spectra:.1f} ms each")


def fit_each(files: list[str]) -> None:
    """Read and analyse one file after the other, and write nothing."""
    for file in files:
        tree = read(file)
        regions = {name: part.to_dataset() for name, part in tree.children.items()}
        attrs = {**tree.attrs, "origin": "simulated", "instrument_named": ""}
        layers = {"instruments": {}, "lab": {}, "sample": {}}
        analyse(techniques()["raman"], [Measurement(file, attrs, {}, regions)], layers)


@pytest.mark.slow
@pytest.mark.parametrize("spectra", [50, 500])
def test_small_files_against_a_plain_loop(benchmark, tmp_path, spectra):
    folder = tmp_path / "sample"
    files, rows = write_sample(folder, spectra, 1)
    cases = {"stages": lambda: fit_sample(folder, files, rows, 1), "plain loop": lambda: fit_each(files)}
    seconds = medians(cases, 1)
    benchmark.extra_info |= {name: round(1e3 * each / spectra, 1) for name, each in seconds.items()}
    print("\n", spectra, "files:", ", ".join(f"{name} {1e3 * t / spectra:.1f} ms" for name, t in seconds.items()))
    benchmark.pedantic(cases["stages"], rounds=1)
