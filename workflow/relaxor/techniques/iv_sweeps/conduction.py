"""Mechanisms of conduction: six laws are fitted to one branch of a sweep in one way, so that AICc compares them.

Every law is fitted to the current itself with the same weights. Straight lines in the usual plots (ln I against √V,
ln(I/V) against √V, ln(I/V²) against 1/V) weigh the points differently and cannot be compared. The best fit alone
does not prove a mechanism: laws are similar over a small range of voltage, and only the dependence on temperature and
thickness decides between them.
Laws as collected by Chiu, doi 10.1155/2014/578168, and Sze & Ng, Physics of Semiconductor Devices, 3rd ed., ch. 3, 4.
"""

from collections.abc import Callable
from dataclasses import dataclass

import lmfit
import numpy as np

from relaxor.core.results import Quantity
from relaxor.stats.fit import Fit, combination, fit, parameters
from relaxor.techniques.iv_sweeps import quantities as q
from relaxor.techniques.iv_sweeps.cycles import POLARITIES, Cycle

LEAST_POINTS = 10
"""Smallest number of points of a branch to which the laws are fitted."""
BRANCHES = ("up", "down")
"""Branches on which the magnitude of the voltage grows, and on which it shrinks."""


@dataclass(frozen=True)
class Law:
    """A law of conduction, I = c · v^p · exp(slope · x(v)) with v = |V|/(1 V).

    Attributes
    ----------
    power
        The exponent p.
    prefactor
        The constant c.
    slope
        The slope, None where the law has none.
    abscissa
        x(v); ln(I/v^p) against it is the usual straight line of the law.
    """

    power: int
    prefactor: Quantity
    slope: Quantity | None = None
    abscissa: Callable[[np.ndarray], np.ndarray] = np.zeros_like

    def exponent(self, voltage: np.ndarray, slope: float) -> np.ndarray:
        """Return ln(I/c) at magnitudes of the voltage (V), shape (n,)."""
        return self.power * np.log(voltage) + slope * self.abscissa(voltage)


LAWS: dict[str, Law] = {
    q.OHMIC: Law(1, q.CONDUCTANCE),
    q.SPACE_CHARGE_LIMITED: Law(2, q.COEFFICIENT),
    q.POWER_LAW: Law(0, q.CURRENT, q.EXPONENT, np.log),
    q.SCHOTTKY: Law(0, q.PREFACTOR.in_unit("A"), q.SLOPE_AGAINST_ROOT, np.sqrt),
    q.POOLE_FRENKEL: Law(1, q.PREFACTOR.in_unit("S"), q.SLOPE_AGAINST_ROOT, np.sqrt),
    q.FOWLER_NORDHEIM: Law(2, q.PREFACTOR.in_unit("A/V^2"), q.SLOPE_AGAINST_INVERSE, lambda v: -1 / v),
}
"""The laws by model; see `MODELS` of the quantities for their meaning."""


@dataclass(frozen=True)
class Branch:
    """One branch of one polarity of a cycle, above the smallest voltage and outside the compliance.

    Attributes
    ----------
    feature
        Its name, such as ``up positive``.
    polarity
        +1 or −1.
    voltage, current, sigma
        Magnitude of the voltage (V), current along it and its standard uncertainty (A), shape (n,), voltage rising.
    """

    feature: str
    polarity: int
    voltage: np.ndarray
    current: np.ndarray
    sigma: np.ndarray


def branches_of(cycle: Cycle, smallest_voltage: float) -> list[Branch]:
    """Cut the branches out of a cycle that have `LEAST_POINTS` points above the smallest voltage (V)."""
    found = []
    for polarity_name, polarity in POLARITIES.items():
        for name, part in zip(BRANCHES, (cycle.outward(polarity), cycle.inward(polarity)), strict=True):
            usable = np.flatnonzero(part & ~cycle.clipped & (np.abs(cycle.voltage) > smallest_voltage))
            usable = usable[np.argsort(np.abs(cycle.voltage[usable]), kind="stable")]
            if usable.size >= LEAST_POINTS:
                voltage, current = np.abs(cycle.voltage[usable]), polarity * cycle.current[usable]
                found.append(Branch(f"{name} {polarity_name}", polarity, voltage, current, cycle.sigma[usable]))
    return found


def fit_mechanisms(branch: Branch) -> dict[str, Fit]:
    """Fit all laws to a branch.

    The weights are those of the noise; their scale is free, because no law describes a device down to its noise.

    Returns
    -------
    dict
        Law → fit with ``reference``, the current at the largest voltage in A, and ``slope`` where the law has one.
    """
    return {name: _fit(law, branch) for name, law in LAWS.items()}


def current(law: Law, params: lmfit.Parameters, voltage: np.ndarray, largest: np.ndarray) -> np.ndarray:
    """Return the current (A) of a law at magnitudes of the voltage, from that at the largest (V), shape (n,)."""
    slope = params["slope"].value
    return params["reference"].value * np.exp(law.exponent(voltage, slope) - law.exponent(largest, slope))


def _fit(law: Law, branch: Branch) -> Fit:
    clear = branch.current > 3 * branch.sigma
    slope = 0.0
    if law.slope and clear.sum() > 2:
        v = branch.voltage[clear]
        slope = float(np.polyfit(law.abscissa(v), np.log(branch.current[clear] / v**law.power), 1)[0])
    # At the largest voltage, where the current is known best, amplitude and slope are least correlated.
    top = float(np.mean(branch.current[-5:]))
    params = parameters(reference=top, slope={"value": slope, "vary": law.slope is not None})

    def residual(trial: lmfit.Parameters) -> np.ndarray:
        return (current(law, trial, branch.voltage, branch.voltage[-1]) - branch.current) / branch.sigma

    return fit(residual, params, absolute_sigma=False)


def prefactor(law: Law, fitted: Fit, largest: float) -> tuple[float, float]:
    """Return the constant of a law, in A and V, with its standard error.

    Parameters
    ----------
    fitted
        Result of `fit_mechanisms`.
    largest
        Largest voltage of the branch, V, to which ``reference`` belongs.
    """
    value = fitted.value("reference") * float(np.exp(-law.exponent(np.array(largest), fitted.value("slope"))))
    by_slope = -value * float(law.abscissa(np.array(largest)))
    return value, combination(fitted, {"reference": value / fitted.value("reference"), "slope": by_slope})
