"""Execute a notebook with parameters, and print it as a page that opens offline."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from relaxor.data import atomic
from relaxor.errors import AnalysisError

SECONDS = 600
"""A cell may take so long."""


def run_notebook(notebook: str, executed: str, page: str, parameters: Mapping[str, Any]) -> None:
    """Execute a notebook through papermill.

    Parameters
    ----------
    notebook
        Its source, without outputs.
    executed
        Notebook with outputs to write.
    page
        HTML page to write.
    parameters
        Replace those of its cell tagged ``parameters``.

    Raises
    ------
    AnalysisError
        If a parameter is none of the notebook's (papermill itself only warns), or a cell fails.
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
                notebook, working, dict(parameters), progress_bar=False, log_output=False, execution_timeout=SECONDS
            )
        except PapermillExecutionError as error:
            raise AnalysisError(f"{notebook}: cell {error.exec_count}: {error.ename}: {error.evalue}") from None
        finally:
            content = json.loads(working.read_text(encoding="utf-8")) if working.is_file() else {}
            working.unlink(missing_ok=True)
        temporary.write_text(json.dumps(_timeless(content), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    with atomic(page) as temporary:
        temporary.write_text(_page(Path(executed)), encoding="utf-8")


def _timeless(content: dict[str, Any]) -> dict[str, Any]:
    """Leave out when and where the notebook ran, so that two runs write the same bytes."""
    content["metadata"].pop("papermill", None)
    for number, cell in enumerate(content["cells"]):
        cell["id"] = f"cell-{number}"
        for key in ("papermill", "execution"):
            cell["metadata"].pop(key, None)
    return content


def _page(executed: Path) -> str:
    """Convert to HTML that fetches nothing: no script, mathematics as MathML would need one, so texts use Unicode."""
    import nbformat
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="classic",
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        mathjax_url="",
        require_js_url="",
        jquery_url="",
        mermaid_js_url="",
    )
    page, _ = exporter.from_notebook_node(nbformat.read(executed, as_version=4), {"metadata": {"name": executed.stem}})
    return str(page)
