"""Input and output of analyses: measurements, numbers with uncertainties, and the curves behind them."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import xarray as xr

from relaxor.core.errors import AnalysisError
from relaxor.core.units import factor

CONFIDENCE = 0.95
"""Confidence level of every interval that is written as ``ci_low`` and ``ci_high``."""
NORMAL_QUANTILE = 1.959963984540054
COMBINES = "combines"
"""Attribute of a group of curves that combines several measurements. It holds their names, separated by commas."""
AVERAGED = "averaged_rows"
"""Attribute of a measurement whose table was too long: of how many rows of the file each of its rows is the mean."""
SCAN = "scan"
"""Condition of the sheet that names one of several spectra, images or tables of a file by its number, from 1."""


@dataclass(frozen=True)
class Measurement:
    """One ingested measurement file.

    Attributes
    ----------
    id
        Name of the measurement in the sheet.
    attrs
        Provenance (``raw_file``, ``raw_sha256``, ``origin``, ``instrument``, ...).
    conditions
        Conditions of the measurement from the sheet, as name → (value, unit).
    regions
        Datasets of the file by name, in the order of the file.
    """

    id: str
    attrs: Mapping[str, Any]
    conditions: Mapping[str, tuple[float, str]]
    regions: Mapping[str, xr.Dataset]

    @property
    def only(self) -> xr.Dataset:
        """The only region of a file, or the one whose number, from 1, is the condition `SCAN` of the sheet."""
        names = list(self.regions)
        number = self.condition(SCAN, "1", 1 if len(names) == 1 else math.nan)
        if number not in range(1, len(names) + 1):
            raise AnalysisError(f"{self.id}: the file has {', '.join(names)}; name one in the sheet (add '{SCAN}=1')")
        return self.regions[names[int(number) - 1]]

    def condition(self, name: str, unit: str, default: float | None = None) -> float:
        """Return a condition of the sheet in the requested unit.

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
    """The definition of a parameter of a technique, which is one entry of its list of quantities.

    Attributes
    ----------
    name
        Name in the column ``parameter``, without lines, elements or values.
    unit
        Unit that pint reads. It is None if each number has its own unit, such as an amplitude in the unit of the data.
    meaning
        Description in words that are understandable on their own.
    systematic
        Kind of the systematic error of such numbers, in words of the technique; empty if there is none.
    uncalibrated
        Whether a number may have the unit of its file before the first sign of the listed unit, from an instrument
        that nobody calibrated: ``V*V`` for ``pm*V``.
    """

    name: str
    unit: str | None
    meaning: str
    systematic: str = ""
    uncalibrated: bool = False

    @property
    def known_unit(self) -> str:
        """The unit. If each number has its own unit and none was given, this is an error of the code."""
        if self.unit is None:
            raise ValueError(f"'{self.name}' has no unit of its own: give one with in_unit")
        return self.unit

    def allows(self, unit: str) -> bool:
        """Return whether a number may be given in a unit."""
        if self.unit is None or unit == self.unit:
            return True
        return self.uncalibrated and unit[len(_head(unit)) :] == self.unit[len(_head(self.unit)) :]

    def in_unit(self, unit: str) -> "Quantity":
        """Return the quantity with the unit of a number, if numbers have their own units."""
        return replace(self, unit=unit)


def _head(unit: str) -> str:
    """Return the part of a unit before its first sign."""
    return re.split(r"[*/]", unit, maxsplit=1)[0]


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


class Status(StrEnum):
    """What is known about the rightness of a number, from the best to the worst.

    A number that is not `OK` is stated with the reason in its ``method``. Comparisons with reported numbers do not call
    a number right or wrong whose status is `MISFIT` or worse.
    """

    OK = "ok"
    """The model describes the data within their noise."""
    ASSUMED = "assumed"
    """The number rests on something that was not measured, which has a systematic error."""
    MISFIT = "misfit"
    """The model misses the data by more than their noise; the errors include the misfit."""
    AT_BOUND = "at_bound"
    """The fit ended at a bound of the parameter."""
    LIMIT = "limit"
    """The number is a limit; the quantity itself is not seen."""
    NOT_IDENTIFIED = "not_identified"
    """The data do not determine the number, or the search for it did not converge."""

    @property
    def severity(self) -> int:
        """Place in the order from the best to the worst."""
        return list(Status).index(self)

    @staticmethod
    def worst(statuses: Iterable[str]) -> "Status":
        """Return the worst of several statuses."""
        return max(map(Status, statuses), key=lambda status: status.severity)


@dataclass(frozen=True)
class Adequacy:
    """Whether a model describes the data that it was fitted to.

    Attributes
    ----------
    status
        Status of the numbers of the model.
    scale
        Factor by which the misfit widened the standard errors; one if it did not.
    remark
        The reason, as a part of a sentence for the column ``method``.
    """

    status: Status = Status.OK
    scale: float = 1.0
    remark: str = ""

    def joined(self, other: "Adequacy") -> "Adequacy":
        """Return both judgements as one: the worse status, both factors and both reasons."""
        status = Status.worst((self.status, other.status))
        remark = "; ".join(dict.fromkeys(filter(None, (self.remark, other.remark))))
        return Adequacy(status, self.scale * other.scale, remark)


ADEQUATE = Adequacy()
"""The judgement of a model that describes its data."""


@dataclass(frozen=True)
class Component:
    """One systematic component of the uncertainty of a number.

    Attributes
    ----------
    name
        What is uncertain, in words.
    value
        Standard uncertainty in the unit of the number.
    source
        Where the uncertainty is stated or how it was determined.
    """

    name: str
    value: float
    source: str


@dataclass(frozen=True)
class Number:
    """One row of ``parameters.csv``: a number, its uncertainty and where it comes from.

    Attributes
    ----------
    measurement
        Name of the measurement, or of the combination of several measurements.
    model, parameter
        Names that the technique lists.
    value, standard_error
        ``standard_error`` is statistical, and includes a misfit of the model.
    budget
        Systematic components of the uncertainty (charge reference, thickness, instrument profile). Their sum in
        quadrature is the column ``systematic_error``.
    ci_low, ci_high
        Interval of level `CONFIDENCE` of the statistical part; the normal interval if none was given.
    unit
        Unit that pint reads.
    method
        How the number was obtained, in words.
    n, reduced_chi_square
        Number of points behind the number, and reduced chi-square of the model against a noise that does not come from
        its own residuals; NaN where there is no such noise.
    raw_sha256, origin
        Hash and origin (``simulated`` or ``measured``) of the raw files.
    feature
        Line, code, cycle, terminal or other part of the measurement that the number belongs to; empty for the whole
        measurement.
    at, at_unit
        Value of the varied quantity, if the number belongs to one such value (an energy at 32 mW/cm²).
    status
        What is known about the rightness of the number; ``method`` gives the reason.
    widening
        Factor by which a misfit widened the standard error.
    """

    measurement: str
    model: str
    parameter: str
    value: float
    standard_error: float = math.nan
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
    status: Status = Status.OK
    widening: float = 1.0
    budget: tuple[Component, ...] = ()

    def __post_init__(self) -> None:
        """Fill in the normal interval if none was given."""
        if math.isnan(self.ci_low) and math.isfinite(self.standard_error):
            object.__setattr__(self, "ci_low", self.value - NORMAL_QUANTILE * self.standard_error)
            object.__setattr__(self, "ci_high", self.value + NORMAL_QUANTILE * self.standard_error)

    def with_interval(self, freedom: float) -> "Number":
        """Return the number with Student's interval, for a standard error with this many degrees of freedom."""
        margin = student_quantile(freedom) * self.standard_error
        return replace(self, ci_low=self.value - margin, ci_high=self.value + margin)

    @property
    def systematic_error(self) -> float:
        """Standard uncertainty of all systematic components together."""
        return math.hypot(*(component.value for component in self.budget))

    def with_component(self, name: str, value: float, source: str) -> "Number":
        """Return the number with one more systematic component, see `Component`; a component of zero is left out."""
        return replace(self, budget=(*self.budget, Component(name, abs(value), source))) if value else self

    def judged(self, adequacy: Adequacy) -> "Number":
        """Return the number with the worse of both statuses and the reason in its method; errors stay as they are."""
        status = Status.worst((self.status, adequacy.status))
        known = adequacy.remark in self.method
        method = self.method if known else "; ".join(filter(None, (self.method, adequacy.remark)))
        return replace(self, status=status, method=method, widening=self.widening * adequacy.scale)

    def flagged(self, status: Status, remark: str) -> "Number":
        """Return the number with the worse of both statuses and the reason in its method."""
        return self.judged(Adequacy(status, 1.0, remark))

    def scaled(self, factor: float, **changed: Any) -> "Number":
        """Return the number times a constant, with all of its uncertainties; ``changed`` gives other fields."""
        budget = tuple(replace(each, value=abs(factor) * each.value) for each in self.budget)
        low, high = sorted((factor * self.ci_low, factor * self.ci_high))
        value, error = factor * self.value, abs(factor) * self.standard_error
        return replace(self, value=value, standard_error=error, ci_low=low, ci_high=high, budget=budget, **changed)


def student_quantile(freedom: float) -> float:
    """Return the quantile of Student's distribution for an interval of level `CONFIDENCE`."""
    from scipy.stats import t

    return float(t.ppf((1 + CONFIDENCE) / 2, freedom))


@dataclass(frozen=True)
class Result:
    """The result of an analysis.

    Attributes
    ----------
    numbers
        All numbers, in the order of the measurements.
    curves
        Datasets by ``"measurement"`` (attributes only) or ``"measurement/part"``, which hold data, fit, components and
        residuals on one axis, parents first.
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
            Numbers of the measurement.
        parts
            Curves of the measurement by the name of the part.
        attrs
            Attributes of the measurement in addition to its provenance.
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

        def moved(path: str) -> str:
            name, slash, part = path.partition("/")
            return names.get(name, name) + slash + part

        numbers = [replace(each, measurement=moved(each.measurement)) for each in self.numbers]
        return Result(numbers, {moved(path): dataset for path, dataset in self.curves.items()})

    def add(self, other: "Result") -> None:
        """Append the numbers and curves of another result.

        Raises
        ------
        ValueError
            If both have curves of one name: an error of the technique's code.
        """
        if shared := {path for path in self.curves.keys() & other.curves.keys() if "/" in path}:
            raise ValueError(f"two results have curves of {', '.join(sorted(shared))}")
        self.numbers.extend(other.numbers)
        self.curves.update(other.curves)


Estimate = tuple[float, float] | tuple[float, float, Adequacy]
"""A value, its standard error and, where it differs from number to number, the judgement of its model."""


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
        The measurement of the numbers.
    values
        Pairs of value and standard error by quantity, or by quantity and feature.
    common
        Further fields of `Number` that all numbers share, and ``adequacy``, the judgement of the model, whose factor
        the standard errors include already.
    """
    adequacy = common.pop("adequacy", ADEQUATE)
    common = {"raw_sha256": measurement.attrs["raw_sha256"], "origin": measurement.attrs["origin"], **common}
    rows = []
    for key, (value, error, *own) in values.items():
        quantity, feature = key if isinstance(key, tuple) else (key, common.get("feature", ""))
        fields: dict[str, Any] = {"unit": quantity.known_unit, "method": method, **common, "feature": feature}
        row = Number(measurement.id, model, quantity.name, float(value), float(error), **fields)
        rows.append(row.judged(own[0] if own else adequacy))
    return rows


def with_systematic(
    numbers: Iterable[Number], quantities: Iterable[Quantity], relative: Mapping[str, float], source: str = "settings"
) -> list[Number]:
    """Return numbers with the systematic component of their kind.

    Parameters
    ----------
    numbers
        Numbers of the given quantities; those of other quantities are returned as they are.
    quantities
        The quantities of the technique.
    relative
        Size of the systematic error relative to the value, by its kind (`Quantity.systematic`).
    source
        Where these sizes are stated.
    """
    kinds = {quantity.name: quantity.systematic for quantity in quantities}
    return [
        number.with_component(kind, number.value * relative[kind], source)
        if (kind := kinds.get(number.parameter, "")) in relative
        else number
        for number in numbers
    ]


def combined(measurements: Sequence[Measurement], name: str) -> Measurement:
    """Return the measurement that represents several: the first under another name, with the hashes of all."""
    hashes = ",".join(str(measurement.attrs["raw_sha256"]) for measurement in measurements)
    return replace(measurements[0], id=name, attrs={**measurements[0].attrs, "raw_sha256": hashes})


def origin_of(origins: Iterable[str]) -> str:
    """Return ``simulated`` if one of the origins is ``simulated``, otherwise ``measured``."""
    return "simulated" if "simulated" in set(origins) else "measured"


def provenance(measurement: Measurement) -> dict[str, Any]:
    """Return the attributes that every result of a measurement keeps."""
    return {key: measurement.attrs[key] for key in ("raw_file", "raw_sha256", "origin")}
