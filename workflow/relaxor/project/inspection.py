"""The content of a raw file: its format, its numbers with their axes and units, its header, and a quick picture."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from relaxor.core.errors import NoDataError, ReadError
from relaxor.core.files import atomic
from relaxor.readers import read
from relaxor.techniques.recognition import likely_techniques

ACROSS = 4
"""Number of panels beside each other in the drawing of a folder."""
MOST_PARTS = 4
"""Largest number of parts of a file in its picture, which counts any others."""
LONGEST_TITLE = 34
MOST_NAMES = 4
"""Number of columns of a table that the row of a file names."""


def files_in(paths: list[Path]) -> Iterator[Path]:
    """Yield the named files, and the files of named folders in the order of their names, without hidden ones."""
    for path in paths:
        if path.is_dir():
            found = (file.relative_to(path) for file in path.rglob("*") if file.is_file())
            yield from sorted(path / file for file in found if not any(part.startswith(".") for part in file.parts))
        else:
            yield path


def describe(path: Path) -> dict[str, Any]:
    """Summarize a file as plain numbers and texts, ready for JSON.

    Returns
    -------
    dict
        ``file``, and either ``skipped`` (why it holds no measurement), ``error``, or ``format``, ``techniques`` (those
        that may analyse it, the likeliest first), ``instrument``, ``acquired``, ``raw_sha256``, ``warnings`` (a list),
        ``parts`` (name, ``attributes``, and the dimensions, shape, units and range of every variable) and ``header``.
    """
    try:
        tree = read(path)
    except NoDataError as error:
        return {"file": str(path), "skipped": error.problem}
    except ReadError as error:
        return {"file": str(path), "error": str(error)}
    return {
        "file": str(path),
        "format": tree.attrs["format"],
        "techniques": list(likely_techniques(tree)),
        "instrument": tree.attrs["instrument"],
        "acquired": tree.attrs.get("acquired"),
        "raw_sha256": tree.attrs["raw_sha256"],
        "warnings": str(tree.attrs.get("warnings", "")).splitlines(),
        "parts": [_part(name, child.to_dataset()) for name, child in tree.children.items()],
        "header": json.loads(tree.attrs["header"]),
    }


def _part(name: str, dataset: xr.Dataset) -> dict[str, Any]:
    return {
        "name": name,
        "attributes": {str(key): _plain(value) for key, value in dataset.attrs.items()},
        "axes": [_variable(str(key), values) for key, values in dataset.coords.items()],
        "variables": [_variable(str(key), values) for key, values in dataset.data_vars.items()],
    }


def _variable(name: str, values: xr.DataArray) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": name,
        "dims": [str(dim) for dim in values.dims],
        "shape": list(values.shape),
        "units": values.attrs.get("units", "1"),
    }
    if values.dtype.kind in "iuf" and values.size and np.isfinite(values.values).any():
        found |= {"min": float(np.nanmin(values.values)), "max": float(np.nanmax(values.values))}
    return found


def _plain(value: object) -> object:
    plain = value.item() if isinstance(value, np.generic) else value
    return plain if isinstance(plain, str | int | float) else str(plain)


def as_text(found: dict[str, Any]) -> str:
    """Return a summary as lines for the screen."""
    if "error" in found:
        return f"error: {found['error']}"
    if "skipped" in found:
        return f"{found['file']}: skipped: {found['skipped']}"
    lines = [
        f"{found['file']}",
        f"  format      {found['format']}",
        f"  technique   {', or '.join(found['techniques']) or 'none recognised'}",
        f"  instrument  {found['instrument']}",
        f"  acquired    {found['acquired'] or 'not stated'}",
        f"  SHA-256     {found['raw_sha256']}",
        *(f"  warning     {warning}" for warning in found["warnings"]),
    ]
    for part in found["parts"]:
        lines.append(f"  {part['name']}")
        lines += [f"    axis      {_line(entry)}" for entry in part["axes"]]
        lines += [f"    variable  {_line(entry)}" for entry in part["variables"]]
        lines += [f"    {key} = {_short(value)}" for key, value in part["attributes"].items()]
    entries = found["header"].items() if isinstance(found["header"], dict) else enumerate(found["header"] or ())
    lines.append("  header (whole with --json)")
    lines += [f"    {key}: {_short(value)}" for key, value in entries]
    return "\n".join(lines)


def _line(entry: dict[str, Any]) -> str:
    shape = " × ".join(f"{dim} {size}" for dim, size in zip(entry["dims"], entry["shape"], strict=True)) or "one number"
    span = f", {entry['min']:.6g} to {entry['max']:.6g}" if "min" in entry else ""
    return f"{entry['name']} ({shape}){span}{_unit(entry)}"


def _unit(entry: dict[str, Any]) -> str:
    return "" if entry["units"] == "1" else f" {entry['units']}"


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 100 else f"{text[:97]}..."


def as_row(found: dict[str, Any]) -> tuple[str, ...]:
    """Return a summary as a row: file, format, technique, what is in it, acquired, remarks."""
    if "skipped" in found:
        return (found["file"], "–", "–", "–", "–", f"skipped: {found['skipped']}")
    if "error" in found:
        return (found["file"], "–", "–", "–", "–", found["error"].removeprefix(f"{found['file']}: "))
    more = f" (and {len(found['warnings']) - 1} more warnings)" if len(found["warnings"]) > 1 else ""
    return (
        found["file"],
        found["format"],
        found["techniques"][0] if found["techniques"] else "–",
        _content(found["parts"]),
        (found["acquired"] or "–")[:10],
        "".join(found["warnings"][:1]) + more,
    )


def _content(parts: Sequence[dict[str, Any]]) -> str:
    """Return what the first part with numbers holds: a spectrum or image with its axis, or the columns of a table."""
    from relaxor.figures.generic import COLUMNS

    part = next((part for part in parts if part["variables"]), None)
    if part is None:
        return "no numbers"
    first, repeated = part["variables"][0], f"{len(parts)} × " * (len(parts) > 1)
    shape = " × ".join(map(str, first["shape"]))
    if set(first["dims"]) <= COLUMNS:
        names = [variable["name"] for variable in part["variables"]]
        return f"{repeated}{', '.join(names[:MOST_NAMES])}{', …' * (len(names) > MOST_NAMES)} ({shape})"
    spans = [axis for axis in part["axes"] if axis["name"] == first["dims"][-1] and "min" in axis]
    return f"{repeated}{first['name']} {shape}" + "".join(
        f", {axis['min']:.4g} to {axis['max']:.4g}{_unit(axis)}" for axis in spans
    )


def draw(path: Path, target: Path) -> None:
    """Draw the content of a file: curves along their axis and images, with one panel per part and at most `MOST_PARTS`.

    Raises
    ------
    ReadError
        If the file cannot be read, or holds nothing that can be drawn.
    """
    from relaxor.figures import generic as plain
    from relaxor.figures.style import DOUBLE, literal, new_figure, use_style

    tree = read(path)
    regions = {str(name): child.to_dataset() for name, child in tree.children.items()}
    found = [(name, region) for name, region in regions.items() if plain.chosen(region) is not None]
    parts = found[:MOST_PARTS]
    if not parts:
        raise ReadError(path, "holds nothing that can be drawn")
    use_style()
    figure = new_figure(DOUBLE, 60.0 * ((len(parts) + 1) // 2))
    for index, (name, region) in enumerate(parts, start=1):
        ax = figure.add_subplot((len(parts) + 1) // 2, min(len(parts), 2), index)
        plain.draw_regions(ax, {name: region})
        ax.set_title(literal(name if len(name) <= 60 else f"{name[:57]}..."))
    figure.suptitle(
        literal(path.name) + (f" (the first {len(parts)} of {len(found)} parts)" if len(found) > len(parts) else "")
    )
    with atomic(target) as temporary:
        figure.savefig(temporary, format=target.suffix[1:])


def draw_overview(paths: Sequence[Path], target: Path) -> None:
    """Draw the content of many files, one small panel each."""
    from relaxor.figures import generic as plain
    from relaxor.figures.shown import not_drawn
    from relaxor.figures.style import DOUBLE, literal, new_figure, use_style

    use_style()
    rows = -(-len(paths) // ACROSS)
    figure = new_figure(DOUBLE, 40.0 * rows)
    places = figure.subfigures(rows, ACROSS, squeeze=False).ravel()
    for place, path in zip(places, paths, strict=False):  # the last row may not be full
        regions = {str(name): child.to_dataset() for name, child in read(path).children.items()}
        first, *others = plain.panels_of(regions)
        ax = place.add_subplot()
        plain.draw_regions(ax, first)
        not_drawn(ax, (name for other in others for name in other))
        for ax in place.axes:  # with the scale of an image
            ax.tick_params(labelsize=4)
            for text in (ax.xaxis.label, ax.yaxis.label, ax.xaxis.get_offset_text(), ax.yaxis.get_offset_text()):
                text.set_fontsize(5)
        place.suptitle(
            literal(f"{path.name[: LONGEST_TITLE - 1]}…" if len(path.name) > LONGEST_TITLE else path.name), fontsize=5
        )
    with atomic(target) as temporary:
        figure.savefig(temporary, format=target.suffix[1:])
