r"""The wires of an array, exactly: what every input contributes to every output current.

An array is a network of resistors. Each input drives a row wire from its left end, each column wire ends below its
last cell in the virtual ground of an amplifier, and cells join the wires where they cross. A segment of wire lies
before every cell: between driver and first cell of a row, between neighbours, and between the last cell of a column and
the amplifier. Currents depend linearly on the inputs, so that one matrix describes a programmed array: I = M·V.

A signed cell is a pair of devices on two row wires with the inputs +V and −V and one column wire (sign-weighted 2T2R).
Both devices load the column, although only their difference carries the signal; neither is neglected here.

The matrix follows from block elimination down the columns. With the admittance Y (m × m, over the columns) of all that
lies above a row, the next row sees Y' = S + Y·(1 + rY)⁻¹, where S is the admittance of its own cells and row wires.
All terms are positive and nothing cancels, so that zero resistance needs no special case and small drops keep their
digits.

The model does not hold where inputs do more than drive: in arrays whose inputs gate the transistors of the cells, a
zero input takes its cells out of the network, and the matrix differs from input to input. Sneak currents of such cells
are zero then, so that the matrix here is the upper bound of the drop.
"""

import numpy as np
from scipy.linalg import lapack


def transfer_matrix(
    positive: np.ndarray, negative: np.ndarray | None = None, *, row_resistance: float, column_resistance: float
) -> np.ndarray:
    """Return the currents of all columns for one volt on each input alone.

    Parameters
    ----------
    positive
        Conductances of the devices on the row wires with the input voltage (S), shape (rows, columns).
    negative
        Conductances of the devices on the row wires with the opposite voltage (S), same shape; None if there are none.
    row_resistance, column_resistance
        Resistance of one segment of wire (Ohm).

    Returns
    -------
    numpy.ndarray
        Shape (columns, rows), S: ``currents = matrix @ voltages``.
    """
    sides = [(1.0, np.asarray(positive, dtype=float))]
    if negative is not None:
        sides.append((-1.0, np.asarray(negative, dtype=float)))
    rows, columns = sides[0][1].shape
    if column_resistance == 0:
        return np.sum([sign * _row_wires(conductance, row_resistance)[0] for sign, conductance in sides], axis=0).T
    profiles = [(sign, conductance, *_row_wires(conductance, row_resistance)) for sign, conductance in sides]
    inverses = np.empty((rows, columns, columns))
    drive = np.zeros((rows, columns))
    above = np.zeros((columns, columns))
    identity = np.eye(columns)
    for row in range(rows):
        admittance = above
        for sign, conductance, reached, green, ratio in profiles:
            drive[row] += sign * reached[row]
            admittance = admittance + _row_admittance(conductance[row], green[row], ratio[row], row_resistance)
        inverses[row] = _inverse(identity + column_resistance * admittance)
        above = inverses[row] @ admittance
        above = (above + above.T) / 2
    matrix = np.empty((columns, rows))
    path = identity
    for row in reversed(range(rows)):
        path = path @ inverses[row]
        matrix[:, row] = path @ drive[row]
    return matrix


def _inverse(matrix: np.ndarray) -> np.ndarray:
    """Invert a symmetric positive matrix by its Cholesky factor, in half the time of a general inverse."""
    factor, _ = lapack.dpotrf(matrix, lower=True, clean=True)
    lower, _ = lapack.dpotri(factor, lower=True, overwrite_c=True)
    inverse = lower + lower.T
    np.fill_diagonal(inverse, lower.diagonal())
    return inverse


def _row_wires(conductance: np.ndarray, resistance: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Solve all row wires with their column ends at ground; lengths in units of a segment.

    Returns
    -------
    reached, green, ratio
        Current into each column node for one volt at the driver (S); the diagonal of the inverse of the wire's
        matrix; the part of a potential that passes from one node to the next. Each of shape (rows, columns).
    """
    load = resistance * conductance
    right = np.empty_like(load)
    right[:, -1] = load[:, -1]
    for column in range(load.shape[1] - 2, -1, -1):
        right[:, column] = load[:, column] + right[:, column + 1] / (1 + right[:, column + 1])
    left = np.empty_like(load)
    left[:, 0] = 1.0
    for column in range(1, load.shape[1]):
        seen = left[:, column - 1] + load[:, column - 1]
        left[:, column] = seen / (1 + seen)
    ratio = 1 / (1 + right)
    return conductance * np.cumprod(ratio, axis=1), 1 / (left + right), ratio


def _row_admittance(conductance: np.ndarray, green: np.ndarray, ratio: np.ndarray, resistance: float) -> np.ndarray:
    """Return what one row wire with a grounded driver adds between the column nodes (S), shape (columns, columns)."""
    if resistance == 0:
        return np.diag(conductance)
    # Potentials fall by the ratios from where a current enters towards the open end; logarithms cannot overflow.
    decay = np.cumsum(np.log(ratio))
    passed = np.exp(-np.abs(decay[:, None] - decay[None, :]))
    first = np.minimum.outer(np.arange(green.size), np.arange(green.size))
    return np.diag(conductance) - resistance * conductance[:, None] * green[first] * passed * conductance[None, :]
