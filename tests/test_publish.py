"""The RO-Crate: it is valid by the validator of its community, holds what it says, and is the same again."""

import importlib.resources
import json
import re
import shutil
import zipfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import pytest
import requests
import yaml
from relaxor.core.errors import SheetError
from relaxor.core.results import Number
from relaxor.core.storage import save_parameters
from relaxor.reporting.ro_crate import bundle, packed
from requests.adapters import HTTPAdapter
from rocrate_validator import services

from tests.project import ROOT, Project

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
RAW = "raw_data/mine/raman/flake (1) Å.txt"
DATA = "results/data/mine/raman.nc"
NUMBERS = "results/analysis/mine/raman/parameters.csv"
RESULTS = [DATA, NUMBERS]
ROWS = [{"sample": "mine", "technique": "raman", "file": RAW}]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one file and its numbers."""
    for name in ("CITATION.cff", "LICENSE", "README.md", "Snakefile", "uv.lock", "pyproject.toml"):
        shutil.copy2(ROOT / name, tmp_path / name)
    (tmp_path / RAW).parent.mkdir(parents=True)
    (tmp_path / RAW).write_text("1 2\n", encoding="utf-8")
    (tmp_path / "workflow/__pycache__").mkdir(parents=True)
    (tmp_path / "workflow/__pycache__/x.pyc").write_bytes(b"x")
    (tmp_path / "docs/reference/generated").mkdir(parents=True)
    (tmp_path / "docs/reference/generated/x.rst").write_text("x")
    save_parameters(tmp_path / NUMBERS, [Number("flake", "voigt", "a", 1.0)], "raman")
    (tmp_path / DATA).parent.mkdir(parents=True)
    (tmp_path / DATA).write_bytes(b"data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(rows: list[dict] = ROWS, workflow: str = ".", files: Iterable[str] = ()) -> zipfile.ZipFile:
    """Bundle the project, and open the crate."""
    bundle("results/crate.zip", results=RESULTS, parts=packed(files, rows, workflow), rows=rows, workflow=workflow)
    return zipfile.ZipFile("results/crate.zip")


def graph(archive: zipfile.ZipFile) -> dict[str, dict]:
    content = json.loads(archive.read("ro-crate-metadata.json"))
    return {entity["@id"]: entity for entity in content["@graph"]}


def test_numbers_lead_to_their_raw_files_and_the_zip_is_the_same_again(project: Path) -> None:
    write().close()
    first = (project / "results/crate.zip").read_bytes()
    with write() as archive:
        assert (project / "results/crate.zip").read_bytes() == first
        entities, names = graph(archive), set(archive.namelist())
        raw = next(entity for name, entity in entities.items() if name.startswith("raw_data/"))
        assert archive.read(RAW) == (project / RAW).read_bytes()
    assert {"uv.lock", "Snakefile", RAW, *RESULTS} <= names
    assert not [name for name in names if "pycache" in name or "generated" in name or name.endswith(".zip")]
    action = entities["#analyse-mine-raman"]
    assert action["object"] == [{"@id": raw["@id"]}] and len(raw["sha256"]) == 64
    assert action["result"] == [{"@id": DATA}, {"@id": NUMBERS}]
    assert entities["./"]["mainEntity"] == {"@id": "Snakefile"}


def test_a_project_that_uses_the_workflow_as_a_module_bundles_both(project: Path) -> None:
    """The project's own files as they lie, relaxor's in a folder, without relaxor's sample data."""
    (project / "Snakefile").write_text("# ours\n", encoding="utf-8")
    theirs = project.parent / "theirs"
    for name in ("Snakefile", "raw_data/sample.txt"):
        (theirs / name).parent.mkdir(parents=True, exist_ok=True)
        (theirs / name).write_text("# theirs\n", encoding="utf-8")
    rows = [*ROWS, ROWS[0] | {"file": "https://lab.example/scan.raw"}]
    with write(rows, "../theirs") as archive:
        entities, names = graph(archive), set(archive.namelist())
        assert archive.read("Snakefile") == b"# ours\n" and archive.read("relaxor/Snakefile") == b"# theirs\n"
    assert RAW in names and "relaxor/raw_data/sample.txt" not in names
    assert entities["./"]["mainEntity"] == {"@id": "Snakefile"}
    assert {"@id": "https://lab.example/scan.raw"} in entities["#analyse-mine-raman"]["object"]


def test_a_crate_says_whose_it_is(project: Path) -> None:
    path = project / "CITATION.cff"
    citation = yaml.safe_load(path.read_text(encoding="utf-8"))
    authors = [{"given-names": "Ada", "family-names": "Byron"}, {"family-names": "Curie"}, {"name": "A group"}]
    path.write_text(yaml.safe_dump(citation | {"authors": authors}), encoding="utf-8")
    with write() as archive:
        named = [entity["name"] for entity in graph(archive).values() if entity["@type"] == "Person"]
    assert named == ["Ada Byron", "Curie", "A group"]


def test_a_crate_needs_to_know_whose_it_is(project: Path) -> None:
    (project / "CITATION.cff").unlink()
    with pytest.raises(SheetError, match=r"CITATION\.cff: does not exist; state in it who owns these data"):
        write()


def test_raw_files_sheet_and_settings_go_in_wherever_they_lie(project: Path) -> None:
    for name in ("scans/a.txt", "sheet.tsv", "../lab.yaml"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(name, encoding="utf-8")
    rows = [*ROWS, ROWS[0] | {"file": "./scans/a.txt"}]
    with write(rows, files=["sheet.tsv", str(project.parent / "lab.yaml")]) as archive:
        assert {"scans/a.txt", "sheet.tsv"} <= set(archive.namelist())
        assert archive.read("outside/lab.yaml") == b"../lab.yaml"
        assert {"@id": "scans/a.txt"} in graph(archive)["#analyse-mine-raman"]["object"]


@pytest.mark.parametrize("name", [RAW, NUMBERS, "config/own.yaml"])
def test_a_missing_file_is_named_and_nothing_is_written(project: Path, name: str) -> None:
    (project / name).unlink(missing_ok=True)
    with pytest.raises(SheetError, match=re.escape(f"{name}: does not exist")):
        write(files=["config/own.yaml"] if "own" in name else [])
    assert not (project / "results/crate.zip").exists()


@pytest.mark.costly
def test_it_is_a_valid_ro_crate(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The validator fetches the context of the metadata; rocrate has a later one, which names workflows elsewhere."""
    context = importlib.resources.files("rocrate").joinpath("data/ro-crate.jsonld").read_bytes()
    context = context.replace(b"bioschemas.org/terms/", b"bioschemas.org/")

    def answer(self: HTTPAdapter, request: requests.PreparedRequest, **_: object) -> requests.Response:
        response = requests.Response()
        response.url, response.request = str(request.url), request
        response.status_code = 200 if request.url == CONTEXT else 404
        response._content = context
        response.headers["Content-Type"] = "application/ld+json"
        return response

    monkeypatch.setattr(HTTPAdapter, "send", answer)
    write().close()
    for profile in ("ro-crate-1.1", "workflow-ro-crate-1.0"):
        found = services.validate(
            services.ValidationSettings(
                rocrate_uri=str(project / "results/crate.zip"), profile_identifier=profile,
                requirement_severity="REQUIRED",
                no_cache=True, skip_availability_check=True,
            )
        )  # fmt: skip
        assert not found.has_issues(), "\n".join(str(issue) for issue in found.get_issues())


@pytest.mark.slow
def test_the_workflow_bundles_every_sample_and_again_when_an_author_changes(tmp_path: Path) -> None:
    project = Project.of_this(tmp_path / "project", "raman")
    for name in ("CITATION.cff", "pyproject.toml", "uv.lock"):
        shutil.copy2(ROOT / name, project.folder / name)
    header, row = project.read_sheet()
    other = dict(zip(header, row, strict=True)) | {"sample": "film", "file": "scans/film.txt", "panel": ""}
    (project.folder / "scans").mkdir()
    shutil.copy2(project.folder / row[header.index("file")], project.folder / "scans/film.txt")
    project.write_sheet([header, row, list(other.values())])
    (project.folder / "lab.yaml").write_text("formats: [png]\n", encoding="utf-8")
    run = partial(project.run, "bundle", "--configfile", "lab.yaml")
    run()
    with zipfile.ZipFile(project.folder / "results/cbps.crate.zip") as archive:
        entities, names = graph(archive), set(archive.namelist())
    for sample, raw in (("cbps", row[header.index("file")]), ("film", "scans/film.txt")):
        made = [f"results/analysis/{sample}/raman/{name}" for name in ("parameters.csv", "curves.nc")]
        made.append(f"results/data/{sample}/raman.nc")
        assert {raw, *made} <= names
        action = entities[f"#analyse-{sample}-raman"]
        assert action["object"] == [{"@id": raw}]
        assert {entity["@id"] for entity in action["result"]} == set(made)
    assert {"lab.yaml", "config/config.yaml", "config/measurements.tsv"} <= names
    assert "Nothing to be done" in run()
    citation = project.folder / "CITATION.cff"
    citation.write_text(citation.read_text(encoding="utf-8").replace("authors:", "authors:\n  - name: Jo Newcomer", 1))
    run()
    with zipfile.ZipFile(project.folder / "results/cbps.crate.zip") as archive:
        assert graph(archive)["#author-1"]["name"] == "Jo Newcomer"
