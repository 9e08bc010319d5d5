"""The interface between the workflow and the library: run a function as a job, and find its dependencies."""

import ast
import contextlib
import hashlib
import json
import sys
import traceback
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import entry_points
from importlib.util import find_spec, resolve_name
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
        (``"module:name"``). A module of another package counts with what it imports of its own package. A module that
        is only named for `relaxor.core.lazy` does not count: a rule that calls it lists it.

    Raises
    ------
    ModuleNotFoundError
        If one cannot be found.
    """
    whole = hashlib.sha256()
    for path in sources(*names):
        whole.update(_content(path))
    return whole.hexdigest()[:16]


@cache
def code_of_all() -> str:
    """Return one hash of all modules of relaxor and of the packages that offer readers or techniques."""
    modules = {"relaxor"} | {
        entry.module.partition(".")[0]
        for group in ("relaxor.readers", "relaxor.techniques")
        for entry in entry_points(group=group)
    }
    specs = [spec for name in sorted(modules) if (spec := _spec(name))]
    folders = [Path(folder) for spec in specs for folder in spec.submodule_search_locations or ()]
    files = {path for folder in folders for path in folder.rglob("*.py")}
    files |= {Path(spec.origin) for spec in specs if spec.origin and spec.has_location}
    whole = hashlib.sha256()
    for path in sorted(files):
        whole.update(_content(path))
    return whole.hexdigest()[:16]


def sources(*names: str) -> list[Path]:
    """List the files of modules, sorted; see `code_of`.

    Data files that have the name of a module and lie in its folder belong to it.
    """
    found: dict[str, Path] = {}
    waiting = [module for name in names for module in _members(name.partition(":")[0])]
    while waiting:
        module = waiting.pop()
        if module not in found and (path := _file(module)):
            found[module] = path
            waiting += _imports(module, path)
    files = {path for module in set(found.values()) for path in module.parent.glob(f"{module.stem}.*")}
    return sorted(path for path in files if path.is_file())


@cache
def _content(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


@cache
def _imports(module: str, path: Path) -> tuple[str, ...]:
    """List the modules of its own package and of relaxor that a module imports, and the names that it takes of them."""
    if path.suffix != ".py":
        return ()
    package = module if path.stem == "__init__" else module.rpartition(".")[0]
    found: list[str] = []
    for node in _statements(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            source = resolve_name("." * node.level + (node.module or ""), package)
            found += [source, *(f"{source}.{name.name}" for name in node.names)]
    return tuple(name for name in found if name.split(".")[0] in ("relaxor", module.split(".")[0]))


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the statements of a tree, at any depth, but not those for a type checker alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in (vars(child.test).get("id"), vars(child.test).get("attr")):
            yield from _statements(ast.Module(child.orelse, []))
        elif not isinstance(child, ast.expr):
            yield child
            yield from _statements(child)


@cache
def _spec(module: str) -> ModuleSpec | None:
    """Find a module without importing its packages; None if there is none, as for a name in a module."""
    package = module.rpartition(".")[0]
    if not package:
        return find_spec(module)
    above = _spec(package)
    places = above.submodule_search_locations if above else None
    return PathFinder.find_spec(module, places) if places else None


def _file(module: str) -> Path | None:
    """Return the file of a module; None for a folder without one, and for a name in a module."""
    spec = _spec(module)
    return Path(spec.origin) if spec and spec.origin and spec.has_location else None


def _members(module: str) -> Iterator[str]:
    """Yield a module, and all modules below it if it is a package."""
    spec = _spec(module)
    if spec is None:
        raise ModuleNotFoundError(f"no module named '{module}'", name=module)
    yield module
    for folder in map(Path, spec.submodule_search_locations or ()):
        for path in folder.rglob("*.py"):
            yield ".".join((module, *path.relative_to(folder).with_suffix("").parts))
