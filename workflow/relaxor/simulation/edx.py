"""EDX spectrum of a crystal, as a silicon drift detector on a Quanta 400 exports it.

Characteristic lines with the widths of the detector (electronic noise and Fano statistics) stand on Kramers'
bremsstrahlung, seen through the detector's window and dead layer (silicon K edge) and its finite depth. What leaves the
bulk crystal follows from the absorption of Philibert with Heinrich's constants, which is another model than that of
the analysis, and from mass absorption coefficients of another table. The sensitivities of the lines differ from the
tabulated k-factors by some per cent, as they do in reality: that is what a standardless analysis cannot know. The
analysis shares the energies of lines, the k-factors apart from these errors, and the size of fluorescence.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from scipy.special import erf

from relaxor.core.section import Section, setting
from relaxor.simulation.sample_file import FileEntry, SampleFile, Truth
from relaxor.simulation.writers.emsa import write

LIVE_TIME = 120.0
"""Seconds."""
CHANNEL, CHANNELS = 0.010, 2048
"""Width of a channel in keV, and number of channels."""
OFFSET_ERROR, GAIN_ERROR = 0.004, -0.0006
"""The axis shows a line of energy E at E (1 + gain error) + offset error, keV."""
MN_FWHM = 0.130
"""Resolution at Mn Kα (5.895 keV), keV."""
FANO_SLOPE = 8 * np.log(2) * 0.115 * 3.65e-3
"""Growth of FWHM² with energy, keV: Fano factor 0.115, 3.65 eV per electron–hole pair in silicon."""
BREMSSTRAHLUNG = 420.0
"""Counts per channel at 5 keV without absorption."""


class Component(Section):
    """An element of the crystal, and the family of lines that its amount is seen by."""

    atoms: float = setting(..., gt=0)
    """Atoms in a formula unit."""
    family: str
    """Name of that family."""
    tabulated: float = setting(..., gt=0)
    """Tabulated k-factor of that family by mass."""
    error: float = setting(1.0, gt=0)
    """True k-factor over the tabulated one."""
    atomic_number: int
    """Atomic number."""
    edge: float = setting(..., "keV", gt=0)
    """Energy that excites the family."""
    attenuation: float = setting(..., "cm^2/g", gt=0)
    """Mass absorption coefficient of the crystal at the family."""
    secondary: float = setting(0.0, ge=0)
    """Photons that other lines excite and that leave, per generated photon."""


class Specimen(Section):
    """A crystal under an electron beam, and the file of its spectrum."""

    file: FileEntry
    """The file."""
    title: str
    """Title of the spectrum."""
    beam_energy: float = setting(..., "keV")
    """Energy of the beam."""
    composition: dict[str, Component]
    """Elements of the crystal by symbol; the first is what others are set in ratio to."""
    atomic_weights: dict[str, float]
    """Standard atomic weights of the elements."""
    take_off: float = setting(..., "deg", gt=0)
    """Angle of the detector above the surface."""
    reference: str
    """Element whose counts are given."""
    reference_counts: float = setting(..., "count")
    """Counts in the family of the reference."""
    other_counts: dict[str, float]
    """Counts of the families that are not quantified."""
    outside: list[str]
    """Families below the range that is analysed."""
    lines: dict[str, list[tuple[float, float]]]
    """Family → energies in keV and relative intensities of its lines."""

    @property
    def mass(self) -> dict[str, float]:
        """Mass of each element in 100 mol of atoms, in g."""
        return {name: self.atomic_percent(name) * self.atomic_weights[name] for name in self.composition}

    def atomic_percent(self, element: str) -> float:
        """Return the share of an element in all atoms."""
        return 100 * self.composition[element].atoms / sum(part.atoms for part in self.composition.values())

    def intensities(self) -> dict[str, float]:
        """Return the expected counts of each family of lines."""
        leaving = {
            name: self.mass[name] * (self.escaping(name) + part.secondary) / (part.tabulated * part.error)
            for name, part in self.composition.items()
        }
        scale = self.reference_counts / leaving[self.reference]
        return {part.family: scale * leaving[name] for name, part in self.composition.items()} | self.other_counts

    def escaping(self, element: str) -> float:
        """Return the share of generated photons that leaves the crystal.

        Philibert's formula with the constants of Heinrich, NBS Technical Note 521 (1970).
        """
        part, total = self.composition[element], sum(self.mass.values())
        sigma = 4.5e5 / (self.beam_energy**1.65 - part.edge**1.65)
        h = sum(
            1.2 * self.mass[name] / total * self.atomic_weights[name] / other.atomic_number**2
            for name, other in self.composition.items()
        )
        reduced = part.attenuation / np.sin(np.radians(self.take_off)) / sigma
        return float((1 + h) / ((1 + reduced) * (1 + h * (1 + reduced))))

    def expected(self, axis: np.ndarray) -> np.ndarray:
        """Return the noiseless counts per channel; axis in keV as the instrument shows it."""
        total = self.background(axis)
        for family, counts in self.intensities().items():
            weights = sum(weight for _, weight in self.lines[family])
            for energy, weight in self.lines[family]:
                center = energy * (1 + GAIN_ERROR) + OFFSET_ERROR
                sigma = np.sqrt(MN_FWHM**2 + FANO_SLOPE * (energy - 5.895)) / np.sqrt(8 * np.log(2))
                edges = np.append(axis, axis[-1] + CHANNEL) - CHANNEL / 2
                total += counts * weight / weights * np.diff(0.5 * erf((edges - center) / sigma / np.sqrt(2)))
        return total

    def background(self, axis: np.ndarray) -> np.ndarray:
        """Return bremsstrahlung per channel: Kramers' law through window, dead layer and depth of the detector."""
        energy = np.maximum((axis - OFFSET_ERROR) / (1 + GAIN_ERROR), 0.05)
        kramers = np.maximum(self.beam_energy / energy - 1, 0.0) / (self.beam_energy / 5 - 1)
        window = np.exp(-((0.45 / energy) ** 2.8))
        above_edge = 0.5 * (1 + erf((energy - 1.839) / 0.04))
        dead_layer = np.exp(-0.09 * (1.839 / energy) ** 2.8 * above_edge)
        depth = 1 - np.exp(-0.045 * 2.33 * 10.3 * (15 / energy) ** 2.8)
        return BREMSSTRAHLUNG * kramers * window * dead_layer * depth


def simulate(rng: np.random.Generator, values: Mapping[str, Any]) -> Iterator[SampleFile]:
    """Yield the spectrum of a `Specimen`."""
    specimen = Specimen.model_validate(values)
    counts = rng.poisson(specimen.expected(CHANNEL * np.arange(CHANNELS)))
    header: dict[str, str | float] = {
        "TITLE": specimen.title[:64],
        "DATE": "14-NOV-2024",
        "TIME": "11:05",
        "BEAMKV   -kV": specimen.beam_energy,
        "LIVETIME  -s": LIVE_TIME,
        "REALTIME  -s": round(1.18 * LIVE_TIME, 1),
        "ELEVANGLE-dg": specimen.take_off,
        "EDSDET": "SDBE",
        "COMMENT": "SIMULATED",
    }
    content = write(counts, 0.0, 1000 * CHANNEL, header)
    yield SampleFile.of(specimen.file, "edx", content, truth=tuple(_truth(specimen)))


def _truth(specimen: Specimen) -> Iterator[Truth]:
    for family, counts in specimen.intensities().items():
        if family not in specimen.outside:
            yield Truth("line_families", "intensity", counts, "count", family)
    yield Truth("line_families", "detector_resolution", 1000 * MN_FWHM, "eV", "Mn Ka")
    yield Truth("line_families", "energy_offset", 1000 * OFFSET_ERROR, "eV")
    yield Truth("line_families", "energy_gain", 1 + GAIN_ERROR, "1")
    first = next(iter(specimen.composition))
    for element, part in specimen.composition.items():
        weight = 100 * specimen.mass[element] / sum(specimen.mass.values())
        yield Truth("xpp", "atomic_percent", specimen.atomic_percent(element), "atomic_percent", element)
        yield Truth("xpp", "weight_percent", weight, "percent", element)
        yield Truth("xpp", "atoms_per_formula_unit", part.atoms, "1", element)
        if element != first:
            ratio = part.atoms / specimen.composition[first].atoms
            yield Truth("xpp", "atomic_ratio", ratio, "1", f"{element}/{first}")
