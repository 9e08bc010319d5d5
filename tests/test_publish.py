"""The RO-Crate: it is valid by the validator of its community, holds what it says, and is the same again."""

import importlib.resources
import json
import shutil
import zipfile
from pathlib import Path

import pytest
import requests
from relaxor.data import Number, save_parameters
from relaxor.errors import SheetError
from relaxor.publish import bundle
from requests.adapters import HTTPAdapter
from rocrate_validator import services

from tests.project import ROOT

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
RAW = "raw_data/mine/raman/flake (1) Å.txt"
NUMBERS = "results/analysis/mine/raman/parameters.csv"
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
    save_parameters(tmp_path / NUMBERS, [Number("flake", "voigt", "a", 1.0)])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def graph(archive: zipfile.ZipFile) -> dict[str, dict]:
    content = json.loads(archive.read("ro-crate-metadata.json"))
    return {entity["@id"]: entity for entity in content["@graph"]}


def test_numbers_lead_to_their_raw_files_and_the_zip_is_the_same_again(project: Path) -> None:
    crate = project / "results/crate.zip"
    bundle("results/crate.zip", results=[NUMBERS], rows=ROWS, workflow=".")
    first = crate.read_bytes()
    bundle("results/crate.zip", results=[NUMBERS], rows=ROWS, workflow=".")
    assert crate.read_bytes() == first
    with zipfile.ZipFile(crate) as archive:
        entities, names = graph(archive), set(archive.namelist())
        raw = next(entity for name, entity in entities.items() if name.startswith("raw_data/"))
        assert archive.read(RAW) == (project / RAW).read_bytes()
    assert {"uv.lock", "Snakefile", RAW, NUMBERS} <= names
    assert not [name for name in names if "pycache" in name or name.endswith(".zip")]
    action = entities["#analyse-mine-raman"]
    assert action["object"] == [{"@id": raw["@id"]}] and len(raw["sha256"]) == 64
    assert action["result"] == [{"@id": NUMBERS}]
    assert entities["./"]["mainEntity"] == {"@id": "Snakefile"}


def test_a_project_that_uses_the_workflow_as_a_module_bundles_both(project: Path) -> None:
    """The project's own files as they lie, relaxor's in a folder, without relaxor's sample data."""
    (project / "Snakefile").write_text("# ours\n", encoding="utf-8")
    theirs = project.parent / "theirs"
    for name in ("Snakefile", "raw_data/sample.txt"):
        (theirs / name).parent.mkdir(parents=True, exist_ok=True)
        (theirs / name).write_text("# theirs\n", encoding="utf-8")
    rows = [*ROWS, ROWS[0] | {"file": "https://lab.example/scan.raw"}]
    bundle("crate.zip", results=[NUMBERS], rows=rows, workflow="../theirs")
    with zipfile.ZipFile("crate.zip") as archive:
        entities, names = graph(archive), set(archive.namelist())
        assert archive.read("Snakefile") == b"# ours\n" and archive.read("relaxor/Snakefile") == b"# theirs\n"
    assert RAW in names and "relaxor/raw_data/sample.txt" not in names
    assert entities["./"]["mainEntity"] == {"@id": "Snakefile"}
    assert {"@id": "https://lab.example/scan.raw"} in entities["#analyse-mine-raman"]["object"]


def test_a_crate_says_whose_it_is(project: Path) -> None:
    (project / "CITATION.cff").unlink()
    with pytest.raises(SheetError, match=r"CITATION\.cff: does not exist; write there whose data"):
        bundle("crate.zip", results=[NUMBERS], rows=ROWS, workflow=".")


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
    bundle("crate.zip", results=[NUMBERS], rows=ROWS, workflow=".")
    for profile in ("ro-crate-1.1", "workflow-ro-crate-1.0"):
        found = services.validate(
            services.ValidationSettings(
                rocrate_uri=str(project / "crate.zip"), profile_identifier=profile, requirement_severity="REQUIRED",
                no_cache=True, skip_availability_check=True,
            )
        )  # fmt: skip
        assert not found.has_issues(), "\n".join(str(issue) for issue in found.get_issues())
