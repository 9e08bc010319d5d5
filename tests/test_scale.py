"""A lab's whole archive in one sheet: 10,000 measurements of 200 samples, of which the plan has the right jobs."""

import os
import re

import pytest

from tests.project import Project

SAMPLES = 200
TECHNIQUES = ("raman", "xrd", "xps", "shg", "afm")
FILES = 10
"""Of each technique of a sample."""


def archive(folder) -> Project:
    """Make a project of links to one small file; a dry run opens none of them."""
    project = Project.of_this(folder, "raman")
    header, first = project.read_sheet()
    source = project.folder / first[header.index("file")]
    lines = []
    for sample in (f"s{number:03d}" for number in range(SAMPLES)):
        (project.folder / "raw_data" / sample).mkdir()
        for technique in TECHNIQUES:
            for measurement in (f"{technique}{number}" for number in range(FILES)):
                file = f"raw_data/{sample}/{measurement}.txt"
                os.link(source, project.folder / file)
                cells = dict.fromkeys(header, "") | {
                    "measurement": measurement, "sample": sample, "technique": technique, "file": file,
                    "origin": "measured", "conditions": "power=0.5 mW",
                }  # fmt: skip
                lines.append([cells[column] for column in header])
    project.write_sheet([header, first, *lines])
    return project


@pytest.mark.slow
def test_an_archive_is_a_few_jobs_for_each_technique_of_a_sample(tmp_path):
    output = archive(tmp_path / "project").run("--dry-run", "--quiet", "rules")
    jobs = {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", output, re.M)}
    groups = SAMPLES * len(TECHNIQUES)
    assert jobs["ingest_files"] == jobs["analyse_technique"] == groups + 1  # and the sample of the figures
    assert jobs["draw_sample"] == jobs["write_tables_sample"] == groups
    assert jobs["draw_comparison"] == len(TECHNIQUES)
