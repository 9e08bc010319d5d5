"""Texts of instruments as lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from relaxor.readers.common.text import Lines, split_lines

TEXTS = st.text(st.sampled_from("ab \r\n\x0b\u2028é日𝄞"), max_size=40)


@given(TEXTS, st.integers(-3, 50), st.integers(-3, 50))
def test_lines_that_are_made_when_asked_for_are_those_of_the_text(text, first, last):
    lines, expected = Lines(text), split_lines(text)
    assert len(lines) == len(expected)
    assert list(lines) == expected
    assert lines[first:last] == expected[first:last]
    if -len(expected) <= first < len(expected):
        assert lines[first] == expected[first]
    else:
        with pytest.raises(IndexError):
            lines[first]
