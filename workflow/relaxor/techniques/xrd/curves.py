"""What the figures of diffraction are drawn from: data, fit, lines and residual on the same axis."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from relaxor.techniques.xrd import lattice
from relaxor.techniques.xrd.lattice import Basal
from relaxor.techniques.xrd.lines import Instrument
from relaxor.techniques.xrd.pattern import Line, Pattern, sample_widths


def pattern_curves(pattern: Pattern, lines: list[Line]) -> xr.Dataset:
    """Return intensity, fit, background, each line and residual on the angles of the scan; NaN outside the windows."""
    size = pattern.two_theta.size
    empty = {name: np.full(size, np.nan) for name in ("fit", "background", "residual")}
    components = {}
    for line in lines:
        inside, fitted = line.fit.inside, line.fit
        empty["fit"][inside], empty["background"][inside] = fitted.expected, fitted.background
        empty["residual"][inside] = fitted.fit.residual
        component = np.full(size, np.nan)
        component[inside] = fitted.components[line.place]
        components[f"line_{line.name}"] = component
    labels = {"fit": "fit", "background": "background", "residual": "deviance residual"}
    angle = xr.Variable("two_theta", pattern.two_theta, {"units": "degree", "long_name": "2θ"})
    result = xr.Dataset(coords={"two_theta": angle})
    result["intensity"] = _along("two_theta", pattern.intensity, "count", "intensity")
    result["intensity_uncertainty"] = _along(
        "two_theta", pattern.uncertainty, "count", "standard uncertainty of intensity"
    )
    for name, values in empty.items():
        result[name] = _along("two_theta", values, "1" if name == "residual" else "count", labels[name])
    for name, values in components.items():
        result[name] = _along("two_theta", values, "count", f"{name.replace('_', ' ')}, Kα1 and Kα2")
    return result


def lattice_curves(pattern: Pattern, basal: Basal, cell: Mapping[str, Any]) -> xr.Dataset:
    """Return c from each line alone against the Nelson–Riley function, and where each model puts it."""
    wavelength = pattern.tube.alpha1
    apparent, error = lattice.apparent_c(basal, wavelength)
    result = xr.Dataset(coords={"line": xr.Variable("line", basal.index, {"units": "1", "long_name": "index l"})})
    result["two_theta"] = _along("line", basal.two_theta, "degree", "2θ of Kα1")
    result["nelson_riley"] = _along("line", lattice.nelson_riley(basal.two_theta), "1", "Nelson–Riley function")
    result["apparent_c"] = _along("line", apparent, "angstrom", "c from one line")
    result["apparent_c_uncertainty"] = _along("line", error, "angstrom", "standard uncertainty of c from one line")
    for model, extra in lattice.MODELS.items():
        if len(basal.index) <= 1 + len(extra):
            continue
        fitted = lattice.fit_c(basal, model, c_start=cell["c"], wavelength=wavelength, radius=pattern.radius)
        values = apparent - fitted.residual * error
        result[f"fit_{model}"] = _along("line", values, "angstrom", f"c from one line, {model.replace('_', ' ')}")
    return result


def width_curves(lines: list[Line], instrument: Instrument) -> xr.Dataset:
    """Return the Williamson–Hall plot."""
    widths = sample_widths(lines, instrument)
    result = xr.Dataset()
    result["four_sin_theta"] = _along("line", widths.abscissa, "1", "4 sin θ")
    result["width_cos_theta"] = _along("line", widths.ordinate, "rad", "width · cos θ")
    result["width_cos_theta_uncertainty"] = _along(
        "line", widths.ordinate_error, "rad", "standard uncertainty of width · cos θ"
    )
    return result


def _along(dim: str, values: np.ndarray, unit: str, name: str) -> xr.Variable:
    return xr.Variable(dim, values, {"units": unit, "long_name": name})
