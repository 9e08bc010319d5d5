"""What each thing that is not ideal about a chip costs: chips of which one thing is ideal, or all but one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np

from relaxor.crossbar.chip import PRESETS, Chip
from relaxor.crossbar.compute import Decode, Network, assemble, inference
from relaxor.crossbar.levels import QuantizedDecoder
from relaxor.inpainting.chip_experiment import (
    CALIBRATION,
    Judge,
    aged,
    chip_of,
    restored_by,
    save_rows,
    wired,
    written_chips,
)
from relaxor.inpainting.export import load_quantized
from relaxor.inpainting.learning import read_currents
from relaxor.inpainting.letters import load_letters

PARTS = ("writing", "read noise", "wires", "converter")
"""What is not ideal about a chip."""


def break_down_chip(
    letters: str,
    encoder: str,
    plain: str,
    clipped: str,
    per_column: str,
    aware: str,
    variants: str,
    *,
    hole: int,
    seed: int,
    device_variation: float,
    chip: Mapping[str, Any],
    copies: int,
    elapsed: float,
    correct_columns: bool,
    compared_chips: int,
    day: float,
) -> None:
    """Restore letters with chips of which one thing is ideal, or all but one.

    Parameters
    ----------
    letters, encoder, plain, clipped, per_column, aware
        As `relaxor.inpainting.learning` wrote them.
    variants
        CSV file to write: group, variant, chip, metric, value.
    hole, seed, device_variation
        See `relaxor.inpainting.learning.read_currents`.
    chip, copies, elapsed, correct_columns, compared_chips, day
        See `relaxor.crossbar.settings.Crossbar`.
    """
    found = load_letters(letters)
    currents, sample = (
        read_currents(found, encoder, part, hole=hole, seed=seed, device_variation=device_variation)
        for part in ("test", "train")
    )
    files = {"plain": plain, "clipped": clipped, "per_column": per_column, "aware": aware}
    decoders = {name: load_quantized(path) for name, path in files.items()}
    variants_of = _Variants(decoders, Judge(found, hole), currents, sample[:CALIBRATION], compared_chips)
    full = chip_of(chip)
    compare = partial(variants_of.add, chip=full, copies=copies, elapsed=elapsed, correct_columns=correct_columns)
    for part in PARTS:
        compare("alone", part, chip=with_parts(full, [part]))
        compare("all but", part, chip=with_parts(full, [other for other in PARTS if other != part]))
    compare("whole", "chip")
    otherwise = "columns not corrected" if correct_columns else "columns corrected"
    compare("whole", otherwise, correct_columns=not correct_columns)
    compare("whole", "a day later", elapsed=day)
    for name, decoder in (("nearest levels", "plain"), ("least squares", "clipped"), ("scale a column", "per_column")):
        compare("not trained for it", name, decoder=decoder)
    compare("recovery", "twice the copies", chip=replace(full, arrays=2 * full.arrays), copies=2 * copies)
    compare("recovery", "8-bit converter", chip=replace(full, converter=replace(full.converter, adc_bits=8)))
    save_rows(variants, variants_of.rows, ("group", "variant", "chip", "metric", "value"))


class _Variants:
    """Chips that restore the same letters, and how well.

    They share what they can: compiling a decoder and solving its wires take longer than restoring the letters.

    Attributes
    ----------
    rows
        Of the variants so far: group, variant, chip, metric, value.
    """

    def __init__(
        self,
        decoders: Mapping[str, QuantizedDecoder],
        judge: Judge,
        currents: np.ndarray,
        sample: np.ndarray,
        chips: int,
    ):
        self.decoders, self.judge, self.currents, self.sample, self.chips = decoders, judge, currents, sample, chips
        self.rows: list[tuple[object, ...]] = []
        self._placed, self._levels, self._cells = cache(self._place), cache(self._write), cache(self._age_and_wire)

    def add(
        self,
        group: str,
        name: str,
        *,
        chip: Chip,
        decoder: str = "aware",
        copies: int,
        elapsed: float,
        correct_columns: bool,
    ) -> None:
        """Restore the letters with a chip, as often as chips are compared, and add the scores."""
        size = replace(PRESETS["ideal"], chips=chip.chips, arrays=chip.arrays, rows=chip.rows, columns=chip.columns)
        read = replace(size, converter=chip.converter, read_noise=chip.read_noise)
        network, decode = self._placed(decoder, read, copies)
        parts = self._cells(decoder, replace(chip, converter=size.converter, read_noise=0.0), copies, elapsed)
        restored = restored_by(network, decode, parts, self.currents, self.sample, outputs=correct_columns)
        for number, pixels in enumerate(restored):
            self.rows.extend((group, name, number, *score) for score in self.judge.scores(pixels).items())

    def _place(self, decoder: str, chip: Chip, copies: int) -> tuple[Network, Decode]:
        network = assemble(self.decoders[decoder], chip, copies=copies)
        return network, inference(network)

    def _write(self, decoder: str, chip: Chip, copies: int) -> np.ndarray:
        network = assemble(self.decoders[decoder], chip, copies=copies)
        return np.asarray(written_chips(network, self.chips if chip.writing.accuracy is not None else 1).levels)

    def _age_and_wire(self, decoder: str, chip: Chip, copies: int, elapsed: float) -> list[np.ndarray]:
        without_wires = replace(chip, row_resistance=0.0, column_resistance=0.0)  # writing knows nothing of them
        return wired(aged(self._levels(decoder, without_wires, copies), chip, elapsed), chip)


def with_parts(full: Chip, parts: Sequence[str]) -> Chip:
    """Return a chip of which these parts are as they are, and the others ideal."""
    ideal = PRESETS["ideal"]
    changed: dict[str, Any] = {}
    if "writing" not in parts:
        changed |= {"writing": ideal.writing, "drift_spread": 0.0, "drift_exponent": 0.0}
    if "read noise" not in parts:
        changed["read_noise"] = 0.0
    if "wires" not in parts:
        changed |= {"row_resistance": 0.0, "column_resistance": 0.0}
    if "converter" not in parts:
        changed["converter"] = replace(full.converter, adc_bits=None)
    return replace(full, **changed)
