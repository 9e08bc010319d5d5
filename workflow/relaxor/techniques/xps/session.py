"""Spectra that are analysed together: their charge reference, and the fits of their windows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.techniques.xps.levels import Line, shell, with_splitting
from relaxor.techniques.xps.peaks import highest
from relaxor.techniques.xps.reference import Reference, by_edge, by_line
from relaxor.techniques.xps.region_fit import RegionFit, fit_region
from relaxor.techniques.xps.regions import METAL, REACH, Model, Region
from relaxor.techniques.xps.settings import XpsSettings, XpsWindow
from relaxor.techniques.xps.spectra import PLACES
from relaxor.techniques.xps.spectrum import Spectrum

MIN_POINTS = 40
"""Least number of points of a window, whose model has up to 16 parameters."""
CALIBRATION = 0.2
"""Standard uncertainty of the energy scale of an instrument (eV). ISO 15472 leaves the tolerance of the calibration to
its user; this is a judgement."""


@dataclass(frozen=True)
class Session:
    """Spectra that share a charge reference and a composition, and how they are to be fitted.

    Attributes
    ----------
    measurements
        The files of the spectra.
    settings
        The settings, with the windows and lines that were found in the data.
    spectra
        The spectrum of each window.
    surveys
        Surveys, which are searched for lines and not fitted.
    unfitted
        Spectra that are only drawn.
    found
        Windows whose lines were found in the data, and are not named by the settings.
    known
        The charge reference, if it was determined before.
    borrowed
        Whether the reference is that of another session.
    """

    measurements: tuple[Measurement, ...]
    settings: XpsSettings
    spectra: Mapping[str, Spectrum]
    surveys: tuple[Spectrum, ...] = ()
    unfitted: tuple[Spectrum, ...] = ()
    found: frozenset[str] = field(default_factory=frozenset)
    known: Reference | None = None
    borrowed: bool = False

    @property
    def measurement(self) -> Measurement:
        """The first file."""
        return self.measurements[0]

    @property
    def first(self) -> Spectrum:
        """Any of the spectra: the level of a series is the same for all."""
        return next(iter([*self.spectra.values(), *self.unfitted, *self.surveys]))

    @property
    def in_series(self) -> bool:
        """Whether the spectra are one level of a series, such as a depth profile."""
        return bool(np.isfinite(self.first.at))

    @property
    def in_profile(self) -> bool:
        """Whether the series is one of a varied quantity, and not of samples."""
        return self.in_series and self.at_name not in PLACES

    @property
    def place(self) -> dict[str, Any]:
        """Value and unit of what was varied, as fields of numbers and attributes of curves."""
        return {"at": self.first.at, "at_unit": self.first.at_unit}

    @property
    def at_name(self) -> str:
        """Name of what was varied."""
        return self.first.at_name

    @cached_property
    def levels(self) -> dict[str, Line]:
        """The core levels by name."""
        return {name: Line(level=name, **dict(entry)) for name, entry in self.settings.lines.items()}

    @property
    def doubts_of_composition(self) -> list[str]:
        """What makes a composition uncertain beyond the errors of its areas."""
        windows = self.settings.windows
        counted = {name for name in self.spectra if windows[name].models}
        factors = {shell(level) for level in self.settings.sensitivity}
        absent = [model for name in windows.keys() - counted for model in windows[name].models.values()]
        missing = sorted({shell(level) for model in absent for level in model.lines} & factors)
        doubts = [f"there is no spectrum of {', '.join(missing)}, which is not counted"] if missing else []
        if {self.spectra[name].unit for name in counted - self.found} - {"count/s"}:
            doubts.append("the intensities are no rates, so that equal counting times are assumed")
        return doubts

    def is_reference(self, window: str) -> bool:
        """Return whether the first line of a window is the charge reference of this session."""
        own = self.settings.reference in ("line", "carbon") and not self.borrowed
        return own and window == self.settings.reference_window and bool(self.reference.fits)

    @property
    def unreferenced(self) -> tuple[float, str]:
        """The standard uncertainty of energies without a reference, and where it is stated."""
        if any(self.levels[level].asymmetry > 0 for level in self._fitted_levels):
            return CALIBRATION, "a metal does not charge; calibration of the instrument"
        return self.settings.unreferenced_uncertainty, "setting unreferenced_uncertainty"

    @property
    def _fitted_levels(self) -> set[str]:
        windows = [self.settings.windows[name] for name in self.spectra]
        return {level for window in windows for model in window.models.values() for level in model.lines}

    def kinetic_energy(self, window: str, fitted: RegionFit, line: Line) -> float:
        """Return the kinetic energy of the electrons of a line (eV)."""
        attrs = self.spectra[window].dataset.attrs
        return float(attrs.get("excitation_energy", self.settings.photon_energy)) - fitted.position(line, 1)[0]

    def required(self, name: str) -> Spectrum:
        """Return the spectrum of a window that the analysis cannot do without."""
        if name in self.spectra:
            return self.spectra[name]
        where = ", ".join(each.id for each in self.measurements)
        held = dict.fromkeys(region for each in self.measurements for region in each.regions)
        if name not in held:
            raise AnalysisError(f"{where}: has no region '{name}' (it has {', '.join(held)})")
        for spectrum in self.unfitted:
            if spectrum.name == name:
                window, energy = self.settings.windows[name], spectrum.energy
                raise AnalysisError(
                    f"{where}: region '{name}' has no points between {window.low:g} and {window.high:g} eV; it lies "
                    f"between {energy.min():g} and {energy.max():g} eV"
                )
        raise AnalysisError(f"{where}: region '{name}' is not one spectrum over binding energy")

    def region(self, name: str, shift: float) -> Region:
        """Return the counts of a window, its limits moved with the charging."""
        spectrum, window = self.required(name), self.settings.windows[name]
        label = f"{spectrum.measurement.id}: region '{name}'"
        if spectrum.problem:
            raise AnalysisError(f"{label}: {spectrum.problem}")
        limits = window.low + shift, window.high + shift
        region = spectrum.region(*limits)
        if len(region.energy) < MIN_POINTS:
            raise AnalysisError(
                f"{label} has {len(region.energy)} points between {limits[0]:.1f} and {limits[1]:.1f} eV; "
                f"{MIN_POINTS} needed"
            )
        return region

    def fits_of(self, name: str) -> dict[str, RegionFit]:
        """Return the fits of a window; those of the reference were made when it was determined."""
        return dict(self.reference.fits) if self.is_reference(name) else self.fits(name)

    def fits(self, name: str, shift: float | None = None) -> dict[str, RegionFit]:
        """Fit every model of a window; the first with each background and each shape, in order of preference."""
        shift = self.reference.shift if shift is None else shift
        window = self.settings.windows[name]
        reference = self.known is None and self.settings.reference in ("line", "carbon")
        held = reference and name == self.settings.reference_window
        region = self.region(name, 0.0 if held else shift)
        found = self._fits(window, region, shift)
        if held or any(fitted.usable for fitted in found.values()):
            return found
        # A chemical shift may be larger than the search goes: the first line is looked for at the highest one.
        places = region.energy[highest(region.energy, region.counts)]
        first = self.levels[next(iter(window.models.values())).lines[0]]
        again = self._fits(window, region, float(places[0]) - first.position) if places.size else {}
        return again if any(fitted.usable for fitted in again.values()) else found

    def _fits(self, window: XpsWindow, region: Region, shift: float) -> dict[str, RegionFit]:
        found: dict[str, RegionFit] = {}
        for number, (model, entry) in enumerate(window.models.items()):
            lines = with_splitting([self.levels[level] for level in entry.lines], entry.splitting)
            near = None
            for background, shape in self.variants(region, lines)[: 1 if number else None]:
                suffix = "" if shape == "voigt" else f"_{shape}"
                fitted = fit_region(region, Model(lines, background, window.polynomial, shape), shift, near)
                near = near or (fitted if fitted.usable else None)
                found[f"{model}_{background}{suffix}"] = fitted
        return found

    def distance(self, fitted: RegionFit) -> float:
        """Return how far the first line of a model lies from its expected energy, if this is beyond `REACH` (eV)."""
        line = fitted.model.lines[0]
        far = abs(fitted.position(line, 1)[0] - self.reference.shift - line.position)
        return far if far > REACH * (1 + 1e-6) else 0.0

    def variants(self, region: Region, lines: Sequence[Line]) -> Sequence[tuple[str, str]]:
        """Return the pairs of background and shape that are fitted; Fourier series of lines need equal steps."""
        backgrounds, shapes = self.settings.backgrounds, list[str](self.settings.shapes)
        if any(line.asymmetry > 0 for line in lines):
            shapes = [METAL, *(shape for shape in shapes if shape != METAL)]
        possible = [shape for shape in shapes[1:] if region.even or shape != METAL]
        return [(background, shapes[0]) for background in backgrounds] + [(backgrounds[0], shape) for shape in possible]

    @cached_property
    def reference(self) -> Reference:
        """The charge reference that the settings name."""
        if self.known is not None:
            return self.known
        name, kind = self.settings.reference_window, self.settings.reference
        if kind == "calibrated":
            return Reference()
        if kind == "none":
            return Reference(missing="the settings name none")
        if kind == "fermi_edge":
            spectrum = self.required(name)
            return by_edge(self.region(name, 0.0), self.settings.reference_energy, spectrum.measurement.id)
        if kind == "line":
            return self._by_line(name)
        if name not in self.spectra:
            return Reference(missing=f"'{name}' was not measured")
        try:
            return self._by_line(name)
        except AnalysisError as error:
            return Reference(missing=str(error).partition(": ")[2].partition(": name another")[0])

    def _by_line(self, name: str) -> Reference:
        energy, region = self.settings.reference_energy, self.region(name, 0.0)
        smooth = np.convolve(region.counts, np.ones(5) / 5, mode="same")
        start = float(region.energy[2:-2][np.argmax(smooth[2:-2])]) - energy
        fits = self.fits(name, start if abs(start) < 3 else 0.0)
        return by_line(fits, energy, self.spectra[name].measurement.id)
