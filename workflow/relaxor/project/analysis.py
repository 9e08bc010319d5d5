"""The stage between measurements and numbers: run the analysis of a technique on files."""

from collections.abc import Mapping, Sequence
from typing import Any

from relaxor.core.results import Measurement, Result
from relaxor.core.storage import load, save_parameters, save_tree
from relaxor.project.layers import resolve
from relaxor.techniques.registry import Technique, techniques


def analyse_files(data: str, parameters: str, curves: str, *, technique: str, layers: Mapping[str, Any]) -> None:
    """Analyse the measurements of one technique of one sample.

    Parameters
    ----------
    data
        Ingested measurements.
    parameters, curves
        Files to write.
    technique
        Name of the technique.
    layers
        Settings of the technique, as `relaxor.project.settings.Settings.layers` returns them.

    Raises
    ------
    AnalysisError
        If a measurement lacks something that its analysis needs; nothing is then written.
    """
    found = analyse(techniques()[technique], load(data), layers)
    save_parameters(parameters, found.numbers, technique)
    save_tree(curves, found.curves)


def analyse(technique: Technique, measurements: Sequence[Measurement], layers: Mapping[str, Any]) -> Result:
    """Analyse measurements with the same settings together, and those of another instrument separately."""
    groups: dict[str, tuple[Any, list[Measurement]]] = {}
    for measurement in measurements:
        settings = resolve(technique, layers, measurement).settings
        groups.setdefault(settings.model_dump_json(), (settings, []))[1].append(measurement)
    whole = Result()
    for settings, members in groups.values():
        whole.add(technique.analyse(members, settings))
    technique.require_named(whole.numbers)
    return whole
