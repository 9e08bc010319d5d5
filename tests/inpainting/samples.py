"""What the tests share: a device by hand, small data, and a minimal reader of idx files."""

import gzip
from pathlib import Path

import jax
import numpy as np
from relaxor.inpainting.encoder import encode
from relaxor.inpainting.images import cut_hole
from relaxor.inpainting.training import Data
from relaxor.synapse.photoresponse.codes import CodeTiming
from relaxor.synapse.photoresponse.codes import encode as predict_codes
from relaxor.synapse.photoresponse.encoder import Encoder
from relaxor.synapse.photoresponse.kinetics import PARAMETERS
from relaxor.synapse.photoresponse.noise import Noise
from relaxor.synapse.photoresponse.response import Response

VALUES = dict(zip(PARAMETERS, (1.6e-11, 2e-11, 3.7e-11, 1.0, 0.15, 0.3, 8.0, 0.7, 0.75), strict=True))
ADDITIVE, MULTIPLICATIVE = 3e-14, 0.005


def device(read_delay: float = 0.1) -> Encoder:
    """A device as the sample's; its measured codes are the predicted ones, one percent larger."""
    timing = CodeTiming(
        first=0.2, period=0.2, width=0.1, power=24.0, read_delay=read_delay, read_window=0.05, sampling_interval=0.01
    )
    nothing = dict.fromkeys(
        ("dark_current", "dark_error", "dark_spread", "dark_spread_error", "drift", "drift_error"), 0.0
    )
    response = Response(VALUES, 32.0, np.empty((0, 0)), (), Noise(ADDITIVE, 0.0, MULTIPLICATIVE, 0.0), **nothing,
                        aicc={}, runs=99, freedom=90, n=99, reduced_chi_square=1.0)  # fmt: skip
    codes = predict_codes(response, timing)

    def quantity(name: str) -> dict:
        return {"value": VALUES[name], "standard_error": None}

    def table(factor: float) -> dict:
        return {
            code: {"current": factor * row.current, "standard_error": None, "spread": row.spread}
            for code, row in codes.iterrows()
        }

    return Encoder.model_validate(
        {
            "version": 1, "origin": "simulated", "raw_sha256": ["ab" * 32], "reference_power": 32.0, "units": {},
            "decay_constants": [quantity("tau_1"), quantity("tau_2")], "gains": [quantity("g1"), quantity("g2")],
            "exponents": [quantity("alpha"), quantity("alpha0")], "saturation": [quantity("J1"), quantity("J2")],
            "prompt": quantity("J0"), "dark_current": {"value": 1e-12, "standard_error": None},
            "dark_current_spread": 0.0, "noise_additive": {"value": ADDITIVE, "standard_error": None},
            "noise_multiplicative": {"value": MULTIPLICATIVE, "standard_error": None},
            "timing": vars(timing), "measured": table(1.01), "predicted": table(1.0),
        }
    )  # fmt: skip


def bars(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images of bars through the centre at 26 angles, one a letter: the rim tells what the hole holds."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(26, size=n)
    angle = np.pi * (labels + 0.3 * rng.standard_normal(n)) / 26
    y, x = np.mgrid[:28, :28] - 13.5
    distance = x * np.sin(angle)[:, None, None] - y * np.cos(angle)[:, None, None]
    return np.exp(-((distance / 2) ** 2)).astype(np.float32), labels


def bar_data(n: int, hole: int, seed: int = 0) -> Data:
    """Bars as the device reads them."""
    images, labels = bars(n, seed)
    return Data.create(encode(cut_hole(images, hole), device(), jax.random.key(seed)), images, labels)


def read_idx(path: Path) -> np.ndarray:
    """Read a gzipped idx file of bytes."""
    content = gzip.decompress(path.read_bytes())
    shape = np.frombuffer(content, ">u4", content[3], 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape)


def letter_data(folder: Path, part: str, hole: int) -> Data:
    """Real letters, upright, as the device reads them."""
    stem = f"emnist-letters-rebuilt-{part}"
    images = read_idx(folder / f"{stem}-images-idx3-ubyte.gz").transpose(0, 2, 1) / np.float32(255)
    labels = read_idx(folder / f"{stem}-labels-idx1-ubyte.gz").astype(int) - 1
    return Data.create(encode(cut_hole(images, hole), device(), jax.random.key(0)), images, labels)
