"""Another workflow uses this one as a Snakemake module: from its own folder, with its own settings, sheet and files."""

import os
import re
import shutil
from pathlib import Path

import pytest
import yaml
from relaxor.core.storage import load_parameters

from tests.project import ROOT, Project

SNAKEFILE = f"""
configfile: "lab.yaml"

module relaxor:
    snakefile: "{ROOT}/Snakefile"
    config: config["relaxor"]

use rule * from relaxor as relaxor_*

rule ours:
    default_target: True
    input: "out/tables/raman.csv"
    output: "ours.txt"
    shell: "wc -l < {{input}} > {{output}}"
"""
TABLE = "out/tables/raman.csv"


@pytest.fixture
def lab(tmp_path: Path) -> Project:
    """A workflow elsewhere, with one Raman spectrum of its own."""
    folder = tmp_path / "lab"
    (folder / "spectra").mkdir(parents=True)
    shutil.copy2(ROOT / "raw_data/cbps/raman/CBPS_flake_532nm.txt", folder / "spectra/flake.txt")
    settings = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    ours = {
        "sheet": "sheet.tsv", "results": "out", "sample": "flake", "formats": ["png"],
        "raman": settings["samples"]["cbps"]["raman"],
    }  # fmt: skip
    (folder / "lab.yaml").write_text(yaml.safe_dump({"relaxor": ours}), encoding="utf-8")
    (folder / "Snakefile").write_text(SNAKEFILE, encoding="utf-8")
    row = {"measurement": "flake", "sample": "flake", "technique": "raman", "file": "spectra/flake.txt",
           "origin": "measured", "conditions": "wavelength=532 nm"}  # fmt: skip
    (folder / "sheet.tsv").write_text("\t".join(row) + "\n" + "\t".join(row.values()) + "\n", encoding="utf-8")
    return Project(folder, library=ROOT)


@pytest.mark.costly
def test_a_module_plans_its_rules_under_their_new_names(lab):
    planned = lab.planned()
    assert planned == {"relaxor_ingest_files:raman", "relaxor_analyse_technique:raman",
                       "relaxor_write_tables_characterization", "ours"}  # fmt: skip
    assert {"relaxor_check_results", "relaxor_compare_claims"} <= lab.planned("relaxor_all")  # by relaxor's own lists


@pytest.mark.slow
def test_a_list_of_the_working_directory_goes_first(lab):
    assert "template/config/claims.yaml" in lab.run("-n", "out/claims.csv")  # none, and not those of the paper
    (lab.folder / "config").mkdir()
    (lab.folder / "config/claims.yaml").write_text("[]\n")
    assert "input: out/analysis/flake/raman/parameters.csv, config/claims.yaml" in lab.run("-n", "out/claims.csv")


@pytest.mark.slow
def test_a_module_runs(lab):
    lab.run()
    numbers = load_parameters(lab.folder / "out/analysis/flake/raman/parameters.csv")
    assert len(numbers) > 5
    assert (lab.folder / TABLE).is_file() and (lab.folder / "ours.txt").is_file()
    assert not (lab.folder / "results").exists()
    lab.run("out/notebooks/explore.html")
    executed = (lab.folder / "out/notebooks/explore.ipynb").read_text(encoding="utf-8")
    (figures,) = re.findall(r'\\"figures\\": \\"([^"]+)\\"', executed)
    assert (lab.folder / figures).is_file()  # relaxor's: the lab has no list of figures
    assert "Nothing to be done" in lab.run()


@pytest.mark.slow
def test_a_module_bundles_the_files_of_both(lab):
    (lab.folder / "CITATION.cff").write_text("title: Flakes\n")
    planned = lab.run("--dry-run", "relaxor_bundle").split("rule relaxor_bundle:")[1].split("output:")[0]
    files = set(planned.partition("input:")[2].strip().split(", "))
    assert {"CITATION.cff", "lab.yaml", "sheet.tsv", "spectra/flake.txt", "out/data/flake/raman.nc"} <= files
    relaxor = os.path.relpath(ROOT, lab.folder)
    assert {f"{relaxor}/Snakefile", f"{relaxor}/config/claims.yaml"} <= files
    assert not any(file.startswith(f"{relaxor}/raw_data") for file in files)
