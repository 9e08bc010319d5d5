"""Pulses: known trains are found again whatever damages them, and the errors of their reads hold."""

import math
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from hypothesis import example, given, settings
from hypothesis import strategies as st
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.core.variables import variable
from relaxor.readers import read
from relaxor.synapse.artifacts import spikes_in
from relaxor.synapse.events import COLUMNS, find_pulses, measure_pulses, require_pulses
from relaxor.synapse.quantities import LIGHT_STIMULUS
from relaxor.synapse.traces import Trace, traces_of
from relaxor.synapse.windows import window_means
from scipy.signal import lfilter

STEP, NOISE, READ, LEVEL = 1e-3, 1e-12, 0.5, 1e-10
WINDOW = 0.02
ONSETS, WIDTH = np.array([0.1, 0.3, 0.5, 0.7]), 0.1


def measurement(regions=None, **conditions) -> Measurement:
    attrs = {"raw_file": "a", "raw_sha256": "0" * 64, "origin": "simulated", "instrument": ""}
    return Measurement("ppf_10ms", attrs, conditions, regions or {})


def train(onsets=ONSETS, width=WIDTH, amplitude=5.0, end=0.9, seed=0, noise=NOISE, growth=2e-11) -> Trace:
    """Square pulses on a read voltage; the read current grows by ``growth`` a pulse, an ohmic current flows in it."""
    time = np.arange(round(end / STEP)) * STEP
    amplitudes = np.broadcast_to(amplitude, len(onsets))
    widths = np.broadcast_to(width, len(onsets))
    voltage, current = np.full(time.size, READ), np.full(time.size, LEVEL)
    for onset, height, long in zip(onsets, amplitudes, widths, strict=True):
        inside = slice(round(onset / STEP), round((onset + long) / STEP))
        voltage[inside] = height
        current[inside.stop :] += growth * np.sign(height)
        current[inside] = height * 2e-10
    current += np.random.default_rng(seed).normal(0, noise, time.size)
    return Trace(measurement(), "1", time, current, voltage, voltage, "V")


def changed(trace: Trace, **arrays) -> Trace:
    """Change samples: ``current={5: 1.0, (7, 9): 2.0}`` at 5 and from 7 to 8; the stimulus is the voltage."""
    copies = {name: getattr(trace, name).copy() for name in arrays}
    for name, changes in arrays.items():
        for place, value in changes.items():
            copies[name][slice(*place) if isinstance(place, tuple) else place] = value
    result = replace(trace, **copies)
    return replace(result, stimulus=result.voltage) if "voltage" in arrays else result


def without(trace: Trace, lost: slice) -> Trace:
    keep = np.ones(trace.time.size, bool)
    keep[lost] = False
    cut = {name: getattr(trace, name)[keep] for name in ("time", "current", "voltage")}
    return replace(trace, stimulus=cut["voltage"], **cut)


def events(trace: Trace, read_window: float = WINDOW):
    pulses, glitches, trace = find_pulses(trace)
    table = measure_pulses(trace, pulses, glitches, read_window)
    assert tuple(table.columns) == COLUMNS
    assert table["kept"].dtype == bool and ((table["reason"] == "") == table["kept"]).all()
    return table


# --- what is measured
def test_a_known_train_is_found_again():
    table = events(train())
    assert table["kept"].all() and table["number"].tolist() == [0, 1, 2, 3] and set(table["run"]) == {"1"}
    np.testing.assert_allclose(table["onset"], ONSETS)
    np.testing.assert_allclose(table["width"], WIDTH)
    np.testing.assert_array_equal(table["amplitude"], 5.0)
    known = {
        "baseline": LEVEL + 2e-11 * np.arange(4),
        "after": LEVEL + 2e-11 * np.arange(1, 5),
        "settled": LEVEL + 2e-11 * np.arange(1, 5),
        "end": 1e-9,
    }
    for name, truth in known.items():
        assert (np.abs(table[name] - truth) < 4 * table[f"{name}_error"]).all()
        np.testing.assert_allclose(table[f"{name}_error"], NOISE / math.sqrt(20), rtol=0.6)
    np.testing.assert_allclose(table["mean_current"], 1e-9, rtol=1e-3)
    np.testing.assert_allclose(table["peak_current"], 1e-9, rtol=1e-2)
    np.testing.assert_allclose(table["charge"], 1e-10, rtol=1e-3)
    np.testing.assert_allclose(table["energy"], 5e-10, rtol=1e-3)


def test_potentiation_and_depression_stand_in_one_train():
    table = events(train(amplitude=[5, -3, 5, -3]))
    assert table["kept"].all()
    np.testing.assert_array_equal(table["amplitude"], [5, -3, 5, -3])
    np.testing.assert_allclose(table["onset"], ONSETS)
    np.testing.assert_allclose(table["energy"], [5e-10, 1.8e-10, 5e-10, 1.8e-10], rtol=1e-2)
    assert (np.sign(table["peak_current"]) == np.sign(table["amplitude"])).all()


def test_a_current_counted_against_the_voltage_leaves_energy_positive():
    plain = train(amplitude=[5, -3, 5, -3])
    table, turned = events(plain), events(replace(plain, current=-plain.current))
    for name in ("baseline", "end", "after", "settled", "mean_current", "peak_current", "charge"):
        np.testing.assert_allclose(turned[name], -table[name])
    np.testing.assert_allclose(turned["energy"], table["energy"])
    assert (table["energy"] > 0).all() and turned["kept"].all()


def test_charge_is_summed_as_the_instrument_sums_it():
    """Each sample stands for the interval that ends at it."""
    trace = train([0.3], 0.2, end=0.8, noise=0)
    inside = slice(300, 500)
    current = trace.current.copy()
    current[inside] = 1e-9 * np.exp(-(trace.time[inside] - 0.3) / 0.05)
    table = events(replace(trace, current=current))
    charge = float(np.sum(current[inside])) * 1e-3
    assert table["charge"][0] == pytest.approx(charge, rel=1e-9)
    assert table["energy"][0] == pytest.approx(5 * charge, rel=1e-9)
    assert table["mean_current"][0] == pytest.approx(charge / 0.2, rel=1e-9)
    assert table["peak_current"][0] == pytest.approx(1e-9)


def test_light_is_told_by_its_power_at_constant_bias():
    plain = train(amplitude=32.0)
    light = np.where(plain.voltage > 1, 32.0, 0.0)
    trace = replace(plain, voltage=np.full(light.size, 0.5), stimulus=light, stimulus_unit=LIGHT_STIMULUS)
    table = events(trace)
    np.testing.assert_array_equal(table["amplitude"], 32.0)
    np.testing.assert_allclose(table["onset"], ONSETS)
    np.testing.assert_allclose(table["energy"], 0.5 * table["charge"])


def test_pulses_of_less_than_a_twentieth_of_the_largest_do_not_count():
    trace = train(amplitude=np.array([32.0, 16.0, 4.0, 1.0]), end=0.9)
    np.testing.assert_array_equal(events(trace)["amplitude"], [32.0, 16.0, 4.0])


def test_long_pulses_and_an_idle_instrument_do_not_hide_the_level_between():
    onsets = 0.1 + 0.11 * np.arange(10)
    trace = train(onsets, end=1.3)
    voltage = trace.voltage.copy()
    voltage[:60] = voltage[-80:] = 0.0
    table = events(replace(trace, voltage=voltage, stimulus=voltage))
    idle = table[~table["kept"]]
    assert idle["reason"].tolist() == ["cut off by the start of the trace", "cut off by the end of the trace"]
    table = table[table["kept"]]
    np.testing.assert_allclose(table["onset"], onsets)
    np.testing.assert_allclose(table["width"], WIDTH)


def test_edges_over_several_samples_are_cut_at_half_and_kept_out_of_the_reads():
    trace = train([0.3, 0.5], 0.1, end=0.8, noise=0, growth=0)
    voltage = np.convolve(np.pad(trace.voltage, 5, mode="edge"), np.ones(11) / 11, mode="valid")
    table = events(replace(trace, voltage=voltage, stimulus=voltage, current=voltage * 2e-10))
    np.testing.assert_allclose(table["onset"], [0.3, 0.5], atol=STEP)
    np.testing.assert_allclose(table["width"], 0.1, atol=STEP)
    np.testing.assert_allclose(table[["baseline", "after", "settled"]], LEVEL, rtol=0.01)


def test_reads_end_where_the_next_pulse_begins():
    table = events(train([0.1, 0.205, 0.4], end=0.6), read_window=0.05)
    assert table["kept"].all()
    truth = LEVEL + 2e-11 * np.arange(1, 4)
    assert (np.abs(table["after"] - truth) < 4 * table["after_error"]).all()
    assert table["after_error"][0] > table["after_error"][2]
    assert table["baseline"][1] == table["after"][0] == table["settled"][0]


def test_an_interval_of_one_sample_is_read_with_the_noise_of_the_trace():
    table = events(train([0.1, 0.201], end=0.4))
    assert len(table) == 2 and table["kept"].all()
    assert table["after_error"][0] == pytest.approx(NOISE, rel=0.2)
    assert abs(table["after"][0] - 1.2e-10) < 4 * NOISE


def test_pulses_of_one_sample_each_are_pulses():
    table = events(train(0.1 + 0.05 * np.arange(10), STEP, end=0.7))
    assert table["kept"].all() and len(table) == 10
    np.testing.assert_allclose(table["width"], STEP)
    np.testing.assert_allclose(table["charge"], 1e-9 * STEP, rtol=0.01)


def test_short_pulses_have_the_noise_of_pulses():
    trace = train(0.1 + 0.05 * np.arange(100), 3 * STEP, end=5.2)
    louder = np.where(trace.voltage > 1, 30 * NOISE, 0.0) * np.random.default_rng(5).normal(size=trace.time.size)
    table = events(replace(trace, current=trace.current + louder))
    np.testing.assert_allclose(table["end_error"], 30 * NOISE / math.sqrt(3), rtol=0.3)
    assert (table["baseline_error"] < NOISE).all()


# --- errors of means
@pytest.mark.parametrize("count", [3, 8, 20, 100])
@pytest.mark.parametrize("drift", [0.0, 5e-9])
def test_errors_of_window_means_cover_the_truth(count, drift):
    rng = np.random.default_rng(count)
    windows = 600
    first = np.arange(windows) * count
    time = np.arange(windows * count) * STEP
    within = time - np.repeat(time[first] + (count - 1) / 2 * STEP, count)
    current = LEVEL + drift * within + rng.normal(0, NOISE, time.size)
    mean, error = window_means(time, current, first, first + count, NOISE)
    assert 0.90 < np.mean(np.abs(mean - LEVEL) < 1.96 * error) < 0.98


@pytest.mark.parametrize(("rho", "count"), [(0.4, 100), (0.8, 100), (0.6, 40), (0.4, 20)])
def test_errors_of_window_means_know_correlation(rho, count):
    rng = np.random.default_rng(9)
    windows = 600
    noise = lfilter([math.sqrt(1 - rho**2)], [1, -rho], rng.normal(0, NOISE, (windows, 10 * count)))[:, -count:]
    time, first = np.arange(windows * count) * STEP, np.arange(windows) * count
    mean, error = window_means(time, noise.ravel(), first, first + count, NOISE)
    assert 0.90 < np.mean(np.abs(mean) < 1.96 * error) < 0.98
    assert np.median(error) == pytest.approx(NOISE * math.sqrt((1 + rho) / (1 - rho) / count), rel=0.2)


def test_a_window_more_correlated_than_the_others_has_the_larger_error():
    rng = np.random.default_rng(2)
    windows, count = 400, 200
    current = rng.normal(0, NOISE, (windows, count))
    slow = lfilter([0.6], [1, -0.8], rng.normal(0, NOISE, (windows, 2 * count)))[:, -count:]
    current[::8] = slow[::8]
    time, first = np.arange(windows * count) * STEP, np.arange(windows) * count
    mean, error = window_means(time, current.ravel(), first, first + count, NOISE)
    covered = np.abs(mean) < 1.96 * error
    assert covered[::8].mean() > 0.85 and np.median(error[::8]) > 2 * np.median(error[1::8])


def test_reads_of_whole_traces_cover_the_truth():
    z = []
    for seed in range(200):
        trace = train(ONSETS[:2], end=0.6, seed=seed)
        drift = 2e-11 * trace.time
        table = events(replace(trace, current=trace.current + drift), read_window=0.03)
        assert table["kept"].all()
        before, behind = ONSETS[:2] - 0.0155, ONSETS[:2] + WIDTH + 0.0145
        truth = {"baseline": LEVEL + 2e-11 * (np.arange(2) + before), "end": 1e-9 + 2e-11 * (before + WIDTH)}
        truth |= {"after": LEVEL + 2e-11 * (np.arange(1, 3) + behind)}
        z += [((table[name] - value) / table[f"{name}_error"]).to_numpy() for name, value in truth.items()]
    assert 0.90 < np.mean(np.abs(z) < 1.96) < 0.98
    assert abs(np.mean(z)) < 0.1


def test_nan_is_left_out_of_a_mean_and_an_empty_window_is_nan():
    current = np.array([1.0, np.nan, 3.0, np.nan, np.nan, 2.0])
    mean, error = window_means(np.arange(6.0), current, np.array([0, 3, 5, 2]), np.array([3, 5, 6, 2]), 0.5)
    np.testing.assert_array_equal(mean, [2.0, np.nan, 2.0, np.nan])
    np.testing.assert_allclose(error, [0.5 / math.sqrt(2), np.nan, 0.5, np.nan])


# --- damage
def test_a_missed_pulse_leaves_the_others():
    trace = train(ONSETS[[0, 1, 3]])
    table = events(trace)
    np.testing.assert_allclose(table["onset"], ONSETS[[0, 1, 3]])
    require_pulses(table, trace, 3)
    with pytest.raises(AnalysisError, match=r"ppf_10ms: run 1: 3 pulses found, the sheet says 4"):
        require_pulses(table, trace, 4)


@pytest.mark.parametrize("drift", [1e-10, -1e-10, 1e-9])
def test_drift_moves_reads_and_no_pulse(drift):
    trace = train()
    table = events(replace(trace, current=trace.current + drift * trace.time))
    np.testing.assert_allclose(table["onset"], ONSETS)
    truth = LEVEL + 2e-11 * np.arange(4) + drift * (ONSETS - 0.0105)
    assert table["kept"].all() and (np.abs(table["baseline"] - truth) < 4 * table["baseline_error"]).all()


def test_spikes_of_the_current_change_nothing():
    plain, spoiled = (train(noise=1e-12), changed(train(), current={95: 1e-6, 150: -5e-8, 205: 1e-9, 260: 1e-6}))
    table, other = events(plain), events(spoiled)
    assert other["kept"].all()
    for name in ("baseline", "end", "after", "settled"):
        assert (np.abs(other[name] - table[name]) < 3 * table[f"{name}_error"]).all()
    np.testing.assert_allclose(other["charge"], table["charge"], rtol=1e-3)
    np.testing.assert_allclose(other["peak_current"], table["peak_current"], rtol=1e-3)


def test_a_charging_current_at_an_edge_is_no_spike():
    table = events(changed(train(), current={100: 1e-7, 300: 1e-7}))
    np.testing.assert_allclose(table["peak_current"], [1e-7, 1e-7, 1e-9, 1e-9], rtol=0.01)


def test_noise_alone_loses_no_samples():
    current = np.random.default_rng(1).normal(0, 1, 300_000)
    assert len(spikes_in(current, np.array([], int))) == 0
    louder = current * np.where(np.arange(current.size) % 1000 < 400, 1000.0, 1.0)
    assert len(spikes_in(louder, np.array([], int))) < 1e-5 * current.size
    assert len(spikes_in(np.round(current), np.array([], int))) == 0


@pytest.mark.parametrize("value", [9.0, -9.0, 1000.0])
def test_a_glitch_of_the_stimulus_between_pulses_is_dropped_and_named(value):
    table = events(changed(train(), voltage={250: value}))
    glitch = table[~table["kept"]]
    assert glitch["reason"].tolist() == ["glitch of one sample"] and glitch["number"].tolist() == [-1]
    assert glitch["onset"].tolist() == [0.25]
    kept = table[table["kept"]]
    assert kept["number"].tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(kept["onset"], ONSETS)


@pytest.mark.parametrize("value", [READ, 0.0, -9.0, 1000.0, np.nan])
def test_a_glitch_of_the_stimulus_within_a_pulse_leaves_it_whole(value):
    table = events(changed(train(), voltage={330: value}))
    assert table["kept"].all()
    np.testing.assert_allclose(table["onset"], ONSETS)
    np.testing.assert_allclose(table["width"], WIDTH)
    np.testing.assert_array_equal(table["amplitude"], 5.0)


def test_a_glitch_in_the_middle_of_the_only_pulse_leaves_it_whole():
    table = events(changed(train([0.3], end=0.8), voltage={350: -9.0}))
    assert (table["onset"].tolist(), table["kept"].tolist()) == ([0.3], [True])
    assert table["width"][0] == pytest.approx(WIDTH)


def test_what_flowed_at_a_glitch_of_the_stimulus_is_not_read():
    tables = [events(changed(train(), voltage={290: 9.0}, current={290: value})) for value in (1.2e-10, 1.23e-10)]
    assert tables[0].equals(tables[1])


def test_current_at_the_compliance_is_dropped_and_named():
    trace = train()
    limited = replace(trace, current=np.minimum(trace.current, 9.99e-10))
    assert set(events(limited)["reason"]) == {"current clipped at 1.0e-09 A (compliance)"}
    one = changed(trace, current={(320, 340): 1.5e-9})
    assert events(one)["reason"].tolist() == ["", "current clipped at 1.5e-09 A (compliance)", "", ""]
    sheet = replace(trace, measurement=measurement(compliance=(1.0, "nA")))
    assert not events(sheet)["kept"].any()
    assert events(replace(trace, measurement=measurement(compliance=(5.0, "nA"))))["kept"].all()


@pytest.mark.parametrize("quantum", [NOISE / 2, NOISE * 3])
def test_readings_of_a_coarse_converter_are_not_clipped(quantum):
    trace = train()
    table = events(replace(trace, current=np.round(trace.current / quantum) * quantum))
    assert table["kept"].all()
    assert (np.abs(table["end"] - 1e-9) < 4 * np.hypot(table["end_error"], quantum / 4)).all()


@pytest.mark.parametrize(
    ("lost", "dropped"),
    [
        (slice(310, 615), [1]),
        (slice(90, 101), [0]),
        (slice(205, 215), [0]),
        (slice(350, 380), [1]),
        (slice(230, 270), []),
    ],
)
def test_a_gap_in_the_samples_is_dropped_and_named(lost, dropped):
    table = events(without(train([0.1, 0.3, 0.5, 0.75], end=0.95), lost))
    named = table[~table["kept"]]
    assert named["number"].tolist() == dropped
    assert set(named["reason"]) <= {f"gap of {(lost.stop - lost.start + 1) * STEP:.2g} s in the samples"}


def test_sampling_may_change_within_a_run():
    fine = train()
    wanted = (fine.voltage > 1) | (np.arange(fine.time.size) % 10 == 5)
    table = events(without(fine, ~wanted))
    assert table["kept"].all()
    np.testing.assert_allclose(table["onset"], ONSETS)
    np.testing.assert_allclose(table["width"], WIDTH)
    np.testing.assert_allclose(table["charge"], 1e-10, rtol=1e-3)


def test_nan_in_the_current_is_passed_over_or_named():
    few = events(changed(train(), current={(85, 95): np.nan, 150: np.nan, 310: np.nan}))
    assert few["kept"].all()
    np.testing.assert_allclose(few["charge"], 1e-10, rtol=1e-3)
    table = events(changed(train(), current={(80, 100): np.nan, (380, 400): np.nan, (600, 620): np.nan}))
    assert table["reason"].tolist() == [
        "no current in the read window before the pulse",
        "no current in the pulse",
        "no current in the read window behind the pulse",
        "",
    ]


def test_readings_out_of_range_are_as_if_not_taken():
    lost = events(changed(train(), current={(85, 95): np.nan, 150: np.nan}, voltage={330: np.nan}))
    infinite = events(changed(train(), current={(85, 95): np.inf, 150: -np.inf}, voltage={330: np.inf}))
    assert infinite.equals(lost) and lost["kept"].all()


def test_what_the_ends_of_the_trace_cut_off_is_named():
    table = events(without(without(train(), slice(750, None)), slice(None, 150)))
    assert table["reason"].tolist() == [
        "cut off by the start of the trace", "", "", "cut off by the end of the trace"
    ]  # fmt: skip


def test_pulses_that_touch_have_no_read_between():
    table = events(train([0.1, 0.2, 0.5], amplitude=[5, -3, 5]))
    assert table["reason"].tolist() == ["no read window before the next pulse", "no read window before the pulse", ""]
    np.testing.assert_allclose(table["onset"], [0.1, 0.2, 0.5])


# --- without a stimulus
def relaxing(noise=NOISE, sign=1.0) -> Trace:
    """Photocurrents that rise at once and relax slowly: no step where the light goes off."""
    time = np.arange(4000) * STEP
    current = np.full(time.size, LEVEL)
    for onset in (0.5, 1.5, 2.5):
        since = time - onset
        lit = (since > -STEP / 2) & (since < WIDTH - STEP / 2)
        current[lit] += 1e-9 * (1 + since[lit])
        current += np.where(since >= WIDTH - STEP / 2, 1.1e-9 * np.exp(-(since - WIDTH) / 0.3), 0.0)
    current = sign * current + np.random.default_rng(3).normal(0, noise, time.size)
    return Trace(measurement(), "1", time, current, np.full(time.size, 0.5), None, LIGHT_STIMULUS)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_steps_of_the_current_mark_pulses_where_no_stimulus_was_recorded(sign):
    table = events(relaxing(sign=sign))
    assert table["kept"].all() and table["amplitude"].isna().all()
    np.testing.assert_allclose(table["onset"], [0.5, 1.5, 2.5], atol=STEP / 2)
    np.testing.assert_allclose(table["width"], WIDTH, atol=10 * STEP)
    assert (np.sign(table["end"]) == sign).all()
    square = replace(train(), stimulus=None)
    table = events(square)
    np.testing.assert_allclose(table["onset"], ONSETS)
    np.testing.assert_allclose(table["width"], WIDTH)


def test_a_spike_is_no_pulse_where_no_stimulus_was_recorded():
    table = events(changed(relaxing(), current={1000: 5e-9}))
    assert table.loc[~table["kept"], ["onset", "reason"]].to_numpy().tolist() == [[1.0, "glitch of one sample"]]
    np.testing.assert_allclose(table.loc[table["kept"], "onset"], [0.5, 1.5, 2.5], atol=STEP / 2)


# --- refusals
def test_what_cannot_be_analysed_is_refused():
    trace = train()
    flat = np.full(trace.time.size, READ)
    quiet = np.random.default_rng(0).normal(LEVEL, NOISE, trace.time.size)
    noisy = np.random.default_rng(0).normal(READ, 1e-3, trace.time.size)
    spike = flat.copy()
    spike[300] = 5.0
    refused = [
        (changed(trace, time={400: 0.1}), r"time does not increase: 0\.399 s at sample 399, 0\.1 s at the next"),
        (changed(trace, time={(400, 402): 0.4}), "time does not increase"),
        (without(trace, slice(None)), "0 samples"),
        (changed(trace, current={(0, None): np.nan}), "none of 900 currents is a number"),
        (changed(trace, voltage={(0, None): np.nan}), "no value of the stimulus is a number"),
        (replace(trace, stimulus=flat), r"no pulse: the stimulus departs from 0\.5 V by at most 0 V"),
        (replace(trace, stimulus=noisy), r"no pulse: the stimulus departs from 0\.5 V"),
        (replace(trace, stimulus=spike), "no pulse: the stimulus departs for a single sample only"),
        (replace(trace, stimulus=None, current=quiet), "no stimulus was recorded and no pulse stands out"),
    ]
    for damaged, message in refused:
        with pytest.raises(AnalysisError, match=f"ppf_10ms: run 1: {message}.*; "):
            events(damaged)


# --- any train
@st.composite
def trains(draw):
    count = draw(st.integers(1, 12))
    widths = draw(st.lists(st.integers(2, 40), min_size=count, max_size=count))
    gaps = draw(st.lists(st.integers(3, 60), min_size=count + 1, max_size=count + 1))
    levels = draw(st.lists(st.floats(1.3, 5.0), min_size=count, max_size=count))
    signs = draw(st.lists(st.sampled_from([-1.0, 1.0]), min_size=count, max_size=count))
    noise = draw(st.sampled_from([0.0, 1e-4, 0.03]))
    return widths, gaps, np.array(levels) * signs, draw(st.floats(-0.5, 0.5)), noise, draw(st.integers(0, 2**31))


@settings(max_examples=200, deadline=None)
@given(trains())
@example(([33], [3, 16], np.array([-2.0]), 0.0, 0.03, 694875741))  # both edges of a level three deviations apart
def test_any_train_of_square_pulses_is_found(case):
    widths, gaps, levels, level, noise, seed = case
    voltage = [np.full(gaps[0], level)]
    for width, gap, pulse in zip(widths, gaps[1:], levels, strict=True):
        voltage += [np.full(width, pulse), np.full(gap, level)]
    voltage = np.concatenate(voltage)
    onsets = np.cumsum(gaps[:-1]) + np.cumsum([0, *widths[:-1]])
    rng = np.random.default_rng(seed)
    voltage = voltage + rng.normal(0, noise, voltage.size)
    time = np.arange(voltage.size) * STEP
    current = 1e-9 * voltage + rng.normal(0, NOISE, voltage.size)
    table = events(Trace(measurement(), "1", time, current, voltage, voltage, "V"), read_window=3 * STEP)
    pulses = table[table["number"] >= 0]
    np.testing.assert_allclose(pulses["onset"], onsets * STEP, atol=1.01 * STEP)
    np.testing.assert_allclose(pulses["width"], np.array(widths) * STEP, atol=1.01 * STEP)
    np.testing.assert_allclose(pulses["amplitude"], levels, atol=4 * noise + 1e-12)


# --- traces
def column(dimension, values, units):
    return variable(dimension, np.asarray(values, float), units, "x")


def test_runs_of_a_workbook_are_traces():
    one = xr.Dataset({
        "Time": column("point", [0, 1, 2, np.nan], "s"),
        "V": column("point", [0.5, 5, 0.5, np.nan], "V"),
        "I": column("point", [1, 9.9e37, 3, np.nan], "nA"),
        "I2": column("point", [7, 7, 7, 7], "A"),
    })  # fmt: skip
    first, second = traces_of(measurement({"Run1": one, "Run2": one.rename(V="AV", I="DrainI")}))
    assert (first.run, second.run, first.stimulus_unit) == ("Run1", "Run2", "V")
    np.testing.assert_array_equal(first.time, [0, 1, 2])
    np.testing.assert_allclose(second.current, [1e-9, np.nan, 3e-9])
    np.testing.assert_array_equal(first.stimulus, first.voltage)


def table(runs, **changes):
    columns = {
        "run": column("row", runs, "1"),
        "time": column("row", [0, 1, 0, 1], "s"),
        "bias_voltage": column("row", [0.5, 0.5, 0.5, 0.5], "V"),
        "channel_current": column("row", [1, 2, 3, 4], "A"),
        "power_density": column("row", [0, 32, 0, 16], "mW/cm^2"),
    }
    columns |= {name: column("row", *content) for name, content in changes.items()}
    return measurement({"table": xr.Dataset(columns)})


def test_runs_of_a_table_are_traces():
    first, second = traces_of(table([1, 1, 2, 2]))
    assert (first.run, second.run, first.stimulus_unit) == ("1", "2", LIGHT_STIMULUS)
    np.testing.assert_array_equal(second.stimulus, [0, 16])
    np.testing.assert_array_equal(second.current, [3, 4])
    for dark in ([0, 0, 0, 0], [np.nan] * 4):
        assert traces_of(table([1, 1, 2, 2], power_density=(dark, "mW/cm^2")))[0].stimulus is None
    electrical = table([1, 1, 2, 2], power_density=([0] * 4, "W/m^2"), bias_voltage=([0.5, 5, 0.5, 5], "V"))
    np.testing.assert_array_equal(traces_of(electrical)[1].stimulus, [0.5, 5])
    with pytest.raises(AnalysisError, match="ppf_10ms: table: run 1 reappears"):
        traces_of(table([1, 2, 1, 2]))
    with pytest.raises(AnalysisError, match="table: row 3 has no run number"):
        traces_of(table([1, 1, np.nan, 2]))


REAL = {
    "keithley4200_xlsx/00 Leakage.xlsx": (1, 82, -5.19913810354683e-13),
    "keithley4200_xlsx/01 Electroforming.xlsx": (1, 2002, -0.000500023423228413),
    "keithley4200_xlsx/02 reset.xlsx": (1, 602, 7.60949137035283e-10),
    "keithley4200_xlsx/05 endurance set.xlsx": (101, 502, -0.000500040012411773),
    "keithley4200_txt_csv/05 endurance reset txt.txt": (1, 502, -6.261089e-07),
    "keithley4200_xls/vgs-id#1@_vds_100mV_vgs_-40_60V_L4S_L3D_vac05_MoS2_280K.xls": (1, 201, -1.2224521525e-12),
    "keithley4200_xls/vgs-id#5@_vds_100mV_vgs_-40_60V_L4S_L3D_vac15_MoS2_77K.xls": (1, 201, -2.0186107559e-12),
}
"""File → runs, samples of the first, smallest current of the first."""
LACKING = (
    "keithley4200_xls/vds-id#1.xls",
    "keithley4200_xls/vtlin#1.xls",
    "keithley4200_xlsx/03 endurance ratio.xlsx",
    "keithley4200_xlsx/05 endurance ratio.xlsx",
    "keithley4200_txt_csv/05 endurance ratio csv.csv",
    "keithley4200_txt_csv/05 endurance ratio txt.txt",
    "keithley2636_csv/blend-1020-20-1-transfer.csv",
    "keithley2636_csv/first_run.csv",
    "keithley2636_csv/no-contact.csv",
    "keithley2636_csv/no-gate.csv",
    "keithley2636_csv/test.csv",
    "keithley2636_csv/znpc-20-3-iv-sweep.csv",
)


def ingested(path) -> Measurement:
    return measurement({name: child.to_dataset() for name, child in read(path).children.items()})


@pytest.mark.parametrize("name", REAL)
def test_real_files_with_time_are_traces(rawfiles, name):
    traces = traces_of(ingested(rawfiles / "electrical" / name))
    runs, samples, smallest = REAL[name]
    assert (len(traces), traces[0].time.size) == (runs, samples)
    assert traces[0].current.min() == pytest.approx(smallest, rel=1e-9)
    assert all(np.all(np.diff(trace.time) > 0) for trace in traces)


@pytest.mark.parametrize("name", LACKING)
def test_real_files_without_time_say_so(rawfiles, name):
    with pytest.raises(AnalysisError, match=r"ppf_10ms: run .*: no column of time \(s\)"):
        traces_of(ingested(rawfiles / "electrical" / name))


def test_the_list_of_real_files_is_whole(rawfiles):
    files = {str(path.relative_to(rawfiles / "electrical")) for path in (rawfiles / "electrical").rglob("*.*")}
    refused = {"keithley2636_csv/test.xls", *(name for name in files if name.endswith(".tsp"))}
    assert set(REAL) | set(LACKING) | refused == files
