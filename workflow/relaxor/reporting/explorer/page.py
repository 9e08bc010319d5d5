"""Write the explorer: a page, its script, the library that draws, and one script of data for each measurement."""

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr
from plotly.offline import get_plotlyjs

from relaxor import __version__
from relaxor.core import netcdf
from relaxor.core.files import write_whole
from relaxor.core.results import Measurement, Status, origin_of
from relaxor.core.storage import COLUMNS, NAMES, load
from relaxor.inpainting.topics import topics
from relaxor.reporting.explorer.comparisons import Link, comparison, same
from relaxor.reporting.explorer.encoding import script
from relaxor.reporting.explorer.numbers import numbers_of, texts
from relaxor.reporting.explorer.origins import settings_of, way_back
from relaxor.reporting.explorer.pictures import pictures
from relaxor.techniques.registry import OTHER, techniques

HERE = Path(__file__).parent
SCRIPTS = ("page.base.js", "page.list.js", "page.figure.js", "page.numbers.js", "page.main.js")
"""Parts of the script of the page, in the order in which they run."""
Place = tuple[str, str]
"""Sample and technique."""


def build_explorer(
    data: Sequence[str],
    parameters: Sequence[str],
    budget: Sequence[str],
    curves: Sequence[str],
    claims: str,
    checks: str,
    explorer: str,
    *,
    sample: str,
    notes: Mapping[str, str],
    layers: Mapping[str, Mapping[str, Any]],
    steps: Mapping[str, Sequence[Sequence[str]]],
    validation: Mapping[str, str],
) -> None:
    """Write the explorer of all results: ``index.html``, which opens without a server and without a network.

    Parameters
    ----------
    data
        ``…/<sample>/<technique>.nc``, the ingested files.
    parameters, budget, curves
        ``…/<sample>/<technique>/`` with the numbers, the components of their uncertainties, and the curves; parts of
        the work without raw files are among them.
    claims, checks
        ``claims.csv`` and ``checks.csv``, which are about ``sample``.
    explorer
        Folder to write.
    sample
        Sample whose numbers are compared with those of the paper.
    notes
        Notes of the sheet by ``sample/measurement``.
    layers
        Layers of the settings by ``sample/technique``.
    steps
        Pairs of the name of a rule and the hash of its code by ``sample/technique``.
    validation
        ``validation.csv`` and its hash, if it was made.
    """
    folder = Path(explorer)
    shutil.rmtree(folder, ignore_errors=True)
    files: dict[Place, dict[str, str]] = {}
    for path in map(Path, data):
        files[path.parent.name, path.stem] = {"data": str(path)}
    for name, paths in (("parameters", parameters), ("budget", budget), ("curves", curves)):
        for path in map(Path, paths):
            files.setdefault((path.parents[1].name, path.parent.name), {})[name] = str(path)
    index = Index(sample, {}, [], [])
    for (owner, technique), held in sorted(files.items()):
        name = f"{owner}/{technique}"
        for measurement, content in _contents(technique, held, layers.get(name)):
            content |= {"steps": steps.get(name, ()), "note": notes.get(f"{owner}/{measurement}", "")}
            key = index.add(owner, technique, measurement, content)
            write_whole(folder / f"data/{key}.js", script(key, content))
    tables = {"claims": claims, "checks": checks} | {Path(path).stem: path for path in validation}
    for name, table in ((name, texts(path)) for name, path in tables.items()):
        write_whole(folder / f"data/{name}.js", script(name, comparison(name, table, index.links(table))))
    write_whole(folder / "data/index.js", script("index", index.content(list(tables))))
    write_whole(folder / "plotly.min.js", get_plotlyjs())
    write_whole(folder / "explorer.css", (HERE / "page.css").read_bytes())
    write_whole(folder / "explorer.js", b"".join((HERE / part).read_bytes() for part in SCRIPTS))
    write_whole(folder / "index.html", (HERE / "page.html").read_bytes())


def _contents(
    technique: str, held: Mapping[str, str], layers: Mapping[str, Any] | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield name and content of each measurement of a technique, those of the sheet first."""
    measurements = {each.id: each for each in load(held["data"])} if "data" in held else {}
    groups = netcdf.trees(held["curves"]) if "curves" in held else {}
    numbers = numbers_of(held["parameters"], held.get("budget")) if "parameters" in held else {}
    for name in dict.fromkeys([*measurements, *groups, *numbers]):
        measurement, group = measurements.get(name), groups.get(name, xr.DataTree())
        content = pictures(_parts(group), measurement.regions if measurement else {})
        content |= numbers.get(name, {"rows": [], "shared": [], "models": {}, "meanings": {}})
        content |= way_back(measurement, dict(group.attrs), list(measurements.values()))
        content["origin"] = _origin(measurement, group, content["rows"])
        known = techniques().get(technique) if technique != OTHER else None
        content["settings"] = settings_of(known, layers, measurement) if known and layers is not None else []
        yield name, content


def _parts(group: xr.DataTree) -> dict[str, xr.Dataset]:
    """Return the datasets below a group of curves by their paths."""
    found = {part.path.strip("/"): part.to_dataset(inherit=False) for part in group.subtree if part.data_vars}
    base = group.path.strip("/")
    return {name.removeprefix(base).strip("/"): dataset for name, dataset in found.items()}


def _origin(measurement: Measurement | None, group: xr.DataTree, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return ``simulated`` if anything behind a page is."""
    attributes = [each.get("origin", "") for each in ((measurement.attrs if measurement else {}), group.attrs)]
    column = COLUMNS.index("origin")
    return origin_of([*attributes, *(row["cells"][column] for row in rows)])


@dataclass
class Index:
    """The list of all measurements.

    Attributes
    ----------
    sample
        Sample of the claims.
    parameters
        Place of each name of a parameter in the order of their first use.
    entries
        Measurements as the page lists them.
    names
        Of each entry, the identifying cells of its numbers and their lasting names.
    """

    sample: str
    parameters: dict[str, int]
    entries: list[dict[str, Any]]
    names: list[dict[tuple[str, ...], str]]

    def add(self, sample: str, technique: str, measurement: str, content: Mapping[str, Any]) -> str:
        """Add a measurement and return the name of its script, which does not depend on the other measurements."""
        key = hashlib.sha256("/".join((sample, technique, measurement)).encode()).hexdigest()[:16]
        cells = [dict(zip(COLUMNS, row["cells"], strict=True)) for row in content["rows"]]
        used = dict.fromkeys(self.parameters.setdefault(row["parameter"], len(self.parameters)) for row in cells)
        named = zip(cells, content["rows"], strict=True)
        self.names.append({tuple(own[name] for name in NAMES): row["id"] for own, row in named})
        entry = {"sample": sample, "technique": technique, "name": measurement, "key": key}
        counts = dict(sorted(Counter(row["status"] for row in cells).items()))
        self.entries.append(entry | {"origin": content["origin"], "statuses": counts, "parameters": list(used)})
        return key

    def links(self, table: pd.DataFrame) -> list[Link]:
        """Return the number to which each row of a table belongs."""
        return [self._link(row) for row in table.to_dict("records")]

    def _link(self, row: Mapping[str, str]) -> Link:
        """Return the number of a row, or its measurement alone if several numbers have the names that the row gives."""
        given = {name: row[name] for name in NAMES if name in row}
        for entry, names in zip(self.entries, self.names, strict=True):
            if entry["sample"] == self.sample and entry["name"] == given.get("measurement"):
                found = [number for own, number in names.items() if same(given, dict(zip(NAMES, own, strict=True)))]
                if found:
                    return entry["key"], found[0] if len(found) == 1 else ""
        return None

    def content(self, tables: Sequence[str]) -> dict[str, Any]:
        """Return the list for the page."""
        used = {entry["technique"] for entry in self.entries}
        titles = {name: topic.title for name, topic in topics().items() if name in used}
        flagged = [status.value for status in Status if status.severity >= Status.MISFIT.severity]
        found = {"version": __version__, "columns": COLUMNS, "flagged": flagged, "titles": titles, "tables": tables}
        return found | {"parameters": list(self.parameters), "entries": self.entries}
