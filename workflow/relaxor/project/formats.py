"""Formats and checksums of raw files, which are stored between runs and determine what an ingestion depends on."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from relaxor.core.checksums import sha256
from relaxor.core.errors import ReadError
from relaxor.core.files import write_whole
from relaxor.project.snakemake_adapter import code_of
from relaxor.readers import readers, recognise
from relaxor.readers.registry import plug_ins

MEMORY = ".snakemake/relaxor_formats.json"
"""The size, the times of modification and of change, the recognised format and the checksum of each file."""
UNKNOWN = ""
"""Format of a file that no reader recognises."""
ARCHIVE = "packed"
"""Format of archives, whose members may have any other format."""


class Known(NamedTuple):
    """What is stored of a raw file; both are None of a file that does not exist here."""

    format: str | None
    sha256: str | None


def known_files(files: Iterable[str], memory: Path | str = MEMORY) -> dict[str, Known]:
    """Recognise and hash files, each only once as long as neither the file nor the code of any reader changes.

    A changed content is noticed whatever time a file bears, because its time of change cannot be set.

    Parameters
    ----------
    files
        Paths. A file that Snakemake fetches does not exist here.
    memory
        JSON file in which formats and checksums are stored.
    """
    code, store = code_of(*_all_modules()), Path(memory)
    try:
        known = json.loads(store.read_text(encoding="utf-8"))
        seen = known["files"] if known["readers"] == code else {}
    except (OSError, ValueError, KeyError, TypeError):
        seen = {}
    found: dict[str, Known] = {}
    states: dict[str, list[object]] = {}
    for file in files:
        path = Path(file)
        if not path.is_file():
            found[file] = Known(None, None)
            continue
        status = path.stat()
        state = [status.st_size, status.st_mtime_ns, status.st_ctime_ns]
        before = seen.get(file, [])
        found[file] = Known(*before[3:]) if before[:3] == state else Known(_recognised(path), sha256(path))
        states[file] = [*state, *found[file]]
    if states != seen:
        write_whole(store, json.dumps({"readers": code, "files": states}))
    return found


def _recognised(path: Path) -> str:
    try:
        return recognise(path)
    except ReadError:
        return UNKNOWN


def reader_modules(formats: Iterable[str | None]) -> list[str]:
    """Return the modules that read files of some formats, sorted; all of them if a file may have any format."""
    wanted = set(formats)
    if wanted & {None, ARCHIVE}:
        return _all_modules()
    return sorted({readers()[name].extract.__module__ for name in wanted if name})


def _all_modules() -> list[str]:
    return ["relaxor.readers", *plug_ins()]
