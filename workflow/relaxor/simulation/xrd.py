"""Forward model of a 2θ scan of a CuBiP2Se6 platelet lying on its cleavage face, as a Bruker D8 writes it.

Structure factors of the disordered mean structure (P-31c; both senses of the Cu and Bi offsets half occupied), with
tabulated scattering factors and dispersion; Lorentz and polarization factor; texture of March and Dollase
(doi 10.1107/S0021889886089458), nearly perfect. Every line is a Kα1, Kα2 pair of Voigt profiles: the Gaussian part
is the instrument, the Lorentzian part the natural width of the emission line, crystallite size and microstrain. All
lines are displaced by the height error of the sample and by the zero of the goniometer. The background is air
scatter, falling with the angle, over a sloping floor; the counts are Poisson.
"""

import math
from collections.abc import Iterator
from functools import cache

import numpy as np

from relaxor.simulation.sample_file import PROGRAM, SampleFile, Truth
from relaxor.simulation.structure import PAPER_GROUP, THREEFOLD, A, C, sites
from relaxor.simulation.writers.bruker_raw4 import Scan, bruker_raw4
from relaxor.stats.fit import voigt, voigt_fwhm

START, STOP, STEP = 5.0, 95.0, 0.02
"""Scan, degree 2θ."""
COUNTING_TIME = 96.0
"""Seconds a step, summed over the 192 strips of a line detector at 0.5 s."""
ALPHA1, ALPHA2, RATIO = 1.540593, 1.544427, 0.5
"""Cu Kα1 and Kα2 (angstrom) and the ratio of their intensities."""
RADIUS = 280.0
"""Goniometer radius, mm."""
DISPLACEMENT = 0.060
"""Height of the sample surface above the axis, mm: a platelet glued on a flat holder. Positive lowers 2θ."""
ZERO_SHIFT = 0.003
"""Zero of the goniometer, degree 2θ: within what an alignment leaves."""
CRYSTALLITE_SIZE = 90.0
"""Coherent thickness of the stack, nm; plausible for a van der Waals crystal with stacking faults."""
SCHERRER = 0.9
MICROSTRAIN = 4.0e-4
"""Relative spread of the layer distance; plausible for a cleaved, bent platelet."""
CAGLIOTI = (0.0015, -0.0010, 0.0016)
"""Gaussian instrument width² = u·tan²θ + v·tanθ + w, degree²; typical of this diffractometer."""
EMISSION = 2.85e-4
"""Relative natural width of the Kα line."""
TEXTURE = 0.05
"""March–Dollase parameter: 1 is a powder, 0 a perfect fibre; the platelet's own mosaic."""
DEBYE_WALLER = 1.8
"""Isotropic B, square angstrom: soft ionic conductor at 293 K."""
STRONGEST = 12_000.0
"""Area of the strongest line, count·degree."""
FLOOR, SLOPE, AIR, AIR_RANGE = 90.0, -0.25, 600.0, 7.0
"""Background: counts at 5°, counts a degree, air scatter at 5°, and the angle over which it falls to 1/e."""
ENERGY = 8047.8
"""Photon energy of Cu Kα1, eV."""


def simulate(rng: np.random.Generator) -> Iterator[SampleFile]:
    """Yield the scan of panel 1b."""
    two_theta = START + STEP * np.arange(round((STOP - START) / STEP) + 1)
    counts = rng.poisson(expected_counts(two_theta))
    content = bruker_raw4(
        [Scan(START, STEP, counts, COUNTING_TIME)],
        date="11/05/2024",
        time="10:12:00",
        texts={
            "USER": "relaxor",
            "SAMPLEID": "CBPS platelet",
            "COMMENT": "SIMULATED 00l scan, not a measurement",
            "CREATOR": PROGRAM,
        },
        alpha1=ALPHA1,
        alpha2=ALPHA2,
        goniometer_radius=RADIUS,
    )
    yield SampleFile(
        measurement="xrd_platelet",
        technique="xrd",
        panel="1b",
        name="cbps_platelet_00l.raw",
        content=content,
        truth=tuple(_truth()),
        conditions={"temperature": "293 K"},
        note="coupled scan of a platelet on its cleavage face, Cu tube, line detector",
    )


@cache
def lines() -> list[tuple[tuple[int, int, int], float, float]]:
    """Return hkl, distance (angstrom) and area (count·degree) of every line in the scan."""
    import gemmi

    operations = gemmi.SpaceGroup(PAPER_GROUP).operations()
    found = []
    for h, k, index in np.ndindex(9, 9, 25):
        inverse_square = 4 / 3 * (h * h + h * k + k * k) / A**2 + index**2 / C**2
        sine = ALPHA1 / 2 * math.sqrt(inverse_square)
        if not 0 < sine < math.sin(math.radians(STOP / 2)) or operations.is_systematically_absent([h, k, index]):
            continue
        theta = math.asin(sine)
        tilt = math.acos(min(index / C / math.sqrt(inverse_square), 1.0))
        march = (TEXTURE**2 * math.cos(tilt) ** 2 + math.sin(tilt) ** 2 / TEXTURE) ** -1.5
        polarization = (1 + math.cos(2 * theta) ** 2) / (math.sin(theta) ** 2 * math.cos(theta))
        faces = 2 if h == k == 0 else 6
        found.append(
            (
                (h, k, index),
                1 / math.sqrt(inverse_square),
                faces * march * polarization * _structure_factor(h, k, index),
            )
        )
    largest = max(area for _, _, area in found)
    return [(hkl, d, area / largest * STRONGEST) for hkl, d, area in found if area > 1e-9 * largest]


def _structure_factor(h: int, k: int, index: int) -> float:
    """Return |F|² of the mean structure."""
    import gemmi

    quarter = (4 / 3 * (h * h + h * k + k * k) / A**2 + index**2 / C**2) / 4
    operations = [gemmi.Op(triplet) for triplet in THREEFOLD]
    operations += [
        gemmi.Op(second) * operation
        for second in ("-x,-y,-z", "y,x,z+1/2", "-y,-x,-z+1/2")
        for operation in operations[:3]
    ]
    total = 0j
    for label, position in sites().items():
        element = gemmi.Element(label[:-1])
        dispersion = gemmi.cromer_liberman(element.atomic_number, ENERGY)
        factor = element.it92.calculate_sf(quarter) + complex(*dispersion)
        on_axis = 3 if label[:-1] != "Se" else 1
        for operation in operations:
            phase = 2j * math.pi * np.dot((h, k, index), operation.apply_to_xyz(list(position)))
            total += factor / (2 * on_axis) * np.exp(phase)
    return abs(total * math.exp(-DEBYE_WALLER * quarter)) ** 2


def observed_position(d: float, wavelength: float) -> float:
    """Return where a line is seen (degree 2θ), displaced and shifted."""
    theta = math.asin(wavelength / (2 * d))
    return math.degrees(2 * theta - 2 * DISPLACEMENT / RADIUS * math.cos(theta)) + ZERO_SHIFT


def widths(d: float, wavelength: float) -> tuple[float, float]:
    """Return Gaussian and Lorentzian full widths at half maximum (degree 2θ)."""
    theta = math.asin(wavelength / (2 * d))
    tangent = math.tan(theta)
    gaussian = math.sqrt(CAGLIOTI[0] * tangent**2 + CAGLIOTI[1] * tangent + CAGLIOTI[2])
    size = SCHERRER * wavelength / (10 * CRYSTALLITE_SIZE * math.cos(theta))
    return gaussian, math.degrees(size + 4 * MICROSTRAIN * tangent + 2 * EMISSION * tangent)


def expected_counts(two_theta: np.ndarray) -> np.ndarray:
    """Return the noiseless counts at each angle (degree)."""
    result = FLOOR + SLOPE * (two_theta - START) + AIR * np.exp(-(two_theta - START) / AIR_RANGE)
    for _, d, area in lines():
        for wavelength, share in ((ALPHA1, 1 / (1 + RATIO)), (ALPHA2, RATIO / (1 + RATIO))):
            if wavelength < 2 * d:
                result = result + voigt(
                    two_theta, area * share, observed_position(d, wavelength), *widths(d, wavelength)
                )
    return result


def _truth() -> Iterator[Truth]:
    for (h, k, index), d, area in lines():
        if h or k:
            continue
        gaussian, lorentzian = widths(d, ALPHA1)
        for name, value, unit in (
            ("two_theta", observed_position(d, ALPHA1), "degree"),
            ("area", area, "count*degree"),
            ("fwhm_lorentzian", lorentzian, "degree"),
            ("fwhm", voigt_fwhm(gaussian, lorentzian), "degree"),
        ):
            yield "voigt_doublet", f"{name}_00{index}", value, unit
        yield "pseudo_voigt_doublet", f"two_theta_00{index}", observed_position(d, ALPHA1), "degree"
    # With the zero not fitted, c is off by less than the systematic error that the analysis states.
    yield "displacement", "c", C, "angstrom"
    yield "displacement", "sample_displacement", DISPLACEMENT, "mm"
    yield "displacement_and_zero_shift", "c", C, "angstrom"
    yield "displacement_and_zero_shift", "interlayer_spacing", C / 2, "angstrom"
    yield "displacement_and_zero_shift", "sample_displacement", DISPLACEMENT, "mm"
    yield "displacement_and_zero_shift", "zero_shift", ZERO_SHIFT, "degree"
    yield "size_and_strain", "crystallite_size", CRYSTALLITE_SIZE, "nm"
    yield "size_and_strain", "microstrain", MICROSTRAIN, "1"
    for index in range(1, 14, 2):
        if STOP > math.degrees(2 * math.asin(index * ALPHA1 / (2 * C))) > START:
            yield "superlattice_lines", f"area_00{index}", 0.0, "count*degree"
