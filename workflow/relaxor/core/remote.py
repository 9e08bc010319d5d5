"""Files on other hosts, and the bounds of every download."""

import io
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import cache
from http.client import HTTPException
from importlib.util import find_spec
from typing import Any
from urllib.parse import quote

from relaxor.core.errors import ReadError, SheetError
from relaxor.core.files import atomic

SCHEMES = ("http", "https", "s3")
"""Of the URLs that a sheet may hold."""
TIMEOUT = 30
"""Seconds in which a host must answer."""
PATIENCE = 3600
"""Longest time of a whole download, in seconds: a server that sends a byte now and then never meets `TIMEOUT`."""
MOST_BYTES = 1 << 30
"""Largest download."""
BUSY, FAILED = 429, 500
"""Status of a host that is asked too often, and the first of those of its failures: they say nothing of a file."""
UNQUOTED = "!#$%&'()*+,/:;=?@[]~"
"""Characters of a URL that stay as they are; others are written as a download writes them."""


def is_remote(file: str) -> bool:
    """Return whether a file of the sheet lies on another host."""
    scheme, separator, _ = file.partition("://")
    return bool(separator) and scheme in SCHEMES


def require_s3(url: str) -> None:
    """Refuse a URL of S3 without the plugin of Snakemake that fetches it.

    Raises
    ------
    SheetError
        If it is missing; the message says in one line what to do.
    """
    if find_spec("snakemake_storage_plugin_s3") is None:
        package = "snakemake-storage-plugin-s3"
        raise SheetError(f"{url}: to fetch it, Snakemake needs {package}: uv run --with {package} snakemake …")


def version_of(url: str) -> str:
    """Return what a web server says of the present version of a file: when it changed, and its size.

    Raises
    ------
    SheetError
        If the host does not answer, cannot serve it now, or announces too large a file; the message says in one line
        what to do.
    """
    if problem := silence(url):
        raise SheetError(
            f"{url}: the host does not answer ({problem}); connect to it, or download the file and write its path into "
            "the sheet"
        )
    status, changed, size = _asked(url)
    if status == BUSY or status >= FAILED:
        raise SheetError(f"{url}: the host answers with status {status}; try again later")
    if size.isdecimal() and int(size) > MOST_BYTES:
        raise SheetError(
            f"{url}: has {int(size) >> 20} MiB; files over {MOST_BYTES >> 20} MiB are not fetched: download it and "
            "write its path into the sheet"
        )
    return f"{changed} {size}".strip()


@cache
def silence(url: str) -> str:
    """Return why a host does not answer, or an empty string if it does."""
    try:
        _asked(url)
    except (OSError, ValueError, HTTPException) as error:
        return str(getattr(error, "reason", error))
    return ""


@cache
def _asked(url: str) -> tuple[int, str, str]:
    """Return the status with which a host answers, and the date and the size that it names, empty if it names none."""

    def answer() -> tuple[int, str, str]:
        request = urllib.request.Request(quote(url, safe=UNQUOTED), method="HEAD")
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            return response.status, response.headers["Last-Modified"] or "", response.headers["Content-Length"] or ""

    try:
        return within(2 * TIMEOUT, answer)
    except urllib.error.HTTPError as error:
        return error.code, "", ""  # what is wrong with the file, its download says


def fetch(url: str, version: str, file: str) -> None:
    """Download a raw file.

    Parameters
    ----------
    version
        What `version_of` returned; the file is fetched again where it differs.
    file
        Where to write it.

    Raises
    ------
    ReadError
        If it cannot be fetched.
    """
    try:
        with atomic(file) as temporary, BoundedFile(temporary, "w") as out:
            download(url, out)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        advice = "download it by other means, and write its path into the sheet"
        raise ReadError(url, f"cannot be fetched: {reason}; {advice}") from error


def download(url: str, out: "BoundedFile", **options: Any) -> None:
    """Write what a server sends to a file, for `PATIENCE` at most; ``options`` are those of pooch's downloader.

    Raises
    ------
    OSError, ValueError
        If the server does not answer, or sends too much, too slowly, or from another kind of place.
    """
    import pooch

    fetch = pooch.HTTPDownloader(timeout=TIMEOUT, **options)
    within(PATIENCE, lambda: fetch(url, out, None))


class TooLargeError(ValueError):
    """A download is larger than any that is expected."""


class BoundedFile(io.FileIO):
    """A file that refuses more than `MOST_BYTES`."""

    def write(self, content: Any) -> int:
        """Write bytes, as long as they fit."""
        if self.tell() + len(content) > MOST_BYTES:
            raise TooLargeError(f"the download has more than {MOST_BYTES} bytes")
        return super().write(content)


def within(seconds: float, call: Callable[[], Any]) -> Any:
    """Return what a call returns, and do not wait longer for it; a call that goes on does so on its own.

    Raises
    ------
    TimeoutError
        If the call takes longer. What the call itself raises is raised here.
    """
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.extend((call(), None))
        except BaseException as error:
            outcome.extend((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise TimeoutError(f"not finished after {seconds:g} s")
    result, error = outcome
    if error is not None:
        raise error
    return result
