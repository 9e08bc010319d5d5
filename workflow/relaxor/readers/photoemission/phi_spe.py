"""PHI photoelectron spectra, ``.spe``, and depth profiles, ``.pro``.

Instruments: Photoelectron spectrometers of Physical Electronics (VersaProbe, Quantum 2000) save their data in this form
with the programs SmartSoft and Compass.

Recognition: The first line is ``SOFH``.

Layout: The text header runs from ``SOFH`` to ``EOFH``. Its lines are ``Key: value``, end in LF or CRLF, and may repeat
a key. There is one ``SpectralRegDef`` per region: index, index, name, atomic number, points, step, first and last
binding energy (eV), analysed limits, counting time per point (s, of all sweeps together), pass energy (eV) and mode.
The binary part begins right after the line ``EOFH`` and is little-endian. Four u32 (1, records, 96 × records, 16) are
followed by a descriptor of 24 u32 per record: [3] region (0: no spectrum), [5] points, [6] cycles, [14] unit (``c/s``),
[18] ``f4`` or ``f8``, [19] bytes, [20] offset from the start of the binary part. There may be gaps between blocks, so
that only the offset counts. The values are rates; times the counting time they are whole numbers in all files that were
examined.

Schema: There is one child per region, named after it (``Su1s``, ``C1s``). It has ``intensity`` (count/s) over
``binding_energy`` (eV, as written: descending, and not corrected for charging), or in a depth profile over (``cycle``,
``binding_energy``), with ``intensity_uncertainty`` (Poisson). The attributes are ``region``, ``counting_time`` (s per
point and cycle), ``pass_energy``, ``excitation_energy``, ``work_function`` (eV) and ``transmission_coefficients``
(``IntensityCalCoeff``: a and b of the transmission of the analyser). The root has ``title``. Records that are no
spectra are kept in the header under ``other_records``.
"""

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.core.variables import variable, with_uncertainty
from relaxor.readers.common.schema import array, tree, unpack
from relaxor.readers.common.text import collected, free, iso_day, number, safe
from relaxor.stats.counts import poisson_uncertainty

MAX_BYTES = 32 << 20
DESCRIPTOR = 24
"""Words of 4 bytes in the descriptor of a record."""
REGION = re.compile(
    r"(?P<index>\d+)\s+\d+\s++(?P<name>\S(?:.*?\S)??)\s++(?P<atomic_number>-?\d++)\s++(?P<points>\d++)\s++"
    r"(?P<step>\S++)\s++(?P<first>\S++)\s++(?P<last>\S++)\s++\S++\s++\S++\s++(?P<time>\S++)\s++"
    r"(?P<pass_energy>\S++)\s++\S"
)


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the mark at the start of the header."""
    return re.match(rb"SOFH\r?\n", head) is not None


def extract(path: Path) -> xr.DataTree:
    """Read a PHI spectrum or depth profile; the schema is that of the module.

    Raises
    ------
    ReadError
        If header and binary part disagree, if the file ends early, or if a value is not finite.
    """
    data = path.read_bytes()
    end = re.search(rb"^EOFH\r?\n", data, re.MULTILINE)
    if end is None:
        raise ReadError(path, "has no line EOFH, which ends the header", f"byte {len(data):#x}")
    lines = (line.partition(":") for line in data[: end.start()].decode("latin-1").splitlines()[1:])
    header = collected((key.strip(), value.strip()) for key, colon, value in lines if colon)
    regions = _regions(header, path)
    common = _common(header)
    children: dict[str, xr.Dataset] = {}
    others: list[Any] = []
    for record, (index, values, place) in enumerate(_records(data, end.end(), path), start=1):
        if index not in regions:
            others.append({"record": record, "values": values.tolist()})
            continue
        region = regions[index]
        if values.shape[1] != region["points"]:
            problem = f"region {region['name']} has {values.shape[1]} points, header says {region['points']}"
            raise ReadError(path, problem, place)
        if not np.isfinite(values).all():
            bad = int((~np.isfinite(values)).sum())
            raise ReadError(path, f"region {region['name']} holds {bad} values that are not finite", place)
        children[free(safe(region["name"], "region"), children)] = _dataset(region, values, common)
    if not children:
        raise ReadError(path, f"holds no spectra ({len(regions)} regions announced)")
    instrument = f"PHI {_text(header, 'InstrumentModel')}".replace("PHI PHI", "PHI").strip()
    acquired, title = iso_day(_text(header, "AcqFileDate"), "%Y %m %d"), _text(header, "FileDesc")
    return tree(children, header | ({"other_records": others} if others else {}), instrument, acquired, title=title)


def _regions(header: dict[str, Any], path: Path) -> dict[int, dict[str, Any]]:
    lines = header.get("SpectralRegDef", [])
    regions: dict[int, dict[str, Any]] = {}
    for line in [lines] if isinstance(lines, str) else lines:
        found = REGION.match(line)
        known = {key: number(found[key]) for key in ("first", "last", "time", "pass_energy")} if found else {}
        if found is None or not all(value is not None and math.isfinite(value) for value in known.values()):
            raise ReadError(path, f"cannot read the region '{line[:80]}'", "header key SpectralRegDef")
        regions[int(found["index"])] = {"name": found["name"], "points": int(found["points"]), **known}
    return regions


def _records(data: bytes, start: int, path: Path) -> Any:
    """Yield the index of the region, the values (cycles, points) and the place of every record."""
    _, count, size, _ = unpack("<4I", data, start, path)
    if size != count * DESCRIPTOR * 4:
        raise ReadError(path, f"announces {count} records in {size} bytes of descriptors", f"byte {start:#x}")
    table = array(data, "<u4", count * DESCRIPTOR, start + 16, path).reshape(count, DESCRIPTOR)
    for row, words in enumerate(table):
        place = f"byte {start + 16 + row * DESCRIPTOR * 4:#x}"
        points, cycles, size, offset = (int(words[column]) for column in (5, 6, 19, 20))
        unit, kind = (words[column : column + 1].tobytes().partition(b"\0")[0] for column in (14, 18))
        if kind not in (b"f4", b"f8"):
            raise ReadError(path, f"record {row + 1} holds values of type {kind!r}; f4 or f8 expected", place)
        if points * cycles == 0 or size != points * cycles * int(kind[1:]):
            problem = f"record {row + 1} announces {cycles} × {points} values in {size} bytes"
            raise ReadError(path, problem, place)
        values = array(data, f"<{kind.decode()}", points * cycles, start + offset, path)
        if words[3] and unit != b"c/s":
            raise ReadError(path, f"record {row + 1} has the unit {unit!r}; c/s expected", place)
        yield int(words[3]), values.reshape(cycles, points).astype(float), place


def _common(header: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of the header that all regions share."""
    names = {"excitation_energy": "XraySource", "work_function": "AnalyserWorkFcn"}
    names["transmission_coefficients"] = "IntensityCalCoeff"
    found = {
        name: [float(word) for word in re.findall(r"(?<!\d)\d+\.\d+", _text(header, key))]
        for name, key in names.items()
    }
    return {
        name: values if name == "transmission_coefficients" else values[0] for name, values in found.items() if values
    }


def _dataset(region: dict[str, Any], values: np.ndarray, common: dict[str, Any]) -> xr.Dataset:
    energy = np.linspace(region["first"], region["last"], region["points"])
    profile = len(values) > 1
    dims = ("cycle", "binding_energy") if profile else ("binding_energy",)
    rates, time = values if profile else values[0], region["time"]
    coordinates = {"binding_energy": variable("binding_energy", energy, "eV", "binding energy")}
    if profile:
        coordinates["cycle"] = variable("cycle", np.arange(1, len(values) + 1), "1", "sputter cycle")
    variables = {"intensity": variable(dims, rates, "count/s", "photoelectron rate")}
    if time > 0:
        with_uncertainty(variables, "intensity", poisson_uncertainty(rates * time) / time, "Poisson")
    attrs = {"region": region["name"], "counting_time": time, "pass_energy": region["pass_energy"], **common}
    return xr.Dataset(variables, coordinates, attrs)


def _text(header: dict[str, Any], key: str) -> str:
    value = header.get(key, "")
    return value if isinstance(value, str) else value[0]
