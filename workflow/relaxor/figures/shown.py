"""What a panel shows of its data, and the remark about what it does not show."""

from collections.abc import Iterable

import xarray as xr
from matplotlib.axes import Axes

from relaxor.figures.panel import PanelData
from relaxor.figures.style import literal, remark

FEW = 3
"""Number of names that a remark lists."""


def first_measurement(ax: Axes, data: PanelData, needed: str = "") -> tuple[str, xr.DataTree]:
    """Return the first measurement that holds a curve; a remark names others that hold it and are not drawn."""
    (name, group), *others = [entry for entry in data.curves.items() if not needed or needed in entry[1].children]
    not_drawn(ax, (other for other, _ in others), name)
    return name, group


def not_drawn(ax: Axes, names: Iterable[str], drawn: str = "") -> None:
    """Write above a panel what it leaves out, and which of several it draws."""
    left = list(names)
    if left:
        more = f" and {len(left) - FEW} more" if len(left) > FEW else ""
        remark(ax, f"{f'{drawn}; ' if drawn else ''}not drawn: {literal(', '.join(left[:FEW]))}{more}")
