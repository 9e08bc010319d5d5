"""Photoelectron spectra as the readers of text exports return them: one axis of energy, counts and their rate."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable, with_uncertainty
from relaxor.stats.counts import poisson_uncertainty

BIAS = 30.0
"""Energy (eV) by which a bias or the charge of a sample may shift a spectrum beyond what electrons can have."""


def spectrum(
    path: Path, axis: str, energy: np.ndarray, values: np.ndarray, units: str, attrs: Mapping[str, Any], place: str
) -> xr.Dataset:
    """Make the dataset of a region.

    Parameters
    ----------
    axis
        ``binding_energy`` or ``kinetic_energy`` (eV), or ``index`` of a scan at a fixed energy: the dimension.
    energy
        Shape (n,).
    values
        Shape (n,) or (scans, n).
    units
        Unit of the values: ``count``, ``count/s`` or ``1``.
    attrs
        Attributes; empty ones are left out. ``counting_time`` (s per point) turns counts into rates and back, and
        ``excitation_energy`` (eV) gives the other energy, which becomes a coordinate too.

    Raises
    ------
    ReadError
        If there is no point, if energies and values differ in number, or if there are energies that electrons cannot
        have: kinetic energies below zero or above that of the photons.
    """
    if not energy.size or values.shape[-1] != energy.size:
        raise ReadError(path, f"{values.shape[-1]} values at {energy.size} energies", place)
    dims = (axis,) if values.ndim == 1 else ("scan", axis)
    kept = {key: value for key, value in attrs.items() if value not in ("", None)}
    coords = {axis: variable(axis, energy, "1" if axis == "index" else "eV", axis.replace("_", " "))}
    excitation = kept.get("excitation_energy")
    if excitation and axis != "index":
        kinetic = energy if axis == "kinetic_energy" else excitation - energy
        if kinetic.min() < -BIAS or kinetic.max() > excitation + BIAS:
            span = f"kinetic energies of {kinetic.min():g} to {kinetic.max():g} eV"
            raise ReadError(path, f"{span} with photons of {excitation:g} eV: the axis is no {axis}", place)
        other = "kinetic_energy" if axis == "binding_energy" else "binding_energy"
        coords[other] = variable(axis, excitation - energy, "eV", other.replace("_", " "))
    time = float(kept.get("counting_time") or 0)
    variables: dict[str, xr.Variable] = {}
    if units == "count":
        variables["counts"] = variable(dims, values, "count", "counts")
        with_uncertainty(variables, "counts", poisson_uncertainty(values), "Poisson")
    rate = values / time if units == "count" and time else values
    if units == "count/s" or time:
        variables["intensity"] = variable(dims, rate, "count/s", "intensity")
    if time:
        with_uncertainty(variables, "intensity", poisson_uncertainty(rate * time) / time, "Poisson")
    return xr.Dataset(variables, coords, kept)
