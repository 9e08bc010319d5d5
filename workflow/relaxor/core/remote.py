"""Raw files on other hosts: the sheet gives a URL, and the storage plugins of Snakemake fetch it."""

import urllib.error
import urllib.request
from functools import cache
from importlib.util import find_spec
from urllib.parse import urlsplit

from relaxor.core.errors import SheetError

STORAGES = {"http": "http", "https": "http", "s3": "s3"}
"""The storage plugin of Snakemake for each scheme of a URL."""
TIMEOUT = 30
"""Seconds in which a host must answer."""


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
    return name


@cache
def silence(host: str) -> str:
    """Return why a host does not answer, or an empty string if it does."""
    request = urllib.request.Request(host, method="HEAD")
    try:
        urllib.request.urlopen(request, timeout=TIMEOUT).close()
    except urllib.error.HTTPError:
        return ""  # any status shows that the host answers
    except OSError as error:
        return str(getattr(error, "reason", error))
    return ""
