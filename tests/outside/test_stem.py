"""Images of atom columns against truth from outside: other lattices, two grains, curved drift, films and holes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.readers import read
from relaxor.techniques.stem.analysis import analyse
from relaxor.techniques.stem.settings import StemSettings

from tests.outside.scenario import Scenario, require_no_silent_miss, require_right_or_said
from tests.outside.stem_truth import (
    EDGE,
    HEAVY,
    LIGHT,
    PIXEL,
    SIZE,
    Columns,
    crystal,
    drifting,
    joined,
    kept,
    micrograph,
    scanned,
)
from tests.public_files import shared

SETTINGS: dict[str, object] = {
    "a": EDGE,
    "sites": [{"name": "heavy", "position": [0.0, 0.0]}, {"name": "light", "position": [1 / 3, 2 / 3]}],
}
MAGNIFICATION = 0.01
"""Relative standard uncertainty of the width of a pixel, which every draw draws."""
TRUTH = {
    ("fft_lattice", "a_hexagonal", ""): EDGE,
    ("column_lattice", "a_hexagonal", ""): EDGE,
    ("column_lattice", "gamma", ""): 120.0,
    ("column_lattice", "lattice_spacing", "100"): EDGE * np.sqrt(3) / 2,
    ("structure", "relative_deviation", "a"): 0.0,
    ("column_intensity", "intensity_ratio", "heavy/light"): HEAVY / LIGHT,
}
NO_CRYSTAL = dict.fromkeys(TRUTH, np.nan)
"""Numbers of images to which one hexagonal lattice does not belong: none of them is right."""
MIDDLE = SIZE * PIXEL / 2


def drawn(columns: Callable[[np.random.Generator], Columns], **how: Any):
    """Return a function that draws images of columns, whose stated magnification is off by its uncertainty."""

    def draw(rng: np.random.Generator) -> list[Measurement]:
        image = scanned(rng, columns(rng), **how)
        return micrograph(image, PIXEL * (1 + MAGNIFICATION * rng.standard_normal()))

    return draw


def turned(rng: np.random.Generator) -> Columns:
    """Return a crystal turned by any angle."""
    return crystal(rng.uniform(0, 60))


def square(rng: np.random.Generator) -> Columns:
    """Return a square lattice whose spacing is that of the hexagonal one."""
    return crystal(rng.uniform(0, 60), 90.0, EDGE * np.sqrt(3) / 2, honeycomb=False)


def grains(angle: float) -> Callable[[np.random.Generator], Columns]:
    """Return a function that draws two grains beside each other, one turned by an angle in degrees."""

    def draw(rng: np.random.Generator) -> Columns:
        turn, place = rng.uniform(0, 60), MIDDLE + rng.uniform(-3, 3)
        one, other = crystal(turn), crystal(turn + angle)
        return joined(kept(one, one[0][:, 0] < place), kept(other, other[0][:, 0] > place))

    return draw


def vacant(rng: np.random.Generator) -> Columns:
    """Return a crystal in which every tenth light column is missing."""
    columns = turned(rng)
    return kept(columns, (columns[1] == HEAVY) | (rng.uniform(size=len(columns[1])) > 0.1))


def torn(rng: np.random.Generator) -> Columns:
    """Return a crystal with a hole."""
    columns = turned(rng)
    return kept(columns, np.hypot(*(columns[0] - MIDDLE - rng.uniform(-8, 8, 2)).T) > 9)


def twisted(rng: np.random.Generator) -> Columns:
    """Return two layers that are turned against each other: a moiré."""
    turn = rng.uniform(0, 60)
    return joined(crystal(turn), crystal(turn + 14))


SCENARIOS = [
    Scenario("in family: a honeycomb", "stem", drawn(turned), TRUTH, SETTINGS, family=True),
    Scenario("a square lattice", "stem", drawn(square), NO_CRYSTAL, SETTINGS),
    Scenario("a scan that is sheared by 15 %", "stem", drawn(turned, drift=drifting([6.7], [0.1])), TRUTH, SETTINGS),
    Scenario("a drift of 4 % of the frame", "stem", drawn(turned, drift=drifting([1.3], [1.3])), TRUTH, SETTINGS),
    Scenario("a drift that slows down", "stem", drawn(turned, drift=drifting([2.4, -2], [2.4, -2])), TRUTH, SETTINGS),
    Scenario("two grains turned by 5°", "stem", drawn(grains(5.0)), NO_CRYSTAL, SETTINGS),
    Scenario("two grains turned by 12°", "stem", drawn(grains(12.0)), NO_CRYSTAL, SETTINGS),
    Scenario("a twisted second layer", "stem", drawn(twisted), NO_CRYSTAL, SETTINGS),
    Scenario("a rough film of carbon", "stem", drawn(turned, film=0.25), TRUTH, SETTINGS),
    Scenario("every tenth light column is missing", "stem", drawn(vacant), TRUTH, SETTINGS),
    Scenario("a hole", "stem", drawn(torn), TRUTH, SETTINGS),
    Scenario("columns with Lorentzian tails", "stem", drawn(turned, tails=True), TRUTH, SETTINGS),
]


@pytest.mark.parametrize("scenario", [SCENARIOS[0], SCENARIOS[1], SCENARIOS[4]], ids=lambda scenario: scenario.name)
def test_a_few_draws_are_right_or_said(scenario: Scenario) -> None:
    require_no_silent_miss(scenario, 1)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_truth_is_held_or_the_rows_say_that_it_is_not(scenario: Scenario) -> None:
    require_right_or_said(scenario, 20)


def test_the_square_lattice_of_a_public_image_is_named() -> None:
    """SrTiO3 along [001], a = 3.905 angstrom, which once was hexagonal with γ = 123.5°."""
    region = read(shared("public/stem/16_STOimage_1.ser"))["series"].to_dataset().isel(y=slice(512), x=slice(512))
    image = Measurement("sto", {"raw_sha256": "0", "origin": "measured"}, {}, {"HAADF": region})
    settings = StemSettings.model_validate({"a": 3.905})
    with pytest.raises(AnalysisError) as error:
        analyse([image], settings)
    assert "d = 3.94, 3.94, 2.90, 2.79 angstrom, at 90.0°" in str(error.value)
