"""Optical response: the closed form, the fit of all runs together, the codes, the encoder's file, figures of merit."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Number
from relaxor.synapse.photoresponse.analysis import spectral_rows
from relaxor.synapse.photoresponse.codes import (
    CODES,
    CodeTiming,
    code_rows,
    encode,
    measured_codes,
    separation,
    uncertainty_of_prediction,
)
from relaxor.synapse.photoresponse.encoder import encoder_curves, encoder_of, load_encoder
from relaxor.synapse.photoresponse.figures_of_merit import merit_rows, noise_in_the_dark, quantum_efficiency
from relaxor.synapse.photoresponse.kinetics import PARAMETERS, Light, Readings, components
from relaxor.synapse.photoresponse.noise import Noise
from relaxor.synapse.photoresponse.quantities import ONE_EXPONENT, OWN_EXPONENT
from relaxor.synapse.photoresponse.reduction import reduce
from relaxor.synapse.photoresponse.response import QUANTITIES, Response, _mean, fit_response
from relaxor.synapse.photoresponse.response_rows import response_rows
from relaxor.synapse.recording import Recording
from relaxor.synapse.traces import Trace
from scipy import stats
from scipy.integrate import solve_ivp

TRUTH = dict(zip(PARAMETERS, (2e-10, 1e-9, 3e-9, 3.0, 0.05, 0.3, 8.0, 0.7, 0.7), strict=True))
READ_NOISE, GAIN_NOISE = 1e-11, 0.03
MEASUREMENT = Measurement("light_650", {"raw_sha256": "ab" * 32, "origin": "simulated"}, {}, {})
TIMING = CodeTiming(
    first=0.5, period=0.2, width=0.1, power=32.0, read_delay=0.1, read_window=0.05, sampling_interval=0.01
)
DARK = Light(np.array([0.0]), np.array([0.0]))
REFERENCE = 32.0
"""Power density, mW/cm², that `TRUTH` is given for."""


def of_parameters(response: Response) -> dict[str, Number]:
    """The numbers of a response by the name of the parameter in the fit, or of the quantity."""
    names = {(quantity.name, part): name for name, (quantity, part) in QUANTITIES.items()}
    rows = response_rows(MEASUREMENT, response)
    return {names.get((row.parameter, row.feature), row.feature or row.parameter): row for row in rows}


def run(light: Light, end: float, rng: np.random.Generator, name: str, step: float = 0.01, truth=TRUTH) -> Trace:
    """One run with read noise, cycle-to-cycle variation, dark current and drift of its own."""
    # The light changes at a reading, which shows the new power: half a step earlier for the comparison of floats.
    moved = Light(light.start - step / 2, light.power)
    t = step * np.arange(round(end / step))
    power = np.concatenate([[0.0], light.power])[np.searchsorted(moved.start, t, side="right")]
    exact = Light(step * np.rint(light.start / step), light.power)
    response = components(Readings.at(exact.relative(REFERENCE), t + 1e-9), truth).current(truth)
    current = response * (1 + GAIN_NOISE * rng.standard_normal()) + READ_NOISE * rng.standard_normal(t.size)
    current += 5e-11 * (1 + 0.1 * rng.standard_normal()) + 1e-13 * (1 + rng.standard_normal()) * t
    return Trace(MEASUREMENT, name, t, current, np.full(t.size, 0.5), power, "mW/cm^2")


def session(rng: np.random.Generator, repeats: int, truth=TRUTH) -> tuple[list[Trace], list[Trace]]:
    """All series of a wavelength, and the codes."""
    series = [run(Light.pulses([1.0], 1.0, p), 20.0, rng, f"power {p}", truth=truth) for p in (2, 4, 8, 16, 32, 64)]
    series += [run(Light.pulses([1.0], w, 32), 30.0, rng, f"width {w}", truth=truth) for w in (0.1, 0.5, 1, 2, 5, 10)]
    for n in (1, 2, 5, 10, 20):
        series.append(run(Light.pulses(1 + 0.2 * np.arange(n), 0.1, 32), 20.0, rng, f"number {n}", truth=truth))
    for f in (1, 2, 5, 10, 20, 50):
        light = Light.pulses(1 + np.arange(20) / f, 0.5 / f, 32)
        series.append(run(light, 11 + 20 / f, rng, f"frequency {f}", min(0.01, 0.1 / f), truth))
    for d in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50):
        series.append(run(Light.pulses([1.0, 1.1 + d], 0.1, 32), d + 5, rng, f"pair {d}", truth=truth))
    codes = [run(TIMING.light(code), 2.0, rng, f"{code} {i}", truth=truth) for i in range(repeats) for code in CODES]
    return series, codes


def small_session(rng: np.random.Generator) -> list[Trace]:
    pulses = [(p, 1.0, 15.0) for p in (4, 8, 16, 32, 64) for _ in range(2)]
    pulses += [(32, width, 25.0) for width in (0.2, 1.0, 5.0, 10.0)]
    runs = [run(Light.pulses([1.0], width, p), end, rng, "", 0.02) for p, width, end in pulses]
    runs += [run(Light.pulses([1.0, 1.1 + d], 0.1, 32), d + 6, rng, "", 0.02) for d in (0.2, 1.0, 5.0)]
    return runs + [run(TIMING.light(code), 3.0, rng, "", 0.02) for code in CODES]


@pytest.fixture(scope="module")
def traces() -> tuple[list[Trace], list[Trace]]:
    return session(np.random.default_rng(1), 20)


@pytest.fixture(scope="module")
def response(traces: tuple[list[Trace], list[Trace]]) -> Response:
    return fit_response(traces[0] + traces[1])


def leaky(fading: float) -> Response:
    """A linear response that fades by a factor from pulse to pulse."""
    values = TRUTH | {"J0": 0.0, "J2": 0.0, "g1": 1e-6, "tau_1": TIMING.period / -math.log(fading)}
    noise = Noise(1e-18, 0.0, 0.0, 0.0)
    nothing = dict.fromkeys(
        ("dark_current", "dark_error", "dark_spread", "dark_spread_error", "drift", "drift_error"), 0.0
    )
    return Response(values, REFERENCE, np.empty((0, 0)), (), noise, **nothing, aicc={}, runs=99,
                    freedom=90, n=99, reduced_chi_square=1.0)  # fmt: skip


# --- the model
def test_closed_form_solves_the_rate_equations() -> None:
    light = Light(np.array([1.0, 1.1, 1.3, 2.0]), np.array([32.0, 0.0, 10.0, 0.0]))
    t = np.linspace(0, 6, 200)

    def rates(now: float, y: np.ndarray) -> np.ndarray:
        stretch = np.searchsorted(light.start, now, side="right") - 1
        relative = light.power[stretch] / REFERENCE if stretch >= 0 else 0.0
        filling = np.array([TRUTH["g1"], TRUTH["g2"]]) * relative ** TRUTH["alpha"]
        return filling * (1 - y) - y / np.array([TRUTH["tau_1"], TRUTH["tau_2"]])

    solved = solve_ivp(rates, (0, 6), [0.0, 0.0], t_eval=t, max_step=0.005, rtol=1e-8, atol=1e-10).y
    filled = components(Readings.at(light.relative(REFERENCE), t), TRUTH).filled
    np.testing.assert_allclose(filled, solved, atol=1e-6)


def test_derivatives_and_means_are_exact() -> None:
    reduced = reduce([run(Light.pulses([1.0, 1.5], 0.2, 8.0), 4.0, np.random.default_rng(0), "1")])
    values = TRUTH | {"alpha0": 0.9}
    found = components(reduced.readings, values)
    slopes = found.jacobian(values)
    for i, name in enumerate(PARAMETERS):
        step = 1e-6 * values[name]
        above, below = (values | {name: values[name] + side * step} for side in (1, -1))
        difference = (
            components(reduced.readings, above).current(above) - components(reduced.readings, below).current(below)
        ) / (2 * step)
        np.testing.assert_allclose(slopes[:, i], difference, rtol=1e-5, atol=1e-8 * np.abs(difference).max())
    assert reduced.reference == 8.0
    light = reduced.lights[0].relative(reduced.reference)
    single = components(Readings.at(light, reduced.traces[0].time), values).current(values)
    offset = np.concatenate([[0], np.cumsum(reduced.readings.count)[:-1]])
    np.testing.assert_allclose(
        found.current(values), np.add.reduceat(single, offset) / reduced.readings.count, rtol=1e-9, atol=1e-22
    )


def test_means_never_cross_a_change_of_the_light(traces: tuple[list[Trace], list[Trace]]) -> None:
    reduced = reduce(traces[0])
    assert reduced.readings.count.sum() == sum(trace.time.size for trace in traces[0])
    assert np.bincount(reduced.readings.run).max() <= 2 * 41 + 1
    for i, trace in enumerate(traces[0]):
        own = reduced.readings.run == i
        last = np.cumsum(reduced.readings.count[own])
        for begin, end in zip([0, *last[:-1]], last, strict=True):
            assert np.ptp(trace.stimulus[begin:end]) == 0


# --- the fit
def test_what_was_put_in_is_found(response: Response) -> None:
    assert "alpha0" not in response.names and response.reference_power == REFERENCE
    z = [(response.values[name] - TRUTH[name]) / response.error(name) for name in response.names]
    assert np.abs(z).max() < 3.5
    assert np.sqrt(np.mean(np.square(z))) < 1.7
    for name, part in {"tau_1": 0.01, "tau_2": 0.01, "alpha": 0.05, "J2": 0.05, "g2": 0.1}.items():
        assert response.error(name) < part * response.values[name]
    assert response.noise.additive == pytest.approx(READ_NOISE, rel=0.03)
    assert response.noise.multiplicative == pytest.approx(GAIN_NOISE, abs=4 * response.noise.multiplicative_error)
    assert response.dark_current == pytest.approx(5e-11, rel=0.05)
    assert response.reduced_chi_square == pytest.approx(1, abs=0.1)
    np.testing.assert_allclose(response.covariance, response.covariance.T)


def test_readings_taken_as_independent_would_be_far_too_sure(response: Response) -> None:
    # The scale of a response that varies by 3 % from run to run is not known better than 3 % over root of the runs.
    lit = response.runs - 20
    assert response.error("J0") / response.values["J0"] > 0.5 * GAIN_NOISE / math.sqrt(lit)


def test_own_exponent_of_the_prompt_current_is_found_where_there_is_one() -> None:
    truth = TRUTH | {"alpha0": 1.0}
    series, codes = session(np.random.default_rng(2), 1, truth)
    found = fit_response(series + codes)
    assert found.aicc[OWN_EXPONENT] < found.aicc[ONE_EXPONENT] - 2
    assert found.values["alpha0"] == pytest.approx(1.0, abs=4 * found.error("alpha0"))
    assert found.values["alpha"] == pytest.approx(0.7, abs=4 * found.error("alpha"))


@pytest.mark.slow
def test_traps_far_from_saturation_show_only_amplitude_times_rate() -> None:
    truth = TRUTH | {"J2": 3e-7, "g2": 5e-5}
    series, codes = session(np.random.default_rng(3), 2, truth)
    found = fit_response(series + codes)
    rows = of_parameters(found)
    assert "g2" not in found.names and math.isnan(found.error("J2"))
    assert "held at its bound" in rows["g2"].method
    assert "only its product with the filling rate" in rows["J2"].method
    assert found.values["J2"] * found.values["g2"] == pytest.approx(1.5e-11, rel=0.05)
    for name in ("J0", "J1", "g1", "tau_1", "tau_2", "alpha"):
        assert found.values[name] == pytest.approx(truth[name], abs=4 * found.error(name))
    assert (encode(found, TIMING)["standard_error"][1:] > 0).all()


def test_negative_currents_are_fitted_alike() -> None:
    runs = small_session(np.random.default_rng(4))
    turned = [replace(trace, current=-trace.current) for trace in runs]
    up, down = fit_response(runs), fit_response(turned)
    for name in up.values:
        sign = -1 if name.startswith("J") else 1
        assert down.values[name] == pytest.approx(sign * up.values[name], rel=1e-5)


def test_rows_have_intervals_and_say_how(response: Response) -> None:
    rows = of_parameters(response)
    assert set(PARAMETERS) <= set(rows)
    assert rows["tau_2"].unit == "s" and rows["J1"].unit == "A" and rows["tau_2"].model == "photoresponse"
    assert rows["tau_2"].ci_low < rows["tau_2"].value < rows["tau_2"].ci_high
    assert rows["g2"].ci_low * rows["g2"].ci_high == pytest.approx(rows["g2"].value ** 2)
    assert "one exponent for all (AICc)" in rows["alpha0"].method
    assert rows[ONE_EXPONENT].value < rows[OWN_EXPONENT].value + 2
    assert {name for name, row in rows.items() if row.at == REFERENCE} == {"J0", "g1", "g2"}


@pytest.mark.slow
def test_intervals_cover_the_truth() -> None:
    draws = 300
    held: dict[str, list[bool]] = {}
    truth = TRUTH | {
        "dark_current": 5e-11,
        "dark_current_drift": 1e-13,
    }  # runs differ in both, by a tenth and by as much again
    for i in range(draws):
        found = fit_response(small_session(np.random.default_rng([5, i])))
        for name, row in of_parameters(found).items():
            if name in truth:
                held.setdefault(name, []).append(row.ci_low <= truth[name] <= row.ci_high)
    covered = {name: float(np.mean(inside)) for name, inside in held.items()}
    print(covered)
    assert all(0.90 <= share <= 0.98 for share in covered.values()), covered


# --- bad input
def test_no_light_at_all_is_named() -> None:
    runs = [run(DARK, 5.0, np.random.default_rng(0), str(i)) for i in range(20)]
    with pytest.raises(AnalysisError, match=r"light_650: no run has light"):
        fit_response(runs)


def test_one_power_leaves_the_exponent_unknown() -> None:
    rng = np.random.default_rng(6)
    runs = [trace for trace in small_session(rng) if trace.stimulus.max() in (0, 32)]
    found = fit_response(runs)
    assert found.values["alpha"] == 1 and math.isnan(found.error("alpha")) and math.isnan(found.error("alpha0"))
    rows = of_parameters(found)
    assert math.isnan(rows["alpha"].standard_error) and math.isnan(rows["alpha"].ci_low)
    assert "one power only" in rows["alpha"].method
    assert found.values["tau_2"] == pytest.approx(8.0, abs=4 * found.error("tau_2"))


def test_missing_dark_is_named() -> None:
    runs = small_session(np.random.default_rng(7))
    lit = runs[0].time >= 1.0
    cut = {name: getattr(runs[0], name)[lit] for name in ("time", "current", "voltage", "stimulus")}
    with pytest.raises(AnalysisError, match="run early: light is on from the first reading"):
        fit_response([replace(runs[0], run="early", **cut), *runs[1:]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: replace(t, stimulus=None), "nothing was recorded with the current"),
        (lambda t: replace(t, stimulus_unit="V"), "a stimulus in V was recorded"),
        (lambda t: replace(t, current=np.where(t.time > 1, np.nan, t.current)), "not finite"),
        (lambda t: replace(t, time=t.time[::-1]), "does not increase"),
    ],
)
def test_damaged_runs_are_named(change: Callable[[Trace], Trace], message: str) -> None:
    runs = small_session(np.random.default_rng(8))
    with pytest.raises(AnalysisError, match=message):
        fit_response([*runs[:-1], change(runs[-1])])


def test_few_runs_are_refused() -> None:
    with pytest.raises(AnalysisError, match="8 runs with light cannot determine 8 parameters"):
        fit_response(small_session(np.random.default_rng(9))[:8])


def test_a_covariance_that_rounding_made_indefinite_does_not_end_the_analysis() -> None:
    values, precision, slopes = np.array([1.0, 1.1, 0.9]), np.full(3, 4.0), np.full((3, 1), 5.0)
    _, error, *_ = _mean(values, precision, 0.1, slopes, np.array([[-1e-2]]))
    assert 0 < error < 0.1


# --- codes
def test_predicted_codes_agree_with_the_measured(traces: tuple[list[Trace], list[Trace]], response: Response) -> None:
    read, predicted = measured_codes(traces[1], TIMING), encode(response, TIMING)
    moves = uncertainty_of_prediction(response, TIMING, predicted)
    assert tuple(read.index) == tuple(predicted.index) == CODES
    assert (read["n"] == 20).all()
    rows = {(row.model, row.parameter): row.value for row in code_rows(MEASUREMENT, read, predicted, moves)}
    assert 4 < rows["codes_compared", "chi_square"] < stats.chi2.isf(1e-3, 16)
    assert rows["codes_compared", "p_value"] == pytest.approx(stats.chi2.sf(rows["codes_compared", "chi_square"], 16))
    spread = (read["spread"] / predicted["spread"]) ** 2
    assert spread.mean() == pytest.approx(1, abs=0.25)
    # A response that is 10 % too large is seen.
    wrong = predicted.assign(current=1.1 * predicted["current"])
    rows = {row.parameter: row.value for row in code_rows(MEASUREMENT, read, wrong, moves)}
    assert rows["p_value"] < 1e-6


@pytest.mark.slow
def test_how_far_codes_are_apart_has_the_error_of_few_repeats() -> None:
    rng, repeats = np.random.default_rng(31), 20
    current = 1e-12 * (np.arange(16) - 0.5 * (np.arange(16) > 7))
    index = pd.Index(CODES, name="code")
    found = []
    for _ in range(300):
        drawn = current[:, None] + 2e-13 * rng.standard_normal((16, repeats))
        mean, spread = drawn.mean(axis=1), drawn.std(axis=1, ddof=1)
        read = pd.DataFrame(
            {"current": mean, "standard_error": spread / math.sqrt(repeats), "spread": spread, "n": repeats}, index
        )
        rows = code_rows(MEASUREMENT, read, read, [(1e-14 * np.eye(16)[8], np.zeros(16))])
        found.append({(row.model, row.parameter): (row.value, row.standard_error) for row in rows})
    for name in ("smallest_gap", "smallest_gap_over_range", "smallest_d_prime", "error_rate"):
        value, error = np.array([each["codes_measured", name] for each in found]).T
        assert np.sqrt(np.mean(error**2)) == pytest.approx(value.std(), rel=0.15), name
    # Of the two codes that are closest the one that moves is known to 0.01 pA.
    assert found[0]["codes_predicted", "smallest_gap"][1] == pytest.approx(1e-14)


def test_error_rate_is_that_of_drawn_read_outs(response: Response) -> None:
    codes = encode(response, TIMING).sort_values("current")
    rng = np.random.default_rng(10)
    current, spread = codes["current"].to_numpy(), codes["spread"].to_numpy()
    threshold = (current[1:] * spread[:-1] + current[:-1] * spread[1:]) / (spread[1:] + spread[:-1])
    sent = rng.integers(16, size=200_000)
    taken = np.searchsorted(threshold, current[sent] + spread[sent] * rng.standard_normal(sent.size))
    apart = separation(codes)
    assert 0 < apart.error_rate < 1
    assert np.mean(taken != sent) == pytest.approx(apart.error_rate, rel=0.05)
    i = int(np.argmin(apart.d_prime))
    assert apart.closest == (apart.order[i], apart.order[i + 1])


def test_linear_leaky_response_is_degenerate_at_the_golden_ratio() -> None:
    def gap(fading: float) -> float:
        apart = separation(encode(leaky(fading), TIMING))
        return float(apart.gap.min() / apart.gap.sum())

    golden = (math.sqrt(5) - 1) / 2
    assert gap(golden) < 1e-5
    current = encode(leaky(golden), TIMING)["current"]
    assert current["0001"] == pytest.approx(current["0110"], rel=1e-5)
    for fading, expected in {0.2: 0.006, 0.4: 0.039, 0.5: 0.067, 0.55: 0.009, 0.7: 0.017, 0.9: 0.006}.items():
        assert gap(fading) == pytest.approx(expected, abs=6e-4)


def test_fewer_than_sixteen_codes_are_named(traces: tuple[list[Trace], list[Trace]]) -> None:
    some = [trace for trace in traces[1] if trace.run[:4] not in ("0110", "1111")]
    with pytest.raises(AnalysisError, match="14 of 16 codes were taken at least twice; missing 0110, 1111"):
        measured_codes(some, TIMING)
    with pytest.raises(AnalysisError, match=r"0 of \d+ readings in the window at 1\.2 s; leave"):
        measured_codes([replace(t, time=t.time[:90], current=t.current[:90], stimulus=t.stimulus[:90])
                        for t in traces[1]], TIMING)  # fmt: skip
    with pytest.raises(AnalysisError, match="pulses of 32 mW/cm\\^2 where the codes have 16"):
        measured_codes(traces[1], replace(TIMING, power=16.0))


# --- the encoder's file
@pytest.fixture
def encoder_file(traces: tuple[list[Trace], list[Trace]], response: Response, tmp_path: Path) -> Path:
    path = tmp_path / "encoder.json"
    read, predicted = measured_codes(traces[1], TIMING), encode(response, TIMING)
    curves = encoder_curves(response, TIMING, read, predicted, [MEASUREMENT] * 2)
    path.write_text(encoder_of(curves["codes"], curves["response"]).model_dump_json(), encoding="utf-8")
    return path


def test_encoder_comes_back_as_written(encoder_file: Path, response: Response) -> None:
    encoder = load_encoder(encoder_file)
    assert encoder.origin == "simulated" and encoder.raw_sha256 == ["ab" * 32]
    assert encoder.decay_constants[1].value == pytest.approx(response.values["tau_2"], rel=1e-9)
    assert encoder.noise_multiplicative.standard_error == pytest.approx(response.noise.multiplicative_error, rel=1e-9)
    assert encoder.predicted["1011"].current == pytest.approx(encode(response, TIMING).loc["1011", "current"])
    assert encoder.timing == TIMING
    assert "NaN" not in encoder_file.read_text()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("dark_current"), "dark_current: Field required"),
        (lambda c: c.update(version=2), "version: Input should be 1"),
        (lambda c: c["measured"].pop("0110"), "measured: .*missing or not known: 0110"),
        (lambda c: c["decay_constants"][0].update(value=-1.0), "decay_constants.0.value: .*greater than 0"),
        (lambda c: c.update(raw_sha256=["x"]), "raw_sha256.0"),
        (lambda c: c.update(surprise=1), "surprise: Extra inputs"),
    ],
)
def test_wrong_encoder_is_named(encoder_file: Path, change: Callable[[dict], object], message: str) -> None:
    content = json.loads(encoder_file.read_text())
    change(content)
    encoder_file.write_text(json.dumps(content))
    with pytest.raises(AnalysisError, match=message):
        load_encoder(encoder_file)


def test_encoder_that_is_no_json_or_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match=r"none.json: cannot be read: No such file"):
        load_encoder(tmp_path / "none.json")
    (tmp_path / "half.json").write_text('{"version": 1,')
    with pytest.raises(AnalysisError, match=r"half.json: not a valid encoder: file: Invalid JSON"):
        load_encoder(tmp_path / "half.json")


# --- figures of merit
KNOWN = {"voltage": 0.5, "width": 1.0, "area": 1e-6, "wavelength": 650.0}


def dark_trace(rng: np.random.Generator, density: float, n: int = 4096, step: float = 0.01) -> Trace:
    current = 1e-10 + 1e-13 * step * np.arange(n) + density / math.sqrt(2 * step) * rng.standard_normal(n)
    return Trace(MEASUREMENT, "dark", step * np.arange(n), current, np.full(n, 0.5), np.zeros(n), "mW/cm^2")


def test_quantum_efficiency_of_one_electron_a_photon() -> None:
    assert quantum_efficiency(650 / 1239.841984, 650.0) == pytest.approx(1, rel=1e-9)


def test_noise_density_of_white_noise_and_its_error() -> None:
    rng = np.random.default_rng(11)
    drawn = (noise_in_the_dark([dark_trace(rng, 3e-13, 1024)], 0.5, 0.1) for _ in range(300))
    found = np.array([(noise.density, noise.error) for noise in drawn])
    assert found[:, 0].mean() == pytest.approx(3e-13, rel=0.01)
    assert found[:, 0].std() == pytest.approx(found[:, 1].mean(), rel=0.2)


def test_figures_of_merit_follow_their_formulas() -> None:
    rng = np.random.default_rng(12)
    power = np.array([2.0, 4.0, 8.0, 16.0, 32.0])
    current = 1e-9 * (power / 32) ** 0.7
    dark = dark_trace(rng, 5.66e-14)
    found, spectrum = merit_rows(MEASUREMENT, [dark], power, current, 0.02 * current, **KNOWN)
    assert spectrum.attrs["band_from"] < 0.5 <= spectrum.attrs["band_to"]
    assert [row.at for row in found if row.parameter == "responsivity"] == power.tolist()
    rows = {row.parameter: row for row in found if not row.at_unit or row.at in (0.5, 2)}
    at = rows["responsivity"]
    assert at.value == pytest.approx(current[0] / (2e-3 * 1e-6)) and at.unit == "A/W"
    assert at.standard_error == pytest.approx(0.02 * at.value)
    assert rows["shot_noise_density"].value == pytest.approx(math.sqrt(2 * 1.602176634e-19 * 1e-10), rel=0.01)
    assert rows["noise_over_shot_noise_at_signal"].value == pytest.approx(10, rel=0.2)
    expected = math.sqrt(1e-6) * at.value / rows["noise_density_at_signal"].value
    assert rows["detectivity_at_signal"].value == pytest.approx(expected)
    assert rows["shot_noise_detectivity"].value / rows["detectivity_at_signal"].value == pytest.approx(
        rows["noise_over_shot_noise_at_signal"].value
    )
    assert all("10.1038/s41467-023-37635-1" in row.method for name, row in rows.items() if "detectivity" in name)


def test_a_wrong_scale_moves_figures_of_merit_by_their_systematic_errors() -> None:
    dark = dark_trace(np.random.default_rng(14), 1e-13)
    power, current = np.array([2.0, 4.0, 8.0]), np.array([1e-10, 2e-10, 3e-10])

    def merits(area: float = 1.0, scale: float = 1.0, light: float = 1.0, **known) -> list[Number]:
        read = replace(dark, current=scale * dark.current)
        return merit_rows(
            MEASUREMENT, [read], light * power, scale * current, 0.02 * scale * current, voltage=0.5,
            width=1.0, area=area * 1e-6, wavelength=650.0, **known,
        )[0]  # fmt: skip

    errors = {"area": 0.05, "scale": 0.01, "light": 0.03}
    found = merits(scale_uncertainties=tuple(errors.values()))
    shifted = [merits(**{name: 1 + 1e-3 * error}) for name, error in errors.items()]
    for row, *moved in zip(found, *shifted, strict=True):
        shift = math.hypot(*(1e3 * (other.value - row.value) for other in moved))
        assert row.systematic_error == pytest.approx(shift, rel=1e-3, abs=1e-5 * abs(row.value)), row.parameter
    relative = {row.parameter: row.systematic_error / row.value for row in found}
    assert relative["detectivity_at_signal"] == pytest.approx(math.hypot(0.05 / 2, 0.03))
    assert relative["shot_noise_detectivity"] == pytest.approx(math.hypot(0.05 / 2, 0.01 / 2, 0.03))
    assert relative["noise_equivalent_power_at_signal"] == pytest.approx(math.hypot(0.05, 0.03))


def test_figures_of_merit_refuse_what_they_cannot_use() -> None:
    dark = dark_trace(np.random.default_rng(13), 1e-13)
    with pytest.raises(AnalysisError, match="light was on"):
        noise_in_the_dark([replace(dark, stimulus=np.ones(dark.time.size))], 0.5, 1.0)
    with pytest.raises(AnalysisError, match="not evenly spaced"):
        noise_in_the_dark([replace(dark, time=dark.time**2)], 0.5, 1.0)
    with pytest.raises(AnalysisError, match="shows no noise"):
        noise_in_the_dark([replace(dark, current=np.zeros(dark.time.size))], 0.5, 1.0)
    with pytest.raises(AnalysisError, match="area, wavelength and power density must be positive"):
        merit_rows(MEASUREMENT, [dark], np.ones(2), np.ones(2), np.ones(2), **KNOWN | {"area": 0.0})


def test_noise_is_that_of_the_first_dark_run_at_the_voltage_that_is_fit() -> None:
    fit = dark_trace(np.random.default_rng(15), 1e-13)
    short = replace(
        fit, run="short", **{name: getattr(fit, name)[:40] for name in ("time", "current", "voltage", "stimulus")}
    )
    uneven = replace(fit, run="uneven", time=fit.time**2)
    biased = replace(fit, run="biased", voltage=2 * fit.voltage)
    power, current = np.array([2.0, 4.0, 8.0]), np.array([1e-10, 2e-10, 3e-10])

    def merits(*darks: Trace) -> dict[str, Number]:
        found, _ = merit_rows(MEASUREMENT, darks, power, current, 0.02 * current, **KNOWN)
        return {row.parameter: row for row in found}

    assert repr(merits(biased, short, uneven, fit)) == repr(merits(fit))  # NaN is not equal to itself
    for darks, reason in (
        ((short, uneven), "light_650, run short: 40 readings in the dark; 64 needed for a spectrum"),
        ((biased, uneven), "light_650, run uneven: readings are not evenly spaced, as a noise spectrum requires"),
        ((biased,), "no run in the dark at 0.5 V"),
        ((), "no run in the dark at 0.5 V"),
    ):
        rows = merits(*darks)
        assert "detectivity_at_signal" not in rows and rows["responsivity"].value > 0
        assert rows["noise_spectrum"].value == 0 and rows["noise_spectrum"].method == f"{reason}; no detectivity"


# --- wavelengths
def power_series(wavelength: float, power: np.ndarray, response: np.ndarray, error: np.ndarray) -> tuple:
    table = pd.DataFrame({"value": power, "response": response, "error": error, "repeats": 1})
    return wavelength, Recording(replace(MEASUREMENT, id=f"power_{wavelength:g}nm"), [], pd.DataFrame(), "end"), table


def test_wavelengths_are_compared_at_the_powers_that_both_have() -> None:
    rng, power = np.random.default_rng(21), np.array([2.0, 4.0, 8.0, 16.0])
    covered = 0
    for _ in range(400):
        red = 1e-12 * power**0.7
        drawn = red * (1 + 0.02 * rng.standard_normal(power.size))
        green = 1.25 * red[1:] * (1 + 0.03 * rng.standard_normal(3))
        series = [
            power_series(520, 1.001 * power[1:], green, 0.03 * green),
            power_series(650, power, drawn, 0.02 * drawn),
        ]
        (row,) = spectral_rows(series, 0.03)
        covered += row.ci_low <= 1.25 <= row.ci_high
    assert (row.measurement, row.model, row.parameter, row.n) == ("power_520nm", "spectral", "response_ratio", 3)
    assert (row.at, row.at_unit) == (650, "nm")
    assert row.systematic_error == pytest.approx(0.0424 * row.value, rel=1e-3)
    assert 0.93 <= covered / 400 <= 0.97
    apart = [series[1], power_series(520, 1.1 * power[1:], green, 0.03 * green)]
    assert spectral_rows(apart, 0.03) == spectral_rows(series[1:], 0.03) == spectral_rows([], 0.03) == []
