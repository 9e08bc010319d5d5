"""How a text table that does not describe itself is to be read: its columns, their units and its form.

A table can be described without the libraries that read it, so that the settings load quickly.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

_CLOSED: Mapping[str, object] = {"extra": "forbid", "use_attribute_docstrings": True}


@dataclass(frozen=True)
class Entry:
    """A column of the table, or an entry of its header."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _CLOSED

    unit: str
    """Unit of the numbers as they stand in the file, spelled as pint reads it."""
    header: str = ""
    """Name of the column in the row of names, or key of the header entry."""
    position: int = 0
    """Number of the column in a table without names; the first column is 1."""
    long_name: str = ""
    """Name for the labels of axes; without it, the name of the quantity is used."""

    def __post_init__(self) -> None:
        """Refuse an entry that gives its place not at all or in two ways."""
        if bool(self.header) == bool(self.position) or self.position < 0:
            raise ValueError("give either 'header' (name of the column) or 'position' (1, 2, ...)")


@dataclass(frozen=True)
class TableDescription:
    """The description of a text table that does not state what its columns are."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = _CLOSED

    columns: dict[str, Entry]
    """Quantities, with the place and the unit of the column of each."""
    scalars: dict[str, Entry] = field(default_factory=dict)
    """Quantities that a ``key: value`` line gives, with the key (``header``) and the unit of each."""
    axis: str = ""
    """Quantity that becomes the dimension. Without it, rows are numbered (``index``)."""
    monotonic: bool = True
    """Whether the axis must increase strictly, or decrease strictly unless it is ``time``. If false, any order is
    accepted."""
    delimiter: str = "\t"
    """Text between two cells. If it is empty, any number of blanks separates cells."""
    decimal: str = "."
    """Decimal separator."""
    encoding: str = "utf-8-sig"
    """Encoding of the text; the default also accepts a byte-order mark."""
    comment: str = ""
    """Text with which comments begin. Their ``key: value`` lines nevertheless belong to the header."""
    skip_rows: int = 0
    """Number of lines at the top that are skipped. They are kept in the header."""
    end: str = ""
    """Text with which the first line after the rows of numbers begins, such as that of a footer. It and what follows
    are kept in the header. Without it, the rows go on to the end of the file."""
    missing: tuple[str, ...] = ("",)
    """Words that mark a missing value in the file."""
    rows: str = ""
    """Key of the header entry that announces the number of rows; a file with another number of rows is refused."""
    acquired: str = ""
    """Key of the header entry that holds the time of the measurement, in ISO 8601."""
    instrument: str = "unknown"
    """Name of the instrument or program that wrote the file."""

    def __post_init__(self) -> None:
        """Refuse a description that contradicts itself."""
        if not self.columns:
            raise ValueError("a table needs at least one column")
        if self.axis and self.axis not in self.columns:
            raise ValueError(f"axis '{self.axis}' is not one of the columns: {', '.join(self.columns)}")
        if len({bool(entry.position) for entry in self.columns.values()}) > 1:
            raise ValueError("give all columns by 'header' or all by 'position'")


def stated(table: str, tables: Mapping[str, TableDescription]) -> TableDescription | str | None:
    """Return what a sheet says of the columns of a file: a description by its name, names and units, or nothing."""
    return tables.get(table, table or None)
