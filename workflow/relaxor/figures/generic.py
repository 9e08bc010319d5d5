"""Drawings of raw measurements: curves along their axis, two columns of a table that belong together, and images."""

from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from relaxor.core.units import factor
from relaxor.figures.raw_images import draw_images, images_of, is_image
from relaxor.figures.shown import not_drawn
from relaxor.figures.style import BLACK, COMPONENTS, SEQUENTIAL, literal

CURVES = 8
"""Largest number of spectra that are drawn as curves; more are drawn as a map."""
MOVES = 0.2
"""A voltage counts as swept if its median step exceeds this fraction of the mean step, unlike that of pulses."""
CONSTANT = 0.01
"""Relative variation below which a voltage counts as constant."""
ELECTRONS = ("binding_energy", "kinetic_energy")
"""Axes of photoelectron spectra, whose regions lie far apart."""
SAME_RANGE = 0.6
"""Least share of their range that spectra of one panel have in common."""
COLUMNS = frozenset({"point", "row", "step"})
"""Dimensions that number the rows of a table."""


def panels_of(regions: Mapping[str, xr.Dataset]) -> list[dict[str, xr.Dataset]]:
    """Return the regions of each panel of a file.

    Photoelectron spectra of one range share a panel, regions with images have one each, and all others are in one.
    """
    panels: list[tuple[tuple[float, float], dict[str, xr.Dataset]]] = []
    others: dict[str, xr.Dataset] = {}
    pictures: list[dict[str, xr.Dataset]] = []
    for name, region in regions.items():
        if images_of({name: region}):
            pictures.append({name: region})
            continue
        entry = chosen(region)
        if entry is None or entry[0].name not in ELECTRONS:
            others[name] = region
            continue
        ends = float(entry[0].min()), float(entry[0].max())
        alike = [panel for other, panel in panels if share(ends, other) > SAME_RANGE and len(panel) < CURVES]
        if alike:
            alike[0][name] = region
        else:
            panels.append((ends, {name: region}))
    found = [panel for _, panel in panels] + pictures
    return [*found, others] if others or not found else found


def share(first: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the share of the range of two axes together that both cover."""
    whole = max(first[1], other[1]) - min(first[0], other[0])
    return (min(first[1], other[1]) - max(first[0], other[0])) / whole if whole else 1.0


def draw_regions(ax: Axes, regions: Mapping[str, xr.Dataset]) -> None:
    """Draw regions in one panel: all images, or all curves of one kind, or a map; a remark names what is left out."""
    images = images_of(regions)
    if images:
        draw_images(ax, images)
        not_drawn(ax, _others(regions, lambda values: is_image(values)))
        return
    found = [entry for entry in map(chosen, regions.values()) if entry is not None]
    if not found:
        ax.text(0.5, 0.5, "nothing that can be drawn", ha="center", va="center", fontsize=6)
        ax.set_axis_off()
        return
    x, y = found[0]
    if y.size // y.shape[-1] > CURVES:
        _map(ax, x, y)
        if len(regions) > 1:
            ax.set_title(f"1 of {len(regions)} parts", loc="right", fontsize=5)
        not_drawn(ax, _others(regions, lambda values: values.name in (x.name, y.name)))
        return
    ax.set_prop_cycle(color=(BLACK, *COMPONENTS))
    alike = [(across, up) for across, up in found if (across.name, up.name) == (x.name, y.name)]
    for across, up in alike[:CURVES]:
        _lines(ax, across, up)
    ax.set(xlabel=label(x), ylabel=label(y))
    own = _own_axis(y)
    if len(alike) == 1 and own is not None and own.size > 1:
        ax.legend([f"{value:.4g}" for value in own.values], title=label(own), fontsize=5, title_fontsize=5)
    if x.name in ELECTRONS and len(alike) == len(regions) > 1:
        last = np.cumsum([up.size // up.shape[-1] for _, up in alike[:CURVES]]) - 1
        ax.legend([ax.lines[number] for number in last], list(map(literal, regions)), fontsize=5)
    if len(found) > min(len(alike), CURVES):
        ax.set_title(f"{min(len(alike), CURVES)} of {len(found)} parts", loc="right", fontsize=5)
    not_drawn(ax, _others(regions, lambda values: values.name in {each.name for pair in found for each in pair}))


def _others(regions: Mapping[str, xr.Dataset], drawn: Callable[[xr.DataArray], bool]) -> list[str]:
    """Return the names of the measured variables that are not drawn."""
    names = (str(values.name) for region in regions.values() for values in _columns(region) if not drawn(values))
    return list(dict.fromkeys(names))


def _map(ax: Axes, x: xr.DataArray, y: xr.DataArray) -> None:
    """Draw many curves as a map with a row each."""
    values = y.values.reshape(-1, y.shape[-1])
    steps = np.diff(x.values) if x.ndim == 1 and x.dtype.kind in "iuf" else np.array([0.0])
    known = bool((steps > 0).all() or (steps < 0).all())
    across = x.values if known else np.arange(values.shape[1])
    own = _own_axis(y)
    up = np.arange(len(values)) if own is None else own.values
    drawn = ax.pcolormesh(across, up, values, cmap=SEQUENTIAL, shading="nearest", rasterized=True)
    ax.figure.colorbar(drawn, ax=ax, label=label(y))
    rows = " × ".join(map(str, y.dims[:-1]))
    ax.set(xlabel=label(x) if known else literal(f"{x.name} (channel)"), ylabel=rows if own is None else label(own))
    _falling(ax, x)


def _own_axis(y: xr.DataArray) -> xr.DataArray | None:
    """Return the axis of a series of curves, None if it has none of numbers."""
    dim = str(y.dims[0])
    known = y.ndim == 2 and dim in y.coords and y.coords[dim].dtype.kind in "iuf"
    return y.coords[dim] if known else None


def _lines(ax: Axes, x: xr.DataArray, y: xr.DataArray) -> None:
    _falling(ax, x)
    along = x.values if x.ndim == 1 else x.values.reshape(-1, x.shape[-1]).T
    ax.plot(along, y.values.reshape(-1, y.shape[-1]).T, lw=0.8)


def _falling(ax: Axes, x: xr.DataArray) -> None:
    """Let binding energies descend."""
    if x.name == "binding_energy" and not ax.xaxis_inverted():
        ax.invert_xaxis()


def label(values: xr.DataArray) -> str:
    """Return the name of a variable with its unit."""
    name, unit = values.attrs.get("long_name", values.name), values.attrs.get("units", "1")
    return literal(name if unit == "1" or str(name).endswith(f"({unit})") else f"{name} ({unit})")


def chosen(dataset: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray] | None:
    """Choose the variable and the axis to draw of a region; None if it holds only single numbers or texts.

    Along an axis, this is the intensity, or the first variable that is not an uncertainty. For a table, it is the
    current against a swept voltage or against time; without these columns, the second column against the first.
    """
    columns = _columns(dataset)
    if not columns:
        return None
    spectrum = next((values for values in columns if values.name == "intensity"), None)
    if spectrum is not None:
        return _axis(spectrum), spectrum
    axis = str(columns[0].dims[-1])
    if axis not in COLUMNS:
        return _axis(columns[0]), columns[0]
    current = [values for values in columns if _is(values, "A")]
    swept = [values for values in columns if _is(values, "V") and _is_swept(values)]
    across = max(swept, key=lambda values: float(np.ptp(values.values[np.isfinite(values.values)])), default=None)
    if across is None:
        across = next((values for values in columns if _is(values, "s")), columns[0] if len(columns) > 1 else None)
    y = next((values for values in current or columns if values is not across), columns[0])
    return (_axis(y) if across is None or across.sizes[axis] != y.sizes[axis] else across), y


def _columns(dataset: xr.Dataset) -> list[xr.DataArray]:
    """Return the measured variables: those of numbers, without uncertainties."""
    return [
        values
        for name, values in dataset.data_vars.items()
        if values.ndim and values.dtype.kind in "iuf" and not str(name).endswith("_uncertainty") and values.size > 1
    ]


def _axis(values: xr.DataArray) -> xr.DataArray:
    name = str(values.dims[-1])
    return values.coords.get(name, xr.DataArray(np.arange(values.shape[-1]), name=name))


def _is(values: xr.DataArray, unit: str) -> bool:
    try:
        return factor(values.attrs.get("units", "1"), unit) > 0
    except ValueError:
        return False


def _is_swept(values: xr.DataArray) -> bool:
    known = values.values[..., np.isfinite(values.values).reshape(-1, values.shape[-1]).all(axis=0)]
    steps = np.abs(np.diff(known))
    varies = known.size > 1 and np.ptp(known) > CONSTANT * np.abs(known).max()
    return bool(varies and np.median(steps) > MOVES * steps.mean())
