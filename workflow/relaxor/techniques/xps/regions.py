"""Fit a narrow region of a photoelectron spectrum: constrained Voigt lines on a background fitted with them.

The background is *active*: it is computed from the lines of the model and adjusted together with them, so that its
uncertainty is part of that of the areas (Herrera-Gomez et al., doi 10.1002/sia.5453).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import lmfit
import numpy as np
from scipy.integrate import cumulative_trapezoid

from relaxor.core.results import Quantity
from relaxor.stats.fit import Fit, combination, fit, poisson_residual
from relaxor.stats.line_shapes import voigt, voigt_fwhm
from relaxor.techniques.xps.quantities import LOSSES
from relaxor.techniques.xps.settings import XpsLine

UNIVERSAL_C = 1643.0
"""eV², of Tougaard's universal loss function B·T/(C + T²)²; doi 10.1002/(SICI)1096-9918(199703)25:3<137."""
REACH = 4.0
"""Largest distance of a line from its expected place (eV), more than any chemical shift."""
MOMENTA = {"p": ("3/2", "1/2"), "d": ("5/2", "3/2"), "f": ("7/2", "5/2")}
"""Total angular momenta of the stronger and the weaker line of a doublet."""
DEGENERACY = {"p": 1 / 2, "d": 2 / 3, "f": 3 / 4}
"""Area of the weaker line over the stronger: ratio of 2j + 1."""


class Line(XpsLine):
    """A core level in a model: one line (s levels) or a spin–orbit doublet."""

    level: str
    """Its name: ``"Bi 4f"``; a suffix tells chemical states apart (``"C 1s C-O"``)."""

    @property
    def doublet(self) -> bool:
        """Whether the level is split."""
        return self.splitting > 0

    @property
    def slug(self) -> str:
        """Beginning of the names of its parameters in fits: ``bi_4f``."""
        return slug(self.level)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its lines: ``("Bi 4f7/2", "Bi 4f5/2")``."""
        if not self.doublet:
            return (self.level,)
        return tuple(f"{self.level}{momentum}" for momentum in MOMENTA[self.orbital])

    @property
    def element(self) -> str:
        """Chemical symbol."""
        return self.level.split()[0]

    @property
    def orbital(self) -> str:
        """``s``, ``p``, ``d`` or ``f``."""
        return self.level.split()[1][1]


def slug(name: str) -> str:
    """Turn the name of a level, ``"Bi 4f"``, into a name that parameters of fits may have, ``"bi_4f"``."""
    return "".join(letter if letter.isalnum() else "_" for letter in name.lower())


@dataclass(frozen=True)
class Region:
    """Counts of a region.

    Attributes
    ----------
    energy
        Measured binding energies (eV), ascending.
    counts
        Detected electrons per point.
    time
        Counting time per point (s).
    """

    energy: np.ndarray
    counts: np.ndarray
    time: float

    @classmethod
    def of(cls, energy: np.ndarray, counts: np.ndarray, time: float, low: float, high: float) -> "Region":
        """Take the points between two energies, sorted."""
        order = np.argsort(energy, kind="stable")
        order = order[(energy[order] >= low) & (energy[order] <= high)]
        return cls(energy[order], counts[order], time)

    @cached_property
    def losses(self) -> np.ndarray:
        """Tougaard's universal loss function between all points, times the step: (n, n), 1/eV² × eV."""
        loss = self.energy[:, None] - self.energy[None, :]
        kernel = np.where(loss > 0, loss / (UNIVERSAL_C + loss**2) ** 2, 0.0)
        return kernel * np.gradient(self.energy)


@dataclass(frozen=True)
class Model:
    """Lines and background that are to describe a region.

    ``background`` is ``"shirley"`` or ``"tougaard"``; ``polynomial`` the degree of the baseline beneath, made by
    electrons of other levels (2 where a broad Auger line lies under the region).
    """

    lines: tuple[Line, ...]
    background: str = "shirley"
    polynomial: int = 1

    @property
    def loss(self) -> Quantity:
        """What scales the background of scattered electrons; fits call their parameter so."""
        return LOSSES[self.background]

    def components(self, params: Mapping[str, float], energy: np.ndarray) -> np.ndarray:
        """Return the lines (counts/s), shape (lines, n), in the order of `names`."""
        found = []
        width = params["fwhm_gaussian"]
        for line in self.lines:
            name = line.slug
            area, position = params[f"{name}_area"], params[f"{name}_position"]
            if not line.doublet:
                found.append((area, position, params[f"{name}_lorentzian_1"]))
                continue
            ratio = params[f"{name}_area_ratio"]
            found.append((area / (1 + ratio), position, params[f"{name}_lorentzian_1"]))
            position = position + params[f"{name}_splitting"]
            found.append((area * ratio / (1 + ratio), position, params[f"{name}_lorentzian_2"]))
        areas, centers, widths = np.array(found).T[:, :, None]
        return areas * voigt(energy, 1.0, centers, width, widths)

    @property
    def names(self) -> list[str]:
        """Names of all lines."""
        return [name for line in self.lines for name in line.names]

    def baseline(self, params: Mapping[str, float], region: Region, signal: np.ndarray) -> np.ndarray:
        """Return the background (counts/s) under a signal, shape (n,)."""
        if self.background == "shirley":
            scattered = cumulative_trapezoid(signal, region.energy, initial=0.0)
        else:
            scattered = region.losses @ signal
        offset = region.energy - region.energy.mean()
        smooth = sum(params[f"baseline_{degree}"] * offset**degree for degree in range(self.polynomial + 1))
        return smooth + params[self.loss.name] * scattered

    def residual(self, params: lmfit.Parameters, region: Region) -> np.ndarray:
        """Return deviance residuals of the counts, then those of what is known beforehand."""
        values = params.valuesdict()
        signal = self.components(values, region.energy).sum(axis=0)
        rate = signal + self.baseline(values, region, signal)
        return np.concatenate([poisson_residual(region.counts, rate * region.time), self._priors(values)])

    def _priors(self, values: Mapping[str, float]) -> np.ndarray:
        found = []
        for line in self.lines:
            if not line.doublet:
                continue
            expected = DEGENERACY[line.orbital]
            found.append((values[f"{line.slug}_area_ratio"] / expected - 1) / line.ratio_freedom)
            if line.splitting_tolerance:
                found.append((values[f"{line.slug}_splitting"] - line.splitting) / line.splitting_tolerance)
        return np.array(found)

    def start(self, region: Region, shift: float) -> lmfit.Parameters:
        """Return start values: expected positions moved by ``shift`` (eV), areas by linear least squares."""
        params = lmfit.Parameters()
        params.add("fwhm_gaussian", value=0.9, min=0.05, max=6.0)
        expected = {line.level: line.position for line in self.lines}
        for line in self.lines:
            name = line.slug
            if line.follows is None:
                center = line.position + shift
                params.add(f"{name}_position", value=center, min=center - REACH, max=center + REACH)
            else:
                distance = line.position - expected[line.follows]
                params.add(f"{name}_position", expr=f"{slug(line.follows)}_position + ({distance!r})")
            params.add(f"{name}_area", value=1.0)
            self._add_widths(params, line)
            if line.doublet:
                params.add(f"{name}_area_ratio", value=DEGENERACY[line.orbital], min=0.0, max=2.0)
                fixed = line.splitting_tolerance == 0
                bounds = {} if fixed else {"min": line.splitting / 2, "max": line.splitting * 2}
                params.add(f"{name}_splitting", value=line.splitting, vary=not fixed, **bounds)
        params.add(self.loss.name, value=0.03 if self.background == "shirley" else 500.0)
        for degree in range(self.polynomial + 1):
            params.add(f"baseline_{degree}", value=1.0)
        self._guess_areas(params, region)
        return params

    @staticmethod
    def _add_widths(params: lmfit.Parameters, line: Line) -> None:
        name, free = line.slug, line.free_lorentzian
        bounds = {"min": 0.0, "max": 15.0} if free != "none" else {}
        params.add(f"{name}_lorentzian_1", value=line.lorentzian[0], vary=free != "none", **bounds)
        if line.doublet and free == "shared":
            params.add(f"{name}_lorentzian_2", expr=f"{name}_lorentzian_1")
        elif line.doublet:
            params.add(f"{name}_lorentzian_2", value=line.lorentzian[1], vary=free == "each", **bounds)

    def _guess_areas(self, params: lmfit.Parameters, region: Region) -> None:
        """Set areas and baseline to the linear least-squares solution with all else at its start."""
        unit = self.components(params.valuesdict(), region.energy)
        columns, row = [], 0
        for line in self.lines:
            shape = unit[row : row + len(line.names)].sum(axis=0)
            columns.append(
                shape + params[self.loss.name].value * cumulative_trapezoid(shape, region.energy, initial=0.0)
            )
            row += len(line.names)
        offset = region.energy - region.energy.mean()
        columns += [offset**degree for degree in range(self.polynomial + 1)]
        rate = region.counts / region.time
        solution = np.linalg.lstsq(np.stack(columns, axis=1), rate, rcond=None)[0]
        floor = 0.01 * max(float(np.ptp(rate)), 1e-6)
        for line, area in zip(self.lines, solution, strict=False):
            params[f"{line.slug}_area"].value = max(area, floor)
        for degree in range(self.polynomial + 1):
            params[f"baseline_{degree}"].value = solution[len(self.lines) + degree]


@dataclass(frozen=True)
class RegionFit:
    """A model fitted to a region."""

    model: Model
    region: Region
    fit: Fit

    @cached_property
    def components(self) -> dict[str, np.ndarray]:
        """Lines without background (counts/s) by name."""
        values = self.fit.params.valuesdict()
        shapes = self.model.components(values, self.region.energy)
        return dict(zip(self.model.names, shapes, strict=True))

    @cached_property
    def background(self) -> np.ndarray:
        """Background (counts/s)."""
        signal = sum(self.components.values())
        return self.model.baseline(self.fit.params.valuesdict(), self.region, np.asarray(signal))

    @property
    def curve(self) -> np.ndarray:
        """Fitted rate (counts/s)."""
        return self.background + sum(self.components.values())

    @property
    def residual(self) -> np.ndarray:
        """Signed deviance residuals of the counts."""
        return self.fit.residual[: len(self.region.counts)]

    def width(self, line: Line, member: int) -> tuple[float, float]:
        """Return full width at half maximum of a line and its standard error (eV)."""
        names = ("fwhm_gaussian", f"{line.slug}_lorentzian_{member}")
        if member == 2 and line.free_lorentzian == "shared":
            names = (names[0], f"{line.slug}_lorentzian_1")
        center = [self.fit.value(name) for name in names]
        gradient = {}
        for place, name in enumerate(names):
            up, down = list(center), list(center)
            up[place], down[place] = center[place] + 1e-5, max(center[place] - 1e-5, 0.0)
            gradient[name] = (voigt_fwhm(*up) - voigt_fwhm(*down)) / (up[place] - down[place])
        return voigt_fwhm(*center), combination(self.fit, gradient)

    def position(self, line: Line, member: int) -> tuple[float, float]:
        """Return the measured binding energy of a line and its standard error (eV)."""
        leader = slug(line.follows) if line.follows else line.slug
        gradient = {f"{leader}_position": 1.0}
        value = self.fit.value(f"{line.slug}_position")
        if member == 2:
            value += self.fit.value(f"{line.slug}_splitting")
            gradient[f"{line.slug}_splitting"] = 1.0
        return value, combination(self.fit, gradient)


def fit_region(region: Region, model: Model, shift: float = 0.0) -> RegionFit:
    """Fit a model to a region by maximum likelihood of its Poisson counts.

    Parameters
    ----------
    region
        Counts over ascending binding energy, at least twice as many points as parameters.
    model
        Lines and background.
    shift
        Where to look for the lines: measured minus expected binding energy (eV).
    """
    params = model.start(region, shift)
    return RegionFit(model, region, fit(model.residual, params, args=(region,), absolute_sigma=True))


def with_splitting(lines: Sequence[Line], splitting: Mapping[str, float | None]) -> tuple[Line, ...]:
    """Return the lines with the splitting of some fixed to a value, or freed (None)."""
    changes = {
        line.level: {
            "splitting": splitting[line.level] or line.splitting,
            "splitting_tolerance": None if splitting[line.level] is None else 0.0,
        }
        for line in lines
        if line.level in splitting
    }
    return tuple(line.model_copy(update=changes.get(line.level)) for line in lines)
