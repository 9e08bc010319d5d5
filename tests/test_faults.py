"""Power cuts, kills, wrong clocks, full disks and two runs at once: a plain rerun gives the bytes of one calm run."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.project import Project

pytestmark = pytest.mark.slow

TARGETS = ("figures", "tables")
PAST, FUTURE = 1e8, 4e9
KILLED = """
import os, pathlib, signal

def replace(self, target, calm=pathlib.Path.replace):
    if self.name == ".curves.nc.partial":
        os.killpg(0, signal.SIGKILL)
    return calm(self, target)

pathlib.Path.replace = replace
"""
"""What every process of a run does at its start: it ends all of them where a result is whole, but not yet in place."""


@pytest.fixture(scope="module")
def calm(tmp_path_factory) -> Project:
    """A project of one technique after a run that nothing disturbed."""
    project = Project.of_this(tmp_path_factory.mktemp("calm") / "project", "raman")
    project.run(*TARGETS)
    return project


@pytest.fixture
def copy(calm, tmp_path) -> Project:
    return calm.copy(tmp_path / "project")


@pytest.fixture
def fresh(calm, tmp_path) -> Project:
    """The same project before its first run."""
    project = calm.copy(tmp_path / "project")
    for part in ("results", ".snakemake"):
        shutil.rmtree(project.folder / part)
    return project


def set_times(folder: Path, when: float) -> None:
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (when, when))


def wait_for(path: Path, process: subprocess.Popen) -> None:
    while not path.exists():
        assert process.poll() is None, f"ended before {path} was there"
        time.sleep(0.01)


def assert_goes_on(killed: Project, calm: Project) -> None:
    """A plain run behind one that was killed gives the bytes of an undisturbed one."""
    killed.run("--unlock")
    killed.run(*TARGETS)
    assert killed.results() == calm.results()


# --- killed ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("log", ["ingest_files/cbps/raman", "analyse_technique/cbps/raman", "draw_figure/figure1"])
def test_a_run_that_is_killed_within_a_job_goes_on(calm, fresh, log):
    with fresh.start(*TARGETS) as process:
        wait_for(fresh.folder / f"results/logs/{log}.log", process)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert "--unlock" in fresh.run(*TARGETS, code=1)
    assert_goes_on(fresh, calm)


def test_a_run_that_is_killed_before_a_result_is_in_place_goes_on(calm, fresh):
    hook = fresh.folder / "workflow/sitecustomize.py"
    hook.write_text(KILLED, encoding="utf-8")
    with fresh.start(*TARGETS) as process:
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert (fresh.folder / "results/analysis/cbps/raman/.curves.nc.partial").exists()
    hook.unlink()
    assert_goes_on(fresh, calm)


def test_jobs_that_outlive_a_killed_snakemake_do_no_harm(calm, fresh):
    with fresh.start(*TARGETS) as process:
        wait_for(fresh.folder / "results/logs/analyse_technique/cbps/raman.log", process)
        process.kill()
        process.wait()
        assert_goes_on(fresh, calm)


# --- two at once ----------------------------------------------------------------------------------------------------
def test_of_two_runs_at_once_the_second_is_refused(calm, fresh):
    with fresh.start(*TARGETS) as first:
        wait_for(fresh.folder / "results/logs/ingest_files/cbps/raman.log", first)
        assert "cannot be locked" in fresh.run(*TARGETS, code=1)
        first.communicate()
    assert first.returncode == 0
    assert fresh.results() == calm.results()


# --- a wrong clock --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("part", "when"), [("raw_data", PAST), ("raw_data", FUTURE), ("results", FUTURE)])
def test_a_wrong_time_alone_makes_nothing_again(copy, part, when):
    set_times(copy.folder / part, when)
    assert copy.planned(*TARGETS) == set()


def test_results_from_before_the_program_are_made_again_once(calm, copy):
    set_times(copy.folder / "results", PAST)
    copy.run(*TARGETS)
    assert copy.results() == calm.results()
    assert copy.planned(*TARGETS) == set()


def test_a_changed_content_is_noticed_whatever_its_time(copy):
    raw = next((copy.folder / "raw_data/cbps/raman").iterdir())
    raw.write_bytes(raw.read_bytes() + b"\n")
    set_times(copy.folder / "raw_data", PAST)
    assert "ingest_files:raman" in copy.planned(*TARGETS)


# --- a full disk ----------------------------------------------------------------------------------------------------
def test_a_run_on_a_disk_without_room_says_so_and_goes_on_with_more(calm, fresh):
    results = fresh.folder / "results"
    results.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "small", results], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    try:
        output = fresh.run(*TARGETS, code=1)
        assert "No space left on device" in output and "what to do: make room on the disk" in output
        assert "Traceback" not in output and not [name for name in fresh.results() if ".partial" in name]
        subprocess.run(["mount", "-o", "remount,size=64m", results], check=True)
        fresh.run(*TARGETS)
        assert fresh.results() == calm.results()
    finally:
        subprocess.run(["umount", results], check=True)
