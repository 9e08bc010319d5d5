"""The explorer on this computer alone, with run times, and loaded again when the results change."""

import json
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from relaxor.core.errors import RelaxorError

HOST = "127.0.0.1"
BENCHMARKS = Path(".snakemake/benchmarks")
"""Folder of the run times that Snakemake measures: ``<rule>/<sample>/<technique>.tsv``."""
STATE, RELOADING = "/view.json", "/view.js"
CLOSED, OPEN = b"connect-src 'none'", b"connect-src 'self'"
"""What the page of the results may ask for, and what it may ask this server for."""


def server(folder: Path | str, port: int, benchmarks: Path | str = BENCHMARKS) -> ThreadingHTTPServer:
    """Return a server of an explorer, which only this computer reaches.

    Parameters
    ----------
    folder
        Folder of the explorer.
    port
        Port of the server; a free one if it is zero.
    benchmarks
        Folder of the run times.

    Raises
    ------
    RelaxorError
        If there is no explorer, or if another program uses the port.
    """
    if not (Path(folder) / "index.html").is_file():
        raise RelaxorError(f"{folder}: there is no explorer here; make it with 'snakemake --cores 2'")
    try:
        return ThreadingHTTPServer((HOST, port), partial(_Handler, benchmarks=Path(benchmarks), directory=str(folder)))
    except OSError as error:
        raise RelaxorError(f"port {port}: {error.strerror}; give another one with --port") from error


def runtimes(benchmarks: Path) -> dict[str, dict[str, float]]:
    """Return the seconds that each rule took, by ``sample/technique``; nothing of files that cannot be read."""
    found: dict[str, dict[str, float]] = {}
    for path in sorted(benchmarks.glob("*/*/*.tsv")):
        rule, sample = path.parts[-3:-1]
        with suppress(OSError, ValueError, KeyError, IndexError):  # a run may write it at this moment
            seconds = float(pd.read_csv(path, sep="\t")["s"].iloc[-1])
            found.setdefault(f"{sample}/{path.stem}", {})[rule] = round(seconds, 2)
    return found


class _Handler(SimpleHTTPRequestHandler):
    """Files of an explorer, the state of the results, and the script that asks for it."""

    def __init__(self, *arguments: Any, benchmarks: Path, **keywords: Any) -> None:
        self.benchmarks = benchmarks
        super().__init__(*arguments, **keywords)

    def do_GET(self) -> None:
        """Answer a request that was made to this computer by its own name."""
        if urlsplit(f"//{self.headers.get('Host', '')}").hostname not in (HOST, "localhost"):
            self.send_error(403)  # a page of the web that has its name lead here
            return
        path = urlsplit(self.path).path
        index = Path(self.directory, "index.html")
        if path == STATE:
            version = index.stat().st_mtime_ns if index.is_file() else 0  # written last, and missing during a run
            self._send(json.dumps({"version": str(version), "runtimes": runtimes(self.benchmarks)}), "application/json")
        elif path == RELOADING:
            self._send(Path(__file__).with_suffix(".js").read_bytes(), "text/javascript")
        elif path in ("/", "/index.html") and index.is_file():
            page = index.read_bytes().replace(CLOSED, OPEN)
            self._send(page.replace(b"</head>", b'<script src="view.js"></script>\n</head>'), "text/html")
        else:
            super().do_GET()

    def _send(self, content: str | bytes, kind: str) -> None:
        body = content.encode() if isinstance(content, str) else content
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self) -> None:
        """Let the browser ask again each time, because results change."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing about single requests."""
