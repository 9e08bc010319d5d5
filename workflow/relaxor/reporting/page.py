"""The frame of every page: it needs no scripts, downloads nothing and is readable on a phone."""

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


def page_of(title: str, body: str, style: str = "") -> str:
    """Return a page of HTML with a title, a body that is HTML already, and further rules of style."""
    return PAGE.format(title=title, style=STYLE + style, body=body)
