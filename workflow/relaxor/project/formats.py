"""Formats and checksums of raw files, which are stored between runs and determine what an ingestion depends on."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from relaxor.core.checksums import sha256
from relaxor.core.errors import ReadError
from relaxor.project.remembered import remembered, state_of
from relaxor.project.snakemake_adapter import code_of
from relaxor.readers import readers, recognise
from relaxor.readers.registry import plug_ins

MEMORY = ".snakemake/relaxor_formats.json"
"""Where the formats and checksums are stored."""
UNKNOWN = ""
"""Format of a file that no reader recognises."""
ARCHIVE = "packed"
"""Format of archives, whose members may have any other format."""


class Known(NamedTuple):
    """What is stored of a raw file; both are None of a file that does not exist here."""

    format: str | None
    sha256: str | None


def known_files(files: Iterable[str], memory: Path | str = MEMORY) -> dict[str, Known]:
    """Recognise and hash files, each only once as long as the file or, for its format, the readers do not change.

    Parameters
    ----------
    files
        Paths. A file that Snakemake fetches does not exist here.
    memory
        JSON file in which formats and checksums are stored.
    """
    code = code_of(*_all_modules())
    found: dict[str, Known] = {}
    with remembered(Path(memory)) as answer:
        for file in files:
            path = Path(file)
            if path.is_file():
                state = state_of(path)
                name = answer(("format", file, state, code), partial(_recognised, path))
                found[file] = Known(name, answer(("sha256", file, state), partial(sha256, path)))
            else:
                found[file] = Known(None, None)
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
