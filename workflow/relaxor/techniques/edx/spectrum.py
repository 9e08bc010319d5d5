"""The model of a spectrum: families of lines as a silicon detector shows them, on bremsstrahlung.

All lines of a shell move and grow together, and their places and widths follow the scale and the resolution of the
detector, so that the whole spectrum resolves overlaps. Lines have the tail of incomplete charge and the escape peaks of
a silicon detector.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import lmfit
import numpy as np
from numpy.polynomial import chebyshev
from scipy.special import log_ndtr, ndtr

from relaxor.stats.fit import parameters
from relaxor.stats.line_shapes import SQRT_2LN2
from relaxor.stats.optimizer import central_differences
from relaxor.techniques.edx.lines import attenuation

MN_ENERGY = 5.8988
"""Energy of Mn Kα1 in keV, at which the resolution of detectors is stated (Bearden 1967)."""
FANO_SLOPE = 8 * math.log(2) * 0.115 * 3.65e-3
"""Start of the growth of FWHM² with energy, keV: Fano factor 0.115, 3.65 eV per electron–hole pair in silicon."""
EDGE_WIDTH = 0.03
"""Width of an absorption edge as the detector resolves it near 1.8 keV (standard deviation), keV."""
TAIL_LENGTH = 0.07
"""Length of the tail of a line that loses charge, as a share of its energy."""
DETECTOR = ("energy_offset", "energy_gain", "fwhm_Mn", "fano_slope", "edge_step", "tail_depth")
"""Parameters of the fit that describe the detector."""
SILICON, SILICON_LINE, SILICON_EDGE = "Si", 1.740, 1.839
"""Material of the detector; its K line, which escapes, and its K edge, keV."""
ESCAPING = 0.5 * 0.0468 * 0.92
"""Half of the product of silicon's K yield (doi 10.1063/1.555594) and the share of the K shell in its absorption."""


def escape_shares(energies: np.ndarray, absorption: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Return the share of photons whose silicon K photon leaves the detector.

    Reed & Ware, Journal of Physics E 5, 582 (1972).

    Parameters
    ----------
    energies
        keV, shape (m,).
    absorption, own
        Mass absorption coefficients of silicon at these energies, (m,), and at its own line, cm²/g.
    """
    share = ESCAPING * (1 - own / absorption * np.log1p(absorption / own))
    return np.where(energies > SILICON_EDGE, share, 0.0)


def intensity_of(family: str) -> str:
    """Return the name of the parameter of the fit that holds the counts of a family."""
    return "intensity_" + re.sub(r"\W", "_", family)


@dataclass(frozen=True)
class SpectrumModel:
    """Expected counts of a spectrum.

    Attributes
    ----------
    energy
        Axis, keV, shape (n,).
    beam_energy
        keV.
    families
        Name (``Cu K``) → lines: energies in keV and relative intensities, shape (m, 2).
    degree
        Of the polynomial on Kramers' law.
    edge
        Absorption edge of the detector, keV.
    """

    energy: np.ndarray
    beam_energy: float
    families: Mapping[str, np.ndarray]
    degree: int
    edge: float

    @cached_property
    def silicon(self) -> Mapping[str, np.ndarray]:
        """Mass absorption coefficients of the detector at the lines of each family, and at its own, cm²/g."""
        lines = {name: lines[:, 0] for name, lines in self.families.items()} | {SILICON: np.array([SILICON_LINE])}
        return {name: attenuation(SILICON, energies) for name, energies in lines.items()}

    def family(self, params: lmfit.Parameters, name: str) -> np.ndarray:
        """Return the counts per channel of a family of lines, shape (n,)."""
        return params[intensity_of(name)].value * self.share(params, name)

    def strongest(self, name: str) -> float:
        """Return the energy of the strongest line of a family, keV."""
        lines = self.families[name]
        return float(lines[np.argmax(lines[:, 1]), 0])

    def share(self, params: lmfit.Parameters, name: str) -> np.ndarray:
        """Return the fraction of the counts of a family in each channel."""
        lines = self.families[name]
        weights, absorption = lines[:, 1] / lines[:, 1].sum(), self.silicon[name]
        whole = self._lines(params, lines[:, 0], weights, params["tail_depth"].value * absorption)
        escaped = escape_shares(lines[:, 0], absorption, self.silicon[SILICON])
        if escaped.any():
            some = escaped > 0
            whole += self._lines(params, lines[some, 0] - SILICON_LINE, (weights * escaped)[some], 0.0)
        return whole

    def _lines(
        self, params: lmfit.Parameters, energies: np.ndarray, weights: np.ndarray, tail: np.ndarray | float
    ) -> np.ndarray:
        """Return the counts per channel of lines, of which a share is an exponential towards lower energy, (n,)."""
        sigma = self.resolution(params, energies)
        center = params["energy_offset"].value + params["energy_gain"].value * energies
        step = self.energy[1] - self.energy[0]
        # Counts of a channel are the integral over it.
        edges = np.append(self.energy - step / 2, self.energy[-1] + step / 2)
        distance = (edges[:, None] - center) / sigma
        below = ndtr(distance)
        if np.any(tail):
            length = TAIL_LENGTH * energies / sigma
            below += tail * np.exp(distance / length + 1 / (2 * length**2) + log_ndtr(-distance - 1 / length))
        return np.diff(below @ weights)

    def resolution(self, params: lmfit.Parameters, energies: np.ndarray) -> np.ndarray:
        """Return the standard deviation of lines, keV."""
        variance = params["fwhm_Mn"].value ** 2 + params["fano_slope"].value * (energies - MN_ENERGY)
        return np.sqrt(np.maximum(variance, 1e-6)) / (2 * SQRT_2LN2)

    def background(self, params: lmfit.Parameters) -> np.ndarray:
        """Return the bremsstrahlung per channel, shape (n,): Kramers' law, smooth efficiency, edge of the detector."""
        smooth = self._polynomials() @ [params[f"background_{j}"].value for j in range(self.degree + 1)]
        above_edge = ndtr((self.energy - self.edge) / EDGE_WIDTH) * (self.edge / self.energy) ** 3
        step = 1 - params["edge_step"].value * above_edge
        return (self.beam_energy / self.energy - 1) * np.exp(smooth) * step

    def _polynomials(self) -> np.ndarray:
        """Return Chebyshev polynomials of the logarithm of energy, shape (n, degree + 1)."""
        logarithm = np.log(self.energy)
        scaled = 2 * (logarithm - logarithm[0]) / (logarithm[-1] - logarithm[0]) - 1
        return chebyshev.chebvander(scaled, self.degree)

    def expected(self, params: lmfit.Parameters) -> np.ndarray:
        """Return the counts per channel, shape (n,)."""
        return self.background(params) + sum(self.family(params, name) for name in self.families)

    def jacobian(self, params: lmfit.Parameters) -> np.ndarray:
        """Return the derivatives of `expected` by the varying parameters of `start`, shape (n, k)."""
        bent = central_differences(self.expected, params, [name for name in DETECTOR if params[name].vary])
        background = self.background(params)[:, None] * self._polynomials()
        shares = [self.share(params, name) for name in self.families if params[intensity_of(name)].vary]
        return np.column_stack([bent, background, *shares])

    def start(self, counts: np.ndarray) -> lmfit.Parameters:
        """Guess the parameters: background from the lowest counts around, lines from what is above."""
        params = parameters(
            energy_offset=(0.0, -0.1, 0.1),
            energy_gain=(1.0, 0.98, 1.02),
            fwhm_Mn=(0.135, 0.09, 0.25),
            fano_slope=(FANO_SLOPE, 0.5 * FANO_SLOPE, 2 * FANO_SLOPE),
            edge_step=(0.05, -0.5, 0.9),
            tail_depth=0.0,
        )
        kramers = self.beam_energy / self.energy - 1
        low = np.quantile(counts / kramers, 0.2)
        for j in range(self.degree + 1):
            params.add(f"background_{j}", value=math.log(max(low, 1e-3)) if j == 0 else 0.0)
        above = counts - low * kramers
        for name, lines in self.families.items():
            near = np.abs(self.energy - lines[np.argmax(lines[:, 1]), 0]) < 0.1
            params.add(intensity_of(name), value=max(float(above[near].sum()), 10.0))
        return params
