"""Forward model of an HAADF-STEM image: columns of CBPS along [001], scanned line by line by an imperfect scan.

Incoherent Z-contrast: every column is a Gaussian as wide as probe and thermal motion together, as bright as the sum of
Z^1.7 over its atoms (Pennycook & Jesson, doi 10.1016/0304-3991(91)90004-P; exponents of 1.6 to 1.9 are found on
annular detectors). The probe hits the sample where scan coils, drift and vibration take it; electrons are Poisson.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from relaxor.simulation.sample_file import SampleFile, Truth
from relaxor.simulation.writers.velox_emd import write_velox_emd

A = 6.5410e-10
"""Lattice parameter in m: P-31c cell at 293 K, Gave et al., doi 10.1021/ic050357."""
Z = {"Cu": 29, "Bi": 83, "P": 15, "Se": 34}
EXPONENT = 1.7
SITES = {"metal_1": (1 / 3, 2 / 3), "metal_2": (2 / 3, 1 / 3), "P2": (0.0, 0.0)}
SELENIUM = ((0.335, 0.006), (-0.006, 0.329), (-0.329, -0.335), (-0.335, -0.006), (0.006, -0.329), (0.329, 0.335))
"""Model positions (coordinates of CBPS were not available): a third of a cell edge from the P–P pair."""


@dataclass(frozen=True)
class Scan:
    """One image; lengths in m, on the sample. Plausible for a Titan Themis at 300 kV."""

    size: int = 512
    pixel: float = 0.15e-10
    layers: int = 3
    rotation: float = np.radians(17.3)
    sigma: float = 0.43e-10
    peak_counts: float = 150.0
    """Electrons on the detector in one dwell time at the centre of the brightest column."""
    background: float = 6.0
    """Electrons a pixel from contamination and dark level."""
    gain: float = 40.0
    offset: float = 900.0
    """Digital units an electron, and at none."""
    drift: tuple[float, float] = (0.30e-10, -0.18e-10)
    """Motion of the sample during the frame, along x and y."""
    shear: float = 0.002
    """Deviation of the scan axes from a right angle, in rad."""
    jitter: float = 0.05e-10
    """Standard deviation of each line's displacement."""
    wander: float = 0.03e-10
    wander_lines: float = 4.0
    """Standard deviation and correlation length (in lines, 10 ms each) of slow vibration."""
    dwell_time: float = 20e-6


def simulate(rng: np.random.Generator) -> Iterator[SampleFile]:
    """Yield the image of panel 1d: a trilayer."""
    scan = Scan()
    content = write_velox_emd(
        image(scan, rng),
        pixel_size=scan.pixel,
        detector="HAADF",
        acceleration_voltage=300_000,
        dwell_time=scan.dwell_time,
        unix_time=1_731_405_600,
        instrument="Titan",
        comment="SIMULATED HAADF-STEM image of CuBiP2Se6 along [001], three layers",
    )
    yield SampleFile(
        measurement="haadf_001",
        technique="stem",
        panel="1d",
        name="haadf_001.emd",
        content=content,
        truth=tuple(truth(scan)),
        note="HAADF-STEM image along [001] of a trilayer flake, 300 kV",
    )


def affine(scan: Scan) -> np.ndarray:
    """Return the matrix from position in the image (x, y) to position on the sample, without the noise of the scan."""
    frame = scan.size * scan.pixel
    drift_x, drift_y = scan.drift
    return np.array([[1.0, scan.shear + drift_x / frame], [0.0, 1.0 + drift_y / frame]])


def lattice(scan: Scan) -> np.ndarray:
    """Return the lattice vectors on the sample as columns, 120° apart."""
    angles = scan.rotation + np.radians([0.0, 120.0])
    return A * np.array([np.cos(angles), np.sin(angles)])


def brightness(scan: Scan) -> dict[str, float]:
    """Return the sum of Z^1.7 of each kind of column.

    The c glide puts Bi of one layer above Cu of the next: with an odd number of layers one of the two metal columns
    has one Bi more, with an even number they are alike.
    """
    weight = {element: float(number**EXPONENT) for element, number in Z.items()}
    more, fewer = (scan.layers + 1) // 2, scan.layers // 2
    return {
        "metal_1": more * weight["Bi"] + fewer * weight["Cu"],
        "metal_2": fewer * weight["Bi"] + more * weight["Cu"],
        "P2": scan.layers * 2 * weight["P"],
        "Se": scan.layers * weight["Se"],
    }


def image(scan: Scan, rng: np.random.Generator) -> np.ndarray:
    """Return the image as (y, x) digital units (uint16)."""
    lines = np.arange(scan.size) * scan.pixel
    displacement = np.stack([_displacement(scan, rng) for _ in range(2)])
    matrix = affine(scan)
    # Where each pixel lies on the sample: x, y of shape (line, column).
    x = matrix[0, 0] * lines[np.newaxis, :] + (matrix[0, 1] * lines + displacement[0])[:, np.newaxis]
    y = (matrix[1, 1] * lines + displacement[1])[:, np.newaxis] + np.zeros_like(x)
    expected = np.full(x.shape, scan.background)
    weights = brightness(scan)
    scale = scan.peak_counts / weights["metal_1"]
    reach = int(np.ceil(5 * scan.sigma / scan.pixel))
    for position, kind in _columns(scan):
        column, row = np.linalg.solve(matrix, position) / scan.pixel
        rows = slice(max(int(row) - reach, 0), int(row) + reach + 1)
        columns = slice(max(int(column) - reach, 0), int(column) + reach + 1)
        if rows.stop <= 0 or columns.stop <= 0:
            continue
        distance = (x[rows, columns] - position[0]) ** 2 + (y[rows, columns] - position[1]) ** 2
        expected[rows, columns] += scale * weights[kind] * np.exp(-distance / (2 * scan.sigma**2))
    digital = scan.offset + scan.gain * rng.poisson(expected)
    return np.clip(np.round(digital), 0, 65535).astype(np.uint16)


def _columns(scan: Scan) -> Iterator[tuple[np.ndarray, str]]:
    """Yield position on the sample and kind of every column in and around the field of view."""
    basis = [(np.array(place), kind) for kind, place in SITES.items()]
    basis += [(np.array(place), "Se") for place in SELENIUM]
    vectors = lattice(scan)
    cells = int(2 * scan.size * scan.pixel / A) + 2
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


def truth(scan: Scan) -> Iterator[Truth]:
    """Yield what a measurement without noise would find in the image as it was scanned, drift and shear included."""
    apparent = np.linalg.solve(affine(scan), lattice(scan))
    reciprocal = np.linalg.inv(apparent)
    first, second = apparent.T
    a, b = float(np.linalg.norm(first)), float(np.linalg.norm(second))
    spacing = {
        name: float(np.mean([1 / np.linalg.norm(np.array(index) @ reciprocal) for index in indices]))
        for name, indices in {
            "d_100": ((1, 0), (0, 1), (1, -1)),
            "d_110": ((1, 1), (2, -1), (1, -2)),
        }.items()
    }
    # Left polar decomposition of the map from an ideal hexagonal lattice: symmetric stretch times rotation.
    ideal = replace(scan, rotation=0.0)
    left, singular, right = np.linalg.svd(apparent @ np.linalg.inv(lattice(ideal)))
    turn, stretch = left @ right, left @ np.diag(singular) @ left.T
    scale = np.trace(stretch) / 2
    for model in ("fft_lattice", "column_lattice"):
        yield model, "a", a * 1e10, "angstrom"
        yield model, "b", b * 1e10, "angstrom"
        yield model, "gamma", float(np.degrees(np.arccos(first @ second / (a * b)))), "degree"
        yield model, "a_hexagonal", A * scale * 1e10, "angstrom"
        yield model, "d_100", spacing["d_100"] * 1e10, "angstrom"
        yield model, "d_110", spacing["d_110"] * 1e10, "angstrom"
        yield model, "rotation", float(np.degrees(np.arctan2(turn[1, 0], turn[0, 0]))) % 60, "degree"
        yield model, "strain_xx", 100 * (stretch[0, 0] - stretch[1, 1]) / (2 * scale), "percent"
        yield model, "strain_xy", 100 * stretch[0, 1] / scale, "percent"
    weights = brightness(scan)
    yield "column_intensity", "ratio_metal", weights["metal_1"] / weights["metal_2"], "1"
    yield (
        "column_intensity",
        "ratio_p2_metal",
        2 * weights["P2"] / (weights["metal_1"] + weights["metal_2"]),
        "1",
    )
    yield "column_intensity", "layers", float(scan.layers), "1"
