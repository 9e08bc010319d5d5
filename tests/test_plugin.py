"""A technique, a reader and a panel of another package: from its raw file to figure, table and claim."""

import os
import shutil
import subprocess
import sys
from importlib.metadata import EntryPoint

import pandas as pd
import pytest
from relaxor.core.errors import ReadError
from relaxor.core.storage import load
from relaxor.project.analysis import analyse
from relaxor.project.formats import ARCHIVE, known_files, reader_modules
from relaxor.project.ingest import ingest
from relaxor.readers import read, readers
from relaxor.techniques import registry
from relaxor.techniques.recognition import likely_techniques
from relaxor.techniques.registry import techniques

from tests.project import ROOT

EXAMPLE = ROOT / "tests/plugin_example"
FILE = EXAMPLE / "project/raw_data/glass/glass.txt"
ENTRY_POINTS = {
    "relaxor.techniques": EntryPoint("ellipsometry", "relaxor_ellipsometry.technique:TECHNIQUE", "relaxor.techniques"),
    "relaxor.readers": EntryPoint("ellipsometer_txt", "relaxor_ellipsometry.reader:READER", "relaxor.readers"),
}


@pytest.fixture
def installed(monkeypatch):
    """The plug-in as if it were installed beside relaxor."""
    monkeypatch.syspath_prepend(EXAMPLE / "src")
    for module in ("relaxor.techniques.registry", "relaxor.readers.registry"):
        monkeypatch.setattr(f"{module}.entry_points", lambda group: [ENTRY_POINTS[group]])
    for remembered in (registry.entries, techniques, readers):
        remembered.cache_clear()
    yield
    for remembered in (registry.entries, techniques, readers):
        remembered.cache_clear()


def test_entry_points_are_found_recognised_and_analysed(installed, tmp_path):
    tree = read(FILE)
    assert tree.attrs["format"] == "ellipsometer_txt"
    assert likely_techniques(tree) == ("ellipsometry",)
    row = {"measurement": "glass", "file": "glass.txt", "origin": "simulated", "instrument": "", "table": ""}
    ingest([str(FILE)], [row | {"conditions": {}}], {}, str(tmp_path / "data.nc"))
    result = analyse(
        techniques()["ellipsometry"], load(tmp_path / "data.nc"), {"instruments": {}, "lab": {}, "sample": {}}
    )
    limit, dispersion = result.numbers
    assert abs(limit.value - 1.452) < 4 * limit.standard_error
    assert abs(dispersion.value - 3600) < 4 * dispersion.standard_error


def test_the_workflow_knows_the_modules_of_a_plug_in(installed, tmp_path):
    assert registry.module_of("ellipsometry") == "relaxor_ellipsometry.technique"
    assert "relaxor_ellipsometry.reader" in reader_modules([None])
    assert known_files([str(FILE)], tmp_path / "formats.json")[str(FILE)].format == "ellipsometer_txt"
    assert "relaxor_ellipsometry.reader" in reader_modules([ARCHIVE])


def test_a_damaged_file_of_the_plug_in_is_one_line(installed, tmp_path):
    (tmp_path / "bad.txt").write_text(FILE.read_text().replace("420.0 ", "x "))
    with pytest.raises(ReadError, match=r"bad\.txt: line 7: 'x .*' is not three numbers"):
        read(tmp_path / "bad.txt")


@pytest.mark.costly
def test_installed_into_a_fresh_environment_it_flows_from_file_to_claim(tmp_path):
    """No line of relaxor is changed; the project uses relaxor's workflow as a module."""
    environment, example = tmp_path / "venv", tmp_path / "plugin_example"
    shutil.copytree(EXAMPLE, example)
    project = example / "project"
    snakefile = project / "Snakefile"
    snakefile.write_text(snakefile.read_text().replace('"../../../Snakefile"', f'"{ROOT}/Snakefile"'))
    uv = [sys.executable, "-m", "uv"] if shutil.which("uv") is None else ["uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(environment)], check=True)
    python = environment / "bin/python"
    subprocess.run([*uv, "pip", "install", "--quiet", "--python", python, f"{ROOT}[workflow]", example], check=True)
    path = f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
    command = [environment / "bin/snakemake", "--cores", "2", "--nocolor"]
    run = subprocess.run(command, cwd=project, env=os.environ | {"PATH": path}, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    results = project / "results"
    assert (results / "figures/figure1.png").stat().st_size > 10_000
    assert "ellipsometry" in (results / "tables/ellipsometry.md").read_text(encoding="utf-8")
    (claim,) = pd.read_csv(results / "claims.csv").to_dict("records")
    assert claim["verdict"] == "returned" and claim["origin"] == "simulated"
    assert abs(claim["ours"] - 1.452) < 4 * claim["standard_error"]
    numbers = pd.read_csv(results / "analysis/glass/ellipsometry/parameters.csv")
    assert set(numbers["technique"]) == {"ellipsometry"}
    planned = subprocess.run(
        [*command, "-n"], cwd=project, env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    assert "Nothing to be done" in planned.stdout + planned.stderr
