"""Sample SHG spectra of a CBPS flake under 1064 nm, as a WITec alpha300 exports them.

One spectrum a power and one with the pump blocked. Each holds the second-harmonic line, two-photon luminescence,
a weak leak of the 532 nm Raman laser (there with and without the pump), dark signal, and the noise of a CCD. The
power meter reads each setting with an error of its own.
"""

from collections.abc import Iterator

import numpy as np

from relaxor.simulation.sample_file import SampleFile, Truth
from relaxor.simulation.writers.witec_ascii import write
from relaxor.stats.fit import gaussian, voigt

PUMP_WAVELENGTH = 1064.0
"""Pump, nm (paper, Fig. 1e)."""
EXPONENT = 2.05
"""Slope that the paper reports (Fig. 1e); a pure second-order process has 2."""
AMPLITUDE = 120.0
"""Area of the line at 1 mW, count nm/s: a thin flake in a confocal microscope (plausible, not from the paper)."""
LEAK = 1.5
"""Area of the leaking 532 nm laser, count nm/s: 5 % of the weakest point."""
POWERS = np.round(np.geomspace(0.5, 5.0, 10), 2)
"""Displayed powers, mW: a decade."""
METER_ERROR = 0.02
"""Relative standard error of a power reading (repeatability of a photodiode sensor)."""
INTEGRATION_TIME = 10.0
"""Seconds a spectrum."""
CALIBRATION_SHIFT = 0.04
"""Error of the spectrometer's wavelength scale, nm."""
FWHM_GAUSSIAN, FWHM_LORENTZIAN = 0.55, 0.10
"""Response of the spectrometer (slit image and the wings of the grating), nm: the laser line is far narrower."""
LUMINESCENCE = 1600.0
"""Area of two-photon luminescence at 1 mW, count nm/s; broad, red of the window."""
DARK_RATE, BIAS, READ_NOISE = 2.0, 600.0, 5.0
"""Dark counts a second and pixel, bias of the CCD (counts), read-out noise (counts)."""


def simulate(rng: np.random.Generator) -> Iterator[SampleFile]:
    """Yield a dark frame and one spectrum a power."""
    wavelength = np.linspace(500.0, 565.0, 800)
    for number, power in enumerate([0.0, *POWERS]):
        true_power = power * (1 + METER_ERROR * rng.standard_normal())
        counts = rng.poisson(INTEGRATION_TIME * expected_rate(wavelength, true_power)).astype(float)
        counts = np.round(counts + rng.normal(BIAS, READ_NOISE, counts.shape))
        title = f"CBPS_SHG_{number:02d}" if number else "CBPS_SHG_dark"
        content = write(
            wavelength,
            counts,
            axis_unit="nm",
            title=title,
            header={
                "Comment": "SIMULATED",
                "AcquisitionTime": f"2024-11-13T15:{4 * number:02d}:00",
                "ExcitationWavelength": f"{PUMP_WAVELENGTH:g} nm",
                "IntegrationTime": f"{INTEGRATION_TIME:g} s",
            },
        )
        yield SampleFile(
            f"shg_{number:02d}" if number else "shg_dark",
            "shg",
            "1e",
            f"{title}.txt",
            content,
            truth=_truth(true_power),
            conditions={
                "power": f"{power:g} mW",
                "power_uncertainty": f"{METER_ERROR * power:g} mW",
                "integration_time": f"{INTEGRATION_TIME:g} s",
                "pump_wavelength": f"{PUMP_WAVELENGTH:g} nm",
            },
            series_truth=() if number else tuple(_series_truth()),
            note="power as displayed by the meter" if number else "pump blocked",
        )


def expected_rate(wavelength: np.ndarray, power: float) -> np.ndarray:
    """Return the noiseless count rate a pixel (count/s), bias not included; wavelength in nm, power in mW."""
    center = PUMP_WAVELENGTH / 2 + CALIBRATION_SHIFT
    line = voigt(wavelength, line_rate(power), center, FWHM_GAUSSIAN, FWHM_LORENTZIAN)
    luminescence = gaussian(wavelength, LUMINESCENCE * power**2, 640.0, 130.0)
    return line + luminescence + DARK_RATE


def line_rate(power: float) -> float:
    """Return the area of the line at 532 nm (count nm/s) at a power in mW."""
    return AMPLITUDE * power**EXPONENT + LEAK


def _truth(power: float) -> tuple[Truth, ...]:
    return (("voigt", "area", INTEGRATION_TIME * line_rate(power), "count*nm"),)


def _series_truth() -> Iterator[tuple[str, str, str, float, str]]:
    series = "shg_power_series"
    yield series, "voigt", "center", PUMP_WAVELENGTH / 2, "nm"
    yield series, "voigt", "fwhm_gaussian", FWHM_GAUSSIAN, "nm"
    yield series, "voigt", "fwhm_lorentzian", FWHM_LORENTZIAN, "nm"
    yield series, "power_law_background", "amplitude", AMPLITUDE, "count*nm/s"
    yield series, "power_law_background", "exponent", EXPONENT, "1"
    yield series, "power_law_background", "background", LEAK, "count*nm/s"
