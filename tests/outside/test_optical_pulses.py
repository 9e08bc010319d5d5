"""Pulses of light on devices that are not those of the fit: right, or said to be wrong."""

from functools import partial

import numpy as np
import pytest
from relaxor.core.results import Measurement, Status
from relaxor.project.analysis import analyse
from relaxor.synapse.protocols import kind_of, pair_index
from relaxor.synapse.recording import record
from relaxor.techniques.registry import techniques

from tests.outside import pulses_truth as outside
from tests.outside.scenario import Scenario, holds, require_no_silent_miss, require_right_or_said, rows_of
from tests.public_files import shared

LAYERS: dict[str, dict[str, object]] = {"instruments": {}, "lab": {}, "sample": {}}
RESPONSE = "photoresponse"
TRAPS = {
    (RESPONSE, "relaxation_time", "1"): 0.3,
    (RESPONSE, "relaxation_time", "2"): 8.0,
    (RESPONSE, "power_exponent", ""): 0.7,
    (RESPONSE, "noise_of_neighbours", ""): 5e-14,
}
POWERS = np.geomspace(0.01, 100, 9)
"""mW/cm²: four decades."""
D_STAR_WIDTH = 1.0
"""s."""


def series_and_dark(corner: float, length: float, rng: np.random.Generator) -> list[Measurement]:
    """A series of powers, and the device in the dark."""
    device = outside.two_kinds()
    runs = [outside.exposed(device, [(0.5, D_STAR_WIDTH, p)], 4, rng) for p in (2.0, 8.0, 32.0)]
    return [outside.light_file("power", [*runs, outside.dark_run(rng, length, corner)])]


def detectivity(corner: float) -> dict[tuple[str, str, str], float]:
    """The noise of the device at half a hertz."""
    density = 1e-14 * np.sqrt(1 + corner / 0.5)
    return {("figures_of_merit", "noise_density_at_signal", ""): float(density)}


def decades(rng: np.random.Generator, jitter: float = 0.0) -> list[Measurement]:
    """A series over four decades of power, I = 10 nA · P^0.7; pulses made by hand last for different times."""

    def device(time: np.ndarray, pulses: list[outside.Pulse]) -> np.ndarray:
        lit = [np.where((time > a - 1e-9) & (time < a + w - 1e-9), 1e-8 * p**0.7, 0.0) for a, w, p in pulses]
        return np.sum(lit, axis=0)

    how = {"noise": 1e-12, "gain": 0.0, "dark": 1e-6, "step": 0.01}
    widths = 1 + jitter * rng.random(POWERS.size)
    runs = [outside.exposed(device, [(1.0, w, p)], 4, rng, **how) for w, p in zip(widths, POWERS, strict=True)]
    return [outside.light_file("decades", runs)]


SCENARIOS = [
    Scenario("two kinds of traps, white noise", "optical_pulses", partial(outside.light_session, outside.two_kinds()),
             TRAPS, {}, family=True),
    Scenario("25 kinds of traps from 0.05 to 50 s", "optical_pulses",
             partial(outside.light_session, outside.many_kinds()),
             {("trap_distribution", "power_exponent", ""): 0.7, **TRAPS}, {},
             before="chi-square 0.9987, time constants 0.523 ± 0.006 and 6.51 ± 0.05 s, nothing said", draws=6),
    Scenario("carriers that recombine in pairs", "optical_pulses",
             partial(outside.light_session, outside.bimolecular),
             {key: value for key, value in TRAPS.items() if "noise" not in key[1]}, {},
             before="noise 15 times too large, errors NaN, nothing said", draws=4),
    Scenario("series of power over four decades", "optical_pulses", decades,
             {("amplitude", "exponent", ""): 0.7}, {},
             before="2 of 5 pulses found, no responsivity, nothing said", draws=6),
    Scenario("pulses by hand, of widths that scatter by 30 %", "optical_pulses", partial(decades, jitter=0.3),
             {("amplitude", "exponent", ""): 0.7}, {}, before="refused", draws=4),
    Scenario("white noise in the dark", "optical_pulses", partial(series_and_dark, 0.0, 60.0), detectivity(0.0), {},
             family=True),
    Scenario("1/f noise in the dark, corner 100 Hz", "optical_pulses", partial(series_and_dark, 100.0, 60.0),
             detectivity(100.0), {}, before="D* 2.8 to 3.9 times too high"),
    Scenario("1/f noise in the dark, runs too short for the signal", "optical_pulses",
             partial(series_and_dark, 100.0, 1.5), detectivity(100.0), {}),
]  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS[5:], ids=lambda each: each.name)
def test_a_few_draws_are_right_or_flagged(scenario: Scenario) -> None:
    require_no_silent_miss(scenario, 1)


@pytest.mark.parametrize(
    ("kind", "trains"),
    [
        ("amplitude", [[(0.5, 0.2, p)] for p in (2.0, 8.0, 32.0)]),
        ("width", [[(0.5, w, 8.0)] for w in (0.1, 0.3, 1.0)]),
        ("number", [[(0.5 + 0.4 * i, 0.2, 8.0) for i in range(n)] for n in (1, 2, 4)]),
        ("pairs", [[(0.5, 0.2, 8.0), (0.7 + gap, 0.2, 8.0)] for gap in (0.1, 0.3, 1.0)]),
        ("codes", [[(0.5 + 0.4 * i, 0.2, 8.0) for i in slots] for slots in ((0,), (1,), (0, 1))]),
    ],
)
def test_a_run_in_the_dark_does_not_change_what_a_file_is(kind: str, trains: list[list[outside.Pulse]]) -> None:
    rng, device = np.random.default_rng(7), outside.two_kinds()
    runs = [outside.exposed(device, pulses, 4, rng) for pulses in (*trains, [])]
    recording = record(outside.light_file(kind, runs), 0.04, "end")
    assert kind_of(recording) == kind
    if kind == "pairs":
        assert pair_index(recording).sizes["interval"] == len(trains)


def test_a_distribution_of_traps_is_told_and_predicts() -> None:
    from relaxor.synapse.photoresponse.kinetics import Light
    from relaxor.synapse.photoresponse.response import fit_response

    device = outside.many_kinds()
    files = outside.light_session(device, np.random.default_rng(1))
    response = fit_response([trace for file in files for trace in record(file, 0.04, "end").traces])
    assert response.adequacy.status is Status.MISFIT and response.reduced_chi_square > 10
    assert response.traps is not None and response.prediction.adequacy.status is Status.OK
    later = np.array([9.5])  # four seconds behind a pulse that no run holds
    light, slopes = Light.pulses([0.5], 5.0, 2.0), response.traps.slopes(Light.pulses([0.5], 5.0, 2.0), later)[0]
    truth = float(device(later, [(0.5, 5.0, 2.0)])[0])
    error = float(np.sqrt(slopes @ response.traps.covariance @ slopes))
    assert float(response.prediction.current(light, later)[0]) == pytest.approx(truth, abs=3 * error)
    assert error < 0.05 * truth


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_every_scenario_is_right_or_flagged(scenario: Scenario) -> None:
    require_right_or_said(scenario, 20)


# --- a detector of graphene and quantum dots whose responsivities were published
PUBLISHED = {
    0.004648961: (226.52, 18.77),
    0.05852695: (58.083, 1.892),
    1.8507848: (4.3415, 0.130),
    23.3: (0.42209, 0.0135),
}
"""Power density, mW/cm² → responsivity and its standard uncertainty, A/W, on 10⁻⁴ cm²."""


def detector(name: str) -> Measurement:
    """The runs of one file of the public data."""
    values = np.loadtxt(shared(f"public/gfet_photo/{name}"), delimiter=",", skiprows=1)
    runs = [
        {"time": rows[:, 1], "power": rows[:, 2], "current": rows[:, 4]}
        for rows in (values[values[:, 0] == run] for run in np.unique(values[:, 0]))
    ]
    file = outside.light_file("detector", runs)
    file.regions["table"]["bias"][:] = values[:, 3]
    return Measurement("detector", outside.ATTRS, {"wavelength": (520.0, "nm"), "area": (1e-4, "cm^2")}, file.regions)


def test_no_run_of_a_real_detector_is_taken_for_the_dark() -> None:
    found = analyse(techniques()["optical_pulses"], [detector("CVD1F_light_raw.csv")], LAYERS)
    (pulses,) = rows_of(found, ("events", "pulses", ""))
    assert pulses.value == 7
    for row in rows_of(found, ("figures_of_merit", "responsivity", "")):
        truth = [each for power, each in PUBLISHED.items() if abs(row.at - power) < 0.01 * power]
        for value, error in truth:
            off = abs(row.value - value) / np.hypot(error, np.hypot(row.standard_error, row.systematic_error))
            assert off < 1.96 or row.status != Status.OK, row


def test_a_file_of_which_no_number_comes_says_so(caplog: pytest.LogCaptureFixture) -> None:
    rng, device = np.random.default_rng(3), outside.two_kinds()
    slots = [[(0.2 + 0.2 * k, 0.1, 32.0) for k in range(4) if code >> k & 1] for code in range(8)]
    file = outside.light_file("codes", [outside.exposed(device, pulses, 1.2, rng, step=0.01) for pulses in slots])
    found = analyse(techniques()["optical_pulses"], [file], LAYERS)
    (row,) = rows_of(found, ("events", "analysed", ""))
    assert row.value == 0 and row.status is Status.NOT_IDENTIFIED and "fitted response" in row.method
    assert "codes: no number comes from its pulses" in caplog.text


def test_a_series_is_drawn_by_the_response_of_all_runs() -> None:
    files = outside.light_session(outside.two_kinds(), np.random.default_rng(4))
    found = analyse(techniques()["optical_pulses"], files, LAYERS)
    for name in ("power", "width", "number"):
        law = found.curves[f"{name}/law"]
        points = found.curves[f"{name}/responses"]
        drawn = np.interp(np.log(points.value), np.log(law.value), law.response)
        assert law.attrs["follows"] == 1
        np.testing.assert_allclose(drawn, points.response, rtol=0.04)
    assert all(holds(row, 0.7) for row in rows_of(found, (RESPONSE, "power_exponent", "")))
