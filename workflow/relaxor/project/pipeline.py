"""The folder of the workflow: that of a clone, or the one that the installed package carries."""

import os
from pathlib import Path

import relaxor

CARRIED = "pipeline"
"""Folder of the installed package with the same layout as the repository; pyproject.toml fills it."""
TEMPLATE = Path(__file__).parent / "template"
"""The files of an empty project, which ``relaxor init`` copies."""


def pipeline_folder() -> Path:
    """Return the folder of ``Snakefile``, ``workflow``, ``notebooks``, ``envs`` and ``config`` of this library."""
    package = Path(relaxor.__file__).parent
    carried = package / CARRIED
    return carried if carried.is_dir() else package.parents[1]


def beside(path: str) -> str:
    """Return the path of a file of a project or, if it has none, of an empty project, or of the workflow.

    The figures and claims that a project lacks are none; its checks, for example, are those of the workflow.
    """
    places = (os.path.relpath(folder / path) for folder in (Path(), TEMPLATE, pipeline_folder()))
    return next(filter(os.path.exists, places), path)
