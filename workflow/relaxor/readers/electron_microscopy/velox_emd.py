"""Velox images, spectra and maps, ``.emd`` (HDF5).

Instruments: Electron microscopes of Thermo Fisher (formerly FEI: Talos, Themis, Titan) save their data in this form
with the program Velox.

Recognition: The file is HDF5, and ``/Version`` is JSON with the format ``Velox`` or ``DevelopersKit``. Berkeley files
have the same extension.

Layout: ``/Data/Image/<id>/Data`` is an array (y, x, frame), and the state of the microscope is JSON in ``Metadata``
beside it. ``/Data/Spectrum/<id>`` holds X-ray spectra, ``/Data/EelsSpectrumImage/<id>`` energy loss maps, and
``/Data/SpectrumStream/<id>`` X-ray maps as a list of events: a channel number is one count, 65535 moves on to the next
pixel, and frames follow each other. rosettasciio reads images, spectra and titles. Its own decoder of event lists needs
the library sparse, so that they are decoded here.

Schema: There is one child per signal, named after its title (``HAADF``, ``EDS``, ``EDS_2``, …), in the order of the
file. Images have ``intensity`` (``time``, ``y``, ``x``; without ``time`` where there is one frame) in the digital units
of the detector with coordinates in m; Fourier transforms and DPC images have ``real`` and ``imaginary``. X-ray spectra
have ``intensity`` (``energy``, keV) in counts with ``intensity_uncertainty`` (Poisson). Spectrum images have
``intensity`` (``y``, ``x``, ``energy`` or ``energy_loss`` in eV) in counts; their uncertainty, the square root, is not
stored. The attributes of a child are ``title``, ``acceleration_voltage_V`` and ``detector``. The header holds the
metadata of the file and of each signal.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.pieces import LARGE, Key, stored
from relaxor.readers.common import hdf5
from relaxor.readers.common.schema import tree
from relaxor.readers.common.signals import datasets
from relaxor.readers.common.text import unix_date

NEXT_PIXEL = 65535


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the HDF5 signature and ``/Version``."""
    return head.startswith(hdf5.SIGNATURE) and emd_variant(path) == "velox"


def extract(path: Path) -> xr.DataTree:
    """Read a Velox file; the schema is that of the module."""
    from rsciio.emd import _emd_velox

    reader = _emd_velox.FeiEMDReader(load_SI_image_stack=True)
    read_image = reader._read_image
    reader._read_image = lambda group, name: _image(reader, read_image, group, name, path)
    reader.load_images = reader.load_SI = reader.load_single_spectrum = True
    # The entry point of the library asks for sparse before it reads anything of a file with an X-ray map.
    reader._read_data = lambda select_type: _read_all(reader, path)
    with hdf5.opened(path) as file:
        reader.read_file(file)
    if not reader.dictionaries:
        raise ReadError(path, "holds no image and no spectrum", "/Data")
    shared = reader.original_metadata
    own = [_own_metadata(signal["original_metadata"], shared) for signal in reader.dictionaries]
    children = datasets([_described(signal) for signal in reader.dictionaries], [_attributes(meta) for meta in own])
    first = next((meta for meta in own if "Instrument" in meta), {})
    start = first.get("Acquisition", {}).get("AcquisitionStartDatetime", {}).get("DateTime")
    instrument = first.get("Instrument", {})
    maker = " ".join(filter(None, (instrument.get("Manufacturer"), instrument.get("InstrumentClass"))))
    header = {"file": shared, "signals": dict(zip(children, own, strict=True))}
    return tree(children, header, maker, unix_date(start))


def emd_variant(path: Path) -> str:
    """Return ``velox``, ``berkeley`` or an empty text; no bytes make it raise."""
    import json

    import h5py

    try:
        with h5py.File(path, "r") as file:
            if isinstance(file.get("Version", getlink=True), h5py.HardLink) and "Data" in file:
                if hdf5.text_damage(path)[1] or not h5py.check_string_dtype(file["Version"].dtype):
                    return "velox"  # by its layout; `extract` says what is wrong with it
                text = file["Version"][0]
                return "velox" if json.loads(text).get("format") in ("Velox", "DevelopersKit") else ""
            return "berkeley" if {"version_major", "version_minor"} <= set(file.attrs) else ""
    except (
        Exception
    ):  # h5py and json raise errors of many kinds on strangers' bytes, which then are of no known variant
        return ""


def _image(reader: Any, read_image: Callable[..., dict[str, Any]], group: Any, name: str, path: Path) -> dict[str, Any]:
    """Read an image or a series of them; the values of a large series stay in the file."""
    data = group[name]["Data"]
    plain = data.dtype.names is None and data.chunks is not None
    reader.lazy = plain and data.nbytes > LARGE and data.ndim == 3 and data.shape[2] > 1
    signal = read_image(group, name)
    if reader.lazy:
        shape = (data.shape[2], *data.shape[:2])
        signal["data"] = stored(shape, data.dtype, partial(_frames, path, data.name))
    reader.lazy = False
    return signal


def _frames(path: Path, name: str, key: Key) -> np.ndarray:
    """Return a part of a series (frame, y, x) that the file holds as (y, x, frame)."""
    import h5py

    frame, *place = key
    with h5py.File(path, "r") as file:
        part = np.asarray(file[name][(*place, frame)])
    return np.moveaxis(part, -1, 0) if isinstance(frame, slice) else part


def _read_all(reader: Any, path: Path) -> None:
    from rsciio.emd import _emd_velox

    reader._read_single_spectrum()
    reader._read_images()
    if "EelsSpectrumImage" in reader.d_grp:
        reader._read_eels_spectrum_images()
    streams = reader.d_grp.get("SpectrumStream")
    if reader.im_type == "SpectrumStream" and streams is not None and len(streams):
        reader.dictionaries.append(_spectrum_image(reader, streams, path))
    elif streams is not None and not len(streams):
        _emd_velox._logger.warning(_emd_velox.PRUNE_WARNING)


def _spectrum_image(reader: Any, streams: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Sum the X-ray maps of all detectors and frames."""
    import json

    from rsciio.utils.hdf5 import _parse_sub_data_group_metadata

    groups = list(streams.values())
    channels = int(json.loads(groups[0]["AcquisitionSettings"][0])["bincount"])
    shape = (*reader.spatial_shape, channels)
    if channels <= 0 or 2 * float(np.prod(shape, dtype=float)) > hdf5.MAX_UNPACKED:
        raise ReadError(path, f"announces an X-ray map of {shape} values", "/Data/SpectrumStream")
    cube = decode_events([group["Data"][:, 0] for group in groups], shape)
    metadata = _parse_sub_data_group_metadata(groups[0]) | reader.original_metadata
    binary = metadata["BinaryResult"]
    dispersion, offset, unit = reader._get_dispersion_offset(metadata)
    length = binary["PixelUnitX"]
    axes = [
        {"name": "y", "offset": binary["Offset"]["y"], "scale": binary["PixelSize"]["height"], "units": length},
        {"name": "x", "offset": binary["Offset"]["x"], "scale": binary["PixelSize"]["width"], "units": length},
        {"name": "energy", "offset": offset, "scale": dispersion, "units": unit},
    ]
    return {
        "data": cube,
        "axes": [axis | {"size": size} for axis, size in zip(axes, shape, strict=True)],
        "metadata": {"General": {"title": "EDS"}, "Signal": {"signal_type": "EDS_TEM"}},
        "original_metadata": metadata,
    }


def decode_events(streams: Sequence[np.ndarray], shape: tuple[int, int, int]) -> np.ndarray:
    """Count the events of X-ray maps into (y, x, channel), all frames and detectors summed.

    Raises
    ------
    IndexError
        If an event lies in a channel that the map does not have.
    """
    pixels = shape[0] * shape[1]
    events = sum(len(stream) for stream in streams)
    cube = np.zeros((pixels, shape[2]), np.uint16 if events <= NEXT_PIXEL else np.uint32)
    for stream in streams:
        gate = stream == NEXT_PIXEL
        pixel = np.cumsum(gate)[~gate] % pixels
        np.add.at(cube, (pixel, stream[~gate]), 1)
    return cube.reshape(shape)


def _own_metadata(metadata: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if key not in shared}


def _described(signal: Mapping[str, Any]) -> dict[str, Any]:
    kind = signal["metadata"]["Signal"]["signal_type"]
    counted = kind in ("EDS_TEM", "EELS")
    return {**signal, "units": "count" if counted else "1", "counts": kind == "EDS_TEM" and signal["data"].ndim == 1}


def _attributes(metadata: Mapping[str, Any]) -> dict[str, Any]:
    voltage = metadata.get("Optics", {}).get("AccelerationVoltage")
    detector = metadata.get("DetectorMetadata") or {}
    result: dict[str, Any] = {"acceleration_voltage_V": float(voltage)} if voltage else {}
    return result | ({"detector": detector["DetectorName"]} if "DetectorName" in detector else {})
