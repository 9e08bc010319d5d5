"""Power laws with a constant background: fits, a profile interval of the exponent, and a mean slope."""

import math
from dataclasses import dataclass

import lmfit
import numpy as np

from relaxor.core.errors import AnalysisError
from relaxor.stats.fit import Fit, fit, judged, parameters
from relaxor.stats.intervals import profile_interval


def power_law(power: np.ndarray, amplitude: float, exponent: float, background: float) -> np.ndarray:
    """Return ``amplitude · power^exponent + background``; power in the reference unit of the amplitude (1 mW)."""
    return amplitude * power**exponent + background


def _start(power: np.ndarray, signal: np.ndarray, background: bool) -> lmfit.Parameters:
    usable = (power > 0) & (signal > 0)
    if usable.sum() < 2:
        raise AnalysisError("fewer than two powers with a signal: no power law can be fitted")
    exponent, logarithm = np.polyfit(np.log(power[usable]), np.log(signal[usable]), 1)
    return parameters(
        amplitude=math.exp(logarithm),
        exponent=float(exponent),
        background={"value": 0.0, "vary": background},
    )


def orthogonal_power_law(
    power: np.ndarray, signal: np.ndarray, power_error: np.ndarray, signal_error: np.ndarray, *, background: bool
) -> Fit:
    """Fit a power law with errors on both axes by orthogonal distance regression (ODRPACK95).

    Boggs et al., doi 10.1145/76909.76913.

    Parameters
    ----------
    power, power_error
        Shape (n,); a power with error 0 (the blocked pump) is exact.
    signal, signal_error
        Shape (n,).
    background
        Whether a constant is added.

    Returns
    -------
    Fit
        ``amplitude``, ``exponent``, ``background``; chi-square holds both axes, n counts the points.
    """
    from odrpack import odr_fit

    params = _start(power, signal, background)
    exact = power_error == 0
    result = odr_fit(
        lambda x, beta: power_law(np.maximum(x, 0.0), *beta),  # a trial step may leave the physical range
        power,
        signal,
        np.array([params[name].value for name in ("amplitude", "exponent", "background")]),
        weight_x=1 / np.where(exact, 1.0, power_error) ** 2,
        weight_y=1 / signal_error**2,
        fix_x=exact,
        fix_beta=np.array([False, False, not background]),
        diff_scheme="central",
        maxit=500,
        sstol=1e-15,
        partol=1e-12,
    )
    if not result.success:
        raise AnalysisError(f"the power law did not converge ({result.stopreason})")
    names = tuple(name for name, parameter in params.items() if parameter.vary)
    for i, name in enumerate(params):
        params[name].value = result.beta[i]
        params[name].stderr = math.sqrt(result.cov_beta[i, i]) if name in names else None
    fitted = Fit(
        params=params,
        names=names,
        covariance=result.cov_beta[: len(names), : len(names)],
        chi_square=float(result.sum_square),
        n=power.size,
        absolute_sigma=True,
        residual=-result.eps / signal_error,
    )
    of_both_axes = np.concatenate([result.eps / signal_error, (result.delta / np.where(exact, 1.0, power_error))])
    return judged(fitted, of_both_axes, ordered=False)


def profile_exponent(
    power: np.ndarray, signal: np.ndarray, power_error: np.ndarray, signal_error: np.ndarray, fitted: Fit
) -> tuple[float, float]:
    """Return the profile-likelihood interval of the exponent, with errors on both axes.

    The likelihood is that of `orthogonal_power_law`, in which every uncertain power is a parameter.
    """
    uncertain = np.flatnonzero(power_error > 0)
    params = fitted.params.copy()
    for i in uncertain:
        params.add(f"power_{i}", value=power[i], min=0.0)

    def residual(trial: lmfit.Parameters) -> np.ndarray:
        actual = power.copy()
        actual[uncertain] = [trial[f"power_{i}"].value for i in uncertain]
        law = power_law(actual, *(trial[name].value for name in ("amplitude", "exponent", "background")))
        return np.concatenate([(law - signal) / signal_error, ((actual - power)[uncertain]) / power_error[uncertain]])

    return profile_interval(residual, fit(residual, params, absolute_sigma=True, ordered=False), "exponent")


@dataclass(frozen=True)
class MeanSlope:
    """A straight line through logarithms, y = amplitude · x^exponent, with the error of the exponent and the fit."""

    amplitude: float
    exponent: float
    error: float
    reduced_chi_square: float


def mean_slope(x: np.ndarray, y: np.ndarray, error: np.ndarray) -> MeanSlope:
    """Return the mean slope of y against x on logarithmic axes, by least squares with equal weights.

    The slope is a property of the range of x even if no power law holds, whereas weights by the errors would make it
    depend on the errors as well. Its error includes only that of y.

    Parameters
    ----------
    x, y, error
        Positive, shape (n,); ``error`` is the standard error of y.
    """
    away = np.log(x) - np.log(x).mean()
    weights = away / (away @ away)
    relative = error / y
    exponent = float(weights @ np.log(y))
    logarithm = float(np.log(y).mean() - exponent * np.log(x).mean())
    residual = (np.log(y) - logarithm - exponent * np.log(x)) / relative
    chi_square = float(residual @ residual) / max(x.size - 2, 1)
    return MeanSlope(math.exp(logarithm), exponent, float(np.linalg.norm(weights * relative)), chi_square)


def logarithmic_power_law(power: np.ndarray, signal: np.ndarray) -> Fit:
    """Fit a straight line to the logarithms without a background and with equal relative errors (usual, but biased)."""
    usable = (power > 0) & (signal > 0)
    x, y = np.log(power[usable]), np.log(signal[usable])
    start = _start(power, signal, background=False)
    params = parameters(
        log_amplitude=math.log(start["amplitude"].value),
        exponent=start["exponent"].value,
        amplitude={"expr": "exp(log_amplitude)"},
        background={"value": 0.0, "vary": False},
    )

    def residual(trial: lmfit.Parameters) -> np.ndarray:
        return trial["log_amplitude"].value + trial["exponent"].value * x - y

    return fit(residual, params, absolute_sigma=False)
