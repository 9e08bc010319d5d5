"""Images of atom columns against truth from outside: other lattices, two grains, curved drift, films and holes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.readers import read
from relaxor.techniques.stem.settings import StemSettings

from tests.analyses import analysis_of
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

analyse = analysis_of("stem")

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


UNKNOWN: dict[str, object] = {}
"""Settings that name neither lattice nor sites."""


def shown(a: float, b: float, gamma: float) -> dict[tuple[str, str, str], float]:
    """Return the true numbers of a lattice of which nothing is known before."""
    values = {"a": a, "b": b, "gamma": gamma}
    return {(way, name, ""): value for way in ("fft_lattice", "column_lattice") for name, value in values.items()}


def cells(gamma: float, edge: float, other: float) -> Callable[[np.random.Generator], Columns]:
    """Return a function that draws a lattice of one column in a cell, turned by any angle."""
    return lambda rng: crystal(rng.uniform(0, 180), gamma, edge, honeycomb=False, other=other)


def edges_of(a: float, b: float) -> dict[tuple[str, str, str], float]:
    """Return the true edges of the conventional cell, which hold only if the system is found."""
    return {("column_lattice", "edge_a", ""): a, ("column_lattice", "edge_b", ""): b}


SQUARE = EDGE * np.sqrt(3) / 2
RHOMB = 2 * 3.2 * np.cos(np.radians(52.5)), 2 * 3.2 * np.sin(np.radians(52.5))
"""Edges of the centred cell of a rhombic one of 3.2 angstrom and 105°."""
SCENARIOS = [
    Scenario("in family: a honeycomb", "stem", drawn(turned), TRUTH, SETTINGS, family=True),
    Scenario("a square lattice where a hexagonal one is named", "stem", drawn(square), NO_CRYSTAL, SETTINGS),
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
OF_ANY_SYSTEM = [
    Scenario(
        "in family: an unknown square lattice",
        "stem",
        drawn(square),
        {**shown(SQUARE, SQUARE, 90.0), **edges_of(SQUARE, SQUARE)},
        UNKNOWN,
        family=True,
    ),
    Scenario(
        "in family: an unknown honeycomb",
        "stem",
        drawn(turned),
        {**shown(EDGE, EDGE, 120.0), **edges_of(EDGE, EDGE)},
        UNKNOWN,
        family=True,
    ),
    Scenario(
        "in family: an unknown rectangular lattice",
        "stem",
        drawn(cells(90.0, 3.0, 3.9)),
        {**shown(3.0, 3.9, 90.0), **edges_of(3.0, 3.9)},
        UNKNOWN,
        family=True,
    ),
    Scenario(
        "in family: an unknown centred rectangular lattice",
        "stem",
        drawn(cells(105.0, 3.2, 3.2)),
        {**shown(3.2, 3.2, 105.0), **edges_of(*RHOMB)},
        UNKNOWN,
        family=True,
    ),
    Scenario(
        "in family: an unknown oblique lattice",
        "stem",
        drawn(cells(102.0, 3.0, 3.8)),
        {**shown(3.0, 3.8, 102.0), **edges_of(3.0, 3.8)},
        UNKNOWN,
        family=True,
    ),
    Scenario("unknown: two grains turned by 12°", "stem", drawn(grains(12.0)), shown(*[np.nan] * 3), UNKNOWN),
    Scenario("unknown: a twisted second layer", "stem", drawn(twisted), shown(*[np.nan] * 3), UNKNOWN),
    Scenario(
        "unknown: a drift that slows down",
        "stem",
        drawn(square, drift=drifting([2.4, -2], [2.4, -2])),
        shown(SQUARE, SQUARE, 90.0),
        UNKNOWN,
    ),
]
SCENARIOS += OF_ANY_SYSTEM


@pytest.mark.parametrize(
    "scenario", [SCENARIOS[0], SCENARIOS[1], SCENARIOS[4], *OF_ANY_SYSTEM[:5]], ids=lambda scenario: scenario.name
)
def test_a_few_draws_are_right_or_said(scenario: Scenario) -> None:
    require_no_silent_miss(scenario, 1)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_truth_is_held_or_the_rows_say_that_it_is_not(scenario: Scenario) -> None:
    require_right_or_said(scenario, 20)


def public_image() -> Measurement:
    """Return SrTiO3 along [001], a = 3.905 angstrom, which once was hexagonal with γ = 123.5°."""
    region = read(shared("public/stem/16_STOimage_1.ser"))["series"].to_dataset()
    return Measurement("sto", {"raw_file": "sto.ser", "raw_sha256": "0", "origin": "measured"}, {}, {"HAADF": region})


@pytest.mark.costly
@pytest.mark.parametrize("settings", [{}, {"a": 3.905}, {"a": 3.905, "system": "square"}])
def test_the_square_lattice_of_a_public_image_is_found(settings: dict[str, object]) -> None:
    """Its Fourier transform has 4.02 and 4.07 angstrom at 89° (measured by hand, with the pixel size of the file)."""
    result = analyse([public_image()], StemSettings.model_validate(settings))
    rows = {(row.model, row.parameter, row.feature): row for row in result.numbers}
    for model in ("fft_lattice", "column_lattice"):
        values = [rows[model, name, ""].value for name in ("a", "b", "gamma")]
        assert values == pytest.approx([4.02, 4.07, 91], abs=0.3)
        assert values[:2] == pytest.approx([4.02, 4.07], abs=0.01)
        edge = rows[model, "edge_a", ""]
        assert abs(edge.value - 3.905) < 3 * edge.systematic_error
        assert "pixel size as the file states it" in edge.method and "square lattice" in edge.method
    assert rows["lattice_system", "probability", "square"].value > 0.05
    assert rows["lattice_system", "probability", "hexagonal"].value < 1e-9
    sites = rows["columns", "columns", "site_1"].value, rows["columns", "columns", "site_2"].value
    assert min(sites) > 500 and max(sites) / min(sites) < 1.1  # one strontium for one titanium
    if settings:
        deviation = rows["structure", "relative_deviation", "a"]
        assert deviation.value == pytest.approx(3.6, abs=0.3) and "calibrate the pixels" in deviation.method


@pytest.mark.costly
def test_a_structure_that_the_image_does_not_show_is_said() -> None:
    for settings, reason in (
        ({"a": 5.43, "system": "square"}, "settings name edges of 5.43 angstrom, the image has 4.0"),
        ({"system": "hexagonal", "a": 3.905}, "no hexagonal lattice with a within 6% of 3.905 angstrom"),
        ({"system": "centred rectangular", "a": 3.905, "b": 7.0}, "the image has"),
    ):
        try:
            rows = analyse([public_image()], StemSettings.model_validate(settings)).numbers
        except AnalysisError as error:
            assert reason in str(error)
            continue
        assert all(row.status != "ok" and reason in row.method for row in rows)
