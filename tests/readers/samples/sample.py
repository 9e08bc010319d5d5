"""The smallest valid file of a format, and what was put into it."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

COUNTS = [9, 16, 25, 36, 49]
TWO_THETA = [10.0, 10.1, 10.2, 10.3, 10.4]


@dataclass(frozen=True)
class Sample:
    """A file made by hand from the layout of its format.

    Attributes
    ----------
    content
        The bytes of the file.
    child
        The child of the tree that is compared.
    values
        Variables and coordinates of that child, with their values and their unit.
    dims
        Dimensions of the first of them.
    acquired
        Time of the measurement, empty where the file has none.
    attrs
        Attributes of the child.
    header
        Text that the header of the root holds.
    """

    content: bytes
    child: str
    values: Mapping[str, tuple[Any, str]]
    dims: tuple[str, ...]
    acquired: str = ""
    attrs: Mapping[str, Any] = field(default_factory=dict)
    header: str = ""


def zipped(**members: bytes | str) -> bytes:
    """Return a zip archive whose bytes do not depend on the time."""
    return zip_of(members)


def zip_of(members: Mapping[str, bytes | str]) -> bytes:
    """Return a zip archive of members with any names."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as container:
        for name, content in members.items():
            container.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()
