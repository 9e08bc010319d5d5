"""The official EMNIST archive, downloaded once.

An interrupted download continues where it stopped, and the archive is unpacked only if its checksum is right.
"""

import http.client
import re
import shutil
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from http import HTTPStatus
from pathlib import Path, PurePosixPath

from relaxor.core.checksums import sha256 as sha256_of
from relaxor.core.errors import ReadError
from relaxor.inpainting.idx import CHUNK, NAMES

TIMEOUT = 60.0
"""Longest time without a byte, in seconds."""
ATTEMPTS = 5
"""Number of attempts to reach the end; each continues where the one before it stopped."""


def fetch_emnist(folder: str | Path, url: str, sha256: str) -> dict[tuple[str, str], Path]:
    """Download the official archive and unpack the four files of letters.

    An interrupted download stays as ``<archive>.partial`` in the folder, and the next call continues it. The archive is
    deleted once its letters are unpacked. Nothing is downloaded if the folder already holds all four files.

    Parameters
    ----------
    folder
        To put the files in; made if it is not there.
    url
        Of the archive, a zip.
    sha256
        Of the archive, hexadecimal.

    Returns
    -------
    dict
        (``train`` or ``test``, ``images`` or ``labels``) → file.

    Raises
    ------
    ReadError
        If the archive cannot be fetched, is not the one of the checksum, or holds no letters.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files = {key: folder / name for key, name in NAMES.items()}
    if all(path.exists() for path in files.values()):
        return files
    partial = folder / f"{PurePosixPath(urllib.parse.urlsplit(url).path).name}.partial"
    _download(url, partial)
    found = sha256_of(partial)
    if found != sha256.lower():
        # Going on from wrong bytes would never end well.
        partial.unlink()
        raise ReadError(url, f"SHA-256 is {found}, expected {sha256}; the download was deleted, try again")
    _unpack(partial, folder, url)
    partial.unlink()
    return files


def _download(url: str, partial: Path) -> None:
    """Fetch what is missing of a file, again while connections break."""
    for _ in range(ATTEMPTS):
        have = partial.stat().st_size if partial.exists() else 0
        try:
            request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
            with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
                if _append(response, partial, have):
                    return
        except urllib.error.HTTPError as error:
            with error:
                if have and error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                    return  # nothing is missing; the checksum will tell
                raise ReadError(url, f"cannot be fetched: the server answers {error.code} {error.reason}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ReadError(url, f"cannot be fetched: {getattr(error, 'reason', error)}") from error
    kept = partial.stat().st_size
    raise ReadError(url, f"the connection broke off {ATTEMPTS} times; {kept} bytes are kept, call again to go on")


def _append(response: http.client.HTTPResponse, partial: Path, have: int) -> bool:
    """Write an answer behind what there is, and return whether it was whole."""
    answered = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    resumed = response.status == HTTPStatus.PARTIAL_CONTENT and answered and int(answered[1]) == have
    announced = response.headers.get("Content-Length")
    got = 0
    # A server without ranges sends all of it again.
    with partial.open("ab" if resumed else "wb") as out:
        while chunk := _next(response):
            out.write(chunk)
            got += len(chunk)
    return announced is None or got == int(announced)


def _next(response: http.client.HTTPResponse) -> bytes:
    """Return the next bytes, none where the connection breaks."""
    try:
        return response.read(CHUNK)
    except (OSError, http.client.HTTPException):
        return b""


def _unpack(archive: Path, folder: Path, url: str) -> None:
    """Unpack the letters beside their place and move all of them at the end."""
    try:
        with zipfile.ZipFile(archive) as container, tempfile.TemporaryDirectory(dir=folder) as beside:
            members = {PurePosixPath(name).name: name for name in container.namelist()}
            if missing := [name for name in NAMES.values() if name not in members]:
                raise ReadError(url, f"the archive holds no {', '.join(missing)}")
            for name in NAMES.values():
                with container.open(members[name]) as packed, (Path(beside) / name).open("wb") as out:
                    shutil.copyfileobj(packed, out, CHUNK)
            for name in NAMES.values():
                (Path(beside) / name).replace(folder / name)
    except zipfile.BadZipFile as error:
        raise ReadError(url, f"is no sound zip archive: {error}") from error
