"""Every regular expression of the library, and lines made to keep each of them busy."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]

from tests.project import ROOT

LIBRARY = ROOT / "workflow"
METHODS = ("match", "fullmatch", "search", "sub", "split", "findall", "finditer", "compile")
REPEATS = (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT)
SAMPLES = {
    ops.CATEGORY_DIGIT: "1", ops.CATEGORY_SPACE: " \t\n", ops.CATEGORY_WORD: "a1_", ops.CATEGORY_NOT_DIGIT: "a ",
    ops.CATEGORY_NOT_SPACE: "a1[", ops.CATEGORY_NOT_WORD: " -",
}  # fmt: skip
"""Characters of each class of a pattern."""
USUAL = (*" \t1a,;.[](){}\"'/_-*=:<>#^", "1.", "1 ", "a ", "[a", "a[", "a(", "1.1.1", ", ", "a/")
"""Repeated texts that every pattern must stand."""
ENDS = ("", "\0", " ! !")


@cache
def uses() -> dict[tuple[re.Pattern, str], str]:
    """Return every pattern with the method that applies it, and the module that does.

    A pattern that no module applies under its name, as one of a tuple, is searched for.
    """
    found: dict[tuple[re.Pattern, str], str] = {}
    modules = {}
    for path in sorted(LIBRARY.glob("*/**/*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
        if any("re" in (each.name for each in node.names) for node in ast.walk(tree) if isinstance(node, ast.Import)):
            name = ".".join(path.relative_to(LIBRARY).with_suffix("").parts).removesuffix(".__init__")
            modules[name] = (vars(import_module(name)), tree, [call for call in calls if call.func.attr in METHODS])
    for name, (known, tree, calls) in modules.items():
        for call in calls:
            for pattern in _patterns(call, known, tree):
                found.setdefault((pattern, call.func.attr), name)
    applied = {pattern for pattern, method in found if method != "compile"}
    compiled = {pattern: name for (pattern, method), name in found.items() if method == "compile"}
    found = {use: name for use, name in found.items() if use[1] != "compile"}
    return found | {(pattern, "search"): name for pattern, name in compiled.items() if pattern not in applied}


def _patterns(call: ast.Call, known: dict, tree: ast.Module) -> list[re.Pattern]:
    """Return the pattern of a call; if only a run knows it, every text of the module that could be one."""
    owner = call.func.value
    owners = [_value(each, known) for each in ([owner.body, owner.orelse] if isinstance(owner, ast.IfExp) else [owner])]
    if owners != [re]:
        return [each for each in owners if isinstance(each, re.Pattern)]
    pattern = _value(call.args[0], known)
    if isinstance(pattern, str | bytes | re.Pattern):
        flags = [each for each in (_value(each, known) for each in call.args[1:]) if isinstance(each, re.RegexFlag)]
        return [re.compile(pattern, *flags)]
    return [re.compile(text) for text in _texts(tree) if re.search(r"[^*+?][*+?}]", text) and _compiles(text)]


def _value(expression: ast.expr, known: dict) -> object:
    """Return what an expression of a module means if nothing need be called for it, otherwise None."""
    if any(isinstance(node, ast.Call) for node in ast.walk(expression)):
        return None
    try:
        return eval(ast.unparse(expression), dict(known))
    except NameError:  # a local variable
        return None


def _texts(tree: ast.Module) -> set[str]:
    """Return the texts of a module that are not sentences."""
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in texts if "\n" not in text and not text.endswith((".", ": "))}


def _compiles(text: str) -> bool:
    try:
        return bool(re.compile(text))
    except re.error:
        return False


def lines(pattern: re.Pattern, length: int) -> Iterator[str | bytes]:
    """Yield long texts that begin as the pattern does, repeat what it repeats, and end otherwise."""
    is_text = isinstance(pattern.pattern, str)
    pumped = set(_pumped(parser.parse(pattern.pattern, pattern.flags), ""))
    attacks = [(start, unit, end) for start, unit in sorted(pumped) for end in ENDS] + [
        ("", unit, "\0") for unit in USUAL
    ]
    for start, unit, end in dict.fromkeys(attacks):
        text = start + unit * (length // len(unit)) + end
        yield text if is_text else text.encode("latin-1", "replace")


def _pumped(tree: parser.SubPattern, before: str) -> Iterator[tuple[str, str]]:
    """Yield (what leads to a repetition, what is repeated) for each repetition of a pattern."""
    for op, value in tree:
        if op in REPEATS:
            body = value[2]
            for unit in _characters(body) | {_sample(body)}:
                if unit:
                    yield before, unit
        if before:
            yield "", before + _sample([(op, value)])
        for part in _parts(op, value):
            yield from _pumped(part, before)
        before += _sample([(op, value)])


def _parts(op: int, value: tuple) -> list[parser.SubPattern]:
    if op in REPEATS:
        return [value[2]]
    if op is ops.SUBPATTERN:
        return [value[3]]
    if op is ops.BRANCH:
        return value[1]
    return [value] if op is ops.ATOMIC_GROUP else []


def _characters(tree: parser.SubPattern) -> set[str]:
    """Return some characters of every place of a pattern."""
    found: set[str] = set()
    for op, value in tree:
        found |= set(_of(op, value))
        for part in _parts(op, value):
            found |= _characters(part)
    return found


def _of(op: int, value: object) -> str:
    """Return some characters that one place of a pattern takes."""
    if op is ops.LITERAL:
        return chr(value)
    if op is ops.ANY:
        return "a 1"
    if op is ops.NOT_LITERAL:
        return "".join(each for each in "a 1" if ord(each) != value)
    if op is ops.IN:
        negated = value[0][0] is ops.NEGATE
        if negated:
            inner = "".join(_of(*each) for each in value[1:])
            return "".join(each for each in " a1.,-/\t(" if each not in inner)[:5]
        return "".join(_of(*each) for each in value)
    if op is ops.RANGE:
        return chr(value[0])
    return SAMPLES.get(value, "") if op is ops.CATEGORY else ""


def _sample(tree: object) -> str:
    """Return a short text that a pattern takes."""
    text = ""
    for op, value in tree:
        if op in REPEATS:
            text += _sample(value[2]) * min(max(value[0], 1), 20)
        elif op is ops.BRANCH:
            text += _sample(value[1][0])
        elif op is ops.SUBPATTERN:
            text += _sample(value[3])
        elif op is ops.ATOMIC_GROUP:
            text += _sample(value)
        else:
            text += _of(op, value)[:1]
    return text
