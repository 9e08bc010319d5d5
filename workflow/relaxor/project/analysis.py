"""The stage between measurements and numbers: run the analysis of a technique on files."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from relaxor.core.results import Measurement, Result
from relaxor.core.storage import load, save_budget, save_parameters, save_tree
from relaxor.project.layers import instrument_of, resolve
from relaxor.techniques.registry import Technique, techniques


def analyse_files(
    data: str, parameters: str, budget: str, curves: str, *, technique: str, layers: Mapping[str, Any]
) -> None:
    """Analyse the measurements of one technique of one sample.

    Parameters
    ----------
    data
        Ingested measurements.
    parameters, budget, curves
        Files to write: numbers, the components of their uncertainties, and curves.
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
    save_budget(budget, found.numbers)
    save_tree(curves, found.curves)


def analyse(technique: Technique, measurements: Sequence[Measurement], layers: Mapping[str, Any]) -> Result:
    """Analyse measurements together whose settings are the same, and those of another instrument apart from them.

    Where several of these groups combine measurements under one name, the name is followed by that of the instrument
    or, where the instruments do not differ, by the number of the group.
    """
    groups: dict[str, tuple[Any, list[Measurement]]] = {}
    for measurement in measurements:
        settings = resolve(technique, layers, measurement).settings
        groups.setdefault(settings.model_dump_json(), (settings, []))[1].append(measurement)
    results = [technique.analyse(members, settings) for settings, members in groups.values()]
    held = Counter(name for result in results for name in result.names())
    repeated = {name for name, count in held.items() if count > 1}
    instruments = [
        "-".join(sorted({instrument_of(each.attrs, layers["instruments"]) for each in members} - {""}))
        for _, members in groups.values()
    ]
    whole = Result()
    for number, (result, instrument) in enumerate(zip(results, instruments, strict=True), start=1):
        suffix = instrument if instrument and instruments.count(instrument) == 1 else str(number)
        whole.add(result.renamed({name: f"{name}_{suffix}" for name in repeated}))
    technique.require_named(whole.numbers)
    return whole
