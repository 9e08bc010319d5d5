"""The plan for 10,000 measurements of 200 samples; targets: under 30 s and 2 GB."""

import resource

import pytest

from tests.test_scale import archive

pytestmark = pytest.mark.slow


def test_a_plan_of_ten_thousand_measurements(benchmark, tmp_path):
    project = archive(tmp_path / "project")
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    benchmark.pedantic(project.run, args=("--dry-run", "--quiet", "rules"), rounds=1)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    benchmark.extra_info["user_seconds"] = used.ru_utime - before
    benchmark.extra_info["megabytes"] = used.ru_maxrss / 1024
