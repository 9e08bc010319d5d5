"""The simulator of sample files: forward models of the instruments, written in the instruments' own formats.

A technique is a module here with ``simulate(rng) -> Iterator[SampleFile]``. Nothing outside this package reads its
models or the truth that it writes beside the files.
"""

from dataclasses import dataclass, field

PROGRAM = "relaxor.twin"
"""Program that the sample files name as their author; another name would change the checksum of every file."""
Truth = tuple[str, str, float, str]
"""Model, parameter, true value, unit: named as the analysis names them in ``parameters.csv``."""


@dataclass(frozen=True)
class SampleFile:
    """One simulated instrument file.

    Attributes
    ----------
    measurement
        Name of the measurement in the sheet.
    technique, panel
        Technique and paper panel it feeds (``"1b"``, ``"S3"``; several joined by ``,``).
    name
        File name below ``raw_data/<sample>/<technique>/``.
    content
        The bytes of the file.
    truth
        True values of what an analysis can find in it.
    series_truth
        True values of what an analysis finds in several files together: name of the combination, then as ``truth``.
    conditions
        What the sheet says of it: name → ``"value unit"``.
    table
        Name of the table description, for formats that do not describe themselves.
    note
        One line for the sheet.
    """

    measurement: str
    technique: str
    panel: str
    name: str
    content: bytes
    truth: tuple[Truth, ...] = ()
    series_truth: tuple[tuple[str, str, str, float, str], ...] = ()
    conditions: dict[str, str] = field(default_factory=dict)
    table: str = ""
    note: str = ""
