"""Raman spectra of forward models that relaxor does not have: right, or saying so."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pytest
from relaxor.core.results import Measurement

from tests.outside import raman_truth as outside
from tests.outside.scenario import Scenario, require_right_or_said

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
    accumulations
        Number of accumulations.
    axis
        Axis that the file gives; the light is at `raman_truth.AXIS`.
    """
    lines = [*outside.MODES.values(), *more]

    def draw(generator: np.random.Generator) -> Sequence[Measurement]:
        counts = outside.expected(outside.AXIS, lines, shape) * change(outside.AXIS)
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
    named("etalon fringe of 3 %, five accumulations", draw=modes(fringe), truth=SHIFTS),
    named(
        "axis off by 0.5 1/cm at 400 1/cm from silicon",
        draw=modes(axis=bent(outside.AXIS)),
        truth=SHIFTS,
        before="Eg1 112.22 ± 0.02 (systematic 0.14) for 111.70",
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_right_or_said(scenario):
    require_right_or_said(scenario, 20)
