"""The registry of public files, and how they are fetched: from a server of this machine, not from the network."""

import hashlib
import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from tests import public_files
from tests.public_files import PublicFile, PublicPath, missing, present, registry

NAME, CONTENT = "rawfiles/xrd/a scan+1.raw", b"RAW1.01\0 not a real scan"
WHOLE_SUITE = 2000
ADDRESS = re.compile(r"https://raw\.githubusercontent\.com/[^/]+/[^/]+/[0-9a-f]{40}/\S+")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path):
    """A server with one file, and an empty folder for what is fetched from it."""
    served, folder = tmp_path / "served", tmp_path / "cache"
    served.mkdir()
    (served / Path(NAME).name).write_bytes(CONTENT)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=served)) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}", folder
        running.shutdown()


@pytest.fixture
def one_file(server, monkeypatch):
    """A registry of that file alone; the SHA-256 can be changed."""
    address, folder = server

    def register(sha256: str = hashlib.sha256(CONTENT).hexdigest()) -> Path:
        entry = PublicFile(NAME, "raw", sha256, "24", "CC0", f"{address}/{quote(Path(NAME).name)}", "")
        monkeypatch.setattr(public_files, "registry", lambda: {NAME: entry})
        monkeypatch.setattr(public_files, "public_folder", lambda: folder)
        return folder

    return register


def test_every_row_has_a_sum_a_public_address_and_a_licence():
    entries = registry()
    assert len(entries) == 229
    for name, entry in entries.items():
        assert name.startswith(("rawfiles/", "reference/")) and ".." not in name
        assert re.fullmatch("[0-9a-f]{64}", entry.sha256) and int(entry.bytes) > 0 and entry.licence
        assert ADDRESS.fullmatch(entry.address) and quote(unquote(entry.address), safe=":/") == entry.address


def test_a_file_is_fetched_once_and_only_if_that_was_asked_for(one_file, server):
    folder = one_file()
    assert "run 'pytest --fetch', or save http://127.0.0.1" in missing(NAME, folder, False)
    assert missing(NAME, folder, True) == ""
    assert (folder / NAME).read_bytes() == CONTENT
    assert missing.__wrapped__(NAME, folder, False) == ""
    (folder.parent / "served" / Path(NAME).name).unlink()
    assert missing.__wrapped__(NAME, folder, True) == ""


def test_a_file_with_another_sum_is_not_kept(one_file):
    folder = one_file(sha256="0" * 64)
    assert "cannot be fetched" in missing(NAME, folder, True)
    assert not (folder / NAME).exists()


def test_a_file_that_was_changed_fails_the_test(one_file):
    folder = one_file(sha256="0" * 64)
    (folder / NAME).parent.mkdir(parents=True)
    (folder / NAME).write_bytes(CONTENT)
    with pytest.raises(pytest.fail.Exception, match="its SHA-256 is another one"):
        missing(NAME, folder, False)


def test_naming_a_file_skips_the_test_or_gives_the_file(one_file, monkeypatch):
    folder = one_file()
    rawfiles = PublicPath(folder, "rawfiles")
    for take in (
        lambda: rawfiles / "xrd/a scan+1.raw",
        lambda: rawfiles / "xrd" / "a scan+1.raw",
        lambda: list((rawfiles / "xrd").glob("*.raw")),
        lambda: list(rawfiles.rglob("*")),
        lambda: present(rawfiles / "xrd", {"a scan+1.raw": 1}),
    ):
        with pytest.raises(pytest.skip.Exception, match="pytest --fetch"):
            take()
    with pytest.raises(pytest.skip.Exception, match=r"lies in \.\./shared only"):
        rawfiles / "nist"
    monkeypatch.setattr(PublicPath, "fetch", True)
    assert (rawfiles / "xrd/a scan+1.raw").read_bytes() == CONTENT
    assert [path.name for path in (rawfiles / "xrd").iterdir()] == ["a scan+1.raw"]
    assert present(rawfiles / "xrd", {"a scan+1.raw": 1}) == [(folder / NAME, 1)]


def test_a_server_that_does_not_answer_is_named(one_file, monkeypatch):
    folder = one_file()
    entry = public_files.registry()[NAME]
    gone = PublicFile(**{**vars(entry), "address": "http://127.0.0.1:9/a.raw"})
    monkeypatch.setattr(public_files, "registry", lambda: {NAME: gone})
    assert "http://127.0.0.1:9/a.raw cannot be fetched" in missing(NAME, folder, True)


def test_few_tests_need_files_that_a_plain_clone_lacks(request):
    """Less than a tenth of all fast tests; a part of the suite may have another share."""
    items = request.session.items
    if len(items) < WHOLE_SUITE:
        return
    lacking = [item.nodeid for item in items if {"rawfiles", "reference", "emnist"} & set(item.fixturenames)]
    assert len(lacking) < 0.1 * len(items), f"{len(lacking)} of {len(items)} tests: {lacking}"


def test_files_that_are_missing_beside_others_are_told(one_file, monkeypatch):
    """A test that goes through many files says how many it could not examine."""
    folder = one_file()
    path = folder / NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    known = {"a scan+1.raw": 1, "not fetched.raw": 2}
    registered = public_files.registry() | {
        "rawfiles/xrd/not fetched.raw": PublicFile("rawfiles/xrd/not fetched.raw", "raw", "0" * 64, "24", "CC0", "", "")
    }
    monkeypatch.setattr(public_files, "registry", lambda: registered)
    with pytest.warns(UserWarning, match="1 of 2 files are not examined: .*not fetched.raw"):
        assert present(PublicPath(folder, "rawfiles/xrd"), known) == [(path, 1)]
