"""Add proposed rows to the sheet: try their analyses, copy their files and append the rows."""

import contextlib
import csv
import io
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from relaxor.core.checksums import SUMS, accept_sums, changed_files, record_sums, sha256
from relaxor.core.files import atomic, write_whole
from relaxor.core.remote import is_remote
from relaxor.core.units import parse_quantity
from relaxor.project.guesses import conditions_in_name
from relaxor.project.layers import known_conditions
from relaxor.project.proposals import LONGEST_NOTE, Proposal
from relaxor.project.settings import Settings, lacking_setting
from relaxor.project.sheet import COLUMNS
from relaxor.project.trial import refusals
from relaxor.techniques.registry import OTHER


def try_analyses(
    sample: str,
    origin: str,
    proposals: Sequence[Proposal],
    rows: Sequence[dict[str, Any]],
    settings: Settings,
    begin: Callable[[str], object] = lambda technique: None,
) -> None:
    """Run every analysis once, as the workflow does. A refused file goes to its next candidate, or becomes `OTHER`.

    Files with a missing condition are not tried. Conditions that the name of a file states are taken from it.

    Parameters
    ----------
    rows
        The rows of the sheet, because an analysis receives all files of its technique and sample together.
    begin
        Function that is called with the technique that is tried.
    """
    tried: set[str] = set()
    while waiting := {each.technique for each in proposals} - {OTHER} - tried:
        technique = min(waiting)
        tried.add(technique)
        begin(technique)
        group = [each for each in proposals if each.technique == technique]
        for each in group:
            each.conditions = conditions_in_name(each.source.stem, known_conditions(technique)) | each.conditions
        before = [
            row
            for row in rows
            if (row["sample"], row["technique"]) == (sample, technique) and not is_remote(row["file"])
        ]
        if lacking := lacking_setting(technique, sample, settings):
            refused = dict.fromkeys((each.measurement for each in group), lacking)
        else:
            new = [_parsed(each, sample, origin) for each in group if not each.missing]
            refused = refusals(technique, new, settings.layers(technique, sample), settings.plain_tables(), before)
        for each in group:
            if each.measurement in refused:
                reason = f"not analysed as {technique}: {refused[each.measurement]}"
                each.note = "; ".join(filter(None, (each.note, reason)))[:LONGEST_NOTE]
                each.candidates = each.candidates[1:]
                tried -= {technique, each.technique}  # repeat with the files that remain, or that are added


def _parsed(proposal: Proposal, sample: str, origin: str) -> dict[str, Any]:
    conditions = {name: parse_quantity(value) for name, value in proposal.conditions.items()}
    return {**proposal.row(sample, origin), "conditions": conditions, "file": str(proposal.source)}


@contextlib.contextmanager
def stored(sample: str, proposals: Sequence[Proposal], root: Path) -> Iterator[None]:
    """Copy files from outside to ``raw_data/<sample>/`` and record the checksums of all; nothing is overwritten.

    Checksums are recorded in the folder of the sample; those of files elsewhere in the project are recorded in its
    main folder. If the block that follows fails, or a copy, everything is as before.
    """
    home, sums = root / "raw_data" / sample, {root / proposal.file: proposal.sha for proposal in proposals}
    before = {path: path.read_bytes() for folder in (home, root) if (path := folder / SUMS).is_file()}
    copied: list[Path] = []
    try:
        for proposal in proposals:
            target = root / proposal.file
            if not target.exists():
                copied.append(target)
                with atomic(target) as temporary:
                    shutil.copy2(proposal.source, temporary)
        record_sums(home, sums)
        record_sums(root, {path: sha for path, sha in sums.items() if not path.is_relative_to(home)})
        yield
    except BaseException:
        for path in copied:
            path.unlink(missing_ok=True)
        for path in {home / SUMS, root / SUMS} - before.keys():
            path.unlink(missing_ok=True)
        for path, content in before.items():
            write_whole(path, content)
        raise


def accept_changes(folder: Path, rows: Sequence[dict[str, Any]], root: Path, dry_run: bool = False) -> list[str]:
    """Record anew the checksums of files of rows, below a folder, that have changed; return these files."""
    files = {row["file"]: (root / row["file"]).resolve() for row in rows if not is_remote(row["file"])}
    below = {path: name for name, path in files.items() if path.is_relative_to(folder.resolve())}
    changed = changed_files({path: sha256(path) for path in below}, root)
    if not dry_run:
        accept_sums(changed, root)
    return [below[path] for path in changed]


def add_rows(sheet: Path, lines: Sequence[dict[str, str]], settings: Settings, root: Path) -> None:
    """Append rows to the sheet, with cells in the order of its header. Invalid rows leave it unchanged."""
    text = sheet.read_text(encoding="utf-8") if sheet.exists() else "\t".join(COLUMNS) + "\n"
    header = next(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter="\t"), [])
    added = io.StringIO()
    # load_sheet reports a column that is missing from the header, in one line.
    writer = csv.DictWriter(added, header, delimiter="\t", lineterminator="\n", extrasaction="ignore")
    writer.writerows(lines)
    with atomic(sheet) as temporary:
        temporary.write_text(text + "\n" * (not text.endswith("\n")) + added.getvalue(), encoding="utf-8")
        settings.load_sheet(root, sheet=temporary)
