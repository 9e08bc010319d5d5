"""The way back of a measurement: raw files and hashes, conditions, and settings with their layers."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from relaxor.core.results import COMBINES, Measurement
from relaxor.core.section import unit_of
from relaxor.project.layers import resolve
from relaxor.reporting.explorer.encoding import unit_text
from relaxor.techniques.registry import Technique

KEPT = (
    "raw_file",
    "raw_sha256",
    "origin",
    "instrument",
    "instrument_named",
    "format",
    "reader",
    "acquired",
    "warnings",
)
"""Attributes of an ingested file that are shown one by one."""
LONGEST_HEADER = 20_000
"""Number of characters of a header that are shown; the whole header is in the ingested file."""


def settings_of(
    technique: Technique, layers: Mapping[str, Any], measurement: Measurement | None
) -> list[tuple[str, str, str, str]]:
    """Return name, value, unit and layer of every setting, those that differ from the library's defaults first."""
    resolved = resolve(technique, layers, measurement)
    values = resolved.settings.model_dump(mode="json")
    rows = [
        (name, _short(values[name]), unit_text(unit_of(field)), resolved.layer_of[name])
        for name, field in technique.settings.model_fields.items()
    ]
    return sorted(rows, key=lambda row: row[3] == "library")


def way_back(
    measurement: Measurement | None, group: Mapping[Any, Any], members: Sequence[Measurement]
) -> dict[str, Any]:
    """Return the origin of what a page shows.

    Parameters
    ----------
    measurement
        The ingested file; None for a combination of several.
    group
        Attributes of its group in ``curves.nc``.
    members
        All measurements of the technique, of which a combination names some.
    """
    combined = [name for name in str(group.get(COMBINES, "")).split(",") if name]
    if measurement is None:
        used = [each for each in members if each.id in combined]
        return {"files": [_file(each.attrs) for each in used], "combines": combined}
    header = json.dumps(json.loads(str(measurement.attrs.get("header", "{}"))), indent=1, ensure_ascii=False)
    cut = f"\n… {len(header)} characters; the ingested file has all of them" if len(header) > LONGEST_HEADER else ""
    return {
        "files": [_file(measurement.attrs)],
        "about": {key: str(measurement.attrs[key]) for key in KEPT[2:] if measurement.attrs.get(key)},
        "conditions": [
            (name, f"{value:g} {unit_text(unit)}".strip()) for name, (value, unit) in measurement.conditions.items()
        ],
        "header": header[:LONGEST_HEADER] + cut,
    }


def _file(attrs: Mapping[str, Any]) -> tuple[str, str]:
    return str(attrs["raw_file"]), str(attrs["raw_sha256"])


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
