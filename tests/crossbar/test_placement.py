"""Plans: every weight once, no cell twice, no wire too long."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relaxor.core.errors import AnalysisError
from relaxor.crossbar.chip import Chip
from relaxor.crossbar.placement import LayerShape, Plan, place

from tests.project import SETTINGS

PAPER = SETTINGS.crossbar.chip


def decoder(hole: int, copies: int = 1) -> list[LayerShape]:
    sizes = (196, 256, 512, hole**2)
    return [
        LayerShape(name, inputs, outputs, copies=copies)
        for name, inputs, outputs in zip(("hidden 1", "hidden 2", "output"), sizes[:-1], sizes[1:], strict=True)
    ]


def check(plan: Plan) -> None:
    chip = plan.chip
    arrays = np.zeros((plan.passes, chip.total_arrays, chip.rows, chip.columns), dtype=int)
    layers = [np.zeros((layer.copies, layer.rows, layer.outputs), dtype=int) for layer in plan.layers]
    for tile in plan.tiles:
        assert tile.row + tile.height <= chip.rows
        assert tile.column + tile.width <= chip.columns
        place_ = arrays[tile.pass_number, tile.array]
        place_[tile.row : tile.row + tile.height, tile.column : tile.column + tile.width] += 1
        held = layers[tile.layer][tile.copy]
        held[tile.layer_row : tile.layer_row + tile.height, tile.layer_column : tile.layer_column + tile.width] += 1
    assert arrays.max() == 1
    assert all((layer == 1).all() for layer in layers)
    # A layer that is written later never feeds one that was needed earlier.
    for number in range(len(plan.layers) - 1):
        last = max(tile.pass_number for tile in plan.of_layer(number))
        assert all(tile.pass_number >= last for tile in plan.of_layer(number + 1))


@pytest.mark.parametrize(("hole", "cells"), [(4, 190_224), (8, 214_848), (12, 255_888)])
def test_decoders_of_the_paper(hole: int, cells: int) -> None:
    four = place(decoder(hole), PAPER)
    two = place(decoder(hole), replace(PAPER, arrays=1))
    for plan in (four, two):
        check(plan)
        assert sum(tile.cells for tile in plan.tiles) == cells
    assert (four.passes, two.passes) == (1, 2)
    assert "fit into 4 arrays" in four.statement
    assert (
        "do not fit into 2 arrays of 576×128 cells (147,456) at once: the arrays are written 2 times" in two.statement
    )
    assert list(four.table()["layer_name"].unique()) == ["hidden 1", "hidden 2", "output"]


def test_copies_stand_on_rows_of_their_own() -> None:
    plan = place(decoder(4, copies=2), PAPER)
    check(plan)
    assert {tile.copy for tile in plan.tiles} == {0, 1}
    assert plan.passes == 2


@given(
    sizes=st.lists(st.integers(1, 90), min_size=2, max_size=4),
    bias_rows=st.integers(0, 2),
    copies=st.integers(1, 3),
    arrays=st.integers(1, 3),
    rows=st.integers(5, 40),
    columns=st.integers(5, 40),
)
@settings(max_examples=60, deadline=None)
def test_any_plan_is_legal(sizes, bias_rows, copies, arrays, rows, columns) -> None:
    chip = Chip(chips=1, arrays=arrays, rows=rows, columns=columns)
    layers = [
        LayerShape(f"layer {number}", inputs, outputs, bias_rows, copies)
        for number, (inputs, outputs) in enumerate(itertools.pairwise(sizes))
    ]
    plan = place(layers, chip)
    check(plan)
    assert plan.passes >= sum(layer.cells for layer in layers) / chip.cells


@pytest.mark.parametrize(
    ("change", "message"),
    [({"rows": 0}, "rows is 0"), ({"read_noise": -0.1}, "read_noise"), ({"row_resistance": np.nan}, "row_resistance")],
)
def test_impossible_chips_are_refused(change: dict, message: str) -> None:
    with pytest.raises(AnalysisError, match=message):
        Chip(**change)
