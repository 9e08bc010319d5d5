"""Curves of which the figures of diffraction are drawn: data, fit, lines and residual on the same axis."""

import numpy as np
import xarray as xr

from relaxor.core.variables import dataset, variable
from relaxor.techniques.structure.settings import Cell
from relaxor.techniques.xrd import lattice
from relaxor.techniques.xrd.lattice import Basal
from relaxor.techniques.xrd.lines import Line, sample_widths
from relaxor.techniques.xrd.pattern import Pattern
from relaxor.techniques.xrd.settings import LineProfile


def pattern_curves(pattern: Pattern, lines: list[Line]) -> xr.Dataset:
    """Return intensity, fit, background, each line and residual on the angles of the scan; NaN outside the windows."""
    size = pattern.two_theta.size
    fit, background, residual = np.full((3, size), np.nan)
    components = np.full((len(lines), size), np.nan)
    for number, line in enumerate(lines):
        inside, fitted = line.fit.inside, line.fit
        fit[inside], background[inside], residual[inside] = fitted.expected, fitted.background, fitted.fit.residual
        components[number, inside] = fitted.components[line.place]
    columns = {
        "intensity": (pattern.intensity, "count", "intensity"),
        "intensity_uncertainty": (pattern.uncertainty, "count", "standard uncertainty of the intensity"),
        "fit": (fit, "count", "fit"),
        "background": (background, "count", "background"),
        "residual": (residual, "1", "deviance residual"),
    }
    curves = dataset("two_theta", columns, {"two_theta": (pattern.two_theta, "degree", "2θ")})
    return curves.assign(
        components=variable(("line", "two_theta"), components, "count", "lines, Kα1 and Kα2")
    ).assign_coords(line=variable("line", [line.name for line in lines], "1", "line"))


def lattice_curves(basal: Basal, cell: Cell) -> xr.Dataset:
    """Return c from each line alone against the Nelson–Riley function, and where each model puts it."""
    apparent, error = lattice.apparent_c(basal)
    values = {
        "two_theta": (basal.two_theta, "degree", "2θ of Kα1"),
        "nelson_riley": (lattice.nelson_riley(basal.two_theta), "1", "Nelson–Riley function"),
        "apparent_c": (apparent, "angstrom", "c from one line"),
        "apparent_c_uncertainty": (error, "angstrom", "standard uncertainty of c from one line"),
    }
    for model, fitted in lattice.fits_of_c(basal, cell.c).items():
        label = f"c from one line, {model.replace('_', ' ')}"
        values[f"fit_{model}"] = apparent - fitted.residual * error, "angstrom", label
    return dataset("line", values, {"line": (basal.index, "1", "index l")})


def width_curves(lines: list[Line], profile: LineProfile) -> xr.Dataset:
    """Return the Williamson–Hall plot."""
    widths = sample_widths(lines, profile)
    columns = {
        "four_sin_theta": (widths.abscissa, "1", "4 sin θ"),
        "width_cos_theta": (widths.ordinate, "rad", "width · cos θ"),
        "width_cos_theta_uncertainty": (widths.ordinate_error, "rad", "standard uncertainty of width · cos θ"),
    }
    return dataset("line", columns)
