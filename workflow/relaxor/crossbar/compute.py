"""A decoder of integers on the arrays: inputs become pulses, currents become codes, and the rest is digital.

An integer input is sent as ternary pulses: either its bits one after another, weighted by powers of two afterwards, or
as many equal pulses as its value. (One pulse of many heights is offered for comparison with simulators that have such a
converter.) Every pulse is multiplied by the matrix of its tile, which stands for written conductances, drift and the
wires of the array. The noise of the read is added, and the converter makes codes in a range that is set per tile and
pulse. The codes of all pulses, tiles one above the other and copies add up to the sum of integer arithmetic, which an
ideal chip gives exactly.

The noise of a read is drawn anew in every cell at every read. Independent normal noise of equal size in the cells of a
column adds up to normal noise of that size times the length of the vector of inputs, so that one number per output is
exact.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_batching import sequential_vmap

from relaxor.core.errors import AnalysisError
from relaxor.crossbar.chip import Chip, Converter, full_scale_current
from relaxor.crossbar.fast_normal import normals
from relaxor.crossbar.levels import QuantizedDecoder, QuantizedLayer, bias_rows, code_factors
from relaxor.crossbar.network import transfer_matrix
from relaxor.crossbar.placement import LayerShape, Plan, Tile, place

BATCH = 1040
"""Number of images that are computed together, so that their intermediate values stay in the cache."""
UNROLL, WORTH = 7, 4096
"""Number of pulses that are compiled one after another, and of images from which on this is worthwhile: a loop over
single pulses takes twice as long, but compiles in a fifth of the time."""
RANGE_CANDIDATES = np.linspace(0.05, 1.0, 39)
"""Ranges tried in calibration, as parts of the largest current."""

Matrices = list[list[jax.Array]]
"""The matrices of the bands of every layer, in levels, each of shape (height, width)."""
Ranges = list[list[jax.Array]]
"""What one code means (levels) for every layer and band, shape (pulses, width)."""


class Periphery(NamedTuple):
    """What is set behind the arrays, layer by layer.

    Attributes
    ----------
    ranges
        Ranges of the converters.
    gain, offset
        Factor and addend that correct the sums, each of shape (outputs,); the offset in units of a sum.
    """

    ranges: Ranges
    gain: list[jax.Array]
    offset: list[jax.Array]


class Band(NamedTuple):
    """Tiles of a layer that share their rows: they are multiplied together.

    Attributes
    ----------
    row, height
        Rows of the layer.
    tiles
        Side by side.
    """

    row: int
    height: int
    tiles: tuple[Tile, ...]

    @property
    def columns(self) -> np.ndarray:
        """Outputs of the layer that the band's columns belong to."""
        return np.concatenate([np.arange(tile.layer_column, tile.layer_column + tile.width) for tile in self.tiles])


@dataclass(frozen=True, eq=False)
class Network:
    """A decoder and its place on a chip."""

    chip: Chip
    decoder: QuantizedDecoder
    plan: Plan

    @cached_property
    def bias_codes(self) -> tuple[np.ndarray, ...]:
        """Constant inputs of each layer's bias rows, shape (rows,)."""
        return tuple(bias_rows(layer, self.decoder.bits)[0] for layer in self.decoder.layers)

    def bands(self, layer: int) -> list[Band]:
        """Group the tiles of a layer by copy and rows."""
        groups: dict[tuple[int, int, int], list[Tile]] = {}
        for tile in self.plan.of_layer(layer):
            groups.setdefault((tile.copy, tile.layer_row, tile.height), []).append(tile)
        return [Band(row, height, tuple(tiles)) for (_, row, height), tiles in groups.items()]

    def targets(self) -> np.ndarray:
        """Return the levels to write, int, shape (passes, arrays, rows, columns); unused cells are zero."""
        chip = self.chip
        levels = np.zeros((self.plan.passes, chip.total_arrays, chip.rows, chip.columns), dtype=int)
        tables = [_cells(layer, self.decoder.bits) for layer in self.decoder.layers]
        for tile in self.plan.tiles:
            levels[_place(tile)] = tables[tile.layer][_part(tile)]
        return levels

    def used(self) -> np.ndarray:
        """Return which cells hold weights, bool, of the shape of the targets."""
        used = np.zeros(self.targets().shape, dtype=bool)
        for tile in self.plan.tiles:
            used[_place(tile)] = True
        return used

    def matrices(self, levels: np.ndarray) -> Matrices:
        """Return what the bands multiply with, from cells (levels, shape of the targets)."""
        return [
            [
                jnp.asarray(np.hstack([levels[_place(tile)] for tile in band.tiles]), jnp.float32)
                for band in self.bands(number)
            ]
            for number in range(len(self.decoder.layers))
        ]


def assemble(decoder: QuantizedDecoder, chip: Chip, *, copies: int = 1) -> Network:
    """Place a decoder on a chip.

    Parameters
    ----------
    copies
        Number of times that every layer is written.

    Raises
    ------
    AnalysisError
        If a weight is not a level of the chip, or an activation is not a valid input.
    """
    if decoder.highest_code > chip.converter.input_limit:
        limit = chip.converter.input_limit
        raise AnalysisError(f"decoder: activations up to {decoder.highest_code}, the chip accepts up to {limit}")
    shapes = []
    for number, layer in enumerate(decoder.layers, start=1):
        outputs, inputs = layer.levels.shape
        if layer.levels.min() < chip.lowest or layer.levels.max() > chip.highest:
            span = f"{layer.levels.min()} to {layer.levels.max()}"
            raise AnalysisError(f"layer {number}: levels {span}, {chip.lowest} to {chip.highest} are needed")
        rows = bias_rows(layer, decoder.bits)[0].size
        shapes.append(LayerShape(f"layer {number}", inputs, outputs, rows, copies))
    return Network(chip, decoder, place(shapes, chip))


def with_wires(levels: np.ndarray, chip: Chip) -> np.ndarray:
    """Return what every cell contributes through the wires of its array, in levels.

    Parameters
    ----------
    levels
        Signed conductances, shape (…, rows, columns); what is above zero is the positive device of a pair.
    """
    if chip.row_resistance == chip.column_resistance == 0:
        return levels
    step = chip.level_conductance
    flat = np.asarray(levels, dtype=float).reshape(-1, *levels.shape[-2:])
    wires = {"row_resistance": chip.row_resistance, "column_resistance": chip.column_resistance}
    solved = [transfer_matrix(step * np.maximum(array, 0), step * np.maximum(-array, 0), **wires).T for array in flat]
    return np.array(solved).reshape(levels.shape) / step


def calibrate(network: Network, matrices: Matrices, inputs: np.ndarray, *, outputs: bool = False) -> Periphery:
    """Set what follows the arrays, from sample inputs.

    The ranges of the converter are those with the least error, or the range that the chip sets. Where it is asked for,
    sums are corrected by the straight line in each column that brings them nearest to those of an ideal chip.

    Parameters
    ----------
    inputs
        Real, shape (n, inputs); a few hundred are enough.
    outputs
        Whether sums are corrected.
    """
    chip = network.chip
    values = ideal = _input_codes(network, jnp.asarray(inputs, jnp.float32))
    periphery = Periphery([], [], [])
    for number, layer in enumerate(network.decoder.layers):
        found = []
        for band, matrix in zip(network.bands(number), matrices[number], strict=True):
            rows = _with_bias(network, number, values)[:, band.row : band.row + band.height]
            found.append(_band_ranges(band, np.asarray(_pulse_currents(rows, matrix, chip.converter)), chip))
        sums = _sums(network, number, values, matrices[number], found)
        wanted = ideal @ layer.levels.T.astype(np.float32) + layer.bias.astype(np.float32)
        gain, offset = _line(np.asarray(sums), np.asarray(wanted)) if outputs else (1.0, 0.0)
        periphery.ranges.append(found)
        periphery.gain.append(jnp.full(sums.shape[1], gain, jnp.float32))
        periphery.offset.append(jnp.full(sums.shape[1], offset, jnp.float32))
        values = _next_codes(network, number, sums * periphery.gain[number] + periphery.offset[number])
        ideal = _next_codes(network, number, wanted)
    return periphery


def layer_inputs(
    network: Network, matrices: Matrices, periphery: Periphery, inputs: np.ndarray
) -> Iterator[np.ndarray]:
    """Yield the inputs of each layer, including bias rows, as integers of shape (n, rows); reads have no noise here."""
    values = _input_codes(network, jnp.asarray(inputs, jnp.float32))
    for number in range(len(network.decoder.layers)):
        yield np.asarray(_with_bias(network, number, values))
        sums = _sums(network, number, values, matrices[number], periphery.ranges[number])
        values = _next_codes(network, number, sums * periphery.gain[number] + periphery.offset[number])


def _line(found: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return slope and offset of the straight line from found to wanted of each column, shapes (n, columns)."""
    centred = found - found.mean(axis=0)
    square = np.sum(centred**2, axis=0)
    product = np.sum(centred * (wanted - wanted.mean(axis=0)), axis=0)
    slope = np.divide(product, square, out=np.ones_like(product), where=square > 0)
    return slope, wanted.mean(axis=0) - slope * found.mean(axis=0)


Decode = Callable[[Matrices, Periphery, jax.Array, jax.Array], tuple[jax.Array, jax.Array]]
"""Matrices, periphery, inputs (n, inputs) and a key → sums and outputs, both (n, outputs)."""


def inference(network: Network) -> Decode:
    """Return the compiled decoder: ``(matrices, periphery, inputs, key) → (sums, outputs)``, both (n, outputs).

    ``vmap`` over matrices and keys computes many chips, one after the other: side by side they do not fit the cache.
    """
    noisy = network.chip.read_noise > 0

    def batch(unroll: int, matrices: Matrices, periphery: Periphery, inputs: jax.Array, key: jax.Array) -> jax.Array:
        values = _input_codes(network, inputs)
        for number in range(len(network.decoder.layers)):
            layer_key = jax.random.fold_in(key, number) if noisy else None
            sums = _sums(network, number, values, matrices[number], periphery.ranges[number], layer_key, unroll)
            sums = sums * periphery.gain[number] + periphery.offset[number]
            values = _next_codes(network, number, sums)
        return sums

    @jax.jit
    @sequential_vmap
    def decode(
        matrices: Matrices, periphery: Periphery, inputs: jax.Array, key: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        count = inputs.shape[0]
        parts = -(-count // BATCH)
        unroll = UNROLL if count >= WORTH else 1
        size = -(-count // parts)
        padded = jnp.pad(inputs, ((0, parts * size - count), (0, 0))).reshape(parts, size, -1)
        keys = jax.random.split(key, parts)
        sums = jax.lax.map(lambda part: batch(unroll, matrices, periphery, *part), (padded, keys))
        sums = sums.reshape(parts * size, -1)[:count]
        return sums, jax.nn.sigmoid(sums * jnp.asarray(network.decoder.layers[-1].sum_scale, jnp.float32))

    return decode


def _cells(layer: QuantizedLayer, bits: int) -> np.ndarray:
    """Return the levels of a layer with its bias rows below, shape (rows, outputs)."""
    return np.hstack([layer.levels, bias_rows(layer, bits)[1]]).T


def _place(tile: Tile) -> tuple[int, int, slice, slice]:
    rows, columns = slice(tile.row, tile.row + tile.height), slice(tile.column, tile.column + tile.width)
    return tile.pass_number, tile.array, rows, columns


def _part(tile: Tile) -> tuple[slice, slice]:
    rows = slice(tile.layer_row, tile.layer_row + tile.height)
    return rows, slice(tile.layer_column, tile.layer_column + tile.width)


def _input_codes(network: Network, inputs: jax.Array) -> jax.Array:
    return jnp.clip(
        jnp.rint(inputs / jnp.float32(network.decoder.layers[0].input_scale)), 0, network.decoder.highest_code
    )


def _next_codes(network: Network, number: int, sums: jax.Array) -> jax.Array:
    if number + 1 == len(network.decoder.layers):
        return sums
    return jnp.clip(jnp.rint(sums * code_factors(network.decoder)[number]), 0, network.decoder.highest_code)


def _with_bias(network: Network, number: int, codes: jax.Array) -> jax.Array:
    constant = network.bias_codes[number].astype(np.float32)
    return jnp.concatenate([codes, jnp.broadcast_to(constant, (codes.shape[0], constant.size))], axis=1)


def _pulse_weights(converter: Converter) -> np.ndarray:
    """Return what each pulse counts, shape (pulses,)."""
    scheme, limit = converter.pulses, converter.input_limit
    if scheme == "levels":
        return np.ones(1, np.float32)
    if scheme == "unary":
        return np.ones(limit, np.float32)
    return 2.0 ** np.arange(limit.bit_length(), dtype=np.float32)


def _pulse(values: jax.Array, number: jax.Array | int, weight: jax.Array | float, converter: Converter) -> jax.Array:
    """Return one pulse of integer inputs: −1, 0 or 1, or the inputs themselves where one pulse has many heights."""
    scheme = converter.pulses
    if scheme == "levels":
        return values
    magnitude = jnp.abs(values)
    if scheme == "unary":
        return jnp.sign(values) * (magnitude > number)
    higher = jnp.floor(magnitude / (2 * weight))
    return jnp.sign(values) * (jnp.floor(magnitude / weight) - 2 * higher)


def _sums(
    network: Network,
    number: int,
    values: jax.Array,
    matrices: list,
    ranges: list,
    key: jax.Array | None = None,
    unroll: int = 1,
) -> jax.Array:
    """Return the sums of one layer, shape (n, outputs)."""
    plan, chip = network.plan, network.chip
    noise = chip.read_noise * chip.highest
    rows = _with_bias(network, number, values)
    total = jnp.zeros((values.shape[0], plan.layers[number].outputs))
    for position, (band, matrix, steps) in enumerate(zip(network.bands(number), matrices, ranges, strict=True)):
        part = rows[:, band.row : band.row + band.height]
        band_key = None if key is None else jax.random.fold_in(key, position)
        summed = _band_sums(part, matrix, steps, band_key, noise, chip.converter, unroll)
        columns = band.columns
        # Static slices of neighbouring columns: a scatter is many times slower here.
        edges = np.flatnonzero(np.diff(columns) != 1) + 1
        for low, high in itertools.pairwise([0, *edges, columns.size]):
            first = int(columns[low])
            span = (first, total.shape[1] - first - int(high - low))
            total = total + jnp.pad(summed[:, low:high], ((0, 0), span))
    return total / plan.layers[number].copies


@partial(jax.jit, static_argnames=("converter", "unroll"))
def _band_sums(
    rows: jax.Array,
    matrix: jax.Array,
    steps: jax.Array,
    key: jax.Array | None,
    noise: float,
    converter: Converter,
    unroll: int,
) -> jax.Array:
    weights = _pulse_weights(converter)
    every_step = jnp.broadcast_to(steps, (len(weights), matrix.shape[1]))

    def add(total: jax.Array, pulse: tuple) -> tuple[jax.Array, None]:
        number, weight, step = pulse
        signs = _pulse(rows, number, weight, converter)
        current = signs @ matrix
        if key is not None:
            length = jnp.sqrt(jnp.sum(signs * signs, axis=1, keepdims=True))
            current = current + noise * length * normals(jax.random.fold_in(key, number), current.shape)
        return total + weight * _convert(current, step, converter), None

    start = jnp.zeros((rows.shape[0], matrix.shape[1]))
    return jax.lax.scan(add, start, (jnp.arange(len(weights)), jnp.asarray(weights), every_step), unroll=unroll)[0]


@partial(jax.jit, static_argnames="converter")
def _pulse_currents(rows: jax.Array, matrix: jax.Array, converter: Converter) -> jax.Array:
    """Return the current of every pulse, in levels, shape (pulses, n, columns)."""
    weights = _pulse_weights(converter)
    pulses = jnp.arange(len(weights)), weights
    return jax.lax.map(lambda pulse: _pulse(rows, pulse[0], pulse[1], converter) @ matrix, pulses)


def _convert(current: jax.Array, step: jax.Array, converter: Converter) -> jax.Array:
    """Return the values of the codes of a current, in levels."""
    bits = converter.adc_bits
    if bits is None:
        return current
    half = 2 ** (bits - 1)
    return jnp.clip(jnp.rint(current * (1 / step) + converter.adc_offset), -half, half - 1) * step


def _band_ranges(band: Band, currents: np.ndarray, chip: Chip) -> jax.Array:
    """Return what one code means for every pulse and column, where equal pulses share one range."""
    converter = chip.converter
    if converter.adc_bits is None:
        return jnp.ones((1, currents.shape[-1]))
    half = 2 ** (converter.adc_bits - 1)
    if converter.integration_time is not None:
        step = full_scale_current(converter.integration_time) / chip.level_current / half
        return jnp.full((1, currents.shape[-1]), step, jnp.float32)
    if converter.pulses == "unary":
        currents = currents.reshape(1, -1, currents.shape[-1])
    edges = np.cumsum([tile.width for tile in band.tiles])[:-1]
    steps = [
        np.concatenate([np.full(part.shape[1], _best_step(part, half)) for part in np.split(pulse, edges, axis=1)])
        for pulse in currents
    ]
    return jnp.asarray(np.array(steps), jnp.float32)


def _best_step(currents: np.ndarray, half: int) -> float:
    """Return the step of ``2·half`` codes with the least squared error; one level where nothing flows."""
    largest = float(np.abs(currents).max())
    if largest == 0:
        return 1.0
    steps = largest * RANGE_CANDIDATES / half
    errors = [np.square(np.clip(np.rint(currents / step), -half, half - 1) * step - currents).sum() for step in steps]
    return float(steps[int(np.argmin(errors))])
