"""Dates of instruments as ISO 8601."""

from collections.abc import Mapping
from datetime import UTC, datetime


def iso(text: str, *layouts: str) -> str | None:
    """Return a date as ISO 8601, or None where it has none of the layouts.

    Parameters
    ----------
    text
        The date as the file has it.
    layouts
        Layouts as `datetime.strptime` takes them, the first that fits counts; without any, ISO 8601 is expected.
    """
    for layout in layouts or ("",):
        try:
            return (datetime.strptime(text, layout) if layout else datetime.fromisoformat(text)).isoformat()
        except ValueError:
            continue
    return None


def iso_day(text: str, *layouts: str) -> str | None:
    """Return a date without time as ISO 8601, or None where it has none of the layouts."""
    moment = iso(text, *layouts)
    return moment and moment[:10]


def unix_date(seconds: object) -> str | None:
    """Return a Unix time as ISO 8601 in UTC, or None where the instrument left it at zero."""
    try:
        moment = float(str(seconds))
    except ValueError:
        return None
    return datetime.fromtimestamp(moment, UTC).isoformat() if moment > 0 else None


def library_date(general: Mapping[str, str]) -> str | None:
    """Return date and time of the general metadata of rosettasciio, or None where it has none."""
    return iso(f"{general.get('date')}T{general.get('time')}")
