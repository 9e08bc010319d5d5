"""Laws of conduction of forward models from outside, and of a published device: right, or flagged."""

from functools import partial

import numpy as np
import pytest
import xarray as xr
from relaxor.core.results import Measurement, Status
from relaxor.techniques.iv_sweeps.settings import IvSweepsSettings

from tests.analyses import analysis_of
from tests.outside.scenario import Scenario, require_no_silent_miss, require_right_or_said, rows_of
from tests.public_files import shared

analyse = analysis_of("iv_sweeps")

E, K, EPS0, H, M = 1.602176634e-19, 1.380649e-23, 8.8541878128e-12, 6.62607015e-34, 9.1093837e-31
GAP = 0.1
"""Distance of the electrodes, µm."""
UP = "up positive"
EXACT = {"gap_uncertainty": 0.0}
"""Settings that leave only the errors of the fits."""


def sweep(law, rng: np.random.Generator, *, largest=3.0, relative=0.004, slow=0.0, gap: float | None = GAP):
    """Three cycles 0 → V → 0 → −V → 0 with relative noise, and slow relative noise of the given size."""
    lobe = np.concatenate([np.linspace(0, 1, 60, endpoint=False), np.linspace(1, 0, 60, endpoint=False)])
    volt = np.tile(np.concatenate([lobe, -lobe]), 3) * largest
    clean = np.sign(volt) * law(np.maximum(np.abs(volt), 1e-9))
    wander = np.cumsum(rng.normal(0, slow, volt.size)) if slow else 0.0
    current = clean * (1 + wander) + np.hypot(1e-13, relative * clean) * rng.standard_normal(volt.size)
    table = xr.Dataset(
        {"voltage": ("point", volt, {"units": "V"}), "current": ("point", current, {"units": "A"})},
    )
    attrs = {"raw_file": "outside", "raw_sha256": "0" * 64, "origin": "simulated"}
    conditions = {"gap": (gap, "um")} if gap else {}
    return Measurement("iv", attrs, conditions, {"Run1": table})


def poole_frenkel(permittivity: float):
    """Chiu's eq. for Poole–Frenkel emission, 1 nA scale at 293.15 K."""
    return lambda v: 1e-10 * v * np.exp(E / (K * 293.15) * np.sqrt(E * v / (np.pi * permittivity * EPS0 * GAP * 1e-6)))


def schottky(permittivity: float):
    """Chiu's eq. for Schottky emission."""
    return lambda v: 1e-10 * np.exp(E / (K * 293.15) * np.sqrt(E * v / (4 * np.pi * permittivity * EPS0 * GAP * 1e-6)))


def in_series(law, resistance: float):
    """A law with a resistor before it, by bisection."""

    def current(volt: np.ndarray) -> np.ndarray:
        low, high = np.zeros_like(volt), volt.copy()
        for _ in range(60):
            middle = (low + high) / 2
            above = middle + resistance * law(middle) > volt
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        return law((low + high) / 2)

    return current


def _draw(law, rng: np.random.Generator, **how) -> list[Measurement]:
    return [sweep(law, rng, **how)]


def scenario(name: str, law, truth, before: str, family: bool = False, **how) -> Scenario:
    return Scenario(name, "iv_sweeps", partial(_draw, law, **how), truth, EXACT, family, before, draws=100)


def permittivity(law: str, value: float):
    return {(law, "relative_permittivity", UP): value}


SCENARIOS = [
    scenario("Poole–Frenkel, ε_r 12", poole_frenkel(12), permittivity("poole_frenkel", 12), "no ε_r", family=True),
    scenario("Schottky, ε_r 4", schottky(4), permittivity("schottky", 4), "no ε_r", family=True),
    scenario(
        "Schottky in series with a resistor",
        in_series(schottky(4), 1e8),
        permittivity("schottky", 4),
        "ε_r wrong silently",
    ),
    scenario("Poole–Frenkel, slow noise", poole_frenkel(12), permittivity("poole_frenkel", 12), "3σ off", slow=0.004),
    scenario(
        "hopping taken for Schottky emission",
        lambda v: 1e-10 * np.sinh(v / 0.8),
        permittivity("schottky", 4),
        "won by AICc with ε_r 0.2",
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_constants_are_right_or_say_that_they_are_not(scenario: Scenario):
    require_right_or_said(scenario, 40)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_few_draws_are_right_or_flagged(scenario: Scenario):
    require_no_silent_miss(scenario, 2)


def test_a_law_that_no_material_follows_never_wins():
    """The referee's case: a smooth current over 2 µm, to which Schottky's law fits best, with ε_r 0.24."""
    law = schottky(0.24 * 2.0 / GAP)  # the same slope over 2 µm
    result = analyse([sweep(law, np.random.default_rng(2), gap=2.0)], IvSweepsSettings())
    best = result.curves["iv/up_positive"].attrs["best"]
    (row,) = rows_of(result, ("schottky", "relative_permittivity", UP))
    assert row.value == pytest.approx(0.24, rel=0.02) and row.status == Status.NOT_IDENTIFIED
    assert "below that of the vacuum" in row.method and best != "schottky"
    (better,) = rows_of(result, ("schottky", "aicc_difference", UP))
    assert better.value < 0  # it would have won


def test_the_barrier_of_tunnelling_is_that_of_the_textbook():
    """Fowler–Nordheim with φ = 1 eV over 5 nm: the exponent is −(8π/3qh) √(2m) (qφ)^(3/2) d / V."""
    slope = 8 * np.pi / (3 * E * H) * np.sqrt(2 * M) * E**1.5 * 5e-9
    result = analyse(
        [sweep(lambda v: 1e-7 * v**2 * np.exp(-slope / v), np.random.default_rng(3), largest=5.0, gap=5e-3)],
        IvSweepsSettings(gap_uncertainty=0.0),
    )
    (row,) = rows_of(result, ("fowler_nordheim", "barrier", UP))
    assert row.value == pytest.approx(1.0, abs=4 * row.standard_error + 1e-3)
    assert result.curves["iv/up_positive"].attrs["best"] == "fowler_nordheim"


@pytest.mark.parametrize(("curve", "ohm"), [(0, 290.0), (16, None)])
def test_poole_frenkel_wins_for_published_silicon_oxide(curve, ohm):
    path = shared(f"public/siox_pf/curve_{curve}.csv")
    volt, ampere = np.loadtxt(path, delimiter=",", skiprows=1).T
    table = xr.Dataset({"voltage": ("point", volt, {"units": "V"}), "current": ("point", ampere, {"units": "A"})})
    attrs = {"raw_file": "", "raw_sha256": "", "origin": "measured"}
    settings = IvSweepsSettings(read_voltage=0.1, smallest_voltage=0.02)
    result = analyse([Measurement("iv", attrs, {}, {"Run1": table})], settings)
    assert result.curves["iv/up_positive"].attrs["best"] == "poole_frenkel"
    differences = [row.value for row in result.numbers if row.parameter == "aicc_difference" and row.feature == UP]
    assert sorted(differences)[0] == 0 < sorted(differences)[1]
    if ohm:
        (row,) = rows_of(result, ("cycles", "resistance", ""))
        assert row.value == pytest.approx(ohm, rel=0.01)
