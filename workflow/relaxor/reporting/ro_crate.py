"""Everything behind a set of results as one RO-Crate (https://w3id.org/ro/crate/1.1), a self-describing zip file.

It holds the raw data, the sheet and the settings, the workflow and the library, the locked environment, and the results
of every sample. Raw files that the sheet gives as URLs are only named. Every file has its SHA-256. An action for each
technique of a sample lists the raw files of its numbers, and the column ``raw_sha256`` of a table states the raw file
of each row.
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
from relaxor.core.remote import is_remote

PARTS = (
    "CITATION.cff", "LICENSE", "README.md", SUMS, "Snakefile", "config", "docs", "envs", "notebooks", "profiles",
    "pyproject.toml", "raw_data", "uv.lock", "workflow",
)  # fmt: skip
"""Files and folders that are added to the results if they exist."""
MADE = {"__pycache__", "generated"}
"""Names of folders in them that Python and the documentation make."""
OUTSIDE = "outside"
"""In the zip file, this replaces each ``..`` in the path of a file outside the project."""
MODULE = "relaxor"
"""Folder in the zip file for the workflow if the project only uses it as a module."""
VERSION = "1.1"
"""Version of the RO-Crate standard; archives and validators support this one best."""
CITED = ("title", "abstract", "authors", "date-released", "license")
"""What the crate takes from ``CITATION.cff``."""
WORKFLOWS = ("Snakefile", "workflow/Snakefile", f"{MODULE}/Snakefile")
"""Possible paths of the main workflow; the first that exists is used."""
SNAKEMAKE = "9.27"
"""Version of the language in which the workflow is written, which is the lowest that the Snakefile accepts."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""Date of every file in the zip file, so that the same content gives the same bytes."""
LICENSE_URL = "https://spdx.org/licenses/{}"


def packed(files: Iterable[str], rows: Sequence[Mapping[str, Any]], workflow: str) -> list[str]:
    """List the files that are added to the results.

    Parameters
    ----------
    files
        The files of the settings, and the files that the settings name.
    rows
        The measurement sheet. All of its raw files are added, except those that a URL names.
    workflow
        Folder of relaxor's Snakefile; ``.`` if it is the project's own.
    """
    places = [Path(part) for part in PARTS]
    if os.path.normpath(workflow) != ".":
        places += [Path(workflow, part) for part in PARTS if part != "raw_data"]
    raw = (row["file"] for row in rows if not is_remote(row["file"]))
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
        Files of the results to include.
    parts
        Other files to include, as `packed` lists them.
    rows
        The measurement sheet, which gives the raw files of each technique of a sample.
    workflow
        Folder of relaxor's Snakefile; ``.`` if it is the project's own.

    Raises
    ------
    SheetError
        If there is no ``CITATION.cff``, which states who owns the results, if it lacks an entry, or if a file is
        missing.
    """
    if not Path("CITATION.cff").is_file():
        raise SheetError("CITATION.cff: does not exist; state in it who owns these data and results")
    contents = {_name(path, workflow): Path(path) for path in sorted({*parts, *results})}
    for path in contents.values():
        if not path.is_file():
            raise SheetError(f"{path}: does not exist, but {crate} needs it")
    with tempfile.TemporaryDirectory() as folder:
        _crate(contents, results, rows, workflow).write(folder)
        with atomic(crate) as temporary:
            _zip(Path(folder), temporary)


def _author(author: Mapping[str, str]) -> str:
    """Return the name of a group, or the names of a person."""
    return author.get("name") or f"{author.get('given-names', '')} {author.get('family-names', '')}".strip()


def _crate(
    contents: Mapping[str, Path], results: Sequence[str], rows: Sequence[Mapping[str, Any]], workflow: str
) -> Any:
    from rocrate.model.person import Person
    from rocrate.rocrate import ROCrate

    citation = yaml.safe_load(Path("CITATION.cff").read_text(encoding="utf-8"))
    if lacking := [key for key in CITED if not citation.get(key)]:
        raise SheetError(f"CITATION.cff: does not state {', '.join(lacking)}, which the crate needs")
    crate = ROCrate(version=VERSION)
    crate.name, crate.description = citation["title"], citation["abstract"]
    crate.datePublished = str(citation["date-released"])
    crate.root_dataset["license"] = LICENSE_URL.format(citation["license"])
    crate.root_dataset["author"] = [
        crate.add(Person(crate, f"#author-{number}", {"name": _author(author)}))
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
            object=[crate.add_file(path) if is_remote(path) else files[_name(path, workflow)] for path in raw],
            result=[files[_name(path, workflow)] for path in made],
            properties={"name": f"data, numbers and curves of {technique} of {sample}"},
        )
    return crate


def _is_made_of(path: Path, sample: str, technique: str) -> bool:
    """Return whether a file of the results holds the data of a technique of a sample, or their analysis."""
    return path.parts[-3:-1] == (sample, technique) or path.parts[-2:] == (sample, f"{technique}.nc")


def _files(place: Path) -> list[str]:
    """List a file, or the files of a folder; the list is empty if nothing exists there."""
    found = [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]
    return [os.path.normpath(path) for path in found if MADE.isdisjoint(path.parts)]


def _name(path: str, workflow: str) -> str:
    """Return the name of a file in the zip file: its path in the project, or a path in a folder for other files."""
    place, home = Path(os.path.relpath(path)), Path(os.path.normpath(workflow))
    if home != Path() and place.is_relative_to(home):
        return (MODULE / place.relative_to(home)).as_posix()
    return Path(*(OUTSIDE if part == os.pardir else part for part in place.parts)).as_posix()


def _measured(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], list[str]]:
    """Return the raw files of each pair of a sample and a technique."""
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
