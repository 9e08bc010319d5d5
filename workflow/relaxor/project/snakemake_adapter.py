"""The seam between the workflow and the library: run one function as a job, and know what its code depends on."""

import ast
import contextlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from relaxor import __version__
from relaxor.core.errors import RelaxorError
from relaxor.core.parallel import cores

PACKAGE = Path(__file__).parents[1]


def run_step(function: Callable[..., object], snakemake: Any) -> None:
    """Call a library function with the named inputs, outputs and params of a Snakemake job.

    A parameter ``settings`` is a section of the settings: its entries become keywords.

    Standard output and error go to the job's log, which begins with what was called, on which files, by which
    version: no clock, so that two runs write the same log. An error of the user's data is logged as its one line.
    """
    arguments = {
        name: _plain(value)
        for part in (snakemake.input, snakemake.output, snakemake.params)
        for name, value in part.items()
        if name != "code"
    }
    arguments |= arguments.pop("settings", {})
    with (
        Path(snakemake.log[0]).open("w", encoding="utf-8") as log,
        contextlib.redirect_stdout(log),
        contextlib.redirect_stderr(log),
    ):
        print(f"relaxor {__version__}: {function.__module__}.{function.__name__}")
        print(json.dumps(arguments, indent=1, default=str, ensure_ascii=False))
        try:
            with cores(snakemake.threads):
                function(**arguments)
        except RelaxorError as error:
            print(f"error: {error}", *filter(None, [error.advice]), sep="\nwhat to do: ")
            sys.exit(1)
        except BaseException:
            traceback.print_exc()
            raise


def _plain(value: Any) -> Any:
    """Turn Snakemake's lists of files into plain lists; everything else is plain already."""
    return value if isinstance(value, str | dict) or not hasattr(value, "__iter__") else list(value)


def sources(*modules: str) -> list[str]:
    """List the files of relaxor that a module is made of: itself and what it imports inside relaxor, at any depth.

    Data of a module lie beside it under its name, and belong to it. Snakemake reruns a rule when an input is newer;
    naming these files as inputs makes an edit of the library rerun exactly the rules that use it.

    Parameters
    ----------
    modules
        Dotted names such as ``"relaxor.techniques.xrd.analysis"``; a package stands for all of its modules.
    """
    found: set[Path] = set()
    waiting = [path for module in modules for path in _files(module)]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        waiting += _imports(path)
    with_data = {path for module in found for path in module.parent.glob(f"{module.stem}.*")}
    return sorted(os.path.relpath(path) for path in with_data)


@cache
def _imports(path: Path) -> tuple[Path, ...]:
    """List the files of relaxor that a file of relaxor imports."""
    found: list[Path] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "relaxor":
            for module in (node.module, *(f"{node.module}.{name.name}" for name in node.names)):
                found += _files(module, package=False)
    return tuple(found)


def _files(module: str, package: bool = True) -> list[Path]:
    base = PACKAGE.joinpath(*module.split(".")[1:])
    if base.with_suffix(".py").is_file():
        return [base.with_suffix(".py")]
    if (base / "__init__.py").is_file():
        return sorted(base.rglob("*.py")) if package else [base / "__init__.py"]
    return []
