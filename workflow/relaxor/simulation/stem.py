"""Forward model of an HAADF-STEM image: columns of a hexagonal crystal, scanned line by line by an imperfect scan.

Incoherent Z-contrast: every column is a Gaussian as wide as probe and thermal motion together, and as bright as the sum
of Z^1.7 over its atoms (Pennycook & Jesson, doi 10.1016/0304-3991(91)90004-P; exponents of 1.6 to 1.9 are found on
annular detectors). Scan coils, drift and vibration displace the probe; the electrons are Poisson distributed.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import gemmi
import numpy as np

from relaxor.core.section import Section, setting
from relaxor.simulation.sample_file import FileEntry, SampleFile, Truth
from relaxor.simulation.writers.velox_emd import Recording, write_velox_emd

EXPONENT = 1.7


@dataclass(frozen=True)
class Scan:
    """The scan of one image; lengths in m, on the sample. Plausible for a Titan Themis at 300 kV."""

    size: int = 512
    pixel: float = 0.15e-10
    sigma: float = 0.43e-10
    peak_counts: float = 150.0
    """Electrons on the detector in one dwell time at the centre of the brightest column."""
    background: float = 6.0
    """Electrons in each pixel from contamination and dark level."""
    gain: float = 40.0
    offset: float = 900.0
    """Digital units for each electron, and without electrons."""
    drift: tuple[float, float] = (0.30e-10, -0.18e-10)
    """Motion of the sample during the frame, along x and y."""
    shear: float = 0.002
    """Deviation of the scan axes from a right angle, in rad."""
    jitter: float = 0.05e-10
    """Standard deviation of the displacement of each line."""
    wander: float = 0.03e-10
    wander_lines: float = 4.0
    """Standard deviation and correlation length (in lines of 10 ms) of slow vibration."""
    dwell_time: float = 20e-6


class Column(Section):
    """Columns of one kind."""

    positions: list[tuple[float, float]]
    """Projected positions in fractions of the cell."""
    elements: list[list[str]]
    """Symbols of the atoms in successive layers, which repeat."""


class Specimen(Section):
    """A flake seen along its hexagonal axis, and the file of its image."""

    file: FileEntry
    """The file."""
    description: str
    """What is seen, for the comment of the file."""
    a: float = setting(..., "m", gt=0)
    """Lattice parameter."""
    rotation: float = setting(..., "degree")
    """Angle of the first lattice vector."""
    layers: int
    """Number of layers."""
    columns: dict[str, Column]
    """Name of a site → its columns; the two sites of the lattice first, then those with one place in the cell."""


def simulate(rng: np.random.Generator, values: Mapping[str, Any]) -> Iterator[SampleFile]:
    """Yield the image of a `Specimen`."""
    specimen, scan = Specimen.model_validate(values), Scan()
    comment = f"SIMULATED HAADF-STEM image of {specimen.description}"
    recording = Recording(scan.pixel, "HAADF", 300_000, scan.dwell_time, 1_731_405_600, "Titan", comment)
    content = write_velox_emd(image(specimen, scan, rng), recording)
    yield SampleFile.of(specimen.file, "stem", content, truth=tuple(truth(specimen, scan)))


def affine(scan: Scan) -> np.ndarray:
    """Return the matrix from position in the image (x, y) to position on the sample, without the noise of the scan."""
    frame = scan.size * scan.pixel
    drift_x, drift_y = scan.drift
    return np.array([[1.0, scan.shear + drift_x / frame], [0.0, 1.0 + drift_y / frame]])


def lattice(a: float, rotation: float) -> np.ndarray:
    """Return lattice vectors of length ``a`` as columns, 120° apart and turned by ``rotation`` in rad."""
    angles = rotation + np.radians([0.0, 120.0])
    return a * np.array([np.cos(angles), np.sin(angles)])


def brightness(specimen: Specimen) -> dict[str, float]:
    """Return the sum of Z^1.7 over the atoms of each kind of column."""
    found = {}
    for name, column in specimen.columns.items():
        atoms = Counter(atom for layer in islice(cycle(column.elements), specimen.layers) for atom in layer)
        found[name] = sum(n * float(gemmi.Element(atom).atomic_number ** EXPONENT) for atom, n in atoms.items())
    return found


def image(specimen: Specimen, scan: Scan, rng: np.random.Generator) -> np.ndarray:
    """Return the image in digital units (uint16), shape (y, x)."""
    lines = np.arange(scan.size) * scan.pixel
    displacement = np.stack([_displacement(scan, rng) for _ in range(2)])
    matrix = affine(scan)
    # Where each pixel lies on the sample: x, y of shape (line, column).
    x = matrix[0, 0] * lines[np.newaxis, :] + (matrix[0, 1] * lines + displacement[0])[:, np.newaxis]
    y = (matrix[1, 1] * lines + displacement[1])[:, np.newaxis] + np.zeros_like(x)
    expected = np.full(x.shape, scan.background)
    weights = brightness(specimen)
    scale = scan.peak_counts / max(weights.values())
    reach = int(np.ceil(5 * scan.sigma / scan.pixel))
    for position, kind in _columns(specimen, scan):
        column, row = np.linalg.solve(matrix, position) / scan.pixel
        rows = slice(max(int(row) - reach, 0), int(row) + reach + 1)
        columns = slice(max(int(column) - reach, 0), int(column) + reach + 1)
        if rows.stop <= 0 or columns.stop <= 0:
            continue
        distance = (x[rows, columns] - position[0]) ** 2 + (y[rows, columns] - position[1]) ** 2
        expected[rows, columns] += scale * weights[kind] * np.exp(-distance / (2 * scan.sigma**2))
    digital = scan.offset + scan.gain * rng.poisson(expected)
    return np.clip(np.round(digital), 0, 65535).astype(np.uint16)


def _columns(specimen: Specimen, scan: Scan) -> Iterator[tuple[np.ndarray, str]]:
    """Yield position on the sample and kind of every column in and around the field of view."""
    basis = [(np.array(place), kind) for kind, column in specimen.columns.items() for place in column.positions]
    vectors = lattice(specimen.a, np.radians(specimen.rotation))
    cells = int(2 * scan.size * scan.pixel / specimen.a) + 2
    extent = scan.size * scan.pixel + 3e-10
    for m in range(-cells, cells):
        for n in range(-cells, cells):
            for place, kind in basis:
                position = vectors @ (place + np.array([m, n]))
                if np.all(position > -3e-10) and np.all(position < extent):
                    yield position, kind


def _displacement(scan: Scan, rng: np.random.Generator) -> np.ndarray:
    """Return the displacement of each line along one axis: white jitter and a first-order Markov vibration."""
    memory = np.exp(-1 / scan.wander_lines)
    kicks = rng.normal(0, scan.wander * np.sqrt(1 - memory**2), scan.size)
    vibration = np.empty(scan.size)
    state = rng.normal(0, scan.wander)
    for line, kick in enumerate(kicks):
        state = memory * state + kick
        vibration[line] = state
    return vibration + rng.normal(0, scan.jitter, scan.size)


def truth(specimen: Specimen, scan: Scan) -> Iterator[Truth]:
    """Yield what a measurement without noise would find in the image as it was scanned, drift and shear included."""
    apparent = np.linalg.solve(affine(scan), lattice(specimen.a, np.radians(specimen.rotation)))
    reciprocal = np.linalg.inv(apparent)
    first, second = apparent.T
    a, b = float(np.linalg.norm(first)), float(np.linalg.norm(second))
    # Left polar decomposition of the map from an ideal hexagonal lattice: symmetric stretch times rotation.
    left, singular, right = np.linalg.svd(apparent @ np.linalg.inv(lattice(specimen.a, 0.0)))
    turn, stretch = left @ right, left @ np.diag(singular) @ left.T
    scale = np.trace(stretch) / 2
    values = {
        "a": (a * 1e10, "angstrom"),
        "b": (b * 1e10, "angstrom"),
        "gamma": (float(np.degrees(np.arccos(first @ second / (a * b)))), "degree"),
        "a_hexagonal": (specimen.a * scale * 1e10, "angstrom"),
        "rotation": (float(np.degrees(np.arctan2(turn[1, 0], turn[0, 0]))) % 60, "degree"),
        "strain_xx": (100 * (stretch[0, 0] - stretch[1, 1]) / (2 * scale), "percent"),
        "strain_xy": (100 * stretch[0, 1] / scale, "percent"),
    }
    for model in ("fft_lattice", "column_lattice"):
        for name, (value, unit) in values.items():
            yield Truth(model, name, value, unit)
        for family, indices in {"100": ((1, 0), (0, 1), (1, -1)), "110": ((1, 1), (2, -1), (1, -2))}.items():
            spacing = float(np.mean([1 / np.linalg.norm(np.array(index) @ reciprocal) for index in indices]))
            yield Truth(model, "lattice_spacing", spacing * 1e10, "angstrom", family)
    weights = brightness(specimen)
    one, two, *others = (name for name, column in specimen.columns.items() if len(column.positions) == 1)
    yield Truth("column_intensity", "intensity_ratio", weights[one] / weights[two], "1", f"{one}/{two}")
    for name in others:
        ratio = 2 * weights[name] / (weights[one] + weights[two])
        yield Truth("column_intensity", "intensity_ratio", ratio, "1", f"{name}/mean({one}, {two})")
    yield Truth("column_intensity", "layers", float(specimen.layers), "1")
