"""X-ray spectra of one point or area: Bruker ``.spx``, EDAX ``.spc`` and JEOL ``.eds``.

Instruments: The X-ray spectrometers (EDX) of Bruker, EDAX and JEOL save single spectra in these forms. They are read by
rosettasciio, after their sizes have been checked.

Recognition: An ``.spc`` file begins with its version as a float (0.61 or 0.70) and is longer than its header; an
``.eds`` file begins with the numbers 2 and 2 (u32); an ``.spx`` file is XML with ``<TRTSpectrum`` in its first bytes.

Layout: ``.spx`` is XML. ``.spc`` has its number of channels at byte 32 (u16) and its counts behind a header of 3,840
bytes. ``.eds`` has its number of channels at byte 454 (i32), and its counts behind it.

Schema: The one child is named after the spectrum. It has ``intensity`` (count) along ``energy`` (keV) with
``intensity_uncertainty`` (Poisson). The attributes, where the file has them, are ``beam_energy_keV``,
``beam_current_nA``, ``live_time_s``, ``real_time_s``, ``azimuth_angle_deg``, ``elevation_angle_deg`` and
``energy_resolution_MnKa_eV``.
"""

import struct
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock
from xml.etree.ElementTree import Element

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.containers import MAX_MEMBER_BYTES, inflated, parse_xml, plain_xml
from relaxor.readers.common.schema import unpack
from relaxor.readers.common.signals import signal_tree
from relaxor.readers.common.text import library_date, number, numbers

MAX_BYTES = 16 << 20
EDAX_VERSIONS = tuple(struct.pack("<f", version) for version in (0.61, 0.70))
EDAX_HEADER_BYTES, EDAX_CHANNELS_AT = 3840, 0x20
JEOL_MAGIC = b"\x02\0\0\0\x02\0\0\0"
JEOL_CHANNELS_AT = 454
DETECTOR = {
    "azimuth_angle": "azimuth_angle_deg",
    "elevation_angle": "elevation_angle_deg",
    "energy_resolution_MnKa": "energy_resolution_MnKa_eV",
    "live_time": "live_time_s",
    "real_time": "real_time_s",
}
MICROSCOPE = {"beam_energy": "beam_energy_keV", "beam_current": "beam_current_nA"}


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the version of EDAX, the first numbers of JEOL, or the spectrum element of Bruker in XML."""
    if head.startswith(EDAX_VERSIONS):
        return path.stat().st_size > EDAX_HEADER_BYTES
    return head.startswith(JEOL_MAGIC) or (head.lstrip()[:5] == b"<?xml" and b"<TRTSpectrum" in head)


def extract(path: Path) -> xr.DataTree:
    """Read a spectrum; the schema is that of the module."""
    warnings: list[str] = []
    maker, signals = _signals(path.read_bytes(), path, warnings)
    if not signals:
        raise ReadError(path, "holds no spectrum")
    return signal_tree(
        [{**signal, "units": "count", "counts": True} for signal in signals],
        [_attributes(signal["metadata"]) for signal in signals],
        instrument=maker,
        acquired=library_date(signals[0]["metadata"].get("General", {})),
        warnings=warnings,
    )


def _signals(data: bytes, path: Path, warnings: list[str]) -> tuple[str, list[dict[str, Any]]]:
    """Return the maker and the signals; the content decides who wrote the file, not its extension."""
    if data.startswith(EDAX_VERSIONS):
        from rsciio.edax._api import spc_reader

        _refuse_short(data, "<H", EDAX_CHANNELS_AT, EDAX_HEADER_BYTES, path)
        return "EDAX", spc_reader(str(path))
    if data.startswith(JEOL_MAGIC):
        from rsciio.jeol import _api

        _refuse_short(data, "<i", JEOL_CHANNELS_AT, JEOL_CHANNELS_AT + 4, path)
        # rosettasciio leaves the file open that it opens itself.
        with path.open("rb") as file, mock.patch.object(_api, "open", lambda *_: file, create=True):
            return "JEOL", _as_list(_api._read_eds(str(path)))
    from rsciio.bruker._api import spx_reader

    root = parse_xml(data, path)
    check_layers(root, path)
    try:
        return "Bruker", _as_list(spx_reader(str(path)))
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        warnings.append(f"settings are missing or not understood ({error}): only counts, energies and times are read")
        return "Bruker", [_bare_spectrum(root, path)]


def _bare_spectrum(root: Element, path: Path) -> dict[str, Any]:
    """Return the spectrum of an ``.spx`` whose settings rosettasciio misses."""

    def value(tag: str) -> float | None:
        return number(root.findtext(f".//{tag}") or "")

    words = (root.findtext(".//Channels") or "").replace(",", " ").split()
    offset, scale = value("CalibAbs"), value("CalibLin")
    if not words or offset is None or not scale:
        raise ReadError(path, "holds no counts (Channels), or no axis of energy (CalibAbs, CalibLin)")
    counts = numbers(words, path, "Channels")
    times = {"real_time": value("RealTime"), "live_time": value("LifeTime")}
    detector = {name: time / 1000 for name, time in times.items() if time is not None}
    axis = {"name": "Energy", "size": counts.size, "offset": offset, "scale": scale, "units": "keV"}
    microscope = {"SEM": {"Detector": {"EDS": detector}}}
    metadata = {"General": {"title": "EDX"}, "Acquisition_instrument": microscope}
    return {"data": counts, "axes": [axis], "metadata": metadata, "original_metadata": plain_xml(root)}


def _refuse_short(data: bytes, layout: str, place: int, begin: int, path: Path) -> None:
    """Refuse a file that announces more channels than it has bytes for; rosettasciio reserves memory for all."""
    (channels,) = unpack(layout, data, place, path)
    if not 0 <= 4 * channels <= len(data) - begin:
        raise ReadError(path, f"announces {channels} channels, file has {len(data)} bytes", f"byte {place:#x}")


def check_layers(spectrum: Element, path: Path, place: str = "") -> None:
    """Refuse packed XML of the layers of a detector that is too large or harmful; rosettasciio unpacks all of it."""
    for layers in spectrum.iter("DetLayers"):
        parse_xml(inflated(b64decode(layers.text or ""), MAX_MEMBER_BYTES, path, place), path, place)


def _as_list(found: Any) -> list[dict[str, Any]]:
    return found if isinstance(found, list) else [found]


def _attributes(metadata: Mapping[str, Any]) -> dict[str, Any]:
    instrument = metadata.get("Acquisition_instrument", {})
    microscope = instrument.get("SEM") or instrument.get("TEM") or {}
    detector = (microscope.get("Detector") or {}).get("EDS") or {}
    found = {name: microscope[key] for key, name in MICROSCOPE.items() if microscope.get(key) is not None}
    found |= {name: detector[key] for key, name in DETECTOR.items() if detector.get(key) is not None}
    return {name: float(value) for name, value in found.items()}
