"""Figures of any sample: its measurements of one technique, with fits if they were analysed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import xarray as xr
from matplotlib.axes import Axes

from relaxor.core import netcdf
from relaxor.core.results import Measurement, origin_of
from relaxor.core.storage import load, load_parameters
from relaxor.figures.generic import draw_regions, panels_of
from relaxor.figures.panel import PanelData
from relaxor.figures.style import DOUBLE, SINGLE, literal, mark_origin, new_figure, save, use_style
from relaxor.reporting.overview import own_panels, shared_panels
from relaxor.techniques.registry import techniques

Drawing = Callable[[Axes, Any], None]
COLUMNS, ROW_MM = 2, 68.0
LONGEST_TITLE = 45
MOST_PANELS = 24
"""Largest number of panels that are drawn. The figure says if there are more, whose data are in ``curves.nc``."""


def draw_sample(
    data: str, parameters: Sequence[str], curves: Sequence[str], figure: Sequence[str], *, pdf_fonts: int = 3
) -> None:
    """Draw the measurements of one technique of one sample, with fits if they were analysed.

    Parameters
    ----------
    data
        Ingested measurements.
    parameters, curves
        ``parameters.csv`` and ``curves.nc`` of their analysis; empty if they were not analysed.
    figure
        Files to write, one per format.
    pdf_fonts
        Type of the fonts in PDF files, 3 or 42.
    """
    use_style(pdf_fonts)
    measurements, technique = load(data), Path(data).stem
    panels = _panels(technique, measurements, parameters, curves)
    shown = list(islice(panels, MOST_PANELS))
    columns = min(COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    whole = new_figure(DOUBLE if columns > 1 else SINGLE, ROW_MM * rows)
    for number, (title, panel, content) in enumerate(shown, start=1):
        ax = whole.add_subplot(rows, columns, number)
        panel(ax, content)
        short = title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"
        ax.set_title(literal(short), loc="left", fontweight="bold")
    if next(panels, None):
        whole.suptitle(f"the first {len(shown)} panels; the explorer draws all measurements", fontsize=6)
    mark_origin(whole, origin_of(measurement.attrs["origin"] for measurement in measurements))
    files = sorted(f"{each.attrs['raw_file']} {each.attrs['raw_sha256'][:12]}" for each in measurements)
    save(whole, figure, f"{Path(figure[0]).parent.name}: {technique}", f"relaxor; raw files: {', '.join(files)}")


def _panels(
    name: str, measurements: Sequence[Measurement], parameters: Sequence[str], curves: Sequence[str]
) -> Iterator[tuple[str, Drawing, Any]]:
    """Yield title, drawing and data of every panel: those of all measurements together first, then one by one."""
    together: set[str] = set()
    groups: Mapping[str, xr.DataTree] = {}
    for table, stored in zip(parameters, curves, strict=True):
        numbers, groups = load_parameters(table), netcdf.trees(stored)
        for panel, holders in shared_panels(techniques()[name], groups):
            together |= holders
            yield panel.together, panel.draw, PanelData(dict(groups), numbers)
    for measured in measurements:
        own = []
        if measured.id in groups:
            data = PanelData({measured.id: groups[measured.id]}, numbers[numbers["measurement"] == measured.id])
            own = own_panels(techniques()[name], measured.id, data.curves[measured.id])
            yield from ((title, draw, data) for title, draw in own)
        if not own and measured.id not in together:
            for regions in (found := panels_of(measured.regions)):
                title = measured.id if len(found) == 1 else f"{measured.id}: {next(iter(regions))}"
                yield title, draw_regions, regions
