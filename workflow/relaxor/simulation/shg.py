"""Spectra of second-harmonic generation of a flake, as a WITec alpha300 exports them.

There is one spectrum per power and one with the pump blocked. Each holds the second-harmonic line, two-photon
luminescence, a weak leak of a laser at the same wavelength (there with and without the pump), dark signal, and the
noise of a CCD. The power meter reads each setting with an error of its own.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from relaxor.core.section import Section, setting
from relaxor.simulation.sample_file import FileEntry, SampleFile, Truth
from relaxor.simulation.writers.witec_ascii import write
from relaxor.stats.line_shapes import gaussian, voigt

METER_ERROR = 0.02
"""Relative standard error of a power reading (repeatability of a photodiode sensor)."""
INTEGRATION_TIME = 10.0
"""Seconds per spectrum."""
CALIBRATION_SHIFT = 0.04
"""Error of the spectrometer's wavelength scale, nm."""
FWHM_GAUSSIAN, FWHM_LORENTZIAN = 0.55, 0.10
"""Response of the spectrometer (slit image and the wings of the grating), nm: the laser line is far narrower."""
DARK_RATE, BIAS, READ_NOISE = 2.0, 600.0, 5.0
"""Dark counts per second and pixel, bias of the CCD (counts), read-out noise (counts)."""
SERIES = "shg_power_series"
"""Name under which the analysis combines all powers."""


class Specimen(Section):
    """A flake under a pulsed laser, and the files of its spectra."""

    dark: FileEntry
    """The file with the pump blocked."""
    lit: FileEntry
    """The files of all powers; ``{number}`` stands for the number of the power."""
    pump_wavelength: float = setting(..., "nm")
    """Wavelength of the pump."""
    powers: list[float]
    """Displayed powers in mW."""
    exponent: float = setting(...)
    """Exponent of the line against power."""
    amplitude: float = setting(..., "count*nm/s")
    """Area of the line at 1 mW."""
    leak: float = setting(..., "count*nm/s")
    """Area of the leaking laser."""
    luminescence: float = setting(..., "count*nm/s")
    """Area of two-photon luminescence at 1 mW, broad and red of the line."""

    def expected_rate(self, wavelength: np.ndarray, power: float) -> np.ndarray:
        """Return the noiseless count rate per pixel (count/s) without bias; wavelength in nm, power in mW."""
        center = self.pump_wavelength / 2 + CALIBRATION_SHIFT
        line = voigt(wavelength, self.line_rate(power), center, FWHM_GAUSSIAN, FWHM_LORENTZIAN)
        luminescence = gaussian(wavelength, self.luminescence * power**2, 640.0, 130.0)
        return line + luminescence + DARK_RATE

    def line_rate(self, power: float) -> float:
        """Return the area of the line (count nm/s) at a power in mW."""
        return self.amplitude * power**self.exponent + self.leak


def simulate(rng: np.random.Generator, values: Mapping[str, Any]) -> Iterator[SampleFile]:
    """Yield a dark frame and one spectrum per power of a `Specimen`."""
    specimen = Specimen.model_validate(values)
    wavelength = np.linspace(500.0, 565.0, 800)
    for number, power in enumerate([0.0, *specimen.powers]):
        true_power = power * (1 + METER_ERROR * rng.standard_normal())
        counts = rng.poisson(INTEGRATION_TIME * specimen.expected_rate(wavelength, true_power)).astype(float)
        counts = np.round(counts + rng.normal(BIAS, READ_NOISE, counts.shape))
        entry = _entry(specimen, number, power)
        header = {
            "Comment": "SIMULATED",
            "AcquisitionTime": f"2024-11-13T15:{4 * number:02d}:00",
            "ExcitationWavelength": f"{specimen.pump_wavelength:g} nm",
            "IntegrationTime": f"{INTEGRATION_TIME:g} s",
        }
        content = write(wavelength, counts, axis_unit="nm", title=Path(entry.name).stem, **header)
        area = Truth("voigt", "area", INTEGRATION_TIME * specimen.line_rate(true_power), "count*nm")
        series = () if number else tuple(_series_truth(specimen))
        yield SampleFile.of(entry, "shg", content, truth=(area,), series_truth=series)


def _entry(specimen: Specimen, number: int, power: float) -> FileEntry:
    """Return the description of the file of a power; number 0 is the blocked pump."""
    entry = specimen.lit if number else specimen.dark
    conditions = {
        "power": f"{power:g} mW",
        "power_uncertainty": f"{METER_ERROR * power:g} mW",
        "integration_time": f"{INTEGRATION_TIME:g} s",
        "pump_wavelength": f"{specimen.pump_wavelength:g} nm",
    }
    names = {"measurement": entry.measurement.format(number=number), "name": entry.name.format(number=number)}
    return entry.model_copy(update=names | {"conditions": conditions})


def _series_truth(specimen: Specimen) -> Iterator[tuple[Any, ...]]:
    law = "power_law_background"
    for truth in (
        Truth("voigt", "center", specimen.pump_wavelength / 2, "nm"),
        Truth("voigt", "fwhm_gaussian", FWHM_GAUSSIAN, "nm"),
        Truth("voigt", "fwhm_lorentzian", FWHM_LORENTZIAN, "nm"),
        Truth(law, "amplitude", specimen.amplitude, "count*nm/s"),
        Truth(law, "exponent", specimen.exponent, "1"),
        Truth(law, "background", specimen.leak, "count*nm/s"),
    ):
        yield SERIES, *truth
