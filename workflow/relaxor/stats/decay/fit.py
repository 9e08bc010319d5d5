"""A law fitted to data, with the covariance of its parameters."""

import math

import lmfit
import numpy as np
from scipy.special import expit

from relaxor.stats.decay.laws import Decay, Law
from relaxor.stats.decay.search import best_fit
from relaxor.stats.fit import Fit, combination, parameters, sharpened


def fit_decay(decay: Decay, fewer: Fit | None = None) -> Fit:
    """Fit a law of relaxation; no start values are needed.

    Parameters
    ----------
    decay
        The law and the data.
    fewer
        Fit of the law with one exponential fewer, if it exists already.

    Returns
    -------
    Fit
        ``floor`` (fixed if it is known), ``amplitude``, ``tau`` (numbered if there are several, with ascending tau),
        ``beta`` if the law is stretched, and the underlying `Law.shape`.

    Raises
    ------
    ValueError
        If there are fewer points than parameters.
    """
    law = decay.law
    shape, linear = best_fit(decay, _values(fewer.params, law.shape[: law.terms - 1]) if fewer else None)
    values = dict(zip(decay.linear, linear, strict=True))
    params = parameters(floor=values.get("floor", {"value": decay.floor, "vary": False}))
    for name in decay.linear[-law.terms - law.drift :]:
        params.add(name, value=values[name])
    for name, value, low, high in zip(law.shape, shape, *decay.limits, strict=True):
        params.add(name, value=value, min=low, max=high)

    def residual(trial: lmfit.Parameters) -> np.ndarray:
        return decay.basis(_values(trial, law.shape)) @ _values(trial, decay.linear) - decay.target

    def jacobian(trial: lmfit.Parameters) -> np.ndarray:
        basis, slopes = decay.basis_and_slopes(_values(trial, law.shape))
        return np.column_stack([basis, np.einsum("ntq,t->nq", slopes, _values(trial, law.amplitudes))])

    fitted = sharpened(residual, params, absolute_sigma=decay.sigma is not None, jacobian=jacobian)
    _add_taus(law, fitted)
    return fitted


def _add_taus(law: Law, fitted: Fit) -> None:
    """Add time constants and beta with standard errors (delta method); lmfit expressions would cost a search."""
    shape = _values(fitted.params, law.shape)
    slopes = {name: float(expit(gap)) for name, gap in zip(law.shape[1 : law.terms], shape[1:], strict=False)}
    gradients = [{"log_tau": 1.0} | dict(list(slopes.items())[:k]) for k in range(law.terms)]
    logarithms = dict(zip(law.taus, zip(law.log_taus(shape), gradients, strict=True), strict=True))
    if law.stretched:
        logarithms["beta"] = shape[1], {"log_beta": 1.0}
    for name, (logarithm, gradient) in logarithms.items():
        fitted.params.add(name, value=math.exp(logarithm), vary=False)
        fitted.params[name].stderr = fitted.params[name].value * combination(fitted, gradient)


def _values(params: lmfit.Parameters, names: tuple[str, ...]) -> np.ndarray:
    return np.array([params[name].value for name in names])
