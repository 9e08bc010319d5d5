"""A sweep of a capacitor has a capacitance and no resistance."""

import numpy as np
import pytest
import xarray as xr
from relaxor.core.results import Measurement, Number, Status
from relaxor.core.variables import variable
from relaxor.project.analysis import analyse
from relaxor.techniques.registry import techniques

ATTRS = {"raw_file": "a", "raw_sha256": "0" * 64, "origin": "measured"}
CAPACITANCE, RESISTANCE = 2.2e-9, 1e5


def numbers(capacitance: float, resistance: float) -> dict[str, Number]:
    """Sweep at 100 Hz a capacitor beside a resistor."""
    time = np.linspace(0, 0.01, 401)
    voltage = 3 * np.interp(time, [0, 0.0025, 0.0075, 0.01], [0, 1, -1, 0])
    rate = 3 * np.where((time < 0.0025) | (time > 0.0075), 400, -400)
    noise = 1e-9 * np.random.default_rng(2).standard_normal(time.size)
    columns = {"time": (time, "s"), "voltage": (voltage, "V"),
               "current": (capacitance * rate + voltage / resistance + noise, "A")}  # fmt: skip
    table = xr.Dataset({name: variable("row", *column, name) for name, column in columns.items()})
    layers: dict[str, dict[str, object]] = {"instruments": {}, "lab": {}, "sample": {}}
    found = analyse(techniques()["iv_sweeps"], [Measurement("cap", ATTRS, {}, {"table": table})], layers)
    return {row.parameter: row for row in found.numbers if row.model == "cycles"}


def test_a_capacitor_has_no_resistance() -> None:
    found = numbers(CAPACITANCE, 1e9)
    assert found["capacitance"].value == pytest.approx(CAPACITANCE, rel=0.02)
    assert found["capacitance"].status is Status.OK
    assert found["resistance"].status is Status.NOT_IDENTIFIED and "takes up no energy" in found["resistance"].method


def test_a_resistor_has_one() -> None:
    found = numbers(1e-12, RESISTANCE)
    assert "capacitance" not in found
    assert found["resistance"].value == pytest.approx(RESISTANCE, rel=0.01) and found["resistance"].status is Status.OK
