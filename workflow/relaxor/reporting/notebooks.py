"""Execute a notebook with parameters, and export it as a page that opens offline."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from relaxor.core.errors import AnalysisError, SheetError
from relaxor.core.files import atomic, write_whole
from relaxor.reporting.page import page_of

CALL = re.compile(r'story\.(?:panel|caption|numbers|residuals|sources)\(\\?"(\w+)')
"""Pattern of a call of ``story`` that names a panel."""
SECONDS = 600
"""Longest time that a cell may take."""
QUIET = ["--log-level=CRITICAL"]
"""Argument of the kernel, which would tell the console of the whole run that others on the machine could listen, and
that it was ended."""


def run_notebook(notebook: str, executed: str, page: str, parameters: Mapping[str, Any]) -> None:
    """Execute a notebook through papermill.

    Parameters
    ----------
    notebook
        The source notebook, without outputs.
    executed
        Notebook with outputs to write.
    page
        HTML page to write.
    parameters
        Values that replace those of its cell tagged ``parameters``.

    Raises
    ------
    AnalysisError
        If the notebook does not have a parameter (papermill itself only warns), or if a cell fails.
    """
    import papermill
    from papermill.exceptions import PapermillExecutionError

    known = papermill.inspect_notebook(notebook)
    if unknown := sorted(set(parameters) - set(known)):
        raise AnalysisError(f"{notebook}: no parameter {', '.join(unknown)}; it has {', '.join(known)}")
    with atomic(executed) as temporary:
        working = temporary.with_suffix(".ipynb")
        try:
            papermill.execute_notebook(
                notebook,
                working,
                dict(parameters),
                progress_bar=False,
                log_output=False,
                execution_timeout=SECONDS,
                extra_arguments=QUIET,
            )
        except PapermillExecutionError as error:
            raise AnalysisError(f"{notebook}: cell {error.exec_count}: {error.ename}: {error.evalue}") from None
        finally:
            content = json.loads(working.read_text(encoding="utf-8")) if working.is_file() else {}
            working.unlink(missing_ok=True)
        temporary.write_text(json.dumps(_timeless(content), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    write_whole(page, _page(Path(executed)))


def _timeless(content: dict[str, Any]) -> dict[str, Any]:
    """Remove the time and the place of the execution, so that two runs write the same bytes."""
    content["metadata"].pop("papermill", None)
    for number, cell in enumerate(content["cells"]):
        cell["id"] = f"cell-{number}"
        for key in ("papermill", "execution"):
            cell["metadata"].pop(key, None)
    return content


def _page(executed: Path) -> str:
    """Convert to a page that needs no scripts, downloads nothing and is readable on a phone."""
    import nbformat
    from nbconvert import HTMLExporter
    from pygments.formatters import HtmlFormatter

    exporter = HTMLExporter(template_name="basic", exclude_input_prompt=True, exclude_output_prompt=True)
    body, _ = exporter.from_notebook_node(nbformat.read(executed, as_version=4))
    return page_of(executed.stem, body, HtmlFormatter().get_style_defs(".highlight"))


def told_panels(notebook: Path | str) -> set[str]:
    """Return the panels that the calls of ``story.…("PANEL")`` of a notebook name.

    Raises
    ------
    SheetError
        If there is no such notebook.
    """
    try:
        return set(CALL.findall(Path(notebook).read_text(encoding="utf-8")))
    except OSError as error:
        raise SheetError(f"{notebook}: {error.strerror}; the setting 'notebooks' names it") from None
