"""EDX against truth from outside: absorption of another model, elements that are not listed, NIST's glass K412."""

import math
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement, Status
from relaxor.readers import read
from relaxor.techniques.edx.settings import EdxSettings, Element, Standard

from tests.analyses import analysis_of
from tests.outside.edx_truth import ATOMS, LINES, Truth
from tests.outside.scenario import Scenario, holds, require_right_or_said
from tests.project import CBPS
from tests.public_files import shared

analyse = analysis_of("edx")

SETTINGS = CBPS["edx"]
NUMBERS = {("*", "atoms_per_formula_unit", element): atoms for element, atoms in ATOMS.items()}
REFEREE = {"Si K": 60000.0, "Au M": 40000.0}


def of(truth: Truth):
    return lambda rng: [truth.measurement(rng)]


def another_table(rng: np.random.Generator) -> list[Measurement]:
    """Within the stated uncertainties: k-factors, absorption and take-off angle are off by chance."""
    errors = {family: math.exp(rng.normal(0, size)) for family, size in (("Cu K", 0.05), ("Bi M", 0.1), ("P K", 0.1))}
    excited = {"Cu K": 0.05, "Se K": 0.016}  # by Se K and Bi L, estimated by hand
    drawn = Truth(
        secondary=excited, k_errors=errors, absorption=math.exp(rng.normal(0, 0.05)), angle=35 + rng.normal(0, 2)
    )
    return [drawn.measurement(rng)]


SCENARIOS = [
    Scenario(
        "bulk crystal: absorption of Philibert and Heinrich",
        "edx",
        of(Truth()),
        NUMBERS,
        SETTINGS,
        before="Cu 1.15, Bi 0.620 ± 0.007 (sys 0.059), P 1.008 ± 0.007 (sys 0.091), Se 7.22",
    ),
    Scenario(
        "Si K and Au M of the substrate are not listed",
        "edx",
        of(Truth(extra=REFEREE)),
        NUMBERS,
        SETTINGS,
        before="Bi 0.656 ± 0.009 (sys 0.063), not flagged",
        draws=8,
    ),
    Scenario("incomplete charge as a flat shelf of 3 %", "edx", of(Truth(shelf=0.03)), NUMBERS, SETTINGS),
    Scenario("detector 5 degrees off the stated angle", "edx", of(Truth(angle=40.0)), NUMBERS, SETTINGS),
    Scenario(
        "no take-off angle in the file, true one 40", "edx", of(Truth(angle=40.0, stated=math.nan)), NUMBERS, SETTINGS
    ),
    Scenario(
        "a thin film, taken for bulk by default",
        "edx",
        of(Truth(absorbing=False)),
        NUMBERS,
        SETTINGS | {"geometry": None},
    ),
    Scenario(
        "a bulk specimen, said to be a film of 500 µg/cm²",
        "edx",
        lambda rng: [Truth().measurement(rng, {"mass_thickness": (5e-4, "g/cm^2")})],
        NUMBERS,
        SETTINGS | {"geometry": "thin_film"},
    ),
    Scenario("in family: inputs off by their uncertainties", "edx", another_table, NUMBERS, SETTINGS, family=True),
]


@pytest.mark.parametrize("scenario", SCENARIOS[2:4], ids=lambda scenario: scenario.name)
def test_a_few_draws_are_right_or_said(scenario: Scenario) -> None:
    require_right_or_said(scenario, 1)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_truth_is_held_or_the_rows_say_that_it_is_not(scenario: Scenario) -> None:
    require_right_or_said(scenario, 20)


def test_elements_that_are_not_listed_are_named() -> None:
    measurement = Truth(extra={"Si K": 20000.0}).measurement(np.random.default_rng(3))
    rows = analyse([measurement], EdxSettings.model_validate(SETTINGS)).numbers
    assert all(row.status == Status.MISFIT and "1.74 keV (Si K" in row.method for row in rows)
    (peak,) = [row for row in rows if row.parameter == "unexplained_intensity"]
    assert peak.value == pytest.approx(20000, rel=0.05)


@pytest.mark.costly
def test_absent_elements_get_a_limit_in_little_time() -> None:
    elements = {
        name: Element(atomic_weight=weight, families={"K": LINES[f"{name} K"]}, quantified="K", k_factor=1.0)
        for name, weight in (("Si", 28.085), ("P", 30.974), ("Cu", 63.546), ("Se", 78.971))
    }
    settings = EdxSettings(elements=elements, reference="Si", geometry="bulk")
    pure = Truth(atoms={}, others={}, extra={"Si K": 1e6}, counts=0.0)
    begin = time.process_time()
    rows = analyse([pure.measurement(np.random.default_rng(5))], settings).numbers
    assert time.process_time() - begin < 40
    assert all(math.isfinite(row.standard_error) for row in rows if row.parameter != "aicc")
    percent = {row.feature: row for row in rows if row.parameter == "atomic_percent"}
    assert percent["Si"].value == pytest.approx(100, abs=1)
    for name in ("P", "Cu", "Se"):
        assert percent[name].status == Status.LIMIT and 0 < percent[name].value < 1


# --- standards that are measured beside the specimen
def exposed(name: str, counts: dict[str, float], seconds: float, rng: np.random.Generator) -> Measurement:
    """A spectrum of lines alone, with its live time at 2 nA."""
    drawn = Truth(atoms={}, others={}, extra=counts, counts=0.0).measurement(rng)
    region = drawn.only.assign_attrs(live_time_s=seconds, probe_current_nA=2.0)
    return replace(drawn, id=name, regions={"spectrum": region})


def pure_standards(*elements: str) -> EdxSettings:
    known = {
        name: Element(atomic_weight=weight, families={"K": LINES[f"{name} K"]}, quantified="K")
        for name, weight in (("Si", 28.085), ("Cu", 63.546))
    }
    standards = {f"pure_{name}": Standard(element=name, composition={name: 1.0}) for name in elements}
    return EdxSettings(elements=known, reference="Si", geometry="bulk", standards=standards)


@pytest.mark.costly
def test_k_ratios_are_those_of_counts_per_dose() -> None:
    rng = np.random.default_rng(8)
    files = [
        exposed("specimen", {"Si K": 2e5, "Cu K": 3e5}, 50.0, rng),
        exposed("pure_Si", {"Si K": 1e6}, 100.0, rng),
        exposed("pure_Cu", {"Cu K": 2e6}, 400.0, rng),
    ]
    rows = analyse(files, pure_standards("Si", "Cu")).numbers
    ratios = {row.feature: row for row in rows if row.parameter == "k_ratio"}
    assert {row.measurement for row in ratios.values()} == {"specimen"}
    for name, known in {"Si K": 0.4, "Cu K": 1.2}.items():
        assert ratios[name].value == pytest.approx(known, rel=0.01)
        assert holds(ratios[name], known) and ratios[name].systematic_error == pytest.approx(0.01 * known, rel=0.02)
    assert {row.measurement for row in rows if row.parameter == "atomic_percent"} == {"specimen"}


@pytest.mark.parametrize(
    ("elements", "names", "message"),
    [
        (("Si", "Cu"), ("specimen", "pure_Si"), "no measurement of this sample is named pure_Cu"),
        (("Si",), ("specimen", "pure_Si"), "Cu has no standard; give one for every element"),
    ],
)
def test_standards_are_measured_and_complete(elements: tuple[str, ...], names: tuple[str, ...], message: str) -> None:
    rng = np.random.default_rng(9)
    files = [exposed(name, {"Si K": 1e5, "Cu K": 1e5}, 50.0, rng) for name in names]
    with pytest.raises(AnalysisError, match=message):
        analyse(files, pure_standards(*elements))


def test_standards_need_the_dose() -> None:
    rng = np.random.default_rng(9)
    files = [exposed(name, {f"{name[-2:]} K": 1e5}, 50.0, rng) for name in ("pure_Si", "pure_Cu")]
    files[0].only.attrs.pop("live_time_s")
    with pytest.raises(AnalysisError, match="pure_Si: standards need the live time and the probe current"):
        analyse(files, pure_standards("Si", "Cu"))


# --- NIST's glass K412 against simple standards; certificate in the header of the files
LINES_OF_GLASS = {  # relative intensities of Kβ: Salem, Panossian & Krause, doi 10.1016/S0092-640X(74)80017-3
    "Mg": [(1.2536, 150), (1.3022, 1)],
    "Al": [(1.4867, 150), (1.5575, 1)],
    "Si": [(1.7400, 150), (1.8359, 3)],
    "Ca": [(3.6917, 100), (3.6881, 50), (4.0127, 18)],
    "Fe": [(6.4038, 100), (6.3908, 50), (7.0580, 18)],
}
WEIGHTS = {"Mg": 24.305, "Al": 26.982, "Si": 28.085, "Ca": 40.078, "Fe": 55.845}
OXYGEN = {"Mg": 1.0, "Al": 1.5, "Si": 2.0, "Ca": 1.0, "Fe": 1.0}
STANDARDS = {
    "Mg": ("MgO_std", {"O": 39.6964, "Mg": 60.3036}),
    "Al": ("Al2O3_std", {"O": 47.0749, "Al": 52.9251}),
    "Si": ("SiO2_std", {"O": 53.2565, "Si": 46.7435}),
    "Ca": ("CaF2_std", {"F": 48.6667, "Ca": 51.3333}),
    "Fe": ("Fe_std", {"Fe": 100.0}),
}
CERTIFIED = {"O": 42.758, "Mg": 11.6567, "Al": 4.9061, "Si": 21.1982, "Ca": 10.899, "Fe": 7.7742}
DTSA = {"Mg": 0.1473, "Al": 0.0668, "Si": 0.3506, "Ca": 0.1921, "Fe": 0.0669}
"""k-ratios that DTSA-II gives for the first of the spectra."""


def glass() -> EdxSettings:
    elements = {
        name: Element(
            atomic_weight=WEIGHTS[name], families={"K": LINES_OF_GLASS[name]}, quantified="K", oxygen=OXYGEN[name]
        )
        for name in LINES_OF_GLASS
    }
    standards = {file: Standard(element=name, composition=mass) for name, (file, mass) in STANDARDS.items()}
    return EdxSettings(elements=elements, reference="Si", fit_range=(0.9, 15.0), geometry="bulk", standards=standards)


def spectrum_of(folder: Path, name: str) -> Measurement:
    return Measurement(name, ATTRS_OF_FILE, {}, {"spectrum": read(folder / f"{name}.msa")["spectrum"].to_dataset()})


ATTRS_OF_FILE = {"raw_file": "a.msa", "raw_sha256": "0" * 64, "origin": "measured"}


@pytest.mark.slow
def test_glass_of_nist_has_its_certified_composition() -> None:
    folder = shared("public/edx_nexl_k412")
    files = ("III-E_K412_0__4_", *(file for file, _ in STANDARDS.values()))
    rows = analyse([spectrum_of(folder, name) for name in files], glass()).numbers
    ratios = {row.feature: row for row in rows if row.parameter == "k_ratio"}
    for name, ratio in DTSA.items():
        assert ratios[f"{name} K"].value == pytest.approx(ratio, rel=0.04), name
        assert holds(ratios[f"{name} K"], ratio), name
    percent = {row.feature: row for row in rows if row.parameter == "weight_percent"}
    for name, certified in CERTIFIED.items():
        assert percent[name].value == pytest.approx(certified, rel=0.05), name
        assert holds(percent[name], certified), name
