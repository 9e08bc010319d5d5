"""Rows of the sheet for a folder of files: find what each file is, what is missing, and whether it can be analysed."""

import contextlib
import csv
import io
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import xarray as xr

from relaxor.core.checksums import SUMS, record_sums, sha256
from relaxor.core.errors import ReadError, SheetError, nearest
from relaxor.core.files import atomic
from relaxor.core.remote import storage_of
from relaxor.core.results import SCAN
from relaxor.core.units import parse_quantity
from relaxor.project.guesses import conditions_in_name, guessed_columns, is_bare
from relaxor.project.inspection import files_in
from relaxor.project.layers import known_conditions
from relaxor.project.settings import Settings, lacking_setting
from relaxor.project.sheet import COLUMNS, NAME_CHARACTERS, names_columns, unfit
from relaxor.project.trial import refusals
from relaxor.readers import TableDescription, read
from relaxor.readers.tables.description import stated
from relaxor.techniques.contents import Contents
from relaxor.techniques.recognition import likely_techniques
from relaxor.techniques.registry import OTHER, current_name, techniques

CONDITION = re.compile(r"(?:(?P<pattern>.*):)?\s*(?P<name>\w+)\s*=\s*(?P<value>[^:=]+)")
"""Pattern of ``[PATTERN:]name=value unit``."""
LONGEST_NOTE = 200
MOST_SPECTRA = 64
"""Largest number of spectra of one file for which rows are proposed."""
Ask = Callable[[str, Sequence[str]], str]
"""Asks the user a question; the second argument lists the allowed answers, and is empty if any text is allowed."""


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


# --- what the files are --------------------------------------------------------------------------------------------
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
    known = {sha256(root / row["file"]): row["measurement"] for row in own if not storage_of(row["file"])}
    proposals: list[Proposal] = []
    refused: dict[str, str] = {}
    files = {
        path.relative_to(folder).as_posix() if folder.is_dir() else path.name: path
        for path in files_in([folder])
        if path.name != SUMS
    }
    given = _given_tables(tables, files, settings)
    for name, path in files.items():
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
        names = _called(files, pattern, f"--table '{answer}'")
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
    return [
        replace(found, measurement=name, candidates=list(found.candidates), conditions={SCAN: str(number)})
        for number, name in enumerate(names, start=1)
    ]


def _free(stem: str, taken: set[str]) -> str:
    """Return an unused name of a measurement from the name of the file, in letters that the sheet allows."""
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", plain).strip("_.-") or "measurement"
    return next(free for free in (name, *(f"{name}_{number}" for number in range(2, 10**6))) if free not in taken)


# --- answers -------------------------------------------------------------------------------------------------------
def give_techniques(proposals: Sequence[Proposal], answers: Iterable[str]) -> None:
    """Set techniques by ``PATTERN=TECHNIQUE``; a pattern is compared with the path below the folder."""
    for answer in answers:
        pattern, equals, technique = answer.rpartition("=")
        technique = current_name(technique, "--technique")
        if not equals or technique not in (*techniques(), OTHER):
            hint = nearest(technique, (*techniques(), OTHER))
            raise SheetError(f"--technique '{answer}': 'PATTERN=TECHNIQUE' expected, found '{technique}'{hint}")
        for proposal in _matching(proposals, pattern, f"--technique '{answer}'"):
            proposal.candidates, proposal.note = [technique] if technique != OTHER else [], ""


def give_instrument(proposals: Sequence[Proposal], instrument: str, settings: Settings) -> None:
    """Set the instrument of all files; it must be one of the settings."""
    if instrument not in settings.instruments:
        raise SheetError(
            f"--instrument '{instrument}' is not in the settings{nearest(instrument, settings.instruments)}"
        )
    for proposal in proposals:
        proposal.instrument = instrument


def give_conditions(proposals: Sequence[Proposal], answers: Iterable[str]) -> None:
    """Set conditions by ``[PATTERN:]name=value unit``; without a pattern, for all files whose technique knows it.

    Where an analysis needs the condition, only the files of such analyses get it. Where no technique of the files
    knows it, files go to the technique that does, if it is among their candidates.
    """
    for answer in answers:
        if not proposals:
            raise SheetError(f"--condition '{answer}': no file is new; change the column 'conditions' of its row")
        found = CONDITION.fullmatch(answer)
        if not found:
            raise SheetError(f"--condition '{answer}': '[PATTERN:]name=value unit' expected")
        name, value, option = found["name"], found["value"].strip(), f"--condition '{answer}'"
        knowing = [proposal for proposal in proposals if name in known_conditions(proposal.technique)]
        chosen = [proposal for proposal in knowing if name in proposal.missing] or knowing
        if found["pattern"]:
            chosen = _matching(proposals, found["pattern"], option)
        chosen = chosen or [proposal for proposal in proposals if _prefer(proposal, name)]
        if not chosen:
            known = ", ".join(technique for technique in techniques() if name in known_conditions(technique))
            instead = f" ({known} does: give --technique PATTERN=TECHNIQUE)" if known else ""
            raise SheetError(
                f"{option}: no technique of these files knows '{name}'{instead}; to record it anyway, give "
                f"'PATTERN:{name}={value}'"
            )
        for proposal in chosen:
            if problem := unfit(value, known_conditions(proposal.technique).get(name)):
                raise SheetError(f"{option}: '{value}' {problem}")
            proposal.conditions[name] = value


def _prefer(proposal: Proposal, condition: str) -> bool:
    """Prefer the candidate of a file that knows a condition, and return whether there is one."""
    knowing = [technique for technique in proposal.candidates if condition in known_conditions(technique)]
    if knowing:
        proposal.candidates = [*knowing, *(each for each in proposal.candidates if each not in knowing)]
        proposal.note = f"{knowing[0]}, as only it knows the condition '{condition}'"
    return bool(knowing)


def _matching(proposals: Sequence[Proposal], pattern: str, option: str) -> list[Proposal]:
    names = _called([proposal.name for proposal in proposals], pattern, option)
    return [proposal for proposal in proposals if proposal.name in names]


def _called(names: Iterable[str], pattern: str, option: str) -> list[str]:
    """Return the names that a pattern fits, with or without their folder."""
    found = [name for name in names if fnmatchcase(name, pattern) or fnmatchcase(Path(name).name, pattern)]
    if not found:
        raise SheetError(f"{option}: no new file is called '{pattern}'{nearest(pattern, tuple(names))}")
    return found


def ask_techniques(proposals: Sequence[Proposal], ask: Ask) -> None:
    """Ask for the technique of files that do not state it."""
    for proposal in proposals:
        if not proposal.candidates:
            choice = ask(f"technique of {proposal.name} (drawn as it is: {OTHER})", (*techniques(), OTHER))
            proposal.candidates, proposal.note = ([choice], "") if choice != OTHER else ([], proposal.note)


def ask_conditions(proposals: Sequence[Proposal], ask: Ask) -> None:
    """Ask for each missing condition that the analyses need; an empty answer leaves it out."""
    wanted = dict.fromkeys((each.technique, name, unit) for each in proposals for name, unit in each.missing.items())
    for technique, name, unit in wanted:
        files = [each for each in proposals if each.technique == technique and name in each.missing]
        which = files[0].name if len(files) == 1 else f"{len(files)} files of {technique}"
        how = "" if len(files) == 1 else f"; {len(files)} values joined by ',' where they differ"
        question = f"{name} of {which}, in {unit} or alike{how} (nothing: fill it in later)"
        while answer := ask(question, ()).strip():
            values = [value.strip() for value in answer.split(",")] if len(files) > 1 else [answer]
            values = values * len(files) if len(values) == 1 else values
            problem = next((f"'{value}' {said}" for value in values if (said := unfit(value, unit))), "")
            if not problem and len(values) == len(files):
                for proposal, value in zip(files, values, strict=True):
                    proposal.conditions[name] = value
                break
            question = problem or f"{len(values)} values for {len(files)} files; {name}, in {unit} or alike"


# --- can they be analysed? -----------------------------------------------------------------------------------------
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
            if (row["sample"], row["technique"]) == (sample, technique) and not storage_of(row["file"])
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


# --- writing -------------------------------------------------------------------------------------------------------
def store(sample: str, proposals: Sequence[Proposal], root: Path) -> None:
    """Copy files from outside to ``raw_data/<sample>/`` and record the checksums of all; nothing is overwritten.

    Checksums are recorded in the folder of the sample; those of files elsewhere in the project are recorded in its
    main folder.
    """
    for proposal in proposals:
        target = root / proposal.file
        if not target.exists():
            with atomic(target) as temporary:
                shutil.copy2(proposal.source, temporary)
    home, sums = root / "raw_data" / sample, {root / proposal.file: proposal.sha for proposal in proposals}
    record_sums(home, sums)
    record_sums(root, {path: sha for path, sha in sums.items() if not path.is_relative_to(home)})


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
