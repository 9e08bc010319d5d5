"""Notebooks: their sources, their parameters, and what they show of the results."""

import json
import re
import shutil
from pathlib import Path

import pytest
import xarray as xr
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Number
from relaxor.core.storage import save_parameters, save_tree
from relaxor.project.figure_list import load_figures
from relaxor.reporting.claims import COLUMNS
from relaxor.reporting.notebook_api import Story
from relaxor.reporting.notebooks import run_notebook

from tests.project import ROOT, SETTINGS

BANDS = SETTINGS.bands.model_dump()
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PARAMETERS = {"sample", "results_dir", "config", "panels"}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Results of one Raman spectrum, as small as they can be."""
    folder = tmp_path / "results" / "analysis" / "mine" / "raman"
    attrs = {"instrument": "", "raw_file": "a.txt", "raw_sha256": 64 * "a", "origin": "measured"}
    shift = ("raman_shift", [100.0, 101.0, 102.0], {"units": "1/cm"})
    spectrum = xr.Dataset({"residual": ("raman_shift", [1.0, -1.0, 0.5], {"units": "1"})}, {"raman_shift": shift})
    save_tree(folder / "curves.nc", {"flake": xr.Dataset(attrs=attrs), "flake/spectrum": spectrum})
    save_parameters(
        folder / "parameters.csv",
        [Number("flake", "voigt", "a_center", 111.7, 0.2, unit="1/cm", raw_sha256=64 * "b")],
        "raman",
    )
    return tmp_path / "results"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_sources_hold_no_outputs_and_the_parameters_of_all(path: Path) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    cells = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)
    (tagged,) = (cell for cell in cells if "parameters" in cell["metadata"].get("tags", []))
    assert set(re.findall(r"^(\w+) =", "".join(tagged["source"]), re.M)) >= PARAMETERS
    assert path.read_text(encoding="utf-8") == json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def test_every_panel_is_told_and_exists(root: Path) -> None:
    assert {path.stem for path in NOTEBOOKS} == {
        *(f"figure{number}" for number in range(1, 6)),
        "supplement",
        "explore",
        "figure",
    }
    text = "".join(path.read_text(encoding="utf-8") for path in NOTEBOOKS)
    told = set(re.findall(r'story\.panel\(\\"(\w+)\\"\)', text))
    panels = {
        panel.id for figure in load_figures(root / "config/figures.yaml").values() for panel in figure.panels.values()
    }
    assert told <= panels
    # Neither schematics nor further panels of a set that is told by its first.
    assert {panel for panel in panels if re.fullmatch(r"[1-5][b-h]", panel)} - told == set()


def test_what_a_story_shows_is_in_the_results(results: Path) -> None:
    story = Story("mine", str(results), panels={"1c": ["flake"]})
    assert "Simulated" not in story._repr_markdown_()
    assert list(story.numbers("1c", model="voigt")["Value"]) == ["111.70(20)"]
    assert story.sources("1c").loc["flake", "raw_file"] == "a.txt"
    assert story.residuals("1c").data == story.residuals("1c").data
    assert story.residuals("1c").data.startswith(b"\x89PNG")
    assert story.panel("1b").data.startswith(b"\x89PNG")  # nothing feeds it, which the panel says
    assert story.numbers("1b").empty
    assert list(story.measurements()["measurement"]) == ["flake"]


@pytest.mark.costly
def test_a_figure_of_ones_own_is_told_by_the_template(analysed, tmp_path: Path, capfd) -> None:
    analysis = analysed("raman").folder.parent
    shutil.copytree(analysis / "raman", tmp_path / "results/analysis/mine/raman")
    panel = "{id: z, draw: raman.spectrum, caption: Lines of a flake.}"
    figures, results = tmp_path / "figures.yaml", tmp_path / "results"
    figures.write_text(f"mine: {{title: My figure, layout: [[a]], panels: {{a: {panel}}}}}\n", encoding="utf-8")
    (results / "claims.csv").write_text(f"{','.join(COLUMNS)}\nc,z,lines of the flake\n", encoding="utf-8")
    told = {"config": {"figures": str(figures)}, "panels": {"z": ["raman_532nm"]}, "figure": "mine"}
    page = results / "mine.html"
    parameters = {"sample": "mine", "results_dir": str(results)} | told
    run_notebook(str(ROOT / "notebooks/figure.ipynb"), str(results / "mine.ipynb"), str(page), parameters)
    assert "WARNING" not in capfd.readouterr().err
    text = page.read_text(encoding="utf-8")
    for shown in ("My figure", "Lines of a flake.", "CBPS_flake_532nm.txt", "raman_shift", "lines of the flake"):
        assert shown in text, shown
    assert text.count("data:image/png") == 2  # the panel and its residuals
    story = Story("mine", str(results))
    assert {picture.format for picture in story.pictures("raman", "raman_532nm")} == {"png"}


def test_every_number_of_one_measurement_has_its_raw_file(results: Path) -> None:
    story = Story("mine", str(results))
    (numbers,) = story.numbers_of("raman", "flake").to_dict("records")
    assert (numbers["Value"], numbers["Raw file (SHA-256)"]) == ("111.70(20)", 12 * "b")
    with pytest.raises(AnalysisError, match=r"no analysis; 'measurements\(\)' lists the techniques of mine"):
        story.pictures("xrd", "flake")


def test_a_story_draws_with_the_settings_it_is_given(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(results)  # no config/ here, as where another workflow uses this one
    figures = {"figures": str(ROOT / "config/figures.yaml")}
    usual, wider, again = (
        Story("mine", ".", figures | {"bands": BANDS | {"band_gap": gap}}).panel("3b").data for gap in (1.3, 1.8, 1.3)
    )
    assert usual == again != wider


def test_a_notebook_run_by_hand_takes_what_feeds_a_panel_from_the_sheet(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    (results / "analysis/cbps").mkdir()
    assert Story("cbps", str(results)).fed_panels["1c"] == ["raman_532nm"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda story: story.panel("1z"), "no panel '1z' in config/figures.yaml; there are 1a, 1b"),
        (lambda story: story.claims("1"), r"claims\.csv: no such file; make it with 'snakemake --cores 2 tables'"),
        (lambda story: story.raw("raman", "flake"), r"raman\.nc: no such file"),
    ],
)
def test_what_is_missing_is_said(results: Path, call, message: str) -> None:
    with pytest.raises(AnalysisError, match=message):
        call(Story("mine", str(results), panels={}))
    with pytest.raises(AnalysisError, match="analysis/yours: no results; make them with 'snakemake --cores 2'"):
        Story("yours", str(results))


def notebook(folder: Path, code: str) -> str:
    cells = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": str(number),
            "metadata": metadata,
            "outputs": [],
            "source": source,
        }
        for number, (metadata, source) in enumerate((({"tags": ["parameters"]}, "sample = 1"), ({}, code)))
    ]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    path = folder / "source.ipynb"
    path.write_text(
        json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8"
    )
    return str(path)


def test_unknown_parameters_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match=r"source\.ipynb: no parameter sampel; it has sample"):
        run_notebook(notebook(tmp_path, ""), str(tmp_path / "a.ipynb"), str(tmp_path / "a.html"), {"sampel": 2})
    assert [path.name for path in tmp_path.iterdir()] == ["source.ipynb"]


@pytest.mark.slow
def test_executed_twice_is_the_same_and_needs_no_network(tmp_path: Path) -> None:
    source = notebook(tmp_path, "print(sample + 40)")
    for name in ("a", "b"):
        run_notebook(source, str(tmp_path / name / "x.ipynb"), str(tmp_path / name / "x.html"), {"sample": 2})
    for suffix in ("ipynb", "html"):
        assert (tmp_path / "a" / f"x.{suffix}").read_bytes() == (tmp_path / "b" / f"x.{suffix}").read_bytes()
    page = (tmp_path / "a" / "x.html").read_text(encoding="utf-8")
    assert "42" in page and "<script" not in page and "http:" not in page and "https:" not in page
    with pytest.raises(AnalysisError, match=r"source\.ipynb: cell 3: ValueError: too small"):
        bad = notebook(tmp_path, "raise ValueError('too small')")
        run_notebook(bad, str(tmp_path / "c.ipynb"), str(tmp_path / "c.html"), {"sample": 2})
    assert not list(tmp_path.glob("*c.*"))
