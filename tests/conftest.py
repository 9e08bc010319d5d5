"""Fixtures that the whole suite shares."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock
from relaxor.core.storage import load_parameters
from relaxor.project.analysis import analyse_files
from relaxor.project.ingest import ingest
from relaxor.project.settings import load_settings

from tests.public_files import SHARED, PublicPath, public_folder

ROOT = Path(__file__).parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fetch", action="store_true", help="download missing files of tests/data/registry.csv")


def pytest_configure(config: pytest.Config) -> None:
    PublicPath.fetch = config.getoption("--fetch")


def shared_folder(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"the folder ../shared/{name} of real files is not here")
    return folder


@pytest.fixture(scope="session")
def rawfiles() -> PublicPath:
    """Folder of real instrument files, see `tests.public_files`."""
    return PublicPath(public_folder(), "rawfiles")


@pytest.fixture(scope="session")
def reference() -> PublicPath:
    """Folder of certified and independently known reference data, see `tests.public_files`."""
    return PublicPath(public_folder(), "reference")


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@dataclass(frozen=True)
class Analysed:
    """Results of one technique on the sample data."""

    parameters: pd.DataFrame
    folder: Path

    def number(self, parameter: str, column: str = "value", **where: str | float) -> float:
        """One number of the table."""
        rows = self.parameters[self.parameters["parameter"] == parameter]
        for key, value in where.items():
            rows = rows[rows[key] == value]
        assert len(rows) == 1, f"{parameter} {where}: {len(rows)} rows"
        return float(rows.iloc[0][column])


@pytest.fixture(scope="session")
def analysed(tmp_path_factory) -> Callable[[str], Analysed]:
    """Ingest and analyse the sample data of a technique, as the workflow does, once for all processes of a session."""
    settings = load_settings(ROOT / "config/config.yaml")
    plain = settings.model_dump(mode="json")
    sheet = settings.load_sheet(ROOT)
    session = tmp_path_factory.getbasetemp()
    base = (session.parent if "PYTEST_XDIST_WORKER" in os.environ else session) / "analysed"
    base.mkdir(exist_ok=True)

    @cache
    def analyse(technique: str) -> Analysed:
        rows = [row for row in sheet if row["technique"] == technique]
        folder, data = base / technique, str(base / f"{technique}.nc")
        parameters, curves = folder / "parameters.csv", folder / "curves.nc"
        with FileLock(base / f"{technique}.lock"):
            if not curves.exists():
                ingest([str(ROOT / row["file"]) for row in rows], rows, plain["tables"], data)
                layers = settings.layers(technique, "cbps")
                files = data, str(parameters), str(folder / "budget.csv"), str(curves)
                analyse_files(*files, technique=technique, layers=layers)
        return Analysed(load_parameters(str(parameters)), folder)

    return analyse
