"""What runs again after an edit, told by dry runs: as little as the README says."""

import pytest

from tests.project import ROOT, Project
from tests.test_resilience import change

pytestmark = pytest.mark.slow
KEPT = ("growth", "raman", "shg", "xrd")
"""A technique with a described table, two whose files have one format, and one of another."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Project:
    """A project of four techniques after a run of what they need."""
    project = Project.of_this(tmp_path_factory.mktemp("reruns") / "project")
    header, *rows = project.read_sheet()
    project.write_sheet([header, *(row for row in rows if row[header.index("technique")] in KEPT)])
    project.run("tables")
    return project


@pytest.fixture
def copy(finished, tmp_path) -> Project:
    return finished.copy(tmp_path / "project")


def rules(*names: str) -> set[str]:
    return {*names, "compare_claims", "check_results", "write_tables_characterization"}


def test_nothing_runs_again_by_itself(copy):
    assert copy.planned("tables") == set()


def test_an_edit_of_a_reader_concerns_the_files_of_its_format(copy):
    change(copy.folder / "workflow/relaxor/readers/diffraction/bruker_raw.py")
    assert copy.planned("tables") == rules("ingest_files:xrd", "analyse_technique:xrd")


def test_an_edit_of_a_reader_of_no_file_concerns_nothing(copy):
    change(copy.folder / "workflow/relaxor/readers/diffraction/rigaku_ras.py")
    assert copy.planned("tables") == set()


def test_an_edit_of_the_reader_of_described_tables_concerns_rows_with_a_table(copy):
    change(copy.folder / "workflow/relaxor/readers/tables/text_table.py")
    assert copy.planned("tables") == rules("ingest_files:growth", "analyse_technique:growth")


def test_a_reader_that_claims_files_of_another_is_noticed(copy):
    """The formats are remembered, but not beyond a change of what any reader recognises."""
    with (copy.folder / "workflow/relaxor/readers/diffraction/rigaku_ras.py").open("a", encoding="utf-8") as reader:
        reader.write('\nPRIORITY = 0\n\n\ndef recognises(head, path):\n    return "raman" in path.parts\n')
    assert copy.planned("tables") == rules("ingest_files:raman", "analyse_technique:raman")


@pytest.mark.parametrize(
    "module", ["figures/panel", "techniques/raman/technique", "techniques/raman/panels", "techniques/contents"]
)
def test_an_edit_of_drawing_or_recognition_refits_nothing(copy, module):
    change(copy.folder / f"workflow/relaxor/{module}.py")
    assert not [rule for rule in copy.planned("tables") if rule.startswith(("ingest", "analyse"))]


def test_a_new_technique_and_a_new_reader_concern_nothing(copy):
    source, library = ROOT / "tests/plugin_example/src/relaxor_ellipsometry", copy.folder / "workflow/relaxor"
    folder = library / "techniques/ellipsometry"
    folder.mkdir()
    for path in source.glob("*.py"):
        text = path.read_text(encoding="utf-8").replace("relaxor_ellipsometry", "relaxor.techniques.ellipsometry")
        place = library / "readers/spectroscopy/ellipsometer_txt.py" if path.stem == "reader" else folder / path.name
        place.write_text(text, encoding="utf-8")
    assert copy.planned("tables") == set()


def test_an_edit_of_an_analysis_concerns_its_technique(copy):
    change(copy.folder / "workflow/relaxor/techniques/raman/lines.py")
    assert copy.planned("tables") == rules("analyse_technique:raman")


def test_a_setting_of_an_instrument_concerns_its_technique(copy):
    settings = copy.folder / "config/config.yaml"
    text = settings.read_text(encoding="utf-8")
    added = text.replace("\ninstruments:\n", "\ninstruments:\n  D8: {xrd: {window: 0.4}}\n")
    assert added != text
    settings.write_text(added, encoding="utf-8")
    assert copy.planned("tables") == rules("analyse_technique:xrd")


@pytest.mark.parametrize("column", ["panel", "note"])
def test_panels_and_notes_refit_nothing(copy, column):
    header, *rows = copy.read_sheet()
    for row in rows:
        row[header.index(column)] = ""
    copy.write_sheet([header, *rows])
    assert copy.planned("tables") == set()


def test_the_log_of_a_run_names_files_of_data_alone(finished):
    """Code is one hash among the parameters; sixty modules in every list of inputs made the log unreadable."""
    log = max((finished.folder / ".snakemake/log").glob("*.log"), key=lambda path: path.stat().st_size)
    lines = log.read_text(encoding="utf-8").splitlines()
    assert max(map(len, lines)) < 1000
    assert not [line for line in lines if line.lstrip().startswith("input:") and ".py" in line]
