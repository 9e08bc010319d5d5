"""Draw a figure: every panel as its own file, and all of them arranged."""

import importlib
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from relaxor.figures.panel import PanelData, TableData, load_panel, load_table
from relaxor.figures.style import DOUBLE, SINGLE, mark_origin, new_figure, save, use_style


def draw_figure(
    parameters: Sequence[str],
    curves: Sequence[str],
    tables: Sequence[str],
    figure: Sequence[str],
    panels: Sequence[str],
    spec: Mapping[str, Any],
    settings_of: Mapping[str, Mapping[str, Any]],
) -> None:
    """Draw one figure of ``config/figures.yaml``.

    Parameters
    ----------
    parameters, curves
        Results of the techniques that it shows: ``…/<technique>/parameters.csv`` and ``curves.nc``.
    tables
        Tables of the results that it shows: ``…/devices.csv``.
    figure
        Files of the whole figure, one a format.
    panels
        Files of the panels, every format of the first panel first.
    spec
        The figure's specification as plain values.
    settings_of
        The sections of the settings that its schematics draw.
    """
    use_style()
    folders = {Path(path).parent.name: Path(path).parent for path in curves}
    files = {Path(path).stem: path for path in tables}
    specs: dict[str, dict[str, Any]] = dict(spec["panels"])
    data: dict[str, PanelData | TableData | None] = dict.fromkeys(specs)
    for letter, panel in specs.items():
        if panel["technique"]:
            data[letter] = load_panel(folders[panel["technique"]], panel["id"])
        elif panel["table"]:
            data[letter] = load_table(files[panel["table"]])
    formats = tuple(Path(path).suffix[1:] for path in figure)
    sources = {"Title": spec["title"], "Subject": _provenance(data.values())}

    whole = new_figure(DOUBLE if spec["width"] == "double" else SINGLE, spec["height"])
    axes = whole.subplot_mosaic(spec["layout"], height_ratios=spec["heights"])
    for letter, panel in specs.items():
        _draw(axes[letter], panel, data[letter], settings_of)
        if len(specs) > 1:
            axes[letter].set_title(letter, loc="left", fontweight="bold", fontsize=8)
    mark_origin(whole, _origin(data.values()))
    save(whole, Path(figure[0]).with_suffix(""), formats, **sources)

    if len(specs) == 1:  # the figure is its panel
        for source, target in zip(figure, panels, strict=True):
            shutil.copyfile(source, target)
        return
    for letter, first in zip(specs, panels[:: len(formats)], strict=True):
        alone = panel_figure(specs[letter], data[letter], settings_of)
        save(alone, Path(first).with_suffix(""), formats, **sources)


def panel_figure(
    panel: Mapping[str, Any], data: PanelData | TableData | None, settings_of: Mapping[str, Mapping[str, Any]]
) -> Figure:
    """Draw one panel as a figure of its own; arguments as plain values of `draw_figure`."""
    alone = new_figure(SINGLE, 66.0)
    _draw(alone.add_subplot(), panel, data, settings_of)
    mark_origin(alone, _origin([data]))
    return alone


DRAWN_BY = {
    "pulses": "relaxor.synapse.panels",
    "codes": "relaxor.techniques.optical_pulses.panels",
    "sweeps": "relaxor.techniques.iv_sweeps.panels",
    "devices": "relaxor.reporting.literature_panels",
    "inpainting": "relaxor.inpainting.panels",
    "crossbar": "relaxor.inpainting.chip_panels",
    "schematics": "relaxor.figures.schematics",
    "bands": "relaxor.figures.bands",
}


def drawing_module(name: str) -> str:
    """Return the module that draws panels called ``name.…``."""
    return DRAWN_BY.get(name, f"relaxor.techniques.{name}.panels")


def _draw(
    ax: Axes,
    panel: Mapping[str, Any],
    data: PanelData | TableData | None,
    settings_of: Mapping[str, Mapping[str, Any]],
) -> None:
    module, function = panel["draw"].split(".")
    draw = getattr(importlib.import_module(drawing_module(module)), function)
    if data is None:
        draw(ax, **settings_of.get(panel["settings"], {}))
    elif data.empty:
        ax.text(0.5, 0.5, f"no measurement feeds panel {panel['id']}", ha="center", va="center", fontsize=6)
        ax.set_axis_off()
    else:
        draw(ax, data)


def _origin(parts: Iterable[PanelData | TableData | None]) -> str:
    origins = {part.origin for part in parts if part and not part.empty}
    return "simulated" if "simulated" in origins else "measured"


def _provenance(parts: Iterable[PanelData | TableData | None]) -> str:
    """Name the raw files behind a figure, with the beginning of their SHA-256."""
    return "relaxor; raw files: " + ", ".join(sorted(set().union(*(part.files for part in parts if part))))
