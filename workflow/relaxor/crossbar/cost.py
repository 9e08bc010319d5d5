"""What the restoration of one letter costs: energy, time and area, each with its formula and the source of constants.

The costs are counted on sample letters: pulses are sent only where a bit is set, and a pulse costs energy in every cell
of its row. Constants without a source are marked as assumed; all costs are proportional to them.
"""

from dataclasses import dataclass

import numpy as np

from relaxor.crossbar.chip import Chip, full_scale_current
from relaxor.crossbar.compute import Matrices, Network, Periphery, layer_inputs
from relaxor.crossbar.quantities import CONVERSIONS, COST_QUANTITIES, ENCODER_TIME

UNIT_TIME = 1e-9
"""Seconds of one unit of integration time: 128.247 µA for 100 units charge 5.15 pF to 2.5 V (chip family)."""
STEP_ENERGY = 34e-15
"""Energy (J) per conversion step: SAR converter of 10 bits, 130 nm, 6.66 MS/s (Walden's figure of merit, energy over
2^bits)."""
STEP_TIME = 1 / 6.66e6 / 10
"""Time (s) per bit of the converter."""
ADD_ENERGY, MULTIPLY_ENERGY = 0.1e-12, 3.7e-12
"""Energy (J) of an int32 addition and of a float32 multiplication, 45 nm (Horowitz, doi 10.1109/ISSCC.2014.6757323)."""
SIGMOID_MULTIPLICATIONS = 10
"""Assumed cost of a sigmoid in float32 multiplications."""
CELL_AREA, CONVERTER_AREA = 2 * 1.69e-12, 5e-9
"""Area (m²) of a 2T2R cell (twice 100 F² at 130 nm) and of a converter (0.005 mm²); assumed."""
COUNTED = (CONVERSIONS, ENCODER_TIME)
"""Costs that are counted, and do not rest on constants of the model."""
MODEL_ERROR = 0.6
"""Relative standard uncertainty of the other costs. With equal converters, NeuroSim V1.4 gives 0.7 of the energy of the
converters and 2.4 times the rest for a network of this size, which counts buffers, drivers and leakage."""
MODEL_SOURCE = "difference from NeuroSim V1.4 for a network of this size"
FAMILY = "chip family"
ASSUMED = "assumed"


@dataclass(frozen=True)
class Cost:
    """One item: its cost per letter, the formula, and the source of the constants."""

    item: str
    value: float
    unit: str
    formula: str
    source: str


def costs(
    network: Network,
    matrices: Matrices,
    periphery: Periphery,
    inputs: np.ndarray,
    *,
    spikes: float,
    spike_energy: float,
    encoder_time: float,
) -> list[Cost]:
    """Return the costs of a letter, in the order of `COST_QUANTITIES`.

    Parameters
    ----------
    network, matrices, periphery
        The decoder on a chip.
    inputs
        Readings of sample letters, shape (n, 196).
    spikes
        Pulses of full light per letter.
    spike_energy
        Energy of one of them in the device that encodes, J.
    encoder_time
        Time of four pulses and their read-out, s.
    """
    chip = network.chip
    cells, time, conversions = _arrays(network, matrices, periphery, inputs)
    outputs = sum(layer.levels.shape[0] for layer in network.decoder.layers)
    last = network.decoder.layers[-1].levels.shape[0]
    bits = chip.converter.adc_bits or 0
    converter = conversions * STEP_ENERGY * 2**bits
    digital = ADD_ENERGY * conversions + MULTIPLY_ENERGY * (outputs + SIGMOID_MULTIPLICATIONS * last)
    encoder = spikes * spike_energy
    macs = sum(layer.levels.size for layer in network.decoder.layers)
    chip_energy = cells + converter + digital
    walden = "10-bit SAR converter, 130 nm, 34 fJ a step at 6.66 MS/s"
    found = (
        (encoder, "pulses of full light × energy per optical spike", "results of the light"),
        (cells, "sum over pulses of V² |G| t", FAMILY),
        (converter, "conversions × 34 fJ × 2^bits", walden),
        (digital, "additions × 0.1 pJ + multiplications × 3.7 pJ", "Horowitz 2014, 45 nm"),
        (chip_energy, "cells + converter + digital", "sum"),
        (chip_energy / macs, "chip energy over multiplications", "sum"),
        (conversions, "outputs of all tiles × pulses", "placement"),
        (encoder_time, "four slots and the read-out", "conditions of the codes"),
        (time, "sum over layers and pulses of integration + conversion", FAMILY),
        (chip.cells * CELL_AREA, "cells × 2 × 100 F², F = 130 nm", ASSUMED),
        (chip.total_arrays * chip.columns * CONVERTER_AREA, "columns × 0.005 mm²", ASSUMED),
    )
    return [
        Cost(quantity.name, value, quantity.known_unit, formula, source)
        for quantity, (value, formula, source) in zip(COST_QUANTITIES, found, strict=True)
    ]


def _arrays(
    network: Network, matrices: Matrices, periphery: Periphery, inputs: np.ndarray
) -> tuple[float, float, float]:
    """Return energy in the cells (J), time (s) and conversions of a letter."""
    chip = network.chip
    energy = time = conversions = 0.0
    for number, rows in enumerate(layer_inputs(network, matrices, periphery, inputs)):
        slowest = 0.0
        for band, matrix, steps in zip(network.bands(number), matrices[number], periphery.ranges[number], strict=True):
            sent = pulses_sent(rows[:, band.row : band.row + band.height], chip)
            duration = integration_time(np.asarray(steps), chip)
            load = np.abs(np.asarray(matrix)).sum(axis=1) * chip.level_conductance
            energy += float((sent.mean(axis=1) @ load) @ duration) * chip.read_voltage**2
            conversions += sent.shape[0] * matrix.shape[1]
            slowest = max(slowest, float(np.sum(duration + STEP_TIME * (chip.converter.adc_bits or 0))))
        time += slowest
    return energy, time, conversions


def pulses_sent(rows: np.ndarray, chip: Chip) -> np.ndarray:
    """Return where a pulse is sent, shape (pulses, n, rows); of integer inputs, shape (n, rows)."""
    magnitude = np.abs(rows).astype(int)
    if chip.converter.pulses == "levels":
        return (magnitude > 0)[None].astype(float)
    count = chip.converter.input_limit
    if chip.converter.pulses == "unary":
        return np.stack([magnitude > pulse for pulse in range(count)]).astype(float)
    return np.stack([(magnitude >> bit) & 1 for bit in range(count.bit_length())]).astype(float)


def integration_time(steps: np.ndarray, chip: Chip) -> np.ndarray:
    """Return for how long each pulse is integrated (s), from what one code stands for (levels), shape (pulses, width).

    Columns share the time of a pulse: that of the widest range, whose current must not overflow.
    """
    pulses = 1 if chip.converter.pulses == "levels" else len(pulses_sent(np.zeros((1, 1)), chip))
    half = 2 ** ((chip.converter.adc_bits or 1) - 1)
    largest = np.broadcast_to(steps.max(axis=1), (pulses,)) * half * chip.level_current
    return full_scale_current(1.0) / largest * UNIT_TIME
