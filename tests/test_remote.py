"""Raw files on a web server: fetched once, recognised, with URL and checksum in the results."""

import hashlib
import socket
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from relaxor.cli.main import app
from relaxor.core.errors import SheetError
from relaxor.core.remote import require_s3, version_of
from relaxor.core.storage import load
from typer.testing import CliRunner

from tests.project import Project

NAME = "CBPS_flake_532nm.txt"
DATA = "results/data/cbps/raman.nc"


class Requests(SimpleHTTPRequestHandler):
    """Serve a folder, and note what is asked of it."""

    def log_request(self, code="-", size="-"):
        self.server.seen.append(self.command)


@pytest.fixture
def served(tmp_path):
    """A project whose one raw file lies on a server, and that server."""
    project = Project.of_this(tmp_path / "project", "raman")
    (project.folder / "raw_data").rename(tmp_path / "web")
    folder = tmp_path / "web/cbps/raman"
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Requests, directory=str(folder))) as server:
        server.seen = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        header, row = project.read_sheet()
        row[header.index("file")] = f"http://127.0.0.1:{server.server_port}/{NAME}"
        project.write_sheet([header, row])
        yield project, server
        server.shutdown()


@pytest.mark.slow
def test_a_url_is_fetched_once_and_recorded(served):
    project, server = served
    project.run(DATA)
    (measurement,) = load(project.folder / DATA)
    raw = (project.folder.parent / "web/cbps/raman" / NAME).read_bytes()
    assert measurement.attrs["raw_file"] == f"http://127.0.0.1:{server.server_port}/{NAME}"
    assert measurement.attrs["raw_sha256"] == hashlib.sha256(raw).hexdigest()
    assert measurement.attrs["format"] == "witec_ascii"
    assert "Nothing to be done" in project.run(DATA)
    project.run(DATA, "--forcerun", "ingest_files")
    assert server.seen.count("GET") == 1

    file = project.folder.parent / "web/cbps/raman" / NAME
    file.write_bytes(raw + b"\n")
    project.run(DATA)
    assert server.seen.count("GET") == 2
    (measurement,) = load(project.folder / DATA)
    assert measurement.attrs["raw_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()

    file.rename(file.with_suffix(".gone"))
    output = project.run(DATA, code=1)
    assert f"/{NAME}: cannot be fetched: 404" in output and "write its path into the sheet" in output

    server.shutdown()
    server.server_close()
    output = project.run(DATA, code=1)
    assert f"/{NAME}: the host does not answer (" in output and "write its path into the sheet" in output
    assert "urlopen" not in output and "requests" not in output  # of a traceback


def test_check_says_what_it_could_not_look_at(served, monkeypatch):
    project, _ = served
    monkeypatch.chdir(project.folder)
    result = CliRunner().invoke(app, ["check"])
    assert result.exit_code == 0, result.output
    assert "0, 1 not fetched" in result.output


def test_a_lacking_plugin_is_named():
    with pytest.raises(SheetError, match="uv run --with snakemake-storage-plugin-s3 snakemake"):
        require_s3("s3://bucket/scan.raw")


def test_a_silent_host_is_named():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/scan.raw"
        with pytest.raises(SheetError, match=rf"{url}: the host does not answer \(.*refused"):
            version_of(url)
