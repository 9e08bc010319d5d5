"""Sample Raman spectra of a CBPS flake on SiO2/Si, as a WITec alpha300 exports them.

Five modes at the shifts that the paper prints, silicon's one- and two-phonon lines, fluorescence, the foot of the
edge filter, cosmic rays, photon and read-out noise of a CCD, and an axis that is off by a constant.
"""

from collections.abc import Iterator

import numpy as np

from relaxor.simulation.sample_file import SampleFile, Truth
from relaxor.simulation.writers.witec_ascii import write
from relaxor.stats.fit import voigt, voigt_fwhm

MODES = {
    # name: (Raman shift in 1/cm [paper, Fig. 1c], Lorentzian FWHM in 1/cm, area in counts/cm)
    "Eg1": (111.7, 4.1, 5200.0),
    "Eg2": (135.3, 5.0, 3100.0),
    "Ag1": (207.5, 6.2, 9800.0),
    "Ag2": (431.9, 7.4, 2600.0),
    "Ag3": (465.9, 8.8, 3900.0),
}
SILICON = {
    # First-order line at the certified shift of NMIJ CRM 5606-a; the 2TA overtone near 303 1/cm is weak and broad.
    "Si": (520.45, 2.8, 30000.0),
    "Si_2TA": (303.0, 12.0, 2400.0),
}
INSTRUMENT_FWHM = 1.2
"""Gaussian response of a 1800 lines/mm grating, 1/cm."""
AXIS_ERROR = -0.37
"""Shift of the uncalibrated axis, 1/cm."""
ACCUMULATIONS = 5
ELECTRONS_PER_COUNT = 1.0
READ_NOISE = 4.0
DARK_OFFSET = 600.0
"""Bias of the CCD in counts."""


def simulate(rng: np.random.Generator) -> Iterator[SampleFile]:
    """Yield one spectrum of five accumulations."""
    shift = np.linspace(72.0, 640.0, 900)
    spectra = spectrum(rng, shift)
    content = write(
        shift,
        np.round(spectra),
        axis_unit="rel. 1/cm",
        title="CBPS_flake_532nm",
        header={"Comment": "SIMULATED", "AcquisitionTime": "2024-11-12T10:21:00", "ExcitationWavelength": "532 nm"},
    )
    yield SampleFile(
        "raman_532nm",
        "raman",
        "1c",
        "CBPS_flake_532nm.txt",
        content,
        truth=truth(),
        conditions={"wavelength": "532 nm", "power": "0.5 mW", "temperature": "295 K"},
        note="flake on 285 nm SiO2/Si, 5 accumulations",
    )


def expected(shift: np.ndarray) -> np.ndarray:
    """Return the noiseless counts of one accumulation on an axis that is off by `AXIS_ERROR`."""
    true_shift = shift - AXIS_ERROR
    lines = sum(
        voigt(true_shift, area, center, INSTRUMENT_FWHM, fwhm) for center, fwhm, area in {**MODES, **SILICON}.values()
    )
    fluorescence = 210 * np.exp(-0.5 * ((true_shift - 420) / 260) ** 2)
    filter_foot = 160 * np.exp(-(true_shift - 70) / 38)
    return lines + fluorescence + filter_foot + 35


def spectrum(rng: np.random.Generator, shift: np.ndarray, accumulations: int = ACCUMULATIONS) -> np.ndarray:
    """Return accumulations with noise and cosmic rays, shape (accumulations, n), in counts."""
    electrons = rng.poisson(ELECTRONS_PER_COUNT * expected(shift), (accumulations, len(shift)))
    counts = electrons / ELECTRONS_PER_COUNT + rng.normal(DARK_OFFSET, READ_NOISE, electrons.shape)
    for row in counts:
        for pixel in rng.integers(2, len(shift) - 2, rng.poisson(2.0)):
            height = rng.exponential(4000.0) + 300
            row[pixel - 1 : pixel + 2] += height * np.array([0.25, 1.0, 0.15])
    return counts


def truth() -> tuple[Truth, ...]:
    """Return the true values, named as the analysis names them."""
    rows: list[Truth] = [("voigt", "shift_offset", -AXIS_ERROR, "1/cm")]
    for name, (center, fwhm, area) in {**MODES, **SILICON}.items():
        rows += [
            ("voigt", f"{name}_area", area, "count/cm"),
            ("voigt", f"{name}_fwhm_lorentzian", fwhm, "1/cm"),
            ("voigt", f"{name}_fwhm", voigt_fwhm(INSTRUMENT_FWHM, fwhm), "1/cm"),
        ]
        if name != "Si":
            rows.append(("voigt", f"{name}_center", center, "1/cm"))
    return tuple(rows)
