"""Public raw data with published numbers: their registry, how they are found, and how they are compared."""

import hashlib
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from relaxor.core.errors import SheetError
from relaxor.core.results import Number, Status
from relaxor.core.storage import save_parameters
from relaxor.inpainting.topics import topics
from relaxor.project.published import load_registry, numbers_of, provide_files, rows_of, settings_of, whole_sets
from relaxor.reporting.published_functions import nonlinearity_labels, read_outs
from relaxor.reporting.selectors import require_listed
from relaxor.reporting.validation import compare_published, load_validation, score, write_page

from tests.project import ROOT, Project
from tests.validation_page import PAGE, README, score_of

REGISTRY = ROOT / "config/validation.yaml"
OURS = {"technique": "raman", "model": "voigt", "parameter": "raman_shift", "feature": "Si"}


def spectrum() -> str:
    """A Raman line of silicon at 520.45 1/cm as a file of two named columns, one accumulation of 2000 counts."""
    shift = np.arange(480, 560, 0.5)
    rng = np.random.default_rng(18)
    counts = rng.poisson(100 + 2000 / (1 + ((shift - 520.45) / 2.0) ** 2))
    rows = "".join(f"{x:.2f}\t{y}\n" for x, y in zip(shift, counts, strict=True))
    return "Raman shift (1/cm)\tIntensity (counts)\n" + rows


def entry(number: str, published: str = "520.45", **more: object) -> dict[str, object]:
    told = {"quantity": f"line of silicon {number}", "unit": "1/cm", "evidence": "certified", "source": "a test"}
    return {"id": number, "published": published, "ours": OURS, **told, **more}


def registry(tmp_path: Path, files: dict[str, str], *numbers: dict[str, object], address: str = "") -> Path:
    """Write a registry of one set for each file, all with the same numbers."""
    sets = {
        f"set_{place}": {
            "what": "silicon",
            "origin": "a test",
            "licence": "none",
            "files": [{"name": name, "address": address, "sha256": sha}],
            "sheet": [{"measurement": "silicon", "technique": "raman", "file": name}],
            "settings": {"raman": {"modes": {"Si": 520.0}, "baseline_degree": 2, "window": [480, 560]}},
            "numbers": list(numbers) or [entry("line")],
        }
        for place, (name, sha) in enumerate(files.items())
    }
    path = tmp_path / "validation.yaml"
    path.write_text(yaml.safe_dump({"sets": sets}, sort_keys=False))
    return path


def test_every_set_of_the_registry_is_valid() -> None:
    found = load_registry(REGISTRY)
    settings_of(found, REGISTRY)
    assert rows_of(found, REGISTRY, "raw")
    for name, number in numbers_of(found):
        require_listed(number.ours, f"{name} {number.id}")
        assert math.isfinite(float(number.published))
        if sheet := found.sets[name].sheet:
            assert number.ours.technique in {row["technique"] for row in sheet}
            assert number.ours.measurement in {"*", *(row["measurement"] for row in sheet)}


def test_a_technique_has_a_set_or_the_page_says_what_is_needed() -> None:
    found = load_registry(REGISTRY)
    covered = {number.ours.technique for _, number in numbers_of(found)}
    assert covered | found.lacking.keys() == topics().keys()
    assert not covered & found.lacking.keys()


def test_files_are_found_or_listed_with_the_reason(tmp_path: Path) -> None:
    content = spectrum().encode()
    (tmp_path / "own").mkdir()
    for name in ("here.txt", "other.txt"):
        (tmp_path / "own" / name).write_bytes(content)
    right = hashlib.sha256(content).hexdigest()
    listed = registry(tmp_path, {"here.txt": right, "other.txt": "0" * 64, "gone.txt": right})
    provide_files(str(listed), str(tmp_path / "files.csv"), str(tmp_path / "raw"), folders=[str(tmp_path / "own")])
    table = pd.read_csv(tmp_path / "files.csv").set_index("file")
    assert table["state"].to_dict() == {"here.txt": "here", "other.txt": "not fetched", "gone.txt": "not fetched"}
    assert "another file than the registry names" in table.loc["other.txt", "reason"]
    assert "no public address" in table.loc["gone.txt", "reason"]
    assert (tmp_path / "raw/here.txt").read_bytes() == content
    assert whole_sets(tmp_path / "files.csv") == ["set_0"]


def test_a_host_that_does_not_answer_is_the_reason(tmp_path: Path) -> None:
    listed = registry(tmp_path, {"gone.txt": "0" * 64}, address="https://host.invalid/gone.txt")
    provide_files(str(listed), str(tmp_path / "files.csv"), str(tmp_path / "raw"), folders=[str(tmp_path / "own")])
    table = pd.read_csv(tmp_path / "files.csv")
    assert table["state"].tolist() == ["not fetched"]
    assert "https://host.invalid/ does not answer" in table["reason"][0]


@pytest.mark.parametrize(
    ("name", "message"),
    [("../secret", "outside the folder of public files"), ("/etc/passwd", "outside the folder of public files")],
)
def test_a_file_outside_the_folder_is_refused(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(SheetError, match=message):
        load_registry(registry(tmp_path, {name: "0" * 64}))


def test_a_sheet_names_only_files_of_its_set(tmp_path: Path) -> None:
    path = registry(tmp_path, {"here.txt": "0" * 64})
    path.write_text(path.read_text().replace("file: here.txt", "file: there.txt"))
    with pytest.raises(SheetError, match=r"set_0: the sheet names there.txt, which is not among the files"):
        load_registry(path)


@pytest.mark.parametrize("own", [{"function": "relaxor.reporting.published_functions:distances"}, {"sheet": []}])
def test_a_set_has_either_a_sheet_or_a_function(tmp_path: Path, own: dict[str, object]) -> None:
    path = registry(tmp_path, {"here.txt": "0" * 64})
    sets = yaml.safe_load(path.read_text())
    sets["sets"]["set_0"] |= own
    path.write_text(yaml.safe_dump(sets))
    with pytest.raises(SheetError, match="set_0: a set has either a sheet or a function"):
        load_registry(path)


def compared(tmp_path: Path, row: Number, *numbers: dict[str, object], state: str = "here") -> pd.DataFrame:
    listed = registry(tmp_path, {"here.txt": "0" * 64}, *numbers)
    pd.DataFrame([{"set": "set_0", "file": "here.txt", "state": state}]).to_csv(tmp_path / "files.csv")
    parameters = tmp_path / "set_0/raman/parameters.csv"
    parameters.parent.mkdir(parents=True)
    save_parameters(parameters, [row], "raman")
    table = tmp_path / "validation.csv"
    compare_published(str(listed), str(tmp_path / "files.csv"), str(tmp_path), [str(parameters)], str(table))
    write_page(str(table), str(listed), str(tmp_path / "page.md"), str(tmp_path / "page.html"))
    return load_validation(table).set_index("number")


ROW = Number(
    "silicon", "voigt", "raman_shift", 520.55, 0.03, feature="Si", unit="1/cm", raw_sha256="0" * 64, origin="measured"
).with_component("axis", 0.04, "settings")


def test_numbers_are_within_or_outside_their_errors(tmp_path: Path) -> None:
    table = compared(
        tmp_path,
        ROW,
        entry("near", uncertainty=0.05),
        entry("far", "520.05", uncertainty=0.05, explanation="another standard"),
        entry("printed", "520.5"),
        entry("defined", "500.0", other_method="the centre of mass"),
    )
    whole = math.sqrt(0.03**2 + 0.04**2 + 0.05**2)
    assert table["verdict"].to_dict() == {"near": "within", "far": "outside", "printed": "within", "defined": "outside"}
    assert table.loc["near", "z"] == pytest.approx(0.10 / whole, rel=1e-4)
    assert table.loc["printed", "published_error"] == pytest.approx(0.05 / math.sqrt(3))
    assert "4 published numbers of 1 sets and 1 techniques: 2 within errors, 2 outside" in score(table)
    assert "Of those with the same method, 67% are within" in score(table)
    page, shown = ((tmp_path / f"page.{suffix}").read_text() for suffix in ("md", "html"))
    assert "line of silicon far** (outside). another standard" in page
    assert "<strong>set_0: line of silicon far</strong> (outside). another standard" in shown
    assert shown.count("<tr>") == 5
    assert "the centre of mass" in page


def test_a_number_that_is_wrong_and_says_so_is_flagged(tmp_path: Path) -> None:
    row = ROW.flagged(Status.MISFIT, "misfit: the model misses the data")
    table = compared(tmp_path, row, entry("near", uncertainty=0.05), entry("far", "400.0"))
    assert table["verdict"].to_dict() == {"near": "within", "far": "flagged"}
    assert "Of those with the same method, 50% are within" in score(table)
    assert "misfit: the model misses the data" in (tmp_path / "page.md").read_text()


def test_a_set_without_its_file_is_not_fetched(tmp_path: Path) -> None:
    table = compared(tmp_path, ROW, entry("line"), state="not fetched")
    assert table["verdict"].tolist() == ["not fetched"]
    assert math.isnan(table.loc["line", "ours"])


def test_a_selector_that_finds_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SheetError, match=r"set_0: 'line': no number has .*feature Si"):
        compared(tmp_path, replace(ROW, feature="Ge"), entry("line"))


def test_a_function_gives_numbers_where_no_measurement_does(tmp_path: Path) -> None:
    """Files: eight cells of each state of the chip, two of which left their windows; two rows of NeuroSim's table."""
    resistances = np.resize([4200, 4600, 5100, 5700, 6600, 8000, 12000, 1e5], 64)
    resistances = np.concatenate([resistances[:32], np.roll(resistances[32:], -1)])
    resistances[3], resistances[7] = 6100.0, 1e8  # the gap above its window, and beyond the last one
    np.savetxt(tmp_path / "chip.csv", resistances)
    windows = load_registry(REGISTRY).sets["radar_chip"].settings["windows"]
    right = {number.measurement: number for number in read_outs([tmp_path / "chip.csv"], windows=windows, rows=32)}[
        "chip"
    ]
    assert right.value == pytest.approx(100 * 62 / 64)
    assert right.standard_error == pytest.approx(100 * math.sqrt(62 * 2) / 64 / 32)
    rows = [["Nonlinearity", "Normalized A"] * 2, ["2.40", "0.5", "4.88", "0.2"]]
    (tmp_path / "table.json").write_text(json.dumps(rows))
    labels = nonlinearity_labels([tmp_path / "table.json"])
    assert [number.value for number in labels] == pytest.approx([4.88, 2.40], abs=6e-3)
    path = tmp_path / "validation.yaml"
    ours = {"technique": "inpainting", "model": "real", "parameter": "fid"}
    told = {"what": "features", "origin": "a test", "licence": "none"}
    fid = entry("fid", "2077.5502", unit="1", ours=ours)
    own = {"function": "relaxor.reporting.published_functions:distances", "numbers": [fid]}
    path.write_text(yaml.safe_dump({"sets": {"drawn": told | own}}))
    pd.DataFrame(columns=["set", "file", "state"]).to_csv(tmp_path / "files.csv")
    compare_published(str(path), str(tmp_path / "files.csv"), str(tmp_path), [], str(tmp_path / "validation.csv"))
    assert load_validation(tmp_path / "validation.csv")["verdict"].tolist() == ["within"]


def test_a_lab_may_call_its_samples_as_it_likes() -> None:
    found = load_registry(REGISTRY)
    assert {row["sample"] for row in rows_of(found, REGISTRY, "raw")} <= {f"published_{name}" for name in found.sets}


@pytest.mark.costly
def test_the_target_runs_from_a_folder_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without network and without the public files of the project."""
    project = Project.of_this(tmp_path / "project", "raman")
    content = spectrum().encode()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/here.txt").write_bytes(content)
    sha = hashlib.sha256(content).hexdigest()
    registry(project.folder / "config", {"here.txt": sha, "gone.txt": sha})
    monkeypatch.setenv("RELAXOR_PUBLIC", str(tmp_path / "mine"))
    project.run("validation")
    table = load_validation(project.folder / "results/validation.csv").set_index("set")
    assert table["verdict"].to_dict() == {"set_0": "within", "set_1": "not fetched"}
    assert table.loc["set_0", "raw_sha256"] == sha
    assert (project.folder / "results/figures/validation.png").stat().st_size > 10_000
    assert "Nothing to be done" in project.run("validation")


def test_readme_and_page_count_the_same_numbers() -> None:
    """And as many as the registry lists, none of them missing when the page was written."""
    listed = load_registry(REGISTRY)
    page = score_of(PAGE)
    assert score_of(README).startswith(page)
    count = sum(len(each.numbers) for each in listed.sets.values())
    assert page.startswith(f"{count} published numbers of {len(listed.sets)} sets") and "not fetched" not in page
