"""The stage between measurements and numbers: run the analysis of a technique on files."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from relaxor.core.results import AVERAGED, Measurement, Number, Result
from relaxor.core.storage import load, save_results
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
    save_results(parameters, budget, curves, results(techniques()[technique], load(data), layers), technique)


def analyse(technique: Technique, measurements: Sequence[Measurement], layers: Mapping[str, Any]) -> Result:
    """Return all `results` as one."""
    return Result.joined(results(technique, measurements, layers))


def results(technique: Technique, measurements: Sequence[Measurement], layers: Mapping[str, Any]) -> Iterator[Result]:
    """Analyse measurements together whose settings are the same, and those of another instrument apart from them.

    Where several of these groups combine measurements under one name, the name is followed by that of the instrument
    or, where the instruments do not differ, by the number of the group. These results come last.
    """
    groups: dict[str, tuple[Any, list[Measurement]]] = {}
    for measurement in measurements:
        settings = resolve(technique, layers, measurement).settings
        groups.setdefault(settings.model_dump_json(), (settings, []))[1].append(measurement)
    combined: list[tuple[int, Result]] = []
    for number, (settings, members) in enumerate(groups.values()):
        own = {member.id for member in members}
        averaged = {member.id: int(member.attrs.get(AVERAGED, 1)) for member in members}
        for result in technique.analyse(members, settings):
            technique.require_named(result.numbers)
            result = Result([_noted(number, averaged) for number in result.numbers], result.curves)
            if len(groups) == 1 or result.names() <= own:
                yield result
            else:
                combined.append((number, result))
    held = Counter(name for _, name in {(number, name) for number, result in combined for name in result.names()})
    instruments = [
        "-".join(sorted({instrument_of(each.attrs, layers["instruments"]) for each in members} - {""}))
        for _, members in groups.values()
    ]
    for number, result in combined:
        instrument = instruments[number]
        suffix = instrument if instrument and instruments.count(instrument) == 1 else str(number + 1)
        yield result.renamed({name: f"{name}_{suffix}" for name, count in held.items() if count > 1})


def _noted(number: Number, averaged: Mapping[str, int]) -> Number:
    """Return a number whose method says of how many rows the samples of its files are means, if they are.

    What combines measurements has none of their names.
    """
    rows = averaged.get(number.measurement, max(averaged.values()))
    note = f"each sample is the mean of {rows} rows of the file" if rows > 1 else ""
    return replace(number, method="; ".join(filter(None, (number.method, note)))) if note else number
