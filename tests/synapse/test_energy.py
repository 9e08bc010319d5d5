"""Energy per spike: identities of the definitions, errors, and the current or area that a known energy would take."""

import math

import numpy as np
import pandas as pd
import pytest
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.synapse import energy
from relaxor.synapse.quantities import DEFINITIONS
from relaxor.synapse.recording import Recording
from relaxor.synapse.traces import Trace

MEASUREMENT = Measurement("spikes", {"raw_sha256": "0" * 64, "origin": "simulated"}, {}, {})
ELECTRICAL = {"spike": (5.0, 0.1), "read_time": 0.01, "current_uncertainty": 0.0}
OPTICAL = ELECTRICAL | {"spike": (32.0, 1.0), "area": (10.0, 1.0), "power_uncertainty": 0.0}


def spikes(count=4, **columns):
    """Spikes of 5 V, 100 ms and 23.4 pA."""
    mean = np.full(count, 23.4e-12)
    content = {
        "run": "1", "number": 0, "onset": 0.0, "amplitude": 5.0, "width": 0.1, "mean_current": mean,
        "peak_current": 2 * mean, "baseline": 3.4e-12, "baseline_error": 0.0, "end": mean, "end_error": 0.0,
        "after": 8e-12, "after_error": 0.0, "energy": 5.0 * 0.1 * mean, "kept": True,
    } | columns  # fmt: skip
    return pd.DataFrame(content, index=range(count))


def energies(events, settings, variation=0.0):
    """The numbers of spikes read at 0.5 V, under light where the settings have an area."""
    light = "area" in settings
    before = np.array([-1.0]), np.zeros(1), np.array([0.5]), None
    traces = [Trace(MEASUREMENT, "1", *before, "mW/cm^2" if light else "V")]
    recording = Recording(MEASUREMENT, traces, events, "end" if light else "after", variation)
    return energy.energy_rows(recording, **settings)


def table(events, settings):
    rows = energies(events, settings)
    assert len({(row.model, row.parameter) for row in rows}) == len(rows)
    return {(row.model, row.parameter): row for row in rows}


def test_optical_identities_of_the_printed_value():
    """0.88 pJ of light at 32 mW/cm² would fall on 0.0028 µm² in 1 s; 10 µm² get 3.2 nJ, 3,600 times as much."""
    rows = table(spikes(amplitude=32.0, width=1.0, mean_current=1.76e-12, energy=0.88e-12), OPTICAL)
    per_area = rows["optical_absorbed", "energy_per_area"]
    assert 0.88 / per_area.value == pytest.approx(0.00275) and per_area.unit == "pJ/um^2"
    assert rows["optical_absorbed", "energy_per_spike"].value == pytest.approx(3200)
    assert 0.88 / rows["mean_power", "energy_per_current"].value == pytest.approx(1.76)
    assert "write_conductance" not in {model for model, _ in rows}
    short = table(spikes(amplitude=32.0, width=0.01), OPTICAL | {"spike": (32.0, 0.01)})
    assert 0.88 / short["optical_absorbed", "energy_per_area"].value == pytest.approx(0.275)


def test_every_definition_has_its_rows():
    rows = table(spikes(), ELECTRICAL)
    assert {model for model, _ in rows} == set(DEFINITIONS) - {"optical_absorbed"}
    values = {model: row.value for (model, name), row in rows.items() if name == "energy_per_spike"}
    assert values == pytest.approx(
        {
            "peak_power": 23.4,
            "mean_power": 11.7,
            "integral": 11.7,
            "excess": 10.0,
            "read": 0.04,
            "write_conductance": 25 * (3.4 + 8) / 2 / 0.5 * 0.1,
        }
    )
    for (model, name), row in rows.items():
        if name == "energy_per_spike":
            assert row.unit == "pJ"
            assert row.method == f"{DEFINITIONS[model].formula}; {DEFINITIONS[model].source}"


def test_the_current_that_would_give_the_printed_value_gives_it():
    rows = table(spikes(), ELECTRICAL)
    needed = {model: 11.7e-12 / row.value for (model, name), row in rows.items() if name == "energy_per_current"}
    assert needed["peak_power"] == pytest.approx(23.4e-12)
    again = table(
        spikes(
            mean_current=needed["mean_power"],
            peak_current=needed["peak_power"],
            baseline=needed["write_conductance"],
            after=needed["write_conductance"],
        ),
        ELECTRICAL,
    )
    for model in ("mean_power", "peak_power", "write_conductance"):
        assert again[model, "energy_per_spike"].value == pytest.approx(11.7)
    assert needed["read"] == pytest.approx(2.34e-9)


def test_calibrations_are_systematic():
    row = table(spikes(1, mean_current=23e-12), ELECTRICAL | {"current_uncertainty": 0.01})[
        "mean_power", "energy_per_spike"
    ]
    assert row.systematic_error == pytest.approx(0.115) and math.isnan(row.standard_error)
    row = table(spikes(1, mean_current_error=0.2e-12), ELECTRICAL)["mean_power", "energy_per_spike"]
    assert row.standard_error == pytest.approx(0.1) and row.systematic_error == 0


def test_errors_are_the_larger_of_scatter_and_currents():
    currents = np.array([22, 23, 24, 25]) * 1e-12
    rows = table(spikes(mean_current=currents, mean_current_error=0.1e-12), ELECTRICAL)
    row = rows["mean_power", "energy_per_spike"]
    assert row.standard_error == pytest.approx(0.5 * np.std([22, 23, 24, 25], ddof=1) / 2)
    assert row.ci_high - row.value == pytest.approx(3.182446 * row.standard_error, rel=1e-5)  # Student, 3 degrees
    noisy = table(spikes(mean_current=currents, mean_current_error=4e-12), ELECTRICAL)
    row = noisy["mean_power", "energy_per_spike"]
    assert row.standard_error == pytest.approx(0.5 * 4 / 2)
    assert row.ci_high - row.value == pytest.approx(1.959964 * row.standard_error, rel=1e-5)


def test_errors_of_both_currents_go_into_the_excess():
    rows = table(spikes(1, mean_current_error=3e-12, baseline_error=4e-12), ELECTRICAL)
    assert rows["excess", "energy_per_spike"].standard_error == pytest.approx(0.5 * 5)
    area = table(spikes(amplitude=32.0, width=1.0), OPTICAL | {"power_uncertainty": 0.03, "area": (10.0, 0.4)})
    assert area["optical_absorbed", "energy_per_spike"].systematic_error == pytest.approx(3200 * 0.05)


def test_scatter_of_the_mean_covers_the_truth():
    rng = np.random.default_rng(5)
    inside = 0
    for _ in range(300):
        currents = rng.normal(23.4e-12, 1e-12, 6)
        row = table(spikes(6, mean_current=currents), ELECTRICAL)["mean_power", "energy_per_spike"]
        inside += row.ci_low <= 11.7 <= row.ci_high
    assert 0.91 <= inside / 300 <= 0.98


def test_other_pulses_are_left_out():
    events = pd.concat([spikes(2), spikes(3, amplitude=3.0), spikes(1, kept=False)], ignore_index=True)
    assert table(events, ELECTRICAL)["integral", "energy_per_spike"].n == 2
    with pytest.raises(AnalysisError, match=r"spikes: .* pulse of 4 V and 0\.1 s, found pulses of 3 to 5 V and 0\.1"):
        energies(events, ELECTRICAL | {"spike": (4.0, 0.1)})


@pytest.mark.parametrize("spike", [(None, None), (None, 0.1), (2.5, None)])
def test_the_spikes_are_those_of_most_first_pulses_where_nothing_is_asked_for(spike):
    events = pd.concat([spikes(3, amplitude=2.5), spikes(2), spikes(9, number=1)], ignore_index=True)
    row = table(events, ELECTRICAL | {"spike": spike})["mean_power", "energy_per_spike"]
    assert (row.n, row.value) == (3, pytest.approx(2.5 * 2.34))


def test_depressing_pulses_cost_energy_too():
    rows = table(spikes(amplitude=-3.0, mean_current=-10e-12), ELECTRICAL | {"spike": (-3.0, 0.1)})
    assert rows["mean_power", "energy_per_spike"].value == pytest.approx(3.0)
    assert rows["mean_power", "energy_per_current"].value == pytest.approx(0.3)
