"""Write a Velox ``.emd`` with one STEM image, laid out as Velox 4 files are."""

import hashlib
import io
import json
from typing import Any

import numpy as np

METADATA_BYTES = 60_000
"""Velox reserves this many bytes for the metadata of a frame and fills up with zeros."""


def write_velox_emd(
    image: np.ndarray,
    *,
    pixel_size: float,
    detector: str,
    acceleration_voltage: float,
    dwell_time: float,
    unix_time: int,
    instrument: str,
    comment: str,
) -> bytes:
    """Return the bytes of an EMD file; the same arguments give the same bytes.

    Parameters
    ----------
    image
        (y, x) array of uint16.
    pixel_size
        Size of a pixel in m.
    detector
        Name of the detector, which becomes the title.
    acceleration_voltage
        In V.
    dwell_time
        Time a pixel in s.
    unix_time
        Start of the acquisition in s since 1970, UTC.
    instrument
        Class of the microscope.
    comment
        Free text.
    """
    import h5py

    identity = hashlib.sha256(image.tobytes() + comment.encode()).hexdigest()[:32]
    metadata = _metadata(
        image.shape, pixel_size, detector, acceleration_voltage, dwell_time, unix_time, instrument, comment
    )
    packed = np.zeros((METADATA_BYTES, 1), np.uint8)
    text = np.frombuffer(json.dumps(metadata, indent=4).encode() + b"\n", np.uint8)
    packed[: len(text), 0] = text
    path = f"/Data/Image/{identity}"
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", track_order=False) as file:
        _text(file, "Version", {"version": "4", "format": "Velox"})
        _text(file, "Info", {"comment": comment})
        _text(
            file,
            f"Operations/StemInputOperation/{identity}",
            {"dataPath": path, "detector": detector, "scanArea": ["0.0", "0.0", "1.0", "1.0"]},
        )
        for name, data in {"Data": image[:, :, np.newaxis], "Metadata": packed}.items():
            file.create_dataset(
                f"{path}/{name}",
                data=data,
                chunks=data.shape,
                maxshape=(*data.shape[:-1], None),
                track_times=False,
            )
    return buffer.getvalue()


def _text(file: Any, name: str, content: dict[str, Any]) -> None:
    import h5py

    text = json.dumps(content, indent=4) + "\n"
    file.create_dataset(name, data=[text], dtype=h5py.string_dtype("utf-8"), track_times=False)


def _metadata(
    shape: tuple[int, ...],
    pixel_size: float,
    detector: str,
    voltage: float,
    dwell_time: float,
    unix_time: int,
    instrument: str,
    comment: str,
) -> dict[str, Any]:
    height, width = shape
    line_time = width * dwell_time
    return {
        "Core": {"MetadataDefinitionVersion": "7.9", "MetadataSchemaVersion": "v1/2013/07"},
        "Instrument": {"Manufacturer": "FEI Company", "InstrumentClass": instrument},
        "Acquisition": {
            "AcquisitionStartDatetime": {"DateTime": str(unix_time)},
            "AcquisitionDatetime": {"DateTime": str(unix_time)},
            "SourceType": "XFEG",
        },
        "Optics": {"AccelerationVoltage": f"{voltage:g}", "OperatingMode": "2"},
        "Scan": {
            "ScanSize": {"width": str(width), "height": str(height)},
            "DwellTime": f"{dwell_time:g}",
            "LineTime": f"{line_time:g}",
            "FrameTime": f"{height * line_time:g}",
        },
        "Detectors": {"Detector-0": {"DetectorName": detector, "DetectorType": "ScanningDetector", "Inserted": "true"}},
        "BinaryResult": {
            "Detector": detector,
            "DetectorIndex": "0",
            "PixelSize": {"width": repr(pixel_size), "height": repr(pixel_size)},
            "PixelUnitX": "m",
            "PixelUnitY": "m",
            "Offset": {"x": "0", "y": "0"},
        },
        "Sample": {},
        "CustomProperties": {"Comment": {"type": "string", "value": comment}},
    }
