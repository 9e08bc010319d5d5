"""Endurance and retention: how long a memory cell tells its states apart.

Endurance (`relaxor.techniques.endurance.wear`) is the ratio of both states, or a switched charge or polarization,
against the number of cycles. Retention (`relaxor.techniques.endurance.loss`) is a state against time.
"""

from collections.abc import Iterator, Sequence

import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Number, Result
from relaxor.core.variables import dataset
from relaxor.techniques.endurance.columns import axis_of, series_of
from relaxor.techniques.endurance.loss import retention
from relaxor.techniques.endurance.settings import EnduranceSettings
from relaxor.techniques.endurance.wear import endurance_rows

YEAR = 365.25 * 86400.0
"""Seconds."""


def analyse(measurements: Sequence[Measurement], settings: EnduranceSettings) -> Iterator[Result]:
    """Analyse every table of endurance or retention.

    Raises
    ------
    AnalysisError
        If a file holds neither cycles nor a time with a state of a memory cell.
    """
    yield from (_analyse_one(measurement, settings) for measurement in measurements)


def _analyse_one(measurement: Measurement, settings: EnduranceSettings) -> Result:
    rows: list[Number] = []
    parts: dict[str, xr.Dataset] = {}
    for region, table in measurement.regions.items():
        axis, unit = axis_of(table)
        found = series_of(table) if axis else []
        if not found:
            raise AnalysisError(
                f"{measurement.id}: {region}: needs a column of cycles (1) or of time (s), and a resistance, "
                "conductance, current, charge or polarization without a voltage"
            )
        for series in found:
            name = f"{region} {series.name}" if len(measurement.regions) > 1 else series.name
            if unit == "1":
                more = endurance_rows(measurement, name, series, settings.part_left)
                values = {"value": (series.value, series.unit, series.name)}
                part = dataset("cycle", values, {"cycle": (series.at, unit, "cycle")})
            else:
                more, part = retention(measurement, name, series, settings.extrapolated_years * YEAR)
            rows += more
            parts[name.replace("/", "_").replace(" ", "_")] = part.assign_attrs(series=name)
    return Result.of(measurement, rows, parts)
