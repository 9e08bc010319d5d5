"""The optical response of a device, fitted to all its runs under light of one wavelength together.

Power, duration, number and frequency series, paired pulses and four-pulse codes come from one device: one set of
amplitudes, filling rates, decay times and one exponent (`kinetics`) must describe them all. The dark current of a run
and its slow drift differ from run to run and enter linearly, so that they are projected out instead of being fitted
(variable projection; Golub & Pereyra, doi 10.1137/0710036): a thousand runs need no more parameters than ten.

Whether two kinds of traps describe the data is judged by the noise that readings show from one to the next, which does
not come from the fit. If they do not, a distribution of traps is fitted as a competing model (`traps`) and predicts the
currents where AICc prefers it.

Two noises are distinguished (`noise`): readings scatter about their run, and the response of a whole run is larger or
smaller than that of the last one. The second noise moves all readings of a run together; readings taken as independent
would give errors that are far too small. Both are estimated from the residuals and enter the fit as the covariance of a
run: generalized least squares with a random gain per run (Laird & Ware, doi 10.2307/2529876). A covariance from the
scatter of the runs (sandwich) would assume less, but only a few runs of a power series determine the exponent: in 100
simulated sessions of 145 runs its intervals held the exponent 87 times, those of the random gain 93 times.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

import lmfit
import numpy as np
from scipy.optimize import nnls

from relaxor.core.errors import AnalysisError
from relaxor.core.results import (
    ADEQUATE,
    Adequacy,
    Quantity,
    Status,
)
from relaxor.stats.adequacy import UNSUPPORTED
from relaxor.stats.fit import Fit, aicc, fit, parameters
from relaxor.synapse.photoresponse import quantities as q
from relaxor.synapse.photoresponse.kinetics import PARAMETERS, Components, Light, Readings, components
from relaxor.synapse.photoresponse.noise import (
    UNKNOWN,
    Noise,
    ReadingNoise,
    Weights,
    covariance_of,
    estimate,
    reading_noise,
)
from relaxor.synapse.photoresponse.reduction import Reduced, reduce
from relaxor.synapse.photoresponse.traps import Traps, fit_traps
from relaxor.synapse.protocols import error_of_root
from relaxor.synapse.quantities import RELAXATION_TIME
from relaxor.synapse.traces import Trace

QUANTITIES: Mapping[str, tuple[Quantity, str]] = {
    "J0": (q.PHOTOCURRENT, q.PROMPT),
    "J1": (q.PHOTOCURRENT, "1"),
    "J2": (q.PHOTOCURRENT, "2"),
    "g1": (q.FILLING_RATE, "1"),
    "g2": (q.FILLING_RATE, "2"),
    "tau_1": (RELAXATION_TIME, "1"),
    "tau_2": (RELAXATION_TIME, "2"),
    "alpha": (q.POWER_EXPONENT, ""),
    "alpha0": (q.POWER_EXPONENT, q.PROMPT),
}
"""The quantity of each parameter, and the part of the response to which it belongs."""
AT_REFERENCE = ("J0", "g1", "g2")
"""Parameters that hold for the power density of reference."""
RATE_OF = {"J1": "g1", "J2": "g2"}
"""The filling rate that belongs to each current of full traps."""
RATES, TIMES = ("g1", "g2"), ("tau_1", "tau_2")
LOGARITHMIC = (*RATES, *TIMES)
"""Parameters whose logarithms are fitted and have symmetric intervals."""
PREFERRED = 2.0
"""The prompt photocurrent gets an exponent of its own where AICc is lower by more than this (Burnham & Anderson)."""
ASSUMED_EXPONENT = 1.0
"""Exponent where there is one power only; it is then a convention and no result."""
ROUNDS = 3
"""Number of fits, each with the noise that the residuals of the fit before show."""
START_TIMES = 6
START_FILLINGS = (0.1, 2.0)
"""Filling rate at the power of reference times decay time: nearly empty traps, and nearly full ones."""
START_EXPONENT = 0.7
LEAST_FILLING = 1e-3
"""If the light of the longest run fills no more of the traps than this, only J·g is seen: g is held at that value."""
NO_VARIANCE = 1e-100
"""Variance of a run that has no noise, A² or A²/s²."""
SLOWEST = 100.0
"""Longest decay time that is looked for, in lengths of the longest run."""


@dataclass(frozen=True)
class Response:
    """The fitted response of a device to light of one wavelength.

    Attributes
    ----------
    values
        Each of `PARAMETERS`, in the unit of its quantity (`QUANTITIES`).
    reference_power
        Power density of reference, mW/cm^2: `AT_REFERENCE` holds for it.
    covariance
        Covariance of the parameters in ``names``, in these units, shape (k, k).
    names
        Parameters that were fitted: without ``alpha0`` where one exponent is enough, without both exponents where
        there was one power only, without a rate or time that ended at its bound.
    noise
        Additive and multiplicative noise, by the residuals of the fit.
    dark_current, dark_error, dark_spread, dark_spread_error
        Mean of the runs' dark currents at their start, and the standard deviation from run to run beside the noise,
        each with its standard error, A.
    drift, drift_error
        Mean of the runs' drifts and its standard error, A/s.
    aicc
        Akaike's criterion of the models with one exponent and with an own exponent of the prompt current; with one
        power, of the first model alone. Where the data are missed, also those of two kinds of traps and of a
        distribution of them, both with the noise of readings from one to the next.
    runs, n
        Runs, and means of readings, that were fitted.
    freedom
        Runs with light, less the parameters: degrees of freedom of the intervals.
    reduced_chi_square
        With the noise of readings from one to the next, and the noise of the response from run to run.
    own
        Noise of readings from one to the next.
    adequacy
        Whether two kinds of traps describe the data; the covariance includes a misfit.
    traps
        Distribution of traps, if two kinds of traps miss the data and AICc prefers it. It then predicts currents.
    """

    values: Mapping[str, float]
    reference_power: float
    covariance: np.ndarray
    names: tuple[str, ...]
    noise: Noise
    dark_current: float
    dark_error: float
    dark_spread: float
    dark_spread_error: float
    drift: float
    drift_error: float
    aicc: Mapping[str, float]
    runs: int
    freedom: int
    n: int
    reduced_chi_square: float
    own: ReadingNoise = UNKNOWN
    adequacy: Adequacy = ADEQUATE
    traps: Traps | None = None

    @property
    def prediction(self) -> "Response | Traps":
        """The model that predicts currents: its ``slopes`` are derivatives by what its ``covariance`` is of."""
        return self.traps or self

    def error(self, name: str) -> float:
        """Return a standard error; for ``alpha0`` that of ``alpha`` where they are one, NaN where none is known.

        The amplitude of traps whose filling rate was held is not known either: far from saturation only J·g is known.
        """
        name = "alpha" if name == "alpha0" and name not in self.names else name
        if name not in self.names or RATE_OF.get(name, name) not in self.names:
            return math.nan
        return math.sqrt(self.covariance[self.names.index(name), self.names.index(name)])

    def current(self, light: Light, time: np.ndarray) -> np.ndarray:
        """Predict the photocurrent (above the dark current) by two kinds of traps, of a device that rested in the dark.

        Parameters
        ----------
        light
            The light, mW/cm^2.
        time
            s, shape (n,).

        Returns
        -------
        numpy.ndarray
            A, shape (n,).
        """
        return self._components(light, time).current(self.values)

    def slopes(self, light: Light, time: np.ndarray) -> np.ndarray:
        """Return the derivatives of `current` by the parameters in ``names``, shape (n, k)."""
        return _columns(self._components(light, time).jacobian(self.values), self.names)

    def _components(self, light: Light, time: np.ndarray) -> Components:
        return components(Readings.at(light.relative(self.reference_power), time), self.values)


def _columns(jacobian: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Pick the derivatives by ``names``; one exponent moves both parts of the response."""
    picked = jacobian[:, [PARAMETERS.index(name) for name in names]]
    if "alpha" in names and "alpha0" not in names:
        picked[:, names.index("alpha")] += jacobian[:, PARAMETERS.index("alpha0")]
    return picked


# --- the fit
@dataclass(frozen=True)
class Series:
    """All runs of a fit and the model of them.

    Attributes
    ----------
    reduced
        The runs; currents in any unit, which is that of the amplitudes.
    """

    reduced: Reduced

    @property
    def times(self) -> tuple[float, float]:
        """Time between readings where it is shortest, length of the longest run; s."""
        time = [trace.time for trace in self.reduced.traces]
        return min(float(np.median(np.diff(each))) for each in time), max(float(np.ptp(each)) for each in time)

    def values(self, params: lmfit.Parameters) -> dict[str, float]:
        """Return each of `PARAMETERS`."""
        plain = params.valuesdict()
        return {name: math.exp(plain[f"ln_{name}"]) if name in LOGARITHMIC else plain[name] for name in PARAMETERS}

    def response(self, values: Mapping[str, float], names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the response, shape (n,), and its derivatives by ``names``, shape (n, k)."""
        found = components(self.reduced.readings, values)
        return found.current(values), _columns(found.jacobian(values), names)

    def fit(self, weights: Weights, names: Sequence[str], start: Mapping[str, float]) -> Fit:
        """Fit the parameters in ``names`` with given weights."""
        shortest, longest = self.times
        bounds = dict.fromkeys(RATES, (math.log(LEAST_FILLING / longest), -math.log(LEAST_FILLING * shortest)))
        bounds |= dict.fromkeys(TIMES, (math.log(shortest / 10), math.log(SLOWEST * longest)))
        params = parameters(
            **{name: start[name] for name in PARAMETERS[:3]},
            **{f"ln_{name}": (math.log(start[name]), *bounds[name]) for name in LOGARITHMIC},
            alpha={"value": start["alpha"], "vary": "alpha" in names},
            alpha0={"value": start["alpha0"]} if "alpha0" in names else {"expr": "alpha"},
        )
        data = weights.white(self.reduced.current[:, None])[:, 0]

        def residual(trial: lmfit.Parameters) -> np.ndarray:
            values = self.values(trial)
            model = components(self.reduced.readings, values).current(values)
            return weights.white(model[:, None])[:, 0] - data

        def jacobian(trial: lmfit.Parameters) -> np.ndarray:
            values = self.values(trial)
            slopes = self.response(values, names)[1]
            factors = [values[name] if name in LOGARITHMIC else 1.0 for name in names]
            return weights.white(slopes * factors)

        return fit(residual, params, absolute_sigma=True, jacobian=jacobian)

    def start(self, weights: Weights, names: Sequence[str]) -> dict[str, float]:
        """Return the best start of a grid of decay times and fillings.

        The amplitudes are linear. They are solved for at each place of the grid, all with the same sign.
        """
        shortest, longest = self.times
        pairs = combinations(np.geomspace(3 * shortest, longest, START_TIMES), 2)
        alpha = START_EXPONENT if "alpha" in names else ASSUMED_EXPONENT
        data = weights.white(self.reduced.current[:, None])
        best, least = {}, math.inf
        for (fast, slow), first, second in product(pairs, START_FILLINGS, START_FILLINGS):
            trial = {"g1": first / fast, "g2": second / slow, "tau_1": fast, "tau_2": slow}
            trial |= {"alpha": alpha, "alpha0": alpha}
            found = components(self.reduced.readings, trial)
            design = weights.white(np.column_stack([found.prompt, *found.filled]))
            triangle = np.asarray(np.linalg.qr(np.hstack([design, data]), mode="r"))
            for sign in (1, -1):
                amplitudes, distance = nnls(sign * triangle[:3, :3], triangle[:3, 3])
                if math.hypot(distance, triangle[3, 3]) < least:
                    least = math.hypot(distance, triangle[3, 3])
                    best = trial | dict(zip(PARAMETERS, sign * amplitudes, strict=False))
        return best


def fit_response(traces: Sequence[Trace]) -> Response:
    """Fit the response to all runs under light of one wavelength.

    Parameters
    ----------
    traces
        Runs with a record of the power density, each beginning in the dark on a device that has rested. Runs without
        light (the code 0000) add to what is known of the noise.

    Returns
    -------
    Response
        With one power only, the exponents are held at `ASSUMED_EXPONENT` and their errors are NaN.

    Raises
    ------
    AnalysisError
        If there is no light at all, a run has no record of it or begins under light, or there are too few runs.
    """
    reduced = reduce(traces)
    levels = np.concatenate([light.power for light in reduced.lights])
    several = np.unique(levels[levels > 0]).size > 1
    shared = PARAMETERS[: -1 if several else -2]
    lit = sum(bool((light.power > 0).any()) for light in reduced.lights)
    if lit <= len(shared):
        raise AnalysisError(
            f"{traces[0].measurement.id}: {lit} runs with light cannot determine {len(shared)} parameters and their "
            f"scatter; {len(shared) + 1} needed"
        )
    unit = float(np.ptp(reduced.current)) or 1.0
    series = Series(replace(reduced, current=reduced.current / unit))
    equal = Weights.equal(reduced)
    found = _settle(series, equal, shared, series.start(equal, shared))
    criteria = {q.ONE_EXPONENT: found.fitted.aicc}
    if several:
        own = series.fit(found.weights, PARAMETERS, found.values)
        criteria[q.OWN_EXPONENT] = own.aicc
        if own.aicc < found.fitted.aicc - PREFERRED:
            found = _settle(series, equal, PARAMETERS, series.values(own.params))
    judged = _judge(series, equal, found, unit)
    traps = None
    if judged.adequacy.status is Status.MISFIT and math.isfinite(judged.own.value):
        alpha = found.values["alpha"]
        traps = fit_traps(series.reduced, judged.own, alpha, series.times, several=several).scaled(unit)
        criteria |= {q.TWO_KINDS: judged.aicc, q.MANY_KINDS: traps.aicc}
    return _response(series, found, judged, traps, unit, lit, criteria)


@dataclass(frozen=True)
class _Settled:
    """A fit, and the noise and weights that agree with it."""

    names: tuple[str, ...]
    fitted: Fit
    values: dict[str, float]
    covariance: np.ndarray
    noise: Noise
    weights: Weights


def _settle(series: Series, equal: Weights, names: tuple[str, ...], start: dict[str, float]) -> _Settled:
    """Fit with the noise that the residuals of the last fit show, until both agree."""
    fitted, covariance = series.fit(equal, names, start), np.zeros((len(names), len(names)))
    for _ in range(ROUNDS):
        values = series.values(fitted.params)
        model, slopes = series.response(values, names)
        noise, weights = estimate(equal, series.reduced.current - model, model, slopes, covariance)
        fitted = series.fit(weights, names, values)
        covariance = covariance_of(weights.white(series.response(series.values(fitted.params), names)[1]))
    held = fitted.covariance.diagonal() == 0  # at a bound
    renamed = _by_decay_time(fitted)
    values = {renamed.get(name, name): value for name, value in series.values(fitted.params).items()}
    free = {renamed.get(name, name) for name, at_bound in zip(names, held, strict=True) if not at_bound}
    names = tuple(name for name in PARAMETERS if name in free)
    covariance = covariance_of(weights.white(series.response(values, names)[1]))
    if not np.isfinite(fitted.covariance).all():
        covariance = np.full_like(covariance, np.nan)
    return _Settled(names, fitted, values, covariance, noise, weights)


@dataclass(frozen=True)
class _Judged:
    """What the noise of readings from one to the next says of a fit; see `Response`."""

    own: ReadingNoise
    adequacy: Adequacy
    covariance: np.ndarray
    reduced_chi_square: float
    aicc: float


def _judge(series: Series, equal: Weights, found: _Settled, unit: float) -> _Judged:
    """Judge a fit by the noise of readings from one to the next; a misfit widens the covariance."""
    reduced = series.reduced

    def response(light: Light, time: np.ndarray) -> np.ndarray:
        readings = Readings.at(light.relative(reduced.reference), time)
        return unit * components(readings, found.values).current(found.values)

    own = reading_noise(reduced.traces, reduced.lights, response)
    model, slopes = series.response(found.values, found.names)
    within = replace(own, value=own.value / unit)
    _, weights = estimate(equal, reduced.current - model, model, slopes, found.covariance, within.value)
    white = weights.white((reduced.current - model)[:, None])[:, 0]
    freedom = white.size - 2 * equal.offset.size - len(found.names)
    adequacy, covariance = own.judged(white, freedom), found.covariance
    if not found.fitted.converged:
        adequacy = found.fitted.adequacy
    elif adequacy.status is Status.MISFIT:
        covariance = covariance_of(weights.white(slopes)) * adequacy.scale**2
    criterion = aicc(weights.deviance(white), len(found.names), white.size)
    return _Judged(within, adequacy, covariance, float(white @ white) / freedom, criterion)


def _by_decay_time(fitted: Fit) -> dict[str, str]:
    """Return new names that number the traps by their decay time."""
    if fitted.value("ln_tau_1") <= fitted.value("ln_tau_2"):
        return {}
    pairs = {"J1": "J2", "g1": "g2", "tau_1": "tau_2"}
    return pairs | {second: first for first, second in pairs.items()}


def _response(
    series: Series,
    found: _Settled,
    judged: _Judged,
    traps: Traps | None,
    unit: float,
    freedom: int,
    criteria: Mapping[str, float],
) -> Response:
    """Put the fit in ampere and add what was projected out of it."""
    reduced, fitted, noise = series.reduced, found.fitted, found.noise
    scale = {name: unit if quantity is q.PHOTOCURRENT else 1.0 for name, (quantity, _) in QUANTITIES.items()}
    factors = np.array([scale[name] for name in found.names])
    columns = (reduced.time, reduced.current, *series.response(found.values, found.names), reduced.readings.count)
    parts = zip(*(np.split(values, reduced.offset[1:]) for values in columns), strict=True)
    runs = [np.array(each) for each in zip(*(_dark(*part) for part in parts), strict=True)]
    (dark, dark_error, *differ), (drift, drift_error, *_) = (
        _mean(unit * values, precision, unit * noise.additive, unit * slopes, judged.covariance)
        for values, precision, slopes in zip(*(each.swapaxes(0, 1) for each in runs), strict=True)
    )
    return Response(
        values={name: value * scale[name] for name, value in found.values.items()},
        reference_power=reduced.reference,
        covariance=judged.covariance * np.outer(factors, factors),
        names=found.names,
        noise=noise.scaled(unit),
        dark_current=dark,
        dark_error=dark_error,
        dark_spread=differ[0],
        dark_spread_error=differ[1],
        drift=drift,
        drift_error=drift_error,
        aicc=criteria,
        runs=reduced.offset.size,
        freedom=freedom - len(found.names),
        n=fitted.n,
        reduced_chi_square=judged.reduced_chi_square,
        own=replace(judged.own, value=judged.own.value * unit),
        adequacy=judged.adequacy,
        traps=traps if traps and traps.aicc < judged.aicc - UNSUPPORTED else None,
    )


def _dark(
    time: np.ndarray, current: np.ndarray, response: np.ndarray, slopes: np.ndarray, count: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return dark current at the start and drift of a run, their precision, and their derivatives by the response.

    The response of the run may be larger or smaller than that of all runs. The shapes are (2,) for the values, (2,) for
    their precision, and (2, k) for the derivatives by the parameters of the response.
    """
    root = np.sqrt(count)[:, None]
    design = np.column_stack([np.ones(time.size), time - time[0], response]) * root
    inverse = np.linalg.pinv(design[:, : 3 if response.any() else 2])[:2]
    return inverse @ (current * root[:, 0]), 1 / np.sum(inverse**2, axis=1), -inverse @ (slopes * root)


def _mean(
    values: np.ndarray, precision: np.ndarray, noise: float, slopes: np.ndarray, covariance: np.ndarray
) -> tuple[float, float, float, float]:
    """Return the mean of runs of different precision, and how much runs differ, each with its standard error.

    This is a mean of random effects (DerSimonian & Laird, doi 10.1016/0197-2456(86)90046-2): runs differ by as much as
    they scatter beyond the noise and beyond the error of the response, which all runs share.
    """
    variance = np.maximum(noise**2 / precision, NO_VARIANCE)
    weight = 1 / variance
    away, apart = (each - weight @ each / weight.sum() for each in (values, slopes))
    excess = weight @ (away**2 - np.einsum("ri,ij,rj->r", apart, covariance, apart)) - (len(values) - 1)
    freedom = max(len(values) - 1, 1)
    scale = weight.sum() - weight @ weight / weight.sum() if len(values) > 1 else math.inf
    differ = max(excess, 0.0) / scale
    differ_error = error_of_root(differ, math.sqrt(2 * freedom) * (1 / scale + differ / freedom))
    weight = 1 / (variance + differ)
    shared = weight @ slopes / weight.sum()
    # The covariance of a response that the runs hardly determine may be indefinite by rounding.
    error = math.sqrt(1 / weight.sum() + max(shared @ covariance @ shared, 0.0))
    return float(weight @ values / weight.sum()), error, math.sqrt(differ), differ_error
