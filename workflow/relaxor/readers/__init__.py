"""Read any supported instrument file into one kind of tree."""

from relaxor.readers.reading import HEAD_BYTES, read, recognise
from relaxor.readers.registry import MAX_BYTES, Reader, readers
from relaxor.readers.tables.description import TableDescription

__all__ = ["HEAD_BYTES", "MAX_BYTES", "Reader", "TableDescription", "read", "readers", "recognise"]
