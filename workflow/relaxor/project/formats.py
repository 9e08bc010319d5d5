"""Formats of raw files, which are stored between runs and determine on which code an ingestion depends."""

import json
from collections.abc import Iterable
from pathlib import Path

from relaxor.core.errors import ReadError
from relaxor.core.files import write_whole
from relaxor.project.snakemake_adapter import code_of
from relaxor.readers import readers, recognise
from relaxor.readers.registry import plug_ins

MEMORY = ".snakemake/relaxor_formats.json"
"""The size, the time of modification and the recognised format of each file."""
UNKNOWN = ""
"""Format of a file that no reader recognises."""
ARCHIVE = "packed"
"""Format of archives, whose members may have any other format."""


def formats_of(files: Iterable[str], memory: Path | str = MEMORY) -> dict[str, str | None]:
    """Recognise the formats of files, each only once as long as neither the file nor the code of any reader changes.

    Parameters
    ----------
    files
        Paths. A file that does not exist here, such as one that Snakemake fetches, has the format None.
    memory
        JSON file in which the formats are stored.
    """
    code, store = code_of(*_all_modules()), Path(memory)
    try:
        known = json.loads(store.read_text(encoding="utf-8"))
        seen = known["files"] if known["readers"] == code else {}
    except (OSError, ValueError, KeyError, TypeError):
        seen = {}
    found: dict[str, str | None] = {}
    states: dict[str, list[object]] = {}
    for file in files:
        path = Path(file)
        if not path.is_file():
            found[file] = None
            continue
        status = path.stat()
        state = [status.st_size, status.st_mtime_ns]
        format_name = seen[file][2] if seen.get(file, [])[:2] == state else _recognised(path)
        found[file], states[file] = format_name, [*state, format_name]
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
