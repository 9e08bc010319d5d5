"""The letters to be inpainted: EMNIST where its files are present, otherwise letters drawn by code.

`Letters.source` states which, so that no result on one kind can be mistaken for a result on the other.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.storage import save_tree
from relaxor.inpainting.idx import PARTS, Split, read_split
from relaxor.inpainting.images import CLASSES
from relaxor.inpainting.procedural import draw_letters

TRAIN, TEST = 124_800, 20_800
"""Numbers of images of the official split, equal in all classes."""
OFFICIAL_TEST_LABELS = "22dbcde0a929a7f166bdac863b9195b2994d840a1e082f8f6daaeac5606376a6"
"""SHA-256 of the official test labels, unpacked."""
SEED = 0


@dataclass(frozen=True)
class Letters:
    """Images of letters and what they are.

    Attributes
    ----------
    images_train, images_test
        uint8, upright, ink = 255, shape (n, 28, 28).
    labels_train, labels_test
        0 = A … 25 = Z, shape (n,).
    source
        Where they come from, in words.
    origin
        ``measured``: written by hand; ``simulated``: drawn by code.
    """

    images_train: np.ndarray
    labels_train: np.ndarray
    images_test: np.ndarray
    labels_test: np.ndarray
    source: str
    origin: str

    @property
    def sha256(self) -> str:
        """Hash of images and labels."""
        digest = hashlib.sha256()
        for values in (self.images_train, self.labels_train, self.images_test, self.labels_test):
            digest.update(np.ascontiguousarray(values, np.uint8).data)
        return digest.hexdigest()


def prepare_letters(files: Sequence[str], letters: str, *, train: int, test: int) -> None:
    """Write the letters that all later steps read.

    Parameters
    ----------
    files
        From `relaxor.inpainting.idx.letter_files`.
    letters
        netCDF file to write: groups ``train`` and ``test`` with ``image`` (uint8) and ``label``.
    train, test
        Numbers of letters that are drawn where there are no files.

    Raises
    ------
    ReadError
        If a file is damaged, or not what its name says.
    """
    found = read_letters(files) if files else drawn_letters(train=train, test=test)
    groups = {}
    for part in PARTS:
        images, labels = getattr(found, f"images_{part}"), getattr(found, f"labels_{part}")
        groups[part] = xr.Dataset(
            {
                "image": (("letter", "y", "x"), images, {"units": "1", "long_name": "ink, 0 to 255"}),
                "label": ("letter", labels.astype(np.uint8), {"units": "1", "long_name": "letter, 0 = A"}),
            }
        )
    save_tree(letters, groups, source=found.source, origin=found.origin)


def load_letters(path: Path | str) -> Letters:
    """Load what `prepare_letters` wrote.

    Raises
    ------
    ReadError
        If the file is none of these.
    """
    try:
        tree = xr.open_datatree(path, engine="h5netcdf")
        with tree:
            train, train_labels, test, test_labels = (
                tree[part][name].to_numpy() for part in PARTS for name in ("image", "label")
            )
            return Letters(train, train_labels, test, test_labels, tree.attrs["source"], tree.attrs["origin"])
    except (OSError, KeyError, ValueError) as error:
        raise ReadError(path, f"holds no letters: {' '.join(str(error).split())}") from None


def read_letters(files: Sequence[str]) -> Letters:
    """Read the four idx files of EMNIST; arguments and errors as `prepare_letters`."""
    train, test = (read_split(Path(files[at]), Path(files[at + 1])) for at in (0, 2))
    return Letters(train.images, train.labels, test.images, test.labels, _source(train, test), "measured")


def drawn_letters(seed: int = SEED, train: int = TRAIN, test: int = TEST) -> Letters:
    """Draw letters by code.

    Parameters
    ----------
    seed
        The same one gives the same letters.
    train, test
        Numbers of letters of each part; fewer letters are the first of more.
    """
    images_train, labels_train = draw_letters(train, seed, 0)
    images_test, labels_test = draw_letters(test, seed, 1)
    source = f"letters drawn by code, not EMNIST (seed {seed}, {train:,} train, {test:,} test)"
    return Letters(images_train, labels_train, images_test, labels_test, source, "simulated")


def _source(train: Split, test: Split) -> str:
    """Name the split; the official one has known test labels, and equally many of each letter to train with."""
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
