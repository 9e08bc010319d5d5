"""The interface between the workflow and the library: run a function as a job, and find its dependencies."""

import ast
import contextlib
import hashlib
import json
import sys
import traceback
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from relaxor import __version__
from relaxor.core.errors import RelaxorError
from relaxor.core.extras import missing_extra
from relaxor.core.parallel import cores

OURS = ("function", "code")
"""Parameters of a job that are not keywords of its function."""


def run_step(snakemake: Any) -> None:
    """Call a library function with the named inputs, outputs and params of a Snakemake job.

    The parameter ``function`` names it, ``"relaxor.module:name"``; ``code`` is the hash of its code.

    Standard output and error go to the log of the job, which begins with the function, its files and the version. It
    contains no times, so that two runs write the same log. An error of the data is logged as its one line.
    """
    arguments = {
        name: _plain(value)
        for part in (snakemake.input, snakemake.output, snakemake.params)
        for name, value in part.items()
        if name not in OURS
    }
    with (
        Path(snakemake.log[0]).open("w", encoding="utf-8") as log,
        contextlib.redirect_stdout(log),
        contextlib.redirect_stderr(log),
    ):
        print(f"relaxor {__version__}: {snakemake.params.function}")
        print(json.dumps(arguments, indent=1, default=str, ensure_ascii=False))
        try:
            with cores(snakemake.threads):
                function_called(snakemake.params.function)(**arguments)
        except ImportError as error:
            traceback.print_exc()
            raise missing_extra(error) or error from None
        except RelaxorError as error:
            print(f"error: {error}", *filter(None, [error.advice]), sep="\nwhat to do: ")
            sys.exit(1)
        except BaseException:
            traceback.print_exc()
            raise


def function_called(name: str) -> Callable[..., object]:
    """Return the function that ``"module:name"`` names."""
    module, _, function = name.partition(":")
    found: Callable[..., object] = getattr(import_module(module), function)
    return found


def _plain(value: Any) -> Any:
    """Convert the lists of files of Snakemake to plain lists; everything else is already plain."""
    return value if isinstance(value, str | dict) or not hasattr(value, "__iter__") else list(value)


# --- what code depends on -------------------------------------------------------------------------------------------
@cache
def code_of(*names: str) -> str:
    """Return one hash of all files of modules: themselves and what they import from relaxor, at any depth.

    Snakemake reruns a job when one of its parameters changes. With this hash among the parameters, an edit of the
    library reruns exactly the rules that use the edited code.

    Parameters
    ----------
    names
        Modules (``"relaxor.techniques.xrd.analysis"``), packages, which stand for all of their modules, or functions
        (``"module:name"``). A module of another package includes what it imports from its own package.
    """
    whole = hashlib.sha256()
    for path in sources(*names):
        whole.update(_content(path))
    return whole.hexdigest()[:16]


def sources(*names: str) -> list[Path]:
    """List the files of modules, sorted; see `code_of`.

    Data files that have the name of a module and lie in its folder belong to it.
    """
    found: set[Path] = set()
    waiting = [path for name in names for path in _files(name.partition(":")[0], package=True)]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imports(path)
    return sorted(path for module in found for path in module.parent.glob(f"{module.stem}.*"))


@cache
def _content(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


@cache
def _imports(path: Path) -> tuple[Path, ...]:
    """List the files of its package and of relaxor that a file imports, or names for `relaxor.core.lazy`."""
    home = _package_of(path)
    found: list[Path] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in ("relaxor", home):
            for module in (node.module, *(f"{node.module}.{name.name}" for name in node.names)):
                found += _files(module, package=False)
    return tuple(found)


@cache
def _package_of(path: Path) -> str:
    """Return the name of the outermost package that a file belongs to."""
    folder = path.parent
    while (folder.parent / "__init__.py").is_file():
        folder = folder.parent
    return folder.name


@cache
def _files(module: str, package: bool) -> tuple[Path, ...]:
    top, *rest = module.split(".")
    spec = find_spec(top)
    for root in spec.submodule_search_locations or () if spec else ():
        base = Path(root).joinpath(*rest)
        if base.with_suffix(".py").is_file():
            return (base.with_suffix(".py"),)
        if (base / "__init__.py").is_file():
            return tuple(sorted(base.rglob("*.py"))) if package else (base / "__init__.py",)
    return ()
