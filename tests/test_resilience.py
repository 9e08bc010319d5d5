"""Runs that are killed, repeated, or made on other numbers of cores end with the same bytes; nothing runs in vain."""

import random
import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests.project import SETTINGS, Project, sheet_rows

pytestmark = pytest.mark.slow

KILLS = 20
SYNAPSE = {"iv_sweeps", "electrical_pulses", "optical_pulses"}
LETTERS = {
    "write_encoder", "train_decoder", "quantize_decoder", "score_decoder", "summarize_inpainting", "run_chips",
    "break_down_chip", "summarize_crossbar", "write_tables_inpainting", "write_tables_crossbar",
}  # fmt: skip
"""What the light's response is for."""
TECHNIQUES = sorted({row["technique"] for row in sheet_rows()})


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Project:
    """The whole project after an undisturbed run on one core."""
    project = Project.of_this(tmp_path_factory.mktemp("undisturbed") / "project")
    project.run(cores=1)
    return project


@pytest.fixture
def copy(finished, tmp_path) -> Project:
    """A copy of the finished project to change."""
    return finished.copy(tmp_path / "project")


def change(path: Path) -> None:
    """Change a file's content: Snakemake compares checksums, new times alone move nothing."""
    path.write_bytes(path.read_bytes() + b"\n# changed\n")


def downstream(*techniques: str) -> set[str]:
    """The rules that must run when the analysis of some techniques ran again."""
    figures = yaml.safe_load((Path(__file__).parents[1] / SETTINGS.figures).read_text(encoding="utf-8"))
    concerned = {*techniques, *(("inpainting", "crossbar") if "optical_pulses" in techniques else ())}
    shown = {
        f"draw_{name}"
        for name, figure in figures.items()
        if {panel["draw"].partition(".")[0] for panel in figure["panels"].values()} & concerned
    }
    found = {f"analyse_technique:{name}" for name in techniques} | shown
    found |= {f"write_tables_{'synapse' if name in SYNAPSE else 'characterization'}" for name in techniques}
    found |= LETTERS if "optical_pulses" in techniques else set()
    found |= (
        {"compare_devices", "draw_figureS12"} if {"electrical_pulses", "optical_pulses", "afm"} & concerned else set()
    )
    return found | {"compare_claims", "check_results", "run_notebook", "build_explorer"}


def assert_same(found: dict[str, str], expected: dict[str, str]) -> None:
    assert set(found) == set(expected)
    assert not [name for name in expected if found[name] != expected[name]]


def test_two_cores_give_the_bytes_of_one(finished, tmp_path):
    project = Project.of_this(tmp_path / "project")
    project.run(cores=2)
    assert_same(project.results(), finished.results())


def test_killed_at_any_moment_and_started_again(finished, tmp_path):
    rng = random.Random(20241207)
    project = Project.of_this(tmp_path / "project")
    killed = 0
    for _ in range(KILLS):
        killed += project.kill_after(rng.uniform(4, 40))
        project.run("--unlock")
    assert killed > KILLS / 2
    project.run()
    assert_same({name: sha for name, sha in project.results().items() if ".partial" not in name}, finished.results())
    left = [name for name in project.results() if ".partial" in name]
    assert not left, f"half-written files stay: {left}"


def test_nothing_to_do(copy):
    before = copy.results()
    output = copy.run()
    assert "Nothing to be done" in output
    assert_same(copy.results(), before)


def test_a_deleted_result_is_made_again_with_the_same_bytes(copy):
    before = copy.results()
    shutil.rmtree(copy.folder / SETTINGS.results / "figures")
    assert not {rule for rule in copy.planned() if rule.startswith(("analyse", "ingest"))}
    copy.run()
    assert_same(copy.results(), before)


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_a_changed_raw_file_concerns_its_own_technique(copy, technique):
    row = next(row for row in sheet_rows() if row["technique"] == technique)
    change(copy.folder / row["file"])
    assert copy.planned() == {f"ingest_files:{technique}"} | downstream(technique)


def test_an_added_file_concerns_its_own_technique(copy):
    header, *rows = copy.read_sheet()
    column = {name: header.index(name) for name in header}
    extra = next(row for row in rows if row[column["technique"]] == "raman").copy()
    source = copy.folder / extra[column["file"]]
    shutil.copy2(source, source.with_name("added.txt"))
    extra[column["file"]] = str(source.with_name("added.txt").relative_to(copy.folder))
    extra[column["measurement"]] = "added"
    extra[column["panel"]] = ""
    copy.write_sheet([header, *rows, extra])
    assert copy.planned() == {"ingest_files:raman"} | downstream("raman")
    before = copy.results()
    copy.run()
    table = (copy.folder / SETTINGS.results / "analysis/cbps/raman/parameters.csv").read_text(encoding="utf-8")
    assert re.search(r"^added,raman,voigt,", table, re.M)
    made_of_all = ("logs/", "figures/", "notebooks/", "explorer/")
    others = {name for name in before if "raman" not in name and not name.startswith(made_of_all)}
    others -= {"claims.csv", "claims.html", "checks.csv"}
    assert {name: copy.results()[name] for name in others} == {name: before[name] for name in others}


def test_an_edit_of_an_analysis_concerns_what_uses_it(copy):
    change(copy.folder / "workflow/relaxor/techniques/raman/lines.py")
    assert copy.planned() == downstream("raman")


def test_an_edit_of_a_drawing_concerns_its_figures(copy):
    change(copy.folder / "workflow/relaxor/techniques/afm/panels.py")
    drawn = {rule for rule in downstream("afm") if rule.startswith(("draw_", "run_"))}
    assert copy.planned() == drawn - {"draw_figureS12"}  # it shows the numbers, not the panels


def test_a_changed_setting_concerns_its_technique(copy):
    settings = copy.folder / "config/config.yaml"
    text = settings.read_text(encoding="utf-8") + "raman: {spike_threshold: 9.0}\n"
    settings.write_text(text, encoding="utf-8")
    assert copy.planned() == downstream("raman")


def test_a_setting_that_is_drawn_concerns_figure_and_notebook(copy):
    (copy.folder / "narrow.yaml").write_text("bands: {band_gap: 1.2}\n", encoding="utf-8")
    assert copy.planned("--configfile", "narrow.yaml") == {"draw_figure3", "run_notebook"}
