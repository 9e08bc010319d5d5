"""Sample traces of optical pulses on the synapse, as a script for a Keithley 2636B saves them.

The device is biased at 0.5 V all the time; light comes in pulses at 650, 520 and 450 nm (paper, Fig. 3c–3h, S10, S11)
and in the sixteen codes of four pulses that the encoder of the images uses (Fig. 5a).
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from relaxor.twin import SampleFile, Truth
from relaxor.twin.synapse import (
    COLOURS,
    DARK,
    EXPONENT,
    LIGHT,
    LIGHT_DRIFT,
    LIGHT_NOISE,
    LIGHT_VARIATION,
    POPULATIONS,
    PROMPT,
    READ_VOLTAGE,
    light_current,
)
from relaxor.twin.writers.keithley_2636 import write

Edges = Sequence[tuple[float, float, float]]
Run = tuple[Edges, float, float]
"""Pulses (onset s, width s, mW/cm²), interval of the samples and length of the run, s."""
INTERVALS = 0.02 * np.round(np.geomspace(0.1, 50.0, 20) / 0.02)
PAIRS = 2
POWERS = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
FREQUENCIES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
DURATIONS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
NUMBERS = (1, 2, 5, 10, 20, 40)
PANELS = {
    650: ("3d,3h", "3e", "3f", "3g"),
    520: ("S10a,3h", "S10b", "S10c", "S10d"),
    450: ("S11a,3h", "S11b", "S11c", "S11d"),
}
"""Wavelength (nm) → panels of the series of power, frequency, duration and number."""
TRAIN = 20
"""Pulses of the frequency series, on half of the time."""
CODE_PULSES, CODE_SLOT, CODE_WIDTH, CODE_REPEATS = 4, 0.2, 0.1, 20
AREA = 20e-8
"""Illuminated area of the device, cm²: 10 µm × 2 µm between the electrodes."""


def simulate(rng: np.random.Generator) -> Iterator[SampleFile]:
    """Yield pairs, series of power, frequency, duration and number at three wavelengths, and the codes."""
    pairs: list[Run] = [
        ([(0.5, 0.1, LIGHT), (0.6 + t, 0.1, LIGHT)], 0.02, 0.7 + t + 0.5) for t in INTERVALS for _ in range(PAIRS)
    ]
    yield _file(rng, "light_ppf_650nm", "3c", 650, pairs, _pair_truth(), "pairs of 100 ms, 0.1 to 50 s apart")
    for wavelength, panels in PANELS.items():
        for (name, runs, note), panel in zip(_series(), panels, strict=True):
            yield _file(rng, f"light_{name}_{wavelength}nm", panel, wavelength, runs, (), note)
    codes: list[Run] = [(_code(code), 0.01, 1.2) for _ in range(CODE_REPEATS) for code in range(2**CODE_PULSES)]
    note = "sixteen codes of four slots of 0.2 s, light for 0.1 s in the slots that are 1; 20 repeats"
    yield _file(rng, "light_codes_650nm", "", 650, codes, (), note, _response_truth())


def _series() -> Iterator[tuple[str, list[Run], str]]:
    """Yield name, runs (edges, step, length) and note of each series."""
    powers: list[Run] = [([(0.5, 1.0, power)], 0.02, 4.5) for power in POWERS]
    yield "power", powers, "1 s, 2 to 64 mW/cm²"
    trains: list[Run] = []
    for f in FREQUENCIES:
        edges = [(0.5 + n / f, 0.5 / f, LIGHT) for n in range(TRAIN)]
        trains.append((edges, 0.05 / f if f > 5 else 0.01, 0.5 + TRAIN / f + 1.0))
    yield "frequency", trains, f"{TRAIN} pulses, on half of the time, 1 to 50 Hz, 32 mW/cm²"
    durations: list[Run] = [([(0.5, duration, LIGHT)], 0.02, 0.5 + duration + 4.0) for duration in DURATIONS]
    yield "duration", durations, "0.1 to 5 s, 32 mW/cm²"
    numbers: list[Run] = [
        ([(0.5 + 0.4 * n, 0.2, LIGHT) for n in range(count)], 0.02, 0.5 + 0.4 * count + 12.0) for count in NUMBERS
    ]
    yield "number", numbers, "1 to 40 pulses of 0.2 s every 0.4 s, 32 mW/cm²"


def _code(code: int) -> Edges:
    """Return the pulses of a code; its highest bit comes first."""
    bits = [(code >> (CODE_PULSES - 1 - slot)) & 1 for slot in range(CODE_PULSES)]
    return [(0.2 + CODE_SLOT * slot, CODE_WIDTH, LIGHT) for slot, bit in enumerate(bits) if bit]


def _file(
    rng: np.random.Generator, name: str, panel: str, wavelength: int, runs: Sequence[Run],
    truth: Iterable[Truth], note: str,
    series_truth: Iterable[tuple[str, str, str, float, str]] = (),
) -> SampleFile:  # fmt: skip
    parts = []
    for number, (edges, step, length) in enumerate(runs, 1):
        time = step * np.arange(1, round(length / step) + 1)
        response = 1 + LIGHT_VARIATION * rng.standard_normal()
        current = light_current(time, edges, COLOURS[wavelength], response)
        current = current + LIGHT_DRIFT * time + LIGHT_NOISE * rng.standard_normal(time.size)
        power = np.zeros(time.size)
        for onset, width, density in edges:
            # Multiples of the step are not exact: half a step keeps the sample at an edge on its side.
            power[(time > onset - step / 2) & (time < onset + width - step / 2)] = density
        parts.append((np.full(time.size, number), time, power, current))
    run, time, power, current = (np.concatenate(column) for column in zip(*parts, strict=True))
    content = write(
        {
            "Run [1]": ("d", run),
            "Time [s]": (".4f", time),
            "Power Density [mW/cm^2]": ("g", power),
            "Bias Voltage [V]": ("g", np.full(run.size, READ_VOLTAGE)),
            "Channel Current [A]": (".4e", 1e-12 * current),
        }
    )
    conditions = {"wavelength": f"{wavelength} nm", "area": f"{AREA:g} cm^2"}
    return SampleFile(
        name,
        "light",
        panel,
        f"CBPS_{name}.csv",
        content,
        truth=tuple(truth),
        series_truth=tuple(series_truth),
        conditions=conditions,
        note=note,
    )


def _pair_truth() -> Iterator[Truth]:
    """Yield the two exponentials of the optical PPF index in closed form, in percent; the floor is 100 %.

    A population that holds y when the second pulse begins adds y e^(−λt) to what the pulse brings anyway; currents are
    those of the samples in the analysis' read window at the end of a pulse.
    """
    samples = np.array([0.06, 0.08])
    ends, left, held = [], [], []
    for full, rate, decay in POPULATIONS:
        speed = rate + 1 / decay
        ends.append(full * rate / speed * -np.expm1(-speed * samples).mean())
        held.append(full * rate / speed * -np.expm1(-speed * CODE_WIDTH))
        left.append(np.exp(-speed * samples).mean())
    first = PROMPT + sum(ends)
    for index, ((*_, decay), filled, part) in enumerate(zip(POPULATIONS, held, left, strict=True), 1):
        yield "double_exponential_fixed_floor", f"amplitude_{index}", 100 * filled * part / first, "percent"
        yield "double_exponential_fixed_floor", f"tau_{index}", decay, "s"


def _response_truth() -> Iterator[tuple[str, str, str, float, str]]:
    """Yield the constants of the response at each wavelength; a stronger response is a faster filling."""
    for wavelength, strength in COLOURS.items():
        name = f"response_{wavelength}nm"
        yield name, "photoresponse", "J0", 1e-12 * PROMPT * strength, "A"
        yield name, "photoresponse", "alpha", EXPONENT, "1"
        for index, (full, rate, decay) in enumerate(POPULATIONS, 1):
            yield name, "photoresponse", f"J{index}", 1e-12 * full, "A"
            yield name, "photoresponse", f"g{index}", rate * strength, "1/s"
            yield name, "photoresponse", f"tau_{index}", decay, "s"
        yield name, "photoresponse", "dark_current", 1e-12 * DARK, "A"
