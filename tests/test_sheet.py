import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from relaxor.core.errors import SheetError
from relaxor.project.layers import known_conditions
from relaxor.project.sheet import COLUMNS, load_sheet
from relaxor.techniques import registry
from relaxor.techniques.registry import techniques

GOOD = {
    "measurement": "scan", "sample": "s1", "technique": "xrd", "file": "raw_data/scan.raw", "panel": "1b",
    "origin": "measured", "instrument": "", "table": "", "conditions": "power=0.5 mW; temperature=295 K", "note": "",
}  # fmt: skip


def project(tmp_path, *rows, header=COLUMNS):
    (tmp_path / "raw_data").mkdir(exist_ok=True)
    (tmp_path / "raw_data/scan.raw").write_bytes(b"x")
    sheet = tmp_path / "sheet.tsv"
    lines = ["\t".join(header), *("\t".join(row[column] for column in COLUMNS) for row in rows)]
    sheet.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return sheet


def test_a_good_sheet(tmp_path):
    rows = load_sheet(project(tmp_path, GOOD), tmp_path)
    assert rows[0]["conditions"] == {"power": (0.5, "mW"), "temperature": (295.0, "K")}


@pytest.mark.parametrize("file", ["https://host/a/scan.raw", "http://host:80/scan.raw", "s3://bucket/scan.raw"])
def test_a_file_may_lie_elsewhere(tmp_path, file):
    assert load_sheet(project(tmp_path, GOOD | {"file": file}), tmp_path)[0]["file"] == file


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"file": "raw_data/gone.raw"}, r"row 2: column 'file': 'raw_data/gone\.raw' does not exist"),
        ({"file": "../outside.raw"}, "row 2: column 'file': .*lies outside the project"),
        ({"file": "/etc/passwd"}, "row 2: column 'file': .*lies outside the project"),
        (
            {"file": "ftp://host/scan.raw"},
            "row 2: column 'file': files are not fetched by 'ftp'; allowed: http, h",
        ),
        ({"file": "https://host"}, "row 2: column 'file': 'https://host' is not 'https://host/path', without"),
        ({"file": "s3:///scan.raw"}, "row 2: column 'file': 's3:///scan.raw' is not 's3://host/path'"),
        ({"file": "https://host/scan?n=1"}, "row 2: column 'file': .* is not 'https://host/path', without '\\?'"),
        ({"file": "https://host/a/../b"}, "row 2: column 'file': .* is not 'https://host/path'"),
        ({"file": "https://host/folder/"}, "row 2: column 'file': .* is not 'https://host/path'"),
        ({"file": "https://me:secret@host/b"}, "row 2: column 'file': .* is not 'https://host/path'.* and a password"),
        ({"file": "https://host/a{b}.txt"}, "row 2: column 'file': .*: a name with '{', '}' cannot be used"),
        ({"technique": "xrs"}, "row 2: column 'technique': 'xrs' is not known; did you mean 'x"),
        ({"technique": "??"}, "allowed: afm, edx, electrical_pulses"),
        ({"origin": "made up"}, "column 'origin'.*allowed: simulated, measured"),
        ({"table": "fe20"}, "column 'table': 'fe20' is not known; did you mean 'fe2000'"),
        ({"panel": "1b,1x"}, "column 'panel': '1x' is not known"),
        ({"measurement": "a b"}, "column 'measurement': 'a b' is not a name"),
        ({"measurement": ""}, "column 'measurement': '' is not a name"),
        ({"sample": "../x"}, "column 'sample': '../x' is not a name"),
        ({"conditions": "power 5 mW"}, "column 'conditions': 'power 5 mW' is not 'name=value unit'"),
        ({"conditions": "power=5 furlongsy"}, "column 'conditions': 'power=5 furlongsy'"),
        ({"conditions": "=5 mW"}, "column 'conditions': '=5 mW' is not 'name=value unit'"),
        ({"conditions": "dose=nan mJ"}, r"'dose=nan mJ' is not a number with a unit \(nan is not finite\)"),
        ({"conditions": "dose=1e999 mJ"}, r"'dose=1e999 mJ' is not a number with a unit \(1e999 is not finite\)"),
        ({"conditions": "power=1 mW; power=2 mW"}, "column 'conditions': 'power' is given twice; keep one"),
        (
            {"technique": "optical_pulses", "conditions": "area=5 um"},
            r"'area=5 um' is not a number with a unit such as cm\^2",
        ),
    ],
)
def test_each_mistake_names_its_place(tmp_path, change, message):
    sheet = project(tmp_path, GOOD | change)
    with pytest.raises(SheetError, match=message) as caught:
        load_sheet(sheet, tmp_path, ("fe2000",), ("1b", "1c"))
    assert str(sheet) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_repeated_name_says_where_it_was(tmp_path):
    with pytest.raises(SheetError, match="row 3: column 'measurement': 'scan' is already in row 2"):
        load_sheet(project(tmp_path, GOOD, GOOD), tmp_path)


@pytest.mark.parametrize(
    ("technique", "condition", "message"),
    [
        ("hysteresis", "thickness=0 nm", "must be above zero"),
        ("hysteresis", "gap=-2 um", "must be above zero"),
        ("hysteresis", "frequency=-10 Hz", "must be above zero"),
        ("xrd", "temperature=-300 degC", "is below absolute zero"),
        ("xrd", "temperature=-1 K", "is below absolute zero"),
        ("optical_pulses", "area=0 cm^2", "must be above zero"),
        ("optical_pulses", "wavelength=-650 nm", "must be above zero"),
        ("raman", "wavelength=0 nm", "must be above zero"),
        ("shg", "integration_time=0 s", "must be above zero"),
        ("shg", "power=-1 mW", "must not be negative"),
        ("shg", "power=0 mW", None),
        ("raman", "power=10 percent", None),  # noted only
        ("edx", "beam_energy=-20 keV", "must be above zero"),
        ("electrical_pulses", "compliance=0 mA", "must be above zero"),
        ("iv_sweeps", "read_voltage=-0.2 V", None),
        ("xrd", "temperature=-5 degC", None),
        ("stem", "defocus=-300 nm", None),  # a lab's own
    ],
)
def test_a_condition_that_cannot_be_is_refused(tmp_path, technique, condition, message):
    sheet = project(tmp_path, GOOD | {"technique": technique, "conditions": condition})
    if message is None:
        assert len(load_sheet(sheet, tmp_path)) == 1
        return
    with pytest.raises(SheetError) as caught:
        load_sheet(sheet, tmp_path)
    assert str(caught.value) == f"{sheet}: row 2: column 'conditions': '{condition}' {message}"


def test_every_condition_that_the_code_reads_is_known(root):
    sources = [path.read_text(encoding="utf-8") for path in (root / "workflow/relaxor").rglob("*.py")]
    read = {name for text in sources for name in re.findall(r"\.condition\(\s*\"(\w+)\"", text)}
    assert "compliance" in read
    assert read <= {name for technique in techniques() for name in known_conditions(technique)}


def test_a_file_counts_once_in_a_technique_of_a_sample(tmp_path):
    again = GOOD | {"measurement": "again", "file": "raw_data/../raw_data/scan.raw"}
    others = [{"technique": "raman"}, {"sample": "s2"}, {"table": "fe2000"}]  # other columns of an export, say
    good = [GOOD, *(again | other | {"measurement": f"m{i}"} for i, other in enumerate(others))]
    assert len(load_sheet(project(tmp_path, *good), tmp_path, ("fe2000",))) == 4
    message = "row 3: column 'file': 'raw_data/../raw_data/scan.raw' is already in row 2 as xrd of this sample; it"
    with pytest.raises(SheetError, match=message):
        load_sheet(project(tmp_path, GOOD, again), tmp_path)
    remote = GOOD | {"file": "https://host/scan.raw"}
    with pytest.raises(SheetError, match=r"row 3: .*'https://host/scan\.raw' is already in row 2"):
        load_sheet(project(tmp_path, remote, remote | {"measurement": "again"}), tmp_path)


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(SheetError, match=r"row 1: columns are .*; expected measurement, sample"):
        load_sheet(project(tmp_path, header=COLUMNS[1:]), tmp_path)


def test_a_sheet_may_leave_out_columns_that_it_does_not_fill(tmp_path):
    sheet = project(tmp_path, GOOD)
    lines = [line.split("\t")[:6] for line in sheet.read_text(encoding="utf-8").splitlines()]
    sheet.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")
    (row,) = load_sheet(sheet, tmp_path)
    assert row["conditions"] == {} and row["instrument"] == row["table"] == row["note"] == ""


def test_an_instrument_must_be_one_of_the_settings(tmp_path):
    sheet = project(tmp_path, GOOD | {"instrument": "D8"})
    assert load_sheet(sheet, tmp_path, instruments=("D8",))[0]["instrument"] == "D8"
    with pytest.raises(SheetError, match="row 2: column 'instrument': 'D8' is not known; did you mean 'D8-2'"):
        load_sheet(sheet, tmp_path, instruments=("D8-2",))


@pytest.mark.parametrize("column", ["instrument", "table"])
def test_what_no_settings_describe_says_where_to_do_so(tmp_path, column):
    sheet = project(tmp_path, GOOD | {column: "D8"})
    message = f"'D8' is not known; the settings have no {column}s: describe it under '{column}s' in config/config.yaml"
    with pytest.raises(SheetError, match=f"row 2: column '{column}': {message}"):
        load_sheet(sheet, tmp_path)


def test_a_former_name_of_a_technique_still_works_and_is_said_once(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(registry, "NOTICED", set())
    row = GOOD | {"technique": "sweeps", "conditions": ""}
    sheet = project(tmp_path, *(row | {"measurement": f"m{number}", "sample": f"s{number}"} for number in range(7)))
    assert {found["technique"] for found in load_sheet(sheet, tmp_path)} == {"iv_sweeps"}
    (record,) = caplog.records
    assert (
        record.getMessage() == f"{sheet}: row 2: technique 'sweeps' is called 'iv_sweeps' now; the old name still works"
    )


def test_a_short_row_is_named(tmp_path):
    sheet = project(tmp_path, GOOD)
    sheet.write_text(sheet.read_text() + "only\tthree\tcells\n")
    with pytest.raises(SheetError, match="row 3: 10 cells"):
        load_sheet(sheet, tmp_path)


def test_a_missing_sheet(tmp_path):
    with pytest.raises(SheetError, match=r"none\.tsv: No such file"):
        load_sheet(tmp_path / "none.tsv")


@given(st.binary(max_size=300))
def test_any_bytes_give_rows_or_a_sheet_error(tmp_path_factory, content):
    sheet = tmp_path_factory.mktemp("sheet") / "sheet.tsv"
    sheet.write_bytes(content)
    with pytest.raises(SheetError):
        load_sheet(sheet)
