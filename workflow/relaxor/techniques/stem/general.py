"""Numbers of a lattice of any system, and the sites that an image shows in its cell."""

from collections.abc import Iterable
from itertools import product

import numpy as np
from scipy import ndimage

from relaxor.core.results import ADEQUATE, Adequacy, Measurement, Number, Status, measured
from relaxor.techniques.stem import columns as atoms
from relaxor.techniques.stem import lattice as lattices
from relaxor.techniques.stem import quantities as q
from relaxor.techniques.stem import systems
from relaxor.techniques.stem.settings import Site, StemSettings

PLANES = {"10": (1, 0), "01": (0, 1), "11": (1, 1), "1-1": (1, -1)}
"""The families of planes whose spacing is given, in the reduced cell of the image."""
IN_IMAGE = {"a": q.A, "b": q.B, "gamma": q.GAMMA, "rotation": q.ROTATION}
BRIGHT = 0.2
"""Height of a place of the mean cell above its darkest one, relative to the brightest, from which it is a site."""
MOST_SITES = 12
"""Largest number of sites that are sought in a cell."""
GRID = 48
"""Number of steps along each edge of the mean cell."""


def describe(lattice: np.ndarray) -> dict[str, float]:
    """Return edges, angle, direction of the first edge and spacings of planes of a reduced lattice."""
    a, b = lattice.T
    lengths = np.linalg.norm(lattice, axis=0)
    spacings = {name: 1 / float(np.linalg.norm(hk @ np.linalg.inv(lattice))) for name, hk in PLANES.items()}
    return {
        "a": float(lengths[0]),
        "b": float(lengths[1]),
        "gamma": float(np.degrees(np.arccos(a @ b / lengths.prod()))),
        "rotation": float(np.degrees(np.arctan2(a[1], a[0]))) % 180,
        **spacings,
    }


def system_of(lattice: np.ndarray, covariance: np.ndarray, settings: StemSettings) -> systems.Departure:
    """Return the system that the settings name, or the one of most symmetry that the lattice does not exclude."""
    found = systems.departures(lattice)
    if settings.system is not None:
        return found[settings.system]
    return systems.most_symmetric(found, _strain_error(lattice, covariance, settings))


def judged(lattice: np.ndarray, covariance: np.ndarray, system: systems.Departure, settings: StemSettings) -> Adequacy:
    """Judge whether the lattice of an image is that of the settings, where these name one."""
    probability = system.probability(_strain_error(lattice, covariance, settings))
    if probability < systems.EXCLUDED:
        remark = f"misfit: the lattice is {system.strain:.1%} off a {system.system} one (P = {probability:.1g})"
        return Adequacy(Status.MISFIT, 1.0, remark)
    wanted = _wanted(settings)
    if not wanted:
        return ADEQUATE
    shown = systems.edges(lattice, system)
    if settings.system is None and settings.b is None and system.system not in systems.CORNERS:
        remark = f"misfit: the settings name one edge, as of a hexagonal or square lattice; this one is {system.system}"
        return Adequacy(Status.MISFIT, 1.0, remark)
    off = max(abs(one / other - 1) for one, other in zip(shown, wanted, strict=True))
    if off <= settings.tolerance:
        return ADEQUATE
    text = " and ".join(f"{edge:.4g}" for edge in sorted(set(wanted)))
    remark = f"misfit: the settings name edges of {text} angstrom, the image has {shown[0]:.3f} and {shown[1]:.3f}"
    return Adequacy(Status.MISFIT, 1.0, f"{remark} ({system.system})")


def rows(
    measurement: Measurement,
    model: str,
    lattice: np.ndarray,
    covariance: np.ndarray,
    system: systems.Departure,
    settings: StemSettings,
    method: str,
) -> list[Number]:
    """Return the numbers of a lattice as it is in the image, and the edges of the nearest one of its system."""

    def nearest(one: np.ndarray) -> dict[str, float]:
        shown = systems.edges(one, systems.departures(one)[system.system])
        return {"edge_a": shown[0], "edge_b": shown[1]}

    values = lattices.with_errors(lambda one: {**describe(one), **nearest(one)}, lattice, covariance)
    pairs = {(quantity, ""): values[name] for name, quantity in IN_IMAGE.items()}
    pairs |= {(quantity, ""): values[quantity.name] for quantity in (q.EDGE_A, q.EDGE_B)}
    pairs |= {(q.LATTICE_SPACING, name): values[name] for name in PLANES}
    said = f"{method}; {system.system} lattice; pixel size as the file states it"
    return [_with_systematic(row, settings) for row in measured(measurement, model, pairs, said)]


def system_rows(
    measurement: Measurement, lattice: np.ndarray, covariance: np.ndarray, settings: StemSettings
) -> list[Number]:
    """Return how far the lattice is from every system, and how probable that is by scatter and distortion."""
    error = _strain_error(lattice, covariance, settings)
    found = systems.departures(lattice)
    numbers: list[Number] = []
    for name in systems.SYSTEMS[:-1]:
        strain, probability = found[name].strain, found[name].probability(error)
        verdict = "excluded" if probability < systems.EXCLUDED else "not excluded"
        method = f"{verdict}: strain against scatter between lines and scan_distortion, {settings.scan_distortion:g}"
        statistical = 100 * np.sqrt(max(error**2 - settings.scan_distortion**2, 0.0))
        (row,) = measured(
            measurement, q.LATTICE_SYSTEM, {q.DEPARTURE: (100 * strain, statistical)}, method, feature=name
        )
        numbers.append(row.with_component("distortion of the scan", 100 * settings.scan_distortion, "scan_distortion"))
        numbers += measured(measurement, q.LATTICE_SYSTEM, {q.PROBABILITY: (probability, np.nan)}, method, feature=name)
    return numbers


def structure_rows(measurement: Measurement, numbers: Iterable[Number], settings: StemSettings) -> list[Number]:
    """Compare the edges with those of the structure, where the settings name them."""
    wanted = dict(zip((q.EDGE_A.name, q.EDGE_B.name), _wanted(settings), strict=False))
    result: list[Number] = []
    for number in numbers:
        if not (expected := wanted.get(number.parameter)):
            continue
        percent = 100 / expected
        value = (percent * number.value - 100, percent * number.standard_error)
        scaled = number.scaled(percent)
        (row,) = measured(
            measurement,
            q.STRUCTURE,
            {q.RELATIVE_DEVIATION: value},
            f"measured against {expected:.4f} angstrom of the structure",
            budget=scaled.budget,
            feature=number.parameter.removeprefix("edge_"),
        )
        if abs(row.value) > 2 * np.hypot(row.standard_error, row.systematic_error):
            row = row.flagged(Status.OK, "beyond two standard uncertainties: calibrate the pixels, or another crystal")
        result.append(row)
    return result


def sites_of(image: np.ndarray, lattice: np.ndarray, sigma: float) -> list[Site]:
    """Return the bright places of the mean cell of an image, the brightest first; lengths in pixels."""
    average = atoms.mean_cell(image, lattice, GRID)
    lengths = np.linalg.norm(lattice, axis=0)
    smooth = ndimage.gaussian_filter(average, np.maximum(0.5 * sigma / lengths * GRID, 0.5), mode="wrap")
    highest = smooth == ndimage.maximum_filter(smooth, 3, mode="wrap")
    floor = float(smooth.min())
    highest &= smooth > floor + BRIGHT * (smooth.max() - floor)
    places = np.argwhere(highest)
    places = places[np.argsort(-smooth[tuple(places.T)])]
    kept: list[np.ndarray] = []
    for place in (places + 0.5) / GRID:
        if all(_distance(place - other, lattice) > 2 * sigma for other in kept) and len(kept) < MOST_SITES:
            kept.append(place)
    positions = [tuple(float(part) for part in (place - kept[0]) % 1) for place in kept]
    return [
        Site(name=f"site_{number}", label=f"site {number}", position=(x, y))
        for number, (x, y) in enumerate(positions, start=1)
    ]


def column_sigma(image: np.ndarray, lattice: np.ndarray) -> float:
    """Return the standard deviation of the brightest column in pixels, from its area at half of its height."""
    average = ndimage.gaussian_filter(atoms.mean_cell(image, lattice, GRID), 0.7, mode="wrap")
    top = np.array(np.unravel_index(np.argmax(average), average.shape))
    middle = np.roll(average, tuple(GRID // 2 - top), (0, 1))
    above, _ = ndimage.label(middle > 0.5 * (middle.max() + middle.min()))
    area = float(np.sum(above == above[GRID // 2, GRID // 2])) * abs(np.linalg.det(lattice)) / GRID**2
    return float(np.sqrt(area / (2 * np.pi * np.log(2))))


def oriented(image: np.ndarray, lattice: np.ndarray, sites: list[Site], equal: bool) -> list[Site]:
    """Return sites with their positions in the setting of the cell in which the image is brightest at them.

    The settings of a cell that look alike differ by the signs of its edges and, if these are equal, by their order.
    """
    average = ndimage.gaussian_filter(atoms.mean_cell(image, lattice, GRID), 1.0, mode="wrap")
    origin = np.array(np.unravel_index(np.argmax(average), average.shape)) / GRID
    placed = np.array([site.position for site in sites if site.position is not None])
    best: tuple[float, np.ndarray] | None = None
    for order, signs in product(((0, 1), (1, 0)) if equal else ((0, 1),), product((1, -1), repeat=2)):
        turned = (placed - placed[0])[:, order] * signs
        seen = average[tuple((np.round((origin + turned) * GRID).astype(int) % GRID).T)].sum()
        if best is None or seen > best[0]:
            best = float(seen), turned
    positions = iter(best[1] % 1 if best else ())
    return [
        site if site.position is None else site.model_copy(update={"position": tuple(map(float, next(positions)))})
        for site in sites
    ]


def _distance(difference: np.ndarray, lattice: np.ndarray) -> float:
    shifts = np.array(list(product((-1, 0, 1), repeat=2)))
    return float(np.linalg.norm((difference + shifts) @ lattice.T, axis=1).min())


def _wanted(settings: StemSettings) -> tuple[float, ...]:
    """Return the two edges that the settings name, the shorter first; nothing if they name none."""
    if settings.a is None:
        return ()
    return tuple(sorted((settings.a, settings.b or settings.a)))


def _strain_error(lattice: np.ndarray, covariance: np.ndarray, settings: StemSettings) -> float:
    """Return the standard error of a strain component, from the scatter between lines and the distortion."""
    statistical = np.sqrt(np.trace(covariance) / 2) / np.linalg.norm(lattice)
    return float(np.hypot(statistical, settings.scan_distortion))


def _with_systematic(row: Number, settings: StemSettings) -> Number:
    distortion = settings.scan_distortion
    if row.unit == "degree":
        return row.with_component("distortion of the scan", np.degrees(distortion), "setting scan_distortion")
    row = row.with_component("magnification", settings.calibration_error * row.value, "setting calibration_uncertainty")
    return row.with_component("distortion of the scan", distortion * row.value, "setting scan_distortion")
