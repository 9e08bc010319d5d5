"""Forward model of a 2θ scan of a platelet that lies on its cleavage face, as a Bruker D8 writes it.

Structure factors of the mean structure of a crystal that is disordered between its states, with tabulated scattering
factors and dispersion; Lorentz and polarization factor; texture of March and Dollase (doi 10.1107/S0021889886089458).
Every line is a Kα1, Kα2 pair of Voigt profiles: the Gaussian part is the instrument, the Lorentzian part the natural
width of the emission line, crystallite size and microstrain. All lines are displaced by the height error of the sample
and by the zero of the goniometer. The background is air scatter, falling with the angle, over a sloping floor; the
counts are Poisson numbers.
"""

import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

import gemmi
import numpy as np

from relaxor.core.section import Section, setting
from relaxor.simulation.sample_file import PROGRAM, FileEntry, SampleFile, Truth
from relaxor.simulation.structure import LAYERS, Crystal
from relaxor.simulation.writers.bruker_raw4 import Scan, bruker_raw4
from relaxor.stats.line_shapes import voigt, voigt_fwhm

START, STOP, STEP = 5.0, 95.0, 0.02
"""Scan, degree 2θ."""
COUNTING_TIME = 96.0
"""Seconds per step, summed over the 192 strips of a line detector at 0.5 s."""
ALPHA1, ALPHA2, RATIO = 1.540593, 1.544427, 0.5
"""Cu Kα1 and Kα2 (angstrom) and the ratio of their intensities."""
RADIUS = 280.0
"""Goniometer radius, mm."""
ZERO_SHIFT = 0.003
"""Zero of the goniometer, degree 2θ: within what an alignment leaves."""
SCHERRER = 0.9
CAGLIOTI = (0.0015, -0.0010, 0.0016)
"""Gaussian instrument width² = u·tan²θ + v·tanθ + w, degree²; typical of this diffractometer."""
EMISSION = 2.85e-4
"""Relative natural width of the Kα line."""
FLOOR, SLOPE, AIR, AIR_RANGE = 90.0, -0.25, 600.0, 7.0
"""Background: counts at 5°, counts per degree, air scatter at 5°, and the angle over which it falls to 1/e."""
ENERGY = 8047.8
"""Photon energy of Cu Kα1, eV."""


class Specimen(Section):
    """A platelet on a flat holder, and the file of its scan."""

    file: FileEntry
    """The file."""
    name: str
    """Name of the platelet in the header."""
    crystal: Crystal
    """The crystal."""
    displacement: float = setting(..., "mm")
    """Height of the surface above the axis of the goniometer; positive lowers 2θ."""
    crystallite_size: float = setting(..., "nm")
    """Coherent thickness of the stack of layers."""
    microstrain: float = setting(...)
    """Relative spread of the distance of layers."""
    texture: float = setting(...)
    """Parameter of March and Dollase: 1 is a powder, 0 a perfect fibre."""
    debye_waller: float = setting(..., "angstrom^2")
    """Isotropic B of all atoms."""
    strongest: float = setting(..., "count*degree")
    """Area of the strongest line."""

    @cached_property
    def lines(self) -> list[tuple[tuple[int, int, int], float, float]]:
        """Indices hkl, distance (angstrom) and area (count·degree) of every line in the scan."""
        crystal = self.crystal
        operations = gemmi.SpaceGroup(crystal.mean_group).operations()
        found = []
        for h, k, index in np.ndindex(9, 9, 25):
            inverse_square = _inverse_square(crystal, h, k, index)
            sine = ALPHA1 / 2 * math.sqrt(inverse_square)
            if not 0 < sine < math.sin(math.radians(STOP / 2)) or operations.is_systematically_absent([h, k, index]):
                continue
            theta = math.asin(sine)
            tilt = math.acos(min(index / crystal.c / math.sqrt(inverse_square), 1.0))
            march = (self.texture**2 * math.cos(tilt) ** 2 + math.sin(tilt) ** 2 / self.texture) ** -1.5
            polarization = (1 + math.cos(2 * theta) ** 2) / (math.sin(theta) ** 2 * math.cos(theta))
            faces = 2 if h == k == 0 else 6
            area = faces * march * polarization * self._structure_factor(h, k, index)
            found.append(((h, k, index), 1 / math.sqrt(inverse_square), area))
        largest = max(area for _, _, area in found)
        return [(hkl, d, area / largest * self.strongest) for hkl, d, area in found if area > 1e-9 * largest]

    def _structure_factor(self, h: int, k: int, index: int) -> float:
        """Return |F|² of the mean structure: half of the atoms of each state."""
        quarter = _inverse_square(self.crystal, h, k, index) / 4
        operations = list(gemmi.SpaceGroup(self.crystal.mean_group).operations())
        total = 0j
        for label, position in self.crystal.positions().items():
            element = gemmi.Element(label[:-1])
            dispersion = gemmi.cromer_liberman(element.atomic_number, ENERGY)
            factor = element.it92.calculate_sf(quarter) + complex(*dispersion)
            on_axis = 1 if self.crystal.sites[label].bonded_to else 3
            for operation in operations:
                phase = 2j * math.pi * np.dot((h, k, index), operation.apply_to_xyz(list(position)))
                total += factor / (2 * on_axis) * np.exp(phase)
        return abs(total * math.exp(-self.debye_waller * quarter)) ** 2

    def position(self, d: float, wavelength: float) -> float:
        """Return where a line is seen (degree 2θ), displaced and shifted."""
        theta = math.asin(wavelength / (2 * d))
        return math.degrees(2 * theta - 2 * self.displacement / RADIUS * math.cos(theta)) + ZERO_SHIFT

    def widths(self, d: float, wavelength: float) -> tuple[float, float]:
        """Return Gaussian and Lorentzian full widths at half maximum (degree 2θ)."""
        theta = math.asin(wavelength / (2 * d))
        tangent = math.tan(theta)
        gaussian = math.sqrt(CAGLIOTI[0] * tangent**2 + CAGLIOTI[1] * tangent + CAGLIOTI[2])
        size = SCHERRER * wavelength / (10 * self.crystallite_size * math.cos(theta))
        return gaussian, math.degrees(size + 4 * self.microstrain * tangent + 2 * EMISSION * tangent)

    def expected_counts(self, two_theta: np.ndarray) -> np.ndarray:
        """Return the noiseless counts at each angle (degree)."""
        result = FLOOR + SLOPE * (two_theta - START) + AIR * np.exp(-(two_theta - START) / AIR_RANGE)
        for _, d, area in self.lines:
            for wavelength, share in ((ALPHA1, 1 / (1 + RATIO)), (ALPHA2, RATIO / (1 + RATIO))):
                if wavelength < 2 * d:
                    center = self.position(d, wavelength)
                    result = result + voigt(two_theta, area * share, center, *self.widths(d, wavelength))
        return result


def _inverse_square(crystal: Crystal, h: int, k: int, index: int) -> float:
    """Return 1/d² of lattice planes."""
    return 4 / 3 * (h * h + h * k + k * k) / crystal.a**2 + index**2 / crystal.c**2


def simulate(rng: np.random.Generator, values: Mapping[str, Any]) -> Iterator[SampleFile]:
    """Yield the scan of a `Specimen`."""
    specimen = Specimen.model_validate(values)
    two_theta = START + STEP * np.arange(round((STOP - START) / STEP) + 1)
    counts = rng.poisson(specimen.expected_counts(two_theta))
    comment = "SIMULATED 00l scan, not a measurement"
    texts = {"USER": "relaxor", "SAMPLEID": specimen.name, "COMMENT": comment, "CREATOR": PROGRAM}
    scan = Scan(START, STEP, counts, COUNTING_TIME)
    content = bruker_raw4([scan], datetime(2024, 11, 5, 10, 12), texts, (ALPHA1, ALPHA2), RADIUS)
    yield SampleFile.of(specimen.file, "xrd", content, truth=tuple(truth(specimen)))


def truth(specimen: Specimen) -> Iterator[Truth]:
    """Yield the true values."""
    c = specimen.crystal.c
    for (h, k, index), d, area in specimen.lines:
        if h or k:
            continue
        gaussian, lorentzian = specimen.widths(d, ALPHA1)
        name, place = f"00{index}", specimen.position(d, ALPHA1)
        yield Truth("voigt_doublet", "two_theta", place, "degree", name)
        yield Truth("voigt_doublet", "area", area, "count*degree", name)
        yield Truth("voigt_doublet", "fwhm_lorentzian", lorentzian, "degree", name)
        yield Truth("voigt_doublet", "fwhm", voigt_fwhm(gaussian, lorentzian), "degree", name)
        yield Truth("pseudo_voigt_doublet", "two_theta", place, "degree", name)
    # With the zero not fitted, c is off by less than the systematic error that the analysis states.
    yield Truth("displacement", "lattice_parameter", c, "angstrom", "c")
    yield Truth("displacement", "sample_displacement", specimen.displacement, "mm")
    yield Truth("displacement_and_zero_shift", "lattice_parameter", c, "angstrom", "c")
    yield Truth("displacement_and_zero_shift", "interlayer_spacing", c / LAYERS, "angstrom")
    yield Truth("displacement_and_zero_shift", "sample_displacement", specimen.displacement, "mm")
    yield Truth("displacement_and_zero_shift", "zero_shift", ZERO_SHIFT, "degree")
    yield Truth("size_and_strain", "crystallite_size", specimen.crystallite_size, "nm")
    yield Truth("size_and_strain", "microstrain", specimen.microstrain, "1")
    for index in range(1, math.floor(2 * c / ALPHA1), 2):
        if STOP > math.degrees(2 * math.asin(index * ALPHA1 / (2 * c))) > START:
            yield Truth("superlattice_lines", "area", 0.0, "count*degree", f"00{index}")
