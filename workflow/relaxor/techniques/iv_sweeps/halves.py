"""Resistive switching in one half of a cycle: the currents of both states, and the voltage at which the state changes.

In each half of a cycle the device goes out to the extreme voltage and comes back. Where it comes back with more current
than it went out it was set, where with less it was reset. The logarithm of the ratio of both currents, at the same
voltage, is the window; it is open before the device switches and closed after it. That the current of a state grows
with the voltage changes both branches alike and moves nothing.

- The set voltage is that at which the way out has closed half of the window that is open at the read voltage. An abrupt
  set has it where the current rises most steeply, as it is usually defined; of a gradual one, the part of the sweep in
  which the window closes from 3/4 to 1/4 is a systematic error, as definitions differ within it. Where the voltage
  across the device collapses as it is set (a resistor in series), it lies one half of a step above the last voltage
  before that.
- The reset voltage is that of the largest current of the way out before it has closed half of the window, or the middle
  of the step in which the current falls at once: where the reset begins. The literature has this definition beside that
  of the steepest fall and others, between which a gradual reset differs (Roldán et al., doi 10.1109/TED.2022.3197677,
  compare three).

Where the window closes over a large part of the sweep no voltage stands out, and where it is hardly open the device
does not switch; both are said instead of a number.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from relaxor.techniques.iv_sweeps.cycles import POLARITIES, Cycle
from relaxor.techniques.iv_sweeps.readings import NOTHING, Reading, current_at

READ_PART = 0.25
"""Read voltage as a part of the smaller extreme voltage of a cycle, where the settings give none."""
BELOW_COMPLIANCE = 0.8
"""Largest read voltage as a part of the lowest voltage at which the compliance holds the current."""
GRADUAL = 0.3
"""Part of the extreme voltage over which the window closes from 3/4 to 1/4, above which no voltage stands out."""
OPEN, HALF, CLOSED = 0.75, 0.5, 0.25
"""Parts of the logarithmic window: still open, half closed, and closed."""
FALLS = 0.9
"""Part of the largest current below which the current of a reset falls."""
JUMP = 3
"""Usual steps that the voltage across a device jumps when it is set or reset behind a resistor or a compliance."""
SEEN = 3.0
"""Standard errors that a current must have to be told from zero."""
BRANCHES = ("out", "back")


@dataclass(frozen=True)
class Half:
    """The half of a cycle at one polarity.

    Attributes
    ----------
    polarity
        ``positive`` or ``negative``.
    read_voltage
        Signed, V.
    off, on
        Current of both states at the read voltage, A; NaN where the device does not switch.
    curvature
        Relative errors of both currents because of the points on which they are read, in the same order.
    sets
        Whether the device has more current on the way back.
    threshold
        Set or reset voltage, signed, V; NaN where there is none.
    transition
        Part of the sweep in which the device is set, beyond one step, V.
    reason
        Why there is no threshold.
    limit
        Why the off state is only known to carry less current than `off`; nothing if it is read.
    """

    polarity: str
    read_voltage: float
    off: Reading = NOTHING
    on: Reading = NOTHING
    curvature: tuple[float, float] = (0.0, 0.0)
    sets: bool = True
    threshold: Reading = NOTHING
    transition: float = 0.0
    reason: str = ""
    limit: str = ""

    @property
    def switches(self) -> bool:
        """Whether both states are told apart."""
        return math.isfinite(self.on[0])

    @property
    def found(self) -> bool:
        """Whether a set or reset voltage stands out."""
        return math.isfinite(self.threshold[0])


def ways(cycle: Cycle, polarity: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the points on the way out to the extreme voltage of a polarity, and those on the way back, as indices.

    The extreme voltage divides them, so that the voltage across a device may fall on the way out.
    """
    side = np.flatnonzero(polarity * cycle.voltage > 0)
    out, back = [], []
    for run in np.split(side, np.flatnonzero(np.diff(side) > 1) + 1):
        if run.size:
            top = int(np.argmax(polarity * cycle.voltage[run]))
            out.append(run[: top + 1] if top else run[:0])
            back.append(run[top + 1 :] if top else run)
    return (np.concatenate(out), np.concatenate(back)) if out else (side, side)


def usual_read_voltage(cycle: Cycle) -> float:
    """Return the read voltage where the settings give none, V: low, and below voltages that the compliance changes."""
    extremes = [cycle.amplitude(sign) for sign in POLARITIES.values()]
    read = READ_PART * min(extreme for extreme in extremes if extreme)
    held = np.abs(cycle.voltage[cycle.clipped])
    return min(read, BELOW_COMPLIANCE * float(held.min())) if held.size else read


def read_halves(cycle: Cycle, read_voltage: float | None, window: float, least_ratio: float) -> list[Half]:
    """Read every half of a cycle that goes out and comes back.

    Parameters
    ----------
    read_voltage
        Positive, V; None stands for the usual one.
    window
        Part of the extreme voltage around a voltage from which the current there is taken.
    least_ratio
        Ratio of the currents of both branches from which on a device switches.
    """
    read, found = read_voltage or usual_read_voltage(cycle), []
    for name, sign in POLARITIES.items():
        extreme, branches = cycle.amplitude(sign), ways(cycle, sign)
        if min(map(len, branches)) and read < extreme:
            found.append(_half(cycle, name, read, branches, min(window * extreme, read / 2), least_ratio))
    return found


def _half(
    cycle: Cycle, name: str, read: float, branches: tuple[np.ndarray, np.ndarray], window: float, least_ratio: float
) -> Half:
    sign = POLARITIES[name]
    half = Half(name, sign * read)
    where = f"the current at {half.read_voltage:.3g} V"
    out, back = (_read(cycle, branch, half.read_voltage, window) for branch in branches)
    if not (math.isfinite(out[0]) and math.isfinite(back[0])):
        return replace(half, reason=f"{where} is not known on both branches")
    half = replace(half, sets=bool(sign * back[0] >= sign * out[0]))
    off, on = (out, back) if half.sets else (back, out)
    if sign * on[0] <= SEEN * on[1]:
        return replace(half, reason=f"{where} is not told from zero")
    limit = ""
    if sign * off[0] <= SEEN * off[1]:
        limit = f"{where} in the off state is not told from zero: its upper limit ({SEEN:g} standard errors)"
        off = sign * (abs(off[0]) + SEEN * off[1]), 0.0
    ratio = on[0] / off[0]
    if ratio < least_ratio or math.log(ratio) < SEEN * math.hypot(on[1] / on[0], off[1] / off[0]):
        apart = f"both branches differ by a factor of {ratio:.3g} at {half.read_voltage:.3g} V, less than"
        return replace(half, reason=f"no switching: {apart} {least_ratio:g} or than their noise")
    curved = [0.0 if limit and state is off else _curved(cycle, branch, half.read_voltage, state)
              for state, branch in zip((off, on), branches if half.sets else branches[::-1], strict=True)]  # fmt: skip
    half = replace(half, off=off, on=on, curvature=(curved[0], curved[1]), limit=limit)
    return _with_threshold(half, cycle, branches)


def _read(cycle: Cycle, branch: np.ndarray, voltage: float, window: float) -> Reading:
    """Return the current of a branch at a voltage: the conductance, which bends less, times the voltage."""
    mask = np.isin(np.arange(cycle.voltage.size), branch)
    volt = np.where(mask, cycle.voltage, 1.0)
    conductance = replace(cycle, current=cycle.current / volt, sigma=cycle.sigma / np.abs(volt))
    value, error = current_at(conductance, [mask], voltage, window)
    return value * voltage, error * abs(voltage)


def _curved(cycle: Cycle, branch: np.ndarray, voltage: float, current: Reading) -> float:
    """Return how far a current lies from the line between the two neighbouring points beyond their noise, relative."""
    order = branch[np.argsort(np.abs(cycle.voltage[branch]), kind="stable")]
    at = int(np.clip(np.searchsorted(np.abs(cycle.voltage[order]), abs(voltage)), 1, order.size - 1))
    low, high = order[at - 1], order[at]
    width = cycle.voltage[high] - cycle.voltage[low]
    part = (voltage - cycle.voltage[low]) / width if width else 0.0
    line = (1 - part) * cycle.current[low] + part * cycle.current[high]
    away = abs(line - current[0]) - SEEN * max(cycle.sigma[low], cycle.sigma[high])
    return max(float(away / abs(current[0])), 0.0)


# --- set and reset voltage
def _with_threshold(half: Half, cycle: Cycle, branches: tuple[np.ndarray, np.ndarray]) -> Half:
    """Return a half with its set or reset voltage, or with the reason why there is none."""
    sign = POLARITIES[half.polarity]
    out, back = branches
    voltage, current, sigma = sign * cycle.voltage[out], sign * cycle.current[out], cycle.sigma[out]
    order = np.argsort(sign * cycle.voltage[back])
    way_back = np.interp(voltage, sign * cycle.voltage[back][order], sign * cycle.current[back][order])
    beyond = np.flatnonzero(voltage >= abs(half.read_voltage))
    if beyond.size < 2:
        return replace(half, reason="fewer than two points beyond the read voltage")
    change = np.log(np.maximum(way_back, sigma) / np.maximum(current, sigma))[beyond]
    window = change * (1 if half.sets else -1) / math.log(half.on[0] / half.off[0])
    held = np.interp(voltage, sign * cycle.voltage[back][order], cycle.clipped[back][order]) > 0
    # The state of the way back would carry more current than the compliance allows.
    window = np.where((held & ~cycle.clipped[out])[beyond], np.maximum(window, 1.0), window)
    low = window < HALF
    low[:-1] &= window[1:] < OPEN  # a single outlier closes no window
    if not low.any():
        step = float(np.median(np.abs(np.diff(voltage))))
        first, more = sign * float(cycle.voltage[back[0]]), sign * cycle.current[back[0]] > current[-1]
        if half.sets and more and voltage[-1] - first > JUMP * step:  # the voltage collapses at the extreme one
            return replace(half, threshold=(sign * float(voltage[-1] + step / 2), step / math.sqrt(12)))
        return replace(half, reason="the window stays open up to the extreme voltage")
    if low[0]:
        return replace(half, reason="the device has switched before the read voltage: choose a smaller one")
    last = int(np.argmax(low)) - 1
    if half.sets:
        return _set(half, voltage[beyond], window, last)
    return _reset(half, voltage, current, sigma, int(beyond[last]))


def _set(half: Half, voltage: np.ndarray, window: np.ndarray, last: int) -> Half:
    """Return a half that is set behind a point, of voltages beyond the read voltage and the window at them."""
    before, after = np.flatnonzero(window[: last + 1] > OPEN), np.flatnonzero(window[last + 1 :] < CLOSED)
    begin = int(before[-1]) if before.size else 0
    end = last + 1 + int(after[0]) if after.size else window.size - 1
    wide = float(voltage[end] - voltage[begin])
    sign = POLARITIES[half.polarity]
    if wide > GRADUAL * voltage.max() and end - begin > 2:
        part = f"from {sign * voltage[begin]:.3g} to {sign * voltage[end]:.3g} V"
        return replace(half, reason=f"the resistance changes gradually, {part}: no voltage stands out")
    here, there = float(voltage[last]), float(voltage[last + 1])
    step = float(np.median(np.abs(np.diff(voltage[: last + 2]))))
    if there <= here:  # the voltage across the device collapses
        return replace(half, threshold=(sign * (here + step / 2), step / math.sqrt(12)))
    part = (window[last] - HALF) / (window[last] - window[last + 1])
    found = sign * float(here + part * (there - here)), max(there - here, step) / math.sqrt(12)
    return replace(half, threshold=found, transition=max(wide - (there - here), 0.0))


def _reset(half: Half, voltage: np.ndarray, current: np.ndarray, sigma: np.ndarray, last: int) -> Half:
    """Return a half that is reset behind a point of the way out.

    The error covers all points that may be the largest one by their noise, and the step on both sides of them. Where
    the last point is one of them, the device is reset at once, between this point and the next one.
    """
    sign = POLARITIES[half.polarity]
    top, step = int(np.argmax(current[: last + 1])), float(np.median(np.abs(np.diff(voltage))))
    if current[top:].min() > FALLS * current[top]:
        return replace(half, reason="the current rises throughout: no voltage stands out")
    alike = voltage[: last + 1][current[: last + 1] >= current[top] - SEEN * math.sqrt(2) * sigma[top]]
    if alike[-1] == voltage[last]:
        width = float(np.clip(voltage[last + 1] - voltage[last], 0, JUMP * step))  # a resistor in series lets it jump
        width = step if width == JUMP * step or not width else width
        return replace(half, threshold=(sign * float(voltage[last] + width / 2), max(step, width) / math.sqrt(12)))
    between = float(alike[0] + alike[-1]) / 2
    return replace(half, threshold=(sign * between, (2 * step + float(np.ptp(alike))) / math.sqrt(12)))
