"""The whole pipeline on the sample data; targets: from nothing under 90 s on 2 cores, with nothing to do under 5 s.

Run with ``uv run pytest tests/benchmarks/test_pipeline.py --benchmark-enable --benchmark-only -o addopts=``.
"""

import pytest

from tests.project import Project

pytestmark = pytest.mark.slow


def test_from_nothing(benchmark, tmp_path):
    project = Project.of_this(tmp_path / "project")
    benchmark.pedantic(project.run, rounds=1)
    benchmark.extra_info["files"] = len(project.results())


def test_nothing_to_do(benchmark, tmp_path):
    project = Project.of_this(tmp_path / "project")
    project.run()
    output = benchmark.pedantic(project.run, rounds=3)
    assert "Nothing to be done" in output


def test_one_raman_file_changed(benchmark, tmp_path):
    project = Project.of_this(tmp_path / "project")
    project.run()
    header, *rows = project.read_sheet()
    raman = next(row for row in rows if row[header.index("technique")] == "raman")
    path = project.folder / raman[header.index("file")]
    path.write_bytes(path.read_bytes().replace(b"SIMULATED", b"simulated"))
    output = benchmark.pedantic(project.run, rounds=1)
    assert "analyse" in output
