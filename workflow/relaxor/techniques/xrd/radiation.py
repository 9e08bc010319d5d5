"""The radiation of a scan: what the file says of it, otherwise what the settings say."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from relaxor.techniques.xrd.settings import XrdSettings

SAME_TUBE = 1e-3
"""Relative distance of the file's wavelength from a known one that cannot be rounding."""
W_LALPHA = 1.476311
"""Wavelength (angstrom) of W Lα1 from tungsten that evaporated onto the anode."""


@dataclass(frozen=True)
class Tube:
    """The Kα doublet: wavelengths (angstrom) and the intensity of Kα2 over Kα1; wavelength of Kβ, 0 if not known."""

    alpha1: float
    alpha2: float
    ratio: float
    beta: float = 0.0

    def alpha2_position(self, two_theta: np.ndarray | float) -> np.ndarray:
        """Return where Kα2 lies (degree) for a Kα1 line at ``two_theta``."""
        return self.seen_at(two_theta, self.alpha2)

    def seen_at(self, two_theta: np.ndarray | float, wavelength: float) -> np.ndarray:
        """Return where the planes of a Kα1 line at ``two_theta`` (degree) reflect another wavelength (angstrom)."""
        sine = np.sin(np.radians(two_theta) / 2) * wavelength / self.alpha1
        return np.degrees(2 * np.arcsin(np.minimum(sine, 1.0)))

    def d_spacing(self, two_theta: np.ndarray | float) -> np.ndarray:
        """Return the distance of planes (angstrom) that reflect Kα1 at ``two_theta`` (degree)."""
        return self.alpha1 / (2 * np.sin(np.radians(two_theta) / 2))


ANODES = {
    "Cr": (2.289726, 2.293651, 2.084881),
    "Fe": (1.936041, 1.939973, 1.756604),
    "Co": (1.788996, 1.792835, 1.620826),
    "Cu": (1.540593, 1.544427, 1.392234),
    "Mo": (0.709317, 0.713607, 0.632303),
    "Ag": (0.559422, 0.563813, 0.497082),
}
"""Kα1, Kα2 and Kβ (angstrom); Cr to Cu doi 10.1103/PhysRevA.56.4554, others doi 10.1103/RevModPhys.75.35."""


def tube_of(scan: xr.Dataset, settings: XrdSettings) -> Tube:
    """Return the radiation of a scan.

    A file of the tube of the settings has their wavelengths, and the file of another anode those of that anode, because
    headers hold older, rounded values. Any other wavelength is taken as it is written. A ratio of zero, as behind a
    monochromator, is one line.
    """
    alpha1, alpha2, ratio = settings.wavelength_alpha1, settings.wavelength_alpha2, settings.alpha_ratio
    written = float(scan.attrs.get("wavelength_alpha1") or 0.0) or alpha1
    if not _same(written, alpha1):
        known = [each for each in ANODES.values() if _same(written, each[0])]
        second = float(scan.attrs.get("wavelength_alpha2") or 0.0)
        alpha1, alpha2 = known[0][:2] if known else (written, second or written)
        ratio = ratio if known or second else 0.0
    ratio = float(scan.attrs.get("wavelength_ratio", ratio))
    beta = next((each[2] for each in ANODES.values() if _same(alpha1, each[0])), 0.0)
    return Tube(alpha1, alpha2, ratio, beta)


def _same(one: float, other: float) -> bool:
    return abs(one / other - 1) < SAME_TUBE
