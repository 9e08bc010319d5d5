"""The frame of every page: it needs no scripts, downloads nothing and is readable on a phone."""

import mistune

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
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
th { position: sticky; top: 0; background: #fff; }
"""
"""Style of a page of tables: long texts are broken, and a table that is still wider has a bar of its own."""


def page_of(title: str, body: str, style: str = "") -> str:
    """Return a page of HTML with a title, a body that is HTML already, and further rules of style."""
    return PAGE.format(title=title, style=STYLE + style, body=body)


def page_of_tables(title: str, text: str) -> str:
    """Return a page of HTML from text in Markdown whose tables may be wider than a line of text."""
    tables = str(mistune.create_markdown(escape=True, plugins=["table"])(text))
    body = tables.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    return page_of(title, body, WIDE)
