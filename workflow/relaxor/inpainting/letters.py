"""The letters to be inpainted: official EMNIST where its files are, else letters drawn by code; and their holes.

`Letters.source` says which, so that no result on one kind can pass for a result on the other.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from relaxor.errors import AnalysisError
from relaxor.inpainting.idx import CLASSES, PARTS, SIZE, Split, find_files, read_split
from relaxor.inpainting.procedural import draw_letters

HOLES = (4, 8, 12)
"""Sides of the square that is missing, pixels."""
TRAIN, TEST = 124_800, 20_800
"""Images of the official split, even in all classes."""
OFFICIAL_TEST_LABELS = "22dbcde0a929a7f166bdac863b9195b2994d840a1e082f8f6daaeac5606376a6"
"""SHA-256 of the official test labels, unpacked."""
SEED = 0
FOLDER_VARIABLE = "RELAXOR_EMNIST"
"""Environment variable that names the folder of the EMNIST files."""


@dataclass(frozen=True)
class Letters:
    """Images of letters and what they are.

    Attributes
    ----------
    images_train, images_test
        float32 in 0 … 1, upright, ink = 1, shape (n, 28, 28).
    labels_train, labels_test
        0 = A … 25 = Z, shape (n,).
    source
        Where they come from, with hashes or seed.
    """

    images_train: np.ndarray
    labels_train: np.ndarray
    images_test: np.ndarray
    labels_test: np.ndarray
    source: str


def load_letters(folder: Path | None = None) -> Letters:
    """Load EMNIST letters, or draw letters where there are none.

    Parameters
    ----------
    folder
        Holds ``*train*images*idx3*``, ``*train*labels*idx1*`` and the same of ``test``, each packed with gzip or not.
        None: the folder that the environment variable ``RELAXOR_EMNIST`` names.

    Returns
    -------
    Letters
        Of the files; procedural letters if no folder is named or the folder holds none of these files.

    Raises
    ------
    ReadError
        If a file is missing, damaged, or not what its name says.
    """
    if folder is None and FOLDER_VARIABLE in os.environ:
        folder = Path(os.environ[FOLDER_VARIABLE])
    files = find_files(folder) if folder is not None else {}
    if not files:
        return procedural_letters()
    train, test = (read_split(files[part, "images"], files[part, "labels"]) for part in PARTS)
    return Letters(_ink(train.images), train.labels, _ink(test.images), test.labels, _source(train, test))


def procedural_letters(seed: int = SEED, train: int = TRAIN, test: int = TEST) -> Letters:
    """Draw letters by code.

    Parameters
    ----------
    seed
        The same one gives the same letters.
    train, test
        How many of each; fewer letters are the first of more.
    """
    images_train, labels_train = draw_letters(train, seed, 0)
    images_test, labels_test = draw_letters(test, seed, 1)
    source = f"procedural letters drawn by code, not EMNIST (seed {seed}, {train:,} train, {test:,} test)"
    return Letters(_ink(images_train), labels_train, _ink(images_test), labels_test, source)


def masked(images: np.ndarray, hole: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut the middle out of images.

    Parameters
    ----------
    images
        Shape (n, 28, 28).
    hole
        Side of the square to cut out, one of `HOLES`.

    Returns
    -------
    input : numpy.ndarray
        Images with zeros in the hole, shape (n, 28, 28).
    target : numpy.ndarray
        What was there, row by row, shape (n, hole²).

    Raises
    ------
    AnalysisError
        If the hole has no such side.
    """
    rows, columns = _centre(hole)
    target = images[:, rows, columns].reshape(len(images), hole * hole)
    cut = images.copy()
    cut[:, rows, columns] = 0
    return cut, target


def restored(images: np.ndarray, pixels: np.ndarray, hole: int) -> np.ndarray:
    """Fill the hole of images with predicted pixels.

    Parameters
    ----------
    images
        With or without the hole, shape (n, 28, 28).
    pixels
        Of the hole, row by row, shape (n, hole²).
    hole
        Its side, one of `HOLES`.

    Returns
    -------
    numpy.ndarray
        Shape (n, 28, 28).

    Raises
    ------
    AnalysisError
        If the hole has no such side, or there are other numbers of pixels or images.
    """
    rows, columns = _centre(hole)
    if pixels.shape != (len(images), hole * hole):
        raise AnalysisError(f"{pixels.shape} pixels do not fill a hole of {hole} × {hole} in {len(images)} images")
    whole = images.copy()
    whole[:, rows, columns] = pixels.reshape(-1, hole, hole)
    return whole


def _centre(hole: int) -> tuple[slice, slice]:
    if hole not in HOLES:
        raise AnalysisError(f"a hole of {hole} × {hole} pixels; one of {', '.join(map(str, HOLES))} needed")
    middle = slice((SIZE - hole) // 2, (SIZE + hole) // 2)
    return middle, middle


def _ink(images: np.ndarray) -> np.ndarray:
    return np.divide(images, np.float32(255), dtype=np.float32, order="C")


def _source(train: Split, test: Split) -> str:
    """Name the split: the official one has its test labels, and as many of each letter to train with."""
    even = np.array_equal(np.bincount(train.labels), np.full(CLASSES, TRAIN // CLASSES))
    official = even and test.sha256["labels"] == OFFICIAL_TEST_LABELS
    name = "official split" if official else "rebuilt split, not the official one"
    hashes = [
        f"{part} {kind} {split.sha256[kind]}"
        for part, split in zip(PARTS, (train, test), strict=True)
        for kind in ("images", "labels")
    ]
    sizes = f"{len(train.labels):,} train, {len(test.labels):,} test"
    return f"EMNIST letters, {name} ({sizes}), SHA-256 of the unpacked files: {', '.join(hashes)}"
