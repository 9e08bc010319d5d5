"""Forward models of diffraction patterns, written without the line shapes, the simulator or the physics of relaxor.

Lines are Voigt functions of SciPy or sums of a Gaussian and a Lorentzian; axial divergence follows single rays through
their Soller slits; emission profiles are those measured by Hölzer et al. (doi 10.1103/PhysRevA.56.4554).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import xarray as xr
from relaxor.core.results import Measurement
from scipy.special import voigt_profile

RADIUS, ALPHA1, ALPHA2, KBETA, W_LALPHA = 280.0, 1.540593, 1.544427, 1.392234, 1.476311
LAYERED = 13.263
"""Edge c (angstrom) of a layered crystal of which even 00l lines are seen."""
AREAS = {2: 9000.0, 4: 5500.0, 6: 900.0, 8: 1300.0, 10: 120.0, 12: 130.0}
"""Areas (count·degree) of its lines."""
PAIR = ((ALPHA1, 2 / 3), (ALPHA2, 1 / 3))
"""Wavelengths (angstrom) and shares of two sharp lines."""
EV = 12398.41984
HOLZER = tuple(
    (EV / energy, height * width)
    for energy, width, height in (
        (8047.837, 2.285, 0.957),
        (8045.367, 3.358, 0.090),
        (8027.993, 2.666, 0.334),
        (8026.504, 3.571, 0.111),
    )
)
"""The four Lorentzian parts of Cu Kα: wavelength and relative area; their widths are close to 2.5 eV."""


def two_theta(d: np.ndarray | float, wavelength: float = ALPHA1) -> np.ndarray:
    """Bragg's law, degree."""
    return 2 * np.degrees(np.arcsin(wavelength / 2 / np.asarray(d)))


def voigt_line(x: np.ndarray, gaussian: float, lorentzian: float) -> np.ndarray:
    return voigt_profile(x, gaussian / 2.354820045, max(lorentzian, 1e-9) / 2)


def mixed_line(x: np.ndarray, width: float, share: float) -> np.ndarray:
    """A Gaussian and a Lorentzian of one width."""
    gauss = np.exp(-np.log(16) * (x / width) ** 2) * np.sqrt(np.log(16) / np.pi) / width
    return (1 - share) * gauss + share * 2 / np.pi / width / (1 + 4 * (x / width) ** 2)


def axial_offsets(angle: float, divergence: float, number: int = 61) -> tuple[np.ndarray, np.ndarray]:
    """Where rays of axial angles up to ``divergence`` (rad) before and behind the sample are seen, and their shares.

    The angle between a ray in and a ray out is the Bragg angle; what is seen is that of their projections.
    """
    place = np.linspace(-1, 1, number) * divergence
    before, behind = np.meshgrid(place, place)
    share = (1 - np.abs(before) / divergence / 1.02) * (1 - np.abs(behind) / divergence / 1.02)
    cosine = (np.cos(np.radians(angle)) - np.sin(before) * np.sin(behind)) / np.cos(before) / np.cos(behind)
    offset = np.degrees(np.arccos(np.clip(cosine, -1, 1))) - angle
    share, edges = np.histogram(offset, bins=240, weights=share / share.sum())
    return (edges[1:] + edges[:-1]) / 2, share


def tail_offsets(angle: float, length: float) -> tuple[np.ndarray, np.ndarray]:
    """Where depths of a transparent sample are seen: an exponential tail of ``length`` mm, and shares."""
    depth = (np.arange(60) + 0.5) / 10
    share = np.exp(-depth)
    return -np.degrees(2 * depth * length * np.cos(np.radians(angle / 2)) / RADIUS), share / share.sum()


@dataclass(frozen=True)
class Scan:
    """A scan as a diffractometer would count it.

    Attributes
    ----------
    lines
        Spacing (angstrom) and area (count·degree) of every line.
    shape
        Function of x (degree from the line) and of 2θ (degree): the line without asymmetry, of area one.
    emission
        Wavelengths (angstrom) and shares.
    smear
        Function of 2θ: offsets (degree) and shares of an asymmetric aberration; none if empty.
    displacement, zero
        Height of the sample (mm) and zero of the circle (degree).
    """

    lines: tuple[tuple[float, float], ...]
    shape: Callable[[np.ndarray, float], np.ndarray]
    emission: tuple[tuple[float, float], ...] = PAIR
    smear: Callable[[float], tuple[np.ndarray, np.ndarray]] | None = None
    displacement: float = 0.06
    zero: float = 0.003
    span: tuple[float, float] = (8.0, 95.0)
    background: float = 60.0
    attrs: dict = field(default_factory=dict)

    @cached_property
    def angles(self) -> np.ndarray:
        return np.arange(*self.span, 0.02)

    @cached_property
    def expected(self) -> np.ndarray:
        total = self.background * (1 + 4 * np.exp(-self.angles / 12))
        whole = sum(share for _, share in self.emission)
        for d, area in self.lines:
            for wavelength, share in self.emission:
                if wavelength >= 1.99 * d:
                    continue
                bragg = float(two_theta(d, wavelength))
                seen = bragg - np.degrees(2 * self.displacement * np.cos(np.radians(bragg / 2)) / RADIUS) + self.zero
                offsets, shares = self.smear(bragg) if self.smear else (np.zeros(1), np.ones(1))
                for offset, part in zip(offsets, shares, strict=True):
                    if part > 1e-7:
                        total = total + area * share / whole * part * self.shape(self.angles - seen - offset, bragg)
        return total

    def draw(self, generator: np.random.Generator) -> list[Measurement]:
        counts = generator.poisson(self.expected).astype(float)
        scan = xr.Dataset(
            {"intensity": ("two_theta", counts, {"units": "count"})},
            coords={"two_theta": self.angles},
            attrs={"goniometer_radius": RADIUS, **self.attrs},
        )
        attrs = {"raw_file": "scan.raw", "raw_sha256": "0" * 64, "origin": "simulated"}
        return [Measurement("scan", attrs, {}, {"scan_1": scan})]


def basal(c: float = LAYERED, scale: float = 1.0) -> tuple[tuple[float, float], ...]:
    """Lines of the layered crystal."""
    return tuple((c / index, scale * area) for index, area in AREAS.items())


def powder(
    edges: Iterable[float], indices: Iterable[tuple[int, int, int]], strongest: float = 2500.0
) -> tuple[tuple[float, float], ...]:
    """Lines of any cell: d from the volume form of the triclinic formula, areas that fall with the angle."""
    a, b, c, *angles = edges
    alpha, beta, gamma = np.radians(angles)
    basis = np.zeros((3, 3))
    basis[0, 0] = a
    basis[1, :2] = b * np.cos(gamma), b * np.sin(gamma)
    x, y = c * np.cos(beta), c * (np.cos(alpha) - np.cos(beta) * np.cos(gamma)) / np.sin(gamma)
    basis[2] = x, y, np.sqrt(c * c - x * x - y * y)
    reciprocal = np.linalg.inv(basis).T
    found = []
    for rank, hkl in enumerate(indices):
        d = 1 / float(np.linalg.norm(np.array(hkl) @ reciprocal))
        found.append((d, strongest * (1 + np.cos(1.7 * rank)) / 3 + 0.2 * strongest))
    return tuple(found)


def film(planes: int, generator: np.random.Generator, step: float = 0.001) -> tuple[np.ndarray, np.ndarray, float]:
    """A film of ``planes`` on a substrate near its 004 line: waves of all planes are added, counts are drawn.

    Returns
    -------
    angles, counts, thickness
        Degree 2θ, Kα1 alone; thickness in angstrom.
    """
    angles = np.arange(65.2, 66.9, step)
    above, below, absorbed = 1.4164, 1.4132, np.exp(-1 / 2500)
    intensity = np.zeros(angles.size)
    for shift in np.linspace(-0.005, 0.005, 7):  # divergence of the beam
        vector = 4 * np.pi * np.sin(np.radians((angles + shift) / 2)) / ALPHA1
        upper = 0.7 * (1 - np.exp(1j * vector * planes * above)) / (1 - np.exp(1j * vector * above))
        lower = np.exp(1j * vector * planes * above) / (1 - absorbed * np.exp(1j * vector * below))
        intensity += np.exp(-0.5 * (shift / 0.0017) ** 2) * np.abs(upper + lower) ** 2
    return angles, generator.poisson(1e5 * intensity / intensity.max() + 1.0), planes * above
