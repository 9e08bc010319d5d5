"""Where the weights of a network stand on the arrays.

A layer is a table of cells with one row per input (bias rows below) and one column per output. It is cut into tiles
where it is wider or higher than an array, and where that fills the chip; outputs of tiles one above the other in the
layer are partial sums that are added digitally. Tiles of different rows may share the columns of an array: rows that
take no part have zero input. Layers are placed in order, whole where there is room and cut where not. When the arrays
are full, another pass begins: the arrays are written anew after all inputs have gone through the layers so far.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from relaxor.crossbar.chip import Chip

SMALLEST_CUT = 8
"""Fewest rows, and columns, of a tile that is cut to fill a gap: smaller tiles cost more than they hold."""


@dataclass(frozen=True)
class LayerShape:
    """Cells that a layer needs.

    Attributes
    ----------
    name
        For the table.
    inputs, outputs
        Of the layer.
    bias_rows
        Rows driven by a constant input.
    copies
        How often the layer is written; outputs are averaged.
    """

    name: str
    inputs: int
    outputs: int
    bias_rows: int = 1
    copies: int = 1

    @property
    def rows(self) -> int:
        """Inputs and bias rows."""
        return self.inputs + self.bias_rows

    @property
    def cells(self) -> int:
        """Cells of all copies."""
        return self.rows * self.outputs * self.copies


@dataclass(frozen=True)
class Tile:
    """A rectangle of a layer on a rectangle of an array; numbers count from 0.

    Attributes
    ----------
    layer, copy
        What it holds.
    layer_row, layer_column
        Its first cell in the layer.
    height, width
        Cells.
    pass_number, array, row, column
        Where its first cell stands.
    """

    layer: int
    copy: int
    layer_row: int
    layer_column: int
    height: int
    width: int
    pass_number: int = 0
    array: int = 0
    row: int = 0
    column: int = 0

    @property
    def cells(self) -> int:
        """Cells of the tile."""
        return self.height * self.width


@dataclass(frozen=True)
class Plan:
    """A legal place for every cell of every layer.

    Attributes
    ----------
    chip, layers
        What was placed where.
    tiles
        In the order of the layers.
    """

    chip: Chip
    layers: tuple[LayerShape, ...]
    tiles: tuple[Tile, ...]

    @property
    def passes(self) -> int:
        """Number of times that the arrays are written."""
        return 1 + max(tile.pass_number for tile in self.tiles)

    @property
    def statement(self) -> str:
        """A sentence about what fits and what does not."""
        cells = sum(layer.cells for layer in self.layers)
        share = cells / (self.chip.cells * self.passes)
        arrays = f"{self.chip.total_arrays} arrays of {self.chip.rows}×{self.chip.columns} cells ({self.chip.cells:,})"
        if self.passes == 1:
            return f"{cells:,} cells fit into {arrays}: {len(self.tiles)} tiles fill {share:.1%}"
        kept = {tile.layer for tile in self.tiles if tile.pass_number > 0}
        late = ", ".join(self.layers[number].name for number in sorted(kept))
        return (
            f"{cells:,} cells do not fit into {arrays} at once: the arrays are written {self.passes} times, "
            f"{late} wholly or partly after the first; {len(self.tiles)} tiles fill {share:.1%}"
        )

    def of_layer(self, layer: int) -> list[Tile]:
        """Return the tiles of one layer."""
        return [tile for tile in self.tiles if tile.layer == layer]

    def table(self) -> pd.DataFrame:
        """Return the plan, one row per tile."""
        frame = pd.DataFrame([vars(tile) for tile in self.tiles])
        frame.insert(0, "layer_name", [self.layers[tile.layer].name for tile in self.tiles])
        return frame


@dataclass(frozen=True)
class _Room:
    array: int
    row: int
    column: int
    height: int
    width: int

    def waste(self, tile: Tile) -> tuple[int, int, int]:
        """Order the rooms of a tile: the tightest first."""
        return min(self.height - tile.height, self.width - tile.width), self.array, self.row


def place(layers: Sequence[LayerShape], chip: Chip) -> Plan:
    """Pack layers onto the arrays of a chip, in as few passes and then as few tiles as were found.

    Parameters
    ----------
    layers
        In the order of the network, none of them empty.
    """
    plans = [Plan(chip, tuple(layers), _pack(layers, chip, cut=cut)) for cut in (False, True)]
    return min(plans, key=lambda plan: (plan.passes, len(plan.tiles)))


def _pack(layers: Sequence[LayerShape], chip: Chip, *, cut: bool) -> tuple[Tile, ...]:
    placed: list[Tile] = []
    pass_number = 0
    rooms = _empty(chip)
    for number, layer in enumerate(layers):
        pending = _blocks(number, layer, chip)
        while pending:
            done, pending, rooms = _fill(pending, rooms, cut=cut)
            placed += [replace(tile, pass_number=pass_number) for tile in done]
            if pending:
                pass_number, rooms = pass_number + 1, _empty(chip)
    return tuple(sorted(placed, key=lambda tile: (tile.layer, tile.copy, tile.layer_column, tile.layer_row)))


def _empty(chip: Chip) -> list[_Room]:
    return [_Room(array, 0, 0, chip.rows, chip.columns) for array in range(chip.total_arrays)]


def _blocks(number: int, layer: LayerShape, chip: Chip) -> list[Tile]:
    """Cut a layer to the size of an array, rows into equal parts; the largest tiles first."""
    parts = math.ceil(layer.rows / chip.rows)
    rows = [layer.rows * part // parts for part in range(parts + 1)]
    blocks = [
        Tile(number, copy, low, column, high - low, min(chip.columns, layer.outputs - column))
        for copy in range(layer.copies)
        for column in range(0, layer.outputs, chip.columns)
        for low, high in itertools.pairwise(rows)
    ]
    return sorted(blocks, key=lambda tile: -tile.cells)


def _fill(pending: list[Tile], rooms: list[_Room], *, cut: bool) -> tuple[list[Tile], list[Tile], list[_Room]]:
    """Place tiles until nothing more goes in; returns the placed, the left over, and the room left."""
    done, left = [], []
    for tile in pending:
        fitting = [room for room in rooms if room.height >= tile.height and room.width >= tile.width]
        if fitting:
            room = min(fitting, key=lambda room: room.waste(tile))
            done.append(_put(tile, room))
            rooms = _without(rooms, room, tile)
        else:
            left.append(tile)
    while cut and left:
        found = _largest_part(left, rooms)
        if found is None:
            break
        tile, room, height, width = found
        part = replace(tile, height=height, width=width)
        done.append(_put(part, room))
        rooms = _without(rooms, room, part)
        left.remove(tile)
        if height < tile.height:
            left.append(replace(tile, layer_row=tile.layer_row + height, height=tile.height - height))
        if width < tile.width:
            beside = replace(tile, layer_column=tile.layer_column + width, width=tile.width - width, height=height)
            left.append(beside)
    return done, left, rooms


def _largest_part(left: list[Tile], rooms: list[_Room]) -> tuple[Tile, _Room, int, int] | None:
    """Find the most cells of one tile that go into one room."""
    parts = [
        (tile, room, min(tile.height, room.height), min(tile.width, room.width)) for tile in left for room in rooms
    ]
    usable = [part for part in parts if _worth(part[2], part[0].height) and _worth(part[3], part[0].width)]
    return max(usable, key=lambda part: part[2] * part[3]) if usable else None


def _worth(part: int, whole: int) -> bool:
    return part == whole or part >= SMALLEST_CUT


def _put(tile: Tile, room: _Room) -> Tile:
    return replace(tile, array=room.array, row=room.row, column=room.column)


def _without(rooms: list[_Room], room: _Room, tile: Tile) -> list[_Room]:
    """Cut the tile out of the room's corner; full-width room stays below it, the rest beside it."""
    below = replace(room, row=room.row + tile.height, height=room.height - tile.height)
    beside = replace(room, column=room.column + tile.width, width=room.width - tile.width, height=tile.height)
    rest = [other for other in rooms if other is not room]
    return rest + [part for part in (below, beside) if part.height and part.width]
