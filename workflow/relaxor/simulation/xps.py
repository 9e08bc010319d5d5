"""Photoelectron spectra of a crystal, as a PHI VersaProbe III would write them.

Forward model: every level gives Voigt lines (lifetime ⊗ instrument) whose area is atoms × cross-section × escape
depth × transmission of the analyser; electrons that lost energy make the background: a Shirley step in the narrow
regions, Tougaard's universal loss function, all orders of scattering, in the survey. The sample is charged, carries
adventitious carbon and oxygen, and counts are Poisson numbers.
"""

import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Literal

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import ndtr

from relaxor.core.section import Section, setting
from relaxor.simulation.sample_file import PROGRAM, FileEntry, SampleFile, Truth
from relaxor.simulation.writers.phi_spe import Region, write
from relaxor.stats.line_shapes import SQRT_2LN2, gaussian, voigt, voigt_fwhm

PHOTON = 1486.6
"""Al Kα, eV."""
TRANSMISSION = (40.0, 0.2)
"""a and b of the analyser's transmission, as in ``IntensityCalCoeff`` of a VersaProbe."""
RATE = 0.07
"""Counts/s·eV per unit of atoms × cross-section × escape depth × transmission: peaks of some 10⁴ counts/s."""
ESCAPE_EXPONENT = 0.75
"""Escape depth ∝ kinetic energy to this power (Seah & Dench, doi 10.1002/sia.740010103, high-energy part)."""
PASS_ENERGY, SURVEY_PASS_ENERGY, STEP = 55.0, 224.0, 0.1
MOMENTA = {"p": ("3/2", "1/2"), "d": ("5/2", "3/2"), "f": ("7/2", "5/2")}
"""Orbital → total angular momenta of the stronger and the weaker line of a doublet."""


class Level(Section):
    """A core level: its lines, and how many atoms show them."""

    atoms: float = setting(...)
    """Atoms relative to those of other levels."""
    positions: list[float]
    """Binding energies of its lines in eV, free of charging."""
    cross_sections: list[float]
    """Photoionization cross-sections at Al Kα over that of C 1s."""
    lifetimes: list[float]
    """Lorentzian widths in eV."""
    widths: Literal["fixed", "shared", "each"] = "fixed"
    """Whether the analysis fits these widths: not at all, as one, or each."""
    splitting_model: str = ""
    """Model of the analysis that fits the splitting, if it is not that of the window."""


class Hump(Section):
    """A group of Auger lines."""

    position: float = setting(..., "eV")
    """Its middle on the scale of binding energy."""
    fwhm: float = setting(..., "eV")
    """Full width at half maximum."""
    strength: float = setting(...)
    """Strength as atoms × cross-section."""


class Window(Section):
    """How a narrow region is recorded and what lies under its lines."""

    atomic_number: int
    """Atomic number in the header."""
    levels: list[str]
    """Names of its levels."""
    first: float = setting(..., "eV")
    """Highest binding energy, where the scan starts."""
    last: float = setting(..., "eV")
    """Lowest binding energy."""
    time: float = setting(..., "s")
    """Counting time per point."""
    width: float = setting(..., "eV")
    """Gaussian width of instrument and phonons."""
    base: float = setting(..., "count/s")
    """Background at the lowest binding energy."""
    slope: float = setting(..., "count/s/eV")
    """Growth of the background with binding energy."""
    scattering: float = setting(..., "1/eV")
    """Height of the Shirley step per area above it."""
    auger: tuple[float, float, float] | None = None
    """Auger line under the levels: centre and full width (eV), height (counts/s)."""
    model: str
    """Model of the analysis that contains the truth of the window."""


class Specimen(Section):
    """A crystal, and the file of its spectra."""

    file: FileEntry
    """The file."""
    description: str
    """Description in the header."""
    charging: float = setting(..., "eV")
    """Shift of all lines to higher binding energy."""
    levels: dict[str, Level]
    """All core levels by name: element, orbital and, if needed, the chemical state."""
    auger: list[Hump]
    """Auger groups of the survey."""
    windows: dict[str, Window]
    """Narrow regions by name, in the order in which they are recorded."""
    atomic_percent: dict[str, float]
    """Composition that the analysis can find."""

    @cached_property
    def spectra(self) -> list["Spectrum"]:
        """Noiseless spectra: the survey, then the windows."""
        return [self._survey(), *(self._region(name, window) for name, window in self.windows.items())]

    def lines(self, name: str, pass_energy: float) -> list[tuple[float, float, float]]:
        """Return measured position (eV), area (counts/s·eV) and lifetime width (eV) of a level's lines.

        All lines of a level pass the analyser alike, as quantification by tabulated cross-sections assumes.
        """
        level = self.levels[name]
        scale = level.atoms * _sensitivity(PHOTON - level.positions[0] - self.charging, pass_energy)
        return [
            (position + self.charging, scale * cross_section, lifetime)
            for position, cross_section, lifetime in zip(
                level.positions, level.cross_sections, level.lifetimes, strict=True
            )
        ]

    def _region(self, name: str, window: Window) -> "Spectrum":
        points = round((window.first - window.last) / STEP) + 1
        energy = np.linspace(window.first, window.last, points)
        rate = window.base + window.slope * (energy - window.last)
        for level in window.levels:
            for position, area, lifetime in self.lines(level, PASS_ENERGY):
                rate += voigt(energy, area, position, window.width, lifetime)
                rate += window.scattering * area * _step(energy - position, window.width, lifetime)
        if window.auger:
            center, width, height = window.auger
            rate += height * np.exp(-0.5 * ((energy - center) * 2 * SQRT_2LN2 / width) ** 2)
        return name, window.atomic_number, energy, rate, window.time, PASS_ENERGY

    def _survey(self) -> "Spectrum":
        """Return all levels, Auger groups, and every order of inelastic scattering."""
        energy = np.linspace(1200.0, 0.0, 1501)
        ascending = energy[::-1]
        primary = np.zeros_like(ascending)
        in_windows = dict.fromkeys(level for window in self.windows.values() for level in window.levels)
        for level in in_windows | self.levels:
            for position, area, lifetime in self.lines(level, SURVEY_PASS_ENERGY):
                primary += voigt(ascending, area, position, 2.3, lifetime)
        for hump in self.auger:
            area = hump.strength * _sensitivity(PHOTON - hump.position, SURVEY_PASS_ENERGY)
            primary += gaussian(ascending, area, hump.position + self.charging, hump.fwhm)
        step = ascending[1] - ascending[0]
        loss = ascending[:, None] - ascending[None, :]
        kernel = np.where(loss > 0, 2866.0 * loss / (1643.0 + loss**2) ** 2, 0.0) * step
        rate = solve_triangular(np.eye(len(ascending)) - kernel, primary, lower=True) + 300.0
        return "Su1s", 111, energy, rate[::-1], 0.24, SURVEY_PASS_ENERGY


HEADER = {
    "Platform": "PC",
    "Technique": "XPS",
    "FileType": "SPECTRUM",
    "FileDesc": "",
    "SoftwareVersion": f"{PROGRAM} (layout of SS 3.3.3.2)",
    "InstrumentModel": "VersaProbe III",
    "AcqFilename": "",
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


Spectrum = tuple[str, int, np.ndarray, np.ndarray, float, float]
"""Name, atomic number, binding energy (eV), rate (counts/s), counting time (s), pass energy (eV)."""


def simulate(rng: np.random.Generator, values: Mapping[str, Any]) -> Iterator[SampleFile]:
    """Yield the one file of a session on a `Specimen`: survey and narrow regions."""
    yield noisy(Specimen.model_validate(values), rng)


def noisy(specimen: Specimen, rng: np.random.Generator) -> SampleFile:
    """Return the file of a session with its noise."""
    regions = [
        Region(name, number, float(energy[0]), float(energy[1] - energy[0]), rng.poisson(rate * time), time, width)
        for name, number, energy, rate, time, width in specimen.spectra
    ]
    header = HEADER | {"FileDesc": specimen.description, "AcqFilename": specimen.file.name}
    return SampleFile.of(specimen.file, "xps", write(regions, header), truth=tuple(truth(specimen)))


def _sensitivity(kinetic: float, pass_energy: float) -> float:
    """Return counts/s·eV per unit of cross-section: escape depth × transmission."""
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


def truth(specimen: Specimen) -> Iterator[Truth]:
    """Yield what an analysis of the windows can find."""
    yield Truth("charge_reference", "charge_shift", specimen.charging, "eV")
    elsewhere = []
    for window in specimen.windows.values():
        yield Truth(window.model, "fwhm_gaussian", window.width, "eV")
        yield Truth(window.model, "shirley_scattering", window.scattering, "1/eV")
        for name in window.levels:
            rows = list(_level_truth(specimen, name, window))
            yield from (row for row in rows if row.model == window.model)
            elsewhere += [row for row in rows if row.model != window.model]
        doublets = [name for name in window.levels if len(specimen.levels[name].positions) == 2]
        if len(doublets) == 2:
            one, two = (sum(area for _, area, _ in specimen.lines(name, PASS_ENERGY)) for name in doublets)
            ratio = Truth(window.model, "area_ratio_of_levels", two / one, "1", f"{doublets[1]}/{doublets[0]}")
            elsewhere.append(ratio)
    yield from elsewhere
    for element, value in specimen.atomic_percent.items():
        yield Truth("quantification", "atomic_percent", value, "atomic_percent", element)


def _level_truth(specimen: Specimen, name: str, window: Window) -> Iterator[Truth]:
    level, model = specimen.levels[name], window.model
    areas = [area for _, area, _ in specimen.lines(name, PASS_ENERGY)]
    yield Truth(model, "area", sum(areas), "count*eV/s", name)
    members = [name]
    if len(level.positions) == 2:
        members = [name + momentum for momentum in MOMENTA[name.split()[1][1]]]
        for member, position in zip(members, level.positions, strict=True):
            yield Truth(model, "binding_energy", position, "eV", member)
        yield Truth(model, "area_ratio", areas[1] / areas[0], "1", name)
        splitting = level.positions[1] - level.positions[0]
        yield Truth(level.splitting_model or model, "splitting", splitting, "eV", name)
    for member, lifetime in zip(members, level.lifetimes, strict=True):
        yield Truth(model, "fwhm", voigt_fwhm(window.width, lifetime), "eV", member)
        if level.widths == "each":
            yield Truth(model, "fwhm_lorentzian", lifetime, "eV", member)
    if level.widths == "shared":
        yield Truth(model, "fwhm_lorentzian", level.lifetimes[0], "eV", name)
