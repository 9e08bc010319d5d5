"""What a spectrum shows that its Voigt lines do not: lines that nobody listed, asymmetric lines, and fringes.

Only a fit that misses its data is examined. Lines that nobody listed are added with a name. Asymmetric lines are a
model of their own. Fringes, and single points that no line explains, are said.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import lmfit
import numpy as np
from scipy import stats

from relaxor.core.results import Adequacy, Status
from relaxor.stats.fit import Fit
from relaxor.stats.line_shapes import voigt_fwhm
from relaxor.stats.noise import mad_noise
from relaxor.techniques.raman.lines import (
    CHANCE,
    SEARCH,
    START_FWHM,
    LineModel,
    criterion,
    fit_lines,
    further_areas,
)

PARAMETERS = ("area", "center", "fwhm")
"""Parameters of a Voigt line."""
UNLISTED = "line_"
"""The name of a line that nobody listed is this and its place."""
MOST_UNLISTED = 3
"""Most lines that are added to one fit."""
CLEARLY = 10.0
"""Akaike's criterion must fall by so much for a further line, and for asymmetric lines."""
OUTLIER = 6.0
"""Standard deviations of a single point from the fit that noise does not explain."""
CYCLES = 5
"""Fewest periods of fringes in the window; a baseline follows longer ones."""
BLOCKS = 3
"""Parts of the window in all of which fringes are seen with one phase."""


@dataclass(frozen=True)
class Solved:
    """A fit of lines, as `relaxor.techniques.raman.lines.fit_lines` returns it."""

    fit: Fit
    model: LineModel
    sigma: np.ndarray

    @property
    def criterion(self) -> float:
        """Akaike's criterion, infinite if the search did not converge."""
        return criterion(self.fit, self.sigma) if self.fit.converged else np.inf

    def said(self, words: str) -> "Solved":
        """Return the fit with one more reason why it misses the data."""
        adequacy = self.fit.adequacy.joined(Adequacy(Status.MISFIT, 1.0, words))
        return replace(self, fit=replace(self.fit, adequacy=adequacy))


@dataclass(frozen=True)
class Points:
    """The points of a fit: ``shift``, ``spectrum`` and ``noise`` as `fit_lines` takes them, and its other arguments."""

    shift: np.ndarray
    spectrum: np.ndarray
    noise: np.ndarray
    gaussian_fwhm: float
    degree: int

    def fitted(self, known: lmfit.Parameters, names: Collection[str], asymmetric: Collection[str] = ()) -> Solved:
        """Fit lines from known parameters."""
        centers = {name: known[f"{name}_center"].value for name in names}
        points = self.shift, self.spectrum, self.noise
        return Solved(*fit_lines(*points, centers, self.gaussian_fwhm, self.degree, asymmetric, known))


def examined(solved: Solved, points: Points, symmetric: Collection[str]) -> tuple[Solved, Solved | None]:
    """Return a fit with the lines that it lacks and what it misses, and asymmetric lines if they are clearly better.

    Parameters
    ----------
    solved, points
        A fit, and its points.
    symmetric
        Names of lines that are not asymmetric: those of the substrate.
    """
    if solved.fit.adequacy.status != Status.MISFIT and not outlier(solved):
        return solved, None
    if period := fringes(solved, points.shift):
        return solved.said(f"interference fringes (etalon) with a period of {period:.3g} 1/cm"), None
    names = solved.model.lines
    fano = points.fitted(solved.fit.params, names, [name for name in names if name not in symmetric])
    if fano.fit.adequacy.status == Status.OK and fano.criterion < solved.criterion - CLEARLY:
        return solved.said("misfit: asymmetric lines (model fano) describe the data"), fano
    full = with_unlisted(solved, points)
    if far := outlier(full):
        full = full.said(f"misfit: a point lies {far:.2g} standard deviations from the fit (a cosmic ray or a line)")
    return full, None


def outlier(solved: Solved) -> float:
    """Return the largest deviation of a point in standard deviations if noise does not explain it, and otherwise 0."""
    deviations = np.abs(solved.fit.residual)
    largest = float(deviations.max() / max(float(mad_noise(solved.fit.residual)), 1e-12))
    return largest if largest > OUTLIER else 0.0


def with_unlisted(solved: Solved, points: Points) -> Solved:
    """Add the lines that stand out of the residuals as long as the criterion falls clearly."""
    for _ in range(MOST_UNLISTED):
        if solved.fit.adequacy.status != Status.MISFIT and not outlier(solved):
            return solved
        place = _highest(solved, points)
        if not place:
            return solved
        name = f"{UNLISTED}{place[0]:.0f}"
        if name in solved.model.lines:
            return solved
        known = solved.fit.params.copy()
        known.add(f"{name}_center", place[0])
        known.add(f"{name}_area", place[1])
        known.add(f"{name}_fwhm", START_FWHM)
        names = sorted({*solved.model.lines, name}, key=lambda each: known[f"{each}_center"].value)
        further = points.fitted(known, names)
        area, error, judgement = further.fit.judged(f"{name}_area")
        unclear = further.criterion > solved.criterion - CLEARLY or area < 3 * error
        if unclear or judgement.status == Status.AT_BOUND or not _apart(further, name):
            return solved
        solved = further
    return solved


def with_nearest_names(solved: Solved, points: Points, expected: Mapping[str, float]) -> Solved:
    """Give the name of an expected line to a line that was added to the fit if that is nearer to the expected place."""
    known = solved.fit.params.copy()
    for added in (name for name in solved.model.lines if name not in expected):
        places = {name: solved.fit.value(f"{name}_center") for name in solved.model.lines}
        for name in expected.keys() & places.keys():
            if abs(places[added] - expected[name]) < abs(places[name] - expected[name]):
                for key in PARAMETERS:
                    one, other = known[f"{name}_{key}"], known[f"{added}_{key}"]
                    one.value, other.value = other.value, one.value
                return points.fitted(known, solved.model.lines)
    return solved


def beside_unlisted(solved: Solved, share: float = 0.0) -> set[str]:
    """Return the names of lines beside which the fit needed one that nobody listed.

    Parameters
    ----------
    solved
        A fit.
    share
        Area of the other line, as a fraction of that of the line, above which it counts.
    """
    added = [name for name in solved.model.lines if name.startswith(UNLISTED)]
    found = set()
    for name in solved.model.lines:
        for other in added:
            near = abs(solved.fit.value(f"{name}_center") - solved.fit.value(f"{other}_center")) < SEARCH
            large = solved.fit.value(f"{other}_area") > share * solved.fit.value(f"{name}_area")
            found |= {name} if name not in added and near and large else set()
    return found


def _highest(solved: Solved, points: Points) -> tuple[float, float] | None:
    """Return place and area of the line that stands out most between the others, or nothing if noise explains it."""
    apart = np.ones(points.shift.size, dtype=bool)
    for name in solved.model.lines:  # nearer than half a width, a misfit is one of the shape
        apart &= np.abs(points.shift - solved.fit.value(f"{name}_center")) > _half_width(solved, name)
    places = points.shift[apart]
    if not places.size or not solved.fit.converged:
        return None
    areas, errors = further_areas(solved.fit, solved.model, points.spectrum, solved.sigma, places)
    best = int(np.argmax(areas / errors))
    stands_out = areas[best] > stats.norm.isf(CHANCE / places.size) * errors[best]
    return (float(places[best]), float(areas[best])) if stands_out else None


def _half_width(solved: Solved, name: str) -> float:
    return voigt_fwhm(solved.model.gaussian_fwhm, solved.fit.value(f"{name}_fwhm")) / 2


def _apart(solved: Solved, name: str) -> bool:
    """Return whether a line is further from all others than half their width and half its own."""
    places = {each: solved.fit.value(f"{each}_center") for each in solved.model.lines}
    return all(
        abs(place - places[name]) > max(_half_width(solved, each), _half_width(solved, name))
        for each, place in places.items()
        if each != name
    )


def fringes(solved: Solved, shift: np.ndarray) -> float:
    """Return the period of fringes in the residuals in 1/cm, and 0 where there are none.

    Residuals of one frequency that noise does not explain are fringes if every part of the window shows them with one
    phase; those of lines are near the lines.
    """
    residual = solved.fit.residual / max(float(np.std(solved.fit.residual)), 1e-12)
    span = float(np.ptp(shift))
    frequencies = np.arange(CYCLES, shift.size // 4, 0.25) / span
    waves = np.exp(-2j * np.pi * np.outer(frequencies, shift - shift[0]))
    if not frequencies.size:
        return 0.0
    found = int(np.argmax(np.abs(waves @ residual)))
    phase = waves[found] * np.exp(-1j * np.angle(waves[found] @ residual))
    parts = [part.sum().real / np.sqrt(part.size / 2) for part in np.array_split(phase * residual, BLOCKS)]
    return float(1 / frequencies[found]) if min(parts) > stats.norm.isf(CHANCE / frequencies.size) / 1.5 else 0.0
