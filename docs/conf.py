"""The documentation as a site: ``uv run --group docs sphinx-build -W --keep-going docs results/docs``."""

import sys
from pathlib import Path

import relaxor

sys.path.insert(0, str(Path(__file__).parent))

project = "relaxor"
copyright = "the relaxor developers, GPL-3.0-or-later"
version = release = relaxor.__version__
language = "en"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "from_code",
]
exclude_patterns = ["_templates"]
templates_path = ["_templates"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4

# Nothing is fetched, so that only references to objects of relaxor itself can be checked, and no references to classes:
# those of signatures name helpers without an entry.
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!relaxor\b).*"), ("py:class", ".*")]
default_role = "py:obj"
autosummary_generate = True
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "undoc-members": True, "exclude-members": "model_config"}
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

html_theme = "pydata_sphinx_theme"
html_title = "relaxor"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["relaxor.css"]
html_show_sourcelink = False
html_sidebars = {page: [] for page in ("start", "gallery", "faq")}  # they have no pages below them
html_theme_options = {
    "header_links_before_dropdown": 9,
    "navbar_persistent": ["search-button"],
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "navigation_depth": 2,  # the sidebar of every page would list all modules
    "collapse_navigation": True,
}
