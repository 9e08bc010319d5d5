"""The model of a narrow region of a photoelectron spectrum: constrained lines on a background fitted with them.

The background is *active*: it is computed from the lines of the model and adjusted together with them, so that its
uncertainty is part of that of the areas (Herrera-Gomez et al., doi 10.1002/sia.5453). It is that of Shirley (doi
10.1103/PhysRevB.5.4709) or of Tougaard. Areas and strengths of the background are never negative.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import lmfit
import numpy as np
from scipy.integrate import cumulative_trapezoid
from scipy.interpolate import CubicSpline

from relaxor.core.results import Quantity
from relaxor.stats.fit import poisson_residual
from relaxor.stats.line_shapes import (
    doniach_sunjic,
    gaussian_lorentzian_product,
    pseudo_voigt,
    voigt,
    voigt_fwhm,
)
from relaxor.techniques.xps import quantities as q
from relaxor.techniques.xps.levels import DEGENERACY, Line

UNIVERSAL_C = 1643.0
"""eV², of Tougaard's universal loss function B·T/(C + T²)²; doi 10.1002/(SICI)1096-9918(199703)25:3<137."""
REACH = 4.0
"""Largest distance of a line from its expected place (eV), more than any chemical shift."""


def _doniach_sunjic(energy: np.ndarray, *numbers: Any) -> np.ndarray:
    """Return Doniach–Šunjić lines at any ascending energies; between those of equal steps they are interpolated.

    Doniach & Šunjić, doi 10.1088/0022-3719/3/2/010.
    """
    steps = np.diff(energy)
    if np.ptp(steps) < 0.01 * steps.mean():
        return doniach_sunjic(energy, *numbers)
    points = min(8192, math.ceil((energy[-1] - energy[0]) / max(float(np.median(steps)) / 2, 1e-3)) + 1)
    even = np.linspace(energy[0], energy[-1], points)
    return np.asarray(CubicSpline(even, doniach_sunjic(even, *numbers), axis=-1)(energy))


METAL = "doniach_sunjic"
SHAPES: dict[str, Callable[..., np.ndarray]] = {
    "voigt": voigt,
    "gl": gaussian_lorentzian_product,
    "sgl": pseudo_voigt,
    "doniach_sunjic": _doniach_sunjic,
}
"""Shapes of lines. ``gl`` and ``sgl`` have a width and a share of the Lorentzian, the others two widths."""
MIXED = ("gl", "sgl")
FLOOR = 0.02
"""Expected counts, relative to the counts, below which deviances go on as a straight line."""
LARGEST_MIXING = 0.95
"""The area of GL lines has an infinite slope at 1."""
STEP = 1e-4
"""Step of derivatives by the numbers of a line (eV or 1)."""
Entry = tuple[float, dict[str, float]]
"""A number of a line, and its derivatives by the parameters of the fit."""
Near = tuple["Model", Mapping[str, float]]
"""A model of the same lines with another shape or background, and its fitted parameters."""


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
    def even(self) -> bool:
        """Whether the energies have equal steps."""
        steps = np.diff(self.energy)
        return bool(np.ptp(steps) < 0.01 * steps.mean())

    @cached_property
    def losses(self) -> np.ndarray:
        """Tougaard's universal loss function between all points, times the step: (n, n), 1/eV² × eV."""
        loss = self.energy[:, None] - self.energy[None, :]
        kernel = np.where(loss > 0, loss / (UNIVERSAL_C + loss**2) ** 2, 0.0)
        return kernel * np.gradient(self.energy)


@dataclass(frozen=True)
class Model:
    """Lines and background that are to describe a region.

    ``background`` is ``"shirley"`` or ``"tougaard"``, ``shape`` one of `SHAPES`; ``polynomial`` is the degree of the
    baseline beneath, made by electrons of other levels (2 where a broad Auger line lies under the region).
    """

    lines: tuple[Line, ...]
    background: str = "shirley"
    polynomial: int = 1
    shape: str = "voigt"

    @property
    def loss(self) -> Quantity:
        """What scales the background of scattered electrons; fits call their parameter so."""
        return q.LOSSES[self.background]

    @property
    def names(self) -> list[str]:
        """Names of all lines."""
        return [name for line in self.lines for name in line.names]

    def widths(self, line: Line, member: int) -> tuple[str, str]:
        """Return the parameters of the Gaussian and the Lorentzian width of a line."""
        second = 1 if line.free_lorentzian == "shared" else member
        gaussian = f"{line.slug}_gaussian" if line.own_width else "fwhm_gaussian"
        return gaussian, f"{line.slug}_lorentzian_{second}"

    def shape_numbers(self, values: Mapping[str, float], line: Line, member: int) -> list[Entry]:
        """Return what gives a line its shape, after area and center.

        These are both widths and, of metals, the asymmetry; or one width and the share of the Lorentzian, which all
        lines of a window have in common. A width is free where the lifetime width is, and includes it otherwise.
        """
        gaussian, lorentzian = self.widths(line, member)
        if self.shape not in MIXED:
            third: list[Entry] = []
            if self.shape == METAL:
                name = self.asymmetry(line)
                third = [(values[name], {name: 1.0}) if name else (0.0, {})]
            return [(values[name], {name: 1.0}) for name in (gaussian, lorentzian)] + third
        mixing = values["mixing"], {"mixing": 1.0}
        own = self.own_fwhm(line, member)
        if own:
            return [(values[own], {own: 1.0}), mixing]
        lifetime = line.lorentzian[member - 1]
        width = voigt_fwhm(values[gaussian], lifetime)
        slope = (voigt_fwhm(values[gaussian] + STEP, lifetime) - width) / STEP
        return [(width, {gaussian: slope}), mixing]

    @property
    def metallic(self) -> bool:
        """Whether some lines are named as those of a metal; the other ones are symmetric then."""
        return any(line.asymmetry > 0 for line in self.lines)

    def asymmetry(self, line: Line) -> str:
        """Return the parameter of the asymmetry of a Doniach–Šunjić line; empty for a symmetric one.

        Where no line is named as that of a metal, all lines of the window have one asymmetry in common.
        """
        if not self.metallic:
            return "asymmetry"
        return f"{line.slug}_asymmetry" if line.asymmetry > 0 else ""

    def own_fwhm(self, line: Line, member: int) -> str:
        """Return the parameter of the whole width of a GL or SGL line, if it has one."""
        if self.shape not in MIXED or line.free_lorentzian == "none":
            return ""
        return f"{line.slug}_fwhm_{member if line.free_lorentzian == 'each' else 1}"

    def entries(self, values: Mapping[str, float]) -> list[list[Entry]]:
        """Return area, center and what gives it its shape for each line."""
        found = []
        for line in self.lines:
            name, area = line.slug, values[f"{line.slug}_area"]
            ratio = values[f"{name}_area_ratio"] if line.doublet else 0.0
            for member, _ in enumerate(line.names, start=1):
                share = (1 if member == 1 else ratio) / (1 + ratio)
                slopes = {f"{name}_area": share}
                if line.doublet:
                    slopes[f"{name}_area_ratio"] = (-area if member == 1 else area) / (1 + ratio) ** 2
                row = [(area * share, slopes), self._center(values, line, member)]
                row += self.shape_numbers(values, line, member)
                found.append(row)
        return found

    def _center(self, values: Mapping[str, float], line: Line, member: int) -> Entry:
        leader = next(other for other in self.lines if other.level == (line.follows or line.level))
        slopes = {f"{leader.slug}_position": 1.0}
        value = values[f"{leader.slug}_position"] + line.position - leader.position
        if member == 2:
            slopes[f"{line.slug}_splitting"] = 1.0
            value += values[f"{line.slug}_splitting"]
        return value, slopes

    def components(self, params: Mapping[str, float], energy: np.ndarray) -> np.ndarray:
        """Return the lines (counts/s), shape (lines, n), in the order of `names`."""
        area, *numbers = _table(self.entries(params))
        return area * SHAPES[self.shape](energy, 1.0, *numbers)

    def scattered(self, region: Region, signal: np.ndarray) -> np.ndarray:
        """Return what electrons of some lines give to the background at unit strength; shape (…, n)."""
        if self.background == "shirley":
            return np.asarray(cumulative_trapezoid(signal, region.energy, initial=0.0, axis=-1))
        return signal @ region.losses.T

    def baseline(self, params: Mapping[str, float], region: Region, signal: np.ndarray) -> np.ndarray:
        """Return the background (counts/s) under a signal, shape (n,)."""
        degrees = [params[f"baseline_{degree}"] for degree in range(self.polynomial + 1)]
        return degrees @ self._powers(region) + params[self.loss.name] * self.scattered(region, signal)

    def _powers(self, region: Region) -> np.ndarray:
        offset = region.energy - region.energy.mean()
        return offset ** np.arange(self.polynomial + 1)[:, None]

    def rate(self, values: Mapping[str, float], region: Region) -> np.ndarray:
        """Return the expected rate (counts/s), shape (n,)."""
        signal = self.components(values, region.energy).sum(axis=0)
        return signal + self.baseline(values, region, signal)

    def residual(self, params: lmfit.Parameters, region: Region) -> np.ndarray:
        """Return deviance residuals of the counts, then those of what is known beforehand."""
        values = params.valuesdict()
        deviation, _ = _deviance(region.counts, self.rate(values, region) * region.time)
        return np.concatenate([deviation, [(values[name] - known) / error for name, known, error in self._priors]])

    def jacobian(self, params: lmfit.Parameters, region: Region) -> np.ndarray:
        """Return the derivatives of `residual` by the varying parameters, shape (n, k)."""
        values = params.valuesdict()
        varying = [name for name, parameter in params.items() if parameter.vary]
        place = {name: number for number, name in enumerate(varying)}
        signal, slopes = self._signal_slopes(values, region.energy, place)
        rates = slopes + values[self.loss.name] * self.scattered(region, slopes)
        rates[place[self.loss.name]] = self.scattered(region, signal)
        rates[[place[f"baseline_{degree}"] for degree in range(self.polynomial + 1)]] = self._powers(region)
        _, per_count = _deviance(region.counts, (signal + self.baseline(values, region, signal)) * region.time)
        priors = np.zeros((len(self._priors), len(varying)))
        for row, (name, _, error) in enumerate(self._priors):
            priors[row, place[name]] = 1 / error
        return np.concatenate([(rates * region.time * per_count).T, priors])

    def _signal_slopes(
        self, values: Mapping[str, float], energy: np.ndarray, place: Mapping[str, int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the sum of all lines, shape (n,), and its derivatives by the parameters at their places, (k, n)."""
        entries = self.entries(values)
        table = _table(entries)
        shape, area, numbers = SHAPES[self.shape], table[0], table[1:]
        slopes = np.zeros((len(place), energy.size))
        unit = shape(energy, 1.0, *numbers)
        derivatives = [unit]
        for row in range(len(numbers)):
            low, high = numbers.copy(), numbers.copy()
            low[row] -= STEP
            high[row] += STEP
            if row:  # widths, shares and asymmetries are not negative
                low[row] = np.maximum(low[row], 0.0)
            change = shape(energy, 1.0, *high) - shape(energy, 1.0, *low)
            derivatives.append(area * change / (high[row] - low[row]))
        for line, numbers_of_line in enumerate(entries):
            for (_, by_parameter), derivative in zip(numbers_of_line, derivatives, strict=True):
                for name, slope in by_parameter.items():
                    if name in place:
                        slopes[place[name]] += slope * derivative[line]
        return (area * unit).sum(axis=0), slopes

    @cached_property
    def _priors(self) -> list[tuple[str, float, float]]:
        """Parameters that are known beforehand: name, value and standard uncertainty."""
        found = []
        for line in self.lines:
            if not line.doublet:
                continue
            ratio = DEGENERACY[line.orbital]
            found.append((f"{line.slug}_area_ratio", ratio, ratio * line.ratio_freedom))
            if line.splitting_tolerance:
                found.append((f"{line.slug}_splitting", line.splitting, line.splitting_tolerance))
        return found

    def start(self, region: Region, shift: float, near: Near | None = None) -> lmfit.Parameters:
        """Return start values: expected positions moved by ``shift`` (eV), areas by linear least squares.

        Parameters
        ----------
        near
            Fitted model of the same lines with another shape or background, at which the search starts.
        """
        params = lmfit.Parameters()
        for line in self.lines:
            name = line.slug
            if line.follows is None:
                center = line.position + shift
                params.add(f"{name}_position", value=center, min=center - REACH, max=center + REACH)
            params.add(f"{name}_area", value=1.0, min=0.0)
            if line.doublet:
                params.add(f"{name}_area_ratio", value=DEGENERACY[line.orbital], min=0.0, max=2.0)
                fixed = line.splitting_tolerance == 0
                bounds = {} if fixed else {"min": line.splitting / 2, "max": line.splitting * 2}
                params.add(f"{name}_splitting", value=line.splitting, vary=not fixed, **bounds)
            for member, _ in enumerate(line.names, start=1):
                self._add_widths(params, line, member, near)
        for line in self.lines:
            if self.shape == METAL and (name := self.asymmetry(line)) and name not in params:
                params.add(name, value=line.asymmetry or 0.03, min=0.0, max=0.5)
        if self.shape in MIXED:
            params.add("mixing", value=0.3, min=0.0, max=LARGEST_MIXING)
        params.add(self.loss.name, value=0.03 if self.background == "shirley" else 500.0, min=0.0)
        for degree in range(self.polynomial + 1):
            params.add(f"baseline_{degree}", value=1.0)
        found = near[1] if near else {}
        for name in params.keys() & found.keys():
            params[name].value = found[name]
        self._guess_areas(params, region)
        return params

    def _add_widths(self, params: lmfit.Parameters, line: Line, member: int, near: Near | None) -> None:
        first, second = self.widths(line, member)
        gaussian, lorentzian = 0.9, line.lorentzian[member - 1]
        if near and near[0].shape not in MIXED:
            gaussian, lorentzian = (near[1][name] for name in near[0].widths(line, member))
        if own := self.own_fwhm(line, member):
            params.add(own, value=voigt_fwhm(gaussian, lorentzian), min=0.05, max=20.0)
            return
        # Beside lines whose whole width is free, no other line tells the width of the instrument.
        told = not any(self.own_fwhm(other, 1) for other in self.lines)
        params.add(first, value=gaussian, min=0.05, max=6.0, vary=told)
        if self.shape not in MIXED:
            free = line.free_lorentzian != "none"
            params.add(second, value=lorentzian, vary=free, **({"min": 0.0, "max": 15.0} if free else {}))

    def _guess_areas(self, params: lmfit.Parameters, region: Region) -> None:
        """Set areas and baseline to the linear least-squares solution with all else at its start."""
        for line in self.lines:
            params[f"{line.slug}_area"].value = 1.0
        shapes = iter(self.components(params.valuesdict(), region.energy))
        lines = np.array([sum(next(shapes) for _ in line.names) for line in self.lines])
        columns = np.concatenate(
            [lines + params[self.loss.name].value * self.scattered(region, lines), self._powers(region)]
        )
        rate = region.counts / region.time
        solution = np.linalg.lstsq(columns.T, rate, rcond=None)[0]
        floor = 0.01 * max(float(np.ptp(rate)), 1e-6)
        for line, area in zip(self.lines, solution, strict=False):
            params[f"{line.slug}_area"].value = max(area, floor)
        for degree in range(self.polynomial + 1):
            params[f"baseline_{degree}"].value = solution[len(self.lines) + degree]


def _table(entries: list[list[Entry]]) -> np.ndarray:
    """Return the numbers of lines, shape (numbers, lines, 1)."""
    return np.array([[value for value, _ in row] for row in entries]).T[:, :, None]


def _deviance(counts: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return deviance residuals and their derivatives by the expected counts, shape (n,) each.

    Far below the counts they go on as a straight line, because a search may pass through negative expected counts.
    """
    level = np.maximum(expected, FLOOR * (counts + 1))
    deviation = poisson_residual(counts, level)
    flat = np.abs(counts - level) < 1e-4 * level
    slope = np.where(flat, -1 / np.sqrt(level), (1 - counts / level) / np.where(flat, 1.0, deviation))
    return deviation + slope * (expected - level), slope
