"""Described text tables: what is read, and what is said of a table that cannot be."""

import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydantic
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from relaxor.core.errors import ReadError
from relaxor.readers import TableDescription, read
from relaxor.readers.tables import text_table
from relaxor.readers.tables.description import Entry

LOOP = TableDescription(
    columns={"time": Entry("s", "Time (s)"), "voltage": Entry("V", "Voltage (V)"), "current": Entry("A", "I (A)")},
    scalars={"area": Entry("um^2", "Area (um2)")},
    axis="time",
    rows="Points",
    acquired="Date",
    instrument="Huace FE-2000",
)
TEXT = """Sample: flake
Date: 2024-11-12T14:05:00
Area (um2): 0.16
Points: 4
free words

I (A)\tTime (s)\tVoltage (V)
1.50e-12\t0.0\t0
-2.25e-12\t0.1\t1
3.00e-11\t0.2\t0
0.00e+00\t0.3\t-1
"""


@pytest.fixture
def table(tmp_path: Path):
    def write(text: str | bytes) -> Path:
        path = tmp_path / "table.txt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_columns_are_found_by_name_and_keep_units_digits_and_header(table):
    tree = read(table(TEXT), LOOP)
    data = tree["table"].to_dataset()
    np.testing.assert_array_equal(data["current"], [1.5e-12, -2.25e-12, 3e-11, 0])
    assert data["current"].dims == ("time",) and data["current"].attrs["units"] == "A"
    assert float(data["area"]) == 0.16 and data["area"].attrs["units"] == "um^2"
    # Two digits behind the point of a mantissa: 0.01 of its power of ten, over the root of twelve.
    np.testing.assert_allclose(data["current_uncertainty"][:3], np.array([1e-14, 1e-14, 1e-13]) / 12**0.5)
    assert tree.attrs["acquired"] == "2024-11-12T14:05:00" and tree.attrs["instrument"] == "Huace FE-2000"
    assert '"Sample": "flake"' in tree.attrs["header"] and "free words" in tree.attrs["header"]


def test_decimal_commas_comments_missing_words_and_positions(table):
    text = "# Temp: 21,5\n#\n1,0;2,5;x\n2,0;n/a;y\n# late: note\n3,0;4,5;z\n"
    description = TableDescription(
        columns={"time": Entry("minute", position=1), "temperature": Entry("degC", position=2)},
        axis="time",
        delimiter=";",
        decimal=",",
        comment="#",
        missing=("n/a",),
    )
    data = read(table(text), description)["table"].to_dataset()
    np.testing.assert_array_equal(data["temperature"], [2.5, np.nan, 4.5])
    np.testing.assert_array_equal(data["time"], [1, 2, 3])


def test_a_table_ends_before_its_footer(table):
    footer = "Statistics\nmean: 0.2\n1 2 3 4\n"
    with pytest.raises(ReadError, match="3 cells expected, 1 found; if a footer begins here, give its first words"):
        read(table(TEXT + footer), LOOP)
    found = read(table(TEXT + footer), replace(LOOP, end="Statistics"))
    assert found["table"].to_dataset().equals(read(table(TEXT), LOOP)["table"].to_dataset())
    assert '"mean": "0.2"' in found.attrs["header"]


def test_without_an_axis_rows_are_numbered_and_a_loop_may_turn_back(table):
    description = replace(LOOP, axis="", rows="", scalars={}, acquired="")
    data = read(table(TEXT), description)["table"].to_dataset()
    assert data["voltage"].dims == ("index",)
    turning = replace(description, axis="voltage", monotonic=False)
    np.testing.assert_array_equal(read(table(TEXT), turning)["table"]["voltage"], [0, 1, 0, -1])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Voltage (V)", "Voltage (mV)", "no row of column names with 'Voltage (V)'; did you mean 'Voltage (mV)'?"),
        ("\t0.1\t1", "\t0.1\tone", "line 9: cell 3: 'one' is not a number"),
        ("\t0.1\t1", "\t0.1\tinf", "line 9: cell 3: 'inf' is not a number"),
        ("\t0.1\t1", "\t0.1\t1_0", "line 9: cell 3: '1_0' is not a number"),
        ("\t0.1\t1", "\t0.1", "line 9: 3 cells expected, 2 found"),
        ("\t0.1\t1", "\t0.0\t1", "column 'Time (s)': time does not rise in row 2 of the numbers (0, 0); set"),
        ("\t0.2\t0", "\t0.05\t0", "column 'Time (s)': time does not rise in row 3 of the numbers (0.1, 0.05); set"),
        ("\t0.1\t1", "\t\t1", "column 'Time (s)': the axis has no value in row 2"),
        ("0.00e+00\t0.3\t-1\n", "", "line 10: announces 4 rows, has 3"),
        ("Points", "Rows", "no line 'Points: …' above the numbers"),
        ("2024-11-12T14:05:00", "yesterday", "'Date: yesterday' is not a time in ISO 8601"),
        ("I (A)\t", "Time (s)\t", "no row of column names with 'I (A)'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(table, old, new, message):
    with pytest.raises(ReadError) as error:
        read(table(TEXT.replace(old, new)), LOOP)
    assert message in str(error.value)


def test_time_rises_and_another_axis_may_fall(table):
    def axis(name, values):
        path = table("x\n" + "".join(f"{value}\n" for value in values))
        read(path, TableDescription(columns={name: Entry("s", header="x")}, axis=name))

    axis("time", [1, 2, 3])
    axis("delay", [3, 2, 1])
    for values, row in (([3, 2, 1], 2), ([1, 3, 2], 3)):
        with pytest.raises(ReadError, match=rf"column 'x': time does not rise in row {row} of the numbers"):
            axis("time", values)
    with pytest.raises(ReadError, match="the axis turns back in row 4"):
        axis("delay", [4, 3, 2, 3])
    with pytest.raises(ReadError, match="the axis repeats in row 3"):
        axis("delay", [4, 3, 3])


def test_a_column_without_a_number_is_refused(table):
    text = TEXT.replace("\t0\n", "\tnan\n").replace("\t1\n", "\tnan\n").replace("\t-1\n", "\tnan\n")
    with pytest.raises(ReadError, match=r"column 'Voltage \(V\)': holds no number"):
        read(table(text), replace(LOOP, missing=("nan",)))


def test_binary_wrong_encoding_and_endless_lines_are_refused(table):
    with pytest.raises(ReadError, match="is not utf-8-sig text"):
        read(table(b"\xff\xfe" + TEXT.encode("utf-16-le")), LOOP)
    with pytest.raises(ReadError, match="longer than"):
        read(table("1" * (2 << 20)), LOOP)


def test_a_huge_table_is_refused_by_its_size_alone(tmp_path):
    path = tmp_path / "huge.txt"
    with path.open("wb") as stream:
        stream.truncate(200 << 20)
    problem = "200 MiB; files of the format text_table over 128 MiB are refused. To read it, set 'size_limits: "
    problem += "{text_table: 200}'"
    with pytest.raises(ReadError, match=re.escape(problem)):
        read(path, LOOP)


def test_descriptions_from_yaml_are_closed_and_must_make_sense():
    adapter = pydantic.TypeAdapter(dict[str, TableDescription])
    text = "t: {columns: {x: {header: a, unit: V}}, axis: x}"
    assert adapter.validate_python(yaml.safe_load(text))["t"].columns["x"].unit == "V"
    for bad, message in (
        ("t: {columns: {x: {header: a, unit: V}}, colour: red}", "colour"),
        ("t: {columns: {x: {header: a, unit: V, position: 2}}}", "either 'header'"),
        ("t: {columns: {x: {header: a, unit: V}}, axis: y}", "axis 'y' is not one of the columns: x"),
        ("t: {columns: {}}", "at least one column"),
    ):
        with pytest.raises(pydantic.ValidationError, match=message):
            adapter.validate_python(yaml.safe_load(bad))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, len(TEXT)), at=st.integers(0, len(TEXT) - 1), byte=st.integers(0, 255))
def test_damaged_bytes_give_a_tree_or_one_error(table, cut, at, byte):
    damaged = bytearray(TEXT.encode())
    damaged[at] = byte
    with suppress(ReadError):
        read(table(bytes(damaged[:cut])), LOOP)


def test_the_real_capacitor_measures_its_nominal_capacitance(rawfiles):
    """Slope of charge against voltage of a part sold as 2.2 nF (10 % tolerance)."""
    path = next((rawfiles / "ferroelectric_pe" / "aixacct_tsv_split").glob("2.2nF*"))
    description = TableDescription(
        columns={
            "time": Entry("s", "Time s"),
            "voltage": Entry("V", "Vplus V"),
            "current": Entry("A", "I1 A"),
            "polarization": Entry("uC/cm^2", "P1 uC_per_cm2"),
        },
        axis="time",
    )
    data = read(path, description)["table"].to_dataset()
    assert data.sizes["time"] == 401
    time, current = data["time"].to_numpy(), data["current"].to_numpy()
    charge = np.append(0, np.cumsum((current[1:] + current[:-1]) / 2 * np.diff(time)))
    assert np.polyfit(data["voltage"], charge, 1)[0] == pytest.approx(2.2e-9, rel=0.1)
    # The area is not in the table; the polarization column and the charge must still be proportional.
    ratio = np.polyfit(charge, data["polarization"], 1)
    np.testing.assert_allclose(
        np.polyval(ratio, charge), data["polarization"].to_numpy(), atol=2e-6 * np.ptp(data["polarization"].to_numpy())
    )


@pytest.mark.parametrize(
    "broken", ["", "1\t2", "1\t2\t3\t4", "1\tx\t3", "nan\t2\t3", '"1"\t2\t3', "1_0\t2\t3", "1,5\t2\t3"]
)
def test_a_long_table_is_read_like_a_short_one(tmp_path, monkeypatch, broken):
    head = (
        TEXT[: TEXT.index("I (A)")].replace("Points: 4", f"Points: {60 + (broken == '')}")
        + "I (A)\tTime (s)\tVoltage (V)\n"
    )
    rows = [f"{row / 7:.6e}\t{row}\t{row * 0.5}" for row in range(61)]
    rows[50] = broken or rows[50]
    path = tmp_path / "long.txt"
    path.write_text(head + "\n".join(rows) + "\n")
    outcomes = []
    for sample in (1000, 20):
        monkeypatch.setattr(text_table, "SAMPLE_ROWS", sample)
        try:
            outcomes.append(read(path, LOOP))
        except ReadError as error:
            outcomes.append(str(error))
    slow, fast = outcomes
    assert slow == fast if isinstance(slow, str) else slow.identical(fast)
