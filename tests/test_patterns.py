"""No text of a stranger keeps a regular expression of the library busy: time grows in proportion to the length."""

import re
import signal

import pytest

from tests.patterns import lines, uses

LENGTH, SECONDS = 20_000, 0.3
"""A linear pattern needs some milliseconds for so many characters, a quadratic one seconds, others do not end."""


class TooSlow(BaseException):
    """Raised by the timer, as no pattern would raise it."""


def interrupt(*_: object) -> None:
    raise TooSlow


def busy(pattern, method: str, line: str | bytes) -> bool:
    """Whether a pattern takes more CPU time than a linear one could for a line."""
    arguments = (line[:0], line) if method == "sub" else (line,)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        found = getattr(pattern, method)(*arguments)
        list(found) if method == "finditer" else None
    except TooSlow:
        return True
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return False


@pytest.mark.costly
def test_every_pattern_is_linear():
    before = signal.signal(signal.SIGVTALRM, interrupt)
    slow = []
    for (pattern, method), module in uses().items():
        line = next((line for line in lines(pattern, LENGTH) if busy(pattern, method, line)), None)
        slow += [f"{module}: {pattern.pattern!r}.{method} of {line[:40]!r}…{line[-8:]!r}"] if line is not None else []
    signal.signal(signal.SIGVTALRM, before)
    assert not slow, "\n".join(slow)


def test_the_search_finds_every_kind_of_use_and_every_kind_of_slow_pattern():
    modules = set(uses().values())
    assert {
        "relaxor.readers.common.unit_words",
        "relaxor.readers.spectroscopy.jcamp_dx",
        "relaxor.core.units",
    } <= modules
    before = signal.signal(signal.SIGVTALRM, interrupt)
    quadratic = (r"\d+\.?\d*", "fullmatch"), (r"\s+x", "search"), (r"(\S.*?)\s*/b", "fullmatch")
    exponential = (r"(\d+\.?\d*([,\t]|\s+)?)+", "fullmatch"), (r"(\w+ ?)*;", "match")
    for text, method in (*quadratic, *exponential):
        pattern = re.compile(text)
        assert any(busy(pattern, method, line) for line in lines(pattern, LENGTH)), text
    signal.signal(signal.SIGVTALRM, before)
