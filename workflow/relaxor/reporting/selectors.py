"""Find numbers in the parameter tables: what claims and checks share."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from pydantic import TypeAdapter, ValidationError

from relaxor.core.errors import SheetError
from relaxor.core.results import PARAMETER_COLUMNS, load_parameters
from relaxor.core.section import Section


class Selector(Section):
    """Which rows of ``parameters.csv``; ``*`` stands for any text."""

    technique: str
    parameter: str
    measurement: str = "*"
    model: str = "*"

    def of(self, numbers: pd.DataFrame) -> pd.DataFrame:
        """Return the rows that match."""
        keep = pd.Series(True, index=numbers.index)
        for column, pattern in self:
            keep &= numbers[column].map(lambda value, pattern=pattern: fnmatchcase(str(value), pattern))
        return numbers[keep]


def all_numbers(parameters: Sequence[str]) -> pd.DataFrame:
    """Join the parameter tables of all techniques; the folder gives the column ``technique``."""
    tables = [load_parameters(path).assign(technique=Path(path).parent.name) for path in parameters]
    full = [table for table in tables if len(table)]
    return pd.concat(full, ignore_index=True) if full else pd.DataFrame(columns=[*PARAMETER_COLUMNS, "technique"])


def load_entries(path: Path | str, kind: type[Section]) -> list[Any]:
    """Load a YAML list of entries of one kind.

    Raises
    ------
    SheetError
        Naming the file and the entry.
    """
    try:
        return TypeAdapter(list[kind]).validate_python(yaml.safe_load(Path(path).read_text(encoding="utf-8")))  # type: ignore[valid-type]
    except (OSError, yaml.YAMLError) as error:
        raise SheetError(f"{path}: cannot be read: {error}") from error
    except ValidationError as error:
        raise SheetError(
            "\n".join(f"{path}: entry {'.'.join(map(str, part['loc']))}: {part['msg']}" for part in error.errors())
        ) from None
