"""Whatever bytes a file holds, it is read, or refused in one line that names it."""

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from relaxor.core.errors import ReadError
from relaxor.core.storage import load, load_parameters
from relaxor.project.ingest import ingest
from relaxor.readers import read, readers, recognise

from tests.hostile import write_all
from tests.project import ROOT, SETTINGS, Project, sheet_rows
from tests.public_files import PublicFile, present, registry
from tests.readers.test_manifest import REFUSED

SAMPLES = {row["measurement"]: row for row in sheet_rows()}
KINDS = {(row["technique"], Path(row["file"]).suffix): name for name, row in reversed(SAMPLES.items())}
"""The first sample file of each technique and format; the others are tested with ``-m slow``."""
EVERY_SAMPLE = [pytest.param(name, marks=() if name in KINDS.values() else pytest.mark.slow) for name in SAMPLES]
LARGEST, OF_ONE_FOLDER = 100_000, 2
GIB = 1 << 30


def small_real_files() -> dict[str, None]:
    """The smallest public files of each folder."""
    folders: dict[Path, list[PublicFile]] = {}
    for file, entry in registry().items():
        if file.startswith("rawfiles/") and int(entry.bytes) <= LARGEST:
            folders.setdefault(Path(file).parent, []).append(entry)
    small = (sorted(files, key=lambda entry: (int(entry.bytes), entry.file)) for files in folders.values())
    names = (entry.file.removeprefix("rawfiles/") for files in small for entry in files[:OF_ONE_FOLDER])
    return dict.fromkeys(sorted(names))


def table_of(row: dict):
    return SETTINGS.tables[row["table"]] if row["table"] else None


def read_or_refuse(path: Path, table=None) -> xr.DataTree | None:
    """Read; a refusal must be one line that names the file."""
    try:
        tree = read(path, table)
    except ReadError as error:
        assert str(error).startswith(f"{path}: ")
        assert len(str(error).splitlines()) == 1
        return None
    assert tree.children
    for node in tree.children.values():
        for name, axis in node.coords.items():
            assert axis.dtype.kind not in "fc" or np.isfinite(axis.to_numpy()).all(), f"{path}: {node.path}: {name}"
    return tree


def damaged(content: bytes, seed: str) -> list[bytes]:
    """The content cut at several places, and with bytes flipped, zeroed, set to NaN and repeated."""
    rng = random.Random(seed)
    size = len(content)
    cuts = {1, 3, 8, size // 4, size // 2, 3 * size // 4, size - 1, rng.randrange(1, size), rng.randrange(1, size)}
    results = [content[:cut] for cut in sorted(cuts) if 0 < cut < size]
    for region in (64, 1024, size, size, size, size):
        changed = bytearray(content)
        for _ in range(rng.choice((1, 4, 30))):
            changed[rng.randrange(min(region, size))] ^= 1 << rng.randrange(8)
        results.append(bytes(changed))
    start, middle = rng.randrange(size), size // 2
    results.append(content[:start] + b"\0" * min(200, size - start) + content[start + 200 :])
    results.append(content[:middle] + b"\xff" * (size - middle))
    results.append(content[:middle] + content[start:])
    results.append(re.sub(rb"\d+\.\d+", b"nan", content))
    results.append(re.sub(rb"\d+\.\d+", b"1e999", content))
    return results


# --- any file of the sheet, any real file -------------------------------------------------------------------------
@pytest.mark.parametrize("measurement", EVERY_SAMPLE)
def test_a_damaged_sample_file_is_read_or_refused_and_nothing_else(measurement, tmp_path):
    row = SAMPLES[measurement]
    source = ROOT / row["file"]
    for number, content in enumerate(damaged(source.read_bytes(), measurement)):
        path = tmp_path / f"damaged_{number}{source.suffix}"
        path.write_bytes(content)
        read_or_refuse(path, table_of(row))


@pytest.mark.costly
def test_a_damaged_real_file_is_read_or_refused_and_nothing_else(rawfiles, tmp_path, subtests):
    for source, _ in present(rawfiles, small_real_files()):
        name = source.relative_to(rawfiles).as_posix()
        with subtests.test(name):
            if read_or_refuse(source) is None:
                assert name in REFUSED
                continue
            for number, content in enumerate(damaged(source.read_bytes(), name)):
                path = tmp_path / f"damaged_{number}{source.suffix}"
                path.write_bytes(content)
                read_or_refuse(path)


@pytest.mark.slow
@pytest.mark.parametrize("measurement", SAMPLES)
def test_what_is_read_of_a_damaged_file_can_be_ingested(measurement, tmp_path):
    row = SAMPLES[measurement]
    source, stored = ROOT / row["file"], tmp_path / "data.nc"
    tables = SETTINGS.model_dump(mode="json")["tables"]
    for number, content in enumerate(damaged(source.read_bytes(), f"ingested {measurement}")):
        path = tmp_path / f"damaged_{number}{source.suffix}"
        path.write_bytes(content)
        stored.write_bytes(b"last good run")
        try:
            ingest([str(path)], [row | {"file": str(path)}], tables, str(stored))  # without a recorded checksum
        except ReadError as error:
            assert str(error).startswith(f"{path}: ")
            assert stored.read_bytes() == b"last good run"
        assert not list(tmp_path.glob(".*"))  # no half-written file stays


def test_a_nul_in_a_text_is_shown_and_stored(tmp_path):
    row = SAMPLES["light_codes_650nm"]
    head, line, rest = (ROOT / row["file"]).read_bytes().rpartition(b"\n100,")
    path = tmp_path / "overwritten.csv"
    path.write_bytes(head + line + bytes(8) + rest[8:])
    ingest([str(path)], [row | {"file": str(path)}], {}, str(tmp_path / "data.nc"))
    (measurement,) = load(tmp_path / "data.nc")
    assert 8 * "\N{SYMBOL FOR NULL}" in measurement.attrs["warnings"]


@pytest.mark.parametrize("measurement", EVERY_SAMPLE)
def test_a_sample_file_is_recognised_by_its_content(measurement, tmp_path):
    """A file under another extension, or with the name of a file of another format, gives the same tree."""
    row = SAMPLES[measurement]
    source = ROOT / row["file"]
    expected = read(source, table_of(row))
    others = {Path(other["file"]).name for other in SAMPLES.values() if other["technique"] != row["technique"]}
    for name in ("renamed.dat", "without_extension", *sorted(others)[:3]):
        path = tmp_path / name
        path.write_bytes(source.read_bytes())
        tree = read(path, table_of(row))
        tree.attrs["raw_file"] = expected.attrs["raw_file"]
        assert tree.identical(expected)


@pytest.mark.parametrize("measurement", [name for name in KINDS.values() if SAMPLES[name]["table"]])
def test_a_described_table_refuses_what_is_another_format(measurement, tmp_path):
    row = SAMPLES[measurement]
    for other in SAMPLES.values():
        if other["table"] == row["table"]:
            continue
        path = tmp_path / Path(row["file"]).name
        path.write_bytes((ROOT / other["file"]).read_bytes())
        with pytest.raises(ReadError, match=re.escape(str(path))):
            read(path, table_of(row))


@pytest.mark.parametrize("measurement", SAMPLES)
def test_no_two_readers_claim_one_file(measurement):
    row = SAMPLES[measurement]
    path = ROOT / row["file"]
    head = path.read_bytes()[:4096]
    claims = [name for name, reader in readers().items() if reader.recognises(head, path)]
    # Archives, workbooks and tables of text of any program are asked for after formats of their kind.
    own = [name for name in claims if name not in ("packed", "workbook", "columns")]
    assert len(own) <= 1 and recognise(path) == claims[0]
    assert row["table"] or claims[:1] == (own or claims[:1])


def test_recognising_never_raises(tmp_path):
    rng = random.Random(0)
    heads = [
        b"",
        b"\0",
        b"\x89HDF\r\n\x1a\n",
        b"PK\x03\x04",
        b"RAW",
        b"\x05\0",
        b"\0\x05",
        *map(rng.randbytes, range(64)),
    ]
    heads += [start + rng.randbytes(200) for start in heads[1:7] for _ in range(20)]
    for number, head in enumerate(heads):
        path = tmp_path / str(number)
        path.write_bytes(head)
        for reader in readers().values():
            assert reader.recognises(head, path) in (True, False)


def test_what_is_no_file_is_said_so(tmp_path):
    with pytest.raises(ReadError, match="no such file"):
        read(tmp_path / "gone.raw")
    with pytest.raises(ReadError, match="is not a file"):
        read(tmp_path)


# --- made to harm -------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> dict[str, tuple[str, str, float, str]]:
    """What became of each hostile file, read in a process with 2 GiB of address space: name → outcome."""
    folder = tmp_path_factory.mktemp("hostile")
    expected = dict(write_all(folder))
    found: dict[str, tuple[str, str, float, str]] = {}
    waiting = list(expected)
    while waiting:  # a process that dies is one outcome; the rest is read by the next one
        done = subprocess.run(
            [sys.executable, "-m", "tests.hostile"],
            input="".join(f"{folder / name}\n" for name in waiting),
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=400,
        )
        for line in done.stdout.splitlines():
            path, outcome, message, _, peak = json.loads(line)
            name = Path(path).name
            found[name] = (outcome, message.replace(str(folder), ""), peak, expected[name])
            waiting.remove(name)
        if waiting:
            found[waiting.pop(0)] = ("died", done.stderr, 0, "")
    return found


HOSTILE = (
    "bomb.brml", "bomb_lying.brml", "terabytes.brml", "many_bombs.brml", "laughs.brml", "outside.brml", "nested.brml",
    "open.brml", "deep.brml", "nodes.brml", "nested.zip", "billion.raw", "billion_version_1.raw", "zeros.raw",
    "billion.spe", "records.spe", "larger.msa", "not_a_number.msa", "infinite.msa", "points.ibw",
    "overflow.ibw", "negative.ibw", "billion.dm3", "deep.dm3", "not_a_number.txt", "twice.txt", "unsorted.txt",
    "wrong_unit.txt", "no_rows.txt", "wide.txt", "tall.txt", "cell.cif", "vamas.vms", "git_lfs.raw", "empty.raw",
    "billion.eds", "layers.spx", "huge.emd", "outward.emd", "loop.emd", "sparse.raw",
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_one_line_and_little_memory(hostile, name):
    outcome, message, peak, expected = hostile[name]
    assert outcome == "ReadError", message
    assert message.startswith(f"/{name}: ")
    assert len(message.splitlines()) == 1
    assert re.search(expected, message), message
    assert peak < GIB


def test_a_header_that_announces_too_little_is_a_warning(hostile):
    outcome, message, peak, _ = hostile["endless_line.msa"]
    assert (outcome, message) == ("tree", "spectrum")
    assert peak < GIB


def test_every_hostile_file_is_looked_at(hostile):
    assert set(hostile) == {*HOSTILE, "endless_line.msa"}


# --- the workflow -------------------------------------------------------------------------------------------------
def one_message(output: str, *parts: str) -> None:
    """The output holds one line with all the parts, and nothing of Python's insides."""
    assert "Traceback" not in output
    assert any(all(part in line for part in parts) for line in output.splitlines()), output


def broken_sheet(folder: Path, change) -> str:
    project = Project.of_this(folder, "raman")
    header, *rows = project.read_sheet()
    change(dict(zip(header, range(len(header)), strict=True)), rows)
    project.write_sheet([header, *rows])
    output = project.run(code=1)
    assert not (folder / SETTINGS.results).exists()
    return output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("file", "raw_data/gone.txt", "'raw_data/gone.txt' does not exist"),
        ("file", "../../etc/passwd", "lies outside the project"),
        ("technique", "ramen", "did you mean 'raman'?"),
    ],
)
def test_a_wrong_cell_of_the_sheet_stops_the_run(tmp_path, column, value, problem):
    def change(columns, rows):
        rows[0][columns[column]] = value

    output = broken_sheet(tmp_path / "project", change)
    one_message(output, "config/measurements.tsv", "row 2", f"column '{column}'", problem)


@pytest.mark.slow
def test_a_repeated_measurement_stops_the_run(tmp_path):
    output = broken_sheet(tmp_path / "project", lambda columns, rows: rows.append(rows[0]))
    one_message(output, "config/measurements.tsv", "row 3", "is already in row 2")


@pytest.mark.slow
def test_a_wrong_setting_stops_the_run(tmp_path):
    project = Project.of_this(tmp_path / "project", "raman")
    output = project.run("--config", "ramam={}", code=1)
    one_message(output, "ramam", "unknown setting", "did you mean 'raman'?")


@pytest.mark.slow
def test_a_setting_that_stands_twice_stops_the_run(tmp_path):
    project = Project.of_this(tmp_path / "project", "raman")
    with (project.folder / "config/config.yaml").open("a", encoding="utf-8") as settings:
        settings.write("raman: {}\nraman: {significance: 9.0}\n")
    one_message(project.run(code=1), "config/config.yaml", "'raman' stands twice")


@pytest.mark.slow
def test_a_damaged_raw_file_leaves_the_results_as_they_were(tmp_path):
    project = Project.of_this(tmp_path / "project", "raman")
    project.run()
    before = project.results()
    raw = project.folder / project.read_sheet()[1][project.read_sheet()[0].index("file")]
    content = raw.read_bytes()
    raw.write_bytes(content[: len(content) // 2] + b"\n1.0\tnot a number\n")

    output = project.run(code=1)
    one_message(output, raw.name, "error: ", "line")
    after = project.results()
    logs = {name for name in before if name.startswith("logs/")}
    assert {name: after.get(name) for name in before if name not in logs} == {
        name: before[name] for name in before if name not in logs
    }
    assert not [name for name in after if name.endswith(".partial")]

    raw.write_bytes(content)
    project.run()
    assert project.results() == before
    assert len(load_parameters(project.folder / "results/analysis/cbps/raman/parameters.csv"))
