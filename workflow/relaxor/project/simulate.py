"""Make ``raw_data/<sample>/``: every sample file, the truth beside them, and their checksums."""

import csv
import hashlib
import importlib
import io
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from relaxor.core.files import atomic
from relaxor.project.sheet import COLUMNS
from relaxor.simulation.sample_file import SampleFile

SEED = 20241207
"""Seed of the sample data; each technique draws from its own stream, so that one does not move another."""


README = """# Raw data

Instrument files as the instruments wrote them: never edited, only added.

`cbps/` is **simulated**: `uv run relaxor simulate` writes it again, byte for byte. Beside the files lie `truth.csv`
(true values, read by tests alone), `measurements.tsv` (their rows of the sheet) and `SHA256SUMS`. What such data can
and cannot show: `docs/sample_data.md`.
"""


STREAMS = {
    "structure": "structure",
    "growth": "growth",
    "xrd": "xrd",
    "raman": "raman",
    "xps": "xps",
    "shg": "shg",
    "hysteresis": "hysteresis",
    "edx": "edx",
    "afm": "afm",
    "pfm": "pfm",
    "stem": "stem",
    "iv_sweeps": "sweeps",
    "electrical_pulses": "pulses",
    "optical_pulses": "light",
}


def sample_files(seed: int = SEED, techniques: tuple[str, ...] = tuple(STREAMS)) -> Iterator[SampleFile]:
    """Yield every sample file; the same seed gives the same bytes."""
    for technique in techniques:
        rng = np.random.default_rng([seed, zlib.crc32(STREAMS[technique].encode())])
        yield from importlib.import_module(f"relaxor.simulation.{technique}").simulate(rng)


def simulate(folder: Path | str, sample: str = "cbps", seed: int = SEED) -> list[Path]:
    """Write the sample data of a sample.

    Parameters
    ----------
    folder
        ``raw_data``; files go to ``<folder>/<sample>/<technique>/``.
    sample
        Name of the sample.
    seed
        Seed of all noise.

    Returns
    -------
    list of Path
        The files written, with ``truth.csv``, ``measurements.tsv``, ``SHA256SUMS`` and ``README.md``.
    """
    files = list(sample_files(seed))
    contents = {f"{entry.technique}/{entry.name}": entry.content for entry in files}
    truth = [
        (measurement, model, parameter, f"{value:.8g}", unit)
        for entry in files
        for measurement, model, parameter, value, unit in (
            *((entry.measurement, *row) for row in entry.truth),
            *entry.series_truth,
        )
    ]
    contents["truth.csv"] = _table(("measurement", "model", "parameter", "value", "unit"), truth, ",")
    contents["measurements.tsv"] = _table(COLUMNS, [_row(entry, folder, sample) for entry in files], "\t")
    sums = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(contents.items())]
    contents["SHA256SUMS"] = "".join(sums).encode()
    contents = {f"{sample}/{name}": content for name, content in contents.items()} | {"README.md": README.encode()}
    for name, content in contents.items():
        with atomic(Path(folder) / name) as temporary:
            temporary.write_bytes(content)
    return [Path(folder) / name for name in contents]


def _row(entry: SampleFile, folder: Path | str, sample: str) -> tuple[str, ...]:
    conditions = "; ".join(f"{name}={value}" for name, value in entry.conditions.items())
    path = f"{Path(folder).name}/{sample}/{entry.technique}/{entry.name}"
    cells = {
        "measurement": entry.measurement,
        "sample": sample,
        "technique": entry.technique,
        "file": path,
        "panel": entry.panel,
        "origin": "simulated",
        "table": entry.table,
        "conditions": conditions,
        "note": entry.note,
    }
    return tuple(cells.get(column, "") for column in COLUMNS)


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]], delimiter: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerows([header, *rows])
    return text.getvalue().encode()
