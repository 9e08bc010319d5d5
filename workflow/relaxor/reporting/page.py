"""The frame of every page: it runs no scripts, downloads nothing and is readable on a phone."""

import html
from collections.abc import Sequence

import pandas as pd

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
{body}
</body>
</html>
"""
STYLE = """
body { max-width: 60rem; margin: 1rem auto; padding: 0 1rem; font: 1rem/1.5 sans-serif; color: #111; }
img { max-width: 100%; height: auto; }
pre { overflow-x: auto; padding: 0.4rem; background: #f6f6f6; font-size: 0.85rem; }
.jp-OutputArea, .output { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.8rem; }
th, td { padding: 0.15rem 0.5rem; border-bottom: 1px solid #ddd; text-align: left; white-space: nowrap; }
.anchor-link { display: none; }
"""
WIDE = """
body { max-width: none; }
.wide { overflow-x: auto; }
td { white-space: normal; overflow-wrap: break-word; max-width: 24rem; vertical-align: top; }
th { position: sticky; top: 0; background: #fff; white-space: normal; vertical-align: bottom; }
"""
"""Style of a page of tables: long texts are broken, and a table that is still wider has a bar of its own."""


def page_of(title: str, body: str, style: str = "") -> str:
    """Return a page of HTML with a title, a body that is HTML already, and further rules of style."""
    return PAGE.format(title=title, style=STYLE + style, body=body)


def table_of(caption: str, table: pd.DataFrame, notes: Sequence[str] = ()) -> str:
    """Return a table of texts with its caption and its numbered notes as HTML, in which every text is only a text."""
    lines = table.to_html(index=False, border=0, escape=True)
    items = "".join(f"<li>{html.escape(note)}</li>" for note in notes)
    return f"<p>{html.escape(caption)}</p>\n{scrolled(lines)}\n" + (f"<ol>{items}</ol>\n" if items else "")


def scrolled(body: str) -> str:
    """Give each table of a body a bar of its own, if it is wider than the page."""
    return body.replace("<table", '<div class="wide"><table').replace("</table>", "</table></div>")


def page_of_tables(title: str, body: str) -> str:
    """Return a page of HTML whose tables may be wider than a line of text."""
    return page_of(title, body, WIDE)
