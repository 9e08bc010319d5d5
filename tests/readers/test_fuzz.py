"""Mutated files of every format end in a tree or in a `ReadError`, in little time and memory.

The corpus consists of the samples made by hand and the small files of the sample data. Input ``n`` is the same on every
machine. A failure names it, and ``python -m tests.readers.test_fuzz n`` (``n real`` for real files) reads it again.
"""

import io
import random
import re
import resource
import signal
import sys
import tempfile
import time
import warnings
import zipfile
from functools import cache, partial
from pathlib import Path

import pytest
from relaxor.core.errors import ReadError
from relaxor.core.parallel import cores, ordered_map
from relaxor.readers import read, readers

from tests.project import ROOT
from tests.public_files import public_folder, registry
from tests.readers.samples import CONTENTS, VARIANTS

SHORT, LONG, LONG_REAL = 2_000, 100_000, 50_000
SECONDS, BYTES = 5.0, 1 << 30
LARGEST = 40_000
EXTREMES = (0, 1, *(2**bits - 1 for bits in (7, 8, 15, 16, 31, 32, 63, 64)), 1 << 31)
NUMBERS = (b"0", b"-1", b"1000000000", b"99999999999999999999", b"1e308", b"1e999", b"nan", b"")


class TooSlow(BaseException):
    """Not an Exception: `read` must not take it for the error of a library."""


@cache
def corpus(real: bool = False) -> tuple[tuple[str, bytes], ...]:
    """Return samples and sample data, or the real files of laboratories."""
    files = [public_folder() / file for file in registry() if file.startswith("rawfiles/")]
    files = sorted(path for path in (files if real else (ROOT / "raw_data").rglob("*")) if path.is_file())
    small = (path for path in files if path.suffix not in (".csv", ".md") and 0 < path.stat().st_size <= LARGEST)
    found = tuple((path.name, path.read_bytes()) for path in small)
    return found if real else (*CONTENTS.items(), *VARIANTS.items(), *found)


def flip(content: bytearray, rng: random.Random) -> bytearray:
    for _ in range(rng.choice((1, 2, 8, 64))):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return content


def cut(content: bytearray, rng: random.Random) -> bytearray:
    return content[: rng.randrange(1, len(content) + 1)]


def set_length_field(content: bytearray, rng: random.Random) -> bytearray:
    size, order = rng.choice((1, 2, 4, 8)), rng.choice(("little", "big"))
    value = rng.choice(EXTREMES) & ((1 << 8 * size) - 1)
    near = min(len(content), rng.choice((64, 1024, len(content))))
    at = rng.randrange(near)
    content[at : at + size] = value.to_bytes(size, order)
    return content


def set_number(content: bytearray, rng: random.Random) -> bytearray:
    found = list(re.finditer(rb"\d+(\.\d+)?", content))
    if not found:
        return flip(content, rng)
    match = rng.choice(found)
    return content[: match.start()] + rng.choice(NUMBERS) + content[match.end() :]


def delete(content: bytearray, rng: random.Random) -> bytearray:
    start = rng.randrange(len(content))
    return content[:start] + content[start + rng.choice((1, 4, 16, 300)) :]


def repeat(content: bytearray, rng: random.Random) -> bytearray:
    start = rng.randrange(len(content))
    return content[:start] + content[start : start + rng.choice((1, 16, 300))] * rng.choice((2, 50)) + content[start:]


def splice(content: bytearray, rng: random.Random) -> bytearray:
    _, other = rng.choice(corpus())
    return content[: rng.randrange(len(content))] + other[rng.randrange(len(other)) :]


def remove_a_line(content: bytearray, rng: random.Random) -> bytearray:
    lines = content.split(b"\n")
    del lines[rng.randrange(len(lines))]
    return bytearray(b"\n".join(lines))


def pack(content: bytearray, rng: random.Random) -> bytearray:
    for _ in range(rng.choice((1, 2, 3))):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(
                zipfile.ZipInfo(rng.choice(("a", "a.zip", "xl/workbook.xml", "Data0/Profile0.txt"))), content
            )
        content = bytearray(out.getvalue())
    return flip(content, rng) if rng.random() < 0.5 else content


MUTATIONS = (flip, cut, set_length_field, set_length_field, set_number, set_number, delete, repeat, splice,
             remove_a_line, pack)  # fmt: skip


def mutated(number: int, real: bool = False) -> tuple[str, bytes]:
    """Return the name of the file that input ``number`` was made of, and the input."""
    rng = random.Random(f"relaxor {number}")
    files = corpus(real)
    name, content = files[number % len(files)]
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4))):
        changed = rng.choice(MUTATIONS)(changed, rng) or bytearray(b"\0")
    return name, bytes(changed)


def check(numbers: range, real: bool = False) -> list[str]:
    """Read inputs; return what went wrong, one line each."""
    problems: list[str] = []

    def interrupt(*_: object) -> None:
        raise TooSlow

    def peak() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    before = peak()  # of whatever ran in this process earlier
    signal.signal(signal.SIGPROF, interrupt)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "input"
        for number in numbers:
            name, content = mutated(number, real)
            path.write_bytes(content)
            started = time.process_time()
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            try:
                tree = read(path)
                if not tree.children or tree.attrs["format"] not in readers():
                    problems.append(f"input {number} ({name}): an empty tree")
            except ReadError as error:
                if not str(error).startswith(f"{path}: ") or len(str(error).splitlines()) != 1:
                    problems.append(f"input {number} ({name}): refused with {str(error)[:200]!r}")
            except TooSlow:
                problems.append(f"input {number} ({name}): took more than {SECONDS} s")
            except BaseException as error:
                problems.append(f"input {number} ({name}): {type(error).__name__}: {str(error)[:200]}")
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
            if time.process_time() - started > SECONDS:
                problems.append(f"input {number} ({name}): took {time.process_time() - started:.1f} s")
            if peak() - before > BYTES:
                return [*problems, f"input {number} ({name}): took more than 1 GiB"]
    return problems


@pytest.mark.costly
def test_mutated_files_are_read_or_refused():
    assert not check(range(SHORT))


@pytest.mark.slow
def test_a_hundred_thousand_mutated_files_are_read_or_refused():
    parts = [range(start, start + 1_000) for start in range(0, LONG, 1_000)]
    with cores(2):
        problems = [problem for part in ordered_map(check, parts) for problem in part]
    assert not problems, "\n".join(problems[:40])


@pytest.mark.slow
def test_mutated_real_files_are_read_or_refused(rawfiles):
    rawfiles.provide(*rawfiles.files())
    parts = [range(start, start + 1_000) for start in range(0, LONG_REAL, 1_000)]
    with cores(2):
        problems = [problem for part in ordered_map(partial(check, real=True), parts) for problem in part]
    assert not problems, "\n".join(problems[:40])


if __name__ == "__main__":
    source, input_ = mutated(int(sys.argv[1]), real=sys.argv[2:] == ["real"])
    Path("input").write_bytes(input_)
    print(f"{source}, {len(input_)} bytes, written to ./input")
    print(read(Path("input")))
