"""Write EMSA/MAS spectral files (ISO 22029), as the software of an EDX system exports them."""

from collections.abc import Mapping

import numpy as np


def write(counts: np.ndarray, offset: float, per_channel: float, header: Mapping[str, str | float]) -> bytes:
    """Write an EDX spectrum.

    Parameters
    ----------
    counts
        Counts of each channel, shape (n,).
    offset, per_channel
        Energy of the first channel and width of a channel, eV.
    header
        ``TITLE`` (at most 64 characters), ``DATE`` (``DD-MMM-YYYY``), ``TIME`` (``HH:MM``) and further keywords, such
        as ``{"BEAMKV   -kV": 20.0, "COMMENT": "SIMULATED"}``.
    """
    keywords: dict[str, str | float] = {
        "FORMAT": "EMSA/MAS Spectral Data File",
        "VERSION": "1.0",
        "TITLE": "",
        "DATE": "",
        "TIME": "",
        "OWNER": "relaxor",
        "NPOINTS": len(counts),
        "NCOLUMNS": 1,
        "XUNITS": "eV",
        "YUNITS": "counts",
        "DATATYPE": "Y",
        "XPERCHAN": repr(float(per_channel)),
        "OFFSET": repr(float(offset)),
        "SIGNALTYPE": "EDS",
        "XLABEL": "X-ray energy",
        "YLABEL": "X-ray counts",
        **header,
        "SPECTRUM": "Spectral Data Starts Here",
    }
    lines = [f"#{keyword:<12}: {value}" for keyword, value in keywords.items()]
    lines += [f"{value:.1f}" for value in counts]
    lines.append("#ENDOFDATA   : End Of Data and File")
    return ("\r\n".join(lines) + "\r\n").encode("latin-1")
