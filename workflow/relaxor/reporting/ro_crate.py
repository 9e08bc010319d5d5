"""Everything behind a set of results as one RO-Crate (https://w3id.org/ro/crate/1.1): a zip that explains itself.

It holds raw data, sheet and settings, workflow and library, the locked environment, and the results, of every sample;
raw files that the sheet gives as URLs are named only. Every file has its SHA-256, and an action for each technique of a
sample says which raw files its numbers came from; which row of a table came from which of them, its column
``raw_sha256`` says.
"""

import os
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from relaxor.core.checksums import SUMS, sha256
from relaxor.core.errors import SheetError
from relaxor.core.files import atomic
from relaxor.core.remote import storage_of

PARTS = (
    "CITATION.cff", "LICENSE", "README.md", SUMS, "Snakefile", "config", "docs", "envs", "notebooks", "profiles",
    "pyproject.toml", "raw_data", "uv.lock", "workflow",
)  # fmt: skip
"""Files and folders that go in beside the results, as far as there are."""
OUTSIDE = "outside"
"""In the zip, stands for each ``..`` of the path of a file that lies outside the project."""
MODULE = "relaxor"
"""Folder in the zip for the workflow, where the project only uses it as a module."""
VERSION = "1.1"
"""Of the RO-Crate standard; what archives and their validators know best."""
WORKFLOWS = ("Snakefile", "workflow/Snakefile", f"{MODULE}/Snakefile")
"""Where the main workflow may be; the first that there is."""
SNAKEMAKE = "9.27"
"""Version whose language the workflow is written in: the least that the Snakefile accepts."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""Date of every file in the zip, so that the same content is the same bytes."""
LICENSE_URL = "https://spdx.org/licenses/{}"


def packed(files: Iterable[str], rows: Sequence[Mapping[str, Any]], workflow: str) -> list[str]:
    """List what goes in beside the results.

    Parameters
    ----------
    files
        Files that the settings are in, and those that they name.
    rows
        The measurement sheet: its raw files go in wherever they lie, but for those that a URL names.
    workflow
        Folder of relaxor's Snakefile; ``.`` if it is the project's own.
    """
    places = [Path(part) for part in PARTS]
    if os.path.normpath(workflow) != ".":
        places += [Path(workflow, part) for part in PARTS if part != "raw_data"]
    raw = (row["file"] for row in rows if not storage_of(row["file"]))
    found = {file for place in places for file in _files(place)}
    return sorted(found | {os.path.relpath(file) for file in (*files, *raw)})


def bundle(
    crate: str, *, results: Sequence[str], parts: Sequence[str], rows: Sequence[Mapping[str, Any]], workflow: str
) -> None:
    """Write the crate.

    Parameters
    ----------
    crate
        Zip file to write.
    results
        Files of the results that go in.
    parts
        What goes in beside them, as `packed` lists it.
    rows
        The measurement sheet: which raw files each technique of a sample was measured with.
    workflow
        Folder of relaxor's Snakefile; ``.`` if it is the project's own.

    Raises
    ------
    SheetError
        If no ``CITATION.cff`` says whose results these are, or a file is missing.
    """
    if not Path("CITATION.cff").is_file():
        raise SheetError("CITATION.cff: does not exist; write there whose data and results these are")
    contents = {_name(path, workflow): Path(path) for path in sorted({*parts, *results})}
    for path in contents.values():
        if not path.is_file():
            raise SheetError(f"{path}: does not exist; {crate} would be without it")
    with tempfile.TemporaryDirectory() as folder:
        _crate(contents, results, rows, workflow).write(folder)
        with atomic(crate) as temporary:
            _zip(Path(folder), temporary)


def _crate(
    contents: Mapping[str, Path], results: Sequence[str], rows: Sequence[Mapping[str, Any]], workflow: str
) -> Any:
    from rocrate.model.person import Person
    from rocrate.rocrate import ROCrate

    citation = yaml.safe_load(Path("CITATION.cff").read_text(encoding="utf-8"))
    crate = ROCrate(version=VERSION)
    crate.name, crate.description = citation["title"], citation["abstract"]
    crate.datePublished = str(citation["date-released"])
    crate.root_dataset["license"] = LICENSE_URL.format(citation["license"])
    crate.root_dataset["author"] = [
        crate.add(Person(crate, f"#author-{number}", {"name": author["name"]}))
        for number, author in enumerate(citation["authors"], 1)
    ]
    main = next(name for name in WORKFLOWS if name in contents)
    files: dict[str, Any] = {}
    for name, path in contents.items():
        content = {"sha256": sha256(path), "contentSize": path.stat().st_size}
        if name == main:
            properties = content | {"name": citation["title"], "license": LICENSE_URL.format(citation["license"])}
            files[name] = crate.add_workflow(
                path, name, main=True, lang="snakemake", lang_version=SNAKEMAKE, properties=properties
            )
        else:
            files[name] = crate.add_file(path, name, properties=content)
    for (sample, technique), raw in _measured(rows).items():
        made = [path for path in results if _is_made_of(Path(path), sample, technique)]
        crate.add_action(
            files[main],
            f"#analyse-{sample}-{technique}",
            object=[crate.add_file(path) if storage_of(path) else files[_name(path, workflow)] for path in raw],
            result=[files[_name(path, workflow)] for path in made],
            properties={"name": f"data, numbers and curves of {technique} of {sample}"},
        )
    return crate


def _is_made_of(path: Path, sample: str, technique: str) -> bool:
    """Say whether a file of the results holds the data of a technique of a sample, or their analysis."""
    return path.parts[-3:-1] == (sample, technique) or path.parts[-2:] == (sample, f"{technique}.nc")


def _files(place: Path) -> list[str]:
    """List a file, or the files of a folder; none where there is nothing."""
    found = [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]
    return [os.path.normpath(path) for path in found if "__pycache__" not in path.parts]


def _name(path: str, workflow: str) -> str:
    """Name a file in the zip: as it lies in the project; the workflow's files, and any from outside, in folders."""
    place, home = Path(os.path.relpath(path)), Path(os.path.normpath(workflow))
    if home != Path() and place.is_relative_to(home):
        return (MODULE / place.relative_to(home)).as_posix()
    return Path(*(OUTSIDE if part == os.pardir else part for part in place.parts)).as_posix()


def _measured(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], list[str]]:
    """Return (sample, technique) → raw files."""
    measured: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        measured.setdefault((row["sample"], row["technique"]), []).append(row["file"])
    return measured


def _zip(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
