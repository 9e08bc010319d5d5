"""What a page draws of a measurement: panels of curves and of maps, found in any tree of labelled variables."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr

from relaxor.figures.generic import COLUMNS, SAME_RANGE, chosen, share
from relaxor.reporting.explorer.encoding import array, unit_text
from relaxor.reporting.explorer.thinning import is_curves, thinned

ANALYSIS, RAW = "analysis", "raw"
RESIDUAL, UNCERTAINTY, MEAN = "residual", "_uncertainty", "__mean"
LAWS = ("law", "laws")
"""Parts of an analysis that hold curves of fits to the part before them."""
DRIVEN = ("field", "bias")
"""Variables of an analysis that are drawn across instead of the time or the number of a step."""
LEADING = ("data", "intensity")
"""Variables that are measured in any case; others are if their uncertainty is known."""


def pictures(analysis: Mapping[str, xr.Dataset], raw: Mapping[str, xr.Dataset]) -> dict[str, Any]:
    """Return the panels of a measurement, first those of its analysis, and the arrays that they draw.

    Parameters
    ----------
    analysis, raw
        Datasets of ``curves.nc`` and of the ingested file by their names.

    Returns
    -------
    content
        ``panels``, ``arrays`` by ``part/variable``, ``facts`` (attributes and single numbers by part) and ``remarks``
        (what was thinned, by part).
    """
    panels: list[dict[str, Any]] = []
    content: dict[str, Any] = {"panels": panels, "arrays": {}, "facts": {}, "remarks": {}}
    for source, parts in ((ANALYSIS, analysis), (RAW, raw)):
        ranges: dict[int, tuple[float, float]] = {}
        for name, whole in parts.items():
            part = f"{source}/{name}"
            dataset, remarks = thinned(whole)
            content["facts"][part], content["remarks"][part] = list(_facts(dataset)), remarks
            for panel in _panels(part, dataset):
                content["arrays"] |= {f"{part}/{key}": _described(values) for key, values in panel.pop("used").items()}
                span = panel.pop("range")
                host = _host(panel, panels, ranges, span, str(name))
                if host is None:
                    ranges[len(panels)] = span
                    panels.append(panel)
                else:
                    laws = {"group": 0, "role": "fit"} if name in LAWS else {}
                    host["series"] += [entry | laws for entry in panel["series"]]
                    host["parts"].append(part)
    return content


def _described(values: xr.DataArray) -> dict[str, Any]:
    """Return an array with its label and unit."""
    attrs = values.attrs
    label = str(attrs.get("long_name", "")) or str(values.name).replace("_", " ")
    return {"label": label, "unit": unit_text(str(attrs.get("units", ""))), **array(values.values)}


def _facts(dataset: xr.Dataset) -> Iterator[tuple[str, str]]:
    """Yield the attributes and the single numbers of a part, as texts."""
    yield from ((str(name).replace("_", " "), str(value)) for name, value in dataset.attrs.items())
    for name, values in dataset.data_vars.items():
        if values.ndim == 0 and not str(name).endswith(UNCERTAINTY):
            known = dataset.get(f"{name}{UNCERTAINTY}")
            error = f" ± {float(known):.2g}" if known is not None and known.ndim == 0 else ""
            value = f"{float(values):.6g}" if values.dtype.kind in "biuf" else str(values.values)
            label = str(values.attrs.get("long_name", name))
            yield label, f"{value}{error} {unit_text(str(values.attrs.get('units', '')))}".strip()


def _panels(part: str, dataset: xr.Dataset) -> Iterator[dict[str, Any]]:
    """Yield the panels of a part: one of curves for each axis, one for each kind of map."""
    curves: dict[str, list[xr.DataArray]] = {}
    for name, values in dataset.data_vars.items():
        if values.dtype.kind not in "biuf" or values.size < 2 or str(name).endswith(UNCERTAINTY):
            continue
        if is_curves(values):
            curves.setdefault(str(values.dims[-1]), []).append(values)
    maps = [values for values in dataset.data_vars.values() if values.dtype.kind in "biuf" and values.ndim > 1]
    maps = [values for values in maps if values.size > 1 and not is_curves(values)]
    for dims in dict.fromkeys(values.dims[-2:] for values in maps):
        yield _map_panel(part, dataset, [values for values in maps if values.dims[-2:] == dims])
    for dim in sorted(curves, key=lambda name: -dataset.sizes[name]):
        yield _curve_panel(part, dataset, dim, curves[dim])


def _curve_panel(part: str, dataset: xr.Dataset, dim: str, variables: list[xr.DataArray]) -> dict[str, Any]:
    """Return a panel of all curves along a dimension, grouped by their units; residuals have an axis of their own."""
    coordinate = dataset.coords.get(dim)
    across = [*([coordinate] if coordinate is not None else []), *(each for each in variables if each.ndim == 1)]
    across = [each for each in across if RESIDUAL not in str(each.name)]
    used = {str(each.name): each for each in (*across, *variables)}
    groups: dict[tuple[str, bool], int] = {}
    series: list[dict[str, Any]] = []
    plain = [each for each in variables if RESIDUAL not in str(each.name)]
    for values in sorted(plain, key=_is_flag):
        name = str(values.name)
        group = groups.setdefault((str(values.attrs.get("units", "1")), _is_flag(values)), len(groups))
        entry = {"part": part, "name": name, "role": _role(values, dataset), "group": group}
        error = dataset.get(f"{name}{UNCERTAINTY}")
        if error is not None and error.dims == values.dims:
            used[f"{name}{UNCERTAINTY}"] = error
            entry["error"] = f"{name}{UNCERTAINTY}"
        entry |= _rows(values, dataset, used)
        series.append(entry)
    of_name = {entry["name"]: entry["group"] for entry in series}
    for values in variables:
        name = str(values.name)
        if RESIDUAL in name:
            group = of_name.get(name.removesuffix(f"_{RESIDUAL}"), 0)
            series.append({"part": part, "name": name, "role": RESIDUAL, "group": group} | _rows(values, dataset, used))
    x, y = _first(part, dataset, dim, across)
    ends = used[x].values if x in used and used[x].dtype.kind in "iuf" else np.array([0.0, dataset.sizes[dim]])
    title = part if dim == str(next(iter(dataset.sizes))) else f"{part}, {dim}"
    panel: dict[str, Any] = {
        "id": f"{part}:{dim}",
        "title": title,
        "kind": "curves",
        "parts": [part],
        "series": series,
        "used": used,
    }
    span = (float(np.nanmin(ends)), float(np.nanmax(ends)))
    panel["scattered"] = dim not in COLUMNS and (coordinate is None or coordinate.dtype.kind not in "iuf")
    return panel | {"x": x, "xs": [str(each.name) for each in across], "first": of_name.get(y, 0), "range": span}


def _rows(values: xr.DataArray, dataset: xr.Dataset, used: dict[str, xr.DataArray]) -> dict[str, Any]:
    """Return what names the curves of a variable of several: the coordinate of its first dimension."""
    dim = str(values.dims[0])
    if values.ndim < 2 or dim not in dataset.coords:
        return {}
    used[dim] = dataset.coords[dim]
    return {"rows": dim}


def _role(values: xr.DataArray, dataset: xr.Dataset) -> str:
    """Return how a curve is drawn: as points of data, as a fit, as components, or as another line."""
    name = str(values.name)
    if name == "components":
        return "component"
    if name.endswith("fit") or name.startswith(("fit", "law")):
        return "fit"
    known = name in LEADING or f"{name}{UNCERTAINTY}" in dataset
    return "data" if known and values.ndim == 1 else "alternative" if name == "alternatives" else "line"


def _is_flag(values: xr.DataArray) -> bool:
    return values.dtype.kind in "biu"


def _first(part: str, dataset: xr.Dataset, dim: str, across: list[xr.DataArray]) -> tuple[str, str]:
    """Return the variables that are drawn at first, across and up; empty for the number of a point, and for any."""
    names = [str(each.name) for each in across]
    if part.startswith(ANALYSIS) and (driven := next((name for name in DRIVEN if name in names), "")):
        return driven, ""
    if dim not in dataset.coords and "x" in names:  # places, such as those of atoms
        return "x", "y"
    if dim in COLUMNS and (found := chosen(dataset)) is not None and str(found[0].name) in names:
        return str(found[0].name), str(found[1].name)
    return dim if dim in names else "", ""


def _map_panel(part: str, dataset: xr.Dataset, variables: list[xr.DataArray]) -> dict[str, Any]:
    """Return a panel of images over the last two dimensions, or of many curves as the rows of a map."""
    used: dict[str, xr.DataArray] = {}
    images, cube = [], None
    for values in variables:
        name, first = str(values.name), [str(dim) for dim in values.dims]
        if values.ndim > 2 and _is_plane(dataset, first[:2]) and not _is_plane(dataset, first[-2:]):
            cube = {"part": part, "name": name, "x": first[-1]}  # a spectrum at each place
            used[name] = values
            shown = values.mean(first[2:], keep_attrs=True).rename(f"{name}{MEAN}")
            shown.attrs["long_name"] = f"mean of {values.attrs.get('long_name', name)} along {first[-1]}"
        else:
            shown = values
        used[str(shown.name)] = shown
        images.append({"name": str(shown.name)} | (_rows(shown, dataset, used) if shown.ndim > 2 else {}))
    up, across = (str(dim) for dim in used[images[0]["name"]].dims[-2:])
    axes = dict.fromkeys([up, across, *([cube["x"]] if cube else [])])
    used |= {name: dataset.coords[name] for name in axes if name in dataset.coords}
    panel: dict[str, Any] = {"id": f"{part}:{up},{across}", "title": part, "kind": "map", "parts": [part], "part": part}
    panel |= {"images": images, "x": across, "y": up, "equal": _is_plane(dataset, [up, across]), "cube": cube}
    return panel | {"series": [], "used": used, "range": (0.0, 0.0)}


def _is_plane(dataset: xr.Dataset, dims: list[str]) -> bool:
    """Return whether two dimensions are lengths, or the like, across and up: numbers in one unit."""
    if dims == ["y", "x"]:
        return True
    units = {
        str(dataset.coords[dim].attrs.get("units", "1"))
        for dim in dims
        if dim in dataset.coords and dataset.coords[dim].dtype.kind == "f"
    }
    return len(dims) == 2 and len(units) == 1 and units != {"1"} and all(dim in dataset.coords for dim in dims)


def _host(
    panel: dict[str, Any],
    panels: list[dict[str, Any]],
    ranges: Mapping[int, tuple[float, float]],
    span: tuple[float, float],
    name: str,
) -> dict[str, Any] | None:
    """Return the panel that a part joins: that of the data which its laws fit, or of a part of the same make."""
    if panel["kind"] != "curves":
        return None
    for number, other in reversed(list(enumerate(panels))):
        if number not in ranges or other["kind"] != "curves" or other["x"] != panel["x"]:
            continue
        if name in LAWS:
            return other
        same = [entry["name"] for entry in other["series"]][: len(panel["series"])]
        alike = same == [entry["name"] for entry in panel["series"]] and other["xs"] == panel["xs"]
        numbered = re.sub(r"_?(?<!\d)\d+$", "", name) == re.sub(
            r"_?(?<!\d)\d+$", "", other["parts"][0].partition("/")[2]
        )
        counted = bool(re.search(r"_\d+$|^Run\d+$", name))
        if alike and ((numbered and counted) or share(ranges[number], span) > SAME_RANGE):
            return other
    return None
