"""Run the analysis of a technique on ingested files with settings given as keywords."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from relaxor.core.results import Measurement, Result
from relaxor.core.storage import load, save_parameters, save_tree
from relaxor.project.analysis import analyse
from relaxor.techniques.registry import techniques


def analysis_of(technique: str) -> Callable[[Sequence[Measurement], Any], Result]:
    """Return the analysis of a technique; the function returns all of its results as one."""
    return lambda measurements, settings: Result.joined(techniques()[technique].analyse(measurements, settings))


def analyse_with(technique: str, data: Path | str, parameters: Path | str, curves: Path | str, **settings) -> None:
    """Analyse ``data`` and write ``parameters`` and ``curves``; conditions of the measurements may hold settings."""
    result = analyse(techniques()[technique], load(data), {"instruments": {}, "lab": settings, "sample": {}})
    save_parameters(parameters, result.numbers, technique)
    save_tree(curves, result.curves)
