"""A model fitted to a narrow region: the search within bounds, and what the fit says of levels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

import lmfit
import numpy as np
from scipy.optimize import least_squares

from relaxor.core.results import Adequacy, Quantity, Status
from relaxor.stats.fit import Fit, combination, sharpened
from relaxor.stats.line_shapes import (
    voigt_fwhm,
)
from relaxor.techniques.xps import quantities as q
from relaxor.techniques.xps.levels import Line
from relaxor.techniques.xps.regions import METAL, MIXED, SHAPES, STEP, Model, Region

SEARCH_CALLS = 300
"""Largest number of steps of a search."""
STEP_OF_WIDTH = 1e-3
"""Step of the derivatives of the width of a metal's line (eV or 1)."""
LOSS_WORDS = {"shirley": "Shirley scattering", "tougaard": "Tougaard loss"}
"""What scales each background."""
NEAR = 1e-7
"""Distance from a bound at which a parameter is placed on it."""
Values = dict[tuple[Quantity, str], tuple[float, float, Adequacy]]
"""Value, standard error and judgement by quantity and feature."""


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

    @cached_property
    def astray(self) -> frozenset[str]:
        """Parameters at a limit of the search.

        A strength, lifetime width or asymmetry of zero is no such limit, but the absence of what it stands for, and so
        is a line that is as Gaussian or as Lorentzian as possible.
        """
        found = {name: self.fit.params[name] for name in self.fit.held - {"mixing"}}
        low = {name for name, known in found.items() if known.value - known.min < STEP and known.min != 0}
        return frozenset(low | {name for name, known in found.items() if known.max - known.value < STEP})

    @property
    def backward(self) -> str:
        """That the data want a negative background of scattered electrons, which there is not; nothing otherwise."""
        return f"the data want a negative {LOSS_WORDS[self.model.background]}" * (self.model.loss.name in self.fit.held)

    @property
    def usable(self) -> bool:
        """Whether the model may be chosen among others: the search converged and did not end at a limit."""
        return self.fit.converged and not self.astray

    @property
    def adequacy(self) -> Adequacy:
        """Whether the model describes the region."""
        if not self.astray:
            return self.fit.adequacy
        names = ", ".join(f"{name} = {self.fit.value(name):.4g}" for name in sorted(self.astray))
        return self.fit.adequacy.joined(Adequacy(Status.AT_BOUND, 1.0, f"at bound: the search ended at {names}"))

    def estimate(self, value: float, gradient: Mapping[str, float]) -> tuple[float, float, Adequacy]:
        """Return a number that is made of parameters, its standard error and its judgement."""
        held = [gradient[name] * self.fit.error(name) for name in gradient if name in self.fit.held]
        error = float(np.hypot(combination(self.fit, gradient), np.linalg.norm(held)))
        return value, error, self.adequacy.joined(self.fit.adequacy_of(*gradient))

    def parameter(self, name: str) -> tuple[float, float, Adequacy]:
        """Return a parameter, its standard error and its judgement."""
        return self.estimate(self.fit.value(name), {name: 1.0})

    def width(self, line: Line, member: int) -> tuple[float, float, Adequacy]:
        """Return full width at half maximum of a line, without the tail of metals (eV)."""
        if self.model.shape in MIXED:
            values = self.fit.params.valuesdict()
            return self.estimate(*self.model.shape_numbers(values, line, member)[0])
        names = self.model.widths(line, member)
        center = [self.fit.value(name) for name in names]
        gradient = {}
        for place, name in enumerate(names):
            up, down = list(center), list(center)
            up[place], down[place] = center[place] + 1e-5, max(center[place] - 1e-5, 0.0)
            gradient[name] = (voigt_fwhm(*up) - voigt_fwhm(*down)) / (up[place] - down[place])
        return self.estimate(voigt_fwhm(*center), gradient)

    def width_of_metal(self, line: Line, member: int) -> tuple[float, float, Adequacy]:
        """Return full width at half maximum of a Doniach–Šunjić line, with its tail (eV)."""
        numbers = self.model.shape_numbers(self.fit.params.valuesdict(), line, member)
        energy = np.arange(-10.0, 15.0, 0.01)

        def width(*shape: float) -> float:
            curve = SHAPES[METAL](energy, 1.0, 0.0, *shape)
            top = int(np.argmax(curve))
            low = np.interp(curve[top] / 2, curve[: top + 1], energy[: top + 1])
            high = np.interp(-curve[top] / 2, -curve[top:], energy[top:])
            return float(high - low)

        values = [value for value, _ in numbers]
        gradient: dict[str, float] = {}
        for place, (value, slopes) in enumerate(numbers):
            up = [*values[:place], value + STEP_OF_WIDTH, *values[place + 1 :]]
            for name, slope in slopes.items():
                gradient[name] = slope * (width(*up) - width(*values)) / STEP_OF_WIDTH
        return self.estimate(width(*values), gradient)

    def position(self, line: Line, member: int) -> tuple[float, float, Adequacy]:
        """Return the measured binding energy of a line (eV)."""
        row = self.model.names.index(line.names[member - 1])
        return self.estimate(*self.model.entries(self.fit.params.valuesdict())[row][1])

    @cached_property
    def values(self) -> Values:
        """What the model says: areas, ratios, widths and measured energies, by quantity and level or line.

        What the data do not determine has no error and is left out: the position of a line without area.
        """
        found: Values = {}
        for line in self.model.lines:
            found |= self._level(line)
            for member, name in enumerate(line.names, start=1):
                if self.model.shape in ("voigt", "sgl"):  # others have only a nominal width
                    found[q.FWHM, name] = self.width(line, member)
                elif self.model.shape == METAL and line.asymmetry > 0:
                    found[q.FWHM, name] = self.width_of_metal(line, member)
                if line.follows is None:
                    found[q.BINDING_ENERGY, name] = self.position(line, member)
        varying = self.fit.names
        shared = {self.model.loss.name: self.model.loss, "fwhm_gaussian": q.FWHM_GAUSSIAN}
        shared |= {"mixing": q.MIXING, "asymmetry": q.ASYMMETRY}
        found |= {(shared[name], ""): self.parameter(name) for name in shared if name in varying}
        return {key: estimate for key, estimate in found.items() if np.isfinite(estimate[1])}

    def _level(self, line: Line) -> Values:
        """Return areas, ratios and fitted widths of a level."""
        found: Values = {(q.AREA, line.level): self.parameter(f"{line.slug}_area")}
        own = {"area_ratio": q.AREA_RATIO, "splitting": q.SPLITTING, "gaussian": q.FWHM_GAUSSIAN}
        own |= {"lorentzian_1": q.FWHM_LORENTZIAN, "asymmetry": q.ASYMMETRY}
        for name, quantity in own.items():
            parameter = self.fit.params.get(f"{line.slug}_{name}")
            if parameter is not None and parameter.vary:
                found[quantity, line.level] = self.parameter(parameter.name)
        if line.doublet and line.free_lorentzian == "each" and self.model.shape not in MIXED:
            found.pop((q.FWHM_LORENTZIAN, line.level))
            for member, name in enumerate(line.names, start=1):
                found[q.FWHM_LORENTZIAN, name] = self.parameter(f"{line.slug}_lorentzian_{member}")
        levels = [other for other in self.model.lines if other.follows is None]
        if len(levels) == 2 and line is levels[1] and self.fit.value(f"{levels[0].slug}_area") > 0:
            # Two levels overlap: how much of the window belongs to the other one.
            one, two = (self.fit.value(f"{level.slug}_area") for level in levels)
            gradient = {f"{levels[0].slug}_area": -two / one**2, f"{line.slug}_area": 1 / one}
            found[q.AREA_RATIO_OF_LEVELS, f"{line.level}/{levels[0].level}"] = self.estimate(two / one, gradient)
        return found


def fit_region(region: Region, model: Model, shift: float = 0.0, near: RegionFit | None = None) -> RegionFit:
    """Fit a model to a region by maximum likelihood of its Poisson counts.

    Parameters
    ----------
    region
        Counts over ascending binding energy, at least twice as many points as parameters.
    model
        Lines and background.
    shift
        Where to look for the lines: measured minus expected binding energy (eV).
    near
        Fit of the same lines with another shape or background, at which the search starts.
    """
    params = model.start(region, shift, (near.model, near.fit.params.valuesdict()) if near else None)
    how = {"residual": partial(model.residual, region=region), "jacobian": partial(model.jacobian, region=region)}
    _search(params, **how)
    return RegionFit(model, region, sharpened(params=params, absolute_sigma=True, **how))


def _search(
    params: lmfit.Parameters,
    residual: Callable[[lmfit.Parameters], np.ndarray],
    jacobian: Callable[[lmfit.Parameters], np.ndarray],
) -> None:
    """Move parameters to the nearest minimum within their bounds.

    Trust regions (Branch, Coleman & Li, doi 10.1137/S1064827595289108) reach a bound in a few steps, at which
    Levenberg–Marquardt steps of transformed parameters become ever shorter.
    """
    varying = [parameter for parameter in params.values() if parameter.vary]

    def placed(values: np.ndarray) -> lmfit.Parameters:
        for parameter, value in zip(varying, values, strict=True):
            parameter.value = value
        return params

    low, high = np.array([[parameter.min, parameter.max] for parameter in varying]).T
    start = np.array([parameter.value for parameter in varying])
    found = least_squares(
        lambda values: residual(placed(values)),
        start,
        lambda values: jacobian(placed(values)),
        bounds=(low, high),
        x_scale="jac",
        xtol=1e-10,
        ftol=1e-10,
        gtol=None,
        max_nfev=SEARCH_CALLS,
    ).x
    placed(np.where(found - low < NEAR, low, np.where(high - found < NEAR, high, found)))
