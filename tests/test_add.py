"""``relaxor add``: from a folder of files to rows of the sheet."""

import errno
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from relaxor.cli.main import app
from relaxor.core.checksums import read_sums, sha256
from relaxor.core.errors import SheetError
from relaxor.project import add as intake
from relaxor.project import answers as given
from relaxor.project import proposals as recognised
from relaxor.project.ingest import ingest
from relaxor.project.settings import Settings, load_settings
from relaxor.project.sheet import COLUMNS, load_sheet
from relaxor.project.trial import refusals
from relaxor.readers import readers
from relaxor.readers.common.sizes import allow_sizes
from typer.testing import CliRunner

from tests.project import ROOT, empty_project
from tests.readers.samples import UXD

LIGHT = "Time [s],Power Density [mW/cm^2],Bias Voltage [V],Channel Current [A]\n0,0,1,1e-9\n1,{},1,2e-9\n"
DEVICE = "Channel Voltage [V]\tChannel Current [A]\n"


def sweep(resistance: float = 1e6, constant: bool = False) -> str:
    voltage = np.concatenate([np.linspace(0, 2, 40), np.linspace(2, 0, 40)])
    current = voltage / resistance * (1 + 1e-3 * np.random.default_rng(1).normal(size=voltage.size))
    voltage = np.full_like(voltage, 1.0) if constant else voltage
    return DEVICE + "".join(f"{v:.6g}\t{i:.9g}\n" for v, i in zip(voltage, current, strict=True))


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A project with an empty sheet, in a folder with a space and letters beyond ASCII."""
    root = empty_project(tmp_path / "mein Projekt ü", "sample: cbps\n")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def folder(tmp_path) -> Path:
    """Files of an instrument, read-only, one in a folder below."""
    files = tmp_path / "Messungen µ"
    (files / "old").mkdir(parents=True)
    (files / "Probe 1 (süß).csv").write_text(sweep())
    (files / "old/gate.csv").write_text(sweep(constant=True))
    (files / "notes.txt").write_text("not data\n")
    for path in files.rglob("*.csv"):
        path.chmod(stat.S_IRUSR)
    return files


def run(*arguments: str | Path, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["add", *map(str, arguments)])
    if code == 1 and result.exception and not isinstance(result.exception, SystemExit):
        return result.output + str(result.exception)
    assert result.exit_code == code, result.output
    return result.output


def rows(project: Path) -> dict[str, dict]:
    return {row["measurement"]: row for row in load_sheet(project / "config/measurements.tsv", project)}


def test_files_are_recognised_tried_copied_and_written(project, folder):
    output = run("mysample", folder, "--yes")
    found = rows(project)
    assert {name: row["technique"] for name, row in found.items()} == {"Probe_1_su": "iv_sweeps", "gate": "other"}
    assert found["gate"]["note"].startswith("not analysed as iv_sweeps: table: holds a constant voltage")
    assert found["Probe_1_su"]["file"] == "raw_data/mysample/Probe 1 (süß).csv"
    assert found["gate"]["file"] == "raw_data/mysample/old/gate.csv"
    assert {row["origin"] for row in found.values()} == {"measured"}
    assert "notes.txt" in output and "a text without a table of numbers" in output
    for name in ("Probe 1 (süß).csv", "old/gate.csv"):
        copied = project / "raw_data/mysample" / name
        assert copied.read_bytes() == (folder / name).read_bytes()
        assert read_sums(project / "raw_data/mysample/SHA256SUMS")[name] == sha256(copied)
    assert not list(project.rglob("*.partial"))


def test_what_is_in_the_sheet_stays_and_is_not_added_twice(project, folder):
    run("mysample", folder, "--yes")
    sheet = project / "config/measurements.tsv"
    before = sheet.read_bytes().removesuffix(b"\n")  # an editor may leave the last line open
    sheet.write_bytes(before)
    assert "nothing to add" in run("mysample", folder, "--yes", code=1)
    assert sheet.read_bytes() == before
    (folder / "another.csv").write_text(sweep(2e6))
    output = run("mysample", folder, "--yes")
    assert sheet.read_bytes().startswith(before + b"\nanother\t")
    assert "is in the sheet already, as 'gate'" in " ".join(output.split())
    assert len(rows(project)) == 3


def test_rows_of_an_instrument_do_not_stand_in_the_way(project, folder):
    (project / "config/config.yaml").write_text("sample: cbps\ninstruments: {probe: {iv_sweeps: {}}}\n")
    assert "did you mean 'probe'" in run("mysample", folder, "--yes", "--instrument", "prob", code=1)
    run("mysample", folder, "--yes", "--instrument", "probe")
    (folder / "another.csv").write_text(sweep(2e6))
    run("mysample", folder, "--yes")
    sheet = load_sheet(project / "config/measurements.tsv", project, instruments=("probe",))
    assert [row["instrument"] for row in sheet] == ["probe", "probe", ""]


def test_a_copy_never_overwrites(project, folder):
    there = project / "raw_data/mysample/old/gate.csv"
    there.parent.mkdir(parents=True)
    there.write_text("something else")
    output = " ".join(run("mysample", folder, "--yes").split())
    assert "raw_data/mysample/old/gate.csv, which has other content" in re.sub(r"[│\s]+", " ", output)
    assert there.read_text() == "something else"
    assert set(rows(project)) == {"Probe_1_su"}


def test_files_of_the_project_stay_where_they_are(project):
    own = project / "raw_data/mysample/scan.uxd"
    own.parent.mkdir(parents=True)
    own.write_text(UXD)
    run("mysample", own.parent, "--yes")
    assert rows(project)["scan"]["file"] == "raw_data/mysample/scan.uxd"
    assert sorted(path.name for path in own.parent.iterdir()) == ["SHA256SUMS", "scan.uxd"]


@pytest.mark.parametrize("name", [b"Se{2}.csv", b"<x>.csv", b"new\nline.csv", b"5\xb5W.csv"])
def test_a_name_that_a_run_cannot_use_is_refused_before_anything_is_copied(project, folder, name):
    with Path(os.fsdecode(bytes(folder) + b"/" + name)).open("w") as stream:
        stream.write(sweep(3e6))
    output = re.sub(r"[│\s]+", " ", run("mysample", folder, "--yes"))
    assert "cannot be used; rename the file" in output
    copied = {path.name for path in (project / "raw_data/mysample").iterdir()}
    assert copied == {"Probe 1 (süß).csv", "SHA256SUMS", "old"}
    assert len(rows(project)) == 2
    CliRunner().invoke(app, ["check"], catch_exceptions=False)


def test_names_of_any_script_are_taken(project, tmp_path):
    (tmp_path / "测量 №1\u00a0µ $a$ #%.csv").write_text(sweep())
    run("mysample", tmp_path / "测量 №1\u00a0µ $a$ #%.csv", "--yes")
    assert [row["technique"] for row in rows(project).values()] == ["iv_sweeps"]


def test_an_addition_that_fails_leaves_everything_as_it_was(project, folder, monkeypatch):
    (folder / "first.csv").write_text(sweep(3e6))
    run("mysample", folder / "first.csv", "--yes")

    def state() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}

    before, copies = state(), []

    def full(source, target):
        if copies:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
        copies.append(shutil.copyfile(source, target))

    monkeypatch.setattr("relaxor.project.add.shutil.copy2", full)
    assert "No space left on device" in run("mysample", folder, "--yes", code=1)
    assert copies and state() == before
    monkeypatch.undo()
    monkeypatch.chdir(project)
    with (project / "config/measurements.tsv").open("a") as sheet:
        sheet.write("a row that is cut")
    before = state()
    assert "row 3" in run("mysample", folder, "--yes", code=1)
    assert state() == before


def test_a_changed_raw_file_is_not_ingested_until_it_is_accepted(project, folder):
    run("mysample", folder, "--yes")
    (row,) = (row for row in rows(project).values() if row["measurement"] == "gate")
    raw = project / row["file"]
    arguments = ([str(raw)], [row], {}, str(project / "gate.nc"))
    ingest(*arguments)
    raw.chmod(0o600)
    raw.write_text(raw.read_text() + "\n")
    told = r"gate\.csv' has changed: SHA-256 .*relaxor add SAMPLE 'raw_data/mysample/old/gate\.csv' --accept-changes"
    with pytest.raises(SheetError, match=told):
        ingest(*arguments)
    sheet = (project / "config/measurements.tsv").read_bytes()
    accept, accepted = ("mysample", raw, "--accept-changes"), f"{row['file']}: the present file is accepted\n"
    assert run("another", *accept[1:]) == "no file has changed\n"
    assert [run(*accept, *more) for more in (["--dry-run"], [], [])] == [accepted, accepted, "no file has changed\n"]
    ingest(*arguments)
    assert (project / "config/measurements.tsv").read_bytes() == sheet


def test_a_file_that_stays_beside_raw_data_is_watched_as_well(project):
    own = project / "scans/scan.uxd"
    own.parent.mkdir()
    own.write_text(UXD)
    run("mysample", own.parent, "--yes")
    assert read_sums(project / "SHA256SUMS") == {"scans/scan.uxd": sha256(own)}
    assert not (project / "raw_data").exists()
    (project / "config/figures.yaml").write_text("{}\n")
    own.write_text(UXD.replace("49", "50"))
    assert "'scans/scan.uxd' has changed" in CliRunner().invoke(app, ["check"]).output


def test_names_are_unique_and_of_letters_that_the_sheet_allows(project, tmp_path):
    files = tmp_path / "files"
    for number, name in enumerate(("測定.csv", "a b.csv", "a-b/a b.csv", "a_b.csv")):
        (files / name).parent.mkdir(parents=True, exist_ok=True)
        (files / name).write_text(sweep(1e6 + number))
    run("s", files, "--yes")
    assert list(rows(project)) == ["a_b", "a_b_2", "a_b_3", "measurement"]


def test_without_a_terminal_nothing_is_written_unless_told(project, folder):
    assert "add --yes" in run("mysample", folder, code=1)
    assert not rows(project) and not (project / "raw_data").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("my sample",), "'my sample' is not a name of a sample"),
        (("s", "--technique", "*.csv=iv_sweps"), "'iv_sweps'; did you mean 'iv_sweeps'?"),
        (("s", "--technique", "sweeps"), "'PATTERN=TECHNIQUE' expected"),
        (("s", "--technique", "raman"), r"did you mean '\*=raman', for all files\?"),
        (("s", "--technique", "*.xls=sweeps"), r"no new file is called '\*\.xls'"),
        (("s", "--condition", "power 5 mW"), r"'\[PATTERN:\]name=value unit' expected"),
        (("s", "--condition", "power=5 mW"), "no technique of these files knows 'power'"),
        (("s", "--condition", "gate*:temperature=5 furlongsy"), "'5 furlongsy' is not a number with a unit"),
        (("s", "--condition", "gate*:read_voltage=5 nm"), "'5 nm' is not a number with a unit such as V"),
        (("s", "--condition", "gate*:dose=inf mJ"), "'inf mJ' is not a number with a unit"),
    ],
)
def test_a_wrong_answer_is_one_line(project, folder, arguments, message):
    sample, *options = arguments
    output = run(sample, folder, "--yes", *options, code=1)
    assert re.search(message, output.splitlines()[-1])
    assert not rows(project)


def test_answers_are_given_as_options(project, folder):
    spectra = folder / "spectra.csv"
    spectra.write_text(LIGHT.format(2))
    run(
        "s", folder, "--yes", "--technique", "gate.csv=other", "--condition", "wavelength=650 nm",
        "--condition", "Probe*:temperature=295 K",
    )  # fmt: skip
    found = rows(project)
    assert found["spectra"]["technique"] == "optical_pulses" and found["spectra"]["conditions"] == {
        "wavelength": (650.0, "nm")
    }
    assert found["Probe_1_su"]["conditions"] == {"temperature": (295.0, "K")}
    assert (found["gate"]["technique"], found["gate"]["note"]) == ("other", "")


def test_a_condition_that_one_technique_knows_chooses_it(project, tmp_path):
    """A pair of pulses counts as a sweep first, which knows no interval of pulses."""
    time = np.arange(0, 0.6, 0.002)
    inside = ((time >= 0.2) & (time < 0.21)) | ((time >= 0.26) & (time < 0.27))
    current = 1e-9 * (1 + inside + 0.3 * (time > 0.26) * inside) + 1e-12 * np.random.default_rng(1).normal(
        size=time.size
    )
    lines = "".join(f"{t:.4f},{0.1 + 2 * on:.1f},{i:.6g}\n" for t, on, i in zip(time, inside, current, strict=True))
    (tmp_path / "dev1.csv").write_text(f"Time (s),Voltage (V),Current (A)\n{lines}")
    run("s", tmp_path / "dev1.csv", "--yes", "--condition", "interval=50 ms")
    (row,) = rows(project).values()
    assert row["technique"] == "electrical_pulses" and row["conditions"] == {"interval": (50.0, "ms")}
    assert "only it knows the condition 'interval'" in row["note"]


def test_a_condition_of_other_techniques_names_them(project, folder):
    output = run("s", folder, "--yes", "--condition", "drain_voltage=0.1 V", code=1)
    assert re.search(r"knows 'drain_voltage' \(transistors does: give --technique", output.splitlines()[-1])


def test_the_plates_of_a_capacitor_stand_for_the_geometry_of_a_device(project, folder):
    output = re.sub(r"[│\s]+", " ", run("t", folder, "--yes", "--technique", "Probe*=hysteresis"))
    assert re.search(r"needs thickness=… nm; width=… um; .* \(or else area=… cm\^2; thickness=… nm\)", output)
    loop = ("--technique", "Probe*=hysteresis", "--condition", "Probe*:area=1e-4 cm^2")
    assert "width=…" not in run("u", folder, "--yes", *loop, "--condition", "Probe*:thickness=10 nm")


def test_conditions_of_rows_that_exist_are_changed_in_the_sheet(project, folder):
    run("t", folder, "--yes")
    output = run("t", folder, "--yes", "--condition", "area=1e-4 cm^2", code=1)
    assert "no file is new; change the column 'conditions' of its row" in output


def test_only_what_cannot_be_known_is_asked(project, folder):
    """Bad answers are asked for again; an empty one leaves the condition out."""
    for number in (1, 2):
        (folder / f"light_{number}.csv").write_text(LIGHT.format(number))
    (folder / "numbers.txt").write_text("".join(f"{i} {i * i}\n" for i in range(30)))
    proposals, _ = recognised.propose("s", folder, [], Settings(), project)
    answers = iter(["other", "blue", "450 nm, 520 nm, 650 nm", "450 nm, 650 nm", ""])
    questions: list[str] = []

    def ask(question: str, choices) -> str:
        questions.append(question)
        return next(answers)

    given.ask_techniques(proposals, ask)
    given.ask_conditions(proposals, ask)
    assert [question.split(",")[0].split(" (")[0] for question in questions] == [
        "technique of numbers.txt", "wavelength of 2 files of optical_pulses",
        "'blue' is not a number with a unit such as nm",
        "3 values for 2 files; wavelength", "area of 2 files of optical_pulses",
    ]  # fmt: skip
    by_name = {proposal.measurement: proposal for proposal in proposals}
    assert [by_name[f"light_{number}"].conditions["wavelength"] for number in (1, 2)] == ["450 nm", "650 nm"]
    assert by_name["light_1"].missing == {"area": "cm^2"}


def test_a_described_table_is_found_by_its_columns(project, tmp_path):
    shutil.copy2(ROOT / "config/config.yaml", project / "config/config.yaml")
    log = tmp_path / "log.csv"
    log.write_bytes((ROOT / "raw_data/cbps/growth/furnace_log.csv").read_bytes())
    settings = load_settings("config/config.yaml")
    proposals, _ = recognised.propose("s", log, [], settings, project)
    assert [(each.technique, each.table) for each in proposals] == [("growth", "furnace_log")]


def test_a_material_without_settings_is_drawn_and_the_setting_named(project, tmp_path):
    spectrum = tmp_path / "spectrum.msa"
    spectrum.write_bytes(next((ROOT / "raw_data/cbps/edx").glob("*.msa")).read_bytes())
    output = re.sub(r"[│\s]+", " ", run("s", spectrum, "--yes"))
    assert rows(project)["spectrum"]["technique"] == "other"
    assert "needs the setting samples.s.edx.elements in config/config.yaml" in output


def test_a_trial_heeds_the_sizes_that_the_settings_allow(project, folder):
    source = folder / "Probe 1 (süß).csv"
    source.chmod(stat.S_IRUSR | stat.S_IWUSR)
    source.write_text(source.read_text() + "\n" * 2**20)
    (project / "config/config.yaml").write_text("sample: cbps\nsize_limits: {columns: 2}\n")
    run("s", folder, "--yes")
    assert rows(project)["Probe_1_su"]["technique"] == "iv_sweeps"
    row = rows(project)["Probe_1_su"] | {"file": str(source)}
    allow_sizes({"columns": 1}, readers())
    reasons = refusals("iv_sweeps", [row], Settings().layers("iv_sweeps", "s"), {})
    allow_sizes({}, readers())
    assert "files of the format columns over 1 MiB are refused" in reasons["Probe_1_su"]


def test_files_that_fail_only_together_are_drawn(project, folder, monkeypatch):
    (folder / "second.csv").write_text(sweep(3e6))

    def refuse(technique, rows, *settings):
        return "too many" if len(rows) > 1 else None

    monkeypatch.setattr("relaxor.project.trial._refusal", refuse)
    proposals, _ = recognised.propose("s", folder, [], Settings(), project)
    intake.try_analyses("s", "measured", proposals, [], Settings())
    assert {each.technique for each in proposals} == {"other"}
    assert all("too many" in each.note for each in proposals)


def test_a_bug_of_an_analysis_is_a_note_and_no_traceback(project, folder, monkeypatch):
    monkeypatch.setattr("relaxor.techniques.iv_sweeps.analysis.analyse", lambda *_, **__: [1 / 0])
    run("s", folder, "--yes")
    assert "ZeroDivisionError" in rows(project)["gate"]["note"]


def test_a_sheet_that_is_not_valid_is_left_as_it_is(project, folder):
    sheet = project / "config/measurements.tsv"
    sheet.write_text(sheet.read_text() + "only\tthree\tcells\n")
    before = sheet.read_bytes()
    assert "row 2: 10 cells" in run("s", folder, "--yes", code=1)
    assert sheet.read_bytes() == before
    with pytest.raises(SheetError, match="row 2: 10 cells"):
        intake.add_rows(sheet, [], Settings(), project)
    assert sheet.read_bytes() == before


def test_cells_follow_the_header_of_the_sheet(project, folder):
    """A spreadsheet may have moved the columns and begun the file with a byte order mark."""
    sheet = project / "config/measurements.tsv"
    sheet.write_text("\t".join(reversed(COLUMNS)) + "\n", encoding="utf-8-sig")
    run("mysample", folder, "--yes", "--condition", "Probe*:temperature=295 K")
    found = rows(project)["Probe_1_su"]
    assert (found["sample"], found["technique"], found["origin"]) == ("mysample", "iv_sweeps", "measured")
    assert found["conditions"] == {"temperature": (295.0, "K")}


@pytest.mark.parametrize("text", ["", "measurement\tsample\n"])
def test_a_sheet_without_a_column_is_named(project, text):
    sheet = project / "config/measurements.tsv"
    sheet.write_text(text)
    with pytest.raises(SheetError, match=r"row 1: columns are .*; expected measurement, sample, technique"):
        intake.add_rows(sheet, [dict.fromkeys(COLUMNS, "x")], Settings(), project)
    assert sheet.read_text() == text


@pytest.mark.slow
def test_the_terminal_is_asked(project, folder):
    """In a pseudo-terminal: one question for the file that nothing tells, one before rows are written."""
    import pty

    (folder / "numbers.txt").write_text("".join(f"{i} {i * i}\n" for i in range(30)))
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from relaxor.cli.main import main; main()", "add", "s", str(folder)]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as process:
        os.close(theirs)
        os.write(ours, b"other\ny\n")
        said = b""
        while process.poll() is None or not said:
            try:
                said += os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
    text = said.decode()
    assert process.returncode == 0, text
    assert "technique of numbers.txt" in text and "Add 3 rows to config/measurements.tsv?" in text
    assert list(rows(project)) == ["Probe_1_su", "numbers", "gate"]
