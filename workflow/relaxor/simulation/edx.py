"""Sample EDX spectrum of a CBPS crystal at 20 kV, as a silicon drift detector on a Quanta 400 exports it.

Characteristic lines with the widths of the detector (electronic noise and Fano statistics) on Kramers'
bremsstrahlung, seen through the detector's window and dead layer (silicon K edge) and its finite depth. The
sensitivities of the lines differ from the tabulated k-factors by some per cent, as they do in reality: that is what
a standardless analysis cannot know.
"""

from collections.abc import Iterator

import numpy as np
from scipy.special import erf

from relaxor.simulation.sample_file import SampleFile
from relaxor.simulation.writers.emsa import write

BEAM_ENERGY = 20.0
"""keV."""
LIVE_TIME = 120.0
"""Seconds."""
CHANNEL, CHANNELS = 0.010, 2048
"""keV a channel, number of channels."""
OFFSET_ERROR, GAIN_ERROR = 0.004, -0.0006
"""The axis shows a line of energy E at E (1 + gain error) + offset error, keV."""
MN_FWHM = 0.130
"""Resolution at Mn Kα (5.895 keV), keV."""
FANO_SLOPE = 8 * np.log(2) * 0.115 * 3.65e-3
"""Growth of FWHM² with energy, keV: Fano factor 0.115, 3.65 eV an electron–hole pair in silicon."""
ATOMIC_PERCENT = {"Cu": 10.0, "Bi": 10.0, "P": 20.0, "Se": 60.0}
"""CuBiP2Se6 (paper, Fig. S2: 1:1:2:6)."""
WEIGHT = {"Cu": 63.546, "Bi": 208.980, "P": 30.974, "Se": 78.971}
K_FACTORS = {"Cu": 0.311 * 1.03, "Bi": 0.827 * 0.95, "P": 0.0843 * 1.06, "Se": 1.0}
"""True mass k-factors of Cu K, Bi M, P K against Se K: tabulated ones times an error within their uncertainty."""
SE_K_COUNTS = 90_000.0
"""Counts in the Se K lines."""
OTHER_FAMILIES = {"Cu_L": 46_000.0, "Bi_L": 9_000.0, "Se_L": 210_000.0, "C_K": 26_000.0, "O_K": 9_000.0}
"""Counts of families that are not quantified; carbon and oxygen from the tape and the surface."""
LINES = {
    # Energies in keV and relative intensities: X-ray Data Booklet, table 1-2 and 1-3 (Bearden 1967).
    "Cu_K": ((8.0478, 100), (8.0278, 51), (8.9053, 17)),
    "Cu_L": ((0.9297, 111), (0.9498, 65), (0.8111, 9)),
    "Bi_M": ((2.4226, 100), (2.5255, 60), (2.7350, 5), (1.8830, 2)),
    "Bi_L": ((10.8388, 100), (10.7309, 11), (13.0235, 67), (12.9799, 25), (15.2477, 14), (9.4204, 6)),
    "P_K": ((2.0137, 150), (2.1391, 3)),
    "Se_K": ((11.2224, 100), (11.1814, 52), (12.4959, 13), (12.4896, 6), (12.6522, 1)),
    "Se_L": ((1.3791, 111), (1.4192, 59), (1.2044, 6)),
    "C_K": ((0.2770, 100),),
    "O_K": ((0.5249, 100),),
}
BREMSSTRAHLUNG = 420.0
"""Counts a channel at 5 keV without absorption."""


def simulate(rng: np.random.Generator) -> Iterator[SampleFile]:
    """Yield one spectrum."""
    counts = rng.poisson(expected(CHANNEL * np.arange(CHANNELS)))
    content = write(
        counts,
        offset=0.0,
        per_channel=1000 * CHANNEL,
        title="CuBiP2Se6 crystal",
        date="14-NOV-2024",
        time="11:05",
        header={
            "BEAMKV   -kV": BEAM_ENERGY,
            "LIVETIME  -s": LIVE_TIME,
            "REALTIME  -s": round(1.18 * LIVE_TIME, 1),
            "ELEVANGLE-dg": 35.0,
            "EDSDET": "SDBE",
            "COMMENT": "SIMULATED",
        },
    )
    yield SampleFile(
        "edx_crystal",
        "edx",
        "S2",
        "CBPS_crystal_20kV.msa",
        content,
        truth=tuple(_truth()),
        conditions={"beam_energy": f"{BEAM_ENERGY:g} keV"},
        note="crystal on carbon tape",
    )


def intensities() -> dict[str, float]:
    """Return the expected counts of each family of lines (Cliff–Lorimer backwards)."""
    mass = {element: ATOMIC_PERCENT[element] * WEIGHT[element] for element in WEIGHT}
    family = {"Cu": "Cu_K", "Bi": "Bi_M", "P": "P_K", "Se": "Se_K"}
    scale = SE_K_COUNTS * K_FACTORS["Se"] / mass["Se"]
    return {family[name]: scale * mass[name] / K_FACTORS[name] for name in mass} | OTHER_FAMILIES


def expected(axis: np.ndarray) -> np.ndarray:
    """Return the noiseless counts a channel; axis in keV as the instrument shows it."""
    total = background(axis)
    for family, counts in intensities().items():
        weights = sum(weight for _, weight in LINES[family])
        for energy, weight in LINES[family]:
            center = energy * (1 + GAIN_ERROR) + OFFSET_ERROR
            sigma = np.sqrt(MN_FWHM**2 + FANO_SLOPE * (energy - 5.895)) / np.sqrt(8 * np.log(2))
            edges = np.append(axis, axis[-1] + CHANNEL) - CHANNEL / 2
            total += counts * weight / weights * np.diff(0.5 * erf((edges - center) / sigma / np.sqrt(2)))
    return total


def background(axis: np.ndarray) -> np.ndarray:
    """Return bremsstrahlung a channel: Kramers' law through window, dead layer and depth of the detector."""
    energy = np.maximum((axis - OFFSET_ERROR) / (1 + GAIN_ERROR), 0.05)
    kramers = np.maximum(BEAM_ENERGY / energy - 1, 0.0) / (BEAM_ENERGY / 5 - 1)
    window = np.exp(-((0.45 / energy) ** 2.8))
    above_edge = 0.5 * (1 + erf((energy - 1.839) / 0.04))
    dead_layer = np.exp(-0.09 * (1.839 / energy) ** 2.8 * above_edge)
    depth = 1 - np.exp(-0.045 * 2.33 * 10.3 * (15 / energy) ** 2.8)
    return BREMSSTRAHLUNG * kramers * window * dead_layer * depth


def _truth() -> Iterator[tuple[str, str, float, str]]:
    counts = intensities()
    for family in ("Cu_K", "Bi_M", "P_K", "Se_K", "Cu_L", "Bi_L", "Se_L"):
        yield "line_families", f"{family}_intensity", counts[family], "count"
    yield "line_families", "fwhm_Mn", 1000 * MN_FWHM, "eV"
    yield "line_families", "energy_offset", 1000 * OFFSET_ERROR, "eV"
    yield "line_families", "energy_gain", 1 + GAIN_ERROR, "1"
    mass = {element: ATOMIC_PERCENT[element] * WEIGHT[element] for element in WEIGHT}
    for element, percent in ATOMIC_PERCENT.items():
        yield "cliff_lorimer", f"{element}_atomic_percent", percent, "atomic_percent"
        yield "cliff_lorimer", f"{element}_weight_percent", 100 * mass[element] / sum(mass.values()), "percent"
        yield "cliff_lorimer", f"{element}_per_formula", percent / 10, "1"
        if element != "Cu":
            yield "cliff_lorimer", f"{element}_to_Cu", percent / ATOMIC_PERCENT["Cu"], "1"
