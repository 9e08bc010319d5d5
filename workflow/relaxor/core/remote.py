"""Raw files that lie elsewhere: the sheet gives a URL, and Snakemake's storage plugins fetch it."""

import urllib.error
import urllib.request
from functools import cache
from importlib.util import find_spec
from urllib.parse import urlsplit

from relaxor.core.errors import SheetError

STORAGES = {"http": "http", "https": "http", "s3": "s3"}
"""Scheme of a URL → Snakemake's storage plugin that fetches it."""
TIMEOUT = 30
"""Seconds in which a host must answer."""


def storage_of(file: str) -> str | None:
    """Name the storage plugin that fetches a file of the sheet; none where the file lies in the project."""
    scheme, separator, _ = file.partition("://")
    return STORAGES.get(scheme) if separator else None


def require_storage(url: str) -> str:
    """Name the storage plugin of a URL, once the plugin is there and its host answers.

    Raises
    ------
    SheetError
        One line that says what to do.
    """
    name = STORAGES[urlsplit(url).scheme]
    if find_spec(f"snakemake_storage_plugin_{name}") is None:
        package = f"snakemake-storage-plugin-{name}"
        raise SheetError(f"{url}: to fetch it, Snakemake needs {package}: uv run --with {package} snakemake …")
    if name == "http" and (problem := _silence("{0.scheme}://{0.netloc}/".format(urlsplit(url)))):
        raise SheetError(
            f"{url}: the host does not answer ({problem}); connect to it, or download the file and write its path into "
            "the sheet"
        )
    return name


@cache
def _silence(host: str) -> str:
    """Say why a host does not answer; nothing if it does."""
    request = urllib.request.Request(host, method="HEAD")
    try:
        urllib.request.urlopen(request, timeout=TIMEOUT).close()
    except urllib.error.HTTPError:
        return ""  # whatever it says, it answers
    except OSError as error:
        return str(getattr(error, "reason", error))
    return ""
