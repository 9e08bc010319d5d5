"""Figures of any sample: its measurements of one technique, with their fits where they were analysed."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import xarray as xr
from matplotlib.axes import Axes

from relaxor.data import Measurement, load, load_parameters
from relaxor.figures import afm, edx, growth, hysteresis, pfm, pulses, raman, stem, structure, sweeps, xrd
from relaxor.figures.panel import PanelData
from relaxor.figures.plain import draw_regions
from relaxor.figures.style import DOUBLE, SINGLE, mark_origin, new_figure, save, use_style

Panel = Callable[[Axes, PanelData], None]
PANELS: dict[str, tuple[str, Panel]] = {
    "structure": ("atoms", structure.views),
    "growth": ("run", growth.profile),
    "xrd": ("pattern", xrd.pattern),
    "raman": ("spectrum", raman.spectrum),
    "hysteresis": ("loop", hysteresis.loop),
    "edx": ("spectrum", edx.spectrum),
    "afm": ("map", afm.step),
    "pfm": ("off_field", pfm.local_loop),
    "stem": ("image", stem.haadf),
    "sweeps": ("summary", sweeps.cycles),
}
"""Technique → the curves that its panel needs, and the panel; what has no such curves is drawn as it was measured."""
PULSES: dict[str, tuple[str, Panel]] = {
    "pairs": ("pairs", pulses.pairs),
    "cycles": ("cycles", pulses.cycles),
    "codes": ("codes", pulses.codes),
}
"""What the pulses of a file are → the same; the other kinds are series."""
SERIES: tuple[str, Panel] = ("responses", pulses.series)
COLUMNS, ROW_MM = 2, 68.0
MOST_PANELS = 24
"""More measurements than this are not drawn: the figure says so, and ``curves.nc`` holds them."""


def draw_sample(data: str, parameters: Sequence[str], curves: Sequence[str], figure: Sequence[str]) -> None:
    """Draw the measurements of one technique of one sample, a panel each.

    Parameters
    ----------
    data
        Ingested measurements.
    parameters, curves
        ``parameters.csv`` and ``curves.nc`` of their analysis; nothing where they were not analysed.
    figure
        Files to write, one a format.
    """
    use_style()
    measurements = load(data)
    shown = measurements[:MOST_PANELS]
    columns = min(COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    whole = new_figure(DOUBLE if columns > 1 else SINGLE, ROW_MM * rows)
    panels = _panels(Path(data).stem, parameters, curves)
    for number, measurement in enumerate(shown, start=1):
        ax = whole.add_subplot(rows, columns, number)
        _draw(ax, measurement, panels)
        ax.set_title(_title(measurement.id), loc="left", fontweight="bold")
    if len(measurements) > len(shown):
        whole.suptitle(f"the first {len(shown)} of {len(measurements)} measurements")
    origins = {measurement.attrs["origin"] for measurement in measurements}
    mark_origin(whole, "simulated" if "simulated" in origins else "measured")
    files = sorted(f"{each.attrs['raw_file']} {each.attrs['raw_sha256'][:12]}" for each in shown)
    formats = tuple(Path(path).suffix[1:] for path in figure)
    title, subject = f"{Path(figure[0]).parent.name}: {Path(data).stem}", f"relaxor; raw files: {', '.join(files)}"
    save(whole, Path(figure[0]).with_suffix(""), formats, Title=title, Subject=subject)


def _title(name: str) -> str:
    return name if len(name) <= 45 else f"{name[:42]}…"


def _panels(technique: str, parameters: Sequence[str], curves: Sequence[str]) -> dict[str, tuple[Panel, PanelData]]:
    """Return the panel of each measurement that has one, and what it shows."""
    found: dict[str, tuple[Panel, PanelData]] = {}
    for table, stored in zip(parameters, curves, strict=True):
        numbers = load_parameters(table)
        with xr.open_datatree(stored, engine="h5netcdf") as tree:
            tree.load()
        for name, group in tree.children.items():
            kind = group.attrs.get("kind")
            needed, panel = PULSES.get(kind, SERIES) if kind else PANELS.get(technique, ("", None))
            if panel is not None and needed in group.children:
                found[name] = panel, PanelData({name: group}, numbers[numbers["measurement"] == name])
    return found


def _draw(ax: Axes, measurement: Measurement, panels: Mapping[str, tuple[Panel, PanelData]]) -> None:
    if measurement.id in panels:
        panel, data = panels[measurement.id]
        panel(ax, data)
    else:
        draw_regions(ax, list(measurement.regions.values()))
