"""Draw data of an independent forward model many times, and count how often relaxor is right or says that it is not.

A scenario is right if the truth lies within ``value ± 1.96 √(statistical² + systematic²)`` in at least 90 % of the
draws, and honest if the row has another status than ``ok`` in at least 95 % of them. One of both is required.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from relaxor.core.errors import RelaxorError
from relaxor.core.results import NORMAL_QUANTILE, Measurement, Number, Result, Status
from relaxor.project.analysis import analyse
from relaxor.techniques.registry import techniques

RIGHT, HONEST, FALSE = 0.90, 0.95, 0.03
"""Shares of the draws that are required: right, flagged, and at most flagged where the model holds."""
FAR = 3.5
"""Combined standard errors by which chance hardly ever misses: once in 2000 numbers."""
Key = tuple[str, str, str]
"""Model, parameter and feature of a number; ``*`` as the model stands for every model that gives it."""


@dataclass(frozen=True)
class Scenario:
    """Data of an independent forward model.

    Attributes
    ----------
    name
        What is different from the model that relaxor fits, in words.
    technique
        Technique that analyses the data.
    draw
        Function of a random generator that returns the measurements of one draw.
    truth
        True values of the numbers that are tested, in the unit of the number.
    settings
        Settings of the technique.
    family
        Whether the model of relaxor describes the data; the coverage must then be right, and few rows may be flagged.
    before
        What relaxor gave before this rule existed, in words.
    draws
        Number of draws for the table of all scenarios; fewer where a draw takes many seconds.
    """

    name: str
    technique: str
    draw: Callable[[np.random.Generator], Sequence[Measurement]]
    truth: Mapping[Key, float]
    settings: Mapping[str, object]
    family: bool = False
    before: str = ""
    draws: int = 20


@dataclass(frozen=True)
class Outcome:
    """What came out of the draws of a scenario for one number.

    Attributes
    ----------
    bias
        Mean of value minus truth over the draws that gave a value, in the unit of the number.
    error
        Median combined standard uncertainty, in the unit of the number.
    coverage
        Share of the draws that hold the truth within the combined 95 % interval.
    flagged
        Share of the draws whose row has another status than ``ok``, or that give no such number or an error message.
    silent
        Share of the draws that are neither right nor flagged.
    far
        Share of the draws that are not flagged and miss the truth by more than `FAR` combined standard errors.
    """

    bias: float
    error: float
    coverage: float
    flagged: float
    silent: float
    far: float

    @property
    def right(self) -> bool:
        """Whether the number is right, or the rows say that it is not."""
        return self.coverage >= RIGHT or self.flagged >= HONEST


def outcomes(scenario: Scenario, draws: int, seed: int = 16) -> dict[Key, Outcome]:
    """Analyse several draws of a scenario, and return what came out for each number."""
    generator = np.random.default_rng(seed)
    layers = {"instruments": {}, "lab": dict(scenario.settings), "sample": {}}
    found: dict[Key, list[Number | None]] = {key: [] for key in scenario.truth}
    for _ in range(draws):
        try:
            result = analyse(techniques()[scenario.technique], scenario.draw(generator), layers)
        except RelaxorError:  # an analysis that refuses the data says that it cannot give the numbers
            result = Result()
        for key in found:
            found[key] += rows_of(result, key) or [None]
    return {key: _outcome(rows, scenario.truth[key]) for key, rows in found.items()}


def rows_of(result: Result, key: Key) -> list[Number]:
    """Return the numbers of a result with a model, a parameter and a feature."""
    model, parameter, feature = key
    return [
        row
        for row in result.numbers
        if row.parameter == parameter and row.feature == feature and model in ("*", row.model)
    ]


def holds(row: Number, truth: float) -> bool:
    """Return whether a number holds the truth within its combined 95 % interval."""
    return abs(row.value - truth) <= NORMAL_QUANTILE * _combined(row)


def _combined(row: Number) -> float:
    return math.hypot(row.standard_error, row.systematic_error)


def _outcome(rows: Sequence[Number | None], truth: float) -> Outcome:
    given = [row for row in rows if row is not None]
    flags = [row is None or row.status != Status.OK for row in rows]
    right = [row is not None and holds(row, truth) for row in rows]
    errors = [_combined(row) for row in given]
    bias = float(np.mean([row.value - truth for row in given])) if given else math.nan
    silent = [not (held or said) for held, said in zip(right, flags, strict=True)]
    far = [
        row is not None and not said and not abs(row.value - truth) <= FAR * _combined(row)
        for row, said in zip(rows, flags, strict=True)
    ]
    error = float(np.median(errors)) if errors else math.nan
    return Outcome(bias, error, *(float(np.mean(each)) for each in (right, flags, silent, far)))


def require_no_silent_miss(scenario: Scenario, draws: int) -> None:
    """Fail if a draw is neither right nor flagged: the check of few draws, of which shares say nothing.

    Where the model of relaxor describes the data, chance alone misses a 95 % interval in one of twenty draws. Then one
    such miss is allowed, but none by `FAR` standard errors, and not every draw may be flagged.
    """
    most = 1 / draws if scenario.family else 0.0
    found = outcomes(scenario, draws)
    wrong = {
        key: each
        for key, each in found.items()
        if each.silent > most or (scenario.family and (each.far > 0 or each.flagged == 1))
    }
    assert not wrong, f"{scenario.name}: {wrong}"


def require_right_or_said(scenario: Scenario, draws: int) -> None:
    """Fail with a table of all numbers if one of them is neither right nor flagged often enough."""
    found = outcomes(scenario, draws)
    wrong = {key: each for key, each in found.items() if not each.right}
    if scenario.family:  # of few draws, chance alone makes a few misses and flags
        slack = 2 * math.sqrt(RIGHT * (1 - RIGHT) / draws)
        most = FALSE + 2 * math.sqrt(FALSE * (1 - FALSE) / draws)
        wrong = {key: each for key, each in found.items() if each.coverage < RIGHT - slack or each.flagged > most}
    assert not wrong, f"{scenario.name}: " + "; ".join(f"{' '.join(key)}: {each}" for key, each in found.items())
