"""Files on other hosts: raw files, which storage plugins of Snakemake fetch, and the bounds of every own download."""

import io
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import cache
from http.client import HTTPException
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from relaxor.core.errors import SheetError

STORAGES = {"http": "http", "https": "http", "s3": "s3"}
"""The storage plugin of Snakemake for each scheme of a URL."""
TIMEOUT = 30
"""Seconds in which a host must answer."""
PATIENCE = 3600
"""Longest time of a whole download, in seconds: a server that sends a byte now and then never meets `TIMEOUT`."""
MOST_BYTES = 1 << 30
"""Largest download."""


def storage_of(file: str) -> str | None:
    """Return the storage plugin that fetches a file of the sheet; an empty name if the file lies in the project."""
    scheme, separator, _ = file.partition("://")
    return STORAGES.get(scheme) if separator else None


def require_storage(url: str) -> str:
    """Return the storage plugin of a URL, after a check that the plugin is installed and that the host answers.

    Raises
    ------
    SheetError
        If the plugin is missing or the host does not answer; the message says in one line what to do.
    """
    name = STORAGES[urlsplit(url).scheme]
    if find_spec(f"snakemake_storage_plugin_{name}") is None:
        package = f"snakemake-storage-plugin-{name}"
        raise SheetError(f"{url}: to fetch it, Snakemake needs {package}: uv run --with {package} snakemake …")
    if name == "http" and (problem := silence("{0.scheme}://{0.netloc}/".format(urlsplit(url)))):
        raise SheetError(
            f"{url}: the host does not answer ({problem}); connect to it, or download the file and write its path into "
            "the sheet"
        )
    if name == "http" and (size := announced_size(url)) > MOST_BYTES:
        raise SheetError(
            f"{url}: has {size >> 20} MiB; files over {MOST_BYTES >> 20} MiB are not fetched: download it and write "
            "its path into the sheet"
        )
    return name


@cache
def silence(host: str) -> str:
    """Return why a host does not answer, or an empty string if it does."""
    try:
        within(2 * TIMEOUT, lambda: _head(host))
    except urllib.error.HTTPError:
        return ""  # any status shows that the host answers
    except (OSError, ValueError, HTTPException) as error:
        return str(getattr(error, "reason", error))
    return ""


@cache
def announced_size(url: str) -> int:
    """Return the number of bytes that a host announces for a file, 0 if it announces none."""
    try:
        return int(within(2 * TIMEOUT, lambda: _head(url)) or 0)
    except (OSError, ValueError, HTTPException):
        return 0  # what is wrong with the file, its download says


def _head(url: str) -> str | None:
    request = urllib.request.Request(url, method="HEAD")
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
        length: str | None = response.headers["Content-Length"]
        return length


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
