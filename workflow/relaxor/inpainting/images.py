"""The images of letters: 28 × 28 pixels, 26 classes, and a square hole in the centre."""

import numpy as np

SIDE = 28
"""Pixels of a side of an image."""
CLASSES = 26
"""Letters, A to Z."""


def ink(images: np.ndarray) -> np.ndarray:
    """Return images of bytes as grey levels 0 … 1, float32, ink = 1."""
    return np.divide(images, np.float32(255), dtype=np.float32, order="C")


def centre(hole: int) -> slice:
    """Return the rows, which are also the columns, of a hole of ``hole`` × ``hole`` pixels; the number is even."""
    return slice((SIDE - hole) // 2, (SIDE + hole) // 2)


def cut_hole(images: np.ndarray, hole: int) -> np.ndarray:
    """Return images, shape (n, 28, 28), with the centre dark, float32."""
    cut = np.array(images, np.float32)
    cut[:, centre(hole), centre(hole)] = 0
    return cut
