"""The wires of an array against networks solved otherwise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relaxor.crossbar.network import transfer_matrix


def nodal(sides: list[tuple[float, np.ndarray]], row_resistance: float, column_resistance: float) -> np.ndarray:
    """Solve Kirchhoff's equations of all nodes at once, one unknown a node."""
    rows, columns = sides[0][1].shape
    count = rows * columns
    size = count * (len(sides) + 1)
    laplacian, sources = np.zeros((size, size)), np.zeros((size, rows))

    def column_node(i: int, j: int) -> int:
        return i * columns + j

    def join(a: int, b: int | None, g: float) -> None:
        laplacian[a, a] += g
        if b is not None:
            laplacian[b, b] += g
            laplacian[a, b] -= g
            laplacian[b, a] -= g

    for i in range(rows):
        for j in range(columns):
            join(column_node(i, j), column_node(i + 1, j) if i + 1 < rows else None, 1 / column_resistance)
            for number, (sign, conductance) in enumerate(sides, start=1):
                node = number * count + i * columns + j
                join(node, node - 1 if j else None, 1 / row_resistance)
                join(node, column_node(i, j), conductance[i, j])
                if j == 0:
                    sources[node, i] = sign / row_resistance
    potentials = np.linalg.solve(laplacian, sources)
    last = [column_node(rows - 1, j) for j in range(columns)]
    return potentials[last] / column_resistance


@given(
    rows=st.integers(1, 7),
    columns=st.integers(1, 6),
    pair=st.booleans(),
    resistances=st.tuples(st.floats(0.01, 300.0), st.floats(0.01, 300.0)),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=60, deadline=None)
def test_elimination_is_the_dense_solution(rows, columns, pair, resistances, seed) -> None:
    rng = np.random.default_rng(seed)
    positive, negative = rng.uniform(0, 1e-3, (2, rows, columns)) * (rng.random((2, rows, columns)) < 0.8)
    wires = {"row_resistance": resistances[0], "column_resistance": resistances[1]}
    sides = [(1.0, positive), (-1.0, negative)] if pair else [(1.0, positive)]
    expected = nodal(sides, *resistances)
    found = transfer_matrix(positive, negative if pair else None, **wires)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * max(np.abs(expected).max(), 1e-6))


def test_one_cell_by_hand() -> None:
    found = transfer_matrix(np.array([[2e-3]]), row_resistance=30.0, column_resistance=70.0)
    assert found[0, 0] == pytest.approx(1 / (500 + 30 + 70), rel=1e-14)


def test_two_by_two_by_hand() -> None:
    """Two cells of 1 kOhm in one column with segments of 1 kOhm: the ladder 1, 3, 8, … of Fibonacci."""
    found = transfer_matrix(np.full((2, 1), 1e-3), row_resistance=0.0, column_resistance=1e3)
    np.testing.assert_allclose(found[0], [1e-3 / 5, 2e-3 / 5], rtol=1e-14)
    both = transfer_matrix(np.full((2, 2), 1e-3), row_resistance=0.0, column_resistance=1e3)
    np.testing.assert_allclose(both, [[2e-4, 4e-4]] * 2, rtol=1e-14)


@pytest.mark.parametrize("resistance", [0.1, 1.0, 10.0])
def test_uniform_column_is_a_ladder(resistance: float) -> None:
    """The ladder has hyperbolic solutions: ``theta = 2 asinh(sqrt(r G) / 2)`` is the decay from cell to cell."""
    cells, conductance = 576, 50e-6
    theta = 2 * np.arcsinh(np.sqrt(resistance * conductance) / 2)
    known = np.sqrt(conductance / resistance) * np.sinh(cells * theta) / np.cosh((cells + 0.5) * theta)
    found = transfer_matrix(np.full((cells, 1), conductance), row_resistance=0.0, column_resistance=resistance)
    assert found.sum() == pytest.approx(known, rel=1e-10)


def test_wires_without_resistance_give_the_conductances() -> None:
    positive, negative = np.random.default_rng(0).uniform(0, 2e-5, (2, 9, 4))
    found = transfer_matrix(positive, negative, row_resistance=0.0, column_resistance=0.0)
    np.testing.assert_array_equal(found, (positive - negative).T)
    nearly = transfer_matrix(positive, negative, row_resistance=1e-9, column_resistance=1e-9)
    np.testing.assert_allclose(nearly, found, atol=1e-16)


def test_long_wires_neither_overflow_nor_amplify() -> None:
    found = transfer_matrix(np.full((40, 40), 1e-2), row_resistance=1e5, column_resistance=1e5)
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert found.max() < 1 / 2e5
