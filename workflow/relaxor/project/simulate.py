"""Make ``raw_data/<sample>/`` of a simulated sample: its files, the true values, and the checksums."""

import csv
import hashlib
import io
import math
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from relaxor.core.errors import SheetError
from relaxor.core.files import write_whole
from relaxor.core.section import Section, load_yaml
from relaxor.project.sheet import COLUMNS
from relaxor.simulation.sample_file import SampleFile, Truth
from relaxor.techniques.registry import techniques

SCENARIO = "config/simulation.yaml"
TRUTH_COLUMNS = ("measurement", "model", "parameter", "feature", "at", "value", "unit")
DIGITS = 7
"""Significant digits of true values; the eighth of those that a fit finds depends on the kind of processor."""
README = """# Raw data

This folder holds the files of the instruments. Files may be added, but are never edited.

`{sample}/` is **simulated**: `uv run relaxor simulate` writes it again, byte for byte, from `{scenario}`. The folder
also holds `truth.csv` (true values, which only tests read), `measurements.tsv` (the rows of the sheet for these files)
and `SHA256SUMS`. `docs/sample_data.md` explains what such data can and cannot show.
"""


class SimulatedTechnique(Section):
    """The part of a simulated sample that one technique measures."""

    stream: str
    """Name of the stream of random numbers, so that a change of one technique does not change another one."""
    specimen: dict[str, Any]
    """Parameters of the simulator; see the class ``Specimen`` of its module in `relaxor.simulation`."""


class Scenario(Section):
    """A simulated sample."""

    sample: str
    """Name of the sample."""
    doi: str = ""
    """DOI of the paper that describes such a sample."""
    seed: int
    """Seed of all noise."""
    shared: dict[str, Any] = {}
    """Values to which the descriptions of several techniques refer by YAML anchors."""
    techniques: dict[str, SimulatedTechnique]
    """The measurements of each technique, in the order of the true values."""


def load_scenario(path: Path | str = SCENARIO) -> Scenario:
    """Load the description of a simulated sample.

    Raises
    ------
    SheetError
        If the file is not valid; the message names the file and the key.
    """
    scenario: Scenario = load_yaml(path, Scenario)
    return scenario


def sample_files(scenario: Scenario, names: Sequence[str] | None = None) -> Iterator[SampleFile]:
    """Yield the files of a simulated sample, of all techniques or of some; the same seed gives the same bytes."""
    for name in scenario.techniques if names is None else names:
        simulated = scenario.techniques[name]
        simulate = techniques()[name].simulate
        if simulate is None:
            raise SheetError(f"'{name}' has no simulator")
        rng = np.random.default_rng([scenario.seed, zlib.crc32(simulated.stream.encode())])
        yield from simulate(rng, simulated.specimen)


def simulate_sample(folder: Path | str, scenario: Path | str = SCENARIO) -> list[Path]:
    """Write the data of a simulated sample.

    Parameters
    ----------
    folder
        ``raw_data``; files go to ``<folder>/<sample>/<technique>/``.
    scenario
        Description of the sample.

    Returns
    -------
    list of Path
        The files written, with ``truth.csv``, ``measurements.tsv``, ``SHA256SUMS`` and ``README.md``.
    """
    described = load_scenario(scenario)
    files, sample = list(sample_files(described)), described.sample
    contents = {f"{entry.technique}/{entry.name}": entry.content for entry in files}
    contents["truth.csv"] = _table(TRUTH_COLUMNS, [row for entry in files for row in _truth(entry)], ",")
    contents["measurements.tsv"] = _table(COLUMNS, [_row(entry, folder, sample) for entry in files], "\t")
    sums = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(contents.items())]
    contents["SHA256SUMS"] = "".join(sums).encode()
    readme = README.format(sample=sample, scenario=SCENARIO).encode()
    contents = {f"{sample}/{name}": content for name, content in contents.items()} | {"README.md": readme}
    for name, content in contents.items():
        write_whole(Path(folder) / name, content)
    return [Path(folder) / name for name in contents]


def _truth(entry: SampleFile) -> Iterator[tuple[str, ...]]:
    """Yield the rows of ``truth.csv`` of a file."""
    for measurement, *row in (*((entry.measurement, *row) for row in entry.truth), *entry.series_truth):
        true = Truth(*row)
        at = f"{true.at:.10g}" if math.isfinite(true.at) else ""
        yield measurement, true.model, true.parameter, true.feature, at, f"{true.value:.{DIGITS}g}", true.unit


def _row(entry: SampleFile, folder: Path | str, sample: str) -> tuple[str, ...]:
    cells = {
        "measurement": entry.measurement,
        "sample": sample,
        "technique": entry.technique,
        "file": f"{Path(folder).name}/{sample}/{entry.technique}/{entry.name}",
        "panel": entry.panel,
        "origin": "simulated",
        "table": entry.table,
        "conditions": "; ".join(f"{name}={value}" for name, value in entry.conditions.items()),
        "note": entry.note,
    }
    return tuple(cells.get(column, "") for column in COLUMNS)


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]], delimiter: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerows([header, *rows])
    return text.getvalue().encode()
