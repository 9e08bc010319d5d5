"""The structure of the library: rooms, the directions of its imports, and what stays outside of it."""

import ast
import re
import tokenize
from pathlib import Path

import pytest
import yaml

from tests.project import ROOT

LIBRARY = ROOT / "workflow/relaxor"
ROOMS = (
    "core", "stats", "readers", "figures", "simulation", "synapse", "techniques", "crossbar", "inpainting", "project",
    "reporting", "cli",
)  # fmt: skip
"""From the ground up: a room may use those before it."""
MODULES = sorted(LIBRARY.rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(LIBRARY.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {module_name(path) for path in MODULES}


def imported(path: Path) -> set[str]:
    """Modules of relaxor that a module imports, anywhere in it, or names for `relaxor.core.lazy`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            found |= {name for name in names if name.split(".")[0] == "relaxor"}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "relaxor"}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in NAMES:
            found.add(node.value)
    return (found & NAMES) - {module_name(path)}


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def test_there_are_twelve_rooms_and_no_module_beside_them():
    assert {path.name for path in LIBRARY.iterdir() if path.name != "__pycache__"} == {"__init__.py", *ROOMS}
    assert len(ROOMS) == 12


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_uses_only_those_below_it(room):
    allowed = ("", *ROOMS[: ROOMS.index(room) + 1])
    upward = {
        f"{module_name(path)} -> {target}"
        for path in (LIBRARY / room).rglob("*.py")
        for target in imported(path)
        if room_of(target) not in allowed
    }
    assert not upward


def test_no_module_imports_itself_in_a_circle():
    graph = {module_name(path): imported(path) for path in MODULES}
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way[way.index(name) :], name))
        if name in done:
            return
        for target in graph[name]:
            if target != name.rpartition(".")[0]:  # a package's face imports its modules
                visit(target, (*way, name))
        done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("path", [path for path in MODULES if path.name == "__init__.py"], ids=module_name)
def test_a_package_only_re_exports(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 40
    for node in ast.parse(text).body:
        named = isinstance(node, ast.Assign) and node.targets[0].id in ("__all__", "__version__")
        documented = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        assert isinstance(node, ast.ImportFrom) or named or documented, ast.unparse(node)


def test_the_library_never_imports_snakemake():
    for path in MODULES:
        assert not re.search(r"^\s*(import|from) snakemake", path.read_text(encoding="utf-8"), re.M), path


# --- the paper stays outside -----------------------------------------------------------------------------------------
PAPER = re.compile(r"cbps|cubip|10\.1002/adma\.202419204", re.I)
NUMBERS = {"11.7", "0.88", "450", "520", "650", "450.0", "520.0", "650.0"}
"""What the paper prints as energies of a spike, and its wavelengths."""


def panel_ids() -> set[str]:
    figures = yaml.safe_load((ROOT / "config/figures.yaml").read_text(encoding="utf-8"))
    return {panel["id"] for figure in figures.values() for panel in figure["panels"].values()}


ID = f"(?:{'|'.join(sorted(panel_ids()))})"
PANEL = re.compile(
    rf"\bFigs?\. ?S?\d|\b[Pp]anels? {ID}\b|^[rbf]*[\"']{ID}(?:,{ID})*[\"']$|\({ID}(?:, {ID})*\)|^# --- {ID}\b"
)
"""A figure or panel by its number: after its word, alone in a string, in parentheses, or as a heading."""


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_the_paper_is_not_in_the_library(path):
    """No sample, material, panel or number of the paper: they belong to config/."""
    found = []
    with path.open("rb") as stream:
        for token in tokenize.tokenize(stream.readline):
            text = token.type in (tokenize.STRING, tokenize.COMMENT)
            named = text and (PAPER.search(token.string) or PANEL.search(token.string))
            if named or (token.type == tokenize.NUMBER and token.string in NUMBERS):
                found.append(f"line {token.start[0]}: {named[0] if named else token.string}")
    assert not found
