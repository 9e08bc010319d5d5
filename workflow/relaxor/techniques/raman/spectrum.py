"""A Raman spectrum with the fits of its lines, and its curves."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from relaxor.core.variables import dataset, variable
from relaxor.techniques.raman.axis import Axis, Reference
from relaxor.techniques.raman.misfit import Solved
from relaxor.techniques.raman.spikes import Cleaned

SILICON = "Si"
"""Name of the line of silicon that calibrates the axis."""


@dataclass(frozen=True)
class Part:
    """Some points of a spectrum and the lines fitted there.

    Attributes
    ----------
    inside
        Points that were fitted, shape (all points,).
    solved
        The fit of Voigt lines.
    limits
        Line that is not seen → upper limit of its area.
    fano
        The fit of asymmetric lines if they are clearly better.
    """

    inside: np.ndarray
    solved: Solved
    limits: Mapping[str, float] = field(default_factory=dict)
    fano: Solved | None = None


@dataclass(frozen=True)
class Spectrum:
    """A spectrum and the fits of its lines.

    Attributes
    ----------
    shift
        Raman shift as the file has it in 1/cm, shape (n,).
    cleaned
        Mean of the accumulations.
    voigts, lorentzians
        Fits of both line shapes.
    substrate
        Lines of the substrate: name → expected place.
    """

    shift: np.ndarray
    cleaned: Cleaned
    voigts: list[Part]
    lorentzians: list[Part]
    substrate: Mapping[str, float]

    def references(self, shifts: Mapping[str, float]) -> list[Reference]:
        """Return the lines of known shift that the spectrum shows."""
        places = {name: part.solved.fit for part in self.voigts for name in part.solved.model.lines}
        return [
            Reference(name, known, *places[name].estimate(f"{name}_center"))
            for name, known in shifts.items()
            if name in places and math.isfinite(places[name].error(f"{name}_center"))
        ]


def curves_of(spectrum: Spectrum, axis: Axis) -> xr.Dataset:
    """Make the curves on the axis of the file; NaN where nothing was fitted.

    Returns
    -------
    xarray.Dataset
        Along ``line`` are ``center``, the fitted place (1/cm, on the axis of the file), and ``substrate``, whether the
        line is one of the substrate.
    """
    shift, parts, data = spectrum.shift, spectrum.voigts, spectrum.cleaned.mean
    names = [name for part in parts for name in part.solved.model.lines]
    sigma, fit, baseline = np.full((3, shift.size), np.nan)
    components = np.full((len(names), shift.size), np.nan)
    for part in parts:
        solved, params = part.solved, part.solved.fit.params
        scale = 1.0 if solved.fit.absolute_sigma else math.sqrt(solved.fit.reduced_chi_square)
        sigma[part.inside] = solved.sigma * scale
        fit[part.inside] = solved.model.total(params)
        baseline[part.inside] = solved.model.baseline(params)
        for name, line in zip(solved.model.lines, solved.model.values(params)[0], strict=True):
            components[names.index(name), part.inside] = line
    columns = {
        "data": (data, "count", "mean of the accumulations without cosmic rays"),
        "data_uncertainty": (sigma, "count", "noise"),
        "fit": (fit, "count", "fit"),
        "baseline": (baseline, "count", "baseline"),
        "residual": (data - fit, "count", "data − fit"),
        "calibrated_shift": (shift + axis.offset(shift), "1/cm", "calibrated Raman shift"),
    }
    curves = dataset("raman_shift", columns, {"raman_shift": (shift, "1/cm", "Raman shift")})
    centers = [part.solved.fit.value(f"{name}_center") for part in parts for name in part.solved.model.lines]
    return curves.assign(components=variable(("line", "raman_shift"), components, "count", "lines")).assign_coords(
        line=("line", names),
        center=variable("line", centers, "1/cm", "fitted place of the line"),
        substrate=variable("line", [name in spectrum.substrate for name in names], "1", "line of the substrate"),
    )
