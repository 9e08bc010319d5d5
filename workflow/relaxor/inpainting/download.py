"""The letters of EMNIST, downloaded once from the official archive.

An interrupted download is continued by the next call, and the archive is unpacked only if its checksum is right.
"""

import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import pooch

from relaxor.core.errors import ReadError
from relaxor.core.remote import BoundedFile, TooLargeError, download
from relaxor.inpainting.idx import NAMES

CHUNK = 1 << 16
"""Number of bytes that are written at once; at most so many are lost where a connection breaks."""


def fetch_emnist(folder: str | Path, url: str, sha256: str) -> dict[tuple[str, str], Path]:
    """Download the official archive and unpack the four files of letters.

    An interrupted download stays as ``download.partial`` in the folder, and the next call continues it. The archive is
    deleted once its letters are unpacked. Nothing is downloaded if the folder already holds all four files.

    Parameters
    ----------
    folder
        Folder of the files; made if it does not exist.
    url
        Address of the archive, a zip.
    sha256
        SHA-256 of the archive, hexadecimal.

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
    files = {key: folder / name for key, name in NAMES.items()}
    if all(path.exists() for path in files.values()):
        return files
    folder.mkdir(parents=True, exist_ok=True)
    name = PurePosixPath(urlsplit(url).path).name
    try:
        archive = Path(pooch.retrieve(url, f"sha256:{sha256}", name, folder, downloader=_download_rest))
        _unpack(archive, folder)
    except (OSError, ValueError, RuntimeError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise ReadError(
            url,
            f"cannot be fetched: {' '.join(str(error).split())}; repeat the command to continue, or download it by "
            f"other means and put its files {', '.join(NAMES.values())} into {folder}",
        ) from error
    archive.unlink()
    return files


def _download_rest(url: str, target: str, _: object) -> None:
    """Download what is missing of a file, as a downloader of pooch; what an interruption leaves is kept beside it."""
    partial = Path(target).with_name("download.partial")
    try:
        with BoundedFile(partial, "a") as out:
            # The last byte is fetched anew, because a server refuses to send the rest of a file that is whole.
            start = max(out.tell() - 1, 0)
            out.truncate(start)
            headers = {"Range": f"bytes={start}-"} if start else {}
            download(url, out, chunk_size=CHUNK, headers=headers)
    except TooLargeError:
        partial.unlink()
        raise
    partial.replace(target)


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack the letters beside their place and move all of them at the end."""
    with zipfile.ZipFile(archive) as container, tempfile.TemporaryDirectory(dir=folder) as beside:
        members = {PurePosixPath(name).name: name for name in container.namelist()}
        if missing := [name for name in NAMES.values() if name not in members]:
            raise ValueError(f"the archive holds no {', '.join(missing)}")
        for name in NAMES.values():
            with container.open(members[name]) as packed, (Path(beside) / name).open("wb") as out:
                shutil.copyfileobj(packed, out)
        for name in NAMES.values():
            (Path(beside) / name).replace(folder / name)
