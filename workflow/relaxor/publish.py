"""Everything behind a set of results as one RO-Crate (https://w3id.org/ro/crate/1.1): a zip that explains itself.

It holds raw data, sheet and settings, workflow and library, the locked environment, and the results. Every file has its
SHA-256, and an action for each technique says which raw files its numbers came from; which row of a table came from
which of them, its column ``raw_sha256`` says.
"""

import hashlib
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from relaxor.data import atomic
from relaxor.errors import SheetError
from relaxor.remote import storage_of

PARTS = (
    "CITATION.cff", "LICENSE", "README.md", "Snakefile", "config", "docs", "envs", "notebooks", "profiles",
    "pyproject.toml", "raw_data", "uv.lock", "workflow",
)  # fmt: skip
"""Files and folders that go in beside the results."""
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


def bundle(crate: str, *, results: Sequence[str], rows: Sequence[Mapping[str, Any]], workflow: str) -> None:
    """Write the crate.

    Parameters
    ----------
    crate
        Zip file to write.
    results
        Files of the results that go in.
    rows
        The measurement sheet: which raw files each technique of a sample was measured with.
    workflow
        Folder of relaxor's Snakefile; ``.`` if it is the project's own.

    Raises
    ------
    SheetError
        If no ``CITATION.cff`` says whose results these are.
    """
    with tempfile.TemporaryDirectory() as folder:
        _crate(results, rows, workflow).write(folder)
        with atomic(crate) as temporary:
            _zip(Path(folder), temporary)


def _crate(results: Sequence[str], rows: Sequence[Mapping[str, Any]], workflow: str) -> Any:
    from rocrate.model.person import Person
    from rocrate.rocrate import ROCrate

    if not Path("CITATION.cff").is_file():
        raise SheetError("CITATION.cff: does not exist; write there whose data and results these are")
    citation = yaml.safe_load(Path("CITATION.cff").read_text(encoding="utf-8"))
    crate = ROCrate(version=VERSION)
    crate.name, crate.description = citation["title"], citation["abstract"]
    crate.datePublished = str(citation["date-released"])
    crate.root_dataset["license"] = LICENSE_URL.format(citation["license"])
    crate.root_dataset["author"] = [
        crate.add(Person(crate, f"#author-{number}", {"name": author["name"]}))
        for number, author in enumerate(citation["authors"], 1)
    ]
    contents = {str(path): path for path in _files([*PARTS, *results])}
    if workflow != ".":
        used = _files([f"{workflow}/{part}" for part in PARTS if part != "raw_data"])
        contents |= {f"{MODULE}/{path.relative_to(workflow)}": path for path in used}
    main = next(name for name in WORKFLOWS if name in contents)
    files: dict[str, Any] = {}
    for name, path in contents.items():
        content = {"sha256": _sha256(path), "contentSize": path.stat().st_size}
        if name == main:
            properties = content | {"name": citation["title"], "license": LICENSE_URL.format(citation["license"])}
            files[name] = crate.add_workflow(
                path, name, main=True, lang="snakemake", lang_version=SNAKEMAKE, properties=properties
            )
        else:
            files[name] = crate.add_file(path, name, properties=content)
    files |= {row["file"]: crate.add_file(row["file"]) for row in rows if storage_of(row["file"])}
    for (sample, technique), raw in _measured(rows).items():
        crate.add_action(
            files[main],
            f"#analyse-{sample}-{technique}",
            object=[files[path] for path in raw if path in files],
            result=[files[path] for path in results if Path(path).parts[-3:-1] == (sample, technique)],
            properties={"name": f"numbers and curves of {technique} of {sample}"},
        )
    return crate


def _files(parts: Sequence[str]) -> Iterator[Path]:
    """Yield the files of folders and the files named, each once, in a fixed order."""
    found = set()
    for part in parts:
        place = Path(part)
        found |= {place} if place.is_file() else {path for path in place.rglob("*") if path.is_file()}
    yield from sorted(path for path in found if "__pycache__" not in path.parts)


def _measured(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], list[str]]:
    """Return (sample, technique) → raw files."""
    measured: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        measured.setdefault((row["sample"], row["technique"]), []).append(row["file"])
    return measured


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _zip(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
