"""The errors that a user can see: one line that states what is wrong, where, and what to do."""

import difflib
from collections.abc import Iterable
from pathlib import Path

FEW = 30
"""Number of allowed names that a message lists; of more, it lists the three nearest."""


class RelaxorError(Exception):
    """Base of every error that the input of the user causes; it is printed without a traceback."""

    advice = ""
    """What the user can do about the error, if the message itself does not say it."""


class ReadError(RelaxorError):
    """A raw file cannot be read.

    Parameters
    ----------
    path
        The file.
    problem
        What is wrong and, if helpful, what was expected and what to do.
    where
        The place in the file: ``"line 12"``, ``"byte 0x1a0"``, ``"member RawData0.xml"``.
    """

    def __init__(self, path: Path | str, problem: str, where: str | None = None):
        self.path, self.problem, self.where = Path(path), _printable(problem), _printable(where or "") or None
        super().__init__(": ".join(str(part) for part in (path, self.where, self.problem) if part))


class NoDataError(ReadError):
    """A file is sound and holds no measurement: a picture, a document, a script, a text without numbers."""


class SheetError(RelaxorError):
    """A row of the measurement sheet or a setting is not valid."""


class AnalysisError(RelaxorError):
    """A measurement lacks something that its analysis needs."""

    advice = (
        "settings of one sample stand under 'samples' in config/config.yaml; a file whose technique in the sheet is "
        "'other' is drawn without analysis"
    )


class DiskError(RelaxorError):
    """A result cannot be written, because the disk is full or not writable."""

    advice = "make room on the disk, or see to the rights, and run the same command again: what is finished stays"


class ResultError(RelaxorError):
    """A result violates a physical constraint."""


def _printable(text: str) -> str:
    """Escape line breaks and control characters, because messages quote the texts of damaged files."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def nearest(found: str, allowed: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` where a name is near, or else what is allowed: all of it, or the three nearest."""
    names = tuple(filter(None, map(str, allowed)))
    near = difflib.get_close_matches(found, names, 1)
    if near or not names:
        return f"; did you mean '{near[0]}'?" if near else "; there are none"
    if len(names) > FEW:
        return f"; the nearest of {len(names)} are {', '.join(difflib.get_close_matches(found, names, 3, cutoff=0.0))}"
    return f"; allowed: {', '.join(names)}"
