"""The workflow on a cluster: what it submits, and a real Slurm of one node that runs it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.project import Project

NO_PACKAGES = 75
"""What one_node.sh exits with where the packages cannot be had."""
PROFILE = ("--profile", "profiles/slurm")
WITHOUT_ACCOUNTING = ("--slurm-no-account", "--slurm-status-command", "squeue")
SEVERAL = "{inpainting: {holes: [4, 8, 12], seeds: [0, 1]}}\n"


@pytest.fixture(scope="module")
def slurm() -> None:
    """A Slurm that is there, or one of this machine alone."""
    if shutil.which("sinfo") and subprocess.run(["sinfo"], capture_output=True).returncode == 0:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        pytest.skip("no Slurm here, and no root with apt-get to bring one up")
    script = Path(__file__).parent / "one_node.sh"
    brought_up = subprocess.run(["bash", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if brought_up.returncode == NO_PACKAGES:
        pytest.skip(f"Slurm's packages could not be installed: {brought_up.stdout[-300:]}")
    assert brought_up.returncode == 0, brought_up.stdout


@pytest.mark.slow
def test_trainings_fan_out_over_holes_and_seeds_and_chips_over_holes(tmp_path):
    project = Project.of_this(tmp_path / "project")
    (project.folder / "several.yaml").write_text(SEVERAL)
    planned = project.run(*PROFILE, "--configfile", "several.yaml", "-n", "crossbar")
    jobs = {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", planned, re.M)}
    assert {rule: jobs[rule] for rule in ("train_decoder", "quantize_decoder", "score_decoder")} == {
        "train_decoder": 6, "quantize_decoder": 6, "score_decoder": 6,
    }  # fmt: skip
    assert (jobs["run_chips"], jobs["break_down_chip"]) == (6, 1)


def slurm_jobs() -> set[str]:
    """The numbers of all jobs that Slurm still knows, ended or not."""
    command = ("squeue", "--noheader", "--states=all", "--format=%i")
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.slow
def test_a_run_goes_through_slurm(tmp_path, slurm):
    project = Project.of_this(tmp_path / "project", "raman")
    header, row = project.read_sheet()
    another = ["film" if column == "sample" else cell for column, cell in zip(header, row, strict=True)]
    project.write_sheet([header, row, another])
    targets = [f"results/smoke/tables/{folder}raman.csv" for folder in ("", "samples/film/")]
    smoke = (*targets, "--configfile", "config/smoke.yaml")
    before = slurm_jobs()
    project.run(*smoke, *PROFILE, *WITHOUT_ACCOUNTING)
    assert len(slurm_jobs() - before) == 3  # one reads and analyses both samples, and each gets its tables from another
    assert all((project.folder / target).stat().st_size > 0 for target in targets)
    assert "Nothing to be done" in project.run(*smoke)
