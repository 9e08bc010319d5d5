"""Give lines their indices and names: 00l lines of a layered crystal, lines of phases, and lines of Kβ and W Lα."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from relaxor.techniques.structure.analysis import name_of
from relaxor.techniques.xrd.lattice import index_basal
from relaxor.techniques.xrd.lines import Line, LineFit
from relaxor.techniques.xrd.pattern import Pattern
from relaxor.techniques.xrd.powder import Lattice, index_lines
from relaxor.techniques.xrd.radiation import W_LALPHA, Tube
from relaxor.techniques.xrd.settings import XrdSettings

FOREIGN = {"kbeta": 0.2, "w_lalpha": 0.05}
"""Lines of other wavelengths by name, and the largest area that they can have relative to their Kα line."""
FOREIGN_TOLERANCE = 0.05
"""Largest distance (degree 2θ) of a line from where the planes of its Kα line reflect the other wavelength."""


@dataclass(frozen=True)
class Label:
    """Name of a line, its Miller indices (empty if it has none) and its phase."""

    name: str
    hkl: tuple[int, ...] = ()
    phase: str = ""


def named(fits: Sequence[LineFit], pattern: Pattern, settings: XrdSettings, phases: Sequence[Lattice]) -> list[Line]:
    """Index and name the lines of all windows."""
    places = [(window, place) for window, fitted in enumerate(fits) for place in range(fitted.lines)]
    centers, areas = (
        np.array([fits[window].fit.value(f"{name}_{place}") for window, place in places]) for name in ("center", "area")
    )
    errors = np.array([fits[window].fit.error(f"center_{place}") for window, place in places])
    labels = _basal_labels(centers, areas, pattern.tube, settings)
    for phase in phases:
        free = np.array([line for line in range(len(places)) if line not in labels and errors[line] > 0], dtype=int)
        labels |= _phase_labels(phase, free, centers, errors, areas, pattern)
    for line, (kind, parent) in foreign_lines(pattern.tube, centers, areas).items():
        of = labels[parent].name if parent in labels else f"{centers[parent]:.2f}"
        labels.setdefault(line, Label(f"{kind}_of_{of}"))
    return [
        Line(fits[window], place, window, label.name, label.hkl, label.phase)
        for line, (window, place) in enumerate(places)
        for label in [labels.get(line, Label(f"at_{centers[line]:.2f}"))]
    ]


def _basal_labels(centers: np.ndarray, areas: np.ndarray, tube: Tube, settings: XrdSettings) -> dict[int, Label]:
    """Index the lines of a layered crystal. Where several would have the same index, the strongest has it."""
    if not (cell := settings.published):
        return {}
    indices = index_basal(centers, cell, tube, settings.index_tolerance)
    strongest = {int(indices[line]): int(line) for line in np.argsort(areas) if indices[line]}
    return {line: Label(name_of((0, 0, index)), (0, 0, index)) for index, line in strongest.items()}


def _phase_labels(
    phase: Lattice, free: np.ndarray, centers: np.ndarray, errors: np.ndarray, areas: np.ndarray, pattern: Pattern
) -> dict[int, Label]:
    """Index those of the lines ``free`` that belong to a phase."""
    if not free.size:
        return {}
    places, found = index_lines(phase, centers[free], errors[free], areas[free], pattern.tube.alpha1, pattern.radius)
    hkl = [tuple(int(index) for index in each) for each in found.hkl[: len(places)]]
    plain = {
        each: name_of(each) if all(0 <= index < 10 for index in each) else " ".join(map(str, each)) for each in hkl
    }
    return {
        int(free[place]): Label(f"{phase.name} {plain[each]}", each, phase.name)
        for place, each in zip(places, hkl, strict=True)
    }


def foreign_lines(tube: Tube, centers: np.ndarray, areas: np.ndarray) -> dict[int, tuple[str, int]]:
    """Find the lines of Kβ and of W Lα: place of the line → key of `FOREIGN` and place of its Kα line.

    Parameters
    ----------
    tube
        Wavelengths.
    centers, areas
        Positions (degree) and areas of all lines, shape (n,).
    """
    found: dict[int, tuple[str, int]] = {}
    if not tube.ratio:  # behind a monochromator there is one wavelength
        return found
    for kind, wavelength in (("kbeta", tube.beta), ("w_lalpha", W_LALPHA)):
        if not 0.8 < wavelength / tube.alpha1 < 1.0:
            continue
        places = tube.seen_at(centers, wavelength)
        for parent in np.argsort(-areas):
            weak = (areas < FOREIGN[kind] * areas[parent]) & (np.abs(centers - places[parent]) < FOREIGN_TOLERANCE)
            found |= {int(line): (kind, int(parent)) for line in np.flatnonzero(weak) if int(line) not in found}
    return found
