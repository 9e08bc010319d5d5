"""What a reader sees of the tables of a page."""

from pathlib import Path

from bs4 import BeautifulSoup


def tables_of(path: Path) -> list[list[dict[str, str]]]:
    """Return the lines of each table, each as heading → cell."""
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    rows = [[[cell.text for cell in row(["th", "td"])] for row in table("tr")] for table in page("table")]
    return [[dict(zip(headings, line, strict=True)) for line in lines] for headings, *lines in rows]
