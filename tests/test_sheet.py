import pytest
from hypothesis import given
from hypothesis import strategies as st
from relaxor.errors import SheetError
from relaxor.sheet import COLUMNS, load_sheet

GOOD = {
    "measurement": "scan", "sample": "s1", "technique": "xrd", "file": "raw_data/scan.raw", "panel": "1b",
    "origin": "measured", "table": "", "conditions": "power=0.5 mW; temperature=295 K", "note": "",
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
        ({"technique": "xrs"}, "row 2: column 'technique': 'xrs' is not known; did you mean 'x"),
        ({"technique": "??"}, "allowed: structure, growth, xrd"),
        ({"origin": "made up"}, "column 'origin'.*allowed: simulated, measured"),
        ({"table": "fe20"}, "column 'table': 'fe20' is not known; did you mean 'fe2000'"),
        ({"panel": "1b,1x"}, "column 'panel': '1x' is not known"),
        ({"measurement": "a b"}, "column 'measurement': 'a b' is not a name"),
        ({"measurement": ""}, "column 'measurement': '' is not a name"),
        ({"sample": "../x"}, "column 'sample': '../x' is not a name"),
        ({"conditions": "power 5 mW"}, "column 'conditions': 'power 5 mW' is not 'name=value unit'"),
        ({"conditions": "power=5 furlongsy"}, "column 'conditions': 'power=5 furlongsy'"),
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


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(SheetError, match=r"row 1: columns are .*; expected measurement, sample"):
        load_sheet(project(tmp_path, header=COLUMNS[:-1]), tmp_path)


def test_a_short_row_is_named(tmp_path):
    sheet = project(tmp_path, GOOD)
    sheet.write_text(sheet.read_text() + "only\tthree\tcells\n")
    with pytest.raises(SheetError, match="row 3: 9 cells"):
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
