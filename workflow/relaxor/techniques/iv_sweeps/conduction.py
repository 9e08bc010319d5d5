"""Mechanisms of conduction: six laws are fitted to one branch of a sweep in one way, so that AICc compares them.

Every law is fitted to the current itself with the same weights. Straight lines in the usual plots (ln I against √V,
ln(I/V) against √V, ln(I/V²) against 1/V) weigh the points differently and cannot be compared. The best fit alone
does not prove a mechanism: laws are similar over a small range of voltage, and only the dependence on temperature and
thickness decides between them.

The slope of an emission law states a permittivity, and that of tunnelling a barrier, if the distance of the electrodes
is known. A law whose constant no material has is marked and never the best one; Chiu, doi 10.1155/2014/578168, asks for
this check. No law describes a device down to its noise, so that neighbouring residuals deviate together: AICc then
counts as many points as are independent.
Laws as collected by Chiu and by Sze & Ng, Physics of Semiconductor Devices, 3rd ed., ch. 3, 4.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import lmfit
import numpy as np
from scipy import constants

from relaxor.core.results import NORMAL_QUANTILE, Quantity
from relaxor.stats.adequacy import judge, together
from relaxor.stats.fit import Fit, aicc, combination, fit, parameters
from relaxor.techniques.iv_sweeps import quantities as q
from relaxor.techniques.iv_sweeps.cycles import POLARITIES, Cycle

LEAST_POINTS = 10
"""Smallest number of points of a branch to which the laws are fitted."""
NOISE_VARIANCE = 4.0
"""Variance of squared residuals whose standard deviation was estimated from few neighbours; it is 2 for a known one."""
FEWEST_INDEPENDENT = 6.0
"""Smallest number of independent points, with which AICc exists for three parameters."""
LARGEST_EXPONENT = 300.0
"""Largest logarithm of a constant of a law; a slope that noise states has any."""
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
    material
        The constant of the material that the slope states, None where it states none.
    """

    power: int
    prefactor: Quantity
    slope: Quantity | None = None
    abscissa: Callable[[np.ndarray], np.ndarray] = np.zeros_like
    material: Quantity | None = None

    def exponent(self, voltage: np.ndarray, slope: float) -> np.ndarray:
        """Return ln(I/c) at magnitudes of the voltage (V), shape (n,)."""
        return self.power * np.log(voltage) + slope * self.abscissa(voltage)


LAWS: dict[str, Law] = {
    q.OHMIC: Law(1, q.CONDUCTANCE),
    q.SPACE_CHARGE_LIMITED: Law(2, q.COEFFICIENT),
    q.POWER_LAW: Law(0, q.CURRENT, q.EXPONENT, np.log),
    q.SCHOTTKY: Law(0, q.PREFACTOR.in_unit("A"), q.SLOPE_AGAINST_ROOT, np.sqrt, q.PERMITTIVITY),
    q.POOLE_FRENKEL: Law(1, q.PREFACTOR.in_unit("S"), q.SLOPE_AGAINST_ROOT, np.sqrt, q.PERMITTIVITY),
    q.FOWLER_NORDHEIM: Law(2, q.PREFACTOR.in_unit("A/V^2"), q.SLOPE_AGAINST_INVERSE, lambda v: -1 / v, q.BARRIER),
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


@dataclass(frozen=True)
class Compared:
    """The laws on one branch, compared.

    Attributes
    ----------
    fits
        Law → fit, see `fit_mechanisms`.
    material
        Law → the constant of the material that its slope states, with its standard error; without a distance of the
        electrodes there are none.
    impossible
        Law → why no material has its constants.
    points
        Number of independent points.
    """

    fits: dict[str, Fit]
    material: dict[str, tuple[float, float]]
    impossible: dict[str, str]
    points: float

    def aicc(self, law: str) -> float:
        """Return Akaike's criterion of a law for the number of independent points."""
        fitted = self.fits[law]
        return aicc(self.points * math.log(fitted.chi_square / fitted.n), len(fitted.names) + 1, self.points)

    @property
    def best(self) -> str:
        """The law of least AICc among those that are possible."""
        return min((law for law in self.fits if law not in self.impossible), key=self.aicc)


def compare(branch: Branch, gap: float | None, temperature: float) -> Compared:
    """Fit all laws to a branch, and tell which of them a material can follow.

    Parameters
    ----------
    gap
        Distance of the electrodes in µm, None if it is unknown.
    temperature
        K.
    """
    fits = fit_mechanisms(branch)
    # The law that misses the data least tells how many neighbours deviate together for another reason than its misfit.
    least = min(fits.values(), key=lambda fitted: fitted.chi_square)
    points = max(least.n / together(least.residual), FEWEST_INDEPENDENT)
    material = {
        name: material_constant(law, name, fits[name], gap, temperature)
        for name, law in LAWS.items()
        if gap and law.material and fits[name].value("slope") > 0
    }
    thermal = constants.k * temperature / constants.e
    reasons = {name: _impossible(name, fits[name], material.get(name), branch, thermal) for name in LAWS}
    return Compared(fits, material, {name: reason for name, reason in reasons.items() if reason}, points)


def material_constant(law: Law, name: str, fitted: Fit, gap: float, temperature: float) -> tuple[float, float]:
    """Return the relative permittivity or the barrier (eV) that the slope of a law states, with its standard error.

    Schottky emission has the slope √(q³/4π ε₀ ε_r d)/kT against √V, and Poole–Frenkel emission twice that of one
    electron without compensation; tunnelling has (8π/3qh) √(2m) φ^(3/2) d against −1/V, with the mass of the free
    electron.

    Parameters
    ----------
    gap
        Distance of the electrodes, µm.
    temperature
        K.
    """
    slope, error = fitted.estimate("slope")
    distance = gap * 1e-6
    if law.material is q.BARRIER:
        per_barrier = 8 * math.pi * math.sqrt(2 * constants.m_e) * distance / (3 * constants.e * constants.h)
        barrier = (slope / per_barrier) ** (2 / 3) / constants.e
        return barrier, 2 / 3 * barrier * error / slope
    lowering = 4 if name == q.POOLE_FRENKEL else 1
    thermal = slope * constants.k * temperature / constants.e
    permittivity = lowering * constants.e / (4 * math.pi * constants.epsilon_0 * distance * thermal**2)
    return permittivity, 2 * permittivity * error / slope


def _impossible(name: str, fitted: Fit, material: tuple[float, float] | None, branch: Branch, thermal: float) -> str:
    """Return why no material has the constants of a law, and nothing if one may have them; ``thermal`` is kT in eV."""
    if not fitted.converged:
        return "the search did not converge"
    slope, error = fitted.estimate("slope")
    if LAWS[name].material and slope + NORMAL_QUANTILE * error <= 0:
        return "the current of this law would fall with the field"
    if material is None:
        return ""
    value, spread = material
    if LAWS[name].material is q.PERMITTIVITY and value + NORMAL_QUANTILE * spread < 1:
        return f"its slope states a relative permittivity of {value:.2g}, below that of the vacuum"
    if LAWS[name].material is q.BARRIER and value - NORMAL_QUANTILE * spread > branch.voltage[-1]:
        return f"its slope states a barrier of {value:.2g} eV, above the largest voltage"
    if LAWS[name].material is q.BARRIER and value + NORMAL_QUANTILE * spread < thermal:
        return f"its slope states a barrier of {value:.2g} eV, less than kT"
    return ""


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
    slope = usual_slope(law, branch) if law.slope else 0.0
    # At the largest voltage, where the current is known best, amplitude and slope are least correlated.
    top = float(np.mean(branch.current[-5:]))
    params = parameters(reference=top, slope={"value": slope, "vary": law.slope is not None})

    def residual(trial: lmfit.Parameters) -> np.ndarray:
        return (current(law, trial, branch.voltage, branch.voltage[-1]) - branch.current) / branch.sigma

    fitted = fit(residual, params, absolute_sigma=False)
    if not fitted.converged:
        return fitted
    # Errors have the scale of the residuals already; the noise of the points says whether that is a misfit.
    noise = judge(fitted.residual, fitted.freedom, absolute_sigma=True, variance=NOISE_VARIANCE, ordered=False)
    return replace(fitted, adequacy=fitted.adequacy.joined(noise))


def usual_slope(law: Law, branch: Branch) -> float:
    """Return the slope of the usual straight line of a law, 0 if too few currents are clear of the noise.

    Every clear current has the same relative weight.
    """
    clear = branch.current > 3 * branch.sigma
    if clear.sum() <= 2:
        return 0.0
    v = branch.voltage[clear]
    return float(np.polyfit(law.abscissa(v), np.log(branch.current[clear] / v**law.power), 1)[0])


def prefactor(law: Law, fitted: Fit, largest: float) -> tuple[float, float]:
    """Return the constant of a law, in A and V, with its standard error.

    Parameters
    ----------
    fitted
        Result of `fit_mechanisms`.
    largest
        Largest voltage of the branch, V, to which ``reference`` belongs.
    """
    exponent = float(law.exponent(np.array(largest), fitted.value("slope")))
    value = fitted.value("reference") * math.exp(-np.clip(exponent, -LARGEST_EXPONENT, LARGEST_EXPONENT))
    by_slope = -value * float(law.abscissa(np.array(largest)))
    return value, combination(fitted, {"reference": value / fitted.value("reference"), "slope": by_slope})
