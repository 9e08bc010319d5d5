"""What the files of a folder are: each that can be read, its techniques, and the row that is proposed for it."""

import contextlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import xarray as xr

from relaxor.core.checksums import SUMS, sha256
from relaxor.core.errors import ReadError, SheetError, nearest
from relaxor.core.remote import is_remote
from relaxor.core.results import SCAN
from relaxor.project.guesses import guessed_columns, is_bare
from relaxor.project.inspection import files_in
from relaxor.project.settings import Settings
from relaxor.project.sheet import COLUMNS, NAME_CHARACTERS, names_columns, unusable_name
from relaxor.readers import TableDescription, read
from relaxor.readers.tables.description import stated
from relaxor.techniques.contents import Contents
from relaxor.techniques.recognition import likely_techniques
from relaxor.techniques.registry import OTHER, techniques

LONGEST_NOTE = 200
MOST_SPECTRA = 64
"""Largest number of spectra of one file for which rows are proposed; the note of the rows counts any others."""


@dataclass
class Proposal:
    """A file and the row that is proposed for it.

    Attributes
    ----------
    source
        The file as it was given.
    name
        The path of the file below the given folder.
    file
        The present or future path of the file below the folder of the project.
    candidates
        Techniques to which the file may belong, beginning with the proposed one. Without any, it is drawn as it was
        measured.
    needs
        The conditions that the analysis of each technique needs for this file, with their units.
    """

    source: Path
    name: str
    file: str
    measurement: str
    sha: str
    candidates: list[str]
    needs: dict[str, dict[str, str]]
    table: str = ""
    instrument: str = ""
    conditions: dict[str, str] = field(default_factory=dict)
    note: str = ""

    @property
    def technique(self) -> str:
        """The technique that is proposed."""
        return self.candidates[0] if self.candidates else OTHER

    @property
    def missing(self) -> dict[str, str]:
        """Conditions that the analysis needs and that are not given, with their units."""
        if self.technique == OTHER:
            return {}
        conditions = techniques()[self.technique].conditions
        return conditions.missing(self.needs[self.technique], self.conditions)

    @property
    def wants(self) -> str:
        """What the sheet must still say, in words; "" if nothing is missing."""
        if not self.missing:
            return ""
        listed = "; ".join(f"{name}=… {unit}" for name, unit in self.missing.items())
        instead = techniques()[self.technique].conditions.instead(self.needs[self.technique], self.conditions)
        return f"needs {listed}" + f" (or else {instead})" * bool(instead)

    def row(self, sample: str, origin: str) -> dict[str, str]:
        """Return the row of the sheet as text."""
        conditions = "; ".join(f"{name}={value}" for name, value in self.conditions.items())
        given = {
            "measurement": self.measurement,
            "sample": sample,
            "technique": self.technique,
            "file": self.file,
            "origin": origin,
            "table": self.table,
            "instrument": self.instrument,
            "conditions": conditions,
            "note": self.note,
        }
        return dict.fromkeys(COLUMNS, "") | given


def propose(
    sample: str,
    folder: Path,
    rows: Sequence[dict[str, Any]],
    settings: Settings,
    root: Path,
    tables: Sequence[str] = (),
) -> tuple[list[Proposal], dict[str, str]]:
    """Recognise every file of a folder.

    Parameters
    ----------
    sample
        Name of the sample.
    folder
        Folder of the files, or a single file.
    rows
        The present rows of the sheet.
    settings
        Settings, whose text tables are tried on files that do not describe themselves.
    root
        Folder of the project.
    tables
        ``PATTERN=TABLE``: the description, or the names and units of the columns, of files that do not state them.

    Returns
    -------
    proposals, refused
        One proposal per file that can be read and is not in the sheet, and the reasons for which other files are not
        proposed.
    """
    if not sample or not set(sample) <= NAME_CHARACTERS or sample.startswith("."):
        raise SheetError(f"'{sample}' is not a name of a sample (letters, digits, '_', '-', '.')")
    if not folder.exists():
        raise SheetError(f"{folder}: no such file or folder")
    own = [row for row in rows if row["sample"] == sample]
    stated_before = tuple(dict.fromkeys(row["table"] for row in own if row["table"] not in ("", *settings.tables)))
    taken = {row["measurement"] for row in own}
    known = {sha256(root / row["file"]): row["measurement"] for row in own if not is_remote(row["file"])}
    proposals: list[Proposal] = []
    refused: dict[str, str] = {}
    files = {
        path.relative_to(folder).as_posix() if folder.is_dir() else path.name: path
        for path in files_in([folder])
        if path.name != SUMS
    }
    given = _given_tables(tables, files, settings)
    for name, path in files.items():
        if problem := unusable_name(name):
            refused[ascii(name)[1:-1]] = problem
            continue
        try:
            table, tree = _read(path, settings, given.get(name, ""), stated_before)
            found = _proposal(path, name, sample, root, table, tree, taken)
            parts = _one_for_each_spectrum(found, tree, taken)
        except ReadError as error:
            refused[name] = str(error).removeprefix(f"{path}: ")
            continue
        if found.sha in known:
            refused[name] = f"is in the sheet already, as '{known[found.sha]}'"
            continue
        known[found.sha] = found.measurement
        taken.update(each.measurement for each in parts)
        proposals += parts
    return proposals, refused


def _given_tables(answers: Iterable[str], files: Iterable[str], settings: Settings) -> dict[str, str]:
    """Return the table of each file that an answer ``PATTERN=TABLE`` names."""
    found: dict[str, str] = {}
    for answer in answers:
        pattern, equals, table = answer.partition("=")
        if not equals or (table not in settings.tables and not names_columns(table)):
            hint = nearest(table, tuple(settings.tables))
            raise SheetError(
                f"--table '{answer}': 'PATTERN=TABLE' expected, with TABLE from the settings or 'name (unit), …'{hint}"
            )
        names = called(files, pattern, f"--table '{answer}'")
        found |= dict.fromkeys(names, table)
    return found


def _read(path: Path, settings: Settings, table: str, stated_before: Sequence[str]) -> tuple[str, xr.DataTree]:
    """Read a file, and return what the sheet must say of its columns.

    A table of text is read by the description that fits it. If its columns have no names, it is read by what the sheet
    says of other files of the sample, or by what its range and its name tell.
    """
    if table:
        return table, read(path, stated(table, settings.tables))
    described = {
        name: each for name, each in settings.tables.items() if any(entry.header for entry in each.columns.values())
    }
    try:
        tree = read(path)
    except ReadError:
        if found := _first_that_reads(path, settings.tables):
            return found
        raise
    if tree.attrs["format"] != "columns":
        return "", tree
    likely = (*filter(None, [guessed_columns(tree, path)]), *(stated_before if is_bare(tree) else ()))
    return _first_that_reads(path, described | dict(zip(likely, likely, strict=True))) or ("", tree)


def _first_that_reads(path: Path, tables: Mapping[str, TableDescription | str]) -> tuple[str, xr.DataTree] | None:
    for name, table in tables.items():
        with contextlib.suppress(ReadError):
            return name, read(path, table)
    return None


def _proposal(
    path: Path, name: str, sample: str, root: Path, table: str, tree: xr.DataTree, taken: set[str]
) -> Proposal:
    place = path.resolve()
    inside = place.is_relative_to(root)
    file = place.relative_to(root).as_posix() if inside else f"raw_data/{sample}/{name}"
    if not inside and (root / file).exists() and sha256(root / file) != tree.attrs["raw_sha256"]:
        raise ReadError(path, f"would be copied to {file}, which has other content; rename one of them")
    candidates, contents = list(likely_techniques(tree)), Contents.of(tree)
    held = {f"{name} ({values.attrs.get('units', '1')})": None for part in tree.children.values()
            for name, values in part.data_vars.items() if values.ndim}  # fmt: skip
    return Proposal(
        source=path,
        name=name,
        file=file,
        measurement=_free(path.stem, taken),
        sha=tree.attrs["raw_sha256"],
        candidates=candidates,
        needs={name: technique.conditions.needed(contents) for name, technique in techniques().items()},
        table=table,
        note="" if candidates else f"no technique analyses {', '.join(held) or 'this'}"[:LONGEST_NOTE],
    )


def _one_for_each_spectrum(found: Proposal, tree: xr.DataTree, taken: set[str]) -> list[Proposal]:
    """Return a proposal for each spectrum of a file whose technique takes one at a time."""
    if len(tree.children) < 2 or found.technique == OTHER:
        return [found]
    technique = techniques()[found.technique]
    if not technique.single or technique.joined(Contents.of(tree)):
        return [found]
    names: list[str] = []
    for child in list(tree.children)[:MOST_SPECTRA]:
        names.append(_free(f"{found.measurement}_{child}", taken | set(names)))
    if len(tree.children) > MOST_SPECTRA:
        found = replace(found, note=f"of {len(tree.children)} spectra, the first {MOST_SPECTRA} have rows")
    return [
        replace(found, measurement=name, candidates=list(found.candidates), conditions={SCAN: str(number)})
        for number, name in enumerate(names, start=1)
    ]


def _free(stem: str, taken: set[str]) -> str:
    """Return an unused name of a measurement from the name of the file, in letters that the sheet allows."""
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", plain).strip("_.-") or "measurement"
    return next(free for free in (name, *(f"{name}_{number}" for number in range(2, 10**6))) if free not in taken)


def called(names: Iterable[str], pattern: str, option: str) -> list[str]:
    """Return the names that a pattern fits, with or without their folder."""
    found = [name for name in names if fnmatchcase(name, pattern) or fnmatchcase(Path(name).name, pattern)]
    if not found:
        raise SheetError(f"{option}: no new file is called '{pattern}'{nearest(pattern, tuple(names))}")
    return found
