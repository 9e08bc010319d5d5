"""Checksums of raw files, in the form that ``sha256sum`` writes and checks."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from relaxor.core.errors import SheetError
from relaxor.core.files import write_whole

SUMS = "SHA256SUMS"
"""Name of the file of checksums; its paths are relative to its folder."""


def record_sums(folder: Path, files: Mapping[Path, str]) -> None:
    """Add files below a folder to its checksums; those recorded earlier are not changed."""
    sums = read_sums(folder / SUMS)
    inside = {path: sha for path, sha in files.items() if path.is_relative_to(folder)}
    sums = {path.relative_to(folder).as_posix(): sha for path, sha in inside.items()} | sums
    if inside:
        _write_sums(folder, sums)


def changed_files(files: Mapping[Path, str], root: Path) -> dict[Path, str]:
    """Return the files whose recorded checksum is another one, with the present checksum."""
    recorded = {path: recorded_sum(path, root) for path in files}
    return {path: sha for path, sha in files.items() if recorded[path] not in (None, sha)}


def accept_sums(files: Mapping[Path, str], root: Path) -> None:
    """Record new checksums of files, where checksums of them were recorded before."""
    for path, sha in files.items():
        if folder := _recording(path, root):
            _write_sums(folder, read_sums(folder / SUMS) | {path.relative_to(folder).as_posix(): sha})


def _write_sums(folder: Path, sums: Mapping[str, str]) -> None:
    write_whole(folder / SUMS, "".join(f"{sha}  {name}\n" for name, sha in sorted(sums.items())))
    read_sums.cache_clear()


@cache
def read_sums(path: Path) -> dict[str, str]:
    """Return the SHA-256 by path; empty if there is no file of checksums."""
    if not path.is_file():
        return {}
    sums = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        sha, separator, name = line.partition("  ")
        if not separator or len(sha) != 64:
            raise SheetError(f"{path}: line {number}: 'SHA-256  path' expected, found '{line[:40]}'")
        sums[name] = sha
    return sums


def recorded_sum(file: Path, root: Path) -> str | None:
    """Return the checksum that a folder above a file records for it, up to the folder of the project."""
    folder = _recording(file, root)
    return read_sums(folder / SUMS)[file.relative_to(folder).as_posix()] if folder else None


def changed(file: str, sha: str, root: Path) -> str:
    """Return a sentence if a file is not the one whose checksum is recorded, or an empty string."""
    recorded = recorded_sum((root / file).resolve(), root)
    if recorded in (None, sha):
        return ""
    return (
        f"'{file}' has changed: SHA-256 {sha[:12]}…, recorded {recorded[:12]}…; raw files are never changed. "
        f"Restore it, or accept the new one: relaxor add SAMPLE '{file}' --accept-changes"
    )


def _recording(file: Path, root: Path) -> Path | None:
    """Return the folder above a file, up to the folder of the project, that records its checksum."""
    for folder in file.parents:
        if not folder.is_relative_to(root):
            break
        if file.relative_to(folder).as_posix() in read_sums(folder / SUMS):
            return folder
    return None


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
