"""The simulated sample of the project, for tests: what its simulators take, and the files they make."""

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from relaxor.core.units import parse_quantity
from relaxor.project.ingest import ingest
from relaxor.project.simulate import load_scenario
from relaxor.simulation.sample_file import SampleFile, Truth
from relaxor.techniques.registry import techniques

from tests.project import ROOT, SETTINGS

SCENARIO = load_scenario(ROOT / "config/simulation.yaml")
KEYS = ["measurement", "model", "parameter", "feature", "at"]
"""Columns that tell which number it is."""


def specimen(technique: str) -> Any:
    """What the simulator of a technique makes files of: the ``Specimen`` of its module."""
    module = import_module(f"relaxor.simulation.{technique}")
    return module.Specimen.model_validate(SCENARIO.techniques[technique].specimen)


def simulated(technique: str, seed: int | list[int]) -> list[SampleFile]:
    """The files of the sample, with another noise."""
    simulate = techniques()[technique].simulate
    return list(simulate(np.random.default_rng(seed), SCENARIO.techniques[technique].specimen))


def ingested(files: Iterable[SampleFile], folder: Path, name: str = "data.nc") -> Path:
    """Write files into a folder and ingest them."""
    rows, paths = [], []
    for file in files:
        path = folder / file.name
        path.write_bytes(file.content)
        paths.append(str(path))
        conditions = {key: parse_quantity(text) for key, text in file.conditions.items()}
        rows.append(
            {"measurement": file.measurement, "file": file.name, "origin": "simulated", "instrument": ""}
            | {"table": file.table, "conditions": conditions}
        )
    tables = SETTINGS.model_dump(mode="json")["tables"]
    ingest(paths, rows, tables, str(folder / name))
    return folder / name


def truth_of(files: Iterable[SampleFile]) -> pd.DataFrame:
    """The true values of files, with the columns `KEYS`, ``true`` and ``true_unit``."""
    rows = [
        (name, *Truth(*row))
        for file in files
        for name, *row in (*((file.measurement, *row) for row in file.truth), *file.series_truth)
    ]
    columns = ["measurement", "model", "parameter", "true", "true_unit", "feature", "at"]
    return pd.DataFrame(rows, columns=columns)


def against_truth(numbers: pd.DataFrame, files: Iterable[SampleFile], how: str = "outer") -> pd.DataFrame:
    """Join the numbers of an analysis with the true values of its files."""
    return numbers.assign(feature=numbers["feature"].fillna("")).merge(truth_of(files), on=KEYS, how=how)
