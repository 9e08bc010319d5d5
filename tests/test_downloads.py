"""What a server that means no good makes of a download: one line, bounded size and time, and no file that stays."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from relaxor.core import remote
from relaxor.core.errors import ReadError, SheetError
from relaxor.inpainting.download import fetch_emnist
from relaxor.project import published

GIB = 1 << 30
LIMIT = 3 << 20


class Hostile(BaseHTTPRequestHandler):
    """Behave as the last part of the path says."""

    def do_HEAD(self) -> None:
        statuses = {"/busy.zip": 503, "/forbidden.zip": 401}
        self.answer(10 * GIB if "announced" in self.path else len(self.path), statuses.get(self.path, 200))

    def do_GET(self) -> None:
        with contextlib.suppress(OSError):
            getattr(self, self.path.rpartition("/")[2].partition(".")[0])()

    def answer(self, size: int | None, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if size is not None:
            self.send_header("Content-Length", str(size))
        self.end_headers()

    def send(self, content: bytes, pause: float = 0) -> None:
        for _ in range(10 * GIB // len(content)):
            if self.server.closing.wait(pause):
                return
            self.wfile.write(content)
            self.server.sent += len(content)

    def announced(self) -> None:
        self.answer(10 * GIB)
        self.send(bytes(1 << 16))

    def endless(self) -> None:
        self.answer(None)
        self.send(bytes(1 << 16))

    def short(self) -> None:
        self.answer(1000)
        self.wfile.write(b"0123456789")
        self.close_connection = True

    def circle(self) -> None:
        self.answer(0, 302, Location=self.path)

    def outward(self) -> None:
        self.answer(0, 302, Location="file:///etc/passwd")

    def stalled(self) -> None:
        self.answer(1000)
        self.server.closing.wait()

    def slow(self) -> None:
        self.answer(10 * GIB)
        self.send(b"0", 0.05)

    def slow_header(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        self.send(b"0", 0.05)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(remote, "MOST_BYTES", LIMIT)
    monkeypatch.setattr(remote, "PATIENCE", 3)
    monkeypatch.setattr(remote, "TIMEOUT", 1)
    with ThreadingHTTPServer(("127.0.0.1", 0), Hostile) as running:
        running.closing, running.sent = threading.Event(), 0
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.closing.set()
        running.shutdown()


def url(server: ThreadingHTTPServer, behaviour: str) -> str:
    return f"http://127.0.0.1:{server.server_port}/{behaviour}.zip"


def letters(address: str, folder: Path) -> str:
    with pytest.raises(ReadError) as refused:
        fetch_emnist(folder, address, "0" * 64)
    return str(refused.value)


def public_file(address: str, folder: Path) -> str:
    file = published.PublicFile.model_construct(name="a.txt", address=address, sha256="0" * 64)
    found, reason = published._found(file, [folder])
    assert found is None
    return reason


def raw_file(address: str, folder: Path) -> str:
    with pytest.raises(ReadError) as refused:
        remote.fetch(address, "", str(folder / "a.txt"))
    assert str(refused.value).startswith(f"{address}: cannot be fetched: ")
    return str(refused.value)


TOO_LARGE = f"more than {LIMIT} bytes"
BEHAVIOURS = {
    "announced": TOO_LARGE, "endless": TOO_LARGE, "short": "IncompleteRead", "circle": "redirects",
    "outward": "file:///etc/passwd", "stalled": "timed out", "slow": "not finished after 3 s",
    "slow_header": "not finished after 3 s",
}  # fmt: skip


@pytest.mark.parametrize(("behaviour", "told"), BEHAVIOURS.items())
@pytest.mark.parametrize("fetch", [letters, public_file, raw_file])
def test_a_hostile_server_costs_little_and_leaves_nothing(server, tmp_path, fetch, behaviour, told):
    reason = fetch(url(server, behaviour), tmp_path)
    assert told in reason and len(reason.splitlines()) == 1
    assert server.sent < 100 * LIMIT  # what waits in sockets counts as sent
    kept = {path.name: path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()}
    begun = kept.pop("download.partial", 0) if fetch is letters and told != TOO_LARGE else 0
    assert not kept and begun < 1000  # the next call continues


def test_a_raw_file_that_is_announced_too_large_is_not_fetched(server):
    with pytest.raises(SheetError, match=r"announced.zip: has 10240 MiB; files over 3 MiB are not fetched"):
        remote.version_of(url(server, "announced"))
    assert remote.version_of(url(server, "short")) == "10"


def test_what_a_host_says_of_a_file(server):
    with pytest.raises(SheetError, match=r"busy.zip: the host answers with status 503; try again later"):
        remote.version_of(url(server, "busy"))
    assert remote.version_of(url(server, "forbidden")) == ""
    assert remote.version_of(url(server, "a b µ%7B")) == str(len("/a%20b%20%C2%B5%7B.zip"))
