"""The documentation: its site is built without a warning, and what pages quote is what the code says."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import relaxor
import yaml
from relaxor.inpainting.topics import topics
from relaxor.project.figure_list import load_figures
from relaxor.project.settings import validate_settings
from relaxor.reporting.panels import panel_of
from relaxor.techniques.registry import techniques

from tests.project import ROOT

DOCS = ROOT / "docs"
TRACKED = subprocess.run(
    ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
).stdout.split()


def blocks(page: Path, language: str) -> list[str]:
    """The blocks of code of a language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)


def messages(module: Path) -> Iterator[str]:
    """Every text of a module, with … for what is filled in."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_the_code_has_every_message_of_the_questions():
    said = "\n".join(text for module in (ROOT / "workflow/relaxor").rglob("*.py") for text in messages(module))
    quoted = re.findall(r"^### `(.*)`$", (DOCS / "faq.md").read_text(encoding="utf-8"), re.M)
    assert len(quoted) > 20
    assert not [message for message in quoted if message not in said]


@pytest.mark.parametrize("name", topics())
def test_every_technique_has_a_page_that_says_what_it_cannot_do(name):
    if name in techniques():
        page = (DOCS / f"techniques/{name}.md").read_text(encoding="utf-8")
        told = re.findall(r"^## (.*)$", page, re.M)
        assert told == ["Physics", "What is assumed", "Where the errors come from", "When not to use it"]
        assert f"<!-- relaxor: tables {name} -->" in page
        assert f"({name}.md)" in (DOCS / "techniques/index.md").read_text(encoding="utf-8")


def test_a_page_cites_only_sources_that_the_code_cites():
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "workflow/relaxor").rglob("*.py"))
    for page in (DOCS / "techniques").glob("*.md"):
        cited = re.findall(r"\[(10\.[^\]]+)\]\(https://doi", page.read_text(encoding="utf-8"))
        assert not [doi for doi in cited if doi not in code], page


def test_the_settings_of_examples_are_valid():
    for page in ("settings", "tables"):
        (example,) = blocks(DOCS / f"how/{page}.md", "yaml")
        validate_settings(yaml.safe_load(example))


def test_the_figure_of_the_example_can_be_drawn(tmp_path):
    (example,) = blocks(DOCS / "how/figure.md", "yaml")
    (tmp_path / "figures.yaml").write_text(example, encoding="utf-8")
    for figure in load_figures(tmp_path / "figures.yaml").values():
        assert all(panel_of(panel) for panel in figure.panels.values())


@pytest.mark.parametrize("name", TRACKED)
def test_a_link_leads_to_a_file(name):
    page = ROOT / name
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    links = [link for link in re.findall(r"\]\(([^)\s#]+)[^)]*\)", text) if "://" not in link]
    assert not [link for link in links if not (page.parent / link).exists()]


def test_the_citation_has_the_version_and_the_changelog_a_section_for_it():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == relaxor.__version__
    heading = f"## [{citation['version']}] - {citation['date-released']}"
    assert heading in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_site_is_built_without_network_and_without_a_warning(tmp_path):
    """Warnings are errors: of links, of references between docstrings, of pages that are in no list."""
    command = ["uv", "run", "--group", "docs", "sphinx-build", "-W", "--keep-going", "-q", "docs", tmp_path]
    offline = ["env", "UV_OFFLINE=1", "http_proxy=http://127.0.0.1:9", "https_proxy=http://127.0.0.1:9"]
    done = subprocess.run([*offline, *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    pages = ["index", "start", "faq", "gallery", *(f"techniques/{name}" for name in techniques())]
    pages += ["reference/generated/relaxor.stats.fit", "reference/generated/relaxor.techniques.raman.analysis"]
    for page in pages:
        assert (tmp_path / f"{page}.html").stat().st_size > 5_000
    raman = (tmp_path / "techniques/raman.html").read_text(encoding="utf-8")
    assert "<math" in raman and "calibration_line" in raman and "area_limit" in raman
    assert "https://cdn" not in raman
