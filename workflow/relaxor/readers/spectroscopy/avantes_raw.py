"""Avantes spectra, ``.raw8``, ``.rfl8``, ``.trm8``, ``.abs8``, ``.irr8``.

Instruments: AvaSoft 8, the program of Avantes spectrometers (AvaSpec), saves its spectra in this form.

Recognition: The file begins with ``AVS82`` or ``AVS84``.

Layout: The mark of five bytes and the number of spectra u8 are followed by the spectra, little-endian, one behind the
other. A spectrum has its length u32, number u8, mode of measurement u8 (at 5), serial number (10 bytes at 8), name (64
at 18), first and last pixel u16 (83 and 85), integration time f32 (ms, 87), scans averaged u32 (95), date u32 (128:
year, month, day, hour and minute packed as in a Galactic file), comment (130 at 192), and, from 322, one array f32 for
each of wavelength, sample, dark and reference. The length counts neither itself nor six bytes of it; where the next
spectrum begins is told by it.

Schema: The child ``spectrum`` (``spectrum_1``, … of several) has ``intensity`` (``count``, the sample), ``dark`` and
``reference`` (``count``) along ``wavelength`` (nm). The attributes are ``integration_time`` (s, of one scan),
``scans`` (averaged), ``name`` and ``comment``. A reflectance or transmittance is not stored: it is (sample - dark) /
(reference - dark).
"""

from pathlib import Path

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.schema import array, text_at, tree, unpack
from relaxor.readers.spectroscopy.galactic_spc import packed_date
from relaxor.readers.spectroscopy.optical import WAVELENGTH, spectrum_of

MARKS = (b"AVS82", b"AVS84")
FIRST, NUMBERS, UNCOUNTED = 6, 322, 10
"""Places of the first spectrum in the file and of the numbers in a spectrum; bytes of it that its length lacks."""
LABELS = ("sample", "dark", "reference")


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the mark."""
    return head.startswith(MARKS)


def extract(path: Path) -> xr.DataTree:
    """Read the spectra of a file of AvaSoft 8; the schema is that of the module."""
    data = path.read_bytes()
    (count,) = unpack("<B", data, 5, path)
    if not count:
        raise ReadError(path, "announces no spectrum", "byte 0x5")
    children: dict[str, xr.Dataset] = {}
    warnings: list[str] = []
    dates: list[str | None] = []
    serial = ""
    offset = FIRST
    for index in range(count):
        if index and (offset >= len(data) or not serial or text_at(data, offset + 8, 10) != serial):
            warnings.append(f"{count} spectra are announced, the first {index} are found")
            break
        serial = text_at(data, offset + 8, 10)
        children[f"spectrum_{index + 1}" if count > 1 else "spectrum"] = _spectrum(data, offset, path)
        dates.append(packed_date(*unpack("<I", data, offset + 128, path)))
        end = offset + unpack("<I", data, offset, path)[0] + UNCOUNTED
        offset = max(end, offset + 1)
    warnings.append("the settings of the program behind the numbers of each spectrum are not read")
    header = {"mark": data[:5].decode("latin-1"), "serial": serial, "bytes": data[: FIRST + NUMBERS].hex()}
    return tree(children, header, f"Avantes {serial}".strip(), dates[0], warnings)


def _spectrum(data: bytes, start: int, path: Path) -> xr.Dataset:
    first, last, time, _, scans = unpack("<2Hf2I", data, start + 83, path)
    if last < first:
        raise ReadError(path, f"the last pixel is {last}, the first one {first}", f"byte {start + 83:#x}")
    if not np.isfinite(time):
        raise ReadError(path, "the integration time is no number", f"byte {start + 87:#x}")
    length = last - first + 1
    places = [start + NUMBERS + 4 * length * index for index in range(4)]
    positions, *columns = (array(data, "<f4", length, place, path).astype(float) for place in places)
    attrs = {"integration_time": time / 1000, "scans": scans, "name": text_at(data, start + 18, 64)}
    attrs["comment"] = text_at(data, start + 192, 129)
    kept = {key: value for key, value in attrs.items() if value != ""}
    labelled = [(label, "count", values) for label, values in zip(LABELS, columns, strict=True)]
    return spectrum_of(WAVELENGTH, positions, labelled, kept)
