"""Words in the columns of a table and text beside it, which are separated from the numbers."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from relaxor.readers.common.cells import BLANK, FEWEST_ROWS, FORMS, MISSING, NAMED_ABOVE, Form, is_kind, sampled


def without_words(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the lines of a table without the columns that hold words in every row.

    What was taken away is said; nothing is where no such table was found. A first column of moments in ISO 8601 becomes
    seconds from the first one.
    """
    found = max((_worded(sampled(lines), form) for form in FORMS if form.separator != BLANK), key=lambda each: each[0])
    count, form, width, words = found
    if count < FEWEST_ROWS:
        return list(lines), []
    split = [form.cells(line) for line in lines]
    body = [
        len(cells) == width and all(is_kind(cell, at in words, form) for at, cell in enumerate(cells))
        for cells in split
    ]
    begin = body.index(True)
    timed = min(words)
    start = _moment(split[begin][timed])
    kept = [at for at in range(width) if at not in words or (at == timed and start is not None)]
    result = list(lines)
    named = [""] * width
    for row, cells in enumerate(split[max(begin - NAMED_ABOVE, 0) :], start=max(begin - NAMED_ABOVE, 0)):
        if len(cells) != width:
            continue
        if start is not None and body[row]:
            moment = _moment(cells[timed])
            cells[timed] = repr((moment - start).total_seconds()) if moment else ""
        elif row < begin and any(cells):
            named = list(cells)
            cells[timed] += " (s)" if start is not None and cells[timed] else ""
        result[row] = form.separator.join(_quoted(cells[at], form) for at in kept)
    told = [f"column {at + 1} ('{named[at][:40]}') holds words and is not read" for at in sorted(words)]
    if start is not None:
        told[0] = f"column {timed + 1} ('{named[timed][:40]}') holds moments, given as seconds from the first one"
    return result, told


def _quoted(cell: str, form: Form) -> str:
    return f'"{cell}"' if form.separator in cell else cell


def _worded(lines: Sequence[str], form: Form) -> tuple[int, Form, int, set[int]]:
    """Return the longest run of lines with words in some columns and numbers in two others, and these columns."""
    best: tuple[int, Form, int, set[int]] = (0, form, 0, set())
    rows = [form.cells(line) for line in lines if line.strip()]
    for width, group in groupby(rows, key=len):
        run = list(group)
        if width < 3 or len(run) <= FEWEST_ROWS:
            continue
        body = run[len(run) // 2 :]
        words = {at for at in range(width) if all(is_kind(row[at], True, form) for row in body)}
        numbers = [at for at in range(width) if at not in words and all(is_kind(row[at], False, form) for row in body)]
        filled = [at for at in numbers if any(form.is_number(row[at]) for row in body)]
        rows_of_both = [row for row in run if all(is_kind(row[at], at in words, form) for at in range(width))]
        if words and len(filled) > 1 and len(words) + len(numbers) == width and len(rows_of_both) > best[0]:
            best = (len(rows_of_both), form, width, words)
    return best


def _moment(cell: str) -> datetime | None:
    try:
        return datetime.fromisoformat(cell).replace(tzinfo=None)
    except ValueError:
        return None


def without_remarks(lines: list[str], separator: str) -> tuple[list[str], list[str]]:
    """Return the lines of a table without the text that stands beside its numbers, and that text.

    Columns between empty ones are such text if words are a third of their cells in rows of numbers, unless all are.
    """
    form = Form(separator, ".")
    cells = [[cell.strip() for cell in line.split(separator)] for line in lines]
    beside: set[int] = set()
    numeric = [row for row in cells if sum(map(form.is_number, row)) > 1]
    blocks = _blocks(cells)
    for block in blocks:
        held = [cell for row in numeric for cell in row[block.start : block.stop] if cell.lower() not in MISSING]
        words = sum(not form.is_number(cell) for cell in held)
        beside |= set(block) if words and 3 * words >= len(held) else set()
    if not beside or len(beside) == sum(map(len, blocks)):
        return lines, []
    texts = ["\t".join(cell for at, cell in enumerate(row) if at in beside).strip() for row in cells]
    kept = [separator.join("" if at in beside else cell for at, cell in enumerate(row)) for row in cells]
    return kept, [text for text in texts if text]


def _blocks(cells: list[list[str]]) -> list[range]:
    """Return the columns between empty ones."""
    filled = {at for row in cells for at, cell in enumerate(row) if cell}
    starts = sorted(at for at in filled if at - 1 not in filled)
    ends = sorted(at for at in filled if at + 1 not in filled)
    return [range(start, end + 1) for start, end in zip(starts, ends, strict=True)]
