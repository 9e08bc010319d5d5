"""Public raw data with published numbers: the registry ``config/validation.yaml``, and its files.

Each set of the registry is a sample with a sheet and settings of its own, which the ordinary pipeline analyses. The
files belong to others and are not part of the project: they are found in a folder of public files, or fetched.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import pandas as pd
from pydantic import AfterValidator, Field, NonNegativeFloat

from relaxor.core.checksums import sha256
from relaxor.core.errors import SheetError
from relaxor.core.remote import BoundedFile, download, silence
from relaxor.core.section import Section, load_yaml
from relaxor.core.storage import save_table
from relaxor.project.lists import Selector, printed_error
from relaxor.project.settings import Settings, validate_settings
from relaxor.project.sheet import check_rows

CACHE = "cache"
"""Stands for the folder in which pooch keeps files."""
SAMPLE = "published_"
"""What the name of a set is preceded by as a sample, so that a lab may call its own sample as it likes."""
HERE, NOT_FETCHED = "here", "not fetched"
"""States of a file."""
Evidence = Literal["certified", "other software", "instrument's own", "publication", "by hand"]


def _below(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"'{name}' lies outside the folder of public files")
    return name


class PublicFile(Section):
    """A raw file that others publish."""

    name: Annotated[str, AfterValidator(_below)]
    """Path below the folder of public files."""
    address: str = Field(pattern=r"^(https://\S+)?$")
    """Address at a fixed commit, or of an archive with a DOI; empty if the file was converted from another form, as
    ``origin`` of its set says."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """SHA-256 of its content."""


class PublishedNumber(Section):
    """A number that the owners of raw data publish, and the number of our results that must be the same."""

    id: str
    """Name, unique in the set."""
    quantity: str
    """The quantity in words."""
    published: str
    """The value as printed."""
    uncertainty: NonNegativeFloat | None = None
    """Its standard uncertainty, if the publisher states one; otherwise it is the rounding of the printed digits."""
    unit: str
    """Unit of value and uncertainty."""
    evidence: Evidence
    """Where the value comes from: a certificate, another program, the instrument itself, a publication, or by hand."""
    source: str
    """Where the value is stated."""
    ours: Selector
    """Selection of the one number of the results."""
    other_method: str = ""
    """What differs between their method or definition and ours; empty if both are the same."""
    explanation: str = ""
    """Why the two differ, where they do."""

    @property
    def error(self) -> float:
        """Standard uncertainty of the published value."""
        return printed_error(self.published) if self.uncertainty is None else self.uncertainty


class PublishedSet(Section):
    """Raw files of one origin, how they are analysed, and what is published of them."""

    what: str
    """Sample and instrument in words."""
    origin: str
    """Repository and commit, or DOI."""
    licence: str
    """Licence of the files."""
    files: list[PublicFile] = []
    """All files of the set."""
    sheet: list[dict[str, str]] = []
    """Rows of the measurement sheet, without ``sample`` and ``origin``."""
    function: str = Field("", pattern=r"^(relaxor\.[\w.]+:\w+)?$")
    """Function of the library that gives the numbers from the files where no measurement does, ``module:name``."""
    settings: dict[str, Any] = {}
    """Sections of techniques, as under ``samples`` in the settings; of a function, its keywords."""
    numbers: list[PublishedNumber] = Field(min_length=1)
    """The published numbers."""


class Registry(Section):
    """All sets by their name; their samples in the results are called ``published_<name>``."""

    tables: dict[str, Any] = {}
    """Descriptions of text tables that do not describe themselves, as in the settings."""
    lacking: dict[str, str] = {}
    """Techniques that no set covers, and what would be needed."""
    sets: dict[str, PublishedSet]
    """The sets."""


def load_registry(path: Path | str) -> Registry:
    """Load the registry.

    Raises
    ------
    SheetError
        One line per mistake, which names the file and the key.
    """
    registry: Registry = load_yaml(path, Registry)
    for name, each in registry.sets.items():
        listed, named = {file.name for file in each.files}, {row.get("file", "") for row in each.sheet}
        if unlisted := sorted(named - listed):
            raise SheetError(f"{path}: {name}: the sheet names {unlisted[0]}, which is not among the files of the set")
        if bool(each.sheet) == bool(each.function):
            raise SheetError(f"{path}: {name}: a set has either a sheet or a function")
        ids = [number.id for number in each.numbers]
        if len(ids) > len(set(ids)):
            raise SheetError(f"{path}: {name}: two numbers have the same id")
    return registry


def settings_of(registry: Registry, path: Path | str) -> Settings:
    """Return the settings with which the sets are analysed: those of the library, and of each set its own."""
    samples = {SAMPLE + name: each.settings for name, each in registry.sets.items() if each.sheet}
    return validate_settings({"tables": registry.tables, "samples": samples}, path)


def rows_of(registry: Registry, path: Path | str, folder: str) -> list[dict[str, Any]]:
    """Return the rows of the sheet of all sets, checked as those of any sheet.

    Parameters
    ----------
    folder
        Folder that holds the files of the registry once they are fetched.
    """
    lines = [
        {**row, "sample": SAMPLE + name, "origin": "measured", "file": f"{folder}/{row['file']}"}
        for name, each in registry.sets.items()
        for row in each.sheet
    ]
    return check_rows(lines, Path(path), Path().resolve(), tuple(registry.tables), present=False)


def provide_files(registry: str, files: str, raw: str, *, folders: Sequence[str]) -> None:
    """Copy the files of the registry to one folder, from folders of the user's or from their public address.

    Parameters
    ----------
    registry
        ``config/validation.yaml``.
    files
        Table to write: each file with its state, ``here`` or ``not fetched``, and the reason.
    raw
        Folder to write.
    folders
        Folders that may hold the files, with `CACHE` for that of the computer. The last one keeps what is downloaded.
    """
    import pooch

    places = [Path(folder) if folder != CACHE else Path(pooch.os_cache("relaxor")) for folder in folders]
    rows = []
    for name, each in load_registry(registry).sets.items():
        for file in each.files:
            found, reason = _found(file, places)
            if found is not None:
                target = Path(raw) / file.name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(found, target)  # with its time, so that what was analysed is not analysed again
            state = HERE if found is not None else NOT_FETCHED
            rows.append({"set": name, "file": file.name, "sha256": file.sha256, "state": state, "reason": reason})
            print(f"{file.name}: {state}{reason and f': {reason}'}")
    Path(raw).mkdir(parents=True, exist_ok=True)
    save_table(files, pd.DataFrame(rows))


def public_folders() -> list[str]:
    """Return the folders that may hold public files: one beside the project, and ``RELAXOR_PUBLIC`` or the cache."""
    return ["../shared", os.environ.get("RELAXOR_PUBLIC", CACHE)]


def whole_sets(files: Path | str) -> list[str]:
    """Return the sets of which every file is there, from the table that `provide_files` wrote."""
    table = pd.read_csv(files, keep_default_na=False)
    return [str(name) for name, own in table.groupby("set", sort=False) if (own["state"] == HERE).all()]


def samples_of(files: Path | str) -> list[str]:
    """Return the samples of these sets."""
    return [SAMPLE + name for name in whole_sets(files)]


def _found(file: PublicFile, folders: Sequence[Path]) -> tuple[Path | None, str]:
    """Return the place of a file, and why it has none."""
    others = []
    for path in (folder / file.name for folder in folders):
        if path.is_file():
            if sha256(path) == file.sha256:
                return path, ""
            others.append(f"{path.name} is another file than the registry names: its SHA-256 differs")
    if others or not file.address:
        return None, others[0] if others else "it has no public address in this form"
    host = "{0.scheme}://{0.netloc}/".format(urlsplit(file.address))
    if problem := silence(host):
        return None, f"{host} does not answer ({problem})"
    return _downloaded(file, folders[-1])


def _downloaded(file: PublicFile, folder: Path) -> tuple[Path | None, str]:
    import pooch

    place = folder / file.name
    try:
        pooch.retrieve(file.address, f"sha256:{file.sha256}", place.name, place.parent, downloader=_bounded)
    except (OSError, ValueError, RuntimeError) as error:
        return None, " ".join(str(error).split())
    return place, ""


def _bounded(url: str, target: str, _: object) -> None:
    """Download as a downloader of pooch, which deletes the target if this fails."""
    with BoundedFile(target, "w") as out:
        download(url, out)


def numbers_of(registry: Registry) -> Iterator[tuple[str, PublishedNumber]]:
    """Yield every published number with the name of its set."""
    for name, each in registry.sets.items():
        for number in each.numbers:
            yield name, number


def techniques_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the techniques of each set, in the order of its sheet."""
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        found.setdefault(row["sample"], {})[row["technique"]] = None
    return {name: list(techniques) for name, techniques in found.items()}
