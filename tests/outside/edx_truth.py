"""X-ray spectra of a bulk specimen from outside: Philibert–Heinrich absorption, tables of xraydb, own detector."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import xarray as xr
import xraydb
from relaxor.core.results import Measurement
from scipy.special import erf

ATTRS = {"raw_file": "a.msa", "raw_sha256": "0" * 64, "origin": "simulated"}
AXIS = np.arange(2048) * 0.01
EDGES = {"K": "K", "L": "L3", "M": "M5"}
ATOMS = {"Cu": 1.0, "Bi": 1.0, "P": 2.0, "Se": 6.0}
K_FACTORS = {"Cu K": 0.311, "Bi M": 0.827, "P K": 0.0843, "Se K": 1.0}
"""k-factors by mass of generated X-rays, against Se K at 20 kV."""
LINES = {  # X-ray Data Booklet, keV and relative intensity
    "Cu K": [(8.0478, 100), (8.0278, 51), (8.9053, 17)],
    "Cu L": [(0.9297, 111), (0.9498, 65), (0.8111, 9)],
    "Bi M": [(2.4226, 100), (2.5255, 60), (2.7350, 5), (1.8830, 2)],
    "Bi L": [(10.8388, 100), (10.7309, 11), (13.0235, 67), (12.9799, 25), (15.2477, 14), (9.4204, 6)],
    "P K": [(2.0137, 150), (2.1391, 3)],
    "Se K": [(11.2224, 100), (11.1814, 52), (12.4959, 13), (12.4896, 6), (12.6522, 1)],
    "Se L": [(1.3791, 111), (1.4192, 59), (1.2044, 6)],
    "Si K": [(1.7400, 150), (1.8359, 3)],
    "Au M": [(2.1229, 100), (2.2046, 60), (2.4096, 3)],
}
OTHERS = {"Cu L": 46000.0, "Bi L": 9000.0, "Se L": 210000.0}


def mass_fractions(atoms: Mapping[str, float]) -> dict[str, float]:
    mass = {name: n * xraydb.atomic_mass(name) for name, n in atoms.items()}
    return {name: part / sum(mass.values()) for name, part in mass.items()}


def leaving(family: str, mass: Mapping[str, float], beam: float, angle: float, scale: float = 1.0) -> float:
    """Share of generated photons that leaves a bulk specimen: Philibert's formula with Heinrich's constants (1967)."""
    element, shell = family.split()
    lines = np.array(LINES[family])
    absorbed = scale * sum(
        part * xraydb.mu_elam(name, 1e3 * np.average(lines[:, 0], weights=lines[:, 1])) for name, part in mass.items()
    )
    edge = xraydb.xray_edge(element, EDGES[shell]).energy / 1e3
    sigma = 4.5e5 / (beam**1.65 - edge**1.65)
    h = sum(1.2 * part * xraydb.atomic_mass(name) / xraydb.atomic_number(name) ** 2 for name, part in mass.items())
    x = absorbed / np.sin(np.radians(angle)) / sigma
    return float(1 / ((1 + x) * (1 + h / (1 + h) * x)))


@dataclass(frozen=True)
class Truth:
    """What is drawn: atoms, and how the spectrum differs from what the analysis takes for true."""

    atoms: Mapping[str, float] = field(default_factory=lambda: dict(ATOMS))
    extra: Mapping[str, float] = field(default_factory=dict)
    others: Mapping[str, float] = field(default_factory=lambda: dict(OTHERS))
    beam: float = 20.0
    angle: float = 35.0
    stated: float = 35.0
    absorbing: bool = True
    k_errors: Mapping[str, float] = field(default_factory=dict)
    absorption: float = 1.0
    shelf: float = 0.0
    secondary: Mapping[str, float] = field(default_factory=dict)
    counts: float = 90000.0

    def intensities(self) -> dict[str, float]:
        mass = mass_fractions(self.atoms)
        families = [family for family in K_FACTORS if family.split()[0] in mass]
        found = {}
        for family in families:
            out = leaving(family, mass, self.beam, self.angle, self.absorption) if self.absorbing else 1.0
            out += self.secondary.get(family, 0.0)
            found[family] = mass[family.split()[0]] * out / (K_FACTORS[family] * self.k_errors.get(family, 1.0))
        strongest = found.get("Se K", 1.0)
        return {name: self.counts * value / strongest for name, value in found.items()} | self.others | self.extra

    def expected(self) -> np.ndarray:
        energy = np.maximum((AXIS - 0.004) / 0.9994, 0.05)
        kramers = 420 * np.maximum(self.beam / energy - 1, 0.0) / 3
        total = kramers * np.exp(-((0.45 / energy) ** 2.8)) * (1 - np.exp(-1.08 * (15 / energy) ** 2.8))
        bins = np.append(AXIS, AXIS[-1] + 0.01) - 0.005
        for family, counts in self.intensities().items():
            weights = sum(weight for _, weight in LINES[family])
            for line, weight in LINES[family]:
                center = 0.9994 * line + 0.004
                width = np.sqrt(0.130**2 + 0.00233 * (line - 5.895)) / 2.3548
                share = np.diff(0.5 * (1 + erf((bins - center) / width / np.sqrt(2))))
                low = np.where((center - width > AXIS) & (AXIS > 0.1), 1.0, 0.0)
                total = total + counts * weight / weights * ((1 - self.shelf) * share + self.shelf * low / low.sum())
        return total

    def measurement(self, rng: np.random.Generator, conditions: Mapping[str, tuple[float, str]] = {}) -> Measurement:
        attrs = {"beam_voltage_kV": self.beam, "elevation_angle_deg": self.stated}
        data = {"intensity": ("energy", rng.poisson(self.expected()).astype(float), {"units": "count"})}
        region = xr.Dataset(data, {"energy": ("energy", AXIS, {"units": "keV"})}, attrs)
        return Measurement("a", ATTRS, conditions, {"spectrum": region})
