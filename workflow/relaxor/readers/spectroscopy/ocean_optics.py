"""Ocean Optics (Ocean Insight) spectra as text, ``.txt``.

Instruments: SpectraSuite and OceanView, the programs of Ocean Optics spectrometers (USB2000, USB4000, Jaz, Flame),
export spectra in this form, in several languages.

Recognition: A line of the first bytes has the mark ``>>>>>`` and, behind it, ``<<<<<``, as ``>>>>>Begin Spectral
Data<<<<<``; its words depend on the language.

Layout: Lines ``key: value`` in the language of the program, the mark, and rows of wavelength and intensity, which are
separated by tabs, with the decimal sign of the language. Another mark may follow the rows. The unit of the integration
time stands in brackets behind its key.

Schema: The child ``spectrum`` has ``intensity`` (``1``: the file does not say whether it is counts, a transmission or
an absorbance, and the root has a warning) along ``wavelength`` (nm), ``raman_shift`` (1/cm) or ``pixel``. The attribute
is ``integration_time`` (s, of one scan). The root has a warning where the rows are not as many as the pixels that the
header announces.
"""

import re
from pathlib import Path

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.schema import spectra, tree
from relaxor.readers.common.tables import tables_of
from relaxor.readers.common.text import entries, first_number, lines_of
from relaxor.readers.spectroscopy.optical import NO_UNIT, SHIFT, WAVELENGTH, integration_time, java_date

MAX_BYTES = 64 << 20
MARK = re.compile(r"(?<!>)>{5,}+[^>]*<<<<<")
PIXELS = re.compile(r"p[ií]xel|ピクセル|ﾋﾟｸｾﾙ", re.IGNORECASE)
SPECTROMETER = re.compile(r"spectrometer|espectr[oó]metro|spektrometer|spectrom[eè]tre|分光器", re.IGNORECASE)


def recognises(head: bytes, path: Path) -> bool:
    """Recognise the mark before the numbers."""
    return re.search(rb"^[ \t]*>>>>>[^\r\n]*<<<<<", head, re.MULTILINE) is not None


def extract(path: Path) -> xr.DataTree:
    """Read a text of SpectraSuite or OceanView; the schema is that of the module."""
    lines = lines_of(path)
    mark = next((index for index, line in enumerate(lines) if MARK.search(line)), len(lines))
    header = entries(lines[:mark], ":")
    body = ["" if index <= mark or MARK.search(line) else line for index, line in enumerate(lines)]
    text = tables_of(body, path)
    table = max(text.tables, key=lambda each: each.values.size)
    if table.values.shape[1] != 2:
        problem = f"has {table.values.shape[1]} columns where wavelength and intensity are expected"
        raise ReadError(path, f"{problem}; export each spectrum alone", f"line {table.line}")
    warnings = [*text.warnings, NO_UNIT]
    announced = next((first_number(value) for key, value in header.items() if PIXELS.search(key)), None)
    if announced is not None and announced != len(table.values):
        warnings.append(f"the header announces {announced:g} pixels, {len(table.values)} rows are there")
    mode = header.get("XAxis mode", "").lower()
    axis = SHIFT if "raman" in mode else ("pixel", "1", "pixel") if "pixel" in mode else WAVELENGTH
    dataset = spectra(axis, table.values[:, 0], table.values[:, 1], unit="1").assign_attrs(integration_time(header))
    model = next((value for key, value in header.items() if SPECTROMETER.match(key)), "")
    instrument = f"Ocean Optics {model}".strip()
    kept = {**header, "lines": [line.strip() for line in lines[:mark] if line.strip() and ":" not in line]}
    return tree({"spectrum": dataset}, kept, instrument, java_date(lines[:mark]), warnings)
