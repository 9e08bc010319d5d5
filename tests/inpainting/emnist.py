"""The real letters beside the checkout, read without the library."""

import gzip
from pathlib import Path

import numpy as np


def read(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Upright images in 0 … 1 and labels from 0 of the part ``train`` or ``test``."""
    stem = f"emnist-letters-rebuilt-{part}"
    pixels = gzip.decompress((folder / f"{stem}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{stem}-labels-idx1-ubyte.gz").read_bytes())
    images = np.frombuffer(pixels, np.uint8, offset=16).reshape(-1, 28, 28).transpose(0, 2, 1)
    return images.astype(np.float32) / 255, np.frombuffer(labels, np.uint8, offset=8).astype(int) - 1
