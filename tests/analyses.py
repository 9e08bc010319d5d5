"""Run the analysis of a technique on ingested files with settings given as keywords."""

from pathlib import Path

from relaxor.core.storage import load, save_parameters, save_tree
from relaxor.project.analysis import analyse
from relaxor.techniques.registry import techniques


def analyse_with(technique: str, data: Path | str, parameters: Path | str, curves: Path | str, **settings) -> None:
    """Analyse ``data`` and write ``parameters`` and ``curves``; conditions of the measurements may hold settings."""
    result = analyse(techniques()[technique], load(data), {"instruments": {}, "lab": settings, "sample": {}})
    save_parameters(parameters, result.numbers, technique)
    save_tree(curves, result.curves)
