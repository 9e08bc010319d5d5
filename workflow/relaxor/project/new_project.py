"""``relaxor init``: the files of a project of one's own, or of the project of a paper that relaxor knows."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from relaxor import __version__
from relaxor.core.errors import SheetError, nearest
from relaxor.project.pipeline import TEMPLATE, pipeline_folder
from relaxor.project.simulate import load_scenario, simulate_sample

VERSION, EXTRA = "@VERSION@", "@EXTRA@"
"""Stand for the version of relaxor, and for what it is installed with, in the files of an empty project."""
SCHEMA, WRITTEN_SCHEMA = "../workflow/schemas/config.schema.json", "config.schema.json"
"""Place of the schema of the settings beside those of the workflow, and beside those of a project."""
KEPT = (".git",)
"""What the folder of a new project may hold already."""


def init_project(folder: Path, paper: str | None = None) -> list[Path]:
    """Write a project.

    Parameters
    ----------
    folder
        Its folder, which is made if it does not exist, and must be empty.
    paper
        DOI of the paper whose settings, sheet and simulated raw files the project gets, or ``""`` for the only one that
        relaxor knows. None makes an empty project.

    Returns
    -------
    list of Path
        The files, all of which are written, or none.

    Raises
    ------
    SheetError
        If the folder is not empty, or the paper is not known; the message lists what is there, or the known papers.
    """
    if folder.exists() and not folder.is_dir():
        raise SheetError(f"{folder}: is a file; give a new folder")
    if present := sorted(path.name for path in folder.glob("*") if path.name not in KEPT):
        listed = ", ".join(present[:5]) + (", …" if len(present) > 5 else "")
        raise SheetError(f"{folder}: is not empty ({listed}); nothing is overwritten, so give a new folder")
    if paper and paper != (known := load_scenario(_config() / "simulation.yaml").doi):
        raise SheetError(f"no project of the paper '{paper}' is known{nearest(paper, [known])}")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".relaxor-") as temporary:
        whole = Path(temporary)
        for name, content in _files(paper is not None):
            (whole / name).parent.mkdir(parents=True, exist_ok=True)
            (whole / name).write_text(content, encoding="utf-8")
        if paper is not None:
            shutil.rmtree(whole / "raw_data")
            simulate_sample(whole / "raw_data", _config() / "simulation.yaml")
        written = sorted(path.relative_to(whole) for path in whole.rglob("*") if path.is_file())
        for part in whole.iterdir():
            part.rename(folder / part.name)
    return [folder / path for path in written]


def _config() -> Path:
    return pipeline_folder() / "config"


def _files(of_paper: bool) -> Iterator[tuple[str, str]]:
    """Yield the path and the content of every file but the raw ones; those of the paper replace earlier ones."""
    for path in sorted(TEMPLATE.rglob("*")):
        if path.is_file():
            text = path.read_text(encoding="utf-8").replace(VERSION, __version__)
            yield path.relative_to(TEMPLATE).as_posix(), text.replace(EXTRA, "all" if of_paper else "workflow")
    for path in sorted(_config().iterdir()) if of_paper else ():
        yield f"config/{path.name}", path.read_text(encoding="utf-8").replace(SCHEMA, WRITTEN_SCHEMA)
    schema = pipeline_folder() / "workflow/schemas" / WRITTEN_SCHEMA
    yield f"config/{WRITTEN_SCHEMA}", schema.read_text(encoding="utf-8")
