"""Real instrument files of public repositories: which there are, where they lie, and how they are fetched.

``tests/data/registry.csv`` lists them with their SHA-256, their public address, their licence and what is known of
their content. They belong to others and are not part of this project. Tests take them from the folder ``shared`` beside
the project where that exists, and otherwise from the cache of pooch, or from the folder that the environment variable
``RELAXOR_PUBLIC`` names. ``pytest --fetch`` downloads what is missing. A test that needs a file which is not there is
skipped, and says how to get the file.
"""

import csv
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pooch
import pytest
from relaxor.core.checksums import sha256

HERE = Path(__file__).parent
SHARED = HERE.parents[1] / "shared"
Known = TypeVar("Known")


@dataclass(frozen=True)
class PublicFile:
    """A row of the registry; ``file`` begins with ``rawfiles/`` or ``reference/``."""

    file: str
    format: str
    sha256: str
    bytes: str
    licence: str
    address: str
    known: str


@cache
def registry() -> dict[str, PublicFile]:
    """Return the public files by their names."""
    with (HERE / "data/registry.csv").open(encoding="utf-8", newline="") as stream:
        return {row["file"]: PublicFile(**row) for row in csv.DictReader(stream)}


@cache
def public_folder() -> Path:
    """Return the folder in which the files lie, or into which they are fetched."""
    given = os.environ.get("RELAXOR_PUBLIC")
    return SHARED if (SHARED / "rawfiles").is_dir() else Path(given or pooch.os_cache("relaxor"))


@cache
def missing(file: str, folder: Path, fetch: bool) -> str:
    """Return why a file cannot be used, and nothing if it is there and is what the registry says."""
    entry, path = registry()[file], folder / file
    if fetch and not path.is_file():
        try:
            pooch.retrieve(entry.address, f"sha256:{entry.sha256}", path.name, path.parent)
        except Exception as error:  # requests and pooch raise errors of many kinds
            return f"{entry.address} cannot be fetched: {error}"
    if not path.is_file():
        return f"{path.name} is not here: run 'pytest --fetch', or save {entry.address} as {path}"
    if sha256(path) != entry.sha256:
        pytest.fail(f"{path} is not the file that the registry names: its SHA-256 is another one")
    return ""


class PublicPath(type(Path())):
    """A path below the folder of public files, which sees to it that a file is there when it is named with ``/``.

    A name that is in no registry exists in the folder ``shared`` only.
    """

    fetch = False
    """Whether missing files are downloaded."""

    def __truediv__(self, key: Any) -> "PublicPath":
        path = super().__truediv__(key)
        name = path.relative_to(public_folder()).as_posix()
        if name in registry():
            path.provide(name)
        elif public_folder() != SHARED and not path.files():
            pytest.skip(f"{name} lies in ../shared only, which is not here")
        return path

    def files(self) -> list[str]:
        """Return the names of the public files below this folder."""
        folder = self.relative_to(public_folder()).as_posix()
        return [name for name in registry() if name.startswith(f"{folder}/")]

    def provide(self, *names: str) -> None:
        """Skip the test unless all of these files are there."""
        reasons = [reason for name in names if (reason := missing(name, public_folder(), self.fetch))]
        if reasons:
            pytest.skip(reasons[0])

    def iterdir(self) -> Iterator[Path]:
        self.provide(*self.files())
        return super().iterdir()

    def glob(self, pattern: str, **options: bool) -> Iterator[Path]:
        self.provide(*self.files())
        return super().glob(pattern, **options)

    def rglob(self, pattern: str, **options: bool) -> Iterator[Path]:
        self.provide(*self.files())
        return super().rglob(pattern, **options)


def shared(name: str) -> Path:
    """Return a file or folder of ``shared`` that is in no registry; skip the test if it is not there."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} lies in ../shared only, which is not here")
    return path


def present(folder: Path, cases: Mapping[str, Known]) -> list[tuple[Path, Known]]:
    """Return those files below a folder that are there, with what is known of each; skip the test if none is.

    Tests go through them in ``subtests``, so that every file is examined, and every failure is reported.
    """
    plain = public_folder() / folder.relative_to(public_folder())
    names = {(plain / name).relative_to(public_folder()).as_posix(): name for name in cases}
    reasons = {name: missing(file, public_folder(), PublicPath.fetch) for file, name in names.items()}
    if all(reasons.values()):
        pytest.skip(next(iter(reasons.values())))
    if absent := [reason for reason in reasons.values() if reason]:
        warnings.warn(f"{len(absent)} of {len(reasons)} files are not examined: {absent[0]}", stacklevel=2)
    return [(plain / name, cases[name]) for name, reason in reasons.items() if not reason]


def go_through(folder: PublicPath, checks: Iterable[Callable[[Path], None]], subtests: pytest.Subtests) -> None:
    """Apply checks to a folder of public files, all of which must be there; every failure is reported."""
    folder.provide(*folder.files())
    for check in checks:
        with subtests.test(check.__name__):
            check(folder)


def of_format(name: str) -> dict[str, str]:
    """Return the public files of a format, each with what is known of it."""
    files = (entry for entry in registry().values() if entry.format == name and entry.file.startswith("rawfiles/"))
    return {entry.file.removeprefix("rawfiles/"): entry.known for entry in files}
