"""Tables that are too large to be held: averaged where only noise is lost, and otherwise refused."""

import numpy as np
import pytest
from relaxor.core.errors import ReadError

from tests.readers.test_columns import child_of


def long_trace(tmp_path, monkeypatch, change, decimals: int = 6):
    """Read 1003 rows of noise, where 200 are all that is kept."""
    monkeypatch.setattr("relaxor.readers.common.tables.LARGE_TEXT", 0)
    monkeypatch.setattr("relaxor.readers.common.tables.LARGEST_TEXT", 0)
    monkeypatch.setattr("relaxor.readers.common.full_rows.MAX_POINTS", 400)
    monkeypatch.setattr("relaxor.readers.common.full_rows.MEAN_CELLS", 100)
    monkeypatch.setattr("relaxor.readers.common.full_rows.MOST_CELLS", 64)
    time = 0.0104 * np.arange(1003)
    current = 1e-9 * np.random.default_rng(0).normal(size=time.size)
    change(time, current)
    rows = [f"{t:.{decimals}f},{i:.17e}" for t, i in zip(time, current, strict=True)]
    data, warnings = child_of(tmp_path, "\n".join(["Time (s),I (A)", *rows, ""]))
    return data, warnings, np.round(time, decimals), current


def step(time, current):
    current[470:] += 1e-6  # within a block


@pytest.mark.parametrize("change", [lambda time, current: None, step])
@pytest.mark.parametrize("decimals", [6, 3])  # with three, a step of 0.01 s is rounded by up to 5 percent of itself
def test_a_trace_that_is_too_long_is_averaged_and_says_so(tmp_path, monkeypatch, change, decimals):
    data, warnings, *columns = long_trace(tmp_path, monkeypatch, change, decimals)
    count = 21  # 2 × 1003 numbers in 100 at most
    assert f"each number is the mean of {count} rows" in warnings
    assert "the last 16 rows, fewer than that, are left out" in warnings
    whole = 1003 // count * count
    for name, values in zip(("time", "i"), columns, strict=True):
        np.testing.assert_allclose(data[name], values[:whole].reshape(-1, count).mean(axis=1), rtol=1e-9)


def narrow(time, current):
    current[470:475] = 1e-6


def overflow(time, current):
    current[800] = 9.9e37


def back(time, current):
    time[500] = 1.0


def gap(time, current):
    time[1002] = 99.0


def word(time, current):
    current[700] = np.nan


@pytest.mark.parametrize("change", [narrow, overflow, back, gap, word])
def test_a_long_table_that_means_would_falsify_is_refused(tmp_path, monkeypatch, change):
    with pytest.raises(ReadError, match="of which neighbouring rows can be averaged without losing anything but noise"):
        long_trace(tmp_path, monkeypatch, change)


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_a_large_table_is_read_in_its_encoding(tmp_path, monkeypatch, encoding):
    for name in ("LARGE_TEXT", "LARGEST_TEXT"):
        monkeypatch.setattr(f"relaxor.readers.common.tables.{name}", 0)
    rows = [f"{row},{row / 8}" for row in range(80)]
    data, _ = child_of(tmp_path, "\n".join(["Temps (s),Température (°C)", *rows, ""]).encode(encoding))
    np.testing.assert_array_equal(data["température"], np.arange(80) / 8)
