"""XML, zip archives and zlib streams of unknown origin, bounded before they are unpacked or parsed."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from relaxor.core.errors import ReadError

ENCRYPTED = 0x1
"""Flag of a member of a zip archive that needs a password."""
MAX_TOTAL_BYTES = 256 << 20
"""Most bytes to which a file may unpack."""
MAX_MEMBER_BYTES = 32 << 20
MAX_DEPTH = 200
"""Most elements of an XML document within each other."""
MAX_NODES = 500_000
"""Most elements and attributes of one XML document; each takes some hundred bytes in memory."""


@contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive.

    Raises
    ------
    ReadError
        If the archive is damaged, encrypted, packed in an unknown way, or would unpack to more than `MAX_TOTAL_BYTES`.
    """
    try:
        with zipfile.ZipFile(path) as container:
            if any(member.flag_bits & ENCRYPTED for member in container.infolist()):
                raise ReadError(path, "is encrypted: unpack it with its password first")
            total = sum(member.file_size for member in container.infolist())
            if total > MAX_TOTAL_BYTES:
                limit = MAX_TOTAL_BYTES >> 20
                raise ReadError(path, f"would unpack to {total / 2**20:.0f} MiB; more than {limit} MiB are refused")
            yield container
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as error:
        raise ReadError(path, f"is a damaged zip container ({error})") from error


def member_bytes(container: zipfile.ZipFile, name: str, path: Path) -> bytes:
    """Unpack a member, up to the size in its directory entry and at most `MAX_MEMBER_BYTES`."""
    size = container.getinfo(name).file_size
    if size > MAX_MEMBER_BYTES:
        limit = MAX_MEMBER_BYTES >> 20
        raise ReadError(path, f"unpacks to {size >> 20} MiB; more than {limit} MiB are refused", f"member {name}")
    with container.open(name) as stream:
        return stream.read(size)


def member_names(head: bytes, path: Path) -> list[str]:
    """Return the names of the members of a zip archive; none if the file is not an archive, or is damaged."""
    if not head.startswith(b"PK\x03\x04"):
        return []
    try:
        with zipfile.ZipFile(path) as container:
            return container.namelist()
    except Exception:  # zipfile raises errors of many kinds on damaged directories
        return []


def inflated(content: bytes, limit: int, path: Path, place: str = "") -> bytes:
    """Unpack a zlib stream.

    Raises
    ------
    ReadError
        If the stream is damaged, or unpacks to more than ``limit`` bytes.
    """
    try:
        unpacked = zlib.decompressobj().decompress(content, limit + 1)
    except zlib.error as error:
        raise ReadError(path, f"is damaged: {error}", place) from error
    if len(unpacked) > limit:
        raise ReadError(path, f"unpacks to more than {MAX_TOTAL_BYTES >> 20} MiB, which is refused", place)
    return unpacked


def parse_xml(content: bytes, path: Path, place: str = "") -> Element:
    """Parse XML without entities and external references.

    Raises
    ------
    ReadError
        If the document is not well formed, holds entities, has more than `MAX_NODES` elements and attributes, or has
        more than `MAX_DEPTH` elements within each other.
    """
    from defusedxml.ElementTree import fromstring

    if content.count(b"<") + content.count(b"=") > MAX_NODES:
        raise ReadError(path, f"holds more than {MAX_NODES} elements and attributes", place)
    try:
        root: Element = fromstring(content)
    except Exception as error:  # ParseError of the XML, or one of defusedxml's refusals
        raise ReadError(path, f"is not readable XML ({type(error).__name__}: {error})", place) from error
    level = [root]
    for _ in range(MAX_DEPTH):
        level = [child for element in level for child in element]
    if level:
        raise ReadError(path, f"holds more than {MAX_DEPTH} elements within each other", place)
    return root


def plain_xml(element: Element) -> dict[str, Any]:
    """Return XML as dictionaries: attributes under ``@name``, children under their tag, text under ``text``."""
    result: dict[str, Any] = {f"@{local_name(name)}": value for name, value in element.attrib.items()}
    if text := (element.text or "").strip():
        result["text"] = text
    for child in element:
        result.setdefault(local_name(child.tag), []).append(plain_xml(child))
    return result


def local_name(tag: str) -> str:
    """Return a tag or attribute without its namespace."""
    return tag.rpartition("}")[2]
