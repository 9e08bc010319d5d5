"""The report of a run, opened in a browser that has no network."""

import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from tests.project import ROOT, SETTINGS, Project, sheet_rows

pytestmark = pytest.mark.costly

CHROMIUM = shutil.which("chromium")
WAIT_MS = 15_000
OFFLINE = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND",
    "--enable-logging=stderr", f"--virtual-time-budget={WAIT_MS}", "--dump-dom",
)  # fmt: skip


MADE = os.environ.get("RELAXOR_REPORT", "")
"""A report that was made already, beside its results, as `.ci/run` does; otherwise one is made here, by a run."""


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    """The report after a run."""
    if MADE:
        return ROOT / MADE
    project = Project.of_this(tmp_path_factory.mktemp("reported") / "project")
    project.run("--config", "formats=['png']")
    project.run("--config", "formats=['png']", "--report", "report.html")
    return project.folder / "report.html"


@pytest.fixture(scope="module")
def opened(report, tmp_path_factory) -> tuple[str, str]:
    """What the browser shows and what its console says."""
    if CHROMIUM is None:
        pytest.skip("no chromium here")
    profile = tmp_path_factory.mktemp("profile")
    command = [CHROMIUM, *OFFLINE, f"--user-data-dir={profile}", report.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    return done.stdout, done.stderr


class Loaded(HTMLParser):
    """Addresses that a page loads by itself."""

    def __init__(self, text: str):
        super().__init__()
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        for key in ("src", "srcset", "poster", "data") if tag != "link" else ("href",):
            if given.get(key):
                self.addresses.append(given[key])


def figures() -> dict:
    return yaml.safe_load((Path(__file__).parents[1] / SETTINGS.figures).read_text(encoding="utf-8"))


def held(report: Path) -> dict:
    """The results that the report holds, by their path below the folder of results."""
    text = report.read_text(encoding="utf-8")
    results = json.loads(re.search(r"var results = (\{.*?\});?\s*</script>", text, re.S)[1])
    folder = f"{Path(MADE).parent}/" if MADE else "results/"
    return {path.removeprefix(folder): result for path, result in results.items()}


def test_nothing_is_loaded_from_elsewhere(report):
    addresses = Loaded(report.read_text(encoding="utf-8")).addresses
    assert not [address for address in addresses if not address.startswith(("data:", "#"))]


def shown_in_place(result: dict) -> bool:
    """Whether the report shows a result itself; it only offers a CSV for download."""
    return result["mime_type"] == "text/html"


def test_every_figure_and_table_is_in_it(report):
    results = held(report)
    for name, figure in figures().items():
        panels = [f"panels/{panel['id']}" for panel in figure["panels"].values()]
        for stem in (name, *panels):
            result = results[f"figures/{stem}.png"]
            assert result["data_uri"].startswith("data:image/png;")
            assert figure["title"] in json.dumps(result, ensure_ascii=False)
    for technique in {row["technique"] for row in sheet_rows()}:
        assert shown_in_place(results[f"tables/{technique}.html"])
    for path in ("claims.html", "tables/devices.html", "tables/inpainting.html", "tables/crossbar.html"):
        assert shown_in_place(results[path]), path
    for notebook in Path(__file__).parents[1].glob("notebooks/*.ipynb"):
        assert notebook.stem == "figure" or f"notebooks/{notebook.stem}.html" in results


def test_every_caption_says_that_the_data_are_simulated(report):
    for path, result in held(report).items():
        assert "simulated" in result["caption"].lower(), path


def test_a_browser_shows_it(opened):
    shown, console = opened
    assert "Simulated data" in shown
    for category in {figure["category"] for figure in figures().values()} | {"Tables", "Claims", "Notebooks"}:
        assert category in shown
    said = [line for line in console.splitlines() if "CONSOLE" in line]
    errors = [line for line in said if re.search("error|refused|failed", line, re.IGNORECASE)]
    assert not errors
    assert not [address for address in Loaded(shown).addresses if address.startswith(("http:", "https:", "//"))]
