"""Sheets of Excel workbooks; calamine is not given the old ones (``.xls``), because damaged ones make it abort."""

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from relaxor.core.errors import ReadError
from relaxor.core.files import start_of
from relaxor.readers.common.containers import member_bytes, member_names, open_zip
from relaxor.readers.common.schema import MAX_POINTS

OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
REFERENCE = re.compile(rb'<c [^<>]*?\br="([A-Z]{1,3})(\d{1,7})"')
SHEET = re.compile(rb'<(?:\w+:)?sheet\b[^<>]*?\bname="([^"]*)"')
SHARED = "xl/sharedStrings.xml"
INLINE = 1 << 16
"""Number of bytes of a sheet in which texts are sought that stand in their cells."""
Row = Sequence[Any]


def is_workbook(head: bytes, path: Path) -> bool:
    """Return whether a file is an Excel workbook, from its first bytes or its members."""
    return head.startswith(OLE2) or "xl/workbook.xml" in member_names(head, path)


def sheet_names(path: Path) -> list[str]:
    """Return the names of the sheets; none if the workbook is too damaged to tell: reading it tells the reason."""
    try:
        if start_of(path, len(OLE2)) == OLE2:
            import xlrd

            with xlrd.open_workbook(path, logfile=io.StringIO(), on_demand=True) as book:
                return [str(name) for name in book.sheet_names()]
        with open_zip(path) as container:
            names = SHEET.findall(member_bytes(container, "xl/workbook.xml", path))
        return [name.decode("utf-8", "replace") for name in names]
    except Exception:  # the libraries raise errors of many kinds
        return []


def texts_of(path: Path) -> bytes:
    """Return what holds the texts of a workbook, as it is stored; nothing if the workbook is damaged."""
    if start_of(path, len(OLE2)) == OLE2:
        return path.read_bytes()
    try:
        with open_zip(path) as container:
            names = container.namelist()
            if SHARED in names:
                return member_bytes(container, SHARED, path)
            sheets = [name for name in names if name.startswith("xl/worksheets/") and name.endswith(".xml")]
            parts = []
            for name in sheets:  # texts may stand in their cells
                with container.open(name) as stream:
                    parts.append(stream.read(INLINE))
            return b"".join(parts)
    except Exception:  # the library raises errors of many kinds
        return b""


def lines_of_sheets(path: Path) -> dict[str, list[str]]:
    """Return the rows of every sheet as lines of text, with tabs between the cells; see `sheets_of`."""
    return {name: [_line(row) for row in rows] for name, rows in sheets_of(path).items()}


def _line(row: Row) -> str:
    return "\t".join(" ".join(repr(cell).split() if isinstance(cell, float) else str(cell).split()) for cell in row)


def sheets_of(path: Path) -> dict[str, list[Row]]:
    """Return the cells of every sheet.

    Raises
    ------
    ReadError
        If the workbook is damaged, or its cells span more than memory is given to.
    """
    if start_of(path, len(OLE2)) == OLE2:
        import xlrd

        # xlrd prints remarks on odd but harmless OLE2 structures unless it is given another place for them.
        with xlrd.open_workbook(path, logfile=io.StringIO(), ragged_rows=True) as book:
            return {sheet.name: [sheet.row_values(row) for row in range(sheet.nrows)] for sheet in book.sheets()}
    from python_calamine import CalamineWorkbook

    _check(path)
    try:
        book = CalamineWorkbook.from_path(str(path))
        return {name: list(book.get_sheet_by_name(name).to_python()) for name in book.sheet_names}
    except BaseException as error:  # a panic of the Rust library is not an Exception
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        raise ReadError(path, f"is a damaged workbook ({error})") from error


def _check(path: Path) -> None:
    """Refuse sheets whose cells span too much: the library reserves memory for all cells between first and last."""
    with open_zip(path) as container:
        for name in container.namelist():
            if not name.startswith("xl/worksheets/") or not name.endswith(".xml"):
                continue
            rows = columns = 0
            for letters, number in REFERENCE.findall(member_bytes(container, name, path)):
                column = 0
                for letter in letters:
                    column = 26 * column + letter - 64
                rows, columns = max(rows, int(number)), max(columns, column)
            if rows * columns > MAX_POINTS // 10:
                raise ReadError(path, f"spans {rows} rows and {columns} columns", f"member {name}")
