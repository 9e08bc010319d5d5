"""Lines of a region that nobody described: found above a Shirley background, so that a person can judge them."""

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from relaxor.techniques.xps.levels import slug
from relaxor.techniques.xps.settings import XpsLine, XpsModel, XpsWindow
from relaxor.techniques.xps.spectrum import Spectrum

SMOOTH = 0.25
"""Standard deviation of the smoothing before lines are looked for (eV)."""
STANDS_OUT = 6.0
"""Least height of a line above its surroundings, in standard deviations of the smoothed counts."""
LEAST = 0.05
"""Least height of a line, relative to the highest one."""
APART = 0.7
"""Least distance of two lines (eV)."""
MOST = 6
"""Largest number of lines of a region."""
ENDS = 5
"""Number of points at each end that tell the background there."""
ROUNDS = 50


def found_window(spectrum: Spectrum, name: str, shift: float) -> tuple[XpsWindow, dict[str, XpsLine]] | None:
    """Return a window with the lines of a region, in descending order of energy; None if none stands out.

    Parameters
    ----------
    spectrum
        The region.
    name
        Name of the window, from which those of its lines and of its model are made.
    shift
        Measured minus true binding energy (eV).
    """
    order = np.argsort(spectrum.energy, kind="stable")
    energy, counts = spectrum.energy[order], spectrum.counts[order]
    places = energy[highest(energy, counts)] - shift
    if not places.size:
        return None
    lines = {
        f"peak {number} of {name}": XpsLine(
            position=float(place),
            lorentzian=(0.3, 0.3),
            free_lorentzian="shared",
            own_width=True,
            label=f"peak {number}",
        )
        for number, place in enumerate(sorted(places, reverse=True), start=1)
    }
    model = f"peaks_of_{slug(name)}"
    window = XpsWindow(
        low=float(energy[0]) - shift - 0.01,
        high=float(energy[-1]) - shift + 0.01,
        models={model: XpsModel(lines=list(lines))},
    )
    return window, lines


def highest(energy: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the places of the lines in ascending counts over energy, at most `MOST`, the highest first."""
    step = float(np.median(np.diff(energy)))
    if not step > 0:
        return np.array([], int)
    width = max(SMOOTH / step, 0.5)
    smooth = gaussian_filter1d(counts.astype(float), width, mode="nearest")
    noise = np.sqrt(np.maximum(smooth, 1.0) / (2 * np.sqrt(np.pi) * width))
    above = smooth - shirley(smooth)
    tops, found = find_peaks(above, prominence=0, distance=max(1, int(APART / step)))
    height = found["prominences"]
    if not tops.size:
        return tops
    seen = (height > STANDS_OUT * noise[tops]) & (height > LEAST * height.max())
    return tops[seen][np.argsort(-height[seen])][:MOST]


def shirley(counts: np.ndarray) -> np.ndarray:
    """Return the Shirley background between the ends of a spectrum over ascending energy; doi 10.1103/PhysRevB.5.4709.

    It rises with the area of the lines on its side of lower energy.
    """
    low, high = float(np.mean(counts[:ENDS])), float(np.mean(counts[-ENDS:]))
    background = np.linspace(low, high, counts.size)
    for _ in range(ROUNDS):
        area = np.cumsum(np.maximum(counts - background, 0.0))
        if not area[-1] > 0:
            break
        new = low + (high - low) * area / area[-1]
        if np.abs(new - background).max() < 1e-4 * max(np.ptp(counts), 1.0):
            break
        background = new
    return background
