"""What is analysed together: the windows of a file, of files of one region each, or of a level of a depth profile."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from relaxor.core.errors import AnalysisError
from relaxor.core.results import Measurement
from relaxor.techniques.xps.peaks import found_window
from relaxor.techniques.xps.reference import Reference
from relaxor.techniques.xps.session import MIN_POINTS, Session
from relaxor.techniques.xps.settings import XpsLine, XpsModel, XpsSettings, XpsWindow
from relaxor.techniques.xps.spectra import COVERED, PLACES, by_window, plain, spectra_of
from relaxor.techniques.xps.spectrum import Spectrum

CARBON_LINES = {
    "C 1s": XpsLine(position=284.8, label="C–C, C–H"),
    "C 1s C-O": XpsLine(position=286.3, follows="C 1s", label="C–O"),
    "C 1s O-C=O": XpsLine(position=288.6, follows="C 1s", label="O–C=O"),
}
"""Lines of adventitious carbon, where the settings name none."""
CARBON = XpsWindow(low=280.0, high=292.0, models={"adventitious_carbon": XpsModel(lines=list(CARBON_LINES))})


def sessions(measurements: Sequence[Measurement], settings: XpsSettings) -> list[list[Session]]:
    """Return the sessions of each file, or of files that have one region each; the levels of a series follow.

    Raises
    ------
    AnalysisError
        If a file holds no spectrum.
    """
    files = {each.id: spectra_of(each, settings.photon_energy) for each in measurements}
    for each in measurements:
        if not files[each.id]:
            names = ", ".join(each.regions)
            raise AnalysisError(f"{each.id}: holds no spectrum over binding or kinetic energy (it has {names})")
    settings = _with_carbon(settings)
    limits = {name: (window.low, window.high) for name, window in settings.windows.items()}
    once = {name: [each for each in spectra if not np.isfinite(each.at)] for name, spectra in files.items()}
    windows = {name: by_window(spectra, limits) for name, spectra in once.items()}
    held = [window for found in windows.values() for window in found]
    if len(measurements) > 1 and held and len(held) == len(set(held)) and all(once.values()):
        return [_of_file(tuple(measurements), [each for spectra in files.values() for each in spectra], settings)]
    return [_of_file((each,), files[each.id], settings) for each in measurements]


def _of_file(
    measurements: tuple[Measurement, ...], spectra: Sequence[Spectrum], settings: XpsSettings
) -> list[Session]:
    """Return the session of what a file holds once, and those of the levels of its series."""
    once = [each for each in spectra if not np.isfinite(each.at)]
    levels = sorted({each.at for each in spectra if np.isfinite(each.at)})
    groups = [once] if once else []
    groups += [[each for each in spectra if each.at == level] for level in levels]
    found: list[Session] = []
    reference: Reference | None = None
    for group in groups:
        session = _session(measurements, group, settings, reference)
        found.append(session)
        if session.at_name in PLACES:  # each has a reference of its own
            continue
        if reference is None and (len(groups) == 1 or not session.reference.missing or group is groups[-1]):
            reference = session.reference
    return found


def _session(
    measurements: tuple[Measurement, ...],
    spectra: Sequence[Spectrum],
    settings: XpsSettings,
    reference: Reference | None,
) -> Session:
    limits = {name: (window.low, window.high) for name, window in settings.windows.items()}
    survey = _survey(measurements, spectra, settings)
    narrow = [each for each in spectra if each not in survey]
    chosen = by_window(narrow, limits)
    for name, each in list(chosen.items()):  # carbon of a fluoride lies beside the usual window
        if settings.windows[name] is CARBON and each.covers(CARBON.low, CARBON.high) < COVERED:
            del chosen[name]
    borrowed = replace(reference, fits={}) if reference else None
    used = [id(each) for each in chosen.values()]
    rest = tuple(each for each in narrow if id(each) not in used)
    held = borrowed is not None
    return _with_found(Session(measurements, settings, chosen, tuple(survey), rest, known=borrowed, borrowed=held))


def _survey(measurements: Sequence[Measurement], spectra: Sequence[Spectrum], settings: XpsSettings) -> list[Spectrum]:
    """Return the survey of each file that has one."""
    if name := settings.survey_region:
        named = [each for each in spectra if each.name == name]
        if not named:
            where, names = measurements[0].id, ", ".join(each.name for each in spectra)
            raise AnalysisError(f"{where}: has no region '{name}' (it has {names})")
        return named[:1]
    found: dict[str, Spectrum] = {}
    for each in sorted(spectra, key=lambda each: -float(np.ptp(each.energy))):
        if each.is_survey and not each.problem:
            found.setdefault(each.measurement.id, each)
    return list(found.values())


def _with_found(session: Session) -> Session:
    """Return a session with windows for the regions that the settings do not name, where lines stand out."""
    windows, lines = dict(session.settings.windows), dict(session.settings.lines)
    spectra, unfitted = dict(session.spectra), []
    for spectrum in session.unfitted:
        name = next(each for each in _names(spectrum) if each not in windows)
        found = None
        if not (spectrum.problem or spectrum.is_survey or spectrum.energy.size < MIN_POINTS):
            found = found_window(spectrum, name, session.reference.shift)
        if found is None:
            unfitted.append(spectrum)
            continue
        windows[name], named = found
        lines |= named
        spectra[name] = spectrum
    new = frozenset(spectra.keys() - session.spectra.keys())
    settings = session.settings.model_copy(update={"windows": windows, "lines": lines})
    known = session.reference
    return replace(session, settings=settings, spectra=spectra, unfitted=tuple(unfitted), found=new, known=known)


def _names(spectrum: Spectrum) -> list[str]:
    """Return names of a window for a region, the plainest first."""
    whole = f"{spectrum.measurement.id} {spectrum.name}"
    return [spectrum.name, whole, *(f"{whole} {number}" for number in range(2, 1000))]


def _with_carbon(settings: XpsSettings) -> XpsSettings:
    """Return settings with a window of adventitious carbon, if they name no other reference."""
    name = settings.reference_window
    if settings.reference != "carbon" or name in settings.windows:
        return settings
    if alike := [window for window in settings.windows if plain(window) == plain(name)]:
        return settings.model_copy(update={"reference_window": alike[0]})
    windows, lines = {**settings.windows, name: CARBON}, CARBON_LINES | settings.lines
    return settings.model_copy(update={"windows": windows, "lines": lines})
