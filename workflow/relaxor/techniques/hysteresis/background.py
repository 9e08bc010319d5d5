"""The background of the current of a mean cycle: what is not switching.

The current through a device is I = A dP/dt + C dV/dt + L(V) + I0 + drift, with the leakage L. Beyond the switching
fields P is saturated, so that the other terms can be fitted there: C from the step of the current where the ramp turns,
L from the part of the current that both branches share. Several forms of C and L compete, because the fit sees the
saturated parts only, and its forms are extrapolated to smaller fields.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.signal import savgol_filter

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Adequacy, Quantity, Status
from relaxor.stats.adequacy import judge
from relaxor.stats.fit import aicc
from relaxor.techniques.hysteresis import quantities as q
from relaxor.techniques.hysteresis.cycles import Cycle
from relaxor.techniques.hysteresis.loops import Drive

BACKGROUNDS = {
    q.CAPACITIVE: (q.CAPACITANCE,),
    q.OHMIC: (q.CAPACITANCE, q.CONDUCTANCE),
    q.OHMIC_CUBIC: (q.CAPACITANCE, q.CONDUCTANCE, q.CONDUCTANCE_CUBIC),
    q.OHMIC_SQUARE: (q.CAPACITANCE, q.CONDUCTANCE, q.CONDUCTANCE_SQUARE),
    q.ASYMMETRIC: (q.CAPACITANCE, q.CONDUCTANCE, q.CONDUCTANCE_CUBIC, q.CONDUCTANCE_EVEN),
    q.TUNABLE: (q.CAPACITANCE, q.CONDUCTANCE, q.CONDUCTANCE_CUBIC, q.TUNING_VOLTAGE),
}
"""The parameters of the competing models of the background in the saturated parts."""
REVERSIBLE = (q.CONDUCTANCE, q.CONDUCTANCE_SQUARE, q.CONDUCTANCE_CUBIC, q.CONDUCTANCE_EVEN)
"""The parameters of the leakage of a slim loop, whose polarization is the same on both branches."""
OTHER_FORM = {
    q.OHMIC: q.OHMIC_CUBIC,
    q.OHMIC_CUBIC: q.OHMIC_SQUARE,
    q.OHMIC_SQUARE: q.OHMIC_CUBIC,
    q.TUNABLE: q.OHMIC_CUBIC,
    q.ASYMMETRIC: q.OHMIC_CUBIC,
    q.CAPACITIVE: q.OHMIC,
}
"""Another model for each, whose difference shows what the form of the extrapolation changes."""
DIELECTRIC = {q.CAPACITANCE, q.TUNING_VOLTAGE}
"""Parameters of the charge that is stored; all others are those of the leakage."""
TURN = 0.985
"""Part of the amplitude beyond which samples are left out, because the turn of the ramp is rounded."""
RAMP_SMOOTHING = 51
"""Number of samples over which the slope of the ramp is averaged."""
ROUNDING = 1e-12
"""Noise, relative to the largest current, below which it is only rounding of the arithmetic."""
TUNING = (0.05, 20.0)
"""Range in which the tuning voltage is searched, in amplitudes."""
LEAST_POWER = 4.0
"""Standard errors by which the power of a leakage must be negative to be impossible."""
Window = tuple[float, float]
"""Parts of the amplitude above which P is saturated while the field grows, and down to which while it shrinks."""


@dataclass(frozen=True, eq=False)
class Background:
    """Capacitance and leakage of a device, with replicates for the bootstrap.

    Attributes
    ----------
    model
        One of `BACKGROUNDS`, or ``reversible``.
    parameters
        Those that were fitted, k of them.
    values, replicates
        Shapes (k,) and (b, k).
    chi_square, n
        Of the fit.
    adequacy
        Whether it describes the parts of the current to which it was fitted.
    """

    model: str
    parameters: tuple[Quantity, ...]
    values: np.ndarray
    replicates: np.ndarray
    chi_square: float
    n: int
    adequacy: Adequacy

    @property
    def aicc(self) -> float:
        """Akaike's criterion with the small-sample term, for residuals of known scale."""
        return aicc(self.chi_square, len(self.parameters), self.n)

    def current(self, cycle: Cycle, *, dielectric: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return leakage, and if wanted the dielectric current, as value and replicates, shapes (n,) and (b, n), A."""
        used = [i for i, each in enumerate(self.parameters) if dielectric or each not in DIELECTRIC]
        value = dict(zip(self.parameters, self.values, strict=True))
        columns = _columns(cycle, self.parameters, value.get(q.TUNING_VOLTAGE), value.get(q.CAPACITANCE, 0.0))[:, used]
        linear = np.array([0.0 if self.parameters[i] == q.TUNING_VOLTAGE else self.values[i] for i in used])
        return columns @ linear, (self.replicates[:, used] - self.values[used] + linear) @ columns.T


def saturated(cycle: Cycle, window: Window) -> np.ndarray:
    """Mark the samples beyond the switching fields, shape (n,)."""
    rising, falling = window
    level = np.abs(cycle.field) / np.abs(cycle.field).max()
    growing = np.gradient(cycle.voltage) * cycle.voltage > 0
    return np.where(growing, level > rising, level > falling) & (level < TURN)


def fit_background(cycles: Sequence[Cycle], noise: Sequence[np.ndarray], model: str, window: Window) -> Background:
    """Fit one capacitance and one leakage to the saturated parts of all loops of a device.

    Parameters
    ----------
    cycles
        Saturating loops of one device.
    noise
        Their bootstrap replicates, each of shape (b, n).
    model
        One of `BACKGROUNDS`.
    window
        See `Window`.

    Raises
    ------
    AnalysisError
        If a current shows no noise, or the saturated parts hold too few samples.
    """
    parameters, parts = BACKGROUNDS[model], [saturated(cycle, window) for cycle in cycles]
    for cycle in cycles:
        if cycle.noise <= ROUNDING * np.abs(cycle.current).max():
            raise AnalysisError(
                f"{cycle.measurement.id}: the current shows no noise, so that no error can be given: its cycles are "
                "identical to the last digit, or too few digits are written; give the cycles as they were recorded"
            )
    data = np.concatenate([cycle.current[part] / cycle.noise for cycle, part in zip(cycles, parts, strict=True)])
    drawn = [draws[:, part] / cycle.noise for cycle, draws, part in zip(cycles, noise, parts, strict=True)]
    if len(data) <= 2 * len(parameters):
        names = ", ".join(cycle.measurement.id for cycle in cycles)
        raise AnalysisError(f"{names}: {len(data)} samples in the saturated parts; too few to fit the background")

    def design(tuning: float | None = None, capacitance: float = 0.0) -> np.ndarray:
        columns = (_columns(cycle, parameters, tuning, capacitance)[part] / cycle.noise
                   for cycle, part in zip(cycles, parts, strict=True))  # fmt: skip
        return np.concatenate(list(columns))

    if q.TUNING_VOLTAGE not in parameters:
        return _solved(model, parameters, design(), data, np.concatenate(drawn, axis=1))
    largest = max(float(np.abs(cycle.voltage).max()) for cycle in cycles)

    def misfit(logarithm: float) -> float:
        matrix = design(math.exp(logarithm))[:, :-1]
        return float(np.sum((data - matrix @ (_solver(matrix) @ data)) ** 2))

    ends = [math.log(end * largest) for end in TUNING]
    tuning = math.exp(minimize_scalar(misfit, bounds=ends, method="bounded").x)
    matrix = design(tuning)[:, :-1]
    capacitance = float((_solver(matrix) @ data)[0])
    return _solved(model, parameters, design(tuning, capacitance), data, np.concatenate(drawn, axis=1), tuning)


def _solver(matrix: np.ndarray) -> np.ndarray:
    """Return the matrix that turns data into the parameters of least squares."""
    scale = np.linalg.norm(matrix, axis=0)
    scale[scale == 0] = 1.0
    return np.linalg.pinv(matrix / scale) / scale[:, None]


def _solved(
    model: str,
    parameters: tuple[Quantity, ...],
    matrix: np.ndarray,
    data: np.ndarray,
    drawn: np.ndarray,
    tuning: float | None = None,
) -> Background:
    """Solve a linear problem; the tuning voltage is the last parameter, and its column is the change with it."""
    solve = _solver(matrix)
    solution = solve @ data
    residual = data - matrix @ solution
    if tuning is not None:
        linear = _solver(matrix[:, :-1]) @ data
        residual = data - matrix[:, :-1] @ linear
        solution = np.append(linear, tuning)
    chi_square, freedom = float(residual @ residual), len(data) - len(parameters)
    adequacy = judge(residual, freedom, absolute_sigma=True)
    return Background(model, parameters, solution, solution + drawn @ solve.T, chi_square, len(data), adequacy)


def _rate(cycle: Cycle) -> np.ndarray:
    """Return dV/dt of a period, shape (n,), V/s."""
    voltage = cycle.voltage
    rate = np.empty_like(voltage)
    first, turn = int(np.argmin(voltage)), int(np.argmax(voltage))
    # The noise of the voltage as it is read drives no current: the ramp is smoothed, but not across its turns.
    for start, stop in ((first, turn), (turn, first)):
        branch = np.arange(start, stop if stop > start else stop + len(voltage)) % len(voltage)
        length = min(RAMP_SMOOTHING, len(branch) - 1 + len(branch) % 2)
        rate[branch] = savgol_filter(voltage[branch], length, 2, deriv=1, delta=cycle.time[1] - cycle.time[0])
    for corner in (first, turn):  # the sample at a turn is a mean of both sides, as it is in the current
        rate[corner] = (rate[corner - 1] + rate[(corner + 1) % len(rate)]) / 2
    return rate


def _columns(
    cycle: Cycle, parameters: Iterable[Quantity], tuning: float | None = None, capacitance: float = 0.0
) -> np.ndarray:
    """Return the current per unit of each parameter over a period, without its mean, shape (n, k).

    The capacitance falls with the voltage as C / (1 + (V/tuning)²)^(1/3), Johnson's law of nonlinear dielectrics, J.
    Appl. Phys. 33, 2826 (1962); the column of the tuning voltage is the change of the current with it.
    """
    voltage, rate = cycle.voltage, _rate(cycle)
    ratio = (voltage / tuning) ** 2 if tuning else np.zeros_like(voltage)
    by_tuning = 2 / 3 * ratio / tuning * (1 + ratio) ** (-4 / 3) if tuning else ratio
    columns = {
        q.CAPACITANCE: rate * (1 + ratio) ** (-1 / 3),
        q.CONDUCTANCE: voltage,
        q.CONDUCTANCE_CUBIC: voltage**3,
        q.CONDUCTANCE_SQUARE: voltage * np.abs(voltage),
        q.CONDUCTANCE_EVEN: voltage**2,
        q.TUNING_VOLTAGE: capacitance * rate * by_tuning,
    }
    chosen = np.stack([columns[each] for each in parameters], axis=-1)
    return chosen - chosen.mean(axis=0)


def fit_reversible(cycles: Sequence[Cycle], noise: Sequence[np.ndarray]) -> Background:
    """Fit the leakage alone, under the assumption that the polarization is the same on both branches.

    The displacement current then has opposite signs on the branches, and cancels in the mean of both at one field. If
    that mean is a smooth leakage at all fields, the loop is slim: it shows no switching, only a dielectric.

    Parameters
    ----------
    cycles, noise
        As in `fit_background`.
    """
    rows, data, drawn = [], [], []
    for cycle, draws in zip(cycles, noise, strict=True):
        drive, mean = Drive.of(cycle.field), BranchMean(cycle)
        use = np.abs(drive.field[drive.rising]) < TURN * drive.field.max()
        current, scatter = mean(drive.roll(cycle.current))[use], mean(drive.roll(draws))[:, use]
        sigma = float(np.std(scatter))
        columns = np.stack([mean(each) for each in drive.roll(_columns(cycle, REVERSIBLE).T)], axis=-1)[use]
        rows.append((columns - columns.mean(axis=0)) / sigma)
        data.append((current - current.mean()) / sigma)
        drawn.append((scatter - scatter.mean(axis=1, keepdims=True)) / sigma)
    matrix = np.concatenate(rows)
    return _solved(q.REVERSIBLE, REVERSIBLE, matrix, np.concatenate(data), np.concatenate(drawn, axis=1))


class BranchMean:
    """The mean of both branches at the fields of the rising one, in which currents of opposite sign cancel."""

    def __init__(self, cycle: Cycle) -> None:
        """Find the samples of the falling branch at the fields of the rising one."""
        drive = Drive.of(cycle.field)
        rising, falling = drive.field[drive.rising], np.maximum.accumulate(drive.field[drive.falling][::-1])
        rate = np.abs(drive.roll(_rate(cycle)))
        self.drive = drive
        self.after = np.clip(np.searchsorted(falling, rising), 1, len(falling) - 1)
        width = falling[self.after] - falling[self.after - 1]
        self.part = np.clip((rising - falling[self.after - 1]) / np.where(width > 0, width, 1.0), 0, 1)
        back = self._falling(rate)
        self.share = back / (rate[drive.rising] + back)

    def _falling(self, values: np.ndarray) -> np.ndarray:
        branch = values[..., self.drive.falling][..., ::-1]
        return (1 - self.part) * branch[..., self.after - 1] + self.part * branch[..., self.after]

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Return the mean of values in the order of the field, shape (..., n), at the fields of the rising branch."""
        return self.share * values[..., self.drive.rising] + (1 - self.share) * self._falling(values)


def gives_energy(background: Background, cycles: Sequence[Cycle]) -> bool:
    """Return whether a leakage gives energy away, which no device can, by more than its error in one of the cycles."""
    for cycle in cycles:
        value, drawn = background.current(cycle, dielectric=False)
        power, replicates = value @ cycle.voltage, drawn @ cycle.voltage
        if power < -LEAST_POWER * replicates.std(ddof=1):
            return True
    return False


def chosen(
    backgrounds: Mapping[str, Background], configured: str, cycles: Sequence[Cycle]
) -> tuple[Background, Adequacy]:
    """Return the background that is subtracted, and what is known of it.

    The configured model is replaced only where it does not describe the saturated parts, or gives energy away, and
    another one does not. That of the capacitance alone has no leakage and remains if all others are impossible.
    """
    possible = [each for each in backgrounds.values() if not gives_energy(each, cycles)]
    own = backgrounds[configured]
    others = [each for each in possible if each.adequacy.status == Status.OK]
    if own in possible and (own.adequacy.status == Status.OK or not others):
        return own, own.adequacy
    best = min(others or possible, key=lambda each: each.aicc)
    remark = (
        f"assumed: '{configured}' misses the saturated parts or gives energy away, so that '{best.model}' is "
        "subtracted, whose form inside the loop is not measured"
    )
    return best, best.adequacy.joined(Adequacy(Status.ASSUMED, 1.0, remark))
