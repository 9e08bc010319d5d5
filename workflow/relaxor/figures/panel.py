"""Panels: their drawing functions and their data."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from relaxor.core import netcdf
from relaxor.core.errors import AnalysisError, nearest
from relaxor.core.results import COMBINES, Quantity, Status, origin_of
from relaxor.core.storage import load_parameters

WRONG = (Status.MISFIT, Status.AT_BOUND, Status.NOT_IDENTIFIED)
"""Statuses that a panel points out."""


@dataclass(frozen=True)
class Panel:
    """A picture that can be part of a figure.

    Attributes
    ----------
    draw
        Function of the axes and of the data of the panel: a `PanelData`, a `TableData`, or the entries of the section
        ``settings`` as keywords.
    needs
        Curves that a measurement must hold for the panel to show it: the name of a part of the measurement, with a
        number behind it where there may be several.
    together
        Title of the panel if it shows all measurements of a technique together; empty if it shows one.
    table
        Table of the results that the panel shows: ``devices`` is ``<results>/devices.csv``.
    settings
        Section of the settings whose entries the panel draws.
    overview
        Whether the panel is part of the automatic figures of a sample.
    shows
        Names of the parameters that the panel shows, if it does not show all of its technique.
    """

    draw: Callable[..., None]
    needs: str = ""
    together: str = ""
    table: str = ""
    settings: str = ""
    overview: bool = False
    shows: tuple[str, ...] | None = None

    def can_show(self, group: xr.DataTree) -> bool:
        """Return whether a measurement holds the curves that the panel needs."""
        return any(name == self.needs or re.fullmatch(rf"{self.needs}_\d+", str(name)) for name in group.children)


@dataclass(frozen=True)
class PanelData:
    """Curves and numbers of one panel.

    Attributes
    ----------
    curves
        Groups of ``curves.nc`` (DataTrees: ``.attrs``, ``["region"].to_dataset()``) by measurement, in the order of
        the sheet, only for the measurements of the panel.
    parameters
        The rows of ``parameters.csv`` of these measurements, and the rows that combine them.
    """

    curves: Mapping[str, xr.DataTree]
    parameters: pd.DataFrame

    @property
    def origin(self) -> str:
        """``simulated`` if anything in it is."""
        return origin_of(group.attrs["origin"] for group in self.curves.values())

    @property
    def empty(self) -> bool:
        """Whether the panel has no measurement."""
        return not self.curves

    def flags(self, shows: tuple[str, ...] | None = None) -> dict[str, int]:
        """Count the numbers that no model of a measurement gives rightly: status → number of them.

        Parameters
        ----------
        shows
            Names of the parameters that count; all by default.
        """
        table = self.parameters.assign(wrong=self.parameters["status"].isin(WRONG))
        if shows is not None:
            table = table[table["parameter"].isin(shows)]
        by_model = table.groupby(["measurement", "parameter", "model"])["wrong"].transform("any")
        # A law that describes the data replaces others with another number of terms, whose features have other names.
        good = (~by_model).groupby([table["measurement"], table["parameter"]]).transform("any")
        each = table.groupby(["measurement", "parameter", "feature", "at"], dropna=False)["wrong"].transform("all")
        left = table[each & ~good].drop_duplicates(["measurement", "parameter", "feature", "at"])
        return {str(status): int(count) for status, count in left["status"].value_counts().sort_index().items()}

    @property
    def files(self) -> set[str]:
        """The raw files behind the panel, with the beginning of their SHA-256."""
        return {f"{group.attrs['raw_file']} {group.attrs['raw_sha256'][:12]}" for group in self.curves.values()}

    def only(self, needed: str) -> tuple[str, xr.DataTree]:
        """Return the one measurement of a panel that shows pulses, which must hold a curve.

        Raises
        ------
        AnalysisError
            If there are several measurements, or if the runs are a series of another kind.
        """
        if len(self.curves) != 1:
            raise AnalysisError(f"the panel shows one measurement, the sheet gives it {', '.join(self.curves)}")
        ((name, group),) = self.curves.items()
        if needed not in group.children:
            raise AnalysisError(f"{name}: its runs are a series of {group.attrs['kind']}; the panel shows {needed}")
        return name, group

    def rows(self, quantity: Quantity | str, **where: Any) -> pd.DataFrame:
        """Return the rows of a quantity by feature; ``where`` selects by other columns."""
        parameter = quantity.name if isinstance(quantity, Quantity) else quantity
        rows = self.parameters[self.parameters["parameter"] == parameter]
        for key, value in where.items():
            rows = rows[rows[key] == value]
        return rows.set_index("feature", drop=False)

    def row(self, quantity: Quantity | str, **where: Any) -> "pd.Series[Any]":
        """Return the one row of a quantity; ``where`` selects by other columns (``measurement=…, model=…``).

        Raises
        ------
        AnalysisError
            If there is no such number (the message names the most similar parameter), or if there are several.
        """
        rows = self.rows(quantity, **where)
        if len(rows) != 1:
            parameter = quantity.name if isinstance(quantity, Quantity) else quantity
            wanted = ", ".join([parameter, *(f"{key} {value}" for key, value in where.items())])
            problem = f"{len(rows)} numbers are called so; select by more columns"
            if rows.empty:
                problem = f"there is no such number{nearest(parameter, self.parameters['parameter'].unique())}"
            raise AnalysisError(f"{wanted}: {problem}")
        return rows.iloc[0]

    def number(self, quantity: Quantity | str, column: str = "value", **where: Any) -> float:
        """Return one number of the table: a column of `row`."""
        return float(self.row(quantity, **where)[column])


@dataclass(frozen=True)
class TableData:
    """A table that a panel shows, such as ``devices.csv``.

    Attributes
    ----------
    table
        The cells of the table as text; blanks are empty. The columns ``measurement``, ``raw_sha256`` and ``origin``
        identify the rows that come from measurements.
    """

    table: pd.DataFrame

    @property
    def origin(self) -> str:
        """``simulated`` if anything in it is."""
        return origin_of(self.table["origin"])

    @property
    def empty(self) -> bool:
        """Whether the table has no rows."""
        return self.table.empty

    @property
    def files(self) -> set[str]:
        """The measurements behind the table, with the beginning of the SHA-256 of their raw files."""
        ours = self.table[self.table["raw_sha256"] != ""]
        return {f"{name} {sha[:12]}" for name, sha in zip(ours["measurement"], ours["raw_sha256"], strict=True)}


def load_panel(folder: Path | str, measurements: Iterable[str] | None = None) -> PanelData:
    """Load the data of a panel from ``results/analysis/<sample>/<technique>``.

    Parameters
    ----------
    folder
        Folder of the results of a technique of a sample.
    measurements
        The measurements of the panel; all measurements by default.
    """
    path = Path(folder) / "curves.nc"
    parameters = load_parameters(Path(folder) / "parameters.csv")
    if measurements is None:
        return PanelData(dict(netcdf.trees(path)), parameters)
    held, chosen = netcdf.attributes(path), set(measurements)
    # Combinations of several measurements are shown with them.
    shown = [name for name, attrs in held.items() if chosen & {name, *attrs.get(COMBINES, "").split(",")}]
    keep = parameters["measurement"].isin(shown) | ~parameters["measurement"].isin(list(held))
    return PanelData(dict(netcdf.trees(path, shown)), parameters[keep])


def load_table(path: Path | str) -> TableData:
    """Load a table of the results."""
    return TableData(pd.read_csv(path, dtype=str, keep_default_na=False))
