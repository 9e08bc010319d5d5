"""XPS of samples whose lines, backgrounds and states differ from what is fitted: right, or said not to be."""

from functools import partial

import numpy as np
import pytest

from tests.outside.scenario import Scenario, require_right_or_said
from tests.outside.xps_truth import CHARGING, LEVELS, Level, Sample, gl, metal, response, voigt
from tests.project import CBPS

RATIO = ("bi_4f_and_se_3p_shirley", "area_ratio_of_levels", "Se 3p/Bi 4f")
BISMUTH = ("quantification", "atomic_percent", "Bi")
SELENIUM = ("quantification", "atomic_percent", "Se")
ENERGY = ("bi_4f_and_se_3p_shirley", "binding_energy", "Bi 4f7/2")
SHALLOW = ("se_3d_shirley", "binding_energy", "Se 3d5/2")
TRUE_RATIO = 6 * (2.98 + 1.55) * response(1486.6 - 160.70 - CHARGING) / (24.83 * response(1486.6 - 158.15 - CHARGING))
TRUTH = {RATIO: TRUE_RATIO, BISMUTH: 10.0, SELENIUM: 60.0, ENERGY: 158.15, SHALLOW: 54.10}


def settings(*windows: str, **changes: object) -> dict[str, object]:
    """The settings of the sample, of some of its windows."""
    chosen = CBPS["xps"]["windows"]
    kept = {name: chosen[name] for name in windows or chosen}
    return {**CBPS["xps"], "windows": kept, **changes}


def scenario(name: str, sample: Sample, *keys: tuple[str, str, str], windows: tuple[str, ...] = (), **more) -> Scenario:
    draw = partial(_draw, sample, windows)
    return Scenario(name, "xps", draw, {key: TRUTH[key] for key in keys}, settings(*windows), **more)


def _draw(sample: Sample, windows: tuple[str, ...], generator: np.random.Generator):
    return sample.draw(generator, *windows)


EVERY = dict.fromkeys(LEVELS, gl(0.3))
CARBON = {"C 1s": Level(2.4, ((284.30, 0.5, 0.10), (284.90, 0.5, 0.10)))}
TWO, THREE = ("Bi4f", "C1s"), ("Bi4f", "Se3d", "C1s")
SCENARIOS = [
    scenario("Voigt lines on Shirley steps", Sample(), RATIO, BISMUTH, SELENIUM, ENERGY, SHALLOW, family=True),
    scenario("lines GL(30) but Se 3p a lifetime Voigt", Sample(EVERY | {"Se 3p": voigt}), RATIO, BISMUTH),
    scenario("all lines GL(30)", Sample(EVERY), RATIO, BISMUTH),
    scenario("all lines GL(60)", Sample(dict.fromkeys(LEVELS, gl(0.6))), RATIO, BISMUTH, ENERGY),
    scenario(
        "Doniach–Šunjić lines, asymmetry 0.08",
        Sample({name: metal(0.08) for name in ("Bi 4f", "Se 3d")}),
        *(ENERGY, SHALLOW),
        windows=THREE,
    ),
    scenario(
        "Doniach–Šunjić lines, asymmetry 0.05",
        Sample({name: metal(0.05) for name in ("Bi 4f", "Se 3p", "Se 3d")}),
        *(ENERGY, SHALLOW),
        windows=THREE,
    ),
    scenario("20 % bismuth oxide at +0.9 eV", Sample(states={"Bi 4f": (0.2, 0.9)}), RATIO, BISMUTH),
    scenario("Tougaard background", Sample(tougaard=1.0), RATIO, BISMUTH, ENERGY),
    scenario("half Tougaard, half Shirley background", Sample(tougaard=0.5), RATIO, BISMUTH, ENERGY),
    scenario("a fifth of Tougaard's background", Sample(tougaard=0.2), RATIO, BISMUTH, ENERGY),
    scenario("C 1s of two kinds, 284.3 and 284.9 eV", Sample(levels=CARBON), ENERGY, windows=TWO),
    scenario(
        "no carbon on the sample",
        Sample(levels={name: Level(0.0, level.lines) for name, level in LEVELS.items() if name.startswith("C 1s")}),
        ENERGY,
        windows=TWO,
    ),
]


@pytest.mark.parametrize("each", SCENARIOS, ids=lambda each: each.name)
def test_a_few_draws_are_right_or_said_not_to_be(each: Scenario) -> None:
    require_right_or_said(each, 2)


@pytest.mark.slow
@pytest.mark.parametrize("each", SCENARIOS, ids=lambda each: each.name)
def test_draws_are_right_or_said_not_to_be(each: Scenario) -> None:
    require_right_or_said(each, 40)
