"""Effect of each part of a chip that is not ideal: chips with one ideal part, or with one part that is not ideal."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from relaxor.core.storage import save_table
from relaxor.crossbar.chip import IDEAL, Chip
from relaxor.crossbar.compute import Decode, Network, assemble, inference
from relaxor.crossbar.levels import QuantizedDecoder
from relaxor.crossbar.settings import Crossbar
from relaxor.inpainting.chip_experiment import CALIBRATION, Judge, aged, restored_by, wired, written_chips
from relaxor.inpainting.export import load_quantized
from relaxor.inpainting.learning import Reading, read_currents
from relaxor.inpainting.letters import load_letters
from relaxor.inpainting.quantities import ALL_BUT_ONE_IDEAL, AWARE, NOT_TRAINED, ONE_IDEAL, REMEDY, WHOLE_CHIP

PARTS = ("writing", "read_noise", "wires", "converter")
"""Parts of a chip that are not ideal."""
ROUNDED = {"plain": "nearest levels", "clipped": "least squares", "per_column": "scale a column"}
"""Names in figures of the variants with decoders that were not trained for the chip."""
MORE_BITS = 8
"""Number of bits of the better converter that is tried."""


class Variant(NamedTuple):
    """One chip that is compared: its name in figures, and model, feature and ``at`` of its numbers."""

    label: str
    model: str
    feature: str = ""
    at: float = math.nan
    at_unit: str = ""


COLUMNS = (*Variant._fields, "chip", "metric", "value")
"""Columns of the table of the variants."""


def break_down_chip(
    letters: str,
    encoder: str,
    rounded: Sequence[str],
    variants: str,
    *,
    reading: Mapping[str, Any],
    crossbar: Mapping[str, Any],
) -> None:
    """Restore letters with chips of which one part is ideal, or all parts but one.

    Parameters
    ----------
    letters, encoder, rounded
        As `relaxor.inpainting.learning` wrote them; ``rounded`` are all integer decoders, by the names of their files.
    variants
        CSV file to write, with `COLUMNS`.
    reading
        Fields of `relaxor.inpainting.learning.Reading`.
    crossbar
        Fields of `relaxor.crossbar.settings.Crossbar` that are used.
    """
    found = load_letters(letters)
    settings, read = Crossbar.model_validate(crossbar), Reading(**reading)
    currents, sample = (read_currents(found, encoder, part, read) for part in ("test", "train"))
    decoders = {Path(path).stem: load_quantized(path) for path in rounded}
    variants_of = _Variants(decoders, Judge(found, read.hole), currents, sample[:CALIBRATION], settings.compared_chips)
    full, copies, correct = settings.chip, settings.copies, settings.correct_columns
    compare = partial(variants_of.add, chip=full, copies=copies, elapsed=settings.elapsed, correct_columns=correct)
    for part in PARTS:
        words, others = part.replace("_", " "), [other for other in PARTS if other != part]
        compare(Variant(f"alone: {words}", ALL_BUT_ONE_IDEAL, part), chip=with_parts(full, [part]))
        compare(Variant(f"all but: {words}", ONE_IDEAL, part), chip=with_parts(full, others))
    compare(Variant("whole: chip", WHOLE_CHIP))
    otherwise = "columns_not_corrected" if correct else "columns_corrected"
    words = otherwise.replace("_", " ")
    compare(Variant(f"whole: {words}", WHOLE_CHIP, otherwise), correct_columns=not correct)
    compare(Variant("whole: a day later", WHOLE_CHIP, at=settings.day, at_unit="s"), elapsed=settings.day)
    for decoder, words in ROUNDED.items():
        compare(Variant(f"not trained for it: {words}", NOT_TRAINED, decoder), decoder=decoder)
    doubled = Variant("recovery: twice the copies", REMEDY, "copies", 2 * copies, "1")
    compare(doubled, chip=replace(full, arrays=2 * full.arrays), copies=2 * copies)
    better = Variant(f"recovery: {MORE_BITS}-bit converter", REMEDY, "converter_bits", MORE_BITS, "1")
    compare(better, chip=replace(full, converter=replace(full.converter, adc_bits=MORE_BITS)))
    save_table(variants, pd.DataFrame(variants_of.rows, columns=list(COLUMNS)))


class _Variants:
    """Chips that restore the same letters, and how well they do.

    Compiled decoders and solved wires are shared, because both take longer than restoring the letters.

    Attributes
    ----------
    rows
        Rows of the variants so far, with `COLUMNS`.
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
        variant: Variant,
        *,
        chip: Chip,
        decoder: str = AWARE,
        copies: int,
        elapsed: float,
        correct_columns: bool,
    ) -> None:
        """Restore the letters with each of the compared chips, and add the scores."""
        size = replace(IDEAL, chips=chip.chips, arrays=chip.arrays, rows=chip.rows, columns=chip.columns)
        read = replace(size, converter=chip.converter, read_noise=chip.read_noise)
        network, decode = self._placed(decoder, read, copies)
        parts = self._cells(decoder, replace(chip, converter=size.converter, read_noise=0.0), copies, elapsed)
        restored = restored_by(network, decode, parts, self.currents, self.sample, outputs=correct_columns)
        for number, pixels in enumerate(restored):
            self.rows.extend((*variant, number, *score) for score in self.judge.scores(pixels).items())

    def _place(self, decoder: str, chip: Chip, copies: int) -> tuple[Network, Decode]:
        network = assemble(self.decoders[decoder], chip, copies=copies)
        return network, inference(network)

    def _write(self, decoder: str, chip: Chip, copies: int) -> np.ndarray:
        network = assemble(self.decoders[decoder], chip, copies=copies)
        return np.asarray(written_chips(network, self.chips if chip.writing.accuracy is not None else 1).levels)

    def _age_and_wire(self, decoder: str, chip: Chip, copies: int, elapsed: float) -> list[np.ndarray]:
        without_wires = replace(chip, row_resistance=0.0, column_resistance=0.0)  # writing does not depend on them
        return wired(aged(self._levels(decoder, without_wires, copies), chip, elapsed), chip)


def with_parts(full: Chip, parts: Sequence[str]) -> Chip:
    """Return a chip of which these parts stay as they are, and the others are ideal."""
    changed: dict[str, Any] = {}
    if "writing" not in parts:
        changed |= {"writing": IDEAL.writing, "drift_spread": 0.0, "drift_exponent": 0.0}
    if "read_noise" not in parts:
        changed["read_noise"] = 0.0
    if "wires" not in parts:
        changed |= {"row_resistance": 0.0, "column_resistance": 0.0}
    if "converter" not in parts:
        changed["converter"] = replace(full.converter, adc_bits=None)
    return replace(full, **changed)
