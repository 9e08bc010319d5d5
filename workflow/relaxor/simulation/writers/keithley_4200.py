"""Write Keithley 4200A-SCS workbooks as Clarius+ 1.14 saves them: one sheet per run, and the settings."""

import io
from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

BANNER = "=" * 40
VERSION = "V1.14"


def rounded(values: np.ndarray, digits: int) -> np.ndarray:
    """Keep the digits that the instrument writes."""
    return np.array([float(f"{value:.{digits - 1}e}") for value in values.tolist()])


def write(
    runs: Mapping[str, Mapping[str, np.ndarray]], *, test: str, executed: datetime, settings: Sequence[tuple[str, str]]
) -> bytes:
    """Return the bytes of an ``.xlsx``; the same arguments give the same bytes.

    Parameters
    ----------
    runs
        Name of the sheet → name of the column → values, shape (n,).
    test
        Name of the test.
    executed
        Local time at which the last run was started.
    settings
        Further keys and values of every run.
    """
    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.set_properties({"created": executed, "comments": "SIMULATED"})
        for name, columns in runs.items():
            sheet = book.add_worksheet(name)
            for index, (label, values) in enumerate(columns.items()):
                sheet.write_string(0, index, label)
                for row, value in enumerate(np.asarray(values, dtype=float).tolist(), 1):
                    sheet.write_number(row, index, value)
        sheet = book.add_worksheet("Settings")
        shared = [("Test Name", test), *settings, ("Last Executed", f"{executed:%m/%d/%Y %H:%M:%S}")]
        row = 0
        for name in runs:
            for line in ((BANNER,), (name,), (BANNER,), *shared, ("Clarius+ Version", VERSION), ()):
                for index, text in enumerate(line):
                    sheet.write_string(row, index, text)
                row += 1
    return out.getvalue()
