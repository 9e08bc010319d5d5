"""Raman spectra of forward models that relaxor does not have: right, or saying so."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pytest
from relaxor.core.results import Measurement
from relaxor.techniques.raman.settings import RamanSettings

from tests.analyses import analysis_of
from tests.outside import raman_truth as outside
from tests.outside.scenario import Scenario, holds, require_right_or_said, rows_of

analyse = analysis_of("raman")

SETTINGS = {
    "modes": {name: center for name, (center, _, _) in outside.MODES.items()},
    "substrate_lines": {"Si_2TA": 303.0},
    "calibration_line": 520.45,
    "calibration_uncertainty": 0.14,
    "window": (85.0, 600.0),
    "instrument_fwhm": outside.RESPONSE,
}
"""Those of the sample."""
TRUE = outside.positions(outside.MODES)
SHIFTS = {key: value for key, value in TRUE.items() if key[1] == "raman_shift"}
Draw = Callable[[np.random.Generator], Sequence[Measurement]]


def modes(
    change: Callable[[np.ndarray], np.ndarray] = np.ones_like,
    shape: outside.Line = outside.voigt_line,
    more: Sequence[tuple[float, float, float]] = (),
    under: Callable[[np.ndarray], np.ndarray] = np.zeros_like,
    accumulations: int = 5,
    axis: np.ndarray = outside.AXIS,
) -> Draw:
    """Spectra of the five modes.

    Parameters
    ----------
    change
        Factor of the expected counts at each Raman shift.
    shape
        Shape of the modes.
    more
        Further lines, which nobody lists.
    under
        Expected counts of a further background.
    accumulations
        Number of accumulations.
    axis
        Axis that the file gives; the light is at `raman_truth.AXIS`.
    """
    lines = [*outside.MODES.values(), *more]

    def draw(generator: np.random.Generator) -> Sequence[Measurement]:
        counts = outside.expected(outside.AXIS, lines, shape) * change(outside.AXIS) + under(outside.AXIS)
        spectra = outside.recorded(generator, outside.AXIS, counts, accumulations)
        return [outside.measurement(axis, spectra)]

    return draw


def fringe(shift: np.ndarray, depth: float = 0.03, period: float = 37.0) -> np.ndarray:
    """Transmission of an etalon in front of the camera."""
    return 1 + depth * np.cos(2 * np.pi * shift / period + 0.8)


def bent(shift: np.ndarray) -> np.ndarray:
    """An axis that is off by 0.5 1/cm at 400 1/cm from silicon, quadratically."""
    return shift + 0.5 * ((shift - 520.45) / 400) ** 2


named = partial(Scenario, technique="raman", settings=SETTINGS)
SCENARIOS = [
    named("modes as fitted, five accumulations", draw=modes(), truth=TRUE, family=True),
    named("modes as fitted, one accumulation", draw=modes(accumulations=1), truth=TRUE, family=True),
    named(
        "Breit–Wigner–Fano lines, q = −12",
        draw=modes(shape=outside.fano_line(-12)),
        truth=SHIFTS,
        before="off −0.35 … −0.55 1/cm, errors 0.01–0.04, z −15 … −57",
    ),
    named(
        "Breit–Wigner–Fano lines, q = −12, one accumulation",
        draw=modes(shape=outside.fano_line(-12), accumulations=1),
        truth=SHIFTS,
    ),
    named(
        "unlisted neighbour at 214 1/cm, 15 % of Ag1",
        draw=modes(more=[(214.0, 0.15 * 31400, 6.2)]),
        truth={key: TRUE[key] for key in TRUE if key[2] == "Ag1"},
        before="Ag1 207.84 ± 0.010 for 207.50, area 36,900 ± 108 for 31,400",
    ),
    named(
        "unlisted neighbour at 214 1/cm, one accumulation",
        draw=modes(more=[(214.0, 0.15 * 31400, 6.2)], accumulations=1),
        truth={key: TRUE[key] for key in TRUE if key[2] == "Ag1"},
    ),
    named(
        "etalon fringe of 3 %, one accumulation",
        draw=modes(fringe, accumulations=1),
        truth=SHIFTS,
        before="Ag1 207.404 ± 0.024 for 207.50, chi-square 0.98",
    ),
    named("fluorescence of two bands on a slope", draw=modes(under=outside.bands), truth=TRUE),
    named(
        "fluorescence of two bands on a slope, one accumulation",
        draw=modes(under=outside.bands, accumulations=1),
        truth={key: TRUE[key] for key in TRUE if key[2] in ("Eg1", "Ag1")},  # the others are not always seen
    ),
    named(
        "unlisted line of the same area, 6 1/cm above Ag1",
        draw=modes(more=[(213.5, 31400, 6.2)]),
        truth={key: TRUE[key] for key in TRUE if key[2] == "Ag1"},
    ),
    named("etalon fringe of 3 %, five accumulations", draw=modes(fringe), truth=SHIFTS),
    named(
        "axis off by 0.5 1/cm at 400 1/cm from silicon",
        draw=modes(axis=bent(outside.AXIS)),
        truth=SHIFTS,
        before="Eg1 112.22 ± 0.02 (systematic 0.14) for 111.70",
    ),
]


def single(step: float, width: float, height: float) -> Scenario:
    """Two lines on a flat background in one accumulation."""
    lines = {"A": (300.3, width), "B": (450.7, width)}
    settings = {"modes": {"A": 300.0, "B": 451.0}, "baseline_degree": 2, "instrument_fwhm": 0.1}

    def draw(generator: np.random.Generator) -> Sequence[Measurement]:
        shift = np.arange(200.0, 550.0, step)
        counts = 100 + sum(height / (1 + ((shift - center) / (width / 2)) ** 2) for center, _ in lines.values())
        return [outside.measurement(shift, generator.poisson(counts).astype(float))]

    truth = {("voigt", "area", name): math.pi / 2 * height * width for name in lines}
    truth |= {("voigt", "fwhm_lorentzian", name): width for name in lines}
    return Scenario(
        f"pixels of {step:g} 1/cm, lines of {width:g} 1/cm and {height:g} counts",
        technique="raman",
        draw=draw,
        truth=truth,
        settings=settings,
        family=True,
    )


SINGLES = [single(*each) for each in [(0.6, 5, 1000), (1.0, 5, 1000), (1.0, 3, 300), (1.5, 4, 500), (2.0, 10, 300)]]
SCENARIOS += SINGLES


def hit(position: float, height: float, accumulations: int = 1) -> Scenario:
    """A cosmic ray in one accumulation of the modes."""
    quiet = modes(accumulations=accumulations)

    def draw(generator: np.random.Generator) -> Sequence[Measurement]:
        (measurement,) = quiet(generator)
        spectra = measurement.only.intensity.values.copy()
        outside.hit(spectra, 0, int(np.argmin(np.abs(outside.AXIS - position))), height)
        return [outside.measurement(outside.AXIS, spectra)]

    name = f"cosmic ray of {height:g} counts at {position:g} 1/cm, {accumulations} accumulations"
    return named(name, draw=draw, truth={key: value for key, value in TRUE.items() if key[2] in ("Ag1", "Ag2")})


SCENARIOS += [hit(208.0, 3000), hit(434.0, 800), hit(209.0, 20000, 2), hit(209.0, 20000, 5)]


@pytest.mark.parametrize("scenario", SCENARIOS[2:3] + SINGLES[3:4], ids=lambda scenario: scenario.name)
def test_few_draws_are_right_or_said(scenario):
    require_right_or_said(scenario, 2)


@pytest.mark.parametrize("step", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("width", [3.0, 10.0])
def test_no_line_is_a_cosmic_ray(step, width):
    """Found lines, of which nobody said where they are, keep all of their pixels."""
    generator = np.random.default_rng(5)
    for _ in range(5):
        shift = np.arange(200.0, 550.0, step)
        place = 300 + generator.uniform(0, step)
        counts = generator.poisson(100 + 2000 / (1 + ((shift - place) / (width / 2)) ** 2)).astype(float)
        result = analyse([outside.measurement(shift, counts)], RamanSettings(instrument_fwhm=0.1))
        rows = {row.parameter: row for row in result.numbers if row.model == "voigt"}
        assert rows["cosmic_ray_pixels"].value == 0
        assert abs(rows["raman_shift"].value - place) < 4 * rows["raman_shift"].standard_error < 0.5
        assert abs(rows["fwhm"].value - width) < max(4 * rows["fwhm"].standard_error, 0.2)


def test_standards_calibrate_a_bent_axis():
    """Seven lines of a standard that was measured beside remove most of the error, and the uncertainty says so."""
    generator = np.random.default_rng(4)
    known = dict(zip("abcdefg", np.linspace(100, 590, 7), strict=True))
    lines = [(place, 20000.0, 4.0) for place in known.values()]
    counts = outside.expected(outside.AXIS, lines, silicon=())
    spectra = outside.recorded(generator, outside.AXIS, counts, 5)
    standard = dataclasses.replace(outside.measurement(bent(outside.AXIS), spectra), id="standard")
    (sample,) = modes(axis=bent(outside.AXIS))(generator)
    settings = RamanSettings(**SETTINGS, standards={"standard": known})
    result = analyse([standard, sample], settings)
    for (model, parameter, name), truth in SHIFTS.items():
        (row,) = (row for row in rows_of(result, (model, parameter, name)) if row.measurement == "outside")
        assert holds(row, truth)
        assert row.systematic_error < 0.3
        assert row.status == "ok"


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_right_or_said(scenario):
    require_right_or_said(scenario, 20)
