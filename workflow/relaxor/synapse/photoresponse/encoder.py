"""The file ``encoder.json``: everything that an encoder of images needs to know of the device.

===========================  =========================================================================================
``version``                  1
``origin``                   ``simulated`` or ``measured``
``raw_sha256``               hashes of the raw files, sorted
``reference_power``          P0 of the equations in `relaxor.synapse.photoresponse.kinetics`, mW/cm^2
``units``                    unit of every quantity below
``decay_constants``          tau_1, tau_2 (s)
``gains``                    filling rates g1, g2 at P0 (1/s)
``exponents``                of the filling rates (alpha) and of the prompt photocurrent (alpha0)
``saturation``               currents of full traps J1, J2 (A)
``prompt``                   prompt photocurrent J0 at P0 (A)
``dark_current``             mean of the runs (A), and ``dark_current_spread`` from run to run
``noise_additive``           of a single reading (A)
``noise_multiplicative``     of the response from run to run, relative
``timing``                   pulses and read-out of the codes, see `relaxor.synapse.photoresponse.codes.CodeTiming`
``measured``, ``predicted``  code → ``current`` above the dark one, its ``standard_error``, ``spread`` of one read-out
===========================  =========================================================================================

A quantity is ``{"value": …, "standard_error": …}``; the error is null where the data do not give one.

The analysis keeps all of this in full precision in two parts of the measurement of the codes, ``codes`` and
``response`` of ``curves.nc`` (`encoder_curves`), so that the file is written without another fit.
"""

import math
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
import xarray as xr
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from relaxor.core import netcdf
from relaxor.core.errors import AnalysisError
from relaxor.core.files import atomic
from relaxor.core.results import Measurement
from relaxor.core.variables import dataset, variable, with_uncertainty
from relaxor.synapse.photoresponse import quantities as q
from relaxor.synapse.photoresponse.codes import CODES, CodeTiming, NotNegative, Positive
from relaxor.synapse.photoresponse.response import QUANTITIES, Response
from relaxor.synapse.quantities import LIGHT_STIMULUS

Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Part(BaseModel):
    """A part of the file: closed and fixed once loaded."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Quantity(Part):
    """A number and its standard error."""

    value: FiniteFloat
    standard_error: NotNegative | None


class PositiveQuantity(Quantity):
    """One that cannot be zero or negative."""

    value: Positive


class Level(Part):
    """The read-out current of a code."""

    current: FiniteFloat
    standard_error: NotNegative | None
    spread: NotNegative


def _all_codes(table: dict[str, Level]) -> dict[str, Level]:
    if set(table) != set(CODES):
        wrong = sorted(set(table) ^ set(CODES))
        raise ValueError(f"the {len(CODES)} codes of four bits are needed; missing or not known: {', '.join(wrong)}")
    return table


Table = Annotated[dict[str, Level], AfterValidator(_all_codes)]


class Encoder(Part):
    """The content of the file."""

    version: Literal[1]
    origin: Literal["simulated", "measured"]
    raw_sha256: Annotated[list[Hash], Field(min_length=1)]
    reference_power: Positive
    units: dict[str, str]
    decay_constants: tuple[PositiveQuantity, PositiveQuantity]
    gains: tuple[PositiveQuantity, PositiveQuantity]
    exponents: tuple[Quantity, Quantity]
    saturation: tuple[Quantity, Quantity]
    prompt: Quantity
    dark_current: Quantity
    dark_current_spread: NotNegative
    noise_additive: PositiveQuantity
    noise_multiplicative: Quantity
    timing: CodeTiming
    measured: Table
    predicted: Table


UNITS = {
    "reference_power": "mW/cm^2",
    "decay_constants": "s",
    "gains": "1/s",
    "exponents": "1",
    "saturation": "A",
    "prompt": "A",
    "dark_current": "A",
    "noise_additive": "A",
    "noise_multiplicative": "1",
    "timing": "s (power: mW/cm^2)",
    "measured": "A",
    "predicted": "A",
}


def encoder_curves(
    response: Response,
    timing: CodeTiming,
    read: pd.DataFrame,
    predicted: pd.DataFrame,
    fitted: Sequence[Measurement],
) -> dict[str, xr.Dataset]:
    """Return what the encoder needs to know, in full precision.

    Parameters
    ----------
    response
        Response of the device.
    timing, read, predicted
        Timing and currents of the codes; the currents from `relaxor.synapse.photoresponse.codes.measured_codes` and
        ``encode``.
    fitted
        The measurements that the response was fitted to.

    Returns
    -------
    dict
        ``codes``: measured and predicted currents along ``code``, in A, with the timing as attributes. ``response``:
        parameters, noises and dark current, each with its standard error, and the hashes of the raw files. One
        simulated measurement makes the response simulated.
    """
    noise = response.noise
    known = {
        name: (quantity.known_unit, quantity.meaning, response.values[name], response.error(name))
        for name, (quantity, _) in QUANTITIES.items()
    }
    for quantity, value, error in (
        (q.DARK_CURRENT, response.dark_current, response.dark_error),
        (q.DARK_CURRENT_SPREAD, response.dark_spread, response.dark_spread_error),
        (q.NOISE_ADDITIVE, noise.additive, noise.additive_error),
        (q.NOISE_MULTIPLICATIVE, noise.multiplicative, noise.multiplicative_error),
    ):
        known[quantity.name] = quantity.known_unit, quantity.meaning, value, error
    hashes = sorted({measurement.attrs["raw_sha256"] for measurement in fitted})
    origins = {measurement.attrs["origin"] for measurement in fitted}
    kept = {"reference_power": variable((), response.reference_power, LIGHT_STIMULUS, "power density of reference")}
    for name, (unit, meaning, value, error) in known.items():
        kept[name] = variable((), value, unit, meaning)
        kept = with_uncertainty(kept, name, error, "fit of all runs")
    kept["raw_sha256"] = xr.Variable("file", np.array(hashes), {"long_name": "SHA-256 of the raw files"})
    columns = {
        "current": (read["current"], "A", "current above the dark one, mean"),
        "current_uncertainty": (read["standard_error"], "A", "standard error of the mean"),
        "spread": (read["spread"], "A", "standard deviation of the repeats"),
        "predicted": (predicted["current"], "A", "current by the fitted response"),
        "predicted_uncertainty": (predicted["standard_error"], "A", "standard error by the parameters of the response"),
        "predicted_spread": (predicted["spread"], "A", "standard deviation of a read-out by the fitted response"),
    }
    axis = {"code": (np.arange(len(read)), "1", "code, its first pulse in the highest bit")}
    codes = dataset("code", columns, axis, **vars(timing))
    origin = "simulated" if "simulated" in origins else "measured"
    return {"codes": codes, "response": xr.Dataset(kept, attrs={"origin": origin})}


def write_encoder(curves: Path | str, encoder: Path | str, *, wavelength: float) -> None:
    """Write ``encoder.json`` from what the analysis of the pulses of light kept.

    Parameters
    ----------
    curves
        ``curves.nc`` of the pulses of light.
    encoder
        File to write.
    wavelength
        Wavelength of the light, nm.

    Raises
    ------
    AnalysisError
        If there is not exactly one file with the sixteen codes and a fitted response at this wavelength.
    """
    here = [name for name, attrs in netcdf.attributes(curves).items() if abs(attrs["wavelength_nm"] - wavelength) < 1]
    codes = [group for group in netcdf.trees(curves, here).values() if "response" in group.children]
    if len(codes) != 1:
        raise AnalysisError(
            f"encoder: {len(codes)} files with codes of four pulses and a fitted response at {wavelength:g} nm, one is "
            f"needed; found {', '.join(here) or 'nothing'}"
        )
    content = encoder_of(codes[0]["codes"].to_dataset(), codes[0]["response"].to_dataset())
    with atomic(encoder) as temporary:
        temporary.write_text(content.model_dump_json(indent=2) + "\n", encoding="utf-8")


def encoder_of(codes: xr.Dataset, response: xr.Dataset) -> Encoder:
    """Return the content of the file from what `encoder_curves` made; numbers have ten significant digits."""

    def of(*names: str) -> tuple[dict[str, float | None], ...]:
        estimates = ((float(response[name]), float(response[f"{name}_uncertainty"])) for name in names)
        return tuple({"value": _rounded(value), "standard_error": _known(error)} for value, error in estimates)

    def table(current: str, spread: str) -> dict[str, dict[str, float | None]]:
        columns = (codes[name].to_numpy() for name in (current, f"{current}_uncertainty", spread))
        return {
            code: {"current": _rounded(value), "standard_error": _known(error), "spread": _rounded(scatter)}
            for code, value, error, scatter in zip(CODES, *columns, strict=True)
        }

    content = {
        "version": 1,
        "origin": response.attrs["origin"],
        "raw_sha256": response["raw_sha256"].to_numpy().tolist(),
        "reference_power": float(response["reference_power"]),
        "units": UNITS,
        "decay_constants": of("tau_1", "tau_2"),
        "gains": of("g1", "g2"),
        "exponents": of("alpha", "alpha0"),
        "saturation": of("J1", "J2"),
        "prompt": of("J0")[0],
        "dark_current": of(q.DARK_CURRENT.name)[0],
        "dark_current_spread": _rounded(float(response[q.DARK_CURRENT_SPREAD.name])),
        "noise_additive": of(q.NOISE_ADDITIVE.name)[0],
        "noise_multiplicative": of(q.NOISE_MULTIPLICATIVE.name)[0],
        "timing": {each.name: float(codes.attrs[each.name]) for each in fields(CodeTiming)},
        "measured": table("current", "spread"),
        "predicted": table("predicted", "predicted_spread"),
    }
    return Encoder.model_validate(content)


def load_encoder(path: Path | str) -> Encoder:
    """Load ``encoder.json``.

    Raises
    ------
    AnalysisError
        If the file cannot be read, or anything in it is missing, not known or not possible; every such place is named.
    """
    try:
        return Encoder.model_validate_json(Path(path).read_bytes())
    except OSError as error:
        raise AnalysisError(f"{path}: cannot be read: {error.strerror}") from None
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, part['loc'])) or 'file'}: {part['msg']}" for part in error.errors())
        raise AnalysisError(f"{path}: not a valid encoder: {'; '.join(problems)}") from None


def _rounded(value: float) -> float:
    return float(f"{value:.10g}")


def _known(error: float) -> float | None:
    return _rounded(error) if math.isfinite(error) else None
