"""Files that no reader reads are refused by the name of their maker, and numbers are never taken for lengths."""

import numpy as np
import pytest
from relaxor.core.errors import ReadError
from relaxor.readers import read
from relaxor.readers.common.signals import datasets
from relaxor.readers.common.unit_words import unit_of
from relaxor.readers.unread import KINDS


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.what)
def test_known_makers_are_refused_by_name(tmp_path, kind):
    path = tmp_path / "file"
    path.write_bytes(b"\x02\x03"[: kind.place] + kind.magic + bytes(range(256)))
    with pytest.raises(ReadError) as caught:
        read(path)
    message = str(caught.value)
    assert kind.what in message or "workbook" in message, message
    assert "describe its columns" not in message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (bytes(range(1, 256)) * 4, "a binary file of no known program; export it as text or CSV"),
        (b"a 1 2 3\n" * 20, "if it is a plain table, describe its columns"),
        (b"hello world\n" * 20, "a text without a table of numbers"),
        ("Füße µ°\n".encode("utf-16"), "a text without a table of numbers"),
    ],
)
def test_only_text_can_be_a_plain_table(tmp_path, content, message):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ReadError, match=message):
        read(path)


@pytest.mark.parametrize("unit", ["points", "point", "pts", "px", "ch", "index", "channels", "frames"])
def test_numbers_of_points_are_no_lengths(unit):
    """pint takes a point for 1/72 inch: 64 points would be 22 mm."""
    assert unit_of(unit) == "1"
    axis = {"name": "x", "size": 64, "offset": 0.0, "scale": 1.0, "units": unit}
    signal = {"data": np.zeros(64), "axes": [axis], "metadata": {}}
    (image,) = datasets([signal]).values()
    assert image["x"].attrs["units"] == "1" and image["x"].values[-1] == 63
