"""Readers of plain text tables, and of archives that hold files of other formats."""
