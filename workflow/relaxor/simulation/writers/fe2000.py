"""Writer of Huace FE-2000 text exports: header lines ``key: value``, names of the columns, numbers between tabs.

The instrument has no fixed export; this layout is one that its users write down as a table description.
"""

import numpy as np


def fe2000(header: dict[str, str], time: np.ndarray, voltage: np.ndarray, current: np.ndarray) -> bytes:
    """Return the bytes of one export.

    Parameters
    ----------
    header
        Lines above the table; ``Points`` is added.
    time, voltage, current
        Shape (n,); s, V, A.
    """
    lines = [f"{key}: {value}" for key, value in (header | {"Points": str(len(time))}).items()]
    lines += ["", "Time (s)\tVoltage (V)\tCurrent (A)"]
    lines += [f"{t:.6e}\t{v:.4f}\t{i:.4e}" for t, v, i in zip(time, voltage, current, strict=True)]
    return "\r\n".join([*lines, ""]).encode()
