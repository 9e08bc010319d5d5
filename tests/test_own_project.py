"""A project of one's own: its files, its figures, and its way from the installed package alone."""

import base64
import re
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
import yaml
from relaxor.cli.main import app
from relaxor.core import extras
from relaxor.core.errors import AnalysisError, SheetError
from relaxor.project.figure_list import fed_panels, load_figures
from relaxor.project.settings import load_settings
from relaxor.project.starter import add_starter
from relaxor.reporting.draw import draw_figure
from relaxor.reporting.panels import panel_of
from typer.testing import CliRunner

from tests.pages import follow, new_user
from tests.project import ROOT, Project, commit_of_this

OF_THE_PAPER = re.compile(r"cbps|cubip|10\.1002/adma", re.I)
FILES = {
    "Snakefile", "README.md", "CITATION.cff", ".gitignore", ".github/workflows/figures.yml", "raw_data/README.md",
    "profiles/default/profile.yaml", "config/config.yaml", "config/config.schema.json", "config/measurements.tsv",
    "config/figures.yaml", "config/claims.yaml",
}  # fmt: skip
ROWS = [
    {"measurement": name, "sample": sample, "technique": technique, "panel": panel}
    for name, sample, technique, panel in (
        ("flake", "film", "raman", "x"), ("1e3", "film", "raman", ""), ("powder", "film", "xrd", ""),
        ("weak", "film", "shg", ""), ("strong", "film", "shg", ""), ("photo", "film", "other", ""),
        ("substrate", "glass", "xrd", ""),
    )
]  # fmt: skip


def init(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, ["init", *map(str, arguments)])
    return result.output + (str(result.exception) if result.exception else "")


def files(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): text_of(path) for path in found}


def text_of(path: Path) -> str:
    """The text of a file; that of the explorer's data without packed numbers, whose letters may be any."""
    text = path.read_text(encoding="utf-8", errors="replace")
    packed = re.fullmatch(r"\w+\('\w+','([\w+/=]+)'\);\n", text)
    unpacked = zlib.decompress(base64.b64decode(packed[1])).decode() if packed else text
    return re.sub(r'"bytes":"[\w+/=]*"', "", unpacked)


# --- relaxor init ---------------------------------------------------------------------------------------------------
def test_a_new_project_has_nothing_of_the_paper(tmp_path):
    assert "Next: cd" in init(tmp_path / "my thesis")
    written = files(tmp_path / "my thesis")
    assert written.keys() == FILES
    assert not [name for name, text in written.items() if OF_THE_PAPER.search(text) or re.search("@[A-Z]+@", text)]
    assert written["config/measurements.tsv"].count("\n") == 1
    assert load_figures(tmp_path / "my thesis/config/figures.yaml") == {}


def test_examples_in_the_lists_are_valid_once_their_comment_signs_are_gone(tmp_path):
    init(tmp_path)
    for name in ("figures", "claims"):
        path = tmp_path / f"config/{name}.yaml"
        *_, example = path.read_text(encoding="utf-8").split("\n#\n")
        path.write_text(re.sub(r"^# ", "", example, flags=re.M), encoding="utf-8")
    (figure,) = load_figures(tmp_path / "config/figures.yaml").values()
    assert [panel_of(panel) for panel in figure.panels.values()]
    (claim,) = yaml.safe_load((tmp_path / "config/claims.yaml").read_text(encoding="utf-8"))
    assert claim["ours"]["technique"] == "raman"
    path = tmp_path / "config/config.yaml"
    head, sample, rest = path.read_text(encoding="utf-8").partition("# sample: ")
    path.write_text(head + re.sub(r"^# ", "", sample + rest, flags=re.M), encoding="utf-8")
    settings = load_settings(path)
    assert settings.sample == "film_a" and settings.samples and settings.instruments


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / ".git").mkdir()
    assert "is not empty (notes.txt); nothing is overwritten" in init(tmp_path)
    assert files(tmp_path) == {"notes.txt": "mine"}
    (tmp_path / "notes.txt").unlink()
    init(tmp_path)
    assert files(tmp_path).keys() == FILES


@pytest.mark.costly
def test_the_example_is_the_project_of_the_paper(tmp_path):
    init(tmp_path / "example", "--from-paper", "10.1002/adma.202419204")
    written = files(tmp_path / "example")
    raw = {name for name in written if name.startswith("raw_data/")}
    assert raw == {f"raw_data/{name}" for name in files(ROOT / "raw_data") if not name.startswith("emnist")}
    sums = "raw_data/cbps/SHA256SUMS"
    made, ours = (set(text.splitlines()) for text in (written[sums], (ROOT / sums).read_text(encoding="utf-8")))
    assert all(line.endswith("truth.csv") for line in made ^ ours)  # its last digits depend on the processor
    assert written["config/figures.yaml"] == (ROOT / "config/figures.yaml").read_text(encoding="utf-8")
    assert written["config/config.yaml"].startswith("# yaml-language-server: $schema=config.schema.json")


def test_an_unknown_paper_is_answered_by_those_that_are_known(tmp_path):
    assert "10.1002/adma.202419204" in init(tmp_path / "example", "--from-paper", "10.1000/other")
    assert not (tmp_path / "example").exists()


def test_what_is_not_installed_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(extras.EXTRAS, "workflow", ("no_such_package",))
    assert "'no_such_package' is not installed; it comes with: pip install 'relaxor[workflow]'" in init(tmp_path)


# --- figures composed in one list -----------------------------------------------------------------------------------
def figures(folder: Path, text: str) -> Path:
    path = folder / "figures.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_list_without_figures_gets_one_of_every_measurement(tmp_path):
    path = figures(tmp_path, "# mine\n")
    assert add_starter(path, ROWS, "film") == "figure1"
    assert path.read_text(encoding="utf-8").startswith("# mine\n")
    (figure,) = load_figures(path).values()
    shown = fed_panels({"figure1": figure}, ROWS, "film")
    assert list(shown.values()) == [["flake"], ["1e3"], ["powder"], ["weak", "strong"]]
    assert all(panel_of(panel) for panel in figure.panels.values())
    assert add_starter(path, ROWS, "film") == ""
    assert add_starter(tmp_path / "none.yaml", ROWS, "film") == ""


def test_what_a_figure_leaves_out_has_a_default(tmp_path):
    panels = "{a: {draw: raman.spectrum}, b: {draw: xrd.pattern}, c: {draw: shg.spectra, id: own}}"
    (figure,) = load_figures(figures(tmp_path, f"films: {{title: The films, panels: {panels}}}\n")).values()
    assert figure.layout == [["a", "b"], ["c", "."]]
    assert [panel.id for panel in figure.panels.values()] == ["filmsa", "filmsb", "own"]
    assert (figure.category, figure.part) == ("The films", "characterization")


@pytest.mark.parametrize(
    ("panel", "message"),
    [
        ("draw: raman.lines", "'raman.lines' is not known; panels of raman: spectrum, maps, overview"),
        ("draw: raman.spectra", "did you mean 'raman.spectrum'? panels of raman: spectrum, maps, overview"),
        ("draw: ramann.spectrum", "'ramann.spectrum' is not known; did you mean 'raman'?"),
        ("draw: xrd.pattern, measurements: [glass]", "'film' has no measurement 'glass' of xrd; allowed: powder"),
        ("draw: raman.spectrum, measurements: [flak]", "no measurement 'flak' of raman; did you mean 'flake'?"),
        ("draw: afm.step, measurements: [x]", "no measurement 'x' of afm; it has other, raman, shg, xrd"),
        ("draw: xrd.pattern, sample: glas", "no row of the sheet has the sample 'glas'; did you mean 'glass'?"),
    ],
)
def test_what_does_not_exist_is_answered_by_what_there_is(tmp_path, panel, message):
    listed = load_figures(figures(tmp_path, f"figure1: {{title: One, panels: {{a: {{{panel}}}}}}}\n"))
    with pytest.raises(SheetError, match=re.escape(message)):
        panel_of(listed["figure1"].panels["a"])
        fed_panels(listed, ROWS, "film")


def test_two_panels_of_one_name_are_refused(tmp_path):
    panels = "{a: {draw: raman.spectrum, id: x}, b: {draw: xrd.pattern, id: x}}"
    with pytest.raises(SheetError, match="the id 'x' is already that of a panel of one"):
        load_figures(figures(tmp_path, f"one: {{title: One, panels: {panels}}}\n"))


def test_a_panel_shows_what_it_names_or_what_the_sheet_says(tmp_path):
    panels = (
        "{a: {draw: raman.spectrum, id: x}, b: {draw: raman.spectrum, measurements: ['*']}, "
        "c: {draw: xrd.pattern, sample: glass, measurements: [sub*]}, d: {draw: xrd.pattern}}"
    )
    listed = load_figures(figures(tmp_path, f"f: {{title: One, panels: {panels}}}\n"))
    assert fed_panels(listed, ROWS, "film") == {"x": ["flake"], "fb": ["flake", "1e3"], "fc": ["substrate"]}


@pytest.fixture
def drawn(analysed, tmp_path):
    """Draw a figure of the analysed sample data, and return its files."""

    def draw(text: str) -> list[Path]:
        (figure,) = load_figures(figures(tmp_path, text)).values()
        folders = {panel.owner: analysed(panel.owner).folder for panel in figure.panels.values()}
        sample = next(iter(folders.values())).parent.name
        files = [tmp_path / "whole.svg", *(tmp_path / f"{letter}.svg" for letter in figure.panels)]
        curves, parameters = (
            [str(folder / name) for folder in folders.values()] for name in ("curves.nc", "parameters.csv")
        )
        measurements = {panel.id: panel.measurements or None for panel in figure.panels.values()}
        whole, *panels = map(str, files)
        draw_figure(curves, parameters, [], [whole], panels, spec=figure.model_dump(mode="json"), sample=sample,
                    measurements=measurements, settings_of={})  # fmt: skip
        return files

    return draw


def test_a_figure_has_the_titles_and_pictures_that_its_list_says(drawn):
    panels = (
        "{a: {draw: raman.spectrum, measurements: [raman_532nm], title: Lines}, "
        "b: {draw: xrd.overview, title: Powder}, c: {draw: shg.overview}}"
    )
    whole, *_ = drawn(f"f: {{title: One, widths: [2, 1], layout: [[a, b], [c, c]], panels: {panels}}}\n")
    text = whole.read_text(encoding="utf-8")
    for expected in ("a  Lines", "b  Powder", "Raman shift", "simulated"):
        assert expected in text


def test_pictures_of_a_measurement_are_counted(drawn):
    with pytest.raises(AnalysisError, match=r"xrd.overview: number 7: xrd_platelet has 1 \(xrd_platelet\)"):
        drawn("f: {title: One, panels: {a: {draw: xrd.overview, options: {number: 7}}}}\n")


# --- from the wheel alone --------------------------------------------------------------------------------------------
PAGE = ROOT / "docs/own_project.md"
PUBLIC = {
    "calcite.wdf": "raman_shg/renishaw_wdf/nCal_Qontor785_z005H12_100_1x3s.wdf",
    "powder.xrdml": "xrd/panalytical_xrdml/examples.xrdml",
    "transistor.xls": "electrical/keithley4200_xls/vds-id#1.xls",
    "loops.dat": "ferroelectric_pe/aixacct_dat/RTWhiteB_freqs.dat",
}
SIMULATED = (
    "raman/CBPS_flake_532nm.txt",
    "xrd/cbps_platelet_00l.raw",
    "afm/afm_flake_8nm.ibw",
    "edx/CBPS_crystal_20kV.msa",
)
PIP = """#!/bin/sh
exec uv pip "$@"
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """The home of a user with an empty environment, in which `pip install relaxor` finds the wheel of this source."""
    base = tmp_path_factory.mktemp("wheel")
    home, environment = base / "home", base / "environment"
    home.mkdir()
    subprocess.run(["uv", "build", "-q", "--out-dir", base / "dist"], cwd=ROOT, check=True)
    subprocess.run(["uv", "venv", "-q", "--python", sys.executable, environment], check=True)
    (environment / "bin/pip").write_text(PIP)  # packages of the cache are not fetched again
    (environment / "bin/pip").chmod(0o755)
    user = new_user(home)
    user |= {"PATH": f"{environment}/bin:{user['PATH']}", "VIRTUAL_ENV": str(environment)}
    return home, user | {"UV_FIND_LINKS": str(base / "dist")}


def in_folder(folder: Path, environment: dict[str, str], *command: str) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.costly
def test_the_page_leads_from_four_files_to_figures(installed, rawfiles):
    home, environment = installed
    (home / "measurements").mkdir()
    for name, source in PUBLIC.items():
        shutil.copyfile(rawfiles / source, home / "measurements" / name)
    follow(PAGE, home, environment)
    results = files(home / "thesis/results")
    made = {f"figures/figure{number}.png" for number in (1, 2)} | {"claims.csv", "checks.csv", "tables/raman.csv"}
    assert made <= results.keys()
    assert not [name for name, text in results.items() if OF_THE_PAPER.search(name + text)]


@pytest.mark.costly
def test_files_of_the_simulator_come_to_figures_without_networks(installed):
    home, environment = installed
    in_folder(home, environment, "pip", "install", "--quiet", "relaxor[workflow]")
    assert "jax" not in in_folder(home, environment, "pip", "list").split()
    in_folder(home, environment, "relaxor", "init", "lab")
    (home / "simulated").mkdir()
    for number, name in enumerate(SIMULATED):
        source = ROOT / "raw_data/cbps" / name
        shutil.copyfile(source, home / f"simulated/file{number}{source.suffix}")
    lab, of_film = home / "lab", ("film", "../simulated", "--yes", "--origin", "simulated")
    assert "4 rows added" in in_folder(lab, environment, "relaxor", "add", *of_film)
    in_folder(lab, environment, "snakemake", "--cores", "2")
    results = files(lab / "results")
    assert {"figures/figure1.png", "figures/samples/film/raman.png", "tables/xrd.csv", "claims.csv"} <= results.keys()
    assert results["claims.csv"].count("\n") == 1
    assert "nothing is wrong" in in_folder(lab, environment, "relaxor", "check")
    assert "Nothing to be done" in in_folder(lab, environment, "snakemake", "--cores", "2")
    in_folder(lab, environment, "relaxor", "claims")


def with_flakes(project: Path, *samples: str) -> None:
    """Give a project one Raman spectrum of each sample."""
    for sample in samples:
        raw = f"raw_data/{sample}/flake.txt"
        (project / raw).parent.mkdir()
        shutil.copyfile(ROOT / "raw_data/cbps/raman/CBPS_flake_532nm.txt", project / raw)
        with (project / "config/measurements.tsv").open("a", encoding="utf-8") as stream:
            stream.write("\t".join(["flake", sample, "raman", raw, "", "simulated", "", "", "", ""]) + "\n")


def beside_each_other(other: str) -> str:
    """A figure of all spectra of the sample and of another one."""
    panel = "draw: raman.spectrum, measurements: ['*']"
    return f"figure7: {{title: Both, panels: {{a: {{{panel}}}, b: {{{panel}, sample: {other}}}}}}}\n"


@pytest.mark.costly
def test_a_copy_of_the_template_is_the_story_of_its_figure(tmp_path):
    init(tmp_path)
    with_flakes(tmp_path, "film", "glass")
    (tmp_path / "config/figures.yaml").write_text(beside_each_other("glass"), encoding="utf-8")
    project = Project(tmp_path, library=ROOT)
    planned = project.run("--dry-run", "results/notebooks/figure7.html")
    assert "notebooks/figure.ipynb" in planned and "analysis/glass/raman/curves.nc" in planned
    (tmp_path / "notebooks").mkdir()
    own = (ROOT / "notebooks/figure.ipynb").read_text(encoding="utf-8").replace("# A figure", "# My story")
    (tmp_path / "notebooks/figure7.ipynb").write_text(own, encoding="utf-8")
    with (tmp_path / "config/config.yaml").open("a", encoding="utf-8") as settings:
        settings.write("notebooks: [figure7]\n")
    project.run("results/notebooks/figure7.html")
    page = (tmp_path / "results/notebooks/figure7.html").read_text(encoding="utf-8")
    assert "My story" in page and "raw_data/film/flake.txt" in page and "raw_data/glass/flake.txt" in page


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sample: {title: A, panels: {a: {draw: raman.spectrum}}}", "'sample' cannot be the name of a figure"),
        ("a/../b: {title: A, panels: {a: {draw: raman.spectrum}}}", "'a/../b' cannot be the name of a figure"),
        ("f: {title: A, panels: {}}", "panels"),
    ],
)
def test_a_figure_that_cannot_be_is_refused(tmp_path, text, message):
    (tmp_path / "figures.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SheetError, match=message):
        load_figures(tmp_path / "figures.yaml")


@pytest.mark.parametrize("before", ["", "# none yet", "# none yet\n", "{}\n"])
def test_the_first_figure_is_added_to_any_empty_list(tmp_path, before):
    (tmp_path / "figures.yaml").write_text(before, encoding="utf-8")
    assert add_starter(tmp_path / "figures.yaml", ROWS, "film") == "figure1"
    assert list(load_figures(tmp_path / "figures.yaml")) == ["figure1"]


@pytest.mark.costly
def test_two_papers_share_one_sheet(tmp_path):
    """Each has its sample, figures and results, and a panel may show the other sample."""
    init(tmp_path)
    with_flakes(tmp_path, "film", "glass")
    figures(tmp_path, beside_each_other("film"))
    settings = {"sample": "glass", "figures": "figures.yaml", "results": "results/thesis"}
    (tmp_path / "config/thesis.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    project = Project(tmp_path, library=ROOT)
    inputs = project.run("--dry-run", "results/thesis/figures/figure7.png", "--configfile", "config/thesis.yaml")
    for sample in ("film", "glass"):
        assert f"results/thesis/analysis/{sample}/raman/curves.nc" in inputs.split("rule draw_figure7:")[1]
    assert "draw_figure7" not in project.planned()


@pytest.mark.costly
def test_a_workflow_of_a_repository_is_fetched_by_its_tag(tmp_path):
    """As the Snakefile of a new project says; the address leads to a bare repository on this computer."""
    source = commit_of_this(tmp_path / "source")
    subprocess.run(["git", "tag", "v1.2.3"], cwd=source, check=True)
    subprocess.run(["git", "clone", "-q", "--bare", source, tmp_path / "bare.git"], check=True)
    init(tmp_path / "project")
    own = tmp_path / "project/Snakefile"
    text = own.read_text(encoding="utf-8")
    (address,) = re.findall(r"github\(.*\)", text)
    fetched = text.replace('f"{pipeline_folder()}/Snakefile"', re.sub('tag=".*"', 'tag="v1.2.3"', address))
    own.write_text(fetched, encoding="utf-8")
    with_flakes(tmp_path / "project", "film")
    project = Project(tmp_path / "project", library=ROOT)
    rewritten = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{tmp_path}/bare.git.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/OWNER/relaxor",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in rewritten.items():
            patch.setenv(name, value)
        project.run("results/figures/samples/film/raman.png")
    assert [*(tmp_path / "cache").rglob("github.com/OWNER/relaxor")]
