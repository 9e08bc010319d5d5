"""The jobs of learning: letters through the device to a trained decoder, and from that to four bits.

Each job reads the letters with the device anew. This takes seconds, whereas the currents of one hole take a hundred
megabytes.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from safetensors.numpy import load, save

from relaxor.core.errors import AnalysisError
from relaxor.core.files import write_whole
from relaxor.core.storage import save_table
from relaxor.inpainting.checkpoints import from_tensors, to_tensors
from relaxor.inpainting.encoder import draw_device_gains, encode
from relaxor.inpainting.export import export_onnx, save_quantized
from relaxor.inpainting.fine_tuning import AsOnChip
from relaxor.inpainting.images import cut_hole, ink
from relaxor.inpainting.letters import Letters, load_letters
from relaxor.inpainting.progress import training_bar
from relaxor.inpainting.rounding import Scales, quantize, round_decoder
from relaxor.inpainting.settings import FineTuning
from relaxor.inpainting.training import Data, Generate, Networks, Settings, Trained, identity, train
from relaxor.synapse.photoresponse.encoder import load_encoder

CALIBRATION = 8192
"""Number of letters whose currents set scales and levels."""
DEVICES, TRAIN, TEST = range(3)
"""What is drawn from a seed."""


class Reading(NamedTuple):
    """How letters are read.

    Attributes
    ----------
    hole
        Side of the hole in pixels.
    seed
        Seed of the array of devices and of the noise of its readings.
    device_variation
        Relative standard deviation of the response from device to device.
    """

    hole: int
    seed: int
    device_variation: float


def read_currents(letters: Letters, encoder: str, part: str, reading: Reading) -> np.ndarray:
    """Read letters without their centre with an array of devices.

    Parameters
    ----------
    letters
        From `relaxor.inpainting.letters.load_letters`.
    encoder
        ``encoder.json``.
    part
        ``train`` or ``test``.
    reading
        How they are read.

    Returns
    -------
    numpy.ndarray
        Parts of the ADC's range, shape (n, 196).
    """
    key = jax.random.key(reading.seed)
    gains = draw_device_gains(jax.random.fold_in(key, DEVICES), reading.device_variation)
    images = ink(letters.images_train if part == "train" else letters.images_test)
    own = jax.random.fold_in(key, TRAIN if part == "train" else TEST)
    return encode(cut_hole(images, reading.hole), load_encoder(encoder), own, device_gains=gains)


def train_decoder(
    letters: str,
    encoder: str,
    networks: str,
    onnx: str,
    history: str,
    *,
    reading: Mapping[str, Any],
    training: Mapping[str, Any],
    checkpoint_epochs: int,
) -> None:
    """Train decoder and discriminator; an interrupted run continues from its last checkpoint.

    Parameters
    ----------
    letters, encoder
        ``letters.nc`` and ``encoder.json``.
    networks
        safetensors file of both networks to write.
    onnx
        The decoder alone, for other programs.
    history
        CSV file of the losses of every epoch.
    reading
        Fields of `Reading`; the training has the same seed.
    training
        See `relaxor.inpainting.settings.Training`.
    checkpoint_epochs
        Epochs from one checkpoint to the next; the checkpoints lie beside the networks until these are written.
    """
    read = Reading(**reading)
    data = _data(letters, encoder, read)
    trained = _train(data, read.hole, Settings(**training, seed=read.seed), Path(networks), checkpoint_epochs)
    save_networks(networks, trained.networks)
    export_onnx(onnx, trained.networks.decoder)
    save_table(history, trained.history, digits=6)
    shutil.rmtree(_checkpoints(Path(networks)))


def quantize_decoder(
    letters: str,
    encoder: str,
    networks: str,
    rounded: Sequence[str],
    aware: str,
    float_longer: str,
    history: str,
    *,
    reading: Mapping[str, Any],
    training: Mapping[str, Any],
    fine_tuning: Mapping[str, Any],
    lowest_level: int,
    checkpoint_epochs: int,
) -> None:
    """Train a decoder on in float and for the chip, and round the one in float to four bits in every way.

    All of these decoders were then trained for as many epochs, with the same schedule and the same letters.

    Parameters
    ----------
    letters, encoder, networks
        As `train_decoder` read and wrote them.
    rounded
        safetensors files of rounded decoders to write, ``plain``, ``clipped`` and ``per_column`` by their names; see
        `relaxor.inpainting.quantities.METHODS`.
    aware
        safetensors file of the decoder that was trained on with rounding and the noise of the chip.
    float_longer
        safetensors file of the networks that were trained on without rounding, with which the others are compared.
    history
        CSV file of the losses of every epoch of the training with the noise of the chip.
    reading
        Fields of `Reading`.
    training, fine_tuning
        See `relaxor.inpainting.settings`; the weights of the losses and the batch are those of the training.
    lowest_level
        −7 or −8.
    checkpoint_epochs
        As for `train_decoder`.
    """
    read = Reading(**reading)
    data, start = _data(letters, encoder, read), load_networks(networks, read.hole)
    sample = np.asarray(data.currents[:CALIBRATION])
    tuning = FineTuning(**fine_tuning)
    scales = Scales.of(round_decoder(start.decoder, sample, per_column=True, lowest=lowest_level), tuning.level_size)
    on_chip = AsOnChip(scales, tuning.noise, tuning.sum_noise, lowest_level)
    schedule = tuning.model_dump(exclude={"level_size", "noise", "sum_noise"})
    settings = Settings(**{**training, **schedule}, seed=read.seed + 1)
    tuned = _train(data, read.hole, settings, Path(aware), checkpoint_epochs, start, on_chip)
    longer = _train(data, read.hole, settings, Path(float_longer), checkpoint_epochs, start).networks
    decoders = {
        "plain": round_decoder(longer.decoder, sample, "plain", lowest=lowest_level),
        "clipped": round_decoder(longer.decoder, sample, lowest=lowest_level),
        "per_column": round_decoder(longer.decoder, sample, per_column=True, lowest=lowest_level),
    }
    for path in rounded:
        save_quantized(path, decoders[Path(path).stem])
    save_quantized(aware, quantize(tuned.networks.decoder, scales, lowest=lowest_level))
    save_networks(float_longer, longer)
    save_table(history, tuned.history, digits=6)
    for path in (aware, float_longer):
        shutil.rmtree(_checkpoints(Path(path)))


def save_networks(path: Path | str, networks: Networks) -> None:
    """Write both networks as safetensors, whole or not at all."""
    write_whole(path, save(to_tensors(networks)))


def load_networks(path: Path | str, hole: int) -> Networks:
    """Load the networks of a hole.

    Raises
    ------
    AnalysisError
        If the file cannot be read, or holds networks of another shape.
    """
    try:
        tensors = load(Path(path).read_bytes())
    except Exception as error:  # safetensors raises errors of several kinds on bytes that are none
        raise AnalysisError(f"{path}: cannot be read: {' '.join(str(error).split())}") from None
    return from_tensors(eqx.filter_eval_shape(Networks.create, hole, 0), tensors)


def _data(letters: str, encoder: str, reading: Reading) -> Data:
    found = load_letters(letters)
    currents = read_currents(found, encoder, "train", reading)
    return Data.create(currents, ink(found.images_train), found.labels_train)


def _train(
    data: Data,
    hole: int,
    settings: Settings,
    result: Path,
    checkpoint_epochs: int,
    start: Networks | None = None,
    generate: Generate | None = None,
) -> Trained:
    """Train with checkpoints beside the result, in a folder of this training: one on other data has its own."""
    known = json.dumps(identity(data, hole, settings, start, generate))
    folder = _checkpoints(result) / hashlib.sha256(known.encode()).hexdigest()[:12]
    with training_bar(f"{result.parent.name} {result.stem}", settings.epochs) as progress:
        return train(
            data,
            hole,
            settings,
            folder=folder,
            checkpoint_epochs=checkpoint_epochs,
            start=start,
            generate=generate,
            progress=progress,
        )


def _checkpoints(result: Path) -> Path:
    return result.with_name(f"{result.stem}_checkpoints")
