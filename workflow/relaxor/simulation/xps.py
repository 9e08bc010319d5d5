"""Photoelectron spectra of CuBiP2Se6 as a PHI VersaProbe III would write them.

Forward model: every level gives Voigt lines (lifetime ⊗ instrument) whose area is atoms × cross-section × escape
depth × transmission of the analyser; electrons that lost energy make the background: a Shirley step in the narrow
regions, Tougaard's universal loss function, all orders of scattering, in the survey. The sample is charged, carries
adventitious carbon and oxygen, and counts are Poisson.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import ndtr

from relaxor.simulation.sample_file import PROGRAM, SampleFile, Truth
from relaxor.simulation.writers.phi_spe import Region, write
from relaxor.stats.fit import SQRT_2LN2, gaussian, voigt, voigt_fwhm

PHOTON = 1486.6
"""Al Kα, eV."""
CHARGING = 0.42
"""Shift of all lines to higher binding energy, eV: a semiconductor under an imperfect neutralizer."""
TRANSMISSION = (40.0, 0.2)
"""a and b of the analyser's transmission, as in ``IntensityCalCoeff`` of a VersaProbe."""
RATE = 0.07
"""Counts/s·eV a unit of atoms × cross-section × escape depth × transmission: peaks of some 10⁴ counts/s."""
ESCAPE_EXPONENT = 0.75
"""Escape depth ∝ kinetic energy to this power (Seah & Dench, doi 10.1002/sia.740010103, high-energy part)."""


@dataclass(frozen=True)
class Level:
    """A core level: its lines, and how many atoms show them.

    ``positions`` in eV, charge-free; ``cross_sections`` Scofield's at Al Kα, C 1s = 1 (doi
    10.1016/0368-2048(76)80015-1); ``lifetimes`` Lorentzian widths in eV.
    """

    name: str
    atoms: float
    positions: tuple[float, ...]
    cross_sections: tuple[float, ...]
    lifetimes: tuple[float, ...]

    @property
    def slug(self) -> str:
        """Name as in parameters: ``bi_4f``."""
        return "".join(letter if letter.isalnum() else "_" for letter in self.name.lower())


# Positions of Bi 4f, P 2p, Se 3d and Cu 2p1/2 are the paper's. Its Cu 2p3/2 (935.58) is 16.90 eV below, which no
# copper shows: the twin has the accepted splitting of 19.8 eV below the printed 2p1/2, so 932.68.
CU_2P = Level("Cu 2p", 1, (932.68, 952.48), (16.73, 8.66), (0.56, 1.04))
BI_4S = Level("Bi 4s", 1, (939.0,), (1.96,), (8.5,))
BI_4F = Level("Bi 4f", 1, (158.15, 163.45), (13.90, 10.93), (0.32, 0.32))
SE_3P = Level("Se 3p", 6, (160.70, 166.45), (2.98, 1.55), (1.90, 1.90))
P_2P = Level("P 2p", 2, (131.20, 132.10), (0.789, 0.403), (0.10, 0.10))
SE_3D = Level("Se 3d", 6, (54.10, 54.95), (1.36, 0.934), (0.10, 0.10))
C_C = Level("C 1s", 2.4, (284.80,), (1.0,), (0.10,))
C_O = Level("C 1s C-O", 0.45, (286.30,), (1.0,), (0.10,))
O_C_O = Level("C 1s O-C=O", 0.20, (288.60,), (1.0,), (0.10,))

OTHERS = (
    Level("Cu 2s", 1, (1096.7,), (5.46,), (4.0,)),
    Level("Cu 3s", 1, (122.5,), (0.957,), (2.5,)),
    Level("Cu 3p", 1, (75.1, 77.3), (1.63, 0.848), (1.6, 1.6)),
    Level("Bi 4p", 1, (678.8, 805.2), (6.48, 2.10), (9.0, 15.0)),
    Level("Bi 4d", 1, (440.1, 464.0), (13.44, 9.14), (3.8, 4.2)),
    Level("Bi 5s", 1, (159.3,), (0.563,), (6.0,)),
    Level("Bi 5p", 1, (92.6, 119.0), (1.41, 0.546), (5.0, 8.0)),
    Level("Bi 5d", 1, (23.8, 26.9), (1.76, 1.24), (0.3, 0.3)),
    Level("P 2s", 2, (187.5,), (1.18,), (1.3,)),
    Level("Se 3s", 6, (229.6,), (1.43,), (3.0,)),
    Level("O 1s", 1.2, (532.0,), (2.93,), (0.2,)),
    Level("valence band", 10, (1.8, 4.5), (0.08, 0.12), (1.0, 2.0)),
)
AUGER = (
    # position on the binding energy scale of Al Kα (eV), full width (eV), strength as atoms × cross-section
    (179.5, 4.0, 9.0),  # Se L3M45M45
    (139.0, 5.0, 3.5),  # Se L2M45M45
    (306.0, 14.0, 9.0),  # Se L3M23M45
    (348.0, 14.0, 4.0),  # Se L2M23M45
    (568.0, 6.0, 9.0),  # Cu L3M45M45
    (548.0, 6.0, 3.0),  # Cu L2M45M45
    (647.0, 12.0, 4.0),  # Cu L3M23M45
    (978.0, 8.0, 1.5),  # O KLL
)
"""Auger groups of the survey: plausible strengths, positions from line tables."""


@dataclass(frozen=True)
class Window:
    """How a narrow region is recorded and what lies under its lines.

    ``base`` counts/s and ``slope`` counts/s/eV at ``first``-side end of the lowest binding energy; ``scattering``
    is the Shirley step a unit of area (1/eV); ``width`` the Gaussian width of instrument and phonons (eV).
    """

    name: str
    atomic_number: int
    levels: tuple[Level, ...]
    first: float
    last: float
    time: float
    width: float
    base: float
    slope: float
    scattering: float


WINDOWS = (
    Window("Cu2p", 29, (CU_2P, BI_4S), 965.0, 925.0, 1.6, 0.95, 6900.0, 11.0, 0.045),
    Window("Bi4f", 83, (BI_4F, SE_3P), 172.0, 152.0, 0.8, 0.85, 2300.0, 9.0, 0.035),
    Window("P2p", 15, (P_2P,), 140.0, 125.0, 4.0, 0.90, 1900.0, 3.0, 0.050),
    Window("Se3d", 34, (SE_3D,), 63.0, 48.0, 1.6, 0.82, 800.0, 2.0, 0.030),
    Window("C1s", 6, (C_C, C_O, O_C_O), 296.0, 278.0, 2.4, 1.05, 2100.0, 4.0, 0.020),
)
AUGER_UNDER_CARBON = (312.0, 44.0, 420.0)
"""Se L3M23M45 as it lies under C 1s: centre and full width (eV), height (counts/s)."""
PASS_ENERGY, SURVEY_PASS_ENERGY, STEP = 55.0, 224.0, 0.1
MODELS = {
    "Cu2p": "accepted_splitting_shirley",
    "Bi4f": "bi_4f_and_se_3p_shirley",
    "P2p": "p_2p_shirley",
    "Se3d": "se_3d_shirley",
    "C1s": "adventitious_carbon_shirley",
}
"""The analysis' model that contains the truth of a window."""
HEADER = {
    "Platform": "PC",
    "Technique": "XPS",
    "FileType": "SPECTRUM",
    "FileDesc": "SIMULATED CuBiP2Se6 crystal, adventitious carbon, not a measurement",
    "SoftwareVersion": f"{PROGRAM} (layout of SS 3.3.3.2)",
    "InstrumentModel": "VersaProbe III",
    "AcqFilename": "cbps_xps.spe",
    "FileDate": "2024 11 14",
    "AcqFileDate": "2024 11 14",
    "Institution": "PHI",
    "Operator": "SIMULATED",
    "EnergyReference": "none 0.0",
    "AnalyserWorkFcn": "4.506 eV",
    "SourceAnalyserAngle": "45.0 d",
    "IntensityRecal": "no",
    "IntensityCalCoeff": f"{TRANSMISSION[0]:.3f} {TRANSMISSION[1]:.3f}",
    "EnergyRecal": "no",
    "XpsScanMode": "scanned",
    "AnalyserMode": "FAT",
    "XraySource": "Al 1486.6 mono",
    "XrayPower": "25.00 W",
    "XrayBeamDiameter": "100.0 um",
    "EgunNeutMode": "Neutralize",
    "NeutralizerEnergy": "1.00 V",
}


def simulate(rng: np.random.Generator) -> Iterator[SampleFile]:
    """Yield the one file of the session: survey and five regions."""
    spectra = [survey(), *(region(window) for window in WINDOWS)]
    regions = [
        Region(name, number, float(energy[0]), float(energy[1] - energy[0]), rng.poisson(rate * time), time, width)
        for name, number, energy, rate, time, width in spectra
    ]
    yield SampleFile(
        measurement="xps",
        technique="xps",
        panel="S3a,S3b,S3c,S3d,S3e,S3f",
        name="cbps_xps.spe",
        content=write(regions, HEADER),
        truth=tuple(truth()),
        note="survey, Cu 2p, Bi 4f with Se 3p, P 2p, Se 3d, C 1s; charged by a few tenths of an eV",
    )


Spectrum = tuple[str, int, np.ndarray, np.ndarray, float, float]
"""Name, atomic number, binding energy (eV), rate (counts/s), counting time (s), pass energy (eV)."""


@cache
def region(window: Window) -> Spectrum:
    """Return the noiseless spectrum of a narrow region."""
    points = round((window.first - window.last) / STEP) + 1
    energy = np.linspace(window.first, window.last, points)
    rate = window.base + window.slope * (energy - window.last)
    for level in window.levels:
        for position, area, lifetime in lines(level, PASS_ENERGY):
            rate += voigt(energy, area, position, window.width, lifetime)
            rate += window.scattering * area * _step(energy - position, window.width, lifetime)
    if window.name == "C1s":
        center, width, height = AUGER_UNDER_CARBON
        rate += height * np.exp(-0.5 * ((energy - center) * 2 * SQRT_2LN2 / width) ** 2)
    return window.name, window.atomic_number, energy, rate, window.time, PASS_ENERGY


@cache
def survey() -> Spectrum:
    """Return the noiseless survey: all levels, Auger groups, and every order of inelastic scattering."""
    energy = np.linspace(1200.0, 0.0, 1501)
    ascending = energy[::-1]
    primary = np.zeros_like(ascending)
    for level in {level.name: level for window in WINDOWS for level in window.levels}.values():
        for position, area, lifetime in lines(level, SURVEY_PASS_ENERGY):
            primary += voigt(ascending, area, position, 2.3, lifetime)
    for level in OTHERS:
        for position, area, lifetime in lines(level, SURVEY_PASS_ENERGY):
            primary += voigt(ascending, area, position, 2.3, lifetime)
    for position, width, strength in AUGER:
        area = strength * _sensitivity(PHOTON - position, SURVEY_PASS_ENERGY)
        primary += gaussian(ascending, area, position + CHARGING, width)
    step = ascending[1] - ascending[0]
    loss = ascending[:, None] - ascending[None, :]
    kernel = np.where(loss > 0, 2866.0 * loss / (1643.0 + loss**2) ** 2, 0.0) * step
    rate = solve_triangular(np.eye(len(ascending)) - kernel, primary, lower=True) + 300.0
    return "Su1s", 111, energy, rate[::-1], 0.24, SURVEY_PASS_ENERGY


def lines(level: Level, pass_energy: float) -> list[tuple[float, float, float]]:
    """Return measured position (eV), area (counts/s·eV) and lifetime width (eV) of a level's lines.

    All lines of a level pass the analyser alike, as quantification by tabulated cross-sections assumes.
    """
    scale = level.atoms * _sensitivity(PHOTON - level.positions[0] - CHARGING, pass_energy)
    return [
        (position + CHARGING, scale * cross_section, lifetime)
        for position, cross_section, lifetime in zip(
            level.positions, level.cross_sections, level.lifetimes, strict=True
        )
    ]


def _sensitivity(kinetic: float, pass_energy: float) -> float:
    """Return counts/s·eV a unit cross-section: escape depth × transmission."""
    a, b = TRANSMISSION
    transmission = pass_energy * (a**2 / (a**2 + (kinetic / pass_energy) ** 2)) ** b
    return RATE * kinetic**ESCAPE_EXPONENT * transmission


def _step(distance: np.ndarray, width: float, lifetime: float) -> np.ndarray:
    """Return the integral of a Voigt line of unit area up to ``distance`` from its centre.

    The Gaussian step is averaged over the Lorentzian's quantiles; 4000 of them are exact to 10⁻⁴.
    """
    quantiles = (np.arange(4000) + 0.5) / 4000
    offsets = lifetime / 2 * np.tan(math.pi * (quantiles - 0.5))
    sigma = width / (2 * SQRT_2LN2)
    return ndtr((distance[:, None] - offsets) / sigma).mean(axis=1)


def truth() -> list[Truth]:
    """Return what an analysis of the windows can find."""
    rows: list[Truth] = [("charge_reference", "charge_shift", CHARGING, "eV")]
    for window in WINDOWS:
        model = MODELS[window.name]
        rows += [
            (model, "fwhm_gaussian", window.width, "eV"),
            (model, "shirley_scattering", window.scattering, "1/eV"),
        ]
        for level in window.levels:
            rows += [(model, *row) for row in _level_truth(level, window)]
    splitting = CU_2P.positions[1] - CU_2P.positions[0]
    rows += [("free_splitting_shirley", "cu_2p_splitting", splitting, "eV")]
    ratio = sum(a for _, a, _ in lines(SE_3P, PASS_ENERGY)) / sum(a for _, a, _ in lines(BI_4F, PASS_ENERGY))
    rows += [(MODELS["Bi4f"], "se_3p_to_bi_4f_area_ratio", ratio, "1")]
    composition = {"Cu": 10.0, "Bi": 10.0, "P": 20.0, "Se": 60.0}
    return rows + [
        ("quantification", f"{element}_atomic_percent", value, "atomic_percent")
        for element, value in composition.items()
    ]


def _level_truth(level: Level, window: Window) -> list[tuple[str, float, str]]:
    slug = level.slug
    areas = [area for _, area, _ in lines(level, PASS_ENERGY)]
    rows = [(f"{slug}_area", sum(areas), "count*eV/s")]
    names = [slug]
    if len(level.positions) == 2:
        momenta = {"p": ("3_2", "1_2"), "d": ("5_2", "3_2"), "f": ("7_2", "5_2")}[level.name[-1]]
        names = [slug + momentum for momentum in momenta]
        rows += [
            (f"{name}_binding_energy", position, "eV") for name, position in zip(names, level.positions, strict=True)
        ]
        rows += [(f"{slug}_area_ratio", areas[1] / areas[0], "1")]
        if level is not CU_2P:  # held at 19.8 eV in the model that contains the truth
            rows += [(f"{slug}_splitting", level.positions[1] - level.positions[0], "eV")]
    for name, lifetime in zip(names, level.lifetimes, strict=True):
        rows += [(f"{name}_fwhm", voigt_fwhm(window.width, lifetime), "eV")]
        if level is CU_2P:
            rows += [(f"{name}_fwhm_lorentzian", lifetime, "eV")]
    if level in (BI_4F, SE_3P):
        rows += [(f"{slug}_fwhm_lorentzian", level.lifetimes[0], "eV")]
    return rows
