"""What pages take from the code when the site is built, so that they cannot differ from it.

A line ``<!-- relaxor: NAME ARGUMENTS -->`` of a page is replaced by the Markdown that a function of `PARTS` returns.
Pages stay readable where nothing replaces these lines, as in the browser of a repository.
"""

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import yaml
from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from relaxor.inpainting.topics import topics
from relaxor.project.figure_list import FigureSpec, PanelSpec, load_figures
from relaxor.project.settings import load_settings
from relaxor.reporting.panels import panel_of, topic_of
from relaxor.reporting.reference import numbers_of, settings_of
from relaxor.techniques.registry import Technique, techniques
from sphinx.application import Sphinx
from sphinx.ext.napoleon import NumpyDocstring
from sphinx.util import logging

ROOT = Path(__file__).parents[1]
PLACE = re.compile(r"^<!-- relaxor: (\w+) ?(.*?) -->$", re.MULTILINE)
BAR = re.compile(r"(``.*?``)|\|")
EDGE = re.compile(r"^\s*(id\d+) --> (id\d+)$", re.MULTILINE)


def tables(app: Sphinx, name: str) -> str:
    """Return conditions, numbers and settings of a technique, or the numbers of another topic."""
    lines = ["## Numbers that it gives", "", *numbers_of(topics()[name])]
    if technique := techniques().get(name):
        lines = [*conditions_of(technique), *lines, "", "## Settings", "", *settings_of(technique)]
    return "\n".join(lines)


def conditions_of(technique: Technique) -> Iterator[str]:
    """Yield the table of the conditions that the sheet may state of a file."""
    if not technique.conditions.known:
        return
    yield from ("## Conditions in the sheet", "", "| condition | usual unit | |", "| --- | --- | --- |")
    required, alternative = technique.conditions.required, technique.conditions.alternative
    for name, unit in technique.conditions.known.items():
        needed = "needed, unless the file states it" if name in required else "optional"
        if name in alternative:
            needed = "with the other conditions of this kind, enough instead of those that are needed"
        yield f"| `{name}` | {unit or 'any'} | {needed} |"
    yield ""


def gallery(app: Sphinx, arguments: str) -> str:
    """Return every composed figure of the last run, with its entry, the code of its panels and their settings."""
    results, settings = ROOT / app.config.relaxor_results, load_settings(ROOT / "config/config.yaml")
    sources = yaml.safe_load((ROOT / settings.figures).read_text(encoding="utf-8"))
    sample = settings.sample or settings.load_sheet(ROOT)[0]["sample"]
    stated = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    parts: list[str] = []
    for name, figure in load_figures(ROOT / settings.figures).items():
        picture = results / f"figures/{name}.png"
        parts += [f"## {figure.title}", ""]
        if picture.exists():
            parts += [f"![{figure.title}]({Path('..') / picture.relative_to(ROOT)})", ""]
        else:
            parts += [f"*Not drawn yet: `uv run snakemake --cores 2 results/figures/{name}.png` makes it.*", ""]
        used = {topic: stated["samples"][sample].get(topic, stated.get(topic, {})) for topic in topics_of(figure)}
        parts += [
            *captions(figure),
            "",
            *folded("Entry of <code>config/figures.yaml</code>", dumped({name: sources[name]}), "yaml"),
        ]
        parts += [*folded("Settings that differ from the defaults", dumped(used), "yaml"), *codes(figure)]
    return "\n".join(parts)


def topics_of(figure: FigureSpec) -> list[str]:
    """Return the topics that a figure shows, each once."""
    return list(dict.fromkeys(topic_of(panel) for panel in figure.panels.values() if topic_of(panel)))


def captions(figure: FigureSpec) -> list[str]:
    """Return the caption of each panel, behind its letter."""
    return [f"**{letter}** {panel.caption}" for letter, panel in figure.panels.items()]


def codes(figure: FigureSpec) -> Iterator[str]:
    """Yield the source of the drawing function of each panel, each once."""
    for draw, panel in {panel.draw: panel for panel in figure.panels.values()}.items():
        yield from folded(f"Code of <code>{draw}</code>", source_of(panel), "python")


def source_of(panel: PanelSpec) -> str:
    """Return the source of the function that draws a panel."""
    draw = panel_of(panel).draw
    return inspect.getsource(getattr(import_module(draw.__module__), draw.__qualname__))


def folded(title: str, text: str, language: str) -> list[str]:
    """Return a block of code that opens at a click."""
    return [f"<details><summary>{title}</summary>", "", f"```{language}", text.rstrip(), "```", "", "</details>", ""]


def dumped(content: object) -> str:
    """Return content as YAML."""
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)


PARTS = {"tables": tables, "gallery": gallery}


def as_table(diagram: re.Match[str]) -> str:
    """Return a Mermaid diagram, which needs a script to be drawn, as a table of what feeds what."""
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", diagram[0]))
    fed: dict[str, list[str]] = {}
    for start, end in EDGE.findall(diagram[0]):
        fed.setdefault(names[start], []).append(f"`{names[end]}`")
    return "\n".join(
        ["| rule | gives its results to |", "| --- | --- |"] + [f"| `{a}` | {', '.join(b)} |" for a, b in fed.items()]
    )


def fill(app: Sphinx, page: str, source: list[str]) -> None:
    """Replace the lines of a page that take something from the code."""
    if PLACE.search(source[0]):
        app.env.note_reread()  # the code and the results may have changed where the page has not
    text = PLACE.sub(lambda place: PARTS[place[1]](app, place[2]), source[0])
    source[0] = re.sub(r"^```mermaid\n.*?^```$", as_table, text, flags=re.MULTILINE | re.DOTALL)


def math(self, node) -> None:  # type: ignore[no-untyped-def]
    """Write an equation as MathML, which browsers draw without a script."""
    block = isinstance(node, nodes.math_block)
    try:
        equation = tex2mathml(node.astext(), as_block=block)
        self.body.append(f'<div class="equation">{equation}</div>' if block else equation)
    except MathError as error:
        logging.getLogger(__name__).warning("%s in: %s", error, node.astext(), location=node)
    raise nodes.SkipNode


def plain(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Keep bars of docstrings as they are, which are those of absolute values and not of substitutions."""
    lines[:] = [BAR.sub(lambda part: part[1] or r"\|", line) for line in lines]


def short(
    app: Sphinx, what: str, name: str, thing: object, options: object, signature: str | None, returned: str | None
):
    """Shorten the names of types in a signature with a default that is no Python, which Sphinx shows as it is."""
    if signature and "<" in signature:
        return re.sub(r"~(?:\w+\.)+", "", signature), returned
    return None


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.add_config_value("relaxor_results", "results", "html")
    app.connect("source-read", fill)
    app.connect("autodoc-process-docstring", plain, priority=400)  # before napoleon, which is called at 500
    app.connect("autodoc-process-signature", short)
    # The docstring of a constant is a sentence; napoleon would take what stands before its first colon for a type.
    NumpyDocstring._parse_attribute_docstring = lambda docstring: list(docstring._lines)  # type: ignore[method-assign]
    app.add_html_math_renderer("mathml", (math, None), (math, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
