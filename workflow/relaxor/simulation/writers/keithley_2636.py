"""Write what a script for a Keithley 2636B saves: a table with a unit in every column name."""

from collections.abc import Mapping

import numpy as np


def write(columns: Mapping[str, tuple[str, np.ndarray]]) -> bytes:
    """Return the bytes of a ``.csv``.

    Parameters
    ----------
    columns
        ``"Channel Current [A]"`` → format of its numbers (``".4e"``) and values, all of shape (n,).
    """
    texts = [[format(value, form) for value in np.asarray(values).tolist()] for form, values in columns.values()]
    lines = [",".join(columns), *(",".join(row) for row in zip(*texts, strict=True))]
    return ("\n".join(lines) + "\n").encode()
