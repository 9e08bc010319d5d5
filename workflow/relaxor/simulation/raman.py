"""Raman spectra of a flake on SiO2/Si, as a WITec alpha300 exports them.

The modes of a specimen, lines of silicon, fluorescence, the foot of the edge filter, cosmic rays, photon and read-out
noise of a CCD, and an axis that is off by a constant.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from relaxor.core.section import Section, setting
from relaxor.simulation.sample_file import FileEntry, SampleFile, Truth
from relaxor.simulation.writers.witec_ascii import write
from relaxor.stats.line_shapes import voigt, voigt_fwhm

INSTRUMENT_FWHM = 1.2
"""Gaussian response of a 1800 lines/mm grating, 1/cm."""
AXIS_ERROR = -0.37
"""Shift of the uncalibrated axis, 1/cm."""
ACCUMULATIONS = 5
ELECTRONS_PER_COUNT = 1.0
READ_NOISE = 4.0
DARK_OFFSET = 600.0
"""Bias of the CCD in counts."""


class Line(Section):
    """A line of a spectrum."""

    raman_shift: float = setting(..., "1/cm")
    """Position."""
    fwhm: float = setting(..., "1/cm")
    """Full width at half maximum, Lorentzian."""
    area: float = setting(..., "count/cm")
    """Area in one accumulation."""


class Specimen(Section):
    """A flake on silicon, and the file of its spectrum."""

    file: FileEntry
    """The file."""
    modes: dict[str, Line]
    """Lines of the flake."""
    silicon: dict[str, Line]
    """Lines of the substrate; ``Si`` is the first-order line."""

    @property
    def lines(self) -> dict[str, Line]:
        """All lines."""
        return {**self.modes, **self.silicon}


def simulate(rng: np.random.Generator, values: Mapping[str, Any]) -> Iterator[SampleFile]:
    """Yield one spectrum of five accumulations of a `Specimen`."""
    specimen = Specimen.model_validate(values)
    shift = np.linspace(72.0, 640.0, 900)
    header = {"Comment": "SIMULATED", "AcquisitionTime": "2024-11-12T10:21:00", "ExcitationWavelength": "532 nm"}
    counts, title = np.round(spectrum(specimen, rng, shift)), Path(specimen.file.name).stem
    content = write(shift, counts, axis_unit="rel. 1/cm", title=title, **header)
    yield SampleFile.of(specimen.file, "raman", content, truth=truth(specimen))


def expected(specimen: Specimen, shift: np.ndarray) -> np.ndarray:
    """Return the noiseless counts of one accumulation on an axis that is off by `AXIS_ERROR`."""
    true_shift = shift - AXIS_ERROR
    lines = sum(
        voigt(true_shift, line.area, line.raman_shift, INSTRUMENT_FWHM, line.fwhm) for line in specimen.lines.values()
    )
    fluorescence = 210 * np.exp(-0.5 * ((true_shift - 420) / 260) ** 2)
    filter_foot = 160 * np.exp(-(true_shift - 70) / 38)
    return lines + fluorescence + filter_foot + 35


def spectrum(
    specimen: Specimen, rng: np.random.Generator, shift: np.ndarray, accumulations: int = ACCUMULATIONS
) -> np.ndarray:
    """Return accumulations with noise and cosmic rays, shape (accumulations, n), in counts."""
    electrons = rng.poisson(ELECTRONS_PER_COUNT * expected(specimen, shift), (accumulations, len(shift)))
    counts = electrons / ELECTRONS_PER_COUNT + rng.normal(DARK_OFFSET, READ_NOISE, electrons.shape)
    for row in counts:
        for pixel in rng.integers(2, len(shift) - 2, rng.poisson(2.0)):
            height = rng.exponential(4000.0) + 300
            row[pixel - 1 : pixel + 2] += height * np.array([0.25, 1.0, 0.15])
    return counts


def truth(specimen: Specimen) -> tuple[Truth, ...]:
    """Return the true values."""
    rows = [Truth("voigt", "shift_offset", -AXIS_ERROR, "1/cm")]
    for name, line in specimen.lines.items():
        whole = voigt_fwhm(INSTRUMENT_FWHM, line.fwhm)
        rows += [
            Truth("voigt", "area", line.area, "count/cm", name),
            Truth("voigt", "fwhm_lorentzian", line.fwhm, "1/cm", name),
            Truth("voigt", "fwhm", whole, "1/cm", name),
        ]
        if name != "Si":
            rows.append(Truth("voigt", "raman_shift", line.raman_shift, "1/cm", name))
    return tuple(rows)
