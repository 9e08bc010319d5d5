"""The file ``encoder.json``: everything an image encoder needs to know of the device.

==========================  ==========================================================================================
``version``                 1
``origin``                  ``simulated`` or ``measured``
``raw_sha256``              hashes of the raw files, sorted
``reference_power``         P0 of the equations in `relaxor.synapse.photoresponse.kinetics`, mW/cm^2
``units``                   unit of every quantity below
``decay_constants``         tau_1, tau_2 (s)
``gains``                   filling rates g1, g2 at P0 (1/s)
``exponents``               of the filling rates (alpha) and of the prompt photocurrent (alpha0)
``saturation``              currents of full traps J1, J2 (A)
``prompt``                  prompt photocurrent J0 at P0 (A)
``dark_current``            mean of the runs (A), and ``dark_current_spread`` from run to run
``noise_additive``          of a single reading (A)
``noise_multiplicative``    of the response from run to run, relative
``timing``                  pulses and read-out of the codes, see `relaxor.synapse.photoresponse.codes.CodeTiming`
``measured``, ``predicted`` code → ``current`` above the dark one, its ``standard_error``, ``spread`` of one read-out
==========================  ==========================================================================================

A quantity is ``{"value": …, "standard_error": …}``; the error is null where the data do not give one.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from relaxor.core.errors import AnalysisError
from relaxor.core.files import atomic
from relaxor.synapse.photoresponse.codes import CODES, CodeTiming
from relaxor.synapse.photoresponse.kinetics import REFERENCE_POWER
from relaxor.synapse.photoresponse.response import Response
from relaxor.synapse.traces import Trace

Positive = Annotated[FiniteFloat, Field(gt=0)]
NotNegative = Annotated[FiniteFloat, Field(ge=0)]
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


class Timing(Part):
    """As `CodeTiming`."""

    first: Positive
    period: Positive
    width: Positive
    power: Positive
    read_delay: NotNegative
    read_window: Positive
    sampling_interval: Positive


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
    timing: Timing
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


def write_encoder(
    response: Response,
    path: Path | str,
    *,
    traces: Sequence[Trace],
    timing: CodeTiming,
    measured: pd.DataFrame,
    predicted: pd.DataFrame,
) -> Encoder:
    """Write ``encoder.json``, ten significant digits, whole or not at all.

    Parameters
    ----------
    response
        Of the device.
    path
        File to write.
    traces
        All runs it rests on: their files' hashes and origin are recorded. One simulated run makes it simulated.
    timing, measured, predicted
        Of the codes; from `relaxor.synapse.photoresponse.codes.measured_codes` and ``encode``.

    Returns
    -------
    Encoder
        What was written.
    """
    attrs = [trace.measurement.attrs for trace in traces]

    def of(*names: str) -> tuple[dict[str, float | None], ...]:
        return tuple(_quantity(response.values[name], response.error(name)) for name in names)

    noise = response.noise
    content = {
        "version": 1,
        "origin": "simulated" if any(each["origin"] == "simulated" for each in attrs) else "measured",
        "raw_sha256": sorted({each["raw_sha256"] for each in attrs}),
        "reference_power": REFERENCE_POWER,
        "units": UNITS,
        "decay_constants": of("tau_1", "tau_2"),
        "gains": of("g1", "g2"),
        "exponents": of("alpha", "alpha0"),
        "saturation": of("J1", "J2"),
        "prompt": of("J0")[0],
        "dark_current": _quantity(response.dark_current, response.dark_error),
        "dark_current_spread": _rounded(response.dark_spread),
        "noise_additive": _quantity(noise.additive, noise.additive_error),
        "noise_multiplicative": _quantity(noise.multiplicative, noise.multiplicative_error),
        "timing": vars(timing),
        "measured": _table(measured),
        "predicted": _table(predicted),
    }
    encoder = Encoder.model_validate(content, from_attributes=True)
    with atomic(path) as temporary:
        temporary.write_text(encoder.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return encoder


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
        raise AnalysisError(f"{path}: no valid encoder: {'; '.join(problems)}") from None


def _rounded(value: float) -> float:
    return float(f"{value:.10g}")


def _quantity(value: float, error: float) -> dict[str, float | None]:
    return {"value": _rounded(value), "standard_error": _rounded(error) if math.isfinite(error) else None}


def _table(codes: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    return {
        str(code): {
            "current": _rounded(row.current),
            "standard_error": _rounded(row.standard_error) if math.isfinite(row.standard_error) else None,
            "spread": _rounded(row.spread),
        }
        for code, row in codes.iterrows()
    }
