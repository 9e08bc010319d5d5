"""Two-dimensional lattices in scanned images: they are found in the Fourier transform, refined, and described.

Lengths have the unit of ``pixel``; positions are (x, y) with y pointing down, as the image is stored. A lattice is a
(2, 2) array whose columns are its vectors a and b, 120° apart for a hexagonal one; its reciprocal holds a* and b* as
rows, so that ``reciprocal @ lattice`` is the identity.

A line of a scanned image is recorded so quickly that vibration moves the whole line, and slow vibration moves
neighbouring lines together. Errors therefore come from the scatter between lines and not between pixels or columns of
atoms, with a Bartlett window over lines that move together (Newey & West, doi 10.2307/1913610).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

HEXAGON = ((1, 0), (0, 1), (1, -1), (1, 1), (2, -1), (1, -2), (2, 0), (0, 2), (2, -2))
"""Half of the spots {100}, {110} and {200}, which show scale and rotation of a hexagonal lattice."""
FAMILIES = {"100": HEXAGON[:3], "110": HEXAGON[3:6]}
"""The spots of each family of lattice planes."""
NEIGHBOURHOOD = 3
"""Pixels of the transform around a predicted spot in which its maximum is sought; a Hann window spreads it over ±2."""


@dataclass(frozen=True)
class Spots:
    """Diffraction spots of an image.

    Attributes
    ----------
    indices
        (n, 2) Miller indices h, k.
    positions
        (n, 2) spatial frequencies (x, y).
    amplitude, signal_to_noise
        Modulus of the windowed transform, and its square over the median around the spot.
    influence
        (n, lines, 2) contributions of each line of the image to each position; their sum over lines is zero.
    """

    indices: np.ndarray
    positions: np.ndarray
    amplitude: np.ndarray
    signal_to_noise: np.ndarray
    influence: np.ndarray


def line_covariance(influence: np.ndarray, lines: int) -> np.ndarray:
    """Return the covariance of a sum of contributions of lines, of which up to ``lines`` neighbours move together.

    A window that is not a small part of the image makes a normal interval too short; the covariance is scaled so that
    ±1.96 standard errors hold 95 % at that ratio (Kiefer & Vogelsang, doi 10.1017/S0266466605050565, Table 1).

    Parameters
    ----------
    influence
        Contributions to p estimates, shape (n_lines, p).
    lines
        Width of the Bartlett window.

    Returns
    -------
    numpy.ndarray
        (p, p), positive semidefinite: the mean of squares of all sums of ``lines`` neighbours, scaled.
    """
    padded = np.pad(influence, ((lines, lines), (0, 0)))
    cumulated = np.cumsum(padded, axis=0)
    sums = cumulated[lines:] - cumulated[:-lines]
    ratio = min(lines / len(influence), 1.0)
    quantile = 1.9600 + 2.9694 * ratio + 0.4160 * ratio**2 - 0.5324 * ratio**3
    return (quantile / 1.9600) ** 2 * sums.T @ sums / lines


def seen(lines: int, n_lines: int) -> float:
    """Return the part of a variance that windows of lines show; fitted origin and slope take up the rest."""
    return 1 - min(2 * lines / n_lines, 0.5)


def per_line(rows: np.ndarray, contributions: np.ndarray, n_lines: int) -> np.ndarray:
    """Sum contributions (n, p) at fractional line numbers ``rows`` to an array of shape (n_lines, p)."""
    result = np.zeros((n_lines, contributions.shape[1]))
    np.add.at(result, np.clip(np.round(rows).astype(int), 0, n_lines - 1), contributions)
    return result


def hexagonal(a: float, rotation: float) -> np.ndarray:
    """Return an ideal lattice of length ``a`` whose first vector is turned by ``rotation`` (rad) from x to y."""
    angles = rotation + np.array([0.0, 2 * np.pi / 3])
    return a * np.array([np.cos(angles), np.sin(angles)])


def spectrum(image: np.ndarray) -> np.ndarray:
    """Return the power of the Fourier transform under a Hann window, zero frequency in the middle."""
    window = np.outer(np.hanning(image.shape[0]), np.hanning(image.shape[1]))
    level = np.average(image, weights=window)
    return np.abs(np.fft.fftshift(np.fft.fft2((image - level) * window))) ** 2


def ring_median(power: np.ndarray) -> np.ndarray:
    """Return the median power at the frequency of each pixel of a spectrum, shape (y, x)."""
    height, width = power.shape
    frequency = np.hypot(*np.meshgrid(np.arange(height) - height // 2, np.arange(width) - width // 2, indexing="ij"))
    ring = np.minimum(frequency.astype(int), min(height, width) // 2)
    median = ndimage.median(power, ring, np.arange(ring.max() + 1))
    return ndimage.gaussian_filter1d(median, 2)[ring]


def find_lattice(power: np.ndarray, pixel: float, a: float, tolerance: float) -> tuple[np.ndarray, float]:
    """Find scale and rotation of a hexagonal lattice by the mean contrast of its first nine spots.

    Parameters
    ----------
    power
        Result of `spectrum`.
    pixel, a
        Pixel size and expected lattice parameter.
    tolerance
        Relative range around ``a`` that is searched.

    Returns
    -------
    lattice, contrast
        The best lattice, and the mean natural logarithm of its spots' power over the median at their frequency.
    """
    blurred = ndimage.gaussian_filter(power, 0.7)
    height, width = power.shape
    contrast = np.log(np.maximum(blurred, 1e-300) / np.maximum(ring_median(blurred), 1e-300))
    rotations = np.radians(np.arange(0, 60, 0.5))
    lengths = a * np.arange(1 - tolerance, 1 + tolerance + 1e-9, 0.004)
    trial = [(length, rotation) for length in lengths for rotation in rotations]
    reciprocal = np.linalg.inv(np.array([hexagonal(*one) for one in trial]))
    spots = np.array(HEXAGON) @ reciprocal * pixel
    places = [spots[..., 1] * height + height // 2, spots[..., 0] * width + width // 2]
    score = ndimage.map_coordinates(contrast, places, order=1, cval=0.0).mean(axis=1)
    best = int(np.argmax(score))
    return hexagonal(*trial[best]), float(score[best])


def refine_spots(
    image: np.ndarray, power: np.ndarray, pixel: float, lattice: np.ndarray, highest: float, threshold: float
) -> Spots:
    """Refine every spot of a lattice that rises above the noise, to a small fraction of a pixel of the transform.

    The position of a spot maximizes the modulus of the transform at a continuous frequency (Newton's method); its error
    follows from the contribution of each line to the gradient there.

    Parameters
    ----------
    image, power, pixel
        The image, its `spectrum` and the pixel size.
    lattice
        Lattice at the start.
    highest
        Largest spatial frequency, in 1/unit of ``pixel``.
    threshold
        Smallest ratio of the power of a spot to the median power around it.
    """
    reciprocal = np.linalg.inv(lattice)
    largest = int(np.ceil(highest * np.abs(lattice).max())) + 1
    candidates = [
        (h, k)
        for h in range(largest + 1)
        for k in range(-2 * largest, 2 * largest + 1)
        if (h > 0 or k > 0) and np.linalg.norm((h, k) @ reciprocal) <= highest
    ]
    shape = np.array(power.shape)
    found = []
    for index in candidates:
        predicted = (index @ reciprocal * pixel)[::-1] * shape + shape // 2
        highest_pixel = peak(power, np.round(predicted).astype(int))
        if highest_pixel is None or highest_pixel[1] < threshold:
            continue
        start = ((highest_pixel[0] - shape // 2) / shape / pixel)[::-1]
        position, amplitude, influence = refine_spot(image, pixel, start)
        if np.all(np.abs(position - start) * shape[::-1] * pixel < 1):
            found.append((index, position, amplitude, highest_pixel[1], influence))
    columns = zip(*found, strict=True) if found else [[]] * 5
    return Spots(*(np.array(column) for column in columns))


def peak(power: np.ndarray, center: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Return the highest pixel near ``center`` (row, column) and its power over the median around it."""
    reach = 3 * NEIGHBOURHOOD
    if np.any(center < reach) or np.any(center >= np.array(power.shape) - reach):
        return None
    rows, columns = (slice(middle - reach, middle + reach + 1) for middle in center)
    patch = power[rows, columns]
    inner = slice(reach - NEIGHBOURHOOD, reach + NEIGHBOURHOOD + 1)
    place = np.array(np.unravel_index(np.argmax(patch[inner, inner]), patch[inner, inner].shape))
    highest = patch[inner, inner][tuple(place)]
    return center - NEIGHBOURHOOD + place, float(highest / max(np.median(patch), 1e-300))


def refine_spot(image: np.ndarray, pixel: float, start: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
    """Maximize |F(q)|²; return the position, |F|, and the contribution of each line to the position."""
    height, width = image.shape
    y, x = (np.arange(height) - height / 2) * pixel, (np.arange(width) - width / 2) * pixel
    window_y, window_x = np.hanning(height), np.hanning(width)
    level = window_y @ image @ window_x / (window_y.sum() * window_x.sum())
    weighted = (image - level) * window_y[:, np.newaxis]
    powers = np.stack([window_x, window_x * x, window_x * x**2], axis=1)
    turn, position = -2j * np.pi, start.copy()
    for _ in range(6):
        # moments[line, i] is the sum over x of w I x^i exp(-2πi q·r); all other sums are over lines.
        moments = weighted @ (powers * np.exp(turn * position[0] * x)[:, np.newaxis])
        moments *= np.exp(turn * position[1] * y)[:, np.newaxis]
        value = moments[:, 0].sum()
        slopes = turn * np.stack([moments[:, 1], y * moments[:, 0]])
        first = slopes.sum(axis=1)
        curves = turn**2 * np.array(
            [
                [moments[:, 2].sum(), (y * moments[:, 1]).sum()],
                [(y * moments[:, 1]).sum(), (y**2 * moments[:, 0]).sum()],
            ]
        )
        hessian = 2 * (np.outer(first.conj(), first) + value.conj() * curves).real
        scores = 2 * (value.conj() * slopes).real
        gradient, power = scores.sum(axis=1), abs(value) ** 2
        # The logarithm of a spot is concave out to its neighbouring pixels, and its power is not.
        step = -np.linalg.solve(hessian - np.outer(gradient, gradient) / power, gradient)
        if np.abs(step).max() * pixel * max(image.shape) < 1e-9:
            break
        position = position + np.clip(step, -0.5 / (pixel * width), 0.5 / (pixel * width))
    return position, float(abs(value)), -np.linalg.solve(hessian, scores).T


def fit_reciprocal(spots: Spots, lines: int) -> tuple[np.ndarray, np.ndarray]:
    """Fit a* and b* to all spots, each weighted by its own scatter between lines.

    Returns
    -------
    lattice, covariance
        The direct lattice, and the covariance (4, 4) of its flattened array.
    """
    variance = np.array([np.trace(line_covariance(one, lines)) for one in spots.influence])
    weight = 1 / np.maximum(variance, 1e-3 * np.median(variance))
    solve = np.linalg.solve(spots.indices.T * weight @ spots.indices, spots.indices.T * weight)
    reciprocal = solve @ spots.positions
    # (2, n) times (n, lines, 2) is the contribution of each line to a* and b*.
    influence = np.einsum("in,nly->liy", solve, spots.influence).reshape(-1, 4)
    lattice = np.linalg.inv(reciprocal)
    # d(M⁻¹) = −M⁻¹ dM M⁻¹, flattened row by row.
    jacobian = -1.0 * np.kron(lattice, lattice.T)
    return lattice, jacobian @ line_covariance(influence, lines) @ jacobian.T / seen(lines, len(influence))


def standard_setting(lattice: np.ndarray) -> np.ndarray:
    """Return the integer matrix that turns a lattice into its setting with γ near 120° and a rotated by 0 to 60°."""
    sixth = np.array([[1, -1], [1, 0]])
    operation = np.eye(2, dtype=int)
    for _ in range(6):
        turned = lattice @ operation
        if 0 <= describe(turned)["turn"] < 60:
            return operation
        operation = sixth @ operation
    return np.eye(2, dtype=int)


def describe(lattice: np.ndarray) -> dict[str, float]:
    """Return the parameters of a lattice that is near a hexagonal one.

    With positions as complex numbers, the lattice is the image of the ideal one (1, ω = e^{2πi/3}) under
    z → αz + βz̄; α contains size and rotation, and β/α the strain that does not change the size.

    Returns
    -------
    dict
        ``a``, ``b`` (unit of the lattice), ``gamma`` (degree), ``a_hexagonal`` = |α|, ``100`` and ``110`` (means of the
        three spacings of each family), ``rotation`` (degree, 0 to 60), ``strain_xx`` = −``strain_yy`` and
        ``strain_xy`` (percent, x and y of the image), ``turn`` (degree, −180 to 180).
    """
    a, b = lattice[0] + 1j * lattice[1]
    omega = np.exp(2j * np.pi / 3)
    alpha = (b - omega.conjugate() * a) / (omega - omega.conjugate())
    beta = (omega * a - b) / (omega - omega.conjugate())
    reciprocal = np.linalg.inv(lattice)
    spacing = {
        name: float(np.mean(1 / np.linalg.norm(np.array(family) @ reciprocal, axis=1)))
        for name, family in FAMILIES.items()
    }
    turn = np.degrees(np.angle(alpha))
    strain = 100 * beta * alpha / abs(alpha) ** 2
    return {
        "a": abs(a),
        "b": abs(b),
        "gamma": float(np.degrees(np.angle(b / a))),
        "a_hexagonal": abs(alpha),
        **spacing,
        "rotation": turn % 60,
        "strain_xx": strain.real,
        "strain_xy": strain.imag,
        "turn": turn,
    }


def with_errors(
    described: Callable[[np.ndarray], dict[str, float]], lattice: np.ndarray, covariance: np.ndarray
) -> dict[str, tuple[float, float]]:
    """Return parameters such as those of `describe` with standard errors, propagated by central differences."""
    value = described(lattice)
    step = 1e-6 * np.abs(lattice).max()
    gradients = []
    for index in range(4):
        shift = np.zeros(4)
        shift[index] = step
        up, down = (described(lattice + sign * shift.reshape(2, 2)) for sign in (1, -1))
        gradients.append({name: (up[name] - down[name]) / (2 * step) for name in value})
    result = {}
    for name in value:
        gradient = np.array([one[name] for one in gradients])
        result[name] = (value[name], float(np.sqrt(gradient @ covariance @ gradient)))
    return result
