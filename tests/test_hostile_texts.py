"""Texts of strangers are shown by the pages of a run, and never run; the explorer has tests of its own."""

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import yaml
from relaxor.core.errors import SheetError
from relaxor.project.figure_list import load_figures
from relaxor.reporting.notebooks import run_notebook
from relaxor.reporting.page import page_of_tables
from relaxor.reporting.tables import render

from tests.browser import CHROMIUM, Browser
from tests.project import SETTINGS, Project

HOSTILE = (
    "<img src=x onerror=hurt()><script>hurt()</script></script>[x](javascript:hurt())"
    '<a href="javascript:hurt()">y</a><svg onload=hurt()>{{ hurt() }} $\\input{/etc/passwd}$ \x1b[31m'
)
TOUCH_ALL = """[...document.querySelectorAll('a, button, summary, li, [role=button]')].forEach(each => {
    const link = each.getAttribute('href') ?? '#'
    if (link.startsWith('#') || link.startsWith('javascript')) each.click()
})"""


@pytest.fixture
def browser(tmp_path) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium here")
    with Browser(tmp_path / "profile") as opened:
        opened.call("Page.addScriptToEvaluateOnNewDocument", source="window.hurt = () => { window.harmed = true }")
        yield opened


def unharmed(browser: Browser, page: Path) -> str:
    """Open a page, click on everything several times, and return what it shows."""
    browser.open(page.as_uri(), until="document.readyState == 'complete'")
    for _ in range(4):
        browser.value(TOUCH_ALL)
        browser.value("new Promise(done => setTimeout(done, 200))")
        assert browser.value("window.harmed === undefined"), page
    return browser.text("body")


def test_the_browser_would_tell(browser, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(f"<body>{HOSTILE}</body>", encoding="utf-8")
    with pytest.raises(AssertionError):
        unharmed(browser, page)


def test_tables_show_texts_as_they_are(browser, tmp_path):
    page = tmp_path / "table.html"
    table = render(pd.DataFrame({HOSTILE: [HOSTILE]}), ".html", HOSTILE, "a", [HOSTILE])
    page.write_text(page_of_tables("title", table), encoding="utf-8")
    assert unharmed(browser, page).count("<script>hurt()</script>") == 4


def test_a_page_of_a_notebook_runs_nothing(browser, tmp_path):
    shown = f"from IPython.display import HTML, Markdown\ntext = {HOSTILE!r}\ndisplay(HTML(text), Markdown(text), text)"
    cells = [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": HOSTILE},
        {"cell_type": "code", "id": "b", "metadata": {}, "source": shown, "outputs": [], "execution_count": None},
    ]
    notebook = {
        "cells": cells,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "", "language": "python"}},
    }
    (tmp_path / "a.ipynb").write_text(json.dumps(notebook | {"nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")
    run_notebook(str(tmp_path / "a.ipynb"), str(tmp_path / "b.ipynb"), str(tmp_path / "b.html"), {})
    assert "hurt()" in unharmed(browser, tmp_path / "b.html")


@pytest.mark.parametrize("text", ["<script>x", "a</b>", "<img src=x>", "<svg/onload=x>", "a\n.. raw:: html", "<!--",
                                  "`x <JavaScript:hurt()>`_", r"`x <java\script:hurt()>`_",
                                  "- .. raw:: html", "|x| .. raw:: html"])  # fmt: skip
@pytest.mark.parametrize("key", ["title", "caption"])
def test_markup_in_the_list_of_figures_is_refused(tmp_path, text, key):
    figure = {"title": "A", "panels": {"a": {"draw": "raman.spectrum", "caption": "b"}}}
    (figure if key == "title" else figure["panels"]["a"])[key] = text
    (tmp_path / "figures.yaml").write_text(yaml.safe_dump({"f": figure}), encoding="utf-8")
    with pytest.raises(SheetError, match=rf"figures.yaml: f\..*{key}: .* is markup that the report would run"):
        load_figures(tmp_path / "figures.yaml")


def test_signs_and_links_are_no_markup(tmp_path):
    text = "p < 0.05, a<5, -> b, *c*, $x<y$, $\\alpha$, `paper <https://doi.org/10.1002/x>`_ ..."
    figure = {"title": text, "panels": {"a": {"draw": "raman.spectrum", "caption": text}}}
    (tmp_path / "figures.yaml").write_text(yaml.safe_dump({"f": figure}), encoding="utf-8")
    assert load_figures(tmp_path / "figures.yaml")["f"].title == text


@pytest.mark.slow
def test_a_run_with_hostile_texts_makes_harmless_pages(browser, tmp_path):
    """Note, name and header of a raw file, the names of its columns, and a claim; in all pages and in the report."""
    project = Project.of_this(tmp_path / "project", "raman")
    header, row = project.read_sheet()
    cells = {name: header.index(name) for name in header}
    raw = project.folder / row[cells["file"]]
    text = raw.read_text(encoding="utf-8").replace("Comment = SIMULATED", f"Comment = {HOSTILE}")
    named = raw.with_name("a\" onmouseover=\"hurt()' onclick='hurt().txt")
    named.write_text(text.replace("CBPS_flake_532nm(", f"{HOSTILE.replace(',', '')}("), encoding="utf-8")
    row[cells["file"]], row[cells["note"]] = str(named.relative_to(project.folder)), HOSTILE
    project.write_sheet([header, row])
    claim = {"id": HOSTILE, "panel": "1c", "quantity": HOSTILE, "reported": "1", "unit": "1", "not_testable": HOSTILE}
    (project.folder / SETTINGS.claims).write_text(yaml.safe_dump([claim]), encoding="utf-8")
    printed = project.run("--config", "formats=['png']") + project.run(
        "--config", "formats=['png']", "--report", "r.html"
    )
    assert "\x1b[31m" not in printed
    pages = [project.folder / "r.html", *(project.folder / "results").rglob("*.html")]
    assert len(pages) >= 5
    for page in pages:
        assert unharmed(browser, page)
    assert r"\input" not in (project.folder / "results/tables/raman.tex").read_text(encoding="utf-8")
