"""Tables in Excel workbooks, ``.xls`` and ``.xlsx``.

Instruments: Any program may export workbooks, and people collect their data in them.

Recognition: The file is an Excel workbook. This reader is asked after that of the Keithley 4200.

Layout: Each sheet may hold titles and remarks, and below them names, units and numbers as in a table of text. Curves
may stand side by side, of different length and with empty columns between them. Remarks behind an empty column beside
the numbers are kept in the header.

Schema: As that of `relaxor.readers.tables.columns`; the names of the children begin with that of the sheet if several
sheets hold numbers. The header holds the lines above and below the numbers under the name of each sheet. The root has a
warning for each sheet without numbers.
"""

from pathlib import Path

import xarray as xr

from relaxor.core.errors import ReadError
from relaxor.readers.common.schema import tree
from relaxor.readers.common.tables import tables_of
from relaxor.readers.common.text import free, safe
from relaxor.readers.common.words_beside import without_remarks
from relaxor.readers.common.workbooks import is_workbook, lines_of_sheets
from relaxor.readers.registry import CONTAINER
from relaxor.readers.tables.columns import children_of

PRIORITY = CONTAINER


def recognises(head: bytes, path: Path) -> bool:
    """Recognise an Excel workbook."""
    return is_workbook(head, path)


def extract(path: Path) -> xr.DataTree:
    """Read the tables of all sheets; the schema is that of the module."""
    found: dict[str, dict[str, xr.Dataset]] = {}
    header: dict[str, list[str]] = {}
    warnings: list[str] = []
    for sheet, lines in lines_of_sheets(path).items():
        lines, beside = without_remarks(lines, "\t")
        if beside:
            warnings.append(
                f"sheet {sheet}: text beside the numbers is kept in the header ('{beside[0].strip()[:40]}')"
            )
        try:
            text = tables_of(lines, path)
        except ReadError as error:
            warnings.append(f"sheet {sheet}: {error.problem}")
            continue
        found[sheet], header[sheet], told = children_of(text)
        header[sheet] += beside
        warnings += [f"sheet {sheet}: {line}" for line in told]
    if not found:
        raise ReadError(path, f"is a workbook without a table of numbers; {'; '.join(warnings)}"[:300])
    children: dict[str, xr.Dataset] = {}
    for sheet, datasets in found.items():
        for name, dataset in datasets.items():
            children[free(name if len(found) == 1 else f"{safe(sheet, 'sheet')}_{name}", children)] = dataset
    return tree(children, header, "not stated in the file", warnings=warnings)
