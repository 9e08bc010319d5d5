"""Simulated instrument files, and what the description of a simulated sample states about one."""

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from relaxor.core.section import Section

PROGRAM = "relaxor.twin"
"""Program that the sample files name as their author; another name would change the checksum of every file."""


class Truth(NamedTuple):
    """A true value of what an analysis can find in a file, named as the analysis names it in ``parameters.csv``."""

    model: str
    parameter: str
    value: float
    unit: str
    feature: str = ""
    at: float = math.nan


class FileEntry(Section):
    """A file of a simulated sample, as its description states it."""

    measurement: str
    """Name of the measurement in the sheet."""
    name: str
    """File name below ``raw_data/<sample>/<technique>/``."""
    panel: str = ""
    """Panels that it feeds, joined by commas."""
    conditions: dict[str, str] = {}
    """What the sheet says of it: name → ``"value unit"``."""
    table: str = ""
    """Name of the table description, for formats that do not describe themselves."""
    note: str = ""
    """One line for the sheet."""


@dataclass(frozen=True)
class SampleFile:
    """One simulated instrument file; see `FileEntry` for what its row of the sheet says.

    Attributes
    ----------
    content
        The bytes of the file.
    truth
        True values of what an analysis can find in it.
    series_truth
        True values of what an analysis finds in several files together: its name, then the fields of `Truth`.
    """

    measurement: str
    technique: str
    panel: str
    name: str
    content: bytes
    truth: tuple[Truth, ...] = ()
    series_truth: tuple[tuple[Any, ...], ...] = ()
    conditions: dict[str, str] = field(default_factory=dict)
    table: str = ""
    note: str = ""

    @classmethod
    def of(cls, entry: FileEntry, technique: str, content: bytes, **truth: Any) -> "SampleFile":
        """Make a file from its description."""
        return cls(technique=technique, content=content, **dict(entry), **truth)
