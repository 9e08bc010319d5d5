"""Write a Velox ``.emd`` with one STEM image, laid out as Velox 4 files are."""

import hashlib
import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

METADATA_BYTES = 60_000
"""Velox reserves this many bytes for the metadata of a frame and fills up with zeros."""


@dataclass(frozen=True)
class Recording:
    """How an image was recorded.

    Attributes
    ----------
    pixel_size
        Size of a pixel in m.
    detector
        Name of the detector, which becomes the title.
    acceleration_voltage
        In V.
    dwell_time
        Time per pixel in s.
    unix_time
        Start of the acquisition in s since 1970, UTC.
    instrument
        Class of the microscope.
    comment
        Free text.
    """

    pixel_size: float
    detector: str
    acceleration_voltage: float
    dwell_time: float
    unix_time: int
    instrument: str
    comment: str


def write_velox_emd(image: np.ndarray, recording: Recording) -> bytes:
    """Return the bytes of an EMD file with an image of uint16, shape (y, x); equal arguments give equal bytes."""
    import h5py

    identity = hashlib.sha256(image.tobytes() + recording.comment.encode()).hexdigest()[:32]
    packed = np.zeros((METADATA_BYTES, 1), np.uint8)
    text = np.frombuffer(json.dumps(_metadata(image.shape, recording), indent=4).encode() + b"\n", np.uint8)
    packed[: len(text), 0] = text
    path = f"/Data/Image/{identity}"
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", track_order=False) as file:
        _text(file, "Version", {"version": "4", "format": "Velox"})
        _text(file, "Info", {"comment": recording.comment})
        operation = {"dataPath": path, "detector": recording.detector, "scanArea": ["0.0", "0.0", "1.0", "1.0"]}
        _text(file, f"Operations/StemInputOperation/{identity}", operation)
        for name, data in {"Data": image[:, :, np.newaxis], "Metadata": packed}.items():
            shapes = {"chunks": data.shape, "maxshape": (*data.shape[:-1], None)}
            file.create_dataset(f"{path}/{name}", data=data, **shapes, track_times=False)
    return buffer.getvalue()


def _text(file: Any, name: str, content: dict[str, Any]) -> None:
    import h5py

    text = json.dumps(content, indent=4) + "\n"
    file.create_dataset(name, data=[text], dtype=h5py.string_dtype("utf-8"), track_times=False)


def _metadata(shape: tuple[int, ...], recording: Recording) -> dict[str, Any]:
    height, width = shape
    line_time = width * recording.dwell_time
    start, size = {"DateTime": str(recording.unix_time)}, repr(recording.pixel_size)
    detector = recording.detector
    return {
        "Core": {"MetadataDefinitionVersion": "7.9", "MetadataSchemaVersion": "v1/2013/07"},
        "Instrument": {"Manufacturer": "FEI Company", "InstrumentClass": recording.instrument},
        "Acquisition": {"AcquisitionStartDatetime": start, "AcquisitionDatetime": start, "SourceType": "XFEG"},
        "Optics": {"AccelerationVoltage": f"{recording.acceleration_voltage:g}", "OperatingMode": "2"},
        "Scan": {
            "ScanSize": {"width": str(width), "height": str(height)},
            "DwellTime": f"{recording.dwell_time:g}",
            "LineTime": f"{line_time:g}",
            "FrameTime": f"{height * line_time:g}",
        },
        "Detectors": {"Detector-0": {"DetectorName": detector, "DetectorType": "ScanningDetector", "Inserted": "true"}},
        "BinaryResult": {
            "Detector": detector,
            "DetectorIndex": "0",
            "PixelSize": {"width": size, "height": size},
            "PixelUnitX": "m",
            "PixelUnitY": "m",
            "Offset": {"x": "0", "y": "0"},
        },
        "Sample": {},
        "CustomProperties": {"Comment": {"type": "string", "value": recording.comment}},
    }
