"""The decoder on chips: written, read back, and used to restore letters.

A chip is given by a random key: its devices, the noise of its reads and its drift follow from the key.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import xarray as xr

from relaxor.core.checksums import sha256
from relaxor.core.errors import AnalysisError
from relaxor.core.storage import load_parameters, save_table, save_tree
from relaxor.core.units import factor
from relaxor.core.variables import variable
from relaxor.crossbar.chip import Chip
from relaxor.crossbar.compute import Decode, Network, assemble, calibrate, inference, with_wires
from relaxor.crossbar.cost import Cost
from relaxor.crossbar.cost import costs as costs_of
from relaxor.crossbar.settings import Crossbar
from relaxor.crossbar.write import Written, calibrate_relaxation, drift, far_errors, load_read_out, program, read_back
from relaxor.inpainting.classifier import features, load_classifier, predict
from relaxor.inpainting.export import load_quantized
from relaxor.inpainting.fid import fid
from relaxor.inpainting.images import centre, ink
from relaxor.inpainting.learning import Reading, read_currents
from relaxor.inpainting.letters import Letters, load_letters
from relaxor.inpainting.models import paste
from relaxor.inpainting.quantities import ACCURACY, MSE_HOLE, PAIRED
from relaxor.inpainting.scoring import shown_letters
from relaxor.synapse.photoresponse.encoder import load_encoder
from relaxor.synapse.quantities import ENERGY_PER_SPIKE

SEED = 12
"""Seed of the chips."""
CALIBRATION = 512
"""Number of letters that set the ranges of the converters and, where asked for, the corrections of the sums."""
SPIKE = "integral"
"""Definition of the energy per spike: ∫ V I dt over the pulse."""


class Judge:
    """The test letters, and how far restored letters are from them.

    Parameters
    ----------
    letters
        From `relaxor.inpainting.letters.load_letters`.
    hole
        Side of the hole in pixels.
    """

    def __init__(self, letters: Letters, hole: int):
        self.originals, self.labels, self.hole = ink(letters.images_test), letters.labels_test, hole
        self.classifier, _ = load_classifier()
        self.features = features(self.classifier, self.originals)

    def completed(self, drawn: np.ndarray) -> np.ndarray:
        """Put drawn holes, shape (n, h²) or (n, h, h), into the originals."""
        holes = jnp.asarray(drawn, jnp.float32).reshape(-1, self.hole, self.hole)
        return np.asarray(paste(jnp.asarray(self.originals), holes))

    def scores(self, drawn: np.ndarray) -> dict[str, float]:
        """Return `CHIP_METRICS` of restored letters by name; see `relaxor.inpainting.scoring.judge`."""
        images, where = self.completed(drawn), centre(self.hole)
        own = features(self.classifier, images)
        error = images[:, where, where] - self.originals[:, where, where]
        return {
            PAIRED.name: fid(self.features, own),
            MSE_HOLE.name: float(np.mean(error.astype(float) ** 2)),
            ACCURACY.name: float(np.mean(predict(self.classifier, own) == self.labels)),
        }


# --- chips
def written_chips(network: Network, number: int) -> Written:
    """Write the decoder into chips; arrays of shape (number, passes, arrays, rows, columns)."""
    targets = network.targets()
    relaxation = calibrate_relaxation(targets[network.used()], network.chip)
    keys = jax.random.split(jax.random.key(SEED), number)
    chips = [program(key, targets, network.chip, relaxation) for key in keys]
    return jax.tree.map(lambda *parts: np.stack([np.asarray(part) for part in parts]), *chips)


def measured_chip(network: Network, read_outs: Sequence[str]) -> np.ndarray:
    """Load one chip from the read-outs of its arrays, shape (1, passes, arrays, rows, columns).

    Raises
    ------
    AnalysisError
        If there are more or fewer read-outs than arrays, or one cannot be used.
    """
    passes, arrays, rows, columns = network.targets().shape
    if len(read_outs) != passes * arrays:
        raise AnalysisError(
            f"crossbar.read_outs: {len(read_outs)} files; {passes * arrays} needed, one for each of {arrays} arrays"
            f" and {passes} passes"
        )
    found = [load_read_out(path, (rows, columns), network.chip) for path in read_outs]
    return np.array(found).reshape(1, passes, arrays, rows, columns)


def wired(levels: np.ndarray, chip: Chip) -> list[np.ndarray]:
    """Return what the cells of every chip contribute through its wires, in levels."""
    return [with_wires(cells, chip) for cells in levels]


def restored_by(
    network: Network,
    decode: Decode,
    cells: Sequence[np.ndarray],
    inputs: np.ndarray,
    sample: np.ndarray,
    *,
    outputs: bool,
) -> Iterator[np.ndarray]:
    """Restore letters with every chip.

    Parameters
    ----------
    network, decode
        The decoder on a chip, and its `relaxor.crossbar.compute.inference`.
    cells
        Of every chip, from `wired`.
    inputs
        Readings of the device, shape (n, 196).
    sample
        Readings that set the converters, shape (m, 196).
    outputs
        Whether the sums of every column are corrected.

    Yields
    ------
    numpy.ndarray
        Pixels of the holes, shape (n, h²), one chip after the other.
    """
    for number, contributions in enumerate(cells):
        matrices = network.matrices(contributions)
        periphery = calibrate(network, matrices, sample, outputs=outputs)
        key = jax.random.fold_in(jax.random.key(SEED), number)
        yield np.asarray(decode(matrices, periphery, jnp.asarray(inputs, jnp.float32), key)[1])


def aged(levels: np.ndarray, chip: Chip, elapsed: float) -> np.ndarray:
    """Return the levels of written chips after a time (s)."""
    keys = jax.random.split(jax.random.fold_in(jax.random.key(SEED), len(levels)), len(levels))
    pairs = zip(keys, levels, strict=True)
    return np.stack([np.asarray(drift(key, jnp.asarray(cells), chip, elapsed)) for key, cells in pairs])


# --- the jobs
def run_chips(
    letters: str,
    encoder: str,
    light: str,
    aware: str,
    scores: str,
    costs: str,
    cells: str,
    *,
    reading: Mapping[str, Any],
    crossbar: Mapping[str, Any],
    read_outs: Sequence[str],
) -> None:
    """Write the decoder trained for four bits into chips, read it back, and restore the test letters with each chip.

    Parameters
    ----------
    letters, encoder, aware
        As `relaxor.inpainting.learning` wrote them.
    light
        ``parameters.csv`` of the pulses of light, for the energy of an optical spike.
    scores
        CSV file to write: chip, metric, value.
    costs
        CSV file to write: `relaxor.crossbar.cost.Cost` of a letter.
    cells
        netCDF file to write: the places of the layers, what was written and read back, and restored letters.
    reading
        Fields of `relaxor.inpainting.learning.Reading`.
    crossbar
        Fields of `relaxor.crossbar.settings.Crossbar` that are used.
    read_outs
        Measured read-outs that replace a written chip, if there are any.
    """
    found = load_letters(letters)
    settings, read = Crossbar.model_validate(crossbar), Reading(**reading)
    currents, sample = (read_currents(found, encoder, part, read) for part in ("test", "train"))
    decoder, judge = load_quantized(aware), Judge(found, read.hole)
    network = assemble(decoder, settings.chip, copies=settings.copies)
    if read_outs:
        written, levels = None, measured_chip(network, read_outs)
    else:
        written = written_chips(network, settings.chips_made)
        levels = aged(np.asarray(written.levels), network.chip, settings.elapsed)
    parts = wired(levels, network.chip)
    sample = sample[:CALIBRATION]
    chips = restored_by(network, inference(network), parts, currents, sample, outputs=settings.correct_columns)
    drawn = list(chips)
    rows = [(number, *score) for number, pixels in enumerate(drawn) for score in judge.scores(pixels).items()]
    save_table(scores, pd.DataFrame(rows, columns=["chip", "metric", "value"]))
    spent = _costs(network, parts[0], sample, judge.originals, encoder, light)
    save_table(costs, pd.DataFrame(spent))
    images = {"original": judge.originals, "chip": judge.completed(drawn[0])}
    groups = _cells(network, levels, written) | {"letters": shown_letters(images, judge.labels)}
    groups["read_back"].attrs["read_outs_sha256"] = ",".join(sha256(Path(path)) for path in read_outs)
    save_tree(cells, groups)


def _costs(
    network: Network, cells: np.ndarray, sample: np.ndarray, originals: np.ndarray, encoder: str, light: str
) -> list[Cost]:
    """Return the costs of a letter on one chip and in the device that encodes."""
    matrices = network.matrices(cells)
    numbers = load_parameters(light)
    energies = numbers[(numbers["parameter"] == ENERGY_PER_SPIKE.name) & (numbers["model"] == SPIKE)]
    timing = load_encoder(encoder).timing
    return costs_of(
        network,
        matrices,
        calibrate(network, matrices, sample),
        sample,
        spikes=float(originals.sum(axis=(1, 2)).mean()),
        spike_energy=float(energies["value"].mean()) * factor(str(energies["unit"].iloc[0]), "J"),
        encoder_time=timing.read + timing.read_window - timing.first,
    )


def _cells(network: Network, levels: np.ndarray, written: Written | None) -> dict[str, xr.Dataset]:
    """Describe what was written: places, levels of the first chip, statistics of all chips, and pulses if known."""
    targets, used = network.targets(), network.used()
    results = [read_back(targets[used], cells[used], network.chip) for cells in levels]
    plan = network.plan.table()
    tiles = {str(name): variable("tile", column.to_numpy(), "1", str(name)) for name, column in plan.items()}
    dims = ("pass", "array", "row", "column")
    level = np.arange(network.chip.lowest, network.chip.highest + 1)
    confusion = np.sum([result.confusion for result in results], axis=0)
    error = np.sum([result.error_count for result in results], axis=0)
    sigma = float(np.std(np.concatenate([cells[used] for cells in levels]) - np.tile(targets[used], len(levels))))
    far = far_errors(results[0], sigma)
    spent = {}
    if written:
        pulses = (written.set_pulses + written.reset_pulses)[:, used].mean(axis=1)
        spent = {
            "pulses": variable("chip", pulses, "1", "pulses per cell"),
            "energy": variable("chip", written.energy[:, used].mean(axis=1), "J", "write energy per cell"),
        }
    return {
        "plan": xr.Dataset(tiles, attrs={"statement": network.plan.statement, "cells": network.chip.cells}),
        "arrays": xr.Dataset(
            {
                "target": variable(dims, targets.astype(np.int8), "1", "level to be written"),
                "used": variable(dims, used.astype(np.int8), "1", "whether a cell holds a weight"),
                "level": variable(dims, levels[0].astype(np.float32), "1", "level when read, first chip"),
            }
        ),
        "read_back": xr.Dataset(
            {
                "confusion": variable(("written", "read"), confusion, "1", "cells of all chips"),
                "error_count": variable("error", error, "1", "cells of all chips"),
                "accuracy": variable("chip", [result.accuracy for result in results], "1", "write accuracy"),
                **spent,
            },
            {
                "written": variable("written", level, "1", "level written"),
                "read": variable("read", level, "1", "level read"),
                "error": variable("error", results[0].error, "1", "level read less level written"),
            },
            {"sigma": sigma, "far_errors": far.statement, "beyond_normal": int(far.beyond_normal)},
        ),
    }
