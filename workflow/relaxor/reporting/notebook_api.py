"""The interface of notebooks to the results: panels, numbers, residuals, claims, and their provenance.

Everything is read from the results. Nothing is calculated here, as residuals are also stored.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import pandas as pd
import xarray as xr
from IPython.display import Image
from matplotlib.figure import Figure

from relaxor.core.errors import AnalysisError
from relaxor.core.storage import load_parameters
from relaxor.figures.layout import ReadyPanel, panel_figure
from relaxor.figures.panel import PanelData, load_panel
from relaxor.figures.style import BLACK, GREY, SINGLE, new_figure, use_style
from relaxor.project.figure_list import FigureSpec, PanelSpec, fed_panels, load_figures
from relaxor.project.settings import Settings, load_settings, validate_settings
from relaxor.reporting.claims import load_comparison
from relaxor.reporting.draw import ready_panel
from relaxor.reporting.overview import own_panels, shared_panels
from relaxor.reporting.panels import panel_of, topic_of
from relaxor.reporting.tables import printed
from relaxor.techniques.registry import techniques

RESIDUAL = "residual"
DPI = 160
CLAIM = (
    *("panel", "quantity", "relation", "reported", "ours", "standard_error", "systematic_error", "unit", "z"),
    *("could_see", "verdict", "origin", "status", "contradiction", "note"),
)
"""Columns of a claim that are shown."""
MOST_RESIDUALS = 12
"""Largest number of rows of residuals that are drawn; a measurement of many spectra has many rows."""


@dataclass(frozen=True)
class Story:
    """The results of a sample.

    Attributes
    ----------
    sample
        Name of the sample in the sheet.
    results_dir
        Folder of the results.
    config
        The settings with which the results were made: their file, or the settings that the panels need, by name.
    panels
        The measurements that each panel shows; None means those that the sheet gives.
    """

    sample: str
    results_dir: str = "results"
    config: str | Mapping[str, Any] = "config/config.yaml"
    panels: Mapping[str, list[str]] | None = None

    def __post_init__(self) -> None:
        """Refuse a folder without results, and set the style of the figures."""
        if not self.sample or not (Path(self.results_dir) / "analysis" / self.sample).is_dir():
            raise AnalysisError(
                f"{self.results_dir}/analysis/{self.sample}: no results; make them with 'snakemake --cores 2', or give "
                "the notebook another sample or results_dir"
            )
        use_style()

    @cached_property
    def settings(self) -> Settings:
        """The settings."""
        return load_settings(self.config) if isinstance(self.config, str) else validate_settings(self.config)

    @cached_property
    def figures(self) -> dict[str, FigureSpec]:
        """All figures by name."""
        return load_figures(self.settings.figures)

    def _repr_markdown_(self) -> str:
        """State in a notebook to which sample the results belong, and whether their data are simulated."""
        origins = {origin for _, _, origin, _ in self._groups()}
        warning = (
            "**Simulated data**: results show that the analysis finds what went in." if "simulated" in origins else ""
        )
        return f"Sample `{self.sample}`, results in `{self.results_dir}`. {warning}"

    # --- panels
    def panel(self, panel: str) -> Image:
        """Draw a panel of the list of figures, by its id."""
        return _picture(panel_figure(self._ready(panel)))

    def caption(self, panel: str) -> str:
        """Return the caption of a panel, which states what it shows and how that was obtained."""
        return self._spec(panel).caption

    def numbers(self, panel: str, model: str | None = None, most: int = 40) -> pd.DataFrame:
        """Return the numbers behind a panel with uncertainties in parentheses, for all models or for the given one."""
        data = self._ready(panel).data
        if not isinstance(data, PanelData):
            return pd.DataFrame() if data is None else data.table.head(most)
        if data.empty:
            return pd.DataFrame()
        table = data.parameters
        chosen = table[table["model"] == model] if model else table
        return printed(chosen.head(most)).reset_index(drop=True)

    def residuals(self, panel: str) -> Image:
        """Draw the residuals of each fit of a panel, as they are stored (in units or in standard deviations)."""
        data = self._ready(panel).data
        found = list(_residuals(data))[:MOST_RESIDUALS] if isinstance(data, PanelData) else []
        figure = new_figure(SINGLE, 14 + 18.0 * max(len(found), 1))
        axes = figure.subplots(max(len(found), 1), 1, squeeze=False)[:, 0]
        if not found:
            axes[0].text(0.5, 0.5, "no residuals are stored with this panel", ha="center", va="center", fontsize=6)
            axes[0].set_axis_off()
        for ax, (name, values) in zip(axes, found, strict=False):
            axis = values[values.dims[0]]
            ax.axhline(0, color=GREY, lw=0.5)
            ax.plot(axis, values, ".", color=BLACK, ms=1)
            ax.set_title(name, fontsize=5.5, pad=1.5, loc="left")
            ax.set_ylabel(_label(values, "residual"), fontsize=5.5)
            ax.tick_params(labelsize=5)
            ax.set_xlabel(_label(axis, str(axis.name)), fontsize=5.5)
        return _picture(figure)

    def claims(self, figure: str) -> pd.DataFrame:
        """Return the reported numbers of a panel, or of all panels of a figure, next to those of the results.

        A figure may be named without the word ``figure``.
        """
        path = Path(self.results_dir) / "claims.csv"
        if not path.is_file():
            raise AnalysisError(f"{path}: no such file; make it with 'snakemake --cores 2 tables'")
        table = load_comparison(path)
        whole = self.figures.get(figure) or self.figures.get(f"figure{figure}")
        wanted = {figure, *(panel.id for panel in whole.panels.values())} if whole else {figure}
        shown = table["panel"].map(lambda names: not wanted.isdisjoint(names.split(",")))
        return table.loc[shown, list(CLAIM)].reset_index(drop=True)

    def sources(self, panel: str) -> pd.DataFrame:
        """Return the measurements behind a panel: raw file, SHA-256, origin."""
        data = self._ready(panel).data
        if not isinstance(data, PanelData):
            return pd.DataFrame()
        keys = ("raw_file", "raw_sha256", "origin")
        return pd.DataFrame({name: {key: group.attrs[key] for key in keys} for name, group in data.curves.items()}).T

    # --- measurements
    def measurements(self) -> pd.DataFrame:
        """Return all measurements of the sample, with technique, name and the curves that the analysis stored."""
        return pd.DataFrame(
            [
                {"technique": technique, "measurement": name, "groups": ", ".join(kept)}
                for technique, name, _, kept in self._groups()
            ]
        )

    def raw(self, technique: str, measurement: str) -> xr.DataTree:
        """Return a measurement as it was ingested: values, units, conditions and the whole header."""
        path = Path(self.results_dir, "data", self.sample, f"{technique}.nc")
        if not path.is_file():
            raise AnalysisError(f"{path}: no such file; 'measurements()' lists the techniques of {self.sample}")
        with xr.open_datatree(path, engine="h5netcdf") as stored:
            if measurement not in stored.children:
                raise AnalysisError(f"{path}: no measurement '{measurement}'; there are {', '.join(stored.children)}")
            return stored.children[measurement].load()

    def pictures(self, technique: str, measurement: str) -> list[Image]:
        """Draw the pictures that relaxor chooses for a measurement, from its analysis."""
        data = load_panel(self._analysis(technique), [measurement])
        drawn = [
            _picture(panel_figure(ReadyPanel(title, draw, data)))
            for name, group in data.curves.items()
            for title, draw in own_panels(techniques()[technique], name, group)
        ]
        shared = shared_panels(techniques()[technique], data.curves)
        return drawn + [_picture(panel_figure(ReadyPanel(panel.together, panel.draw, data))) for panel, _ in shared]

    def numbers_of(self, technique: str, measurement: str) -> pd.DataFrame:
        """Return every number of a measurement, with uncertainties in parentheses and its raw file."""
        table = load_parameters(self._analysis(technique) / "parameters.csv")
        return printed(table[table["measurement"] == measurement]).reset_index(drop=True)

    def _analysis(self, technique: str) -> Path:
        folder = Path(self.results_dir, "analysis", self.sample, technique)
        if not (folder / "parameters.csv").is_file() or technique not in techniques():
            raise AnalysisError(f"{folder}: no analysis; 'measurements()' lists the techniques of {self.sample}")
        return folder

    def _groups(self) -> Iterator[tuple[str, str, str, list[str]]]:
        """Yield the technique, the measurement, the origin and the names of the groups of all stored curves."""
        for path in sorted(Path(self.results_dir, "analysis", self.sample).glob("*/curves.nc")):
            with h5py.File(path, "r") as stored:  # xarray would read all of it, which takes seconds
                for name, group in stored.items():
                    yield path.parent.name, name, str(group.attrs["origin"]), list(group)

    def _spec(self, panel: str) -> PanelSpec:
        panels = {spec.id: spec for figure in self.figures.values() for spec in figure.panels.values()}
        if panel not in panels:
            raise AnalysisError(f"no panel '{panel}' in {self.settings.figures}; there are {', '.join(panels)}")
        return panels[panel]

    def _ready(self, panel: str) -> ReadyPanel:
        """Return a panel with its data."""
        spec, results = self._spec(panel), Path(self.results_dir)
        topic = topic_of(spec)
        sample = spec.sample or self.sample
        folder = results / "analysis" / sample / topic
        if topic and spec.sample and not folder.is_dir():
            raise AnalysisError(f"{folder}: no results of the sample of panel {panel}")
        if topic and not folder.is_dir():
            # A sample need not have every technique. The panel is then empty, like one without measurements.
            return ReadyPanel(spec.id, panel_of(spec).draw, PanelData({}, pd.DataFrame()))
        table = panel_of(spec).table
        settings_of = self.settings.model_dump(mode="json")
        tables, fed = {table: str(results / f"{table}.csv")}, self._fed(spec)
        return ready_panel(spec, {(sample, topic): folder}, tables, fed, settings_of, self.sample)

    def _fed(self, spec: PanelSpec) -> list[str] | None:
        """Return the measurements that a panel shows; None means all measurements of its topic."""
        if topic_of(spec) not in techniques():
            return None
        return self.fed_panels.get(spec.id, [])

    @cached_property
    def fed_panels(self) -> Mapping[str, list[str]]:
        """Panel → measurements of the sample that feed it."""
        if self.panels is not None:
            return self.panels
        return fed_panels(self.figures, self.settings.load_sheet(), self.sample)


def _picture(figure: Figure) -> Image:
    """Render a figure for a notebook, with the same bytes every time."""
    content = BytesIO()
    figure.savefig(content, format="png", dpi=DPI, metadata={"Software": None})
    return Image(content.getvalue(), format="png")


def _residuals(data: PanelData) -> Iterator[tuple[str, xr.DataArray]]:
    """Yield the residuals of every fit of a panel that has one axis."""
    for name, group in data.curves.items():
        for part in group.subtree:
            for key, values in part.data_vars.items():
                if RESIDUAL in str(key) and values.ndim == 1:
                    yield f"{name}: {part.name}, {str(key).replace('_', ' ')}", values


def _label(values: Any, name: str) -> str:
    unit = values.attrs.get("units", "1")
    return f"{name.replace('_', ' ')} ({unit})" if unit != "1" else name.replace("_", " ")
