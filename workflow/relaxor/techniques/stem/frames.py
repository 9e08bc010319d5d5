"""Series of frames of one place: shifted onto each other and averaged, one frame at a time."""

import numpy as np
import scipy.fft
import xarray as xr

REACH = 6
"""Pixels from frame to frame within which a shift is sought: half of the smallest cell, so that no frame is moved onto
the cell beside its own."""


class DriftError(ValueError):
    """Frames move too far from one to the next."""


def mean_of(frames: xr.DataArray) -> tuple[np.ndarray, np.ndarray]:
    """Average the frames of a place that drifted.

    Every frame is shifted by whole pixels onto the mean of those before it, by the maximum of their cross-correlation
    near the shift of the frame before.

    Parameters
    ----------
    frames
        Shape (frame, y, x); one frame at a time is read.

    Returns
    -------
    image
        The mean of the part of the place that all frames show, shape (y', x').
    shifts
        By how many pixels each frame was shifted, shape (frame, 2).

    Raises
    ------
    DriftError
        If a frame moved by `REACH` pixels or more from the one before it.
    """
    size = frames.shape[1:]
    window = np.outer(*(np.hanning(length) for length in size))
    total = np.zeros(size)
    shifts = np.zeros((len(frames), 2), dtype=int)
    for index in range(len(frames)):
        frame = frames[index].to_numpy().astype(float)
        if index:
            shifts[index] = _shift(_spectrum(total, window), _spectrum(frame, window), shifts[index - 1])
            if np.abs(shifts[index] - shifts[index - 1]).max() == REACH:
                raise DriftError(
                    f"frame {index + 1} moved by {REACH} pixels or more from the one before; take shorter frames"
                )
        total += np.roll(frame, shifts[index], (0, 1))
    (top, left), (bottom, right) = np.maximum(shifts, 0).max(axis=0), np.minimum(shifts, 0).min(axis=0)
    return total[top : size[0] + bottom, left : size[1] + right] / len(frames), shifts


def _spectrum(image: np.ndarray, window: np.ndarray) -> np.ndarray:
    spectrum: np.ndarray = scipy.fft.rfft2((image - image.mean()) * window)
    return spectrum


def _shift(reference: np.ndarray, frame: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return the shift that moves a frame onto a reference, within `REACH` of the one before it."""
    correlation = scipy.fft.irfft2(reference * frame.conj())
    rows, columns = (np.arange(place - REACH, place + REACH + 1) for place in before)
    near = correlation[np.ix_(rows % correlation.shape[0], columns % correlation.shape[1])]
    row, column = np.unravel_index(int(near.argmax()), near.shape)
    return np.array([rows[row], columns[column]])
