"""Figures of any sample: its measurements of one technique, with their fits where they were analysed."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr
from matplotlib.axes import Axes

from relaxor.core import netcdf
from relaxor.core.results import Measurement, load, load_parameters
from relaxor.figures.generic import draw_regions
from relaxor.figures.panel import PanelData
from relaxor.figures.style import DOUBLE, SINGLE, mark_origin, new_figure, save, use_style
from relaxor.synapse import panels as pulses
from relaxor.techniques.afm import panels as afm
from relaxor.techniques.edx import panels as edx
from relaxor.techniques.growth import panels as growth
from relaxor.techniques.hysteresis import panels as hysteresis
from relaxor.techniques.iv_sweeps import panels as sweeps
from relaxor.techniques.optical_pulses import panels as codes
from relaxor.techniques.pfm import panels as pfm
from relaxor.techniques.raman import panels as raman
from relaxor.techniques.shg import panels as shg
from relaxor.techniques.stem import panels as stem
from relaxor.techniques.structure import panels as structure
from relaxor.techniques.xps import panels as xps
from relaxor.techniques.xrd import panels as xrd

Panel = Callable[[Axes, PanelData], None]
Titled = tuple[str, Panel, PanelData]
TOGETHER: dict[str, tuple[tuple[str, str, Panel], ...]] = {
    "shg": (("spectrum", "all powers", shg.spectra),),
    "pfm": (
        ("image", "phase", pfm.phase_cycles),
        ("image", "amplitude", pfm.amplitude_cycles),
        ("trend", "over the cycles", pfm.contrast),
    ),
}
"""Technique → curves of which one panel shows those of all measurements, its title, and the panel."""
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
    "codes": ("codes", codes.currents),
}
"""What the pulses of a file are → the same; the other kinds are series."""
SERIES: tuple[str, Panel] = ("responses", pulses.series)
COLUMNS, ROW_MM = 2, 68.0
LONGEST_TITLE = 45
MOST_PANELS = 24
"""More panels than this are not drawn: the figure says so, and ``curves.nc`` holds what they would show."""


def draw_sample(data: str, parameters: Sequence[str], curves: Sequence[str], figure: Sequence[str]) -> None:
    """Draw the measurements of one technique of one sample, with their fits where they were analysed.

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
    measurements, technique = load(data), Path(data).stem
    panels = list(_panels(technique, measurements, parameters, curves))
    shown = panels[:MOST_PANELS]
    columns = min(COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    whole = new_figure(DOUBLE if columns > 1 else SINGLE, ROW_MM * rows)
    for number, (title, panel, content) in enumerate(shown, start=1):
        ax = whole.add_subplot(rows, columns, number)
        panel(ax, content)
        short = title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"
        ax.set_title(short, loc="left", fontweight="bold")
    if len(panels) > len(shown):
        whole.suptitle(f"the first {len(shown)} of {len(panels)} panels", fontsize=6)
    origins = {measurement.attrs["origin"] for measurement in measurements}
    mark_origin(whole, "simulated" if "simulated" in origins else "measured")
    files = sorted(f"{each.attrs['raw_file']} {each.attrs['raw_sha256'][:12]}" for each in measurements)
    formats = tuple(Path(path).suffix[1:] for path in figure)
    title, subject = f"{Path(figure[0]).parent.name}: {technique}", f"relaxor; raw files: {', '.join(files)}"
    save(whole, Path(figure[0]).with_suffix(""), formats, Title=title, Subject=subject)


def _panels(
    technique: str, measurements: Sequence[Measurement], parameters: Sequence[str], curves: Sequence[str]
) -> Iterator[tuple[str, Callable[[Axes, Any], None], Any]]:
    """Yield title, drawing and data of every panel: those of all measurements together first, then one by one."""
    together: set[str] = set()
    own: dict[str, list[Titled]] = {}
    for table, stored in zip(parameters, curves, strict=True):
        numbers = load_parameters(table)
        groups = netcdf.trees(stored)
        for needed, title, panel in TOGETHER.get(technique, ()):
            if holders := {name for name, group in groups.items() if needed in group.children}:
                together |= holders
                yield title, panel, PanelData(groups, numbers)
        for name, group in groups.items():
            data = PanelData({name: group}, numbers[numbers["measurement"] == name])
            own[name] = [(title, panel, data) for title, panel in _own(technique, name, group)]
    for measurement in measurements:
        yield from own.get(measurement.id, [])
        if not own.get(measurement.id) and measurement.id not in together:
            yield measurement.id, draw_regions, list(measurement.regions.values())


def _own(technique: str, name: str, group: xr.DataTree) -> list[tuple[str, Panel]]:
    """Return title and panel of what one measurement shows."""
    if technique == "xps":
        return [
            (f"{name}: {region}", xps.survey if "line" in curves.coords else partial(xps.window, name=region))
            for region, curves in group.children.items()
        ]
    if technique == "hysteresis" and "loop" not in group.children:
        return hysteresis.of_tester(name, group)
    kind = group.attrs.get("kind")
    needed, panel = PULSES.get(kind, SERIES) if kind else PANELS.get(technique, ("", None))
    return [(name, panel)] if panel is not None and needed in group.children else []
