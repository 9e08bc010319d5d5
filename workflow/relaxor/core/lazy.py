"""Functions that are imported when they are first called, so that a list of techniques costs no imports."""

from collections.abc import Callable
from importlib import import_module
from typing import Any


def lazy(module: str, name: str) -> Callable[..., Any]:
    """Return a function that represents ``module.name`` and imports it when it is called.

    Its ``__module__`` and ``__qualname__`` are those of the function that it represents.
    """

    def call(*arguments: Any, **keywords: Any) -> Any:
        return getattr(import_module(module), name)(*arguments, **keywords)

    call.__module__, call.__qualname__, call.__name__ = module, name, name
    return call
