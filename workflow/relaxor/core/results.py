"""What analyses take and return: measurements, numbers with uncertainties, and the curves behind them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.units import factor

CONFIDENCE = 0.95
"""Level of every interval written as ``ci_low`` and ``ci_high``."""
NORMAL_QUANTILE = 1.959963984540054
COMBINES = "combines"
"""Attribute of a group of curves to which several measurements were combined: their names, joined by commas."""


@dataclass(frozen=True)
class Measurement:
    """One measured file, as ingested.

    Attributes
    ----------
    id
        Its name in the sheet.
    attrs
        Provenance (``raw_file``, ``raw_sha256``, ``origin``, ``instrument``, ...).
    conditions
        How it was taken: name → (value, unit), from the sheet.
    regions
        What the file holds: name → dataset, in the order of the file.
    """

    id: str
    attrs: Mapping[str, Any]
    conditions: Mapping[str, tuple[float, str]]
    regions: Mapping[str, xr.Dataset]

    @property
    def only(self) -> xr.Dataset:
        """The single region of a file that must hold one."""
        if len(self.regions) != 1:
            raise AnalysisError(f"{self.id}: expected one region, file has {', '.join(self.regions)}")
        return next(iter(self.regions.values()))

    def condition(self, name: str, unit: str, default: float | None = None) -> float:
        """Return a condition of the sheet in the unit asked for.

        Raises
        ------
        AnalysisError
            If the sheet does not give it and there is no default, or gives it in another dimension.
        """
        if name in self.conditions:
            value, given_unit = self.conditions[name]
            try:
                return value * factor(given_unit, unit)
            except ValueError as error:
                raise AnalysisError(f"{self.id}: condition '{name}' of the sheet: {error}") from None
        if default is None:
            raise AnalysisError(f"{self.id}: the sheet gives no condition '{name}' (add '{name}=… {unit}')")
        return default


@dataclass(frozen=True)
class Quantity:
    """What a technique means by a parameter: one entry of its list of quantities.

    Attributes
    ----------
    name
        In the column ``parameter``; no line, element or value is part of it.
    unit
        Unit that pint reads; None where each number has its own, as an amplitude has that of the data.
    meaning
        What it is, in words that stand alone.
    systematic
        Kind of the systematic error of such numbers, a word of the technique; empty where there is none.
    """

    name: str
    unit: str | None
    meaning: str
    systematic: str = ""

    @property
    def known_unit(self) -> str:
        """The unit; an error of the code where each number has its own and none was given."""
        if self.unit is None:
            raise ValueError(f"'{self.name}' has no unit of its own: give one with in_unit")
        return self.unit

    def in_unit(self, unit: str) -> "Quantity":
        """Return it with the unit that a number has, where numbers have their own."""
        return replace(self, unit=unit)


def quantities_of(module: Mapping[str, Any], *shared: Quantity) -> tuple[Quantity, ...]:
    """Return the shared quantities and every quantity of a module, alone or in a mapping.

    Parameters
    ----------
    module
        ``globals()`` of the module.
    shared
        Quantities that are defined elsewhere.
    """
    values = [each for value in module.values() for each in (value.values() if isinstance(value, dict) else [value])]
    return tuple(dict.fromkeys([*shared, *(each for each in values if isinstance(each, Quantity))]))


@dataclass(frozen=True)
class Number:
    """One row of ``parameters.csv``: a number, its uncertainty and where it comes from.

    Attributes
    ----------
    measurement
        Name of the measurement, or of what several measurements were combined to.
    model, parameter
        Names that the technique lists.
    value, standard_error, systematic_error
        ``standard_error`` is statistical; ``systematic_error`` is the standard uncertainty of what all numbers of a
        technique share (charge reference, thickness, step-height standard).
    ci_low, ci_high
        Interval of level `CONFIDENCE` of the statistical part; the normal one where none was given.
    unit
        Unit that pint reads.
    method
        How it was obtained, in words.
    n, reduced_chi_square
        Points behind it, and the misfit of the model.
    raw_sha256, origin
        Of the raw files; ``simulated`` or ``measured``.
    feature
        Line, code, cycle, terminal or other part of the measurement that the number belongs to; empty: all of it.
    at, at_unit
        Value of what was varied, where the number holds for one value of it (an energy at 32 mW/cm²).
    """

    measurement: str
    model: str
    parameter: str
    value: float
    standard_error: float = math.nan
    systematic_error: float = 0.0
    ci_low: float = math.nan
    ci_high: float = math.nan
    unit: str = "1"
    method: str = ""
    n: int = 0
    reduced_chi_square: float = math.nan
    raw_sha256: str = ""
    origin: str = ""
    feature: str = ""
    at: float = math.nan
    at_unit: str = ""

    def __post_init__(self) -> None:
        """Fill the normal interval where none was given."""
        if math.isnan(self.ci_low) and math.isfinite(self.standard_error):
            object.__setattr__(self, "ci_low", self.value - NORMAL_QUANTILE * self.standard_error)
            object.__setattr__(self, "ci_high", self.value + NORMAL_QUANTILE * self.standard_error)

    def with_interval(self, freedom: float) -> "Number":
        """Return it with Student's interval, for a standard error estimated with so many degrees of freedom."""
        margin = student_quantile(freedom) * self.standard_error
        return replace(self, ci_low=self.value - margin, ci_high=self.value + margin)


def student_quantile(freedom: float) -> float:
    """Return the quantile of Student's distribution for an interval of level `CONFIDENCE`."""
    from scipy.stats import t

    return float(t.ppf((1 + CONFIDENCE) / 2, freedom))


@dataclass(frozen=True)
class Result:
    """What an analysis returns.

    Attributes
    ----------
    numbers
        Every number, in the order of its measurements.
    curves
        ``"measurement"`` (attributes alone) or ``"measurement/part"`` → dataset: data, fit, components and residuals on
        one axis, parents first.
    """

    numbers: list[Number] = field(default_factory=list)
    curves: dict[str, xr.Dataset] = field(default_factory=dict)

    @classmethod
    def of(
        cls, measurement: Measurement, numbers: list[Number], parts: Mapping[str, xr.Dataset], **attrs: Any
    ) -> "Result":
        """Make the result of one measurement.

        Parameters
        ----------
        numbers
            Its numbers.
        parts
            Name of a part → its curves.
        attrs
            Attributes of the measurement besides its provenance.
        """
        curves = {measurement.id: xr.Dataset(attrs=provenance(measurement) | attrs)}
        return cls(numbers, curves | {f"{measurement.id}/{name}": part for name, part in parts.items()})

    @classmethod
    def joined(cls, results: Iterable["Result"]) -> "Result":
        """Return several results as one."""
        whole = cls()
        for result in results:
            whole.add(result)
        return whole

    def names(self) -> set[str]:
        """Name the measurements that have numbers or curves, and what several were combined to."""
        return {number.measurement for number in self.numbers} | {path.partition("/")[0] for path in self.curves}

    def renamed(self, names: Mapping[str, str]) -> "Result":
        """Return the result with other names of measurements: old → new; all others keep theirs."""
        numbers = [replace(each, measurement=names.get(each.measurement, each.measurement)) for each in self.numbers]
        parts = {tuple(path.partition("/")): dataset for path, dataset in self.curves.items()}
        return Result(numbers, {names.get(name, name) + "".join(rest): parts[name, *rest] for name, *rest in parts})

    def add(self, other: "Result") -> None:
        """Append the numbers and curves of another result, whose measurements must have other names.

        Raises
        ------
        ValueError
            If both have curves of one name: an error of the technique's code.
        """
        if shared := self.curves.keys() & other.curves.keys():
            raise ValueError(f"two results have curves of {', '.join(sorted(shared))}")
        self.numbers.extend(other.numbers)
        self.curves.update(other.curves)


Estimate = tuple[float, float]
"""A value and its standard error."""


def measured(
    measurement: Measurement,
    model: str,
    values: Mapping[Quantity, Estimate] | Mapping[tuple[Quantity, str], Estimate],
    method: str,
    **common: Any,
) -> list[Number]:
    """Make numbers of one model and method.

    Parameters
    ----------
    measurement
        Where they come from.
    values
        Quantity, or quantity and feature → (value, standard error).
    common
        Further fields of `Number` that all of them have.
    """
    common = {"raw_sha256": measurement.attrs["raw_sha256"], "origin": measurement.attrs["origin"], **common}
    rows = []
    for key, (value, error) in values.items():
        quantity, feature = key if isinstance(key, tuple) else (key, common.get("feature", ""))
        fields: dict[str, Any] = {"unit": quantity.known_unit, "method": method, **common, "feature": feature}
        rows.append(Number(measurement.id, model, quantity.name, float(value), float(error), **fields))
    return rows


def with_systematic(
    numbers: Iterable[Number], quantities: Iterable[Quantity], relative: Mapping[str, float]
) -> list[Number]:
    """Return numbers with the systematic error that goes with their kind.

    Parameters
    ----------
    numbers
        Numbers of the given quantities; those of other quantities are returned as they are.
    quantities
        The quantities of the technique.
    relative
        Kind of the systematic error (`Quantity.systematic`) → its size relative to the value.
    """
    kinds = {quantity.name: quantity.systematic for quantity in quantities}
    return [
        replace(number, systematic_error=abs(number.value) * relative[kind])
        if (kind := kinds.get(number.parameter, "")) in relative
        else number
        for number in numbers
    ]


def combined(measurements: Sequence[Measurement], name: str) -> Measurement:
    """Return the measurement that stands for several: the first under another name, with the hashes of all."""
    hashes = ",".join(str(measurement.attrs["raw_sha256"]) for measurement in measurements)
    return replace(measurements[0], id=name, attrs={**measurements[0].attrs, "raw_sha256": hashes})


def origin_of(origins: Iterable[str]) -> str:
    """Return ``simulated`` where one of the origins is that, else ``measured``."""
    return "simulated" if "simulated" in set(origins) else "measured"


def provenance(measurement: Measurement) -> dict[str, Any]:
    """Return the attributes that every result of a measurement carries on."""
    return {key: measurement.attrs[key] for key in ("raw_file", "raw_sha256", "origin")}
