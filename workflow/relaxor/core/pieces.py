"""What stays in its file and is read in pieces, so that any number and size of measurements needs little memory."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

LARGE = 16 << 20
"""Bytes from which on an array stays in its file."""
PIECE = 32 << 20
"""Most bytes that are read or written at once, unless one entry of the first dimension is larger."""
Lazy = indexing.LazilyIndexedArray
"""Data of a variable that stay in their file."""
Key = tuple[int | slice, ...]
Part = TypeVar("Part")


@dataclass(frozen=True)
class Parts(Mapping[str, Part], Generic[Part]):
    """Parts of a file by name, each of which is made when it is asked for, and not kept.

    Attributes
    ----------
    names
        Names of the parts, in their order in the file.
    part
        Makes a part.
    """

    names: Sequence[str]
    part: Callable[[str], Part]

    def __getitem__(self, name: str) -> Part:
        if name not in self.names:
            raise KeyError(name)
        return self.part(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


class _Stored(BackendArray):
    """An array in a file, see `stored`."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any], read: Callable[[Key], np.ndarray]):
        self.shape, self.dtype, self.read = shape, np.dtype(dtype), read

    def __getitem__(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        """Read the part that xarray asks for."""
        found: np.ndarray = indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.BASIC, self.read
        )
        return found


def stored(shape: tuple[int, ...], dtype: np.dtype[Any], read: Callable[[Key], np.ndarray]) -> Any:
    """Return an array in a file as the data of a variable, which reads it anew at every access.

    Parameters
    ----------
    shape, dtype
        Those of the array.
    read
        Returns the part of the array that a key names; opens the file and closes it again. It can be pickled.
    """
    return Lazy(_Stored(shape, dtype, read))


def slices(variable: xr.Variable) -> Iterator[slice]:
    """Yield slices of the first dimension of a variable, each of at most `PIECE` bytes."""
    count = max(int(PIECE * variable.shape[0] // max(variable.nbytes, 1)), 1)
    for start in range(0, variable.shape[0], count):
        yield slice(start, start + count)
