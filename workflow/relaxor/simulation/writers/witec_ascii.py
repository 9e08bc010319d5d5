"""Write WITec Project's ``//Exported ASCII-File``."""

import numpy as np


def write(axis: np.ndarray, spectra: np.ndarray, *, axis_unit: str, title: str, **header: str) -> bytes:
    """Write spectra as WITec exports them.

    Parameters
    ----------
    axis
        Wavelength or Raman shift, shape (n,).
    spectra
        CCD counts, shape (n,) or (m, n).
    axis_unit
        Unit of the axis as WITec spells it, ``nm`` or ``rel. 1/cm``.
    title
        Name of the graph; it labels the columns.
    header
        More ``key = value`` lines, such as ``Comment="SIMULATED"``.
    """
    spectra = np.atleast_2d(spectra)
    lines = {
        "FileName": f"C:\\Data\\{title}.wip",
        "GraphName": title,
        "SizeX": len(spectra),
        "SizeY": 1,
        "SizeGraph": len(axis),
        "PositionUnit": "µm",
        "PositionX": 0,
        "PositionY": 0,
        "PositionZ": 0,
        "XAxisUnit": axis_unit,
        "DataUnit": "CCD cts",
        **header,
    }
    labels = [title] if len(spectra) == 1 else [f"{title}({number})" for number in range(len(spectra))]
    rows = [
        "//Exported ASCII-File",
        "[Header]",
        *(f"{key} = {value}" for key, value in lines.items()),
        "",
        "[Data]",
        ",".join(["X-Axis", *labels]),
        ",".join([axis_unit, *["CCD cts"] * len(spectra)]),
        *(",".join(f" {value:.9E}" for value in row) for row in np.column_stack([axis, spectra.T])),
    ]
    return ("\r\n".join(rows) + "\r\n").encode()
