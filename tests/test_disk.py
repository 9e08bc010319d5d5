"""A full disk and raw data that nobody may write on: a clear error, no damaged result, and a run that goes on."""

import contextlib
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure
from relaxor.core.errors import DiskError
from relaxor.core.files import atomic
from relaxor.core.results import Number
from relaxor.core.storage import save_parameters, save_tree
from relaxor.core.variables import variable
from relaxor.crossbar.levels import QuantizedDecoder, QuantizedLayer
from relaxor.figures import style
from relaxor.inpainting.export import save_quantized
from relaxor.reporting.tables import write_tables

from tests.project import Project

BOUND = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
"""Root without the right to pass over the modes of files."""


@contextlib.contextmanager
def full_disk(free: int) -> Iterator[None]:
    """No file may grow beyond some bytes: what a program then meets is what it meets on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def write_numbers(folder: Path, size: int) -> Path:
    save_parameters(
        folder / "raman/parameters.csv", [Number("m", "voigt", f"p{index}", index) for index in range(size)], "raman"
    )
    return folder / "raman/parameters.csv"


def write_curves(folder: Path, size: int) -> Path:
    noise = np.random.default_rng(size).normal(size=size)
    save_tree(folder / "curves.nc", {"m": xr.Dataset({"y": variable("point", noise, "V", "noise")})})
    return folder / "curves.nc"


def write_table(folder: Path, size: int) -> Path:
    with full_disk(resource.RLIM_INFINITY):
        numbers = write_numbers(folder, size)
    write_tables([str(numbers)], [str(folder / "raman.csv")], files={})
    return folder / "raman.csv"


def write_network(folder: Path, size: int) -> Path:
    layer = QuantizedLayer(np.zeros((1, size), np.int8), np.zeros(1, np.int32), np.ones(1), 1.0)
    save_quantized(folder / "net.safetensors", QuantizedDecoder((layer,), 4))
    return folder / "net.safetensors"


FORMATS = ("pdf", "svg", "png")


def write_figure(suffix: str, folder: Path, size: int) -> Path:
    figure = Figure()
    figure.add_subplot().plot(np.random.default_rng(size).normal(size=size))
    style.save(figure, [folder / f"figure.{suffix}"], "one", "")
    return folder / f"figure.{suffix}"


@pytest.mark.parametrize(
    "write",
    [
        write_numbers,
        write_curves,
        write_table,
        write_network,
        *(lambda folder, size, suffix=suffix: write_figure(suffix, folder, size) for suffix in FORMATS),
    ],
    ids=["parameters", "netcdf", "table", "network", *FORMATS],
)
def test_a_full_disk_leaves_the_last_good_result(tmp_path, write):
    target = write(tmp_path, 10)
    before = target.read_bytes()
    with full_disk(len(before) + 500), pytest.raises(DiskError, match=r"File too large") as caught:
        write(tmp_path, 20_000)
    assert str(caught.value).startswith(f"{target}: ")
    assert "run the same command again" in caught.value.advice
    assert target.read_bytes() == before
    assert not [path for path in tmp_path.rglob("*") if "partial" in path.name]


def test_a_file_in_the_way_of_a_folder_is_named(tmp_path):
    (tmp_path / "results").write_text("")
    with pytest.raises(DiskError, match=r"results: (File exists|Not a directory)"), atomic(tmp_path / "results/a.csv"):
        pass


def test_an_error_of_the_program_stays_what_it_is(tmp_path):
    with pytest.raises(FileNotFoundError), atomic(tmp_path / "a.csv"):
        (tmp_path / "gone").read_bytes()


# --- the workflow --------------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_a_run_on_a_full_disk_says_so_and_a_later_one_finishes_it(tmp_path):
    undisturbed, project = (Project.of_this(tmp_path / name, "raman") for name in ("undisturbed", "full"))
    undisturbed.run()
    size = (undisturbed.folder / "results/analysis/cbps/raman/curves.nc").stat().st_size
    for free, result in ((size // 2, "analysis/cbps/raman/curves.nc"), (size + 50_000, "figures/")):
        with project.start() as process:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (free, free))
            output = process.communicate()[0]
        assert process.returncode == 1, output
        assert f"error: results/{result}" in output and "File too large" in output
        assert "what to do: make room on the disk" in output and "Traceback" not in output
        assert not [name for name in project.results() if ".partial" in name]
    project.run()
    assert project.results() == undisturbed.results()


@pytest.mark.slow
def test_raw_data_are_only_read(tmp_path):
    project = Project.of_this(tmp_path / "project", "raman")
    raw = project.folder / "raw_data"
    for path in [*raw.rglob("*"), raw]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = {path: path.stat() for path in [*raw.rglob("*"), raw]}
    project.run(within=BOUND if os.geteuid() == 0 else ())
    for path in [*raw.rglob("*"), raw]:
        found, was = path.stat(), before[path]
        assert (found.st_mtime_ns, found.st_ctime_ns, found.st_ino) == (was.st_mtime_ns, was.st_ctime_ns, was.st_ino)
