"""What a file of pulses holds is told from its pulses, and responses are read where they are."""

import numpy as np
import pytest
import xarray as xr
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.core.variables import variable
from relaxor.simulation.synapse import Synapse, Train, pulse_trace
from relaxor.synapse import protocols, series
from relaxor.synapse.quantities import READINGS_REPLACED, RETAINED_FRACTION
from relaxor.synapse.recording import record
from relaxor.synapse.series import shown, tail

from tests.simulated import specimen

DEVICE = specimen("electrical_pulses").device
ATTRS = {"raw_file": "a", "raw_sha256": "0" * 64, "origin": "simulated", "instrument": ""}


def measurement(runs) -> Measurement:
    """Runs of (time, voltage, current)."""
    regions = {
        f"Run{number}": xr.Dataset(
            {
                "Time": variable("point", time, "s", "time"),
                "V": variable("point", voltage, "V", "voltage"),
                "I": variable("point", current, "A", "current"),
            }
        )
        for number, (time, voltage, current) in enumerate(runs, 1)
    }
    return Measurement("pulses", ATTRS, {}, regions)


def run(pulses, step=0.002, device=None):
    return pulse_trace(device or Synapse(DEVICE), Train(pulses, step, 0.05))


def recorded(*trains, **options):
    return record(measurement([run(train, **options) for train in trains]), 0.010, "after")


def test_the_kind_of_a_file_is_told_from_its_pulses():
    kinds = {
        "pairs": [[(5, 0.1, interval), (5, 0.1, 0.05)] for interval in (0.01, 0.05, 0.5)],
        "amplitude": [[(v, 0.1, 0.1)] * 3 for v in (2, 3, 5)],
        "width": [[(5, w, 0.2)] for w in (0.05, 0.1, 0.4)],
        "number": [[(5, 0.1, 0.1)] * n for n in (1, 3, 7)],
        "frequency": [[(5, w, w)] * 4 for w in (0.02, 0.05, 0.1)],
        "cycles": [[(5, 0.1, 0.1)] * 3 + [(-3, 0.1, 0.1)] * 3] * 2,
    }
    for kind, trains in kinds.items():
        assert protocols.kind_of(recorded(*trains)) == kind


def test_trains_of_equal_pulses_at_several_rates_are_a_series_of_frequency():
    recording = recorded(*[[(5, 0.02, gap)] * 5 for gap in (0.02, 0.1, 0.4)])
    assert protocols.kind_of(recording) == "frequency"
    np.testing.assert_allclose(
        protocols.responses(recording, "frequency")["value"], [1 / 0.42, 1 / 0.12, 1 / 0.04], rtol=1e-6
    )
    at_one_rate = recorded(*[[(5, w, 0.2 - w)] * 5 for w in (0.02, 0.05, 0.1)])
    assert protocols.kind_of(at_one_rate) == "width"


def test_a_run_that_lost_a_pulse_is_left_out_and_the_file_is_still_what_it_is():
    runs = [run([(5, 0.1, interval), (5, 0.1, 0.05)]) for interval in (0.01, 0.05, 0.1, 0.5)]
    time, voltage, current = runs[1]
    gap = np.flatnonzero(voltage > 1)[60:70]
    runs[1] = tuple(np.delete(column, gap) for column in (time, voltage, current))
    recording = record(measurement(runs), 0.010, "after")
    assert protocols.kind_of(recording) == "pairs"
    assert [trace.run for trace in recording.traces] == ["Run1", "Run3", "Run4"]
    np.testing.assert_allclose(protocols.pair_index(recording)["interval"], [0.01, 0.1, 0.5], atol=1e-6)
    dropped = recording.counts()[1]
    assert dropped.value == 2 and "gap" in dropped.method and "another pulse of the run was dropped" in dropped.method


def test_a_current_of_the_wrong_sign_is_refused():
    time, voltage, current = run([(5, 0.1, 0.1)] * 3)
    with pytest.raises(AnalysisError, match="the current is opposite in sign to the voltage"):
        record(measurement([(time, voltage, -current)]), 0.010, "after")


def test_one_run_of_the_wrong_sign_is_refused():
    cycles = [run([(5, 0.1, 0.1)] * 3 + [(-3, 0.1, 0.1)] * 3) for _ in range(4)]
    time, voltage, current = cycles[2]
    with pytest.raises(
        AnalysisError, match=r"pulses: run Run3: the current is opposite in sign to the voltage; reverse"
    ):
        record(measurement([*cycles[:2], (time, voltage, -current), cycles[3]]), 0.010, "after")


def lit(power, current, bias):
    """A run of light of the sampling of 10 ms."""
    columns = {"time": (0.01 * np.arange(power.size), "s"), "power": (power, "mW/cm^2"), "current": (current, "A")}
    columns["bias"] = np.full(power.size, bias), "V"
    return xr.Dataset({name: variable("row", values, unit, name) for name, (values, unit) in columns.items()})


@pytest.mark.parametrize(
    ("bias", "sign", "refused"), [(0.5, 1, False), (0.5, -1, True), (-0.5, -1, False), (0, -1, False)]
)
def test_a_photocurrent_against_the_bias_is_refused(bias, sign, refused):
    power = np.where(np.abs(np.arange(300) % 100 - 50) < 20, 10.0, 0.0)
    current = sign * (1e-12 * power + np.random.default_rng(0).normal(1e-13, 1e-14, power.size))
    file = Measurement(
        "light",
        ATTRS,
        {},
        {"one": lit(power, current, bias), "two": lit(power, np.abs(current) * (np.sign(bias) or -1), bias)},
    )
    if not refused:
        assert len(record(file, 0.04, "end").traces) == 2
        return
    with pytest.raises(AnalysisError, match="light: run one: the current is opposite in sign to the bias"):
        record(file, 0.04, "end")


def test_spikes_of_the_current_reach_no_result_and_are_counted():
    time, voltage, current = run([(5, 0.1, 0.1)] * 3 + [(5, 0.1, 2.0)])
    current = current + np.random.default_rng(0).normal(0, 1e-14, current.size)
    spoiled = current.copy()
    spoiled[[-300, -20]] += 1e-9, -2e-9
    plain, other = (record(measurement([(time, voltage, each)]), 0.010, "after") for each in (current, spoiled))
    assert {row.parameter: row.value for row in other.counts()}[READINGS_REPLACED.name] == 2
    assert not plain.traces[0].replaced
    np.testing.assert_allclose(other.traces[0].current, current, atol=1e-13)
    left, without = (tail(each, each.traces[0]) for each in (other, plain))
    assert left.retained == pytest.approx(without.retained, abs=without.retained_error)


def test_spikes_in_the_dark_are_replaced_too():
    rng = np.random.default_rng(0)
    power = np.where(np.abs(np.arange(300) % 100 - 50) < 20, 10.0, 0.0)
    dark = rng.normal(1e-13, 1e-14, power.size)
    spoiled = dark.copy()
    spoiled[150] = 2e-10
    regions = {"lit": lit(power, 1e-12 * power + dark, 0.5), "dark": lit(0 * power, spoiled, 0.5)}
    recording = record(Measurement("light", ATTRS, {}, regions), 0.04, "end")
    assert np.abs(recording.traces[1].current - dark).max() < 1e-13 and recording.traces[1].replaced == 1


def test_a_gap_in_a_tail_moves_no_reading():
    time, voltage, current = run([(5, 0.1, 4.0)])
    lost = slice(time.size - 1500, time.size - 1000)
    short = record(measurement([tuple(np.delete(column, lost) for column in (time, voltage, current))]), 0.010, "after")
    found = tail(short, short.traces[0])
    device = Synapse(DEVICE)
    device.pulse(5, 0.1)
    both = (device.reading(found.time + side * found.spread) for side in (-1, 1))
    np.testing.assert_allclose(found.current, 1e-12 * (sum(both) / 2 - DEVICE.floor), rtol=1e-5)
    assert not ((found.time > 1.01) & (found.time < 1.99)).any()


def test_a_drawn_trace_keeps_its_peaks_and_edges():
    time, voltage, current = run([(5, 0.1, 0.1)] * 3 + [(5, 0.1, 8.0)])
    trace = record(measurement([(time, voltage, current)]), 0.010, "after").traces[0]
    drawn = shown(trace)
    assert drawn["time"].size < time.size / 2
    assert float(drawn["current"].max()) == current.max() and float(drawn["current"].min()) == current.min()
    edges = np.flatnonzero(np.diff(voltage))
    assert np.isin(time[[*edges, *edges + 1]], drawn["time"]).all()


def test_the_read_voltage_is_that_of_the_trace():
    assert recorded([(5, 0.1, 0.1)], [(3, 0.1, 0.1)]).read_voltage == DEVICE.read_voltage


def test_a_tail_in_steps_of_the_instrument_has_its_step_as_noise():
    time, voltage, current = run([(5, 0.1, 4.0)])
    coarse = 1e-14 * np.round(current / 1e-14)
    recording = record(measurement([(time, voltage, coarse)]), 0.010, "after")
    error = tail(recording, recording.traces[0]).error
    assert (error > 0).all() and error.max() < 1e-14


def test_runs_that_do_not_belong_together_are_refused():
    recording = recorded([(5, 0.1, 0.1)], [(3, 0.2, 0.1)] * 2)
    with pytest.raises(
        AnalysisError, match="pulses: 2 runs that differ in amplitude and period and pulses and width; expected"
    ):
        protocols.kind_of(recording)
    with pytest.raises(AnalysisError, match="2 runs that differ in nothing"):
        protocols.kind_of(recorded([(5, 0.1, 0.1)], [(5, 0.1, 0.1)]))


def test_the_index_is_that_of_the_device():
    intervals = (0.01, 0.1, 1.0)
    index = protocols.pair_index(recorded(*[[(5, 0.1, interval), (5, 0.1, 0.05)] for interval in intervals]))
    np.testing.assert_allclose(index["interval"], intervals, atol=1e-6)
    np.testing.assert_allclose(index["index"], [176.5, 168.2, 157.9], atol=0.6)
    np.testing.assert_allclose(index["gain"], index["index"] - 100)


def test_repeats_are_averaged_and_give_the_error():
    rng = np.random.default_rng(4)
    trains = [[(5, 0.1, interval), (5, 0.1, 0.05)] for interval in (0.05, 0.5) for _ in range(12)]
    runs = [run(train, device=Synapse(DEVICE, rng)) for train in trains]
    index = protocols.pair_index(record(measurement(runs), 0.010, "after"))
    assert index["repeats"].values.tolist() == [12, 12]
    assert index["index_uncertainty"].attrs["method"] == "scatter of repeats, pooled"
    single = [float(protocols.pair_index(record(measurement([one]), 0.010, "after"))["index"][0]) for one in runs]
    scatter = np.sqrt((np.var(single[:12], ddof=1) + np.var(single[12:], ddof=1)) / 2 / 12)
    np.testing.assert_allclose(index["index_uncertainty"], scatter, rtol=1e-6)


def test_a_tail_begins_behind_the_last_pulse_and_is_averaged():
    recording = recorded([(5, 0.1, 4.0)])
    found = tail(recording, recording.traces[0])
    # A sample of a voltage run stands for the interval that it ends: the first one for half a step.
    assert found.time[0] == pytest.approx(0.001) and found.length == pytest.approx(3.999) and found.time.size <= 60
    device = Synapse(DEVICE)
    device.pulse(5, 0.1)
    both = (device.reading(found.time + side * found.spread) for side in (-1, 1))
    np.testing.assert_allclose(found.current, 1e-12 * (sum(both) / 2 - DEVICE.floor), rtol=1e-5)
    assert (found.error >= 0).all()
    late = device.reading(np.linspace(3.6, 4.0, 401)).mean() - DEVICE.floor
    early = device.reading(np.linspace(0.0, 0.01, 101)).mean() - DEVICE.floor
    assert found.retained == pytest.approx(late / early, rel=1e-4)


def test_what_is_left_grows_with_the_number_of_pulses():
    found = series.SERIES["number"](
        recorded(*[[(5, 0.1, 0.1)] * (n - 1) + [(5, 0.1, 5.0)] for n in (1, 5, 20)], step=0.01)
    )
    left = {row.at: row.value for row in found.numbers if row.parameter == RETAINED_FRACTION.name}
    assert list(left) == [1, 5, 20] and left[1] < left[5] < left[20] < 1
    assert set(found.curves) >= {"responses", "trace_1", "tail_1", "tail_3"}
    for curve in found.curves.values():
        assert all({"units", "long_name"} <= set(entry.attrs) for entry in curve.variables.values())


def test_a_number_says_what_it_was_taken_at():
    found = series.SERIES["width"](recorded(*[[(5, width, 1.5)] for width in (0.05, 0.1, 0.4)]))
    varied = [row for row in found.numbers if row.at_unit]
    assert {row.at for row in varied} == {0.05, 0.1, 0.4} and {row.at_unit for row in varied} == {"s"}
    assert all(row.at_unit for row in found.numbers if row.parameter != "exponent")
